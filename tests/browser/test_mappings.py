"""Journeys of the mapping pages with real people of the lab: by mouse, by keyboard, two admins at once."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal.models import User
from sync.models import Tenant
from sync.services import configurations, drafts, runs
from tests.lab_process import Lab
from tests.sync.engine.conftest import ACTOR, assign, sync, wire

pytestmark = pytest.mark.django_db(transaction=True)

Open = Callable[[User | None], Page]


@pytest.fixture(scope="module")
def lab_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("lab"), "--aws-tps", "0") as running:
        yield running


@pytest.fixture
def read(lab_process: Lab, tenant: Tenant, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    """Everybody was read and written once, under a published version."""
    lab_process.call("DELETE", "aws/users")
    settings.EXTRA_CLOUDS = lab_process.clouds
    settings.EXTRA_SCIM_HOSTS = lab_process.scim_hosts
    monkeypatch.setattr(runs, "RUN_RATE", 1000.0)
    wire(tenant, lab_process)
    configurations.apply_recommended(actor=ACTOR, tenant=tenant)
    assign(tenant, lab_process.entra_group("AWS-Admins"))
    sync(tenant)
    draft = tenant.configurations.draft()
    if draft is not None:
        drafts.make_version(draft, actor=ACTOR)
    return tenant


def someone(lab: Lab, name: str = "") -> dict[str, Any]:
    users: list[dict[str, Any]] = lab.call("GET", "entra/state")["users"]
    return next(one for one in users if not name or one["displayName"] == name)


def test_look(read: Tenant, lab_process: Lab, owner: User, open_page: Open, live_server: Any) -> None:
    page = open_page(owner)
    who = someone(lab_process)
    base = f"{live_server.url}/t/acme/mappings/people/"
    page.set_viewport_size({"width": 1280, "height": 1000})
    page.goto(f"{base}?person={who['id']}")
    page.screenshot(path="/tmp/shots/list.png", full_page=True)
    page.get_by_role("link", name="Edit name.familyName").click()
    page.get_by_label("Expression").first.check()
    page.locator("textarea").fill('Coalesce([surname], Item(Split([displayName], " "), 2), "-")')
    expect(page.locator(".ls-result")).to_be_visible()
    page.wait_for_timeout(900)
    page.screenshot(path="/tmp/shots/edit.png", full_page=True)
    page.locator(".ls-functions > summary").click()
    page.wait_for_timeout(400)
    page.screenshot(path="/tmp/shots/functions.png", full_page=True)
    page.locator("textarea").fill('Coalesce([surname], Item(Split([displayName], " "), 2), "-"')
    page.wait_for_timeout(900)
    page.screenshot(path="/tmp/shots/wrong.png", full_page=True)
    page.locator("textarea").fill('Coalesce([surname], Item(Split([displayName], " "), 2), "-")')
    page.get_by_role("button", name="Use this expression").click()
    page.wait_for_timeout(600)
    page.screenshot(path="/tmp/shots/saved.png", full_page=True)
    page.get_by_role("link", name="Edit title").click()
    page.locator("[role=combobox]").click()
    page.wait_for_timeout(300)
    page.screenshot(path="/tmp/shots/combobox.png")
    page.emulate_media(color_scheme="dark")
    page.screenshot(path="/tmp/shots/dark.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 400, "height": 900})
    page.screenshot(path="/tmp/shots/narrow.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 900})
    for name in ("expressions", "fields"):
        page.goto(f"{live_server.url}/t/acme/mappings/{name}/")
        page.screenshot(path=f"/tmp/shots/{name}.png")
