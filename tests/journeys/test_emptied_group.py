"""Somebody empties a group of 24 by mistake: held by name, two kept, the rest approved, everything else written."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.world.browser import become_owner
from tests.world.prepared import NewState
from tests.world.up import Up

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.nightly]

PEOPLE = [
    {"target": "userName", "type": "direct", "source": "userPrincipalName", "match": 1},
    {"target": "externalId", "type": "direct", "source": "objectId"},
    {"target": "displayName", "type": "direct", "source": "displayName"},
    {"target": "name.givenName", "type": "direct", "source": "givenName", "default": "-"},
    {"target": "name.familyName", "type": "direct", "source": "surname", "default": "-"},
    {"target": "title", "type": "direct", "source": "jobTitle"},
    {"target": "active", "type": "expression", "source": 'Switch([IsSoftDeleted], , "False", "True", "True", "False")'},
]


def test_an_emptied_group_is_held_and_decided_by_name(
    tmp_path: Path, context: BrowserContext, new_state: NewState
) -> None:
    with Up(new_state(tmp_path / "var"), "--lab") as up:
        team = [up.lab("POST", "entra/hire", {"displayName": f"Team Member{n:02d}"}) for n in range(24)]
        platform = group(up, "Platform", team)
        desk = [up.lab("POST", "entra/hire", {"displayName": f"Desk Clerk{n}"}) for n in range(3)]
        page = context.new_page()
        page.set_default_timeout(20_000)
        become_owner(page, up)
        bring_tenant(up, platform, group(up, "Desk", desk))
        turn_on(page, up)
        before = members(up, "Platform")
        assert len(before) == 24

        up.lab("POST", f"entra/groups/{platform['id']}/members", {"remove": [one["id"] for one in team]})
        up.lab("PATCH", f"entra/users/{desk[0]['id']}", {"jobTitle": "Chief"})
        nobody_goes_and_the_rest_is_written(page, up, before, desk[0])

        kept = {one["userPrincipalName"] for one in team[:2]}
        decide(page, up, "removals", team, kept)
        ended(page, "Waiting for approval")
        decide(page, up, "members", team, kept)
        completed(page)
        aws_holds_exactly_the_kept(page, up, team, kept)


def group(up: Up, name: str, people: list[dict[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = up.lab(
        "POST", "entra/groups", {"displayName": name, "members": [one["id"] for one in people]}
    )
    return made


def bring_tenant(up: Up, *groups: dict[str, Any]) -> None:
    facts = up.lab_facts
    endpoint = f"https://{facts['host']}/{facts['tenant_id']}/scim/v2"
    document = {
        "name": "Acme",
        "entra": {
            "cloud": "lab",
            "directory_id": facts["directory_id"],
            "client_id": facts["client_id"],
            "secret": facts["client_secret"],
            "ends_on": "2027-11-01",
        },
        "aws": {"endpoint": endpoint, "token": facts["token"], "token_created_on": "2026-11-01"},
        "mappings": {"people": PEOPLE},
        "assignments": [{"type": "group", "id": one["id"], "name": one["displayName"]} for one in groups],
    }
    up.manage("tenant_import", "-", text=json.dumps(document))
    up.manage("test_connection", "acme")


def turn_on(page: Page, up: Up) -> None:
    page.goto(f"{up.url}/t/acme/provisioning/turn-on/")
    page.get_by_role("button", name="Preview first").click()
    page.get_by_role("button", name="Turn on and start the first sync").click(timeout=60_000)
    completed(page)


def completed(page: Page) -> None:
    ended(page, "Completed")


def ended(page: Page, state: str) -> None:
    """The run of this page, by itself."""
    expect(page.get_by_role("heading", name=re.compile(r"Run \d+"))).to_be_visible()
    expect(page.locator("#run-head .ls-run-state").get_by_text(state, exact=True)).to_be_visible(timeout=60_000)


def members(up: Up, name: str) -> set[str]:
    state = up.lab("GET", "aws/state")
    names = {user["id"]: user["userName"] for user in state["users"]}
    found = next(one for one in state["groups"] if one["displayName"] == name)
    return {names[member] for member in found["members"]}


def active(up: Up) -> set[str]:
    return {user["userName"] for user in up.lab("GET", "aws/state")["users"] if user["active"]}


def nobody_goes_and_the_rest_is_written(page: Page, up: Up, before: set[str], chief: dict[str, Any]) -> None:
    page.goto(f"{up.url}/t/acme/provisioning/")
    page.get_by_role("button", name="Sync now").click()
    ended(page, "Waiting for approval")
    assert members(up, "Platform") == before
    assert before <= active(up)
    users = up.lab("GET", "aws/state")["users"]
    assert next(one for one in users if one["userName"] == chief["userPrincipalName"])["title"] == "Chief"
    expect(page.locator("#run-head dt").get_by_text("Held", exact=True)).to_be_visible()


def decide(page: Page, up: Up, word: str, team: list[dict[str, Any]], kept: set[str]) -> None:
    page.goto(up.url + "/t/acme/approvals/")
    page.get_by_role("link", name=re.compile(f"^24 {word} are held")).click()
    for one in team:
        expect(page.get_by_text(one["userPrincipalName"], exact=True)).to_be_visible()
    for login in sorted(kept):
        page.locator("tr", has_text=login).get_by_role("button", name="Keep").click()
    expect(page.locator("dd[data-tally=lose]")).to_have_text("22")
    page.get_by_label("Why?").fill("Two on call stay")
    page.get_by_role("button", name="Remove 22").click()
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    expect(page.locator("dd[data-tally=stay]")).to_have_text("2")
    page.get_by_label("Type acme to confirm").fill("acme")
    page.get_by_role("button", name="Remove 22").click()


def aws_holds_exactly_the_kept(page: Page, up: Up, team: list[dict[str, Any]], kept: set[str]) -> None:
    logins = {one["userPrincipalName"] for one in team}
    assert members(up, "Platform") == kept
    assert active(up) & logins == kept
    page.goto(up.url + "/t/acme/approvals/")
    expect(page.get_by_role("link", name="See who was kept").first).to_be_visible()
    expect(page.locator(".ls-nav-count")).to_have_count(0)
