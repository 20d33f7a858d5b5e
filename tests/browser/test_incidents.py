"""The inbox by keyboard, without JavaScript, on a narrow screen."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from portal.models import User
from sync.models import Incident, Tenant
from tests.world.browser import sideways
from tests.world.people import sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def incident(tenant: Tenant) -> Incident:
    return Incident.objects.create(
        tenant=tenant, code="token-refused", kind="quarantine", of_run=True, opened_at=timezone.now()
    )


def press(page: Page, name: str) -> None:
    """By the keyboard alone."""
    target = page.locator("summary, button, a", has_text=name).first
    for _ in range(40):
        page.keyboard.press("Tab")
        if target.evaluate("one => one === document.activeElement"):
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"{name} is not reached by Tab")


def test_it_is_acknowledged_and_snoozed_without_javascript(
    incident: Incident, owner: User, browser: Browser, live_server: Any
) -> None:
    client = Client()
    sign_in(client, owner)
    with browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 700}) as context:
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        page = context.new_page()
        page.goto(f"{live_server.url}/t/acme/notifications/")
        expect(page.locator("#bell")).to_have_text("Incidents: 1")
        page.locator("#bell").click()
        press(page, "Snooze")
        assert sideways(page) == 0
        press(page, "1 day")
        expect(page.locator("#messages")).to_contain_text("Snoozed until")
        expect(page.locator("#bell")).to_have_text("Incidents")
        press(page, "Acknowledge")
        expect(page.get_by_text("others see that you look at it")).to_be_visible()
        assert page.url == f"{live_server.url}/inbox/"
        press(page, "AWS refused the access token")
        expect(page.locator("#thread li")).to_have_count(3)
        assert sideways(page) == 0
