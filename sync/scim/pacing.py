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
        self.next_at = 0.0
        self.slowed_at = 0.0
        self.lock = threading.Lock()

    def wait(self) -> None:
        delay = self._reserve()
        if delay > 0:
            self.sleep(delay)

    def _reserve(self) -> float:
        """The next free moment belongs to the caller, whether or not others are waiting."""
        with self.lock:
            now = self.clock()
            grown = self.share + (now - self.slowed_at) * RECOVERY_PER_SECOND
            share = min(1.0, grown) if self.share < 1.0 else 1.0
            at = max(now, self.next_at)
            self.next_at = at + 1 / (self.rate * share)
            return at - now

    def slow_down(self, seconds: float) -> None:
        """A 429 on one connection concerns all: nobody sends for `seconds`, then at half the pace."""
        with self.lock:
            now = self.clock()
            self.share = max(SLOWEST, self.share / 2)
            self.slowed_at = now + seconds
            self.next_at = max(self.next_at, now + seconds)
