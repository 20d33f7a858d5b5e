"""Provisioning, runs and logs as pages: what they say, what they do, what they keep shut."""

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from portal.frame.csv_export import safe_cell
from sync.approvals import queries, services
from sync.configuration.current import configuration_of
from sync.models import AuditEntry, Operation, Run, Tenant
from sync.worker.scheduling import dispatch

pytestmark = [pytest.mark.django_db, pytest.mark.both]


@pytest.fixture
def ready(tenant: Tenant) -> Tenant:
    """Both halves passed a test since their last change."""
    for half in (tenant.entra, tenant.aws):
        half.changed_at = half.tested_at = timezone.now()
        half.test_passed = True
        half.save()
    return tenant


def operation(tenant: Tenant, run: Run, **facts: Any) -> Operation:
    defaults = {
        "object_type": "user",
        "object_id": "a" * 36,
        "display_name": "Adele",
        "action": "update",
        "result": "updated",
    }
    return Operation.objects.create(tenant=tenant, run=run, finished_at=timezone.now(), **{**defaults, **facts})


def new_run(tenant: Tenant, number: int = 1, **facts: Any) -> Run:
    return Run.objects.create(
        tenant=tenant, number=number, **{"kind": "full", "trigger": "person", "state": "completed", **facts}
    )


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
    jo.post("/t/acme/provisioning/", {"interval": minutes, "notification_email": ""})
    tenant.refresh_from_db()
    assert tenant.interval == minutes


@pytest.mark.parametrize(
    "form",
    [{"interval": 7}, {"interval": 15, "notification_email": "nobody"}, {"interval": 15, "notify_on_failure": "on"}],
)
def test_what_cannot_be_saved_is_said_and_nothing_changes(tenant: Tenant, jo: Client, form: dict[str, Any]) -> None:
    answer = jo.post("/t/acme/provisioning/", form)
    assert answer.status_code == 422
    assert "There is a problem" in answer.content.decode()
    tenant.refresh_from_db()
    assert (tenant.interval, tenant.notification_email) == (15, "")


def test_due_tenants_get_one_run_and_the_next_time(ready: Tenant) -> None:
    Tenant.objects.update(enabled=True, next_run_at=timezone.now())
    dispatch()
    dispatch()
    assert Run.objects.count() == 1
    ready.refresh_from_db()
    assert ready.next_run_at is not None
    assert ready.next_run_at > timezone.now()


def test_an_unchanged_run_answers_its_poll_with_204(tenant: Tenant, jo: Client) -> None:
    run = new_run(tenant, state="running", sequence=7)
    assert jo.get("/t/acme/runs/1/?seen=7", headers={"HX-Request": "true"}).status_code == 204
    newer = jo.get("/t/acme/runs/1/?seen=6", headers={"HX-Request": "true"})
    assert b"<html" not in newer.content
    assert b"every 2s" in newer.content
    Run.objects.filter(pk=run.pk).update(state="completed")
    assert b"every 2s" not in jo.get("/t/acme/runs/1/?seen=7", headers={"HX-Request": "true"}).content


def test_problems_are_grouped_and_name_the_mapping_rows(tenant: Tenant, jo: Client) -> None:
    run = new_run(tenant, state="completed_with_errors")
    for n in range(3):
        facts = {
            "result": "failed",
            "problem": "too-many-values",
            "attribute": "phoneNumbers",
            "error": "List attribute …",
        }
        operation(tenant, run, object_id=f"{n}" * 36, display_name=f"Person {n}", **facts)
    page = jo.get("/t/acme/runs/1/").content.decode()
    assert "More than one value, AWS takes one" in page
    assert "3 affected" in page
    assert page.count("phoneNumbers[type eq &quot;") == 3


def test_a_failed_run_says_what_happened_why_and_what_to_do(tenant: Tenant, jo: Client) -> None:
    new_run(tenant, state="failed", problem="token-refused")
    page = jo.get("/t/acme/runs/1/").content.decode()
    assert "AWS refused the access token" in page
    assert "Create a new token in AWS" in page


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=ade", {"Adele"}),
        ("q=aws-2", {"Bob"}),
        ("result=failed", {"Bob"}),
        ("action=update&kind=user", {"Adele"}),
        ("reason=already-exists", {"Bob"}),
        ("run=99", set()),
        ("run=x", {"Adele", "Bob"}),
    ],
)
def test_logs_are_filtered_by_their_address(tenant: Tenant, jo: Client, query: str, names: set[str]) -> None:
    run = new_run(tenant)
    operation(tenant, run)
    operation(
        tenant, run, display_name="Bob", action="create", result="failed", problem="already-exists", scim_id="aws-2"
    )
    found = {one.display_name for one in jo.get(f"/t/acme/logs/?{query}").context["operations"]}
    assert found == names


