"""Journeys of the mapping pages with real people of the lab: by mouse, by keyboard, two admins at once."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal.models import User
from sync.configuration import drafts, mappings
from sync.configuration.settings import set_settings
from sync.models import AttributeMapping, Tenant
from sync.rules.rows import MappingRow
from tests.world.browser import axe, axe_in_both_schemes, sideways
from tests.world.examples import nightly
from tests.world.kept import Kept
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(60)]

Open = Callable[[User | None], Page]
WORK_PHONE, HOME_PHONE = 'phoneNumbers[type eq "work"].value', 'phoneNumbers[type eq "home"].value'
FAMILY = "name.familyName"


@pytest.fixture
def read(kept: Kept) -> Tenant:
    """Everybody was read and written once, under a published version."""
    return kept(admins_in_aws).tenant


def admins_in_aws(tenant: Tenant, lab: Lab) -> None:
    assign(tenant, lab.entra_group("AWS-Admins"))
    sync(tenant)


@pytest.fixture
def ada(lab_process: Lab) -> dict[str, Any]:
    users: list[dict[str, Any]] = lab_process.call("GET", "entra/state")["users"]
    return users[0]


@pytest.fixture
def people(read: Tenant, ada: dict[str, Any], owner: User, open_page: Open, live_server: Any) -> Page:
    """The page of people, shown with a real person."""
    page = open_page(owner)
    page.set_viewport_size({"width": 1280, "height": 1000})
    page.goto(f"{live_server.url}/t/acme/mappings/people/?person={ada['id']}")
    return page


def row(tenant: Tenant, target: str) -> AttributeMapping:
    return drafts.draft_or_current(tenant).mappings.get(object_type="user", target=target)


def test_a_direct_row_becomes_an_expression_while_a_real_person_shows_what_it_gives(
    people: Page, read: Tenant, ada: dict[str, Any]
) -> None:
    page = people
    expect(page.locator(".ls-cast")).to_contain_text("no last name")
    page.get_by_role("link", name="Edit title").click()
    result = page.locator(".ls-mapping-result")
    expect(result).to_contain_text(ada["jobTitle"])
    assert axe(page) == []
    page.get_by_label("Expression", exact=True).first.check()
    page.locator("textarea").fill("ToUpper([jobTitle])")
    expect(result.locator(".ls-result")).to_have_text(ada["jobTitle"].upper())
    expect(result).to_contain_text(f"{len(ada['jobTitle'])} characters")
    expect(result).to_contain_text("AWS takes it")
    expect(result).to_contain_text("Kavi")
    page.get_by_role("button", name="Use this expression").click()
    line = page.locator("#map-title")
    expect(line).to_contain_text("changed")
    expect(line).to_contain_text("was jobTitle")
    expect(line.locator("del")).to_have_text(ada["jobTitle"])
    expect(line.locator("ins")).to_have_text(ada["jobTitle"].upper())
    expect(page.locator("#edit-title")).to_be_focused()
    assert axe(page) == []
    page.get_by_role("button", name="Undo title").click()
    expect(line).not_to_contain_text("changed")
    assert drafts.changes(read) == []
    expect(page.locator("#edit-title")).to_be_focused()


def test_the_same_by_keyboard_alone(people: Page, read: Tenant, ada: dict[str, Any]) -> None:
    page = people
    page.locator("#edit-title").focus()
    page.keyboard.press("Enter")
    source = page.get_by_role("combobox", name="Source", exact=True)
    expect(source).to_be_visible()
    source.focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("depart")
    expect(source).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    marked = page.locator("[role=option][aria-selected=true]")
    expect(marked).to_contain_text("department")
    expect(marked).to_contain_text(ada["department"])
    assert source.get_attribute("aria-activedescendant") == marked.get_attribute("id")
    assert axe(page) == []
    page.keyboard.press("Enter")
    expect(source).to_have_value("department")
    expect(source).to_have_attribute("aria-expanded", "false")
    # Escape closes the list first, then leaves the form.
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(source).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#map-title")).to_contain_text("changed")
    assert row(read, "title").source == "department"
    expect(page.locator("#edit-title")).to_be_focused()
    page.keyboard.press("Enter")
    expect(source).to_be_visible()
    source.focus()
    page.keyboard.press("Escape")
    expect(page.locator("#edit-title")).to_be_focused()


def test_a_form_left_the_moment_it_comes_in_is_left_in_its_row(people: Page) -> None:
    page = people
    page.evaluate("""() => {
        new MutationObserver((_, observer) => {
            const cancel = document.querySelector("form[data-saves] [data-cancels]");
            if (cancel) { observer.disconnect(); cancel.click(); document.body.dataset.left = ""; }
        }).observe(document.body, {childList: true, subtree: true});
    }""")
    page.locator("#edit-title").focus()
    page.keyboard.press("Enter")
    expect(page.locator("body")).to_have_attribute("data-left", "")
    expect(page.locator("#edit-title")).to_be_focused()
    # Another page would not know of it.
    expect(page.locator("body")).to_have_attribute("data-left", "")


def test_a_wrong_expression_keeps_the_last_good_result_and_the_focus(people: Page, watched: Any, read: Tenant) -> None:
    watched.allowed.add(422)
    page = people
    page.get_by_role("link", name=f"Edit {FAMILY}").click()
    page.get_by_label("Expression", exact=True).first.check()
    area = page.locator("textarea")
    area.fill('Append([surname], "-")')
    good = page.locator(".ls-result")
    expect(good).to_contain_text("-")
    before = good.inner_text()
    area.focus()
    page.keyboard.press("End")
    page.keyboard.press("Backspace")
    wrong = page.locator(".ls-wrong")
    expect(wrong).to_contain_text("Line 1, column 22:")
    assert good.inner_text() == before
    expect(area).to_be_focused()
    assert axe(page) == []
    page.keyboard.press("Control+Enter")
    expect(page.locator(".ls-editing .ls-error")).to_contain_text("Line 1, column 22:")
    expect(area).to_have_value('Append([surname], "-"')
    expect(area).to_be_focused()
    page.keyboard.type(")")
    expect(wrong).to_be_empty()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#map-name-familyName")).to_contain_text("changed")
    assert row(read, FAMILY).source == 'Append([surname], "-")'


def test_a_function_of_the_list_goes_in_at_the_caret(people: Page) -> None:
    page = people
    page.get_by_role("link", name=f"Edit {FAMILY}").click()
    page.get_by_label("Expression", exact=True).first.check()
    page.locator(".ls-functions > summary").click()
    page.get_by_label("Find a function").fill("diacritics")
    expect(page.locator(".ls-function-list > li:visible")).to_have_count(1)
    page.locator("textarea").select_text()
    page.get_by_role("button", name="Insert NormalizeDiacritics").click()
    expect(page.locator("textarea")).to_have_value("NormalizeDiacritics([surname])")
    expect(page.locator("textarea")).to_be_focused()


@pytest.mark.parametrize("how", ["keyboard", *nightly("mouse")])
def test_a_second_phone_number_is_refused_in_the_row(people: Page, watched: Any, read: Tenant, how: str) -> None:
    """The row with the other phone came from somebody else's file; an edit of it is refused where it stands."""
    watched.allowed.add(422)
    draft = drafts.locked_draft(read, ACTOR)
    AttributeMapping.objects.create(
        configuration=draft, object_type="user", target=HOME_PHONE, kind="direct", source="mobile", position=90
    )
    page = people
    page.reload()
    expect(page.locator("#map-phoneNumbers-home")).to_contain_text("AWS takes one item in phoneNumbers")
    page.get_by_role("link", name="Edit phoneNumbers[home]").click()
    default = page.get_by_label("Default", exact=True)
    default.fill("+49 1")
    if how == "mouse":
        page.get_by_role("button", name="Save mapping").click()
    else:
        default.press("Enter")
    editing = page.locator("tr.ls-editing")
    expect(editing).to_contain_text("AWS takes a single item in phoneNumbers")
    expect(default).to_have_value("+49 1")
    expect(page.locator("#live")).to_contain_text("There is a problem")
    expect(page.locator("[id]:focus")).to_be_visible()
    assert axe(page) == []
    assert row(read, HOME_PHONE).default == ""


