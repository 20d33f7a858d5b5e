"""Pacing on a clock of our own: nobody waits for real."""

import itertools
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from hypothesis import example, given
from hypothesis import strategies as st

from sync.scim.pacing import SLOWEST, Pacer
from tests.world.clockwork import Clockwork, most_in_a_second


class Time:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def pacer(rate: float) -> tuple[Pacer, Time]:
    time = Time()
    return Pacer(rate, clock=lambda: time.now, sleep=time.sleep), time


def test_requests_leave_evenly_below_the_rate() -> None:
    paced, time = pacer(18)
    for _ in range(19):
        paced.wait()
    assert round(time.now - 100.0, 6) == 1.0


def test_a_429_stops_everybody_and_halves_the_pace() -> None:
    paced, time = pacer(10)
    paced.wait()
    paced.slow_down(2.0)
    paced.wait()
    assert time.now >= 102.0
    before = time.now
    paced.wait()
    paced.wait()
    assert time.now - before > 0.15


def test_the_pace_comes_back() -> None:
    paced, time = pacer(10)
    paced.slow_down(0.0)
    time.now += 60
    paced.wait()
    before = time.now
    paced.wait()
    assert round(time.now - before, 6) == 0.1


def test_threads_share_one_pace() -> None:
    paced, _time = pacer(1000)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: paced.wait(), range(100)))
    assert round(paced.next_at - 100.0, 3) >= 0.1


def test_the_pace_after_many_429s_in_a_row_is_the_slowest_and_no_slower() -> None:
    paced, time = pacer(20)
    for _ in range(9):
        paced.wait()
        paced.slow_down(1.0)
    paced.wait()
    before = time.now
    paced.wait()
    assert 1 / 20 <= time.now - before <= 1 / (20 * SLOWEST)


@dataclass
class Answers:
    """An AWS that answers each request after a while, some with 429, and what was seen of the requests."""

    paced: Pacer
    time: Clockwork
    # Seconds until the answer, and its Retry-After in seconds, None for a good one.
    script: Iterator[tuple[float, float | None]]
    sent: list[float] = field(default_factory=list)
    # When a 429 was heard, and until when nobody may send because of it.
    quiet: list[tuple[float, float]] = field(default_factory=list)
    waits: list[tuple[float, float]] = field(default_factory=list)

    def requests(self, number: int) -> None:
        for _ in range(number):
            began = self.time.now
            self.paced.wait()
            self.waits.append((began, self.time.now))
            self.sent.append(self.time.now)
            latency, retry_after = next(self.script)
            self.time.sleep(latency)
            if retry_after is not None:
                self.quiet.append((self.time.now, self.time.now + retry_after))
                self.paced.slow_down(retry_after)


LATENCIES = st.floats(0.001, 8.0)
ANSWERS = st.lists(st.tuples(LATENCIES, st.none() | st.floats(0.0, 60.0)), min_size=1, max_size=40)


@given(ANSWERS, st.integers(1, 8), st.sampled_from([1.0, 10.0, 18.0, 19.0]))
@example([(0.02, 1.0)] * 4 + [(0.02, None)], 1, 18.0)
@example([(0.02, None)] * 20 + [(0.02, 1.0)] * 20, 8, 18.0)
@example([(0.02, 40.0)] + [(0.02, None)] * 39, 8, 18.0)
def test_whatever_aws_answers_nobody_sends_too_early_too_often_or_waits_too_long(
    script: list[tuple[float, float | None]], threads: int, rate: float
) -> None:
    time = Clockwork()
    paced = Pacer(rate, clock=time.clock, sleep=time.sleep)
    aws = Answers(paced, time, itertools.cycle(script))
    time.run(*[lambda: aws.requests(12)] * threads)
    assert len(aws.sent) == 12 * threads
    assert most_in_a_second(aws.sent) <= math.ceil(rate)
    for heard, until in aws.quiet:
        assert not [moment for moment in aws.sent if heard < moment < until - 1e-6]
    slowest = threads / (rate * SLOWEST)
    for began, ended in aws.waits:
        quiet_ends = max((until for heard, until in aws.quiet if heard <= ended), default=began)
        assert ended - max(began, quiet_ends) <= slowest + 1e-6


def test_whoever_was_refused_goes_behind_those_who_wait() -> None:
    """Else the same few requests would hear every 429 and run out of attempts."""
    time = Clockwork()
    paced = Pacer(1000, clock=time.clock, sleep=time.sleep)
    refused: list[int] = []

    def request(number: int) -> None:
        paced.wait()
        time.sleep(0.003)
        while len(refused) < 15:
            refused.append(number)
            paced.slow_down(0.05)
            paced.wait()
            time.sleep(0.003)

    time.run(*[partial(request, number) for number in range(10)])
    assert max(refused.count(number) for number in range(10)) <= 3
