"""README's *What to do first*, followed word for word by somebody who presses what it names and guesses nothing."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.world.prepared import NewState
from tests.world.up import Up

pytestmark = [pytest.mark.browser, pytest.mark.process]

README = Path(__file__).parents[2] / "README.md"
STEP = re.compile(r"(press|select|then|tick[^*]*|see) \*([^*]+)\*", re.IGNORECASE)
SLOW = 60_000


def steps() -> Iterator[tuple[str, str]]:
    """(what to do, what it is called), in the order of the list; every name in it is one of them."""
    text = README.read_text().partition("What to do first:")[2].partition("\n\nWithout")[0]
    found = STEP.findall(text)
    assert len(found) == text.count("*") // 2, "a name without a verb before it"
    yield from ((verb.split()[0].lower(), name) for verb, name in found)


def named(page: Page, name: str) -> Locator:
    buttons, links = (page.get_by_role(role, name=name, exact=True) for role in ("button", "link"))
    return buttons.or_(links).first


def follow(page: Page, verb: str, name: str) -> None:
    if verb == "see":
        expect(page.get_by_text(name, exact=True).first).to_be_visible(timeout=SLOW)
    elif verb == "tick":
        boxes = page.get_by_role("group", name=name).get_by_role("checkbox")
        expect(boxes.first).to_be_visible(timeout=SLOW)
        for box in boxes.all():
            box.check()
    else:
        named(page, name).click(timeout=SLOW)


def enter(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)


def people_in_aws(up: Up) -> int:
    return len(up.lab("GET", "aws/state")["users"])


def test_a_newcomer_gets_from_the_box_to_a_synced_company(
    tmp_path: Path, context: BrowserContext, new_state: NewState
) -> None:
    page = context.new_page()
    with Up(new_state(tmp_path / "var"), "--demo") as up:
        found = re.search(r"Sign in: +(\S+) / (\S+)", up.said())
        assert found
        email, password = found.groups()
        page.goto(up.url)
        enter(page, email, password)
        for verb, name in steps():
            follow(page, verb, name)
        assert people_in_aws(up) == 30
        expect(page.get_by_role("heading", name="Turn provisioning on")).to_be_visible()
