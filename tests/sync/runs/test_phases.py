"""The phases of a run on a clock of our own: they add up, and a phase inside another costs the database nothing."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from sync.models import Run, Tenant
from sync.runs.phases import PhaseLog


class Ticking:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def run(tenant: Tenant) -> Run:
    return Run.objects.create(tenant=tenant, number=1, kind="full", trigger="person", state="running")


def seconds(run: Run) -> dict[str, Any]:
    return {key: phase["seconds"] for key, phase in run.phases.items()}


def test_a_phase_inside_another_stops_that_ones_clock(run: Run) -> None:
    clock = Ticking()
    phases = PhaseLog(run, clock)
    with phases.during("plan"):
        clock.now += 2
        for _ in range(2):
            with phases.during("match"):
                clock.now += 3
        clock.now += 1
    assert seconds(run) == {"plan": 3, "match": 6}
    assert sum(seconds(run).values()) == clock.now


def test_what_fails_inside_stops_both(run: Run) -> None:
    phases = PhaseLog(run, Ticking())
    with pytest.raises(ZeroDivisionError), phases.during("plan"), phases.during("match"):
        raise ZeroDivisionError
    assert {phase["state"] for phase in run.phases.values()} == {"stopped"}


def test_a_phase_inside_another_is_not_stored_each_time(
    run: Run, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    phases = PhaseLog(run, Ticking())
    with django_assert_num_queries(1), phases.during("plan"):
        for _ in range(50):
            with phases.during("match"):
                pass


def test_how_a_phase_ended_is_stored_with_the_beginning_of_the_next(
    run: Run, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    phases = PhaseLog(run, Ticking())
    with django_assert_num_queries(2):
        with phases.during("plan"):
            pass
        phases.not_needed("people")
        with phases.during("groups"):
            pass
    stored = Run.objects.get(pk=run.pk).phases
    assert {key: phase["state"] for key, phase in stored.items()} == {
        "plan": "done",
        "people": "not_needed",
        "groups": "running",
    }


def test_a_phase_that_fails_is_stored_at_once(run: Run) -> None:
    with pytest.raises(ZeroDivisionError), PhaseLog(run, Ticking()).during("plan"):
        raise ZeroDivisionError
    assert Run.objects.get(pk=run.pk).phases["plan"]["state"] == "stopped"
