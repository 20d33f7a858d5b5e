"""Thousands of random programs end within their limits, each in a value or an error with a place."""

import pytest

from sync.expressions import fuzzing
from sync.expressions.limits import LIMITS
from tests.world.examples import share

pytestmark = pytest.mark.pure


def test_whatever_is_written_the_language_keeps_its_promises() -> None:
    programs = share(100)
    report = fuzzing.run(programs, seed=20261123)
    assert report.faults == []
    assert report.programs == programs
    assert report.most_steps <= LIMITS.steps
    assert report.slowest < 20
    assert all(report.outcomes[kind] > programs / 200 for kind in ("value", "unfit data", "refused", "ignored"))


def test_the_same_seed_gives_the_same_programs() -> None:
    assert fuzzing.run(300, seed=5).outcomes == fuzzing.run(300, seed=5).outcomes


def test_a_broken_promise_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_source: str) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(fuzzing, "parse", broken)
    report = fuzzing.run(3, seed=1)
    assert len(report.faults) == 3
    assert report.faults[0].startswith("RecursionError too deep: ")
