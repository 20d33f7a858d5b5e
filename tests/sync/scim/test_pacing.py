"""Pacing on a clock of our own: nobody waits for real."""

from concurrent.futures import ThreadPoolExecutor

from sync.scim.pacing import Pacer


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
