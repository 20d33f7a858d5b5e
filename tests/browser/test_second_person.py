"""Two people at two browsers: what one asked for the other approves, and nobody approves what is their own."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from portal.models import Role, User
from sync.models import HeldChange, Hold, Run, Tenant
from tests.world.people import person
from tests.world.second_person import has_been_on

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.queue.send", lambda _task, _key: None)


@pytest.fixture
def on(tenant: Tenant) -> Tenant:
    return has_been_on(tenant)


@pytest.fixture
def ann(on: Tenant) -> User:
    """Who has signed in before."""
    user = person("ann@acme.example", Role.APPROVER, on)
    user.last_login = timezone.now()
    user.save()
    return user


def test_a_raised_limit_waits_for_the_other(
    on: Tenant, owner: User, ann: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/provisioning/#safety")
    page.get_by_label("… but never more than (people)").fill("500")
    page.get_by_role("button", name="Save safety settings").click()
    expect(page.get_by_text("This needs a second person. It waits under Approvals.")).to_be_visible()
    page.get_by_role("link", name="see it under Approvals").click()
    expect(page.get_by_text("Somebody else approves it: ann@acme.example")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    other = open_page(ann)
    other.goto(f"{live_server.url}/t/acme/approvals/")
    expect(other.get_by_text("Asked for by jo@acme.example")).to_be_visible()
    other.get_by_role("button", name=re.compile("^Approve.*Change the safety settings")).click()
    expect(other.get_by_text("Approved and carried out.")).to_be_visible()
    on.refresh_from_db()
    assert on.limits == {"people_at_most": 500}


def test_own_removals_are_refused_and_the_other_approves_them(
    on: Tenant, owner: User, ann: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    hold = hold_of(on, owner.email)
    page = open_page(owner)
    approve(page, live_server.url, hold)
    expect(page.get_by_text("Somebody else approves them: ann@acme.example")).to_be_visible()
    assert set(hold.changes.values_list("decision", flat=True)) == {"waiting"}
    other = open_page(ann)
    approve(other, live_server.url, hold)
    expect(other.get_by_text("3 approved.")).to_be_visible()
    assert set(hold.changes.values_list("decided_by", flat=True)) == {ann.email}


def test_held_removals_are_printed_by_a_button(
    on: Tenant, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/approvals/{hold_of(on, owner.email).pk}/")
    page.evaluate("window.print = () => { document.body.dataset.printed = ''; }")
    page.get_by_role("button", name="Print").click()
    expect(page.locator("body")).to_have_attribute("data-printed", "")


def hold_of(tenant: Tenant, causer: str) -> Hold:
    now = timezone.now()
    run = Run.objects.create(
        tenant=tenant, number=1, kind="changes", trigger="schedule", state="waiting_for_approval", started_at=now,
        finished_at=now,
    )  # fmt: skip
    Tenant.objects.update(last_run_number=1)
    hold = Hold.objects.create(tenant=tenant, kind="people", run=run, facts={"limit": 1, "planned": 3})
    for n in range(3):
        HeldChange.objects.create(
            hold=hold, tenant=tenant, action="disable", object_type="user", object_id=f"{n:036d}",
            display_name=f"Leaver {n}", cause="not-assigned", caused_by=[causer],
        )  # fmt: skip
    return hold


def approve(page: Page, url: str, hold: Hold) -> None:
    page.goto(f"{url}/t/acme/approvals/{hold.pk}/")
    page.get_by_label("Type acme to confirm").fill("acme")
    page.get_by_role("button", name=re.compile("^Remove 3$")).click()
