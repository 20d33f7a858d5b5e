import threading
from collections.abc import Iterator
from typing import cast

import pytest

from sync.engine.reading import ahead
from sync.engine.reading.ahead import answered, fetched
from sync.graph.errors import Unreachable
from sync.runs.lease import Cancelled, Watch


class FakeWatch:
    """Stops the run at the n-th look."""

    def __init__(self, looks: int = 10_000) -> None:
        self.looks = looks

    def safe_point(self) -> None:
        self.looks -= 1
        if self.looks < 0:
            raise Cancelled


def watch(looks: int = 10_000) -> Watch:
    return cast(Watch, FakeWatch(looks))


def test_items_arrive_in_order_and_all() -> None:
    assert list(fetched(watch(), range(50))) == list(range(50))
    assert list(fetched(watch(), [])) == []


def test_the_end_is_known_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One look per item and one for the end, although the source ends while somebody waits for more."""
    monkeypatch.setattr(ahead, "STEP_SECONDS", 5)
    ending = threading.Event()

    def source() -> Iterator[int]:
        yield 1
        ending.wait(5)

    seen = FakeWatch()
    items = fetched(cast(Watch, seen), source())
    assert next(items) == 1
    threading.Timer(0.05, ending.set).start()
    assert list(items) == []
    assert seen.looks == 10_000 - 2


def test_what_came_before_a_failure_arrives_before_it() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise Unreachable("gone")

    items = fetched(watch(), source())
    assert next(items) == 1
    with pytest.raises(Unreachable):
        next(items)


def test_a_run_that_is_to_stop_does_not_wait_for_an_answer() -> None:
    never = threading.Event()
    with pytest.raises(Cancelled):
        answered(watch(2), lambda: never.wait(30))
    never.set()


def test_no_more_than_a_few_items_wait() -> None:
    taken: list[int] = []

    def source() -> Iterator[int]:
        for n in range(100):
            taken.append(n)
            yield n

    items = fetched(watch(), source())
    next(items)
    items.close()  # type: ignore[attr-defined]
    assert len(taken) <= 5
