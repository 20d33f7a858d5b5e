"""Asking for a run while another one is open: pressing twice makes one run, and nothing else is done than was asked."""

import datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from portal.models import User
from sync.connection import services
from sync.models import Configuration, Run, Tenant
from sync.runs.requests import RunInTheWay, request_run
from sync.tenants.services import turn_on_tenant
from sync.worker import execution
from sync.worker.scheduling import dispatch, plan_waits
from tests.world.company import hire, names
from tests.world.lab import Lab
from tests.world.people import sign_in
from tests.world.tenant import assign

pytestmark = pytest.mark.django_db(transaction=True)
FULL, CHANGES, PREVIEW, VERIFY = Run.Kind.FULL, Run.Kind.CHANGES, Run.Kind.PREVIEW, Run.Kind.VERIFY


def ask(tenant: Tenant, kind: str, **facts: Any) -> Run:
    return request_run(tenant=tenant, kind=kind, trigger=Run.Trigger.COMMAND, enqueue=False, **facts)


@pytest.mark.parametrize(("first", "second"), [(FULL, FULL), (PREVIEW, PREVIEW), (FULL, CHANGES)])
def test_pressing_twice_makes_one_run(tenant: Tenant, first: str, second: str) -> None:
    assert ask(tenant, first) == ask(tenant, second)


@pytest.mark.parametrize(
    ("first", "second"), [(FULL, PREVIEW), (CHANGES, PREVIEW), (CHANGES, FULL), (VERIFY, CHANGES), (PREVIEW, FULL)]
)
def test_another_kind_of_run_is_never_taken_for_the_one_asked_for(tenant: Tenant, first: str, second: str) -> None:
    ask(tenant, first)
    with pytest.raises(RunInTheWay):
        ask(tenant, second)
    assert tenant.runs.count() == 1


def test_a_run_that_is_being_cancelled_does_not_stand_for_another(tenant: Tenant) -> None:
    """Whoever turns provisioning off and on again wants a sync."""
    Run.objects.filter(pk=ask(tenant, FULL).pk).update(state=Run.State.CANCELLING)
    with pytest.raises(RunInTheWay):
        ask(tenant, FULL)


def test_a_run_that_nobody_confirmed_does_not_stand_for_a_confirmed_one(tenant: Tenant) -> None:
    ask(tenant, CHANGES)
    with pytest.raises(RunInTheWay):
        ask(tenant, CHANGES, confirmed=True)


@pytest.mark.parametrize("options", [{"preview": True}, {"full": True}, {"confirm": True}])
@pytest.mark.parametrize("state", [Run.State.QUEUED, Run.State.RUNNING], ids=["queued", "interrupted"])
def test_the_command_writes_nothing_while_another_run_is_open(
    wired: Tenant, lab: Lab, state: str, options: dict[str, bool]
) -> None:
    """Nobody holds the lease: whoever takes the run up carries it out."""
    assign(wired, hire(lab, "Not Yet"))
    first = ask(wired, CHANGES)
    Run.objects.filter(pk=first.pk).update(state=state)
    with pytest.raises(CommandError) as busy:
        call_command("sync", wired.slug, **options)
    assert (busy.value.returncode, names(lab)) == (4, set())
    first.refresh_from_db()
    assert first.state == state


def test_a_comparison_is_refused_while_another_run_is_queued(tenant: Tenant) -> None:
    ask(tenant, PREVIEW)
    with pytest.raises(CommandError) as busy:
        call_command("verify", tenant.slug)
    assert busy.value.returncode == 4


def test_a_page_shows_the_open_run_and_says_that_it_is_another(tenant: Tenant, owner: User, client: Client) -> None:
    sign_in(client, owner)
    Tenant.objects.filter(pk=tenant.pk).update(enabled=True)
    queued = ask(tenant, PREVIEW)
    answer = client.post(f"/t/{tenant.slug}/provisioning/sync-now/", {"kind": "full"}, follow=True)
    assert answer.redirect_chain[-1][0] == f"/t/{tenant.slug}/runs/{queued.number}/"
    assert f"Nothing was started: run {queued.number} (Preview) is still open." in answer.content.decode()
    assert tenant.runs.count() == 1


def test_a_sync_that_is_due_waits_for_a_preview_and_stays_due(tenant: Tenant) -> None:
    due = timezone.now() - datetime.timedelta(minutes=1)
    Tenant.objects.filter(pk=tenant.pk).update(enabled=True, next_run_at=due)
    queued = ask(tenant, PREVIEW)
    dispatch()
    tenant.refresh_from_db()
    assert (tenant.next_run_at, tenant.runs.count()) == (due, 1)
    Run.objects.filter(pk=queued.pk).update(state=Run.State.COMPLETED)
    dispatch()
    tenant.refresh_from_db()
    assert tenant.next_run_at is not None
    assert (tenant.next_run_at > timezone.now(), tenant.runs.latest("number").kind) == (True, CHANGES)


def waiting_plan(tenant: Tenant, age: datetime.timedelta) -> datetime.datetime:
    """A plan that waits for its confirmation since then, and the time at which the tenant became due again."""
    now = timezone.now()
    Configuration.objects.filter(tenant=tenant).update(changed_at=now - datetime.timedelta(days=9))
    Run.objects.filter(pk=ask(tenant, CHANGES).pk).update(
        state=Run.State.WAITING, problem=Run.NOT_CONFIRMED, started_at=now - age
    )
    due = now - datetime.timedelta(minutes=1)
    Tenant.objects.filter(pk=tenant.pk).update(enabled=True, next_run_at=due)
    return due


def test_whether_a_plan_waits_is_asked_without_a_trace(tenant: Tenant) -> None:
    due = waiting_plan(tenant, datetime.timedelta(hours=23))
    assert plan_waits(tenant)
    tenant.refresh_from_db()
    assert tenant.next_run_at == due


def test_a_plan_that_waits_is_not_made_anew_at_every_interval(tenant: Tenant) -> None:
    waiting_plan(tenant, datetime.timedelta(hours=23))
    dispatch()
    tenant.refresh_from_db()
    assert tenant.next_run_at is not None
    assert (tenant.next_run_at > timezone.now(), tenant.runs.count()) == (True, 1)


def test_a_plan_that_nobody_confirmed_is_made_anew_after_a_day(tenant: Tenant) -> None:
    waiting_plan(tenant, datetime.timedelta(hours=25))
    dispatch()
    assert (tenant.runs.count(), tenant.runs.latest("number").state) == (2, Run.State.QUEUED)


def test_turning_on_during_a_preview_makes_the_first_run_due(wired: Tenant, lab: Lab) -> None:
    assign(wired, hire(lab, "Soon There"))
    for half in ("entra", "aws"):
        services.run_test(services.new_test(tenant=wired, actor="jo", half=half).pk)
    first = ask(wired, PREVIEW)
    execution.execute_run(first.pk)
    again = ask(wired, PREVIEW)
    wired.refresh_from_db()
    assert turn_on_tenant(tenant=wired, actor="jo") == again
    wired.refresh_from_db()
    assert wired.next_run_at is not None
    assert (wired.enabled, wired.next_run_at <= timezone.now()) == (True, True)
