"""The lab's console as it is looked at: nothing torn apart, everything reachable, the same without a script."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.world.browser import SCHEMES, Watched, axe_in, sideways
from tests.world.chromium import STILL
from tests.world.examples import by_night
from tests.world.lab import Lab

pytestmark = pytest.mark.company(60)
# Words of up to so many letters stand in one line; ids and addresses may be longer.
LONGEST_WORD = 24
TORN = """longest => {
  const torn = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    for (const word of walk.currentNode.data.matchAll(/\\S+/g)) {
      if (word[0].length > longest || walk.currentNode.parentElement.closest(".ledger")) continue;
      const range = document.createRange();
      range.setStart(walk.currentNode, word.index);
      range.setEnd(walk.currentNode, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].filter(one => one.width).map(one => Math.round(one.top)));
      if (lines.size > 1) torn.push(word[0]);
    }
  }
  return torn;
}"""


@pytest.fixture
def console(lab: Lab, page: Page) -> Iterator[Page]:
    """With a group and a user in AWS whose names are as long as can be."""
    long = "W" * 128
    facts = {"userName": long, "displayName": long, "name": {"givenName": long, "familyName": long}}
    lab.call("POST", "aws/users", facts | {"emails": [{"value": f"{long}@x.example", "type": "work", "primary": True}]})
    lab.call("POST", "aws/groups", {"displayName": long})
    watched = Watched(lab.facts["console"].rstrip("/"))
    watched.watch(page)
    yield page
    assert watched.faults == []


def odd_person(lab: Lab) -> str:
    """Whose display name has 256 letters."""
    users = lab.call("GET", "entra/state")["users"]
    return str(next(user["id"] for user in users if len(user["displayName"]) > 200))


def addresses(lab: Lab) -> list[str]:
    aws = lab.aws()
    picks = [odd_person(lab), aws["users"][0]["id"], aws["groups"][0]["id"]]
    return ["", "?show=groups", "?tour=2", "?page=4", *(f"?pick={one}" for one in picks)]


@pytest.mark.parametrize("width", [1280, 400])
def test_no_word_is_torn_apart_whoever_is_shown(console: Page, lab: Lab, width: int) -> None:
    console.set_viewport_size({"width": width, "height": 900})
    for address in addresses(lab):
        console.goto(lab.facts["console"] + address)
        assert console.evaluate(TORN, LONGEST_WORD) == [], address
        assert sideways(console) == 0, address


def test_every_view_is_accessible_and_fits_a_small_screen(console: Page, lab: Lab) -> None:
    for address in addresses(lab):
        console.goto(lab.facts["console"] + address)
        console.get_by_text("For experts").click()
        assert axe_in(SCHEMES if by_night() or not address else SCHEMES[1:], console) == [], address
    console.set_viewport_size({"width": 320, "height": 700})
    assert sideways(console) == 0


def test_faults_and_their_state_are_on_the_first_screen(console: Page, lab: Lab) -> None:
    console.set_viewport_size({"width": 1280, "height": 500})
    console.goto(lab.facts["console"])
    for name in ("AWS slows down", "Entra denies groups"):
        switch = console.get_by_role("button", name=name)
        expect(switch).to_be_in_viewport()
        switch.click()
        expect(console.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "true")
    expect(console.get_by_text("2 of 8 are on.")).to_be_visible()


def test_a_value_is_copied_by_a_press(console: Page, lab: Lab, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    console.goto(lab.facts["console"])
    console.get_by_role("button", name="Copy Client secret").click()
    expect(console.get_by_role("button", name="Copied Client secret")).to_be_visible()
    assert console.evaluate("navigator.clipboard.readText()") == lab.call("GET", "connection")["client_secret"]


def test_the_tour_is_walked_without_a_script(lab: Lab, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, **STILL)
    page = context.new_page()
    page.goto(lab.facts["console"])
    page.get_by_role("link", name="Take the tour of ten minutes").click()
    page.get_by_role("link", name="Next step").click()
    page.get_by_role("button", name="Hire Grace Hopper").click()
    expect(page.get_by_text("Grace Hopper was hired.")).to_be_visible()
    for _ in range(2):
        page.get_by_role("link", name="Next step").click()
    page.get_by_role("button", name="Empty the last name").click()
    found = [one for one in lab.call("GET", "entra/state")["users"] if one["displayName"] == "Grace Hopper"]
    assert found[-1]["surname"] is None
    expect(page.get_by_role("heading", name="Empty her last name")).to_be_visible()
    context.close()
