"""The inbox by keyboard, without JavaScript, on a narrow screen; and an incident from its mail to its all-clear."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from portal.models import User
from sync import queue
from sync.models import Incident, Run, Tenant
from sync.notifications import deliveries
from sync.worker import execution
from tests.world.browser import sideways
from tests.world.chromium import STILL
from tests.world.company import hire
from tests.world.lab import Lab
from tests.world.mails import Mails, mail_server
from tests.world.notified import mail_to
from tests.world.people import sign_in
from tests.world.tenant import assign, attempt, sync

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
    with browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 700}, **STILL) as context:
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


@pytest.fixture
def mails(lab: Lab, wired: Tenant, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Of a real mail server. There is no broker: messages and syncs go at once."""
    carried_out = {queue.EXECUTE_RUN: execution.execute_run, queue.DELIVER: deliveries.deliver}
    monkeypatch.setattr("sync.queue.send", lambda task, key: carried_out.get(task, int)(key))
    with mail_server() as found:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", found.port
        mail_to(wired)
        yield found


def test_a_quarantine_and_its_end_are_one_thread_of_mails(
    wired: Tenant, lab: Lab, mails: Mails, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    overview = f"{live_server.url}/t/acme/"
    assign(wired, hire(lab, "Ada Lind"))
    sync(wired)
    Tenant.objects.update(enabled=True, enabled_changed_at=timezone.now())
    lab.call("POST", "faults", {"part": "aws", "kind": "status", "status": 401, "times": -1})
    assert attempt(wired, Run.Kind.FULL).state == Run.State.FAILED
    page = open_page(owner)
    page.goto(overview)
    banner = page.locator("#quarantine-title")
    expect(banner).to_contain_text("Provisioning is quarantined: AWS refused the access token")
    expect(page.locator("#bell")).to_contain_text("1")
    assert len(mails.found) == 1

    lab.call("DELETE", "faults")
    page.get_by_role("button", name="Try now").click()
    expect(page.get_by_text("Completed").first).to_be_visible()
    page.goto(overview)
    expect(banner).to_have_count(0)
    told, over = mails.found
    assert told["References"] == over["References"]
    assert "Solved" in over["Subject"]
    assert "Solved" not in told["Subject"]
