"""After a restore: previews only, until AWS was compared with what the database knows."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from sync.directory.live import Found
from sync.models import AwsConnection, Drift, EntraConnection, Run, Tenant
from sync.on_demand.services import CannotDemand, request_demand
from sync.tenants.services import CannotTurnOn, note_restored, turn_on_tenant
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, attempt, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(3, groups=1, memberships=2)]


@pytest.fixture
def restored(wired: Tenant, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    """In use, and put back to yesterday."""
    monkeypatch.setattr("sync.queue.send", lambda _task, _key: None)
    assign(wired, *lab.call("GET", "entra/state")["groups"])
    sync(wired)
    for half in (EntraConnection, AwsConnection):
        half.objects.update(tested_at=timezone.now(), test_passed=True)
    note_restored(actor=ACTOR, made_at="2026-11-28T02:00:00+00:00")
    wired.refresh_from_db()
    return wired


def verify(tenant: Tenant) -> Any:
    out = io.StringIO()
    call_command("verify", tenant.slug, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_nothing_writes_before_a_comparison(restored: Tenant) -> None:
    for kind in (Run.Kind.CHANGES, Run.Kind.FULL):
        run = attempt(restored, kind)
        assert (run.state, run.problem, run.scim_requests) == (Run.State.FAILED, "restored", {})
    with pytest.raises(CannotDemand, match="restored"):
        request_demand(tenant=restored, actor=ACTOR, objects=[Found("user", "x", "x", "", "")], dry_run=False)
    with pytest.raises(CannotTurnOn, match="restored"):
        turn_on_tenant(tenant=restored, actor=ACTOR)
    with pytest.raises(CommandError, match="verify"):
        call_command("turn_on", restored.slug)


def test_a_preview_may_be_made_at_once(restored: Tenant) -> None:
    assert attempt(restored, Run.Kind.PREVIEW, confirmed=False).state == Run.State.COMPLETED


def test_after_a_comparison_it_is_turned_on_and_all_is_as_before(restored: Tenant) -> None:
    assert verify(restored)["differences"] == []
    turn_on_tenant(tenant=restored, actor=ACTOR)
    restored.refresh_from_db()
    assert restored.enabled
    assert restored.restored_at is None
    Run.objects.filter(state=Run.State.QUEUED).update(state=Run.State.CANCELLED)
    assert attempt(restored).state == Run.State.COMPLETED


def test_the_comparison_names_who_came_after_the_backup_and_has_left_since(restored: Tenant, lab: Lab) -> None:
    ghost = {"userName": "ghost@acme.example", "name": {"givenName": "Ghost", "familyName": "Rider"}}
    lab.call("POST", "aws/users", ghost | {"displayName": "Ghost Rider", "externalId": "9" * 36})
    with pytest.raises(SystemExit) as ended:
        verify(restored)
    assert ended.value.code == 3
    assert [(one.kind, one.name) for one in Drift.objects.all()] == [("only_in_aws", "Ghost Rider")]


def test_a_comparison_from_before_does_not_count(restored: Tenant) -> None:
    verify(restored)
    Tenant.objects.update(restored_at=timezone.now())
    assert attempt(restored).problem == "restored"
