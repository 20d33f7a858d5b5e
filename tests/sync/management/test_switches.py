"""turn_on, turn_off, stop_all, resume_all."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from sync.models import AuditEntry, AwsConnection, EntraConnection, Run, Tenant
from sync.runs.requests import request_run
from sync.tenants.services import create_tenant, turn_off_tenant
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, attempt

pytestmark = [pytest.mark.django_db, pytest.mark.company(3, groups=1, memberships=2)]


def said(name: str, *words: str) -> Any:
    out = io.StringIO()
    call_command(name, *words, "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def ready(wired: Tenant, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    """Tested and previewed."""
    for half in (EntraConnection, AwsConnection):
        half.objects.update(tested_at=timezone.now(), test_passed=True)
    monkeypatch.setattr("sync.queue.send", lambda _task, _key: None)
    attempt(wired, Run.Kind.PREVIEW, confirmed=False)
    return wired


def on() -> list[str]:
    return list(Tenant.objects.filter(enabled=True).values_list("slug", flat=True))


def test_turning_on_says_which_run_begins_and_what_it_was_asked_for_already(ready: Tenant) -> None:
    assert said("turn_on", "acme") == {"tenant": "acme", "enabled": True, "changed": True, "run": 2}
    assert on() == ["acme"]
    assert said("turn_on", "acme")["changed"] is False
    assert AuditEntry.objects.filter(verb="provisioning.turn_on", actor="command line").count() == 1


def test_what_keeps_a_tenant_from_being_on_is_said(tenant: Tenant) -> None:
    with pytest.raises(CommandError, match=r"the Entra half has not passed .*sync --preview") as refused:
        call_command("turn_on", "acme")
    assert refused.value.returncode == 1
    assert on() == []


def test_turning_off_stops_what_is_open(ready: Tenant) -> None:
    said("turn_on", "acme")
    assert said("turn_off", "acme")["changed"] is True
    assert (on(), Run.objects.get(number=2).state) == ([], Run.State.CANCELLED)
    assert said("turn_off", "acme")["changed"] is False


def test_all_stop_at_once_and_go_on_where_nobody_decided_otherwise(ready: Tenant) -> None:
    off = create_tenant(actor=ACTOR, name="Never on")
    said("turn_on", "acme")
    assert said("stop_all") == {"stopped": ["acme"], "paused_before": []}
    assert on() == []
    assert said("stop_all") == {"stopped": [], "paused_before": []}
    assert said("resume_all") == {"resumed": ["acme"], "refused": {}}
    assert (on(), said("resume_all")) == (["acme"], {"resumed": [], "refused": {}})
    off.refresh_from_db()
    assert not off.enabled


def test_whoever_turned_a_tenant_off_meanwhile_has_it_off(ready: Tenant) -> None:
    said("turn_on", "acme")
    said("stop_all")
    turn_off_tenant(tenant=Tenant.objects.get(), actor=ACTOR)
    assert said("resume_all") == {"resumed": [], "refused": {}}


def test_what_cannot_go_on_is_named_and_found(ready: Tenant) -> None:
    said("turn_on", "acme")
    said("stop_all")
    AwsConnection.objects.update(test_passed=False)
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("resume_all", "--json", stdout=out)
    assert ended.value.code == 3
    assert "the AWS half has not passed" in json.loads(out.getvalue())["refused"]["acme"]


def test_a_tenant_that_is_stopped_is_not_asked_for(ready: Tenant) -> None:
    said("turn_on", "acme")
    run = request_run(tenant=ready, kind=Run.Kind.CHANGES, trigger=Run.Trigger.SCHEDULE)
    said("stop_all")
    run.refresh_from_db()
    assert run.state == Run.State.CANCELLED