@pytest.mark.parametrize("how", ["keyboard", *nightly("mouse")])
def test_the_matching_order_changes_by_buttons_that_keep_the_focus(people: Page, read: Tenant, how: str) -> None:
    rule = MappingRow("externalId", "direct", "objectId", matching=2)
    mappings.save_mapping(actor=ACTOR, tenant=read, object_type="user", rule=rule, row=row(read, "externalId"))
    page = people
    page.reload()
    up = page.get_by_role("button", name="Up externalId")
    if how == "mouse":
        up.click()
    else:
        up.focus()
        page.keyboard.press("Enter")
    expect(page.locator("#map-externalId")).to_contain_text("match 1")
    expect(page.locator("#map-userName")).to_contain_text("match 2")
    expect(page.locator("#up-externalId")).to_be_focused()
    expect(page.locator("#live")).to_contain_text("externalId is match 1")
    expect(up).to_have_attribute("aria-disabled", "true")


@pytest.mark.parametrize("choice", ["Keep mine", "Take theirs"])
def test_two_admins_on_one_row_see_both_versions(people: Page, watched: Any, read: Tenant, choice: str) -> None:
    watched.allowed.add(409)
    page = people
    page.get_by_role("link", name="Edit title").click()
    page.get_by_label("Source", exact=True).fill("department")
    theirs = MappingRow("title", "constant", "Theirs")
    mappings.save_mapping(actor="ravi@acme.example", tenant=read, object_type="user", rule=theirs, row=row(read, "title"))  # fmt: skip
    page.get_by_role("button", name="Save mapping").click()
    panel = page.get_by_role("group", name="title changed meanwhile")
    expect(panel).to_contain_text("Your changes are safe")
    expect(page.locator("#conflict-title")).to_be_focused()
    expect(panel.locator("ins").first).to_have_text("Direct")
    assert axe(page) == []
    button = (
        panel.get_by_role("button", name=choice) if choice == "Keep mine" else panel.get_by_role("link", name=choice)
    )
    button.focus()
    page.keyboard.press("Enter")
    wanted = "department" if choice == "Keep mine" else "Theirs"
    expect(page.locator("#map-title")).to_contain_text(wanted)
    expect(page.locator("#edit-title")).to_be_focused()
    assert row(read, "title").source == wanted


