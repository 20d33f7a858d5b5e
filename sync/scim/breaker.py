"""A circuit breaker: an endpoint that fails again and again is left alone, and asked by one request at a time."""

import threading
from collections.abc import Callable

OPENS_AFTER = 5
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
GIVES_UP_AFTER = 60.0
# How often those who wait look again.
LOOK_SECONDS = 0.25


class Breaker:
    """Shared by the threads of one client. Around each attempt: `wait()`, then `succeeded()` or `failed()`."""

    def __init__(self, *, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self.clock = clock
        self.sleep = sleep
        self.failures = 0
        self.pause = 0.0
        self.opened_at: float | None = None
        self.next_try = 0.0
        self.probing = False
        self.lock = threading.Lock()

    @property
    def open(self) -> bool:
        return self.opened_at is not None

    def wait(self, until: float) -> bool:
        """True when the caller may send. False when the endpoint is down for too long, or still at the time `until`."""
        while (delay := self._delay()) > 0:
            if self.given_up() or self.clock() + delay > until:
                return False
            self.sleep(delay)
        return True

    def given_up(self) -> bool:
        """Down for so long that a run had better stop. A single try then and now still goes out."""
        return self.opened_at is not None and self.clock() - self.opened_at > GIVES_UP_AFTER

    def _delay(self) -> float:
        with self.lock:
            if self.opened_at is None:
                return 0.0
            now = self.clock()
            if self.probing or now < self.next_try:
                return max(LOOK_SECONDS, self.next_try - now)
            self.probing = True
            return 0.0

    def succeeded(self) -> None:
        with self.lock:
            self.failures, self.pause, self.opened_at, self.probing = 0, 0.0, None, False

    def failed(self) -> None:
        with self.lock:
            self.failures += 1
            if self.opened_at is None and self.failures < OPENS_AFTER:
                return
            now = self.clock()
            if self.opened_at is None or self.probing:
                self.pause = min(LONGEST_PAUSE, max(FIRST_PAUSE, self.pause * 2))
                self.next_try = now + self.pause
            self.opened_at = now if self.opened_at is None else self.opened_at
            self.probing = False
