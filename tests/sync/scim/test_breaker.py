"""An endpoint that keeps failing is left alone, and asked by one at a time."""

import pytest

from sync.scim.breaker import GIVES_UP_AFTER, LONGEST_PAUSE, OPENS_AFTER, Breaker

pytestmark = pytest.mark.pure


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def breaker(time: Time) -> Breaker:
    return Breaker(clock=lambda: time.now, sleep=time.sleep)


def opened(breaker: Breaker) -> Breaker:
    for _ in range(OPENS_AFTER):
        breaker.failed()
    return breaker


def test_it_opens_after_five_failures_in_a_row_only(breaker: Breaker) -> None:
    for _ in range(3):
        for _ in range(OPENS_AFTER - 1):
            breaker.failed()
        breaker.succeeded()
    assert not breaker.open
    assert opened(breaker).open


def test_while_open_one_probe_goes_out_and_the_others_wait(breaker: Breaker, time: Time) -> None:
    opened(breaker)
    assert breaker.wait(until=100)
    assert time.now == 1.0
    # The probe is out: the next one would have to wait beyond its budget.
    assert not breaker.wait(until=1.1)
    breaker.succeeded()
    assert breaker.wait(until=1.1)


def test_each_failed_probe_doubles_the_pause_up_to_the_longest(breaker: Breaker, time: Time) -> None:
    opened(breaker)
    pauses = []
    for _ in range(5):
        began = time.now
        assert breaker.wait(until=1000)
        pauses.append(time.now - began)
        breaker.failed()
    assert pauses == [1, 2, 4, 8, 16]
    assert breaker.pause == LONGEST_PAUSE


def test_after_a_minute_it_says_that_the_endpoint_is_down(breaker: Breaker, time: Time) -> None:
    opened(breaker)
    while breaker.wait(until=1000):
        breaker.failed()
    assert GIVES_UP_AFTER <= time.now <= GIVES_UP_AFTER + LONGEST_PAUSE
    assert breaker.given_up()


def test_a_success_closes_it_and_forgets_the_pauses(breaker: Breaker, time: Time) -> None:
    opened(breaker)
    assert breaker.wait(until=100)
    breaker.succeeded()
    began = time.now
    assert breaker.wait(until=100)
    assert (time.now - began, breaker.open) == (0, False)
    opened(breaker)
    assert breaker.pause == 1
