"""Import of a file in a real browser: every state accessible and fitting, with JavaScript and without."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from portal.models import User
from sync.configuration import versions
from sync.configuration.drafts import draft_or_current
from sync.configuration.files import microsoft
from sync.configuration.files.writing import export_configuration
from sync.configuration.settings import set_settings
from sync.models import Tenant
from tests.world.browser import Watched, axe_in_both_schemes, sideways
from tests.world.chromium import STILL
from tests.world.ms_schema import SAMPLE, GraphWithJobs
from tests.world.people import sign_in

pytestmark = pytest.mark.django_db(transaction=True)
JO = "jo@acme.example"


@pytest.fixture
def published(tenant: Tenant) -> Tenant:
    """A version, and a draft that Microsoft's schema cannot say all of."""
    versions.make_version(draft_or_current(tenant), actor=JO)
    set_settings(actor=JO, tenant=tenant, user_actions=["create", "update"])
    return tenant


def sound(page: Page) -> None:
    assert axe_in_both_schemes(page) == []
    page.set_viewport_size({"width": 320, "height": 800})
    assert sideways(page) == 0
    page.set_viewport_size({"width": 1280, "height": 800})


def bring(page: Page, document: Any) -> None:
    file = {"name": "acme.json", "mimeType": "application/json", "buffer": json.dumps(document).encode()}
    page.get_by_label("File", exact=True).set_input_files([file])  # type: ignore[list-item]
    page.get_by_role("button", name="Check the file").click()


def test_every_state_of_the_pages_is_accessible_and_fits(
    published: Tenant,
    owner: User,
    open_page: Callable[[User | None], Page],
    watched: Watched,
    live_server: Any,
) -> None:
    watched.allowed |= {409, 422}
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/configuration/export/")
    expect(page.get_by_role("heading", name="What Microsoft's schema cannot say")).to_be_visible()
    sound(page)
    page.goto(f"{live_server.url}/t/acme/configuration/import/")
    bring(page, {"settings": {"everybody": 1}, "mappings": {"people": []}})
    expect(page.get_by_role("heading", name="There is a problem")).to_be_visible()
    expect(page.locator(".ls-summary")).to_be_focused()
    sound(page)
    bring(page, export_configuration(draft_or_current(published)))
    expect(page.get_by_text("There is nothing to put into the draft")).to_be_visible()
    sound(page)
    page.goto(f"{live_server.url}/t/acme/configuration/import/")
    bring(page, SAMPLE)
    expect(page.get_by_role("button", name="Put into the draft")).to_be_visible()
    page.get_by_text("parts are taken over as they are").click()
    sound(page)
    set_settings(actor="ravi@acme.example", tenant=published, leave_out_guests=True)
    page.get_by_role("button", name="Put into the draft").click()
    expect(page.get_by_text("Somebody has changed the configuration meanwhile")).to_be_visible()
    sound(page)


def test_of_several_jobs_one_is_chosen(
    tenant: Tenant,
    owner: User,
    open_page: Callable[[User | None], Page],
    live_server: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    jobs = [f"aWSSingleSignon.{'0123456789abcdef' * 2}.{one * 60}" for one in "ab"]
    monkeypatch.setattr(microsoft, "client_of", lambda _tenant: GraphWithJobs(*jobs))
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/configuration/import/")
    page.get_by_label("Object ID or application ID").fill("5f8d1c0a-3c1e-4c55-9d0e-7a5b0c9e1f21")
    page.get_by_role("button", name="Read from Entra").click()
    expect(page.get_by_role("group", name="Provisioning job").get_by_role("radio")).to_have_count(2)
    sound(page)
    page.get_by_label(jobs[1]).check()
    page.get_by_role("button", name="Read from Entra").click()
    expect(page.get_by_role("button", name="Put into the draft")).to_be_visible()
    expect(page.get_by_text(jobs[1]).first).to_be_visible()


def test_a_file_is_checked_and_put_into_the_draft(
    tenant: Tenant, owner: User, open_page: Callable[[User | None], Page], live_server: Any
) -> None:
    versions.make_version(draft_or_current(tenant), actor=JO)
    page = open_page(owner)
    page.goto(f"{live_server.url}/t/acme/configuration/export/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download Lockstep's file").click()
    document = json.loads(download.value.path().read_text())
    document["mappings"]["people"][3]["source"] = "department"
    page.goto(f"{live_server.url}/t/acme/configuration/import/")
    bring(page, document)
    row = page.get_by_role("row").filter(has_text="title")
    expect(row).to_contain_text("jobTitle")
    expect(row).to_contain_text("department")
    assert tenant.configurations.draft() is None
    page.get_by_role("button", name="Put into the draft").click()
    expect(page.get_by_text("1 change is in the draft.")).to_be_visible()
    assert draft_or_current(tenant).mappings.get(target="title").source == "department"


def test_without_javascript_a_pasted_schema_goes_into_the_draft(
    tenant: Tenant, owner: User, browser: Browser, live_server: Any
) -> None:
    client = Client()
    sign_in(client, owner)
    context = browser.new_context(java_script_enabled=False, **STILL)
    context.add_cookies(
        [
            {
                "name": settings.SESSION_COOKIE_NAME,
                "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
                "url": live_server.url,
            }
        ]
    )
    page = context.new_page()
    page.goto(f"{live_server.url}/t/acme/configuration/import/")
    page.get_by_label("Or paste the JSON").fill(json.dumps(SAMPLE))
    page.get_by_role("button", name="Check the file").click()
    page.get_by_role("button", name="Put into the draft").click()
    expect(page.get_by_text("changes are in the draft.")).to_be_visible()
    assert draft_or_current(tenant).filters.count() == 3
    context.close()
