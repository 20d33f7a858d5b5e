"""The sync history in a real browser: charts are drawn from their tables under the strict policy."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from portal.models import User
from sync.models import Run, Tenant
from tests.world.browser import axe_in_both_schemes, sideways
from tests.world.chromium import STILL
from tests.world.people import code_of_app
from tests.world.runs import new_run

pytestmark = pytest.mark.django_db(transaction=True)
Open = Callable[[User | None], Page]
# Pixels of a chart that anything was drawn on.
DRAWN = """canvas => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.filter(one => one).length"""


@pytest.fixture
def syncs(tenant: Tenant) -> None:
    for number in range(1, 30):
        at = timezone.now() - datetime.timedelta(hours=6 * number)
        bad = number % 7 == 0
        facts = {"counts": {"created": number, "updated": 3}, "problems": {"rejected": 2} if bad else {}}
        times = {"started_at": at, "finished_at": at + datetime.timedelta(seconds=50 + number)}
        state = "completed_with_errors" if bad else "completed"
        run = new_run(tenant, 100 - number, kind="changes", state=state, people_in_aws=90 - number, **facts, **times)
        Run.objects.filter(pk=run.pk).update(created_at=at)


def test_charts_are_drawn_in_both_schemes_from_tables_that_open(
    tenant: Tenant, owner: User, syncs: None, open_page: Open, live_server: Any
) -> None:
    page = open_page(owner)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{live_server.url}/t/acme/runs/")
    expect(page.locator("canvas[role=img]")).to_have_count(3)
    assert all(canvas.evaluate(DRAWN) > 1000 for canvas in page.locator("canvas").all())
    page.get_by_text("Show as table").first.click()
    expect(page.locator(".ls-chart-people tbody tr").last).to_contain_text("89")
    assert axe_in_both_schemes(page) == []
    expect(page.locator("canvas[role=img]")).to_have_count(3)
    page.set_viewport_size({"width": 320, "height": 800})
    assert sideways(page) == 0


@pytest.mark.parametrize(("width", "highest"), [(1280, 41), (1440, 36)])
def test_a_run_s_number_stands_on_one_line_and_its_row_is_low(
    tenant: Tenant, owner: User, syncs: None, open_page: Open, live_server: Any, width: int, highest: int
) -> None:
    """Where there is room, a row is one line; on a laptop the trigger stands under the kind."""
    Run.objects.update(number=F("number") + 12_000)
    page = open_page(owner)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{live_server.url}/t/acme/runs/")
    rows = page.locator(".ls-runs tbody tr:not(.ls-day)")
    expect(rows).to_have_count(27)
    expect(rows.first).to_contain_text("12099")
    assert set(rows.locator("th a").evaluate_all("all => all.map(one => one.getClientRects().length)")) == {1}
    heights = rows.evaluate_all("all => all.map(one => one.getBoundingClientRect().height)")
    assert max(heights) <= highest


def test_filters_change_the_table_and_leave_the_charts(
    tenant: Tenant, owner: User, syncs: None, open_page: Open, live_server: Any
) -> None:
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/runs/")
    expect(page.locator(".ls-runs tbody tr:not(.ls-day)")).to_have_count(27)
    page.get_by_label("Has failures").check()
    expect(page.locator(".ls-runs tbody tr:not(.ls-day)")).to_have_count(3)
    expect(page.get_by_label("Has failures")).to_be_focused()
    expect(page.locator("canvas[role=img]")).to_have_count(3)
    assert "failures=on" in page.url


def test_without_javascript_ranges_filters_and_tables_work(
    tenant: Tenant, owner: User, syncs: None, browser: Browser, live_server: Any
) -> None:
    context = browser.new_context(java_script_enabled=False, **STILL)
    page = context.new_page()
    page.goto(f"{live_server.url}/t/acme/runs/")
    page.locator("#id_login").fill("jo@acme.example")
    page.locator("#id_password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Code").fill(code_of_app())
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("canvas")).to_have_count(0)
    page.get_by_text("Show as table").first.click()
    expect(page.locator(".ls-chart-people").get_by_role("cell", name="89").first).to_be_visible()
    page.get_by_role("link", name="24 h").click()
    expect(page.locator(".ls-runs tbody tr:not(.ls-day)")).to_have_count(3)
    page.get_by_label("Has failures").check()
    page.locator(".ls-run-filters").get_by_role("button", name="Show").click()
    expect(page.get_by_text("No runs match these filters.")).to_be_visible()
    context.close()
