"""Somebody works in AWS by hand, and then empties it: every page says so by name, and one press mends it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from portal.models import User
from sync.models import Delivery, Tenant
from sync.standings import queries as standings
from tests.world.company import aws_user, group_of, hire
from tests.world.lab import Lab
from tests.world.notified import mail_to
from tests.world.tenant import assign, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(1, groups=1, memberships=0)]


class Admin:
    """Looks at the pages, and presses what they offer."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, f"{url}/t/acme/"

    def compare(self) -> None:
        self.page.goto(f"{self.url}drift/")
        self.page.get_by_role("button", name="Compare now").click()
        expect(self.page.locator("#verdict-title")).to_be_visible()

    def repair(self, what: str = "Repair all") -> None:
        self.page.goto(f"{self.url}drift/")
        self.page.get_by_role("link", name=what).click()
        self.page.get_by_role("dialog").get_by_role("button", name="Repair").click()
        expect(self.page.locator(".ls-run-state")).to_contain_text("Completed")

    def expect_everywhere(self, reaching: int, named: list[str]) -> None:
        """The overview, the bell, the list of tenants and of people: the same numbers, and the names."""
        page = self.page
        page.goto(self.url)
        expect(page.locator(".ls-sentence")).to_contain_text(f"{reaching} of 3 people in scope")
        for name in named:
            expect(page.locator("#overview .ls-need", has_text=name).first).to_be_visible()
        expect(page.locator("#bell .ls-bell-count")).to_have_count(1 if named else 0)
        page.goto(f"{self.url}people/?word=in_aws")
        expect(page.locator("#found tbody tr")).to_have_count(reaching)
        page.goto(f"{self.url.removesuffix('acme/')}?stay=1")
        expect(page.locator("#tenant-rows tbody tr")).to_contain_text(re.compile(rf"{reaching}\s+of 3"))


def test_what_was_done_by_hand_is_named_everywhere_and_mended_by_one_press(
    wired: Tenant, lab: Lab, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    ann, bo, cy = (hire(lab, f"{name} Hand") for name in ("Ann", "Bo", "Cy"))
    assign(wired, group_of(lab, "AWS-Hand", [ann, bo, cy]))
    mail_to(wired)
    sync(wired)
    Tenant.objects.update(enabled=True, enabled_changed_at=timezone.now())
    admin = Admin(open_page(owner), live_server.url)
    admin.compare()
    admin.expect_everywhere(3, [])

    lab.call("DELETE", f"aws/users/{aws_user(lab, ann['id'])['id']}")
    lab.call("PATCH", f"aws/users/{aws_user(lab, bo['id'])['id']}", {"displayName": "Somebody Else"})
    admin.compare()
    admin.expect_everywhere(1, ["Ann Hand", "Bo Hand"])
    assert "Ann Hand" in " ".join(Delivery.objects.values_list("body", flat=True))
    admin.page.goto(f"{admin.url}people/{ann['id']}/")
    expect(admin.page.locator("main")).to_contain_text("Gone from AWS")
    admin.repair("Repair Bo Hand")
    admin.compare()
    admin.expect_everywhere(2, ["Ann Hand"])
    admin.repair()
    admin.compare()
    admin.expect_everywhere(3, [])

    lab.call("DELETE", "aws/users")
    admin.compare()
    admin.expect_everywhere(0, ["Ann Hand", "Bo Hand", "Cy Hand"])
    admin.repair()
    admin.compare()
    admin.expect_everywhere(3, [])
    assert len([user for user in lab.aws()["users"] if user["active"]]) == 3
    assert standings.differences(wired) == []
