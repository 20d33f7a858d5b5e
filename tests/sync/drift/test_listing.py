"""What many threads read comes to one, whichever of them is quicker."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import pytest

from sync.drift.listing import gather

pytestmark = pytest.mark.pure

submit = ThreadPoolExecutor.submit


class Refused(Exception):
    pass


def submit_and_let_it_end(pool: ThreadPoolExecutor, *work: Any) -> Future[Any]:
    """As on a machine that takes the processor from whoever submits."""
    found = submit(pool, *work)
    wait([found], timeout=0.3)
    return found


def refused() -> Iterator[int]:
    yield 1
    raise Refused


def test_jobs_that_end_before_the_next_is_submitted_stop_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ThreadPoolExecutor, "submit", submit_and_let_it_end)
    found: list[list[int]] = []
    # More of them than the inbox has room for; without an end it would be this thread that hangs.
    reader = threading.Thread(target=lambda: found.append(list(gather([tuple] * 4, connections=1))), daemon=True)
    reader.start()
    reader.join(20)
    assert found == [[]]


def test_all_that_the_jobs_bring_comes() -> None:
    jobs = [lambda first=n: range(first, first + 50) for n in range(0, 1000, 50)]
    assert sorted(gather(jobs, connections=3)) == list(range(1000))


def test_what_a_job_raises_ends_the_reading() -> None:
    with pytest.raises(Refused):
        list(gather([refused, *[lambda: range(100)] * 20], connections=2))


def test_whoever_reads_may_leave_at_any_time() -> None:
    reading = gather([lambda: range(1000)] * 5, connections=2)
    assert next(reading) == 0
    reading.close()  # type: ignore[attr-defined]
    assert [one.name for one in threading.enumerate() if one.name.startswith("verify")] == []
