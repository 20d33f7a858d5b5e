"""Scope filters in a real browser: by mouse, by keyboard, with live counts and one person tested clause by clause."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from portal.models import User
from sync.configuration import assignments, versions
from sync.configuration.drafts import draft_or_current
from sync.configuration.filters import save_filter
from sync.directory.live import Found
from sync.models import DirectoryMembership, DirectoryUser, Tenant
from sync.rules.entra_attributes import ALWAYS_SELECTED
from tests.world.browser import axe, axe_in_both_schemes, sideways
from tests.world.examples import nightly

pytestmark = pytest.mark.django_db(transaction=True)
ACTOR = "jo@acme.example"
GROUP = "99999999-1111-4111-8111-111111111111"
# Department, how many, sign-in allowed.
COMPANY = [("Engineering", 12, True), ("Sales", 5, True), ("Engineering", 2, False), ("", 3, True)]


@pytest.fixture
def company(tenant: Tenant) -> Tenant:
    """22 people in one assigned group, as a round has read them, and a published version without filters."""
    select = [*ALWAYS_SELECTED["user"], "department", "|", *ALWAYS_SELECTED["group"], "|", "graph", "directory", "app"]
    Tenant.objects.filter(pk=tenant.pk).update(tracked_select=select)
    number = 0
    for department, count, enabled in COMPANY:
        for _one in range(count):
            number += 1
            mirrored(tenant, number, department, enabled)
    assignments.assign_objects(
        actor=ACTOR, tenant=tenant, chosen=[Found("group", GROUP, "AWS-Everyone", "", "security")]
    )
    tenant.refresh_from_db()
    from sync.models import DirectoryGroup

    DirectoryGroup.objects.create(tenant=tenant, object_id=GROUP, display_name="AWS-Everyone")
    versions.make_version(draft_or_current(tenant), actor=ACTOR)
    return tenant


def mirrored(tenant: Tenant, number: int, department: str, enabled: bool) -> None:
    object_id = f"{number:08d}-0000-4000-8000-000000000000"
    properties = {
        "id": object_id,
        "displayName": f"Person {number:02d}",
        "userPrincipalName": f"person{number:02d}@acme.example",
        "accountEnabled": enabled,
        "userType": "Member",
        **({"department": department} if department else {}),
    }
    DirectoryUser.objects.create(
        tenant=tenant,
        object_id=object_id,
        display_name=properties["displayName"],
        user_principal_name=properties["userPrincipalName"],
        properties=properties,
    )
    DirectoryMembership.objects.create(tenant=tenant, group_id=GROUP, member_id=object_id)


def engineers(tenant: Tenant) -> None:
    """A filter in the draft."""
    save_filter(
        actor=ACTOR,
        tenant=tenant,
        object_type="user",
        title="Engineers",
        clauses=[
            {"attribute": "department", "operator": "EQUALS", "value": "Engineering", "ignore_case": False},
            {"attribute": "accountEnabled", "operator": "IS TRUE", "value": "", "ignore_case": False},
        ],
    )


def test_a_filter_is_built_counted_saved_and_tested_by_mouse(
    company: Tenant, owner: User, open_page: Callable[[User | None], Page], watched: Any, live_server: Any
) -> None:
    watched.allowed.add(422)
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/scope/")
    expect(page.get_by_text("No filters. Everyone who is assigned is in scope.")).to_be_visible()
    expect(page.locator("#scope-counts")).to_contain_text("22 of 22 assigned people pass")
    page.get_by_role("link", name="Add filter").click()
    expect(page.locator("#id_new-title")).to_be_focused()
    page.get_by_role("button", name="Save filter").last.click()
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    page.get_by_label("Filter", exact=True).fill("Engineers")
    page.get_by_label("Attribute 1").fill("department")
    page.get_by_label("Value 1").fill("Engineering")
    expect(page.locator("#count-new-0")).to_contain_text("14")
    expect(page.locator("#scope-counts")).to_contain_text("14 of 22 assigned people pass")
    expect(page.locator("#values-new-0 option").first).to_have_attribute("value", "Engineering")
    page.get_by_role("button", name="Add clause").click()
    expect(page.get_by_label("Attribute 2")).to_be_focused()
    page.get_by_label("Attribute 2").fill("accountEnabled")
    page.get_by_label("Comparison 2").select_option("IS TRUE")
    expect(page.get_by_label("Value 2")).to_be_hidden()
    expect(page.locator("#count-new")).to_contain_text("12 people pass")
    expect(page.locator("#scope-sentence")).to_contain_text(
        "A person passes if department is Engineering and account is enabled."
    )
    page.get_by_role("button", name="Save filter").last.click()
    expect(page.get_by_text("Saved the filter “Engineers” in the draft.").first).to_be_visible()
    uid = draft_or_current(company).filters.get().uid
    expect(page.locator(f"#save-{uid}")).to_be_focused()
    foot = page.locator("#scope-counts")
    expect(foot).to_contain_text("12 of 22 assigned people pass")
    expect(foot).to_contain_text("Compared with version 1:")
    # The two whose sign-in is blocked were out before.
    foot.get_by_role("link", name="8 drop out").click()
    expect(page.get_by_role("heading", name="Who drops out (8)")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(8)
    page.go_back()
    page.get_by_label("Find by name or user principal name").press_sequentially("person13")
    page.get_by_role("link", name="Person 13").click()
    result = page.locator("#test-result")
    expect(result).to_contain_text("Not in scope by the draft")
    expect(result).to_contain_text("Outside scope: Engineers")
    expect(result).to_contain_text("In scope in version 1.")
    expect(result.locator("li").first).to_contain_text("Does not hold:")
    expect(result.locator("li").first).to_contain_text("Sales")
    expect(result.locator("li").last).to_contain_text("Holds:")
    # What is not saved yet counts for the person who is tested too.
    page.get_by_label("Value 1").fill("Sales")
    expect(result).to_contain_text("In scope by the draft")
    assert draft_or_current(company).filters.get().clauses[0]["value"] == "Engineering"


def test_a_filter_is_built_by_keyboard_alone(
    company: Tenant, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/scope/")
    expect(page.locator("#scope-counts")).to_contain_text("22 of 22")
    page.locator("#add-filter").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#id_new-title")).to_be_focused()
    page.keyboard.type("Sales people")
    to(page, "id_new-0-attribute")
    page.keyboard.type("department")
    to(page, "id_new-0-operator")
    to(page, "id_new-0-value")
    page.keyboard.type("Sales")
    expect(page.locator("#count-new-0")).to_contain_text("5")
    to(page, "add-new")
    page.keyboard.press("Enter")
    expect(page.locator("#id_new-1-attribute")).to_be_focused()
    to(page, "drop-new-1")
    page.keyboard.press("Enter")
    # The clause before the one that went.
    expect(page.locator("#id_new-0-attribute")).to_be_focused()
    to(page, "save-new")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved the filter “Sales people” in the draft.").first).to_be_visible()
    assert draft_or_current(company).filters.get().title == "Sales people"


def test_counts_on_their_way_to_a_clause_that_goes_are_left(
    company: Tenant, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/scope/?add=1")
    page.locator("#add-new").click()
    page.locator("#id_new-1-attribute").fill("department")
    expect(page.locator("#scope-counts")).to_contain_text("with what is not saved yet")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/scope/counts/**", hold, times=1)
    with page.expect_request("**/scope/counts/**"):
        page.locator("#id_new-1-value").fill("Sales")
    # Counting anew would take the place of what is on its way.
    page.evaluate("htmx.config.defaultSettleDelay = 1500")
    page.locator("#drop-new-1").click()
    expect(page.locator("#id_new-1-attribute")).to_have_count(0)
    with page.expect_request_finished(lambda request: "/scope/counts/" in request.url):
        held[0].continue_()
    expect(page.locator("#scope-counts")).to_contain_text("with what is not saved yet")


def to(page: Page, element: str, limit: int = 20) -> None:
    """Tab until the focus is there."""
    for _step in range(limit):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == element:
            return
    raise AssertionError(f"Tab never reached {element}")


def test_a_filter_that_somebody_else_has_changed_is_shown_beside_mine(
    company: Tenant, owner: User, open_page: Callable[[User | None], Page], watched: Any, live_server: Any
) -> None:
    watched.allowed.add(409)
    engineers(company)
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/scope/")
    page.get_by_label("Value 1").fill("Research")
    row = draft_or_current(company).filters.get()
    save_filter(
        actor="ravi@acme.example",
        tenant=company,
        object_type="user",
        title="Engineers",
        clauses=[{"attribute": "department", "operator": "EQUALS", "value": "Design", "ignore_case": False}],
        uid=row.uid,
    )
    page.get_by_role("button", name="Save filter").last.click()
    panel = page.get_by_role("alert").filter(has_text="ravi@acme.example changed this filter")
    expect(panel).to_contain_text("department is Design")
    expect(page.get_by_label("Value 1")).to_have_value("Research")
    assert axe(page) == []
    page.get_by_role("button", name="Save filter").last.click()
    expect(page.get_by_text("Saved the filter “Engineers” in the draft.").first).to_be_visible()
    assert draft_or_current(company).filters.get().clauses[0]["value"] == "Research"


def test_a_removed_filter_can_be_brought_back(
    company: Tenant, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    engineers(company)
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/scope/")
    page.get_by_role("button", name="Remove filter Engineers").click()
    bring = page.get_by_role("button", name="Bring it back")
    expect(bring).to_be_focused()
    assert not draft_or_current(company).filters.exists()
    expect(page.locator("#scope-counts")).to_contain_text("22 of 22 assigned people pass")
    assert axe(page) == []
    bring.click()
    expect(page.get_by_label("Filter", exact=True)).to_have_value("Engineers")
    assert len(draft_or_current(company).filters.get().clauses) == 2


@pytest.mark.parametrize("state", ["problem", "list", *nightly("filters", "tested", "viewer")])
def test_every_state_of_the_page_is_accessible(
    company: Tenant,
    owner: User,
    viewer: User,
    open_page: Callable[[User | None], Page],
    watched: Any,
    live_server: Any,
    state: str,
) -> None:
    watched.allowed.add(422)
    engineers(company)
    save_filter(
        actor=ACTOR,
        tenant=company,
        object_type="user",
        title="A title that is long enough to need more than one line on a phone",
        clauses=[
            {"attribute": "userPrincipalName", "operator": "REGEX MATCH", "value": "contractor", "ignore_case": True}
        ],
    )
    page = open_page(viewer if state == "viewer" else owner)
    page.goto(f"{live_server.url}/t/acme/scope/{'people/?of=drop-out' if state == 'list' else ''}")
    if state != "list":
        expect(page.locator("#scope-counts")).to_contain_text("of 22 assigned people pass")
        expect(page.get_by_text("Nobody who is assigned passes this filter.")).to_be_visible()
    if state == "problem":
        page.get_by_label("Value 1").last.fill("(a")
        page.get_by_role("button", name="Save filter").last.click()
        expect(page.get_by_role("alert").filter(has_text="There is a problem")).to_be_focused()
        expect(page.get_by_text("Character 1 of the pattern").last).to_be_visible()
    if state == "tested":
        page.get_by_label("Find by name or user principal name").fill("person 13")
        page.get_by_role("link", name="Person 13").click()
        expect(page.locator("#test-result")).to_contain_text("Not in scope by the draft")
    assert axe_in_both_schemes(page) == []
    for width in (768, 400, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert sideways(page) == 0
