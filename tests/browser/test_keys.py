"""Search everywhere and the keys of every page in a real browser, and pages on paper."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal.models import User
from sync.models import Tenant
from sync.standings.services import refresh_all
from tests.world.browser import axe_in_both_schemes, sideways
from tests.world.mirrored import mirrored_person

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_slash_finds_somebody_by_keys_alone(
    tenant: Tenant, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    for name in ("Zora Vance", "Zoe Noor"):
        mirrored_person(tenant, name)
    refresh_all(tenant)
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/logs/")
    page.keyboard.press("/")
    expect(page.locator("#frame-q")).to_be_focused()
    page.keyboard.type("zo")
    expect(page.locator("#search-suggestions").get_by_role("link")).to_have_count(3)
    expect(page.locator("#live")).to_have_text("2 results")
    assert axe_in_both_schemes(page) == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(page.locator("#search-suggestions")).to_be_hidden()
    expect(page.locator("#frame-q")).to_be_focused()
    page.keyboard.type("r")
    expect(page.locator("#search-suggestions").get_by_role("link")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Zora Vance")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Zora Vance", level=1)).to_be_visible()
    page.set_viewport_size({"width": 320, "height": 800})
    page.keyboard.press("/")
    expect(page.get_by_role("heading", name="Search", level=1)).to_be_visible()
    assert sideways(page) == 0


def test_keys_go_to_pages_and_mean_nothing_while_somebody_types(
    tenant: Tenant, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    page = open_page(owner)
    page.goto(f"{live_server.url}/help/")
    page.locator("#id_q").press_sequentially("gp?/")
    expect(page.locator("#id_q")).to_have_value("gp?/")
    page.goto(f"{live_server.url}/t/acme/logs/")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    assert axe_in_both_schemes(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("p")
    expect(page.get_by_role("heading", name="People", level=1)).to_be_visible()
    User.objects.update(shortcuts=False)
    page.reload()
    page.keyboard.press("/")
    expect(page.locator("#frame-q")).not_to_be_focused()


def test_on_paper_a_page_is_black_on_white_and_says_when_and_by_whom(
    tenant: Tenant, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    mirrored_person(tenant, "Adele Vance")
    refresh_all(tenant)
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/people/")
    expect(page.locator(".ls-print-only")).to_be_hidden()
    page.emulate_media(media="print", color_scheme="dark")
    for hidden in (".ls-nav", ".ls-header", "#search"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator(".ls-print-only")).to_contain_text("printed by Jo")
    expect(page.locator(".ls-print-only")).to_contain_text("/t/acme/people/")
    colours = page.evaluate(
        """["main", "h1"].map(one => getComputedStyle(document.querySelector(one))).map(one => one.color)
           .concat(getComputedStyle(document.body).backgroundColor)"""
    )
    assert colours == ["rgb(0, 0, 0)", "rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert page.pdf(format="A4").startswith(b"%PDF")
