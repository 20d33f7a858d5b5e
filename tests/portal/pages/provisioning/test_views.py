"""Provisioning as pages: what turning on waits for, what turning off stops, how often runs start."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from portal.models import User
from sync.approvals.queries import people_limit_now
from sync.configuration.current import configuration_of
from sync.models import AuditEntry, Operation, Run, Tenant
from tests.world.runs import new_run

pytestmark = pytest.mark.django_db


def test_turn_on_is_closed_until_both_halves_passed(tenant: Tenant, jo: Client) -> None:
    page = jo.get("/t/acme/provisioning/turn-on/").content.decode()
    assert "the AWS half has not passed a test since its last change" in page
    assert jo.post("/t/acme/provisioning/turn-on/").status_code == 409
    assert not Run.objects.exists()


def test_a_change_after_the_test_closes_it_again(ready: Tenant, jo: Client) -> None:
    ready.aws.changed_at = timezone.now()
    ready.aws.save()
    assert jo.post("/t/acme/provisioning/turn-on/").status_code == 409


def preview(tenant: Tenant, **facts: Any) -> Run:
    now = timezone.now()
    Tenant.objects.update(last_run_number=1)
    defaults = {"kind": "preview", "started_at": now, "finished_at": now, "planned": 1}
    run = new_run(tenant, **{**defaults, **facts})
    Operation.objects.create(tenant=tenant, run=run, object_type="user", object_id="a" * 36, action="create")
    return run


def test_turn_on_is_closed_until_there_is_a_fresh_preview(ready: Tenant, jo: Client) -> None:
    assert "Preview first" in jo.get("/t/acme/provisioning/turn-on/").content.decode()
    assert jo.post("/t/acme/provisioning/turn-on/").status_code == 409
    assert not Run.objects.exists()


@pytest.mark.usefixtures("transactional_db")
def test_a_preview_comes_back_to_turn_on_and_is_waited_for(
    ready: Tenant, jo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.queue.send", lambda _task, _key: None)
    answer = jo.post("/t/acme/provisioning/preview/", {"back": "turn_on"})
    assert answer["Location"] == "/t/acme/provisioning/turn-on/"
    assert Run.objects.get().kind == "preview"
    partial = jo.get("/t/acme/provisioning/turn-on/", headers={"HX-Request": "true"}).content
    assert b"every 2s" in partial
    assert b"<html" not in partial
    Run.objects.update(state="failed", problem="graph-down")
    assert "Entra did not answer" in jo.get("/t/acme/provisioning/turn-on/").content.decode()


def test_a_newer_preview_than_the_one_on_the_page_is_shown_first(ready: Tenant, jo: Client) -> None:
    preview(ready)
    answer = jo.post("/t/acme/provisioning/turn-on/", {"plan": "0"})
    assert answer["Location"] == "/t/acme/provisioning/turn-on/"
    ready.refresh_from_db()
    assert not ready.enabled


@pytest.mark.usefixtures("transactional_db")
def test_turning_on_confirms_the_preview_and_starts_the_first_run_at_once(
    ready: Tenant, jo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    monkeypatch.setattr("sync.queue.send", lambda _task, key: sent.append(key))
    plan = preview(ready)
    assert "Create, people" in jo.get("/t/acme/provisioning/turn-on/").content.decode()
    assert jo.post("/t/acme/provisioning/turn-on/", {"plan": plan.number})["Location"] == "/t/acme/runs/2/"
    assert configuration_of(ready).confirmed_run == plan
    run = Run.objects.get(number=2)
    assert (run.kind, run.trigger, sent) == ("full", "turned_on", [run.pk])
    ready.refresh_from_db()
    assert ready.enabled
    assert {entry.verb for entry in AuditEntry.objects.all()} >= {"provisioning.turn_on", "run.request"}


@pytest.mark.usefixtures("transactional_db")
def test_pressing_twice_makes_one_run(ready: Tenant, jo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.queue.send", lambda _task, _key: None)
    Tenant.objects.update(enabled=True)
    for _ in range(3):
        assert jo.post("/t/acme/provisioning/sync-now/")["Location"] == "/t/acme/runs/1/"
    assert Run.objects.count() == 1


def test_turning_off_stops_the_run_at_the_next_safe_point(ready: Tenant, jo: Client) -> None:
    Tenant.objects.update(enabled=True)
    run = new_run(ready, state="running")
    jo.post("/t/acme/provisioning/turn-off/")
    run.refresh_from_db()
    ready.refresh_from_db()
    assert (run.state, ready.enabled, ready.next_run_at) == ("cancelling", False, None)


def test_nothing_starts_while_provisioning_is_off(tenant: Tenant, jo: Client) -> None:
    jo.post("/t/acme/provisioning/sync-now/")
    assert not Run.objects.exists()


@pytest.mark.parametrize("minutes", [1, 5, 15, 30, 60, 240, 1440])
def test_the_interval_is_one_of_seven(tenant: Tenant, jo: Client, minutes: int) -> None:
    jo.post("/t/acme/provisioning/", {"interval": minutes})
    tenant.refresh_from_db()
    assert tenant.interval == minutes


@pytest.mark.parametrize("form", [{"interval": 7}, {"interval": "often"}])
def test_what_cannot_be_saved_is_said_and_nothing_changes(tenant: Tenant, jo: Client, form: dict[str, Any]) -> None:
    answer = jo.post("/t/acme/provisioning/", form)
    assert answer.status_code == 422
    assert "There is a problem" in answer.content.decode()
    tenant.refresh_from_db()
    assert tenant.interval == 15


def test_an_open_demand_does_not_hide_the_run_that_is_going(ready: Tenant, jo: Client) -> None:
    going = new_run(ready, 1, state="running")
    new_run(ready, 2, kind="demand", state="queued")
    assert jo.get("/t/acme/provisioning/").context["open_run"] == going


def test_whoever_may_not_change_the_safety_settings_is_told_so(
    ready: Tenant, viewer: User, client_of: Callable[[User], Client], jo: Client
) -> None:
    closed = 'id="safety-closed"'
    page = client_of(viewer).get("/t/acme/provisioning/").content.decode()
    assert closed in page
    assert '<fieldset class="ls-plain-set" disabled>' in page
    assert closed not in jo.get("/t/acme/provisioning/").content.decode()


def test_the_limits_say_how_many_may_go_now(every_standing: Tenant, jo: Client) -> None:
    limit = people_limit_now(every_standing)
    page = " ".join(jo.get("/t/acme/provisioning/").content.decode().split())
    assert (
        f"of {limit.holds} people, {limit.limit} may go within 7 days without an approval; {limit.gone} went." in page
    )
