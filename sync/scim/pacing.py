"""Evenly spaced requests, below the endpoint's quota. AWS: 20 requests a second for all clients together."""

import threading
from collections.abc import Callable

# After a 429 the pace halves and grows back by a tenth with each second without another one.
SLOWEST = 0.1
RECOVERY_PER_SECOND = 0.1


class Pacer:
    """Shared by the threads of one client (or several): `wait()` before each request."""

    def __init__(self, rate: float, *, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self.rate = rate
        self.clock = clock
        self.sleep = sleep
        self.share = 1.0
        self.next_at = self.last_at = float("-inf")
        # Until then nobody sends; from then on the pace grows back.
        self.quiet_until = float("-inf")
        self.pauses = 0
        self.lock = threading.Lock()

    def wait(self) -> None:
        """Returns at a moment that is the caller's own: no other request leaves within the pace around it."""
        while True:
            at, pauses = self._reserve()
            if (delay := at - self.clock()) > 0:
                self.sleep(delay)
            with self.lock:
                # A 429 meanwhile takes the moments back that were given before it.
                if pauses == self.pauses:
                    self.last_at = max(self.last_at, self.clock())
                    return

    def slow_down(self, seconds: float) -> None:
        """A 429 on one connection concerns all: nobody sends for `seconds`, then at half the pace.

        Answers to requests that left before the pause began are no further reason to slow down.
        """
        with self.lock:
            now = self.clock()
            if now >= self.quiet_until:
                self.share = max(SLOWEST, self._share_at(now) / 2)
            self.quiet_until = max(self.quiet_until, now + seconds)
            self.next_at = max(self.quiet_until, self.last_at + self._gap_at(self.quiet_until))
            self.pauses += 1

    def _reserve(self) -> tuple[float, int]:
        """The next free moment, whether or not others are waiting, and how often everybody had to pause so far."""
        with self.lock:
            at = max(self.clock(), self.next_at)
            self.next_at = at + self._gap_at(at)
            return at, self.pauses

    def _gap_at(self, moment: float) -> float:
        return 1 / (self.rate * self._share_at(moment))

    def _share_at(self, moment: float) -> float:
        return min(1.0, self.share + max(0.0, moment - self.quiet_until) * RECOVERY_PER_SECOND)
