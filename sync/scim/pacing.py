"""Evenly spaced requests, below the endpoint's quota. AWS: 20 requests a second for all clients together."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

# After a 429 the pace halves and grows back by a tenth with each second without another one.
SLOWEST = 0.1
RECOVERY_PER_SECOND = 0.1


@dataclass(slots=True)
class Turn:
    """A moment that belongs to one request."""

    at: float


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
        # Of those who wait, in their order.
        self.turns: list[Turn] = []
        self.lock = threading.Lock()

    def wait(self) -> None:
        """Returns at a moment that is the caller's own: no other request leaves within the pace around it."""
        turn = self._next_turn()
        try:
            while (delay := self._left(turn)) > 0:
                self.sleep(delay)
        finally:
            with self.lock:
                self.turns.remove(turn)

    def slow_down(self, seconds: float) -> None:
        """A 429 on one connection concerns all: nobody sends for `seconds`, then at half the pace, in the order of now.

        Answers to requests that left before the pause began are no further reason to slow down.
        """
        with self.lock:
            now = self.clock()
            if now >= self.quiet_until:
                self.share = max(SLOWEST, self._share_at(now) / 2)
            self.quiet_until = max(self.quiet_until, now + seconds)
            self.next_at = max(self.quiet_until, self.last_at + self._gap_at(self.quiet_until))
            for turn in self.turns:
                turn.at = self._take()

    def _next_turn(self) -> Turn:
        with self.lock:
            self.next_at = max(self.clock(), self.next_at)
            turn = Turn(self._take())
            self.turns.append(turn)
            return turn

    def _take(self) -> float:
        at = self.next_at
        self.next_at = at + self._gap_at(at)
        return at

    def _left(self, turn: Turn) -> float:
        with self.lock:
            now = self.clock()
            if now >= turn.at:
                self.last_at = max(self.last_at, now)
            return turn.at - now

    def _gap_at(self, moment: float) -> float:
        return 1 / (self.rate * self._share_at(moment))

    def _share_at(self, moment: float) -> float:
        return min(1.0, self.share + max(0.0, moment - self.quiet_until) * RECOVERY_PER_SECOND)
