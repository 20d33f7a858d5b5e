"""Threads on a clock of their own: time moves only when all of them sleep, and only one of them is ever awake."""

import heapq
import itertools
import threading
from collections.abc import Callable, Sequence

PATIENCE = 30


class Clockwork:
    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, int]] = []
        self._order = itertools.count()
        self._awake = 0
        self._turn: tuple[float, int] | None = None
        self._changed = threading.Condition()

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._changed:
            mine = (self.now + seconds, next(self._order))
            heapq.heappush(self._sleepers, mine)
            self._rest()
            assert self._changed.wait_for(lambda: self._turn == mine, PATIENCE)

    def run(self, *threads: Callable[[], None]) -> None:
        """Runs them to their end; raises what the first of them raised."""
        errors: list[BaseException] = []
        self._awake = len(threads)
        workers = [threading.Thread(target=self._live, args=(one, errors), daemon=True) for one in threads]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(PATIENCE)
        if errors:
            raise errors[0]

    def _live(self, thread: Callable[[], None], errors: list[BaseException]) -> None:
        try:
            self.sleep(0)
            thread()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread of the test
            errors.append(error)
        finally:
            with self._changed:
                self._rest()

    def _rest(self) -> None:
        self._awake -= 1
        if self._awake == 0 and self._sleepers:
            self._turn = heapq.heappop(self._sleepers)
            self.now = self._turn[0]
            self._awake = 1
            self._changed.notify_all()


def most_in_a_second(moments: Sequence[float]) -> int:
    ordered = sorted(moments)
    return max(
        (sum(1 for later in ordered[n:] if later < begin + 1 - 1e-6) for n, begin in enumerate(ordered)), default=0
    )
