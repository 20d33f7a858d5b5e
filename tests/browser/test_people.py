"""One person's page in a real browser: what stands in the way, whoever has left, and that readiness says what a run says."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from portal.models import User
from sync.models import Standing, Tenant, Word
from tests.world.company import group_of, hire, leave
from tests.world.lab import Lab
from tests.world.tenant import assign, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(1, groups=1, memberships=0)]
# What is in the way of whoever stands so: the question of the chain, by words of it.
BLOCKED = {
    Word.HELD: "Last write",
    Word.GONE: "Matched",
    Word.CONFLICT: "Matched",
    Word.NOT_READY: "Ready",
    Word.FAILED: "Last write",
    Word.DIFFERS: "Last write",
    Word.DISABLED: "Assigned",
    Word.NOT_IN_SCOPE: "Assigned",
}


def test_the_page_of_each_person_opens_on_what_stands_in_the_way(
    every_standing: Tenant, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    page = open_page(owner)
    for word, question in BLOCKED.items():
        page.goto(f"{live_server.url}/t/acme/people/?word={word}")
        somebody = page.locator("#found tbody tr").first.get_by_role("link").first
        name = somebody.inner_text()
        somebody.click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        expect(page.locator("#verdict-title")).to_contain_text(str(word.label))
        page.get_by_role("link", name="Jump to what blocks").click()
        expect(page.locator("#blocked")).to_contain_text(question)
        expect(page.locator("#blocked")).to_be_in_viewport()


def test_readiness_says_what_the_run_then_says_and_leavers_are_still_found(
    wired: Tenant, lab: Lab, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    ann, bo, cy = hire(lab, "Ann Out", surname=None), hire(lab, "Bo In"), hire(lab, "Cy In")
    assign(wired, group_of(lab, "AWS-Doors", [ann, bo, cy]))
    sync(wired, "preview")
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/readiness/")
    page.get_by_role("button", name="Check now").click()
    expect(page.locator("#ready-title")).to_have_text("2 of 3 ready")
    expect(page.locator("main")).to_contain_text("Ann Out")
    Tenant.objects.update(enabled=True, enabled_changed_at=timezone.now())
    assert sync(wired).counts["created"] == 3, "two people and their group"
    assert [row.name for row in Standing.objects.filter(word=Word.NOT_READY)] == ["Ann Out"]

    leave(lab, bo)
    sync(wired)
    lab.call("POST", f"entra/users/{bo['id']}/purge")
    sync(wired)
    page.keyboard.press("/")
    page.keyboard.type("bo in")
    page.locator("#search-suggestions").get_by_role("link", name="Bo In").click()
    expect(page.locator("#verdict-title")).to_contain_text(str(Word.DISABLED.label))
    expect(page.locator("#blocked")).to_contain_text("deleted")
