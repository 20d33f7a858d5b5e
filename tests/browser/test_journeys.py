"""Journeys of an admin in a real browser, with the lab behind: without JavaScript, wrong secrets, live runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from portal.models import User
from sync.models import Run, SecondCredential, Tenant
from tests.world.chromium import STILL
from tests.world.company import hire
from tests.world.lab import Lab
from tests.world.people import code_of_app
from tests.world.runs import new_run, operation
from tests.world.tenant import assign, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(60)]


def fill_entra(page: Page, lab: Lab, secret: str) -> None:
    page.locator("#id_cloud").select_option("lab")
    page.locator("#id_directory_id").fill(f"  {lab.facts['directory_id'].upper()} ")
    page.locator("#id_client_id").fill(lab.facts["client_id"])
    page.locator("#id_secret").fill(secret)
    page.locator("#id_ends_on").fill("2027-11-01")
    page.get_by_role("button", name="Save and test").click()


def test_a_wrong_secret_fails_the_named_check_and_the_remedy_mends_it(
    lab: Lab, tenant: Tenant, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/connection/entra/")
    fill_entra(page, lab, "a-wrong-secret")
    failed = page.locator("#check-1-E4, [id$='-E4']").first
    expect(failed).to_contain_text("Failed")
    expect(page.get_by_text("AADSTS7000215").first).to_be_visible()
    page.goto(f"{live_server.url}/t/acme/connection/entra/")
    fill_entra(page, lab, lab.facts["client_secret"])
    expect(page.get_by_text("9 passed, 1 warning").first).to_be_visible()


def test_a_pasted_secret_id_is_caught_before_it_is_saved(
    lab: Lab, tenant: Tenant, owner: User, open_page: Callable[[User | None], Page], watched: Any, live_server: Any
) -> None:
    watched.allowed.add(422)
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/connection/entra/")
    fill_entra(page, lab, "11111111-2222-4333-8444-555555555555")
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    expect(page.get_by_text("secret").first).to_be_visible()
    tenant.entra.refresh_from_db()
    assert tenant.entra.sealed_credential == ""


def test_a_server_that_fails_is_said_and_nothing_on_the_page_is_lost(
    tenant: Tenant, owner: User, open_page: Callable[[User | None], Page], watched: Any, live_server: Any
) -> None:
    watched.allowed.add(500)
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/assignments/assign/")
    page.route("**/assign/", lambda route: route.fulfill(status=500, headers={"X-Request-ID": "7F3A"}))
    page.get_by_label("Search the directory").press_sequentially("developers")
    expect(page.locator("#live-alert")).to_contain_text(
        "That did not work. Your entries are still here. Try again. Reference 7F3A"
    )
    expect(page.get_by_label("Search the directory")).to_have_value("developers")


def test_the_way_on_from_an_error_is_a_button_without_a_line_under_it(
    tenant: Tenant, owner: User, open_page: Callable[[User | None], Page], watched: Any, live_server: Any
) -> None:
    watched.allowed.add(404)
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/runs/77/")
    expect(page.get_by_role("link", name="Go to the overview")).to_have_css("text-decoration-line", "none")


def test_everything_works_without_javascript(
    lab: Lab, tenant: Tenant, owner: User, browser: Browser, live_server: Any, tmp_path: Path
) -> None:
    context = browser.new_context(java_script_enabled=False, **STILL)
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto(f"{live_server.url}/t/acme/setup/")
    page.locator("#id_login").fill("jo@acme.example")
    page.locator("#id_password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Code").fill(code_of_app())
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Connect Microsoft Entra ID").click()
    fill_entra(page, lab, lab.facts["client_secret"])
    expect(page.get_by_text("9 passed, 1 warning")).to_be_visible()
    page.goto(f"{live_server.url}/t/acme/connection/aws/")
    page.locator("#id_endpoint").fill(lab.facts["scim_endpoint"])
    page.locator("#id_token").fill(lab.facts["scim_token"])
    page.get_by_role("button", name="Save and test").click()
    expect(page.get_by_text("8 passed")).to_be_visible()
    page.goto(f"{live_server.url}/t/acme/assignments/assign/")
    page.get_by_label("Search the directory").fill("AWS-Admins")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("checkbox", name="AWS-Admins").check()
    page.get_by_role("button", name="Assign").click()
    expect(page.get_by_role("heading", name="Groups (1)")).to_be_visible()
    page.goto(f"{live_server.url}/t/acme/mappings/people/")
    page.get_by_role("button", name="Use the recommended mappings").click()
    expect(page.get_by_role("link", name="Edit phoneNumbers[fax]")).to_have_count(0)
    page.get_by_role("link", name="Edit title").click()
    page.get_by_label("Source", exact=True).fill("department")
    page.get_by_role("button", name="Save mapping").click()
    expect(page.locator("tr", has_text="Job title")).to_contain_text("department")
    page.goto(f"{live_server.url}/t/acme/provisioning/turn-on/")
    page.get_by_role("button", name="Preview first").click()
    page.get_by_role("button", name="Turn on and start the first sync").click()
    expect(page.get_by_role("heading", name="Run 2")).to_be_visible()
    expect(page.locator(".ls-run-state")).to_contain_text("Completed")
    page.get_by_role("link", name="Open in logs").click()
    page.locator("#id_result").select_option("created")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("tbody tr:not(.ls-day)")).to_have_count(7)
    assert len(lab.aws()["users"]) == 6
    context.close()


def test_a_live_run_keeps_the_focus_and_stops_asking_when_it_is_over(
    tenant: Tenant, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    run = Run.objects.create(tenant=tenant, number=1, kind="full", trigger="person", state="running", phases={"read": {"state": "running", "seconds": 0, "facts": {}}})  # fmt: skip
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/runs/1/")
    page.locator("#cancel-run").focus()
    for sequence in range(1, 4):
        with page.expect_response(lambda answer: "seen=" in answer.url and answer.status == 200):
            Run.objects.filter(pk=run.pk).update(sequence=sequence, planned=sequence)
        expect(page.locator("#cancel-run")).to_be_focused()
    Run.objects.filter(pk=run.pk).update(state="completed", sequence=9)
    expect(page.locator(".ls-run-state")).to_contain_text("Completed")
    expect(page.locator("#run-pill")).to_contain_text("Run 1")
    expect(page.locator("#run-pill .ls-pill-running")).to_have_count(0)
    # A finished fragment has no trigger: htmx asks no more.
    expect(page.locator("#run-head[hx-trigger]")).to_have_count(0)


def test_a_hidden_tab_asks_nothing_and_goes_on_when_it_is_seen(
    tenant: Tenant, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    Run.objects.create(tenant=tenant, number=1, kind="full", trigger="person", state="running")
    page = open_page(owner)
    asked: list[str] = []
    page.clock.install()
    page.goto(f"{live_server.url}/t/acme/runs/1/")
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("Object.defineProperty(document, 'hidden', { configurable: true, get: () => window.unseen })")
    page.evaluate("window.unseen = true")
    page.clock.run_for(20_000)
    assert [url for url in asked if "seen=" in url or "pill" in url] == []
    with page.expect_response(lambda answer: "seen=" in answer.url):
        page.evaluate("window.unseen = false")
        page.clock.run_for(3_000)


def press_tab_to(page: Page, wanted: str) -> None:
    """By Tab alone, as far as from one field of a form to the next."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            return
    raise AssertionError(f"{wanted} is not reached by Tab")


