"""Asking the network in a thread of its own, so that a run works on one answer while the next one is on its way.

The run's own thread waits in short steps: it hears that it is to stop although the other side hangs.
"""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from sync.graph.errors import GraphError
from sync.runs.lease import Cancelled, LeaseLost, Watch

T = TypeVar("T")
AHEAD = 2
STEP_SECONDS = 0.25
# What may end a fetch; the run's own thread raises it again.
ENDINGS = (GraphError, Cancelled, LeaseLost)


class End:
    """Comes after the last answer, so that nobody waits for the next one."""


class _Fetcher(threading.Thread, Generic[T]):
    """Never touches the database. Whoever reads may leave at any time: an answer that comes later is dropped."""

    def __init__(self, source: Iterable[T]) -> None:
        super().__init__(daemon=True, name="fetch")
        self.source = source
        self.answers: queue.Queue[T | End] = queue.Queue(AHEAD)
        self.error: Exception | None = None
        self.left = threading.Event()

    def run(self) -> None:
        try:
            for answer in self.source:
                if not self._hand_over(answer):
                    return
        except ENDINGS as error:
            self.error = error
        self._hand_over(End())

    def _hand_over(self, answer: T | End) -> bool:
        while not self.left.is_set():
            try:
                self.answers.put(answer, timeout=STEP_SECONDS)
            except queue.Full:
                continue
            return True
        return False

    def next(self, watch: Watch) -> T | End:
        while True:
            watch.safe_point()
            ended = not self.is_alive()
            try:
                return self.answers.get(block=not ended, timeout=STEP_SECONDS)
            except queue.Empty:
                if ended:
                    raise RuntimeError("The thread that fetches has died.") from None


def fetched(watch: Watch, source: Iterable[T]) -> Iterator[T]:
    """The items of `source`, up to two of them ahead. Raises what `source` raises, Cancelled and LeaseLost."""
    fetcher = _Fetcher(source)
    fetcher.start()
    try:
        while not isinstance(answer := fetcher.next(watch), End):
            yield answer
        if fetcher.error is not None:
            raise fetcher.error
    finally:
        fetcher.left.set()


def answered(watch: Watch, ask: Callable[[], T]) -> T:
    """One answer."""
    return next(fetched(watch, (ask() for _once in range(1))))
