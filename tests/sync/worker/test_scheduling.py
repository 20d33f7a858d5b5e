"""Which tenants get a run when their time has come."""

import datetime
import itertools

import pytest
from django.utils import timezone

from sync.models import MissedStart, Run, Tenant
from sync.worker.execution import execute_run
from sync.worker.scheduling import dispatch
from tests.world.company import hire
from tests.world.lab import Lab
from tests.world.runs import new_run
from tests.world.tenant import assign, sync

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def test_due_tenants_get_one_run_and_the_next_time(ready: Tenant) -> None:
    Tenant.objects.update(enabled=True, next_run_at=timezone.now())
    dispatch()
    dispatch()
    assert Run.objects.count() == 1
    ready.refresh_from_db()
    assert ready.next_run_at is not None
    assert ready.next_run_at > timezone.now()


def test_an_interval_is_never_longer_than_it_says(ready: Tenant) -> None:
    """The next beat that finds the tenant due comes up to five seconds later."""
    Tenant.objects.update(enabled=True, interval=1, next_run_at=timezone.now())
    before = timezone.now()
    dispatch()
    ready.refresh_from_db()
    assert ready.next_run_at is not None
    longest = ready.next_run_at + datetime.timedelta(seconds=5) - before
    assert datetime.timedelta(seconds=55) < longest <= datetime.timedelta(seconds=61)


def test_tenants_that_were_due_at_once_drift_apart(ready: Tenant) -> None:
    now = timezone.now()
    starts = sorted(Tenant(pk=number, interval=15).start_after(now) for number in range(1, 21))
    between = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert min(between) > datetime.timedelta(seconds=1)
    assert starts[-1] - starts[0] < datetime.timedelta(seconds=45)
    assert starts[-1] <= now + datetime.timedelta(minutes=15)


def due(tenant: Tenant, **ago: float) -> datetime.datetime:
    """When it was to start."""
    at = timezone.now() - datetime.timedelta(**ago)
    Tenant.objects.filter(pk=tenant.pk).update(enabled=True, interval=15, next_run_at=at)
    return at


def test_a_start_in_time_is_not_noted(ready: Tenant) -> None:
    due(ready, minutes=14)
    dispatch()
    assert not MissedStart.objects.exists()


def test_a_start_that_nobody_was_there_for_is_noted_once_with_its_time(ready: Tenant) -> None:
    expected = due(ready, minutes=40)
    dispatch()
    dispatch()
    missed = MissedStart.objects.get()
    assert (missed.expected_at, missed.reason, missed.run) == (expected, "nobody", None)
    assert missed.until > expected + datetime.timedelta(minutes=39)


def test_a_start_behind_another_run_names_it(ready: Tenant) -> None:
    expected = due(ready, minutes=20)
    busy = new_run(ready, 7, kind="verify", state="running", started_at=expected)
    Run.objects.filter(pk=busy.pk).update(created_at=expected)
    dispatch()
    assert not MissedStart.objects.exists()
    Run.objects.filter(pk=busy.pk).update(state="completed", finished_at=timezone.now())
    dispatch()
    missed = MissedStart.objects.get()
    assert (missed.reason, missed.run) == ("busy", busy)


def test_a_run_that_no_worker_took_in_time_is_noted_when_one_does(
    wired: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.queue.send", lambda task, key: None)
    due(wired, seconds=1)
    dispatch()
    run = wired.runs.get()
    created = timezone.now() - datetime.timedelta(minutes=18)
    Run.objects.filter(pk=run.pk).update(created_at=created)
    execute_run(run.pk)
    missed = MissedStart.objects.get()
    assert (missed.expected_at, missed.reason) == (created, "nobody")


@pytest.mark.django_db(transaction=True)
def test_a_run_keeps_how_people_stood_when_it_ended_and_what_was_the_matter(wired: Tenant, lab: Lab) -> None:
    good, nameless = hire(lab, "Gus Good"), hire(lab, "Nora Name", surname="")
    assign(wired, good, nameless)
    run = sync(wired)
    assert (run.people_in_aws, run.people_ready, run.people_in_scope) == (1, 1, 2)
    assert run.problems == {"missing-family-name": 1}
