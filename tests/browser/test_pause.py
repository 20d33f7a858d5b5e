"""Provisioning is paused and resumed in a real browser: the question in a dialog, the state while it lasts, the sync after it."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from portal.models import User
from sync.configuration import mappings
from sync.models import Run, Tenant
from sync.tenants.services import pause_tenant, resume_tenant
from tests.world.browser import Watched, axe_in_both_schemes, sideways
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, connect, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(6, groups=1, memberships=3)]
Open = Callable[[User | None], Page]
REASON = "AWS moves our accounts: " + "W" * 176


@pytest.fixture
def acme(tenant: Tenant, lab: Lab) -> Tenant:
    """On, and in step."""
    connect(tenant, lab)
    mappings.apply_recommended(actor=ACTOR, tenant=tenant)
    assign(tenant, *lab.call("GET", "entra/state")["groups"])
    sync(tenant)
    now = timezone.now()
    for half in (tenant.entra, tenant.aws):
        half.changed_at = half.tested_at = now
        half.test_passed = True
        half.save()
    Tenant.objects.update(enabled=True, enabled_changed_at=now, next_run_at=now + tenant.interval_length)
    return Tenant.objects.get(pk=tenant.pk)


def test_paused_until_tomorrow_and_resumed(
    acme: Tenant, owner: User, open_page: Open, live_server: Any, watched: Watched
) -> None:
    watched.allowed.add(422)
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/provisioning/")
    page.locator("#pause").click()
    dialog = page.locator("#dialog")
    expect(dialog.get_by_role("link", name="Keep it on")).to_be_focused()
    assert axe_in_both_schemes(page) == []
    dialog.get_by_label("Until the time below").check()
    dialog.get_by_role("button", name="Pause provisioning").click()
    # What is wrong is said on a page of its own, and has the focus.
    expect(page.locator("[data-focus]")).to_be_focused()
    expect(page.locator("#id_until-error")).to_have_text("Enter a time.")
    assert axe_in_both_schemes(page) == []
    page.get_by_label("Until tomorrow, 07:00").check()
    page.get_by_label("Why").fill(REASON)
    page.get_by_role("button", name="Pause provisioning").click()
    expect(page.locator("#state-title")).to_contain_text("Paused until")
    expect(page.locator("#prov-state")).to_contain_text(REASON)
    assert axe_in_both_schemes(page) == []
    page.set_viewport_size({"width": 320, "height": 800})
    assert sideways(page) == 0
    page.get_by_role("button", name="Resume now").click()
    expect(page.locator("#messages")).to_contain_text("Provisioning is on again.")
    expect(page.locator("#run-head")).to_contain_text("Completed")
    assert acme.runs.latest("number").trigger == Run.Trigger.TURNED_ON


def test_an_overview_that_stays_open_shows_that_the_pause_is_over(
    acme: Tenant, owner: User, open_page: Open, live_server: Any
) -> None:
    pause_tenant(tenant=acme, actor=ACTOR, until=timezone.now() + datetime.timedelta(hours=1))
    page = open_page(owner)
    page.clock.install()
    page.goto(f"{live_server.url}/t/acme/")
    expect(page.locator("#state-badge")).to_contain_text("Paused until")
    resume_tenant(tenant=acme, actor=ACTOR)
    page.clock.run_for(16_000)
    expect(page.locator("#state-badge")).to_have_text("Provisioning On")
