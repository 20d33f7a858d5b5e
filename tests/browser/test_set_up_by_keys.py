"""The whole set-up, from signing in to the first sync, by Tab, Enter, Space, arrows and what is typed: nothing is clicked."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from portal.models import User
from sync.models import Run, Tenant
from tests.world.lab import Lab
from tests.world.people import PASSWORD, code_of_app

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(60)]
# More stops than any page has before what one looks for.
MOST_STOPS = 120
# Whether it has the focus, and what has it where that is not to be seen. To be seen is what is on the screen with a ring
# around itself, or around the label that stands for it. In a field for dates the browser draws one around the part that has
# it; after the last stop the browser itself has its turn.
LOOK = """wanted => {
    const one = document.activeElement, place = one.getBoundingClientRect();
    const onScreen = place.width > 0 && place.height > 0 && place.top < innerHeight && place.bottom > 0;
    const rings = [one, one.nextElementSibling, one.closest("label")].filter(Boolean).map(it => getComputedStyle(it));
    const ringed = rings.some(it => (it.outlineStyle !== "none" && parseFloat(it.outlineWidth) > 0) || it.boxShadow !== "none");
    const seen = one === document.body || (onScreen && (ringed || one.type === "date"));
    return [one === wanted, seen ? "" : one.outerHTML.slice(0, 200)];
}"""


class Keys:
    """Somebody without a mouse."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def reach(self, target: Locator) -> None:
        """By Tab, from where the focus is."""
        expect(target).to_be_visible()
        there, _unseen = target.evaluate(LOOK)
        for _ in range(MOST_STOPS):
            if there:
                return
            self.page.keyboard.press("Tab")
            there, unseen = target.evaluate(LOOK)
            assert unseen == ""
        raise AssertionError(f"{target} is not reached by Tab")

    def press(self, target: Locator, key: str = "Enter") -> None:
        self.reach(target)
        self.page.keyboard.press(key)

    def type(self, target: Locator, text: str) -> None:
        self.reach(target)
        self.page.keyboard.type(text)

    def task(self, name: str) -> None:
        """Of the list of tasks, which is one step away in the menu."""
        self.press(self.page.locator("nav").get_by_role("link", name="Set-up"))
        expect(self.page.get_by_role("heading", level=1, name="Set up Acme")).to_be_visible()
        self.press(self.page.locator("main").get_by_role("link", name=name, exact=True))


def sign_in(keys: Keys, page: Page) -> None:
    keys.type(page.get_by_label("E-mail"), "jo@acme.example")
    keys.type(page.get_by_label("Password", exact=True), PASSWORD)
    page.keyboard.press("Enter")
    keys.type(page.get_by_label("Code"), code_of_app())
    page.keyboard.press("Enter")


def make_tenant(keys: Keys, page: Page) -> None:
    keys.press(page.get_by_role("link", name="Add tenant").first)
    keys.type(page.get_by_label("Name", exact=True), "Acme")
    keys.type(page.get_by_label("Time zone"), "Europe/Berlin")
    keys.press(page.get_by_role("button", name="Add tenant"))
    expect(page.get_by_role("heading", level=1, name="Set up Acme")).to_be_visible()


def connect_entra(keys: Keys, page: Page, lab: Lab) -> None:
    keys.task("Connect Microsoft Entra ID")
    keys.type(page.locator("#id_cloud"), "Rehearsal")
    keys.type(page.locator("#id_directory_id"), lab.facts["directory_id"])
    keys.type(page.locator("#id_client_id"), lab.facts["client_id"])
    keys.type(page.locator("#id_secret"), lab.facts["client_secret"])
    # Month, day, year: as the browser's language has them.
    keys.type(page.locator("#id_ends_on"), "11012027")
    keys.press(page.get_by_role("button", name="Save and test"))
    expect(page.get_by_text("9 passed, 1 warning").first).to_be_visible()


def connect_aws(keys: Keys, page: Page, lab: Lab) -> None:
    keys.task("Connect AWS IAM Identity Center")
    keys.type(page.locator("#id_endpoint"), lab.facts["scim_endpoint"])
    keys.type(page.locator("#id_token"), lab.facts["scim_token"])
    keys.press(page.get_by_role("button", name="Save and test"), "Space")
    expect(page.get_by_text("8 passed").first).to_be_visible()


def look_at_the_mappings(keys: Keys, page: Page) -> None:
    keys.task("Check the mappings")
    keys.press(page.get_by_role("button", name="Use the recommended mappings"))
    expect(page.get_by_role("link", name="Edit phoneNumbers[fax]")).to_have_count(0)
    edit = page.get_by_role("link", name="Edit title")
    keys.press(edit)
    # The focus comes a moment after the form; until then Escape is nobody's.
    expect(page.locator("form[data-saves] [data-focus]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(edit).to_be_focused()


def assign_a_group(keys: Keys, page: Page) -> None:
    keys.task("Choose people and groups")
    keys.press(page.locator("main").get_by_role("link", name="Assign groups or people").first)
    keys.type(page.get_by_label("Search the directory"), "AWS-Admins")
    box = page.get_by_role("checkbox", name="AWS-Admins")
    keys.press(box, "Space")
    expect(box).to_be_checked()
    keys.press(page.get_by_role("button", name="Assign 1"))
    expect(page.get_by_role("heading", name="Groups (1)")).to_be_visible()


def turn_on(keys: Keys, page: Page) -> None:
    keys.task("Turn provisioning on")
    keys.press(page.get_by_role("button", name="Preview first"))
    keys.press(page.get_by_role("button", name="Turn on and start the first sync"))
    expect(page.get_by_role("heading", level=1, name="Run 2")).to_be_visible()
    expect(page.locator(".ls-run-state")).to_contain_text("Completed")


@pytest.mark.nightly
def test_the_whole_set_up_is_done_by_keyboard_alone(
    lab: Lab, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    page = open_page(None)
    keys = Keys(page)
    sign_in(keys, page)
    make_tenant(keys, page)
    connect_entra(keys, page, lab)
    connect_aws(keys, page, lab)
    look_at_the_mappings(keys, page)
    assign_a_group(keys, page)
    turn_on(keys, page)
    tenant = Tenant.objects.get()
    assert (tenant.time_zone, tenant.enabled) == ("Europe/Berlin", True)
    assert [run.state for run in tenant.runs.order_by("number")] == [Run.State.COMPLETED] * 2
    assert len(lab.aws()["users"]) == 6