def test_a_half_is_connected_and_tested_by_keyboard_alone(
    lab: Lab, tenant: Tenant, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/connection/aws/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    press_tab_to(page, "#id_endpoint")
    page.keyboard.type(lab.facts["scim_endpoint"])
    press_tab_to(page, "#id_token")
    page.keyboard.type(lab.facts["scim_token"])
    page.keyboard.press("Enter")
    expect(page.get_by_text("8 passed")).to_be_visible()


def test_failures_are_grouped_and_one_kind_is_retried(
    tenant: Tenant,
    owner: User,
    open_page: Callable[[User | None], Page],
    live_server: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sync.queue.send", lambda _task, _key: None)
    Tenant.objects.update(enabled=True, enabled_changed_at=timezone.now(), last_run_number=1)
    run = new_run(tenant, state="completed_with_errors", started_at=timezone.now(), finished_at=timezone.now())
    for n in range(3):
        facts = {"object_id": f"{n}" * 36, "display_name": f"P{n}", "result": "failed", "action": "create"}
        operation(tenant, run, problem="missing-family-name" if n else "rejected", attribute="name.familyName", **facts)
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/runs/1/")
    groups = page.locator("#problems details")
    expect(groups).to_have_count(2)
    expect(groups.first).to_contain_text("2 affected")
    expect(groups.first.get_by_role("button", name="Retry these")).to_be_visible()
    expect(groups.last.get_by_role("button", name="Retry these")).to_be_hidden()
    groups.first.get_by_role("button", name="Retry these").click()
    expect(page.get_by_role("heading", name="Run 2")).to_be_visible()
    expect(page.locator(".ls-run-state")).to_contain_text("Queued")


def test_a_token_is_replaced_without_a_gap(
    wired: Tenant, lab: Lab, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    """Enter, test, switch, a good sync, and only then delete the former one there and here."""
    assign(wired, hire(lab, "Ann Gap"))
    sync(wired)
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/connection/")
    page.locator("#replace-aws").click()
    token = lab.call("POST", "aws/token", {"action": "new"})["secret"]
    page.locator("#id_token").fill(token)
    page.locator("#id_token_created_on").fill(timezone.localdate().isoformat())
    page.locator("#enter").click()
    expect(page.locator("#step-switch")).to_have_count(0)
    page.locator("#step-test").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Test of the second credential of AWS IAM Identity Center"
    )
    expect(page.get_by_text("The credential in use goes on working until you switch.")).to_be_visible()
    page.locator("#go-on").click()
    page.locator("#step-switch").click()
    expect(page.locator("#second")).to_contain_text("As soon as a sync has succeeded with it")
    assign(wired, hire(lab, "Bo Gap"))
    assert sync(wired).state == Run.State.COMPLETED
    page.reload()
    expect(page.locator("#second")).to_contain_text("delete the older token")
    lab.call("POST", "aws/token", {"action": "delete former"})
    # The tests of this file share a lab.
    lab.facts["scim_token"] = token
    page.locator("#step-remove").click()
    expect(page.locator("#step-remove")).to_have_count(0)
    assert sync(wired, "full").state == Run.State.COMPLETED
    assert not SecondCredential.objects.exists()
