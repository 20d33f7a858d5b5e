"""The seed's story from the first code in the terminal to the people in AWS, in a real browser with every real part."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.world.browser import become_owner
from tests.world.mails import Mails, mail_server
from tests.world.prepared import NewState
from tests.world.programs import until
from tests.world.up import Up

pytestmark = [pytest.mark.browser, pytest.mark.process]


@pytest.fixture
def mails() -> Iterator[Mails]:
    with mail_server() as found:
        yield found


def test_the_seeds_story(tmp_path: Path, context: BrowserContext, mails: Mails, new_state: NewState) -> None:
    with Up(new_state(tmp_path / "var"), "--lab", SMTP_HOST="127.0.0.1", SMTP_PORT=str(mails.port)) as up:
        page = context.new_page()
        page.set_default_timeout(20_000)
        become_owner(page, up)
        make_tenant(page)
        connect_entra(page, up)
        connect_aws_with_a_wrong_token(page, up)
        connect_aws_with_the_right_one(page, up)
        assign_two_groups(page)
        ask_for_mail(page)
        turn_on(page)
        people_with_several_phones_do_not_arrive(page, up)
        fix_the_mappings(page)
        the_next_run_completes(page)
        aws_shows_exactly_the_assigned(page, up)
        until(lambda: mails.found)
        mail, *all_clears = mails.found
        assert all("Solved" in one["Subject"] for one in all_clears)
        assert mail["To"] == "ops@acme.example"
        assert "More than one value" in mail["Subject"]


def make_tenant(page: Page) -> None:
    page.get_by_label("Name", exact=True).fill("Acme")
    page.get_by_role("button", name="Add tenant").click()
    expect(page.get_by_role("heading", name="Set up Acme")).to_be_visible()


def connect_entra(page: Page, up: Up) -> None:
    facts = up.lab_facts
    page.get_by_role("link", name="Connect Microsoft Entra ID").click()
    page.get_by_label("Cloud").select_option("lab")
    page.get_by_label(re.compile("Directory")).fill(facts["directory_id"])
    page.get_by_label(re.compile("Application")).fill(facts["client_id"])
    page.locator("#id_secret").fill(facts["client_secret"])
    page.locator("#id_ends_on").fill("2027-11-01")
    page.get_by_role("button", name="Save and test").click()
    expect(page.get_by_text("passed, 1 warning").first).to_be_visible()
    expect(page.locator("#live[role=status]")).to_contain_text("passed, 1 warning")
    expect(page.locator("#live")).to_have_count(1)


def fill_aws(page: Page, up: Up, token: str) -> None:
    facts = up.lab_facts
    slug = page.url.split("/t/")[1].split("/")[0]
    page.goto(f"{up.url}/t/{slug}/connection/aws/")
    # Without the slash, and with the /Users that people copy along.
    page.locator("#id_endpoint").fill(f"https://{facts['host']}/{facts['tenant_id']}/scim/v2/Users")
    page.locator("#id_token").fill(token)
    page.get_by_role("button", name="Save and test").click()


def connect_aws_with_a_wrong_token(page: Page, up: Up) -> None:
    fill_aws(page, up, "x" * 402)
    expect(page.get_by_text("AWS did not accept the token").first).to_be_visible()
    expect(page.get_by_text("402 characters").first).to_be_visible()


def connect_aws_with_the_right_one(page: Page, up: Up) -> None:
    fill_aws(page, up, up.lab_facts["token"])
    expect(page.get_by_text("8 passed").first).to_be_visible()


def assign_two_groups(page: Page) -> None:
    page.get_by_role("link", name="Assignments").first.click()
    page.get_by_role("link", name="Assign groups or people").click()
    page.get_by_label("Search the directory").fill("AWS-")
    page.get_by_role("checkbox", name="AWS-Developers").check()
    expect(page.get_by_role("heading", name="Chosen (1)")).to_be_visible()
    page.get_by_role("checkbox", name="AWS-Admins").check()
    expect(page.get_by_role("heading", name="Chosen (2)")).to_be_visible()
    page.get_by_role("button", name="Assign 2").click()
    expect(page.get_by_role("heading", name="Groups (2)")).to_be_visible()


def ask_for_mail(page: Page) -> None:
    page.get_by_role("link", name="Notifications").first.click()
    page.locator("#add-channel").click()
    page.get_by_role("link", name="E-mail", exact=True).click()
    page.get_by_label("E-mail address").fill("ops@acme.example")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()


def turn_on(page: Page) -> None:
    """From a preview: turning on says yes to the people and groups that it lists."""
    page.get_by_role("link", name="Provisioning").first.click()
    page.get_by_role("link", name="Turn on").click()
    page.get_by_role("button", name="Preview first").click()
    confirm = page.get_by_role("button", name="Turn on and start the first sync")
    expect(confirm).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Create, people")).to_be_visible()
    confirm.click()
    expect(page.get_by_role("heading", name="Run 2")).to_be_visible()


def people_with_several_phones_do_not_arrive(page: Page, up: Up) -> None:
    """They are known to be refused before anything is sent: skipped, with the words that AWS would answer."""
    expect(page.locator("#run-head").get_by_text("Completed with errors")).to_be_visible(timeout=60_000)
    problems = page.locator("#problems")
    expect(problems.get_by_text("More than one value, AWS takes one")).to_be_visible()
    expect(problems.get_by_text("List attribute phoneNumbers exceeds allowed limit of 1")).to_be_visible()
    for kind in ("work", "mobile", "fax"):
        expect(problems.get_by_role("link", name=f'phoneNumbers[type eq "{kind}"].value')).to_be_visible()
    assert {len(person.get("phoneNumbers", [])) for person in created(up)} <= {0, 1}
    held = {user["userName"] for user in up.lab("GET", "aws/state")["users"]}
    assert 0 < len(held) < 30


def created(up: Up) -> list[dict[str, Any]]:
    """The people whom AWS was asked to create."""
    ledger = up.lab("GET", "aws/ledger")
    asked = [entry["request"] for entry in ledger if entry["method"] == "POST" and entry["path"].endswith("/Users")]
    assert asked
    return asked


def fix_the_mappings(page: Page) -> None:
    page.get_by_role("link", name="Mappings").first.click()
    for kind in ("mobile", "fax"):
        page.get_by_role("link", name=f"Edit phoneNumbers[{kind}]").click()
        page.get_by_role("link", name="Remove mapping").click()
        page.get_by_role("button", name="Remove", exact=True).click()
        # While its form is open the row has no such link either: the answer is there when the form is gone.
        expect(page.locator(".ls-mapping-form")).to_have_count(0)
        expect(page.get_by_role("link", name=f"Edit phoneNumbers[{kind}]")).to_have_count(0)
    page.get_by_role("link", name="Edit externalId").click()
    page.get_by_label("Source", exact=True).fill("objectId")
    page.get_by_role("button", name="Save mapping").click()
    expect(page.locator("tr", has_text="externalId").get_by_text("objectId")).to_be_visible()


def the_next_run_completes(page: Page) -> None:
    """externalId changes for everybody whom AWS holds: more than the limit, so the yes is to a preview that lists it."""
    page.get_by_role("link", name="Provisioning").first.click()
    page.get_by_role("button", name="Preview impact").click()
    page.get_by_role("checkbox", name=re.compile("unique values would change")).check(timeout=60_000)
    page.get_by_role("button", name="Publish version 2").click()
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_role("heading", name="Run 4")).to_be_visible()
    expect(page.locator("#run-head .ls-run-state").get_by_text("Completed", exact=True)).to_be_visible(timeout=60_000)


def aws_shows_exactly_the_assigned(page: Page, up: Up) -> None:
    groups = {group["displayName"]: group for group in up.lab("GET", "entra/state")["groups"]}
    people = {user["id"]: user["userPrincipalName"] for user in up.lab("GET", "entra/state")["users"]}
    state = up.lab("GET", "aws/state")
    names = {user["id"]: user["userName"] for user in state["users"]}
    expected = {}
    for name in ("AWS-Developers", "AWS-Admins"):
        members = groups[name]["members"]
        expected[name] = {people[member["id"]] for member in members if member["type"] == "user"}
    held = {group["displayName"]: {names[member] for member in group["members"]} for group in state["groups"]}
    assert held == expected
    assert set(names.values()) == expected["AWS-Developers"] | expected["AWS-Admins"]
    admin = sorted(expected["AWS-Admins"])[0]
    page.goto(f"{up.console}?q={admin}")
    held_by_aws = page.get_by_role("region", name="AWS IAM Identity Center (lab)")
    expect(held_by_aws.get_by_text(admin).first).to_be_visible()
