"""Logs as pages: found by their address, read page by page, exported."""

import csv
import io

import pytest
from django.test import Client

from sync.models import AuditEntry, Tenant
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
