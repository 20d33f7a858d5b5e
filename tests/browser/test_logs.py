"""The log in a real browser: filters apply by themselves, an entry opens beside the table, keys go on from there."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from portal.models import User
from sync.models import Operation, Tenant
from tests.world.browser import axe_in_both_schemes, sideways
from tests.world.runs import new_run, operation

pytestmark = pytest.mark.django_db(transaction=True)

Open = Callable[[User | None], Page]


@pytest.fixture
def entries(tenant: Tenant) -> list[Operation]:
    """Newest first: P4 (failed), P3 … P0."""
    run = new_run(tenant, started_at=timezone.now())
    began = timezone.now() - datetime.timedelta(minutes=5)
    found = []
    for n in range(5):
        facts = {"result": "failed", "problem": "rejected"} if n == 4 else {}
        row = operation(tenant, run, display_name=f"P{n}", request={"method": "PATCH", "path": f"Users/{n}"}, **facts)
        Operation.objects.filter(pk=row.pk).update(finished_at=began + datetime.timedelta(seconds=n))
        found.insert(0, row)
    return found


def test_filters_apply_by_themselves_and_the_back_button_brings_the_log_before(
    tenant: Tenant, owner: User, entries: list[Operation], open_page: Open, live_server: Any
) -> None:
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/logs/")
    expect(page.locator("tbody tr:not(.ls-day)")).to_have_count(5)
    page.locator("#id_result").select_option("failed")
    expect(page.locator("tbody tr:not(.ls-day)")).to_have_count(1)
    expect(page.locator("#live")).to_have_text("1 result")
    assert "result=failed" in page.url
    page.go_back()
    expect(page.locator("tbody tr:not(.ls-day)")).to_have_count(5)
    page.get_by_label("Search").press_sequentially("P3")
    expect(page.locator("tbody tr:not(.ls-day)")).to_have_count(1)
    expect(page.get_by_label("Search")).to_be_focused()
    page.get_by_role("link", name="Remove filter Search").click()
    expect(page.locator("tbody tr:not(.ls-day)")).to_have_count(5)


def test_an_entry_opens_beside_the_table_and_keys_go_through_them(
    tenant: Tenant, owner: User, entries: list[Operation], open_page: Open, live_server: Any
) -> None:
    page = open_page(owner)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{live_server.url}/t/acme/logs/")
    page.get_by_role("link", name="P4").click()
    title = page.locator("#panel-title")
    expect(title).to_have_text("Update P4")
    expect(title).to_be_focused()
    assert page.url.endswith(f"?op={entries[0].pk}")
    page.keyboard.press("n")
    expect(title).to_have_text("Update P3")
    expect(title).to_be_focused()
    page.keyboard.press("n")
    expect(title).to_have_text("Update P2")
    page.keyboard.press("p")
    expect(title).to_have_text("Update P3")
    assert sideways(page) == 0
    assert axe_in_both_schemes(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_have_count(0)
    expect(page.locator(f"#op-{entries[1].pk}")).to_be_focused()
    assert "op=" not in page.url
    page.go_back()
    expect(title).to_have_text("Update P3")


def test_keys_mean_nothing_while_somebody_types(
    tenant: Tenant, owner: User, entries: list[Operation], open_page: Open, live_server: Any
) -> None:
    page = open_page(owner)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{live_server.url}/t/acme/logs/?op={entries[0].pk}")
    expect(page.locator("#panel-title")).to_be_focused()
    page.get_by_label("Search").fill("")
    page.get_by_label("Search").press("n")
    expect(page.get_by_label("Search")).to_have_value("n")
    expect(page.get_by_text("No operations match these filters.")).to_be_visible()


def test_on_a_narrow_screen_an_entry_is_a_page_of_its_own(
    tenant: Tenant, owner: User, entries: list[Operation], open_page: Open, live_server: Any
) -> None:
    page = open_page(owner)
    page.set_viewport_size({"width": 400, "height": 900})
    page.goto(f"{live_server.url}/t/acme/logs/?kind=user")
    page.get_by_role("link", name="P4").click()
    expect(page.get_by_role("heading", name="Update P4")).to_be_visible()
    assert f"/logs/{entries[0].pk}/?kind=user" in page.url
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("heading", name="Update P3")).to_be_visible()
    assert sideways(page) == 0


def test_the_request_is_copied_as_a_command(
    tenant: Tenant, owner: User, entries: list[Operation], open_page: Open, live_server: Any
) -> None:
    page = open_page(owner)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{live_server.url}/t/acme/logs/{entries[0].pk}/")
    page.get_by_text("Request and answer").click()
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.locator("#live")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith("curl -X PATCH ")
