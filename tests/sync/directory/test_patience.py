"""Look-ups for pages: a few at once, and none for longer than a page waits."""

import threading

import pytest

from sync.directory.patience import Patience
from sync.graph.errors import BudgetExceeded, Throttled


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_look_up_beyond_the_number_at_once_is_refused_and_says_when_to_try_again() -> None:
    slots = threading.BoundedSemaphore(2)
    first, second, third = (Patience(8, slots=slots, wait=0, clock=Clock()) for _ in range(3))
    with first(), second():
        with pytest.raises(Throttled) as refused, third():
            pass
        assert refused.value.retry_after
    with third():
        pass


def test_a_place_is_free_again_after_an_error() -> None:
    slots = threading.BoundedSemaphore(1)
    patience = Patience(8, slots=slots, wait=0, clock=Clock())
    with pytest.raises(ZeroDivisionError), patience():
        raise ZeroDivisionError
    with patience():
        pass


def test_after_its_time_a_page_asks_nothing_more() -> None:
    clock = Clock()
    patience = Patience(8, clock=clock)
    clock.now = 7.9
    with patience():
        pass
    clock.now = 8.0
    with pytest.raises(BudgetExceeded, match="8 s that a page waits"), patience():
        pass
