"""How long, and how many at once, look-ups in Entra may keep the threads that answer pages.

Microsoft may be slow; the sign-in page must not be. What is refused here says so on its page, and is asked again.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sync.graph.errors import BudgetExceeded, Throttled

# Of the 16 threads of a web process (portal/deployment/gunicorn.py).
AT_ONCE = 4
SLOTS = threading.BoundedSemaphore(AT_ONCE)
WAIT_SECONDS = 1.0
# For all requests of one page; of a pasted list.
SECONDS, LONG_SECONDS = 8.0, 60.0
CONNECT_SECONDS, READ_SECONDS = 2.0, 4.0


class Patience:
    """The gate of a client: every request goes through it."""

    def __init__(
        self,
        seconds: float,
        *,
        slots: threading.BoundedSemaphore = SLOTS,
        wait: float = WAIT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seconds = seconds
        self.slots = slots
        self.wait = wait
        self.clock = clock
        self.until = clock() + seconds

    @contextmanager
    def __call__(self) -> Iterator[None]:
        if self.clock() >= self.until:
            raise BudgetExceeded(f"Entra took longer than the {self.seconds:.0f} s that a page waits.")
        if not self.slots.acquire(timeout=self.wait):
            raise Throttled("Too many look-ups in Entra at once.", retry_after=2.0)
        try:
            yield
        finally:
            self.slots.release()
