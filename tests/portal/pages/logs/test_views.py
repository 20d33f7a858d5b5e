"""Logs as pages: found by their address, read page by page, exported."""

import csv
import datetime
import io
import json
import shlex
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from portal.models import Role
from portal.pages.logs import forms
from sync.models import AuditEntry, AwsConnection, Configuration, Operation, Run, Tenant
from sync.tenants.services import create_tenant
from tests.world.people import person, sign_in
from tests.world.runs import new_run, operation

pytestmark = [pytest.mark.django_db, pytest.mark.both]


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
        ("version=3", {"Adele", "Bob"}),
        ("version=4", set()),
        ("field=name.familyName", {"Adele"}),
        ("field=title", set()),
        ("only=changes", {"Adele"}),
    ],
)
def test_logs_are_filtered_by_their_address(tenant: Tenant, jo: Client, query: str, names: set[str]) -> None:
    run = new_run(tenant, configuration=Configuration.objects.create(tenant=tenant, number=3))
    operation(tenant, run, changes={"name.familyName": {"before": "A", "after": "B"}})
    operation(
        tenant, run, display_name="Bob", action="create", result="failed", problem="already-exists", scim_id="aws-2"
    )
    found = {one.display_name for one in jo.get(f"/t/acme/logs/?{query}").context["operations"]}
    assert found == names


EVE = "eeeeeeee-1111-4111-8111-111111111111"


@pytest.fixture(params=["one by one", "too many to look for one by one"])
def several(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param != "one by one":
        monkeypatch.setattr(forms, "MANY", 0)


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("vance", ["Adele Vance"]),
        ("VANCE@acme", ["Adele Vance"]),
        ("eve", ["Eve Adams", "Eve Born"]),
        ("born", ["Eve Born"]),
        (EVE, ["Eve Adams", "Eve Born"]),
        ("aws-9", ["Eve Born"]),
        ("r-9", ["Eve Born"]),
        ("100%", []),
        ("nobody", []),
    ],
)
def test_a_text_finds_the_rows_that_have_it_in_a_name_and_an_id_those_of_its_object(
    tenant: Tenant, jo: Client, text: str, found: list[str]
) -> None:
    run = new_run(tenant)
    operation(tenant, run, display_name="Adele Vance", detail_name="adele.vance@acme.example")
    operation(tenant, run, display_name="Eve Born", object_id=EVE, scim_id="aws-9", request_id="r-9")
    operation(tenant, run, display_name="Eve Adams", object_id=EVE, scim_id="aws-10")
    other = create_tenant(actor="jo@acme.example", name="Other")
    operation(other, new_run(other, 1), display_name="Eve Vance Born", object_id=EVE)
    assert sorted(names(jo, f"?{urlencode({'q': text})}")) == found
    assert jo.get(f"/t/acme/logs/?{urlencode({'q': text})}").context["total"] == len(found)


def test_the_time_that_is_filtered_by_is_the_one_that_a_row_shows(tenant: Tenant, jo: Client) -> None:
    run, now = new_run(tenant), timezone.now()
    for name, hours in (("Lately", 0), ("Long ago", 3)):
        row = operation(tenant, run, display_name=name)
        times = {"created_at": now - datetime.timedelta(days=2), "finished_at": now - datetime.timedelta(hours=hours)}
        Operation.objects.filter(pk=row.pk).update(**times)
    assert names(jo, "?since=1") == ["Lately"]
    assert names(jo, "?since=24") == ["Lately", "Long ago"]


@pytest.mark.parametrize("digest", ["", "of a draft"])
def test_what_a_preview_found_was_neither_done_nor_left_undone(tenant: Tenant, jo: Client, digest: str) -> None:
    preview = new_run(tenant, kind="preview", configuration_digest=digest)
    operation(tenant, preview, result="skipped", problem="too-many-values")
    assert list(jo.get("/t/acme/logs/").context["operations"]) == []
    assert "Open in logs" not in jo.get("/t/acme/runs/1/").content.decode()


ADELE, GROUP = "aaaaaaaa-1111-4111-8111-111111111111", "bbbbbbbb-1111-4111-8111-111111111111"
NOON = datetime.datetime(2026, 11, 28, 12, tzinfo=datetime.UTC)


