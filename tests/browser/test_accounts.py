"""Signing in, and the pages of one's own account, in a real browser."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal.access import first_run, users
from portal.models import Role, User
from sync.models import Tenant
from tests.world.browser import PASSWORD, Watched, axe_in_both_schemes, set_up_app, sideways
from tests.world.people import code_of_app

pytestmark = pytest.mark.django_db(transaction=True)
Open = Callable[[User | None], Page]


def check(page: Page, where: str) -> None:
    """As the page stands: accessible in light and dark, and no wider than a phone."""
    assert axe_in_both_schemes(page) == [], where
    size = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 800})
    assert sideways(page) == 0, where
    assert page.locator("h1").count() == 1, where
    page.set_viewport_size(size or {"width": 1280, "height": 800})


def sign_in_by_password(page: Page, address: str, email: str, password: str) -> None:
    page.goto(f"{address}/sign-in/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_the_first_owner_s_page_is_accessible_and_fits(open_page: Open, live_server: Any) -> None:
    first_run.issue_code()
    page = open_page(None)
    page.goto(f"{live_server.url}/first-run/")
    check(page, "first run")


def test_somebody_invited_chooses_a_password_sets_up_an_app_and_signs_in_with_both(
    tenant: Tenant, open_page: Open, live_server: Any, watched: Watched
) -> None:
    watched.allowed.add(422)
    facts = {"email": "ann@acme.example", "name": "Ann " + "of a long name " * 12}
    ann = users.add_user(actor="jo@acme.example", role=Role.OPERATOR, tenant=tenant, **facts)
    page = open_page(None)
    page.goto(users.password_link(ann).replace("http://localhost:8000", live_server.url))
    page.get_by_label("Password").fill("Password1234")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".ls-summary")).to_be_focused()
    check(page, "choose a password")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your password is saved. Sign in with it.")).to_be_visible()

    sign_in_by_password(page, live_server.url, ann.email, PASSWORD)
    expect(page.get_by_role("heading", name="Sign-in and security")).to_be_visible()
    expect(page.get_by_text("It needs a second factor besides the password")).to_be_visible()
    check(page, "security, wanted")
    page.get_by_role("link", name="Set up an app").click()
    check(page, "app")
    page.goto(f"{live_server.url}/me/security/")
    key = set_up_app(page)
    page.goto(f"{live_server.url}/t/acme/logs/")
    expect(page.get_by_role("heading", name="Logs")).to_be_visible()

    page.goto(f"{live_server.url}/sign-out/")
    page.get_by_role("button", name="Sign out").click()
    sign_in_by_password(page, live_server.url, ann.email, PASSWORD)
    page.get_by_label("Code").fill("123456")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".ls-summary")).to_be_focused()
    check(page, "second step")
    # The app's next code: the one that set it up was used already.
    page.get_by_label("Code").fill(code_of_app(key, periods=1))
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{live_server.url}/t/acme/setup/")


def test_one_s_own_pages_are_accessible_and_fit(owner: User, open_page: Open, live_server: Any) -> None:
    page = open_page(owner)
    security = ("", "app/remove/", "codes/new/")
    for path in (
        "me/",
        "me/password/",
        *(f"me/security/{one}" for one in security),
        "sign-in/again/code/",
        "sign-out/",
    ):
        answer = page.goto(f"{live_server.url}/{path}")
        assert answer is not None
        assert (answer.status, page.url) == (200, f"{live_server.url}/{path}")
        check(page, path)