def test_every_state_of_the_page_is_accessible(people: Page, read: Tenant) -> None:
    page = people
    rules = [MappingRow("title", "expression", "Redact([jobTitle])", default="Clerk", default_on_update=True), MappingRow("nickName", "none", "", default="Dear")]  # fmt: skip
    mappings.save_mapping(actor=ACTOR, tenant=read, object_type="user", rule=rules[0], row=row(read, "title"))
    mappings.save_mapping(actor=ACTOR, tenant=read, object_type="user", rule=rules[1])
    mappings.remove_mapping(actor=ACTOR, tenant=read, row=row(read, WORK_PHONE))
    set_settings(actor=ACTOR, tenant=read, user_actions=["create"])
    page.reload()
    expect(page.locator("#map-title")).to_contain_text("[Redact]")
    expect(page.locator("#map-phoneNumbers-work")).to_contain_text("removed")
    page.locator(".ls-example-search > summary").click()
    page.get_by_role("link", name="Edit nickName").click()
    page.get_by_role("link", name="Edit emails[work]").click()
    expect(page.locator(".ls-result").first).to_be_visible()
    page.locator(".ls-unmapped > summary").first.click()
    # Nothing is half behind the header that stays.
    page.evaluate("window.scrollTo(0, 0)")
    assert axe_in_both_schemes(page) == []
    for width in (1280, 768, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert sideways(page) == 0


def test_a_directory_extension_is_in_the_list_and_can_be_typed_without(
    people: Page, read: Tenant, lab_process: Lab, ada: dict[str, Any]
) -> None:
    page = people
    page.get_by_role("link", name="Edit title").click()
    expect(page.locator(".ls-for-source")).to_contain_text("without Directory.Read.All")
    lab_process.call("POST", "entra/roles", {"grant": ["Directory.Read.All"]})
    name = lab_process.call("POST", "entra/extend", {"name": "Badge"})["name"]
    lab_process.call("PATCH", f"entra/users/{ada['id']}", {name: "B-42"})
    page.get_by_label("Source", exact=True).fill(name)
    expect(page.locator(".ls-result")).to_have_text("B-42")
    page.get_by_role("button", name="Save mapping").click()
    expect(page.locator("#map-title ins")).to_have_text("B-42")
    page.get_by_role("link", name="Edit title").click()
    page.get_by_role("combobox", name="Source", exact=True).click()
    option = page.locator(f"[role=option][data-value={name}]")
    expect(option).to_contain_text("B-42")
    expect(option).to_contain_text("Directory extension of Lab")