def at(tenant: Tenant, run: Run, second: int, name: str = "", **facts: Any) -> Operation:
    """One that finished so many seconds after noon."""
    row = operation(tenant, run, display_name=name or f"P{second}", **facts)
    Operation.objects.filter(pk=row.pk).update(finished_at=NOON + datetime.timedelta(seconds=second))
    row.refresh_from_db()
    return row


def names(jo: Client, query: str = "") -> list[str]:
    return [one.display_name for one in jo.get(f"/t/acme/logs/{query}").context["operations"]]


def test_the_newest_is_first_by_its_time_and_not_by_its_key(tenant: Tenant, jo: Client) -> None:
    run = new_run(tenant)
    for second in (31, 32, 30, 33):
        at(tenant, run, second)
    assert names(jo) == ["P33", "P32", "P31", "P30"]


def test_logs_page_by_time_and_key_both_ways(tenant: Tenant, jo: Client) -> None:
    """Many share a second; the key decides among them, and nobody is shown twice or left out."""
    run = new_run(tenant)
    rows = [at(tenant, run, n // 40, f"P{n}") for n in range(120)]
    shown = [f"P{n}" for n in range(119, -1, -1)]
    first = jo.get("/t/acme/logs/").context
    assert names(jo) == shown[:50]
    [(older, word)] = first["pager"].links
    assert word == "Older"
    second = jo.get(f"/t/acme/logs/{older}").context
    assert [one.display_name for one in second["operations"]] == shown[50:100]
    assert [word for _address, word in second["pager"].links] == ["Newer", "Older"]
    assert names(jo, second["pager"].links[0][0]) == shown[:50]
    last = jo.get(f"/t/acme/logs/{second['pager'].links[1][0]}").context
    assert [one.display_name for one in last["operations"]] == shown[100:]
    assert [word for _address, word in last["pager"].links] == ["Newer"]
    assert rows[0].display_name == "P0"


def test_each_day_stands_once_above_its_rows(tenant: Tenant, jo: Client) -> None:
    run = new_run(tenant)
    for second in (1, 2, 86400 + 1):
        at(tenant, run, second)
    page = jo.get("/t/acme/logs/").content.decode()
    assert page.count("Sat 28 Nov 2026") == 1
    assert page.count("Sun 29 Nov 2026") == 1
    assert page.index("Sun 29 Nov 2026") < page.index(">P86401<") < page.index("Sat 28 Nov 2026") < page.index(">P2<")
    assert ">12:00:02</time>" in page


def test_the_log_says_how_many_it_found_and_how_many_of_each_result(
    tenant: Tenant, jo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(tenant)
    for n in range(3):
        at(tenant, run, n)
    at(tenant, run, 4, result="failed", problem="rejected")
    context = jo.get("/t/acme/logs/").context
    assert (context["total"], context["more"]) == (4, False)
    assert [(str(one["word"]), one["n"]) for one in context["results"]] == [("Updated", 3), ("Failed", 1)]
    assert names(jo, context["results"][1]["url"]) == ["P4"]
    monkeypatch.setattr("portal.pages.logs.listing.PAGE", 2)
    monkeypatch.setattr("portal.pages.logs.listing.MOST", 3)
    page = jo.get("/t/acme/logs/").content.decode()
    assert "more than 3 results" in page
    assert "Failed 1" not in page


def test_an_entry_opens_beside_its_row_with_those_before_and_after_it(tenant: Tenant, jo: Client) -> None:
    run = new_run(tenant)
    rows = [at(tenant, run, n) for n in range(3)]
    answer = jo.get(f"/t/acme/logs/?kind=user&op={rows[1].pk}")
    beside = answer.context["beside"]
    assert beside.number == 2
    assert beside.previous == f"?kind=user&op={rows[2].pk}"
    assert beside.following == f"?kind=user&op={rows[0].pk}"
    assert beside.closed == "?kind=user"
    page = answer.content.decode()
    assert page.count('class="ls-selected" aria-current="true"') == 1
    assert 'id="panel-title" tabindex="-1"' in page


def test_the_entry_after_the_last_of_a_page_brings_its_own_page(tenant: Tenant, jo: Client) -> None:
    run = new_run(tenant)
    rows = [at(tenant, run, n) for n in range(60)]
    edge = jo.get(f"/t/acme/logs/?op={rows[10].pk}")
    following = edge.context["beside"].following
    assert following == f"?op={rows[9].pk}"
    shown = jo.get(f"/t/acme/logs/{following}").context
    assert shown["operations"][0] == rows[9]
    assert shown["beside"].number == 51
    assert shown["beside"].previous == f"?op={rows[10].pk}"
    assert [word for _address, word in shown["pager"].links] == ["Newer"]


def test_an_entry_on_a_page_of_its_own_goes_on_by_the_filters_of_the_log(tenant: Tenant, jo: Client) -> None:
    run = new_run(tenant)
    rows = [at(tenant, run, n, result="failed" if n % 2 else "updated") for n in range(5)]
    beside = jo.get(f"/t/acme/logs/{rows[1].pk}/?result=failed").context["beside"]
    assert beside.previous == f"/t/acme/logs/{rows[3].pk}/?result=failed"
    assert (beside.following, beside.closed) == ("", "/t/acme/logs/?result=failed")


def test_json_lines_hold_every_entry_whole(tenant: Tenant, jo: Client) -> None:
    run = new_run(tenant)
    at(tenant, run, 1, changes={"title": {"before": None, "after": "Chief"}}, request={"method": "PATCH"})
    at(tenant, run, 2, action="add_member", result="added", object_type="membership", changes={"members": ["x"]})
    answer = jo.get("/t/acme/logs/export/?format=jsonl")
    assert answer["Content-Disposition"].endswith('.jsonl"')
    newest, oldest = (json.loads(line) for line in b"".join(answer).decode().splitlines())
    assert newest["changes"] == {"members": ["x"]}
    assert oldest["changes"]["title"]["after"] == "Chief"
    assert oldest["request"] == {"method": "PATCH"}
    assert oldest["time"] == "2026-11-28T12:00:01Z"


def test_an_export_is_written_while_it_is_read(tenant: Tenant, jo: Client) -> None:
    at(tenant, new_run(tenant), 1)
    for query in ("", "?format=jsonl"):
        answer = jo.get(f"/t/acme/logs/export/{query}")
        assert answer.streaming
        b"".join(answer)


def test_a_request_is_offered_as_a_command_without_the_token(tenant: Tenant, jo: Client) -> None:
    AwsConnection.objects.filter(tenant=tenant).update(endpoint="https://scim.eu-central-1.amazonaws.com/x/scim/v2")
    body = {"userName": "o'neil", "name": {"givenName": "$(id)"}}
    row = operation(tenant, new_run(tenant), request={"method": "POST", "path": "Users", "body": body}, status=201)
    words = shlex.split(jo.get(f"/t/acme/logs/{row.pk}/").context["curl"])
    assert words[:4] == ["curl", "-X", "POST", "https://scim.eu-central-1.amazonaws.com/x/scim/v2/Users"]
    assert "Authorization: Bearer $TOKEN" in words
    assert json.loads(words[-1]) == body
    assert jo.get(f"/t/acme/logs/{operation(tenant, new_run(tenant, 2)).pk}/").context["curl"] == ""


def test_an_entry_leads_to_its_person_or_group_and_can_be_provisioned_again(tenant: Tenant, jo: Client) -> None:
    run = new_run(tenant)
    of_person = operation(tenant, run)
    of_group = operation(tenant, run, object_type="membership", object_id=GROUP, action="add_member")
    page = jo.get(f"/t/acme/logs/{of_person.pk}/").content.decode()
    assert f'href="/t/acme/people/{ADELE}/"' in page
    assert f'name="chosen" value="user:{ADELE}"' in page
    page = jo.get(f"/t/acme/logs/{of_group.pk}/").content.decode()
    assert f'name="chosen" value="group:{GROUP}"' in page
    viewer = Client()
    sign_in(viewer, person("vi@acme.example", Role.VIEWER))
    assert "Provision again" not in viewer.get(f"/t/acme/logs/{of_person.pk}/").content.decode()


def test_the_steps_say_the_result_by_a_mark_before_its_step(tenant: Tenant, jo: Client) -> None:
    row = operation(tenant, new_run(tenant), result="created", status=201)
    page = jo.get(f"/t/acme/logs/{row.pk}/").content.decode()
    steps = page[page.index('<ol class="ls-steps') :]
    assert '<span class="visually-hidden">Created</span></span><strong>Write</strong>' in steps


def test_a_step_without_fields_ends_with_its_action(tenant: Tenant, jo: Client) -> None:
    found = operation(tenant, new_run(tenant), action="create", changes={})
    assert ">Create</span>" in jo.get(f"/t/acme/logs/{found.pk}/").content.decode()


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
