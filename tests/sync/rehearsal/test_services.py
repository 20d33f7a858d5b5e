"""Days that pass in no time: what waits for a day is due, what is not about days stays, and nobody does it for real."""

import datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from sync.models import AuditEntry, ConnectionTest, Half, HeldChange, Hold, Run, Tenant
from sync.rehearsal.services import CannotPass, let_days_pass
from tests.world.runs import new_run

pytestmark = pytest.mark.django_db

DAY = datetime.timedelta(days=1)


def test_moments_and_dates_move_back_and_what_is_empty_stays_so(tenant: Tenant) -> None:
    before, today = tenant.created_at, timezone.localdate()
    tenant.entra.credential_ends_on = today
    tenant.entra.save()
    let_days_pass(30)
    tenant.refresh_from_db()
    tenant.entra.refresh_from_db()
    assert before - tenant.created_at == 30 * DAY
    assert tenant.entra.credential_ends_on == today - 30 * DAY
    assert tenant.verified_at is None
    assert tenant.aws.token_created_on is None


def test_an_approval_of_four_hours_is_over_the_next_day(tenant: Tenant) -> None:
    hold = Hold.objects.create(tenant=tenant, kind="people", run=new_run(tenant, state=Run.State.COMPLETED))
    approved = HeldChange.objects.create(
        hold=hold, tenant=tenant, action="disable", object_type="user", object_id="a" * 36, decision="approved",
        decided_at=timezone.now(), expires_at=timezone.now() + datetime.timedelta(hours=4),
    )  # fmt: skip
    let_days_pass(1)
    approved.refresh_from_db()
    assert approved.expires_at
    assert approved.expires_at < timezone.now()


def test_the_audit_log_stays_as_it_was_written(tenant: Tenant) -> None:
    ConnectionTest.objects.create(tenant=tenant, half=Half.AWS, state="done")
    before = list(AuditEntry.objects.values_list("pk", "at"))
    assert before
    let_days_pass(1)
    assert list(AuditEntry.objects.values_list("pk", "at")) == before


def test_no_day_passes_while_a_run_is_under_way(tenant: Tenant) -> None:
    new_run(tenant, state=Run.State.RUNNING)
    with pytest.raises(CannotPass, match="under way"):
        let_days_pass(1)


@pytest.mark.parametrize("days", [0, -1, 401])
def test_only_some_days_pass_at_once(tenant: Tenant, days: int) -> None:
    with pytest.raises(CannotPass, match="Between 1 and 400"):
        let_days_pass(days)


@pytest.mark.parametrize("demo", [True, False])
def test_the_command_refuses_outside_the_demo_and_once_something_real_is_connected(
    tenant: Tenant, settings: Any, demo: bool
) -> None:
    settings.DEMO, settings.EXTRA_CLOUDS = demo, {"lab": {}}
    tenant.entra.cloud, tenant.entra.sealed_credential = "global" if demo else "lab", "sealed"
    tenant.entra.save()
    before = tenant.created_at
    with pytest.raises(CommandError, match="in the demo alone"):
        call_command("pass_time", 1)
    tenant.refresh_from_db()
    assert tenant.created_at == before


def test_the_command_lets_days_pass_in_the_demo(tenant: Tenant, settings: Any) -> None:
    settings.DEMO, settings.EXTRA_CLOUDS = True, {"lab": {}}
    before = tenant.created_at
    call_command("pass_time", 30)
    tenant.refresh_from_db()
    assert before - tenant.created_at == 30 * DAY
