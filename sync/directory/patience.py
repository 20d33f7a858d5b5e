"""How long, and how many at once, look-ups in Entra and AWS may keep the threads that answer pages.

Microsoft and AWS may be slow; the sign-in page must not be. What is refused here says so on its page, and is asked again.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sync import context
from sync.graph.errors import BudgetExceeded, Throttled

# Of the 16 threads of a web process (portal/deployment/web_server.py). Strangers come back from Microsoft's sign-in page,
# too: they take no place of a look-up.
AT_ONCE = 4
SLOTS = threading.BoundedSemaphore(AT_ONCE)
SIGN_INS = threading.BoundedSemaphore(AT_ONCE)
WAIT_SECONDS = 1.0
# For all requests of one page; of a pasted list.
SECONDS, LONG_SECONDS = 8.0, 60.0
CONNECT_SECONDS, READ_SECONDS = 2.0, 4.0


class Patience:
    """The gate of a client: every request goes through it. `slots`: SLOTS, unless it is no look-up."""

    def __init__(
        self,
        seconds: float,
        *,
        slots: threading.BoundedSemaphore | None = None,
        wait: float = WAIT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seconds = seconds
        self.slots = slots or SLOTS
        self.wait = wait
        self.clock = clock
        self.until = clock() + seconds

    @contextmanager
    def __call__(self) -> Iterator[None]:
        if self.clock() >= self.until:
            raise BudgetExceeded(f"The answers took longer than the {self.seconds:.0f} s that a page waits.")
        if not self.slots.acquire(timeout=self.wait):
            raise Throttled("Too many people ask the same at once. Try again in a moment.", retry_after=2.0)
        try:
            yield
        finally:
            self.slots.release()


_OF_REQUEST: ContextVar[tuple[str, Patience] | None] = ContextVar("patience", default=None)


def of_page() -> Patience:
    """One for all clients of a request: a page that looks five people up waits no longer than one that looks up one."""
    request, known = context.current().get("request", ""), _OF_REQUEST.get()
    if known and known[0] == request:
        return known[1]
    patience = Patience(SECONDS)
    _OF_REQUEST.set((request, patience) if request else None)
    return patience