def test_logs_page_by_key_both_ways(tenant: Tenant, jo: Client) -> None:
    run = new_run(tenant)
    rows = [operation(tenant, run, display_name=f"P{n}") for n in range(120)]
    first = jo.get("/t/acme/logs/").context
    assert [one.pk for one in first["operations"]] == [row.pk for row in rows[:-51:-1]]
    [(older, word)] = first["pager"].links
    assert word == "Older"
    second = jo.get(f"/t/acme/logs/{older}").context
    assert second["operations"][0].pk == rows[69].pk
    assert [word for _address, word in second["pager"].links] == ["Newer", "Older"]
    back = jo.get(f"/t/acme/logs/{second['pager'].links[0][0]}").context
    assert [one.pk for one in back["operations"]] == [one.pk for one in first["operations"]]


def test_csv_has_a_row_per_field_and_no_formulas(tenant: Tenant, jo: Client) -> None:
    changes = {
        "title": {"before": None, "after": "=HYPERLINK(1)", "mapping": "jobTitle"},
        "locale": {"before": "a", "after": "b", "mapping": ""},
    }
    operation(tenant, new_run(tenant), display_name="@evil", changes=changes)
    text = b"".join(jo.get("/t/acme/logs/export/?q=evil")).decode()
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text[1:])))
    assert [(row["field"], row["after"]) for row in rows] == [("title", "'=HYPERLINK(1)"), ("locale", "b")]
    assert rows[0]["name"] == "'@evil"
    assert rows[0]["time"].endswith("Z")
    assert AuditEntry.objects.filter(verb="logs.export").exists()


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", "\tx", "\rx"])
def test_a_cell_that_a_spreadsheet_would_run_is_quoted(cell: str) -> None:
    assert safe_cell(cell) == f"'{cell}"


def test_a_log_entry_shows_changes_and_marks_what_cannot_be_seen(tenant: Tenant, jo: Client) -> None:
    changes = {"displayName": {"before": "Zoe", "after": "Zo\u200be", "mapping": "displayName"}}
    row = operation(tenant, new_run(tenant), changes=changes)
    page = jo.get(f"/t/acme/logs/{row.pk}/").content.decode()
    assert "U+200B" in page
    assert "<del>Zoe</del>" in page


def test_another_tenants_entry_is_not_found(tenant: Tenant, jo: Client) -> None:
    other = Tenant.objects.create(name="Other", slug="other")
    row = operation(other, new_run(other))
    assert jo.get(f"/t/acme/logs/{row.pk}/").status_code == 404
    assert jo.get(f"/t/acme/logs/?op={row.pk}").status_code == 404


@pytest.mark.parametrize("kind", ["demand", "verify"])
def test_the_last_run_is_one_over_the_whole_directory(ready: Tenant, jo: Client, kind: str) -> None:
    """What was asked on demand and comparisons have pages of their own."""
    Tenant.objects.update(enabled=True, enabled_changed_at=timezone.now())
    whole = new_run(ready, 1, started_at=timezone.now())
    new_run(ready, 2, kind=kind, started_at=timezone.now())
    assert jo.get("/t/acme/provisioning/").context["last_run"] == whole
    assert jo.get("/t/?stay=1").context["rows"][0]["last_run"] == whole
    overview = jo.get("/t/acme/").context
    assert overview["last_run"] == whole
    assert overview["strip"] == [whole]


def test_an_open_demand_does_not_hide_the_run_that_is_going(ready: Tenant, jo: Client) -> None:
    going = new_run(ready, 1, state="running")
    new_run(ready, 2, kind="demand", state="queued")
    assert jo.get("/t/acme/provisioning/").context["open_run"] == going


@pytest.mark.parametrize("kind", ["demand", "verify"])
def test_a_plan_goes_on_waiting_while_other_kinds_of_runs_come(ready: Tenant, kind: str) -> None:
    now = timezone.now()
    waiting = new_run(ready, 1, state="waiting_for_approval", started_at=now, finished_at=now)
    new_run(ready, 2, kind=kind, started_at=now, finished_at=now)
    assert queries.waiting_plan(ready) == waiting
    Tenant.objects.update(enabled=True, next_run_at=now)
    dispatch()
    assert Run.objects.count() == 2


@pytest.mark.parametrize("kind", ["demand", "verify"])
def test_a_reading_that_shrank_goes_on_waiting_too(ready: Tenant, kind: str) -> None:
    now = timezone.now()
    shrunken = new_run(ready, 1, suspect=queries.SHRUNK[0], started_at=now, finished_at=now)
    new_run(ready, 2, kind=kind, started_at=now, finished_at=now)
    assert queries.shrunken(ready) == shrunken


def test_the_menu_counts_what_waits_once_a_page(ready: Tenant, jo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[Tenant] = []
    monkeypatch.setattr(services, "waiting_decisions", lambda tenant: counted.append(tenant) or 7)
    page = jo.get("/t/acme/provisioning/").content.decode()
    assert counted == [ready]
    assert page.count('href="/t/acme/approvals/"') == 2
