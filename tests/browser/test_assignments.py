"""Assigning in a real browser, by mouse and by keys: search, paste, nested groups, and who leaves with a group."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from portal.models import User
from sync.configuration import drafts, versions
from sync.models import Tenant
from tests.world.examples import nightly
from tests.world.kept import Kept
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, connect, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(60)]


@pytest.fixture
def wired(lab: Lab, tenant: Tenant) -> Tenant:
    connect(tenant, lab)
    return tenant


@pytest.fixture
def published(kept: Kept) -> Tenant:
    """AWS-Admins (6 people) and Project 30, which contains Project 31 and the other way round, are in AWS."""
    return kept(two_groups_in_aws).tenant


def two_groups_in_aws(tenant: Tenant, lab: Lab) -> None:
    assign(tenant, lab.entra_group("AWS-Admins"), lab.entra_group("Project 30"))
    sync(tenant)


def tab_to(page: Page, wanted: Locator) -> None:
    """Presses Tab until the element has the focus."""
    for _ in range(80):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never reaches {wanted}.")


def test_search_tick_search_again_and_assign(
    wired: Tenant, lab: Lab, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/assignments/")
    page.get_by_role("link", name="Assign groups or people").click()
    search = page.get_by_label("Search the directory")
    search.press_sequentially("aws-a")
    expect(page.locator(".ls-results-count")).to_contain_text("1 group")
    expect(search).to_be_focused()
    page.get_by_role("checkbox", name="AWS-Admins").check()
    expect(page.locator("#chosen")).to_contain_text("Chosen (1)")
    search.fill("sam")
    expect(page.get_by_role("checkbox", name="Sam Rowe").first).to_be_visible()
    expect(page.locator("#chosen")).to_contain_text("AWS-Admins")
    page.get_by_role("checkbox", name="Sam Rowe").first.check()
    expect(page.locator("#chosen")).to_contain_text("Chosen (2)")
    page.get_by_role("button", name="Assign 2").click()
    expect(page.get_by_role("heading", name="Groups (1)")).to_be_visible()
    expect(page.get_by_role("heading", name="People (1)")).to_be_visible()
    row = page.locator("tr", has_text="AWS-Admins")
    # Nothing is read yet: the direct members are counted in Entra, after the page.
    expect(row.locator("td.ls-number").first).to_have_text("6")


# Sets a style by script, as the policy allows, and takes it back: an empty attribute stays behind.
STYLED = """document.querySelectorAll("input").forEach(field => {
  field.style.setProperty("caret-color", "transparent");
  field.style.removeProperty("caret-color");
})"""


def test_a_tick_breaks_no_rule_of_the_policy_where_something_else_styled_the_fields(
    wired: Tenant, lab: Lab, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    """A password manager does, and whatever takes a picture without the caret. What is told in the console fails here."""
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/assignments/assign/")
    page.get_by_label("Search the directory").press_sequentially("aws-a")
    box = page.get_by_role("checkbox", name="AWS-Admins")
    expect(box).to_be_visible()
    page.evaluate(STYLED)
    box.check()
    expect(page.locator("#chosen")).to_contain_text("Chosen (1)")


def test_search_and_assign_by_keys_alone(
    wired: Tenant, lab: Lab, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/assignments/assign/")
    expect(page.get_by_label("Search the directory")).to_be_focused()
    page.keyboard.type("aws-")
    box = page.get_by_role("checkbox", name="AWS-Developers")
    expect(box).to_be_visible()
    tab_to(page, box)
    page.keyboard.press("Space")
    expect(page.locator("#chosen")).to_contain_text("Chosen (1)")
    # The tick redraws the results; focus stays on it.
    expect(box).to_be_focused()
    expect(box).to_be_checked()
    tab_to(page, page.get_by_role("button", name="Assign 1"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Groups (1)")).to_be_visible()


def test_a_pasted_list_is_checked_and_assigned(
    wired: Tenant, lab: Lab, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/assignments/paste/")
    page.get_by_label("One object ID").fill("twin-one@contoso.example\nAll-Hands\nnobody@contoso.example\nall-hands")
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#checked-title")).to_have_text("2 lines found, 1 unknown")
    expect(page.locator("#checked-title")).to_be_focused()
    expect(page.get_by_role("region", name="Unknown")).to_contain_text("nobody@contoso.example")
    tab_to(page, page.get_by_role("button", name="Assign 2"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 assigned: Sam Rowe, All-Hands.")).to_be_visible()


def test_nested_groups_are_included_and_counted_at_once(
    published: Tenant, lab: Lab, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/assignments/")
    row = page.locator("tr", has_text="Project 30")
    effective = row.locator("[data-label=Effective]")
    before = int(effective.inner_text())
    button = row.get_by_role("button", name="Include nested")
    tab_to(page, button)
    page.keyboard.press("Enter")
    expect(row).to_contain_text("changed: nested groups included")
    assert int(effective.inner_text()) > before
    expect(page.locator("#live")).to_have_text("Project 30 now includes nested groups.")
    expect(row.get_by_role("button", name="Direct only")).to_be_focused()
    row.get_by_role("link", name="Project 30", exact=True).click()
    expect(page.get_by_role("heading", name="Nested groups")).to_be_visible()
    expect(page.locator(".ls-tree")).to_contain_text("contained in itself")
    page.get_by_label("Name or user principal name").press_sequentially("zzz")
    expect(page.get_by_text("Nobody in this group matches “zzz”.")).to_be_visible()


@pytest.mark.parametrize("by_keys", [True, *nightly(False)], ids=["keys", "mouse"])
def test_removing_a_group_shows_who_leaves_and_is_undone(
    published: Tenant,
    lab: Lab,
    owner: User,
    open_page: Callable[[User | None], Page],
    live_server: Any,
    by_keys: bool,
) -> None:
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/assignments/")

    def press(wanted: Locator) -> None:
        if by_keys:
            tab_to(page, wanted)
            page.keyboard.press("Enter")
        else:
            wanted.click()

    row = page.locator("tr", has_text="AWS-Admins")
    press(row.get_by_role("link", name="Unassign"))
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text("6 people leave AWS")
    expect(dialog.get_by_role("listitem")).to_have_count(6)
    expect(dialog.get_by_role("link", name="Keep it assigned")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(row.get_by_role("link", name="Unassign")).to_be_focused()
    press(row.get_by_role("link", name="Unassign"))
    press(dialog.get_by_role("button", name="Unassign"))
    expect(row).to_contain_text("removed, not published")
    assert [one.key for one in drafts.changes(published)] == [f"assignment:group:{lab.entra_group('AWS-Admins')['id']}"]
    press(row.get_by_role("button", name="Undo"))
    expect(row).not_to_contain_text("removed, not published")
    assert drafts.changes(published) == []


def test_ticked_rows_leave_together(
    published: Tenant, lab: Lab, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/assignments/")
    page.get_by_role("checkbox", name="Tick AWS-Admins").check()
    page.get_by_role("checkbox", name="Tick Project 30").check()
    page.get_by_role("button", name="Unassign ticked").first.click()
    expect(page.get_by_role("heading", name="Unassign 2?")).to_be_visible()
    page.get_by_role("button", name="Unassign 2").click()
    expect(page.get_by_text("2 are no longer assigned: AWS-Admins, Project 30.")).to_be_visible()


def test_an_application_is_followed_by_name(
    published: Tenant, lab: Lab, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/assignments/")
    page.get_by_role("link", name="Follow an application").click()
    page.get_by_label("Name, or object ID").press_sequentially("aws")
    page.get_by_role("button", name="Follow AWS IAM Identity Center").click()
    expect(page.locator("#application")).to_contain_text("changed: another application is followed")
    versions.make_version(drafts.draft_or_current(published), actor=ACTOR)
    sync(published)
    page.reload()
    # AWS-Admins is assigned by hand: only AWS-Developers stands apart.
    expect(page.locator("#application-title")).to_have_text("From the enterprise application (1)")
    expect(page.locator("#application tbody tr")).to_contain_text("AWS-Developers")
    page.get_by_role("button", name="Stop following").click()
    expect(page.locator("#application")).to_contain_text("changed: no application is followed")
