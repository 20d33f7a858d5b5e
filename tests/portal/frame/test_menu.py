"""The menu beside every page of a tenant."""

import re
from pathlib import Path

import pytest
from django.test import Client

from portal.access.pages import access_table
from portal.frame.menu import menu
from sync.approvals import services
from sync.models import Tenant

pytestmark = pytest.mark.django_db


def test_the_menu_counts_what_waits_once_a_page(ready: Tenant, jo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[Tenant] = []
    found = services.decisions(ready)
    monkeypatch.setattr(services, "decisions", lambda tenant, _newest: counted.append(tenant) or found)
    page = jo.get("/t/acme/provisioning/").content.decode()
    assert counted == [ready]
    assert page.count('href="/t/acme/approvals/"') == 2


def test_templates_ask_of_pages_that_are_there() -> None:
    """Django takes a page that is not in the table for one that nobody may use."""
    templates = (Path(__file__).parents[3] / "templates").rglob("*.html")
    asked = {name for path in templates for name in re.findall(r"frame\.may\.(\w+)", path.read_text())}
    assert asked
    assert asked <= access_table().keys()


def test_templates_ask_for_no_right_by_its_name() -> None:
    """One table says which page needs which."""
    templates = (Path(__file__).parents[3] / "templates").rglob("*.html")
    assert [path.name for path in templates if "frame.rights" in path.read_text()] == []


def test_the_menu_leaves_out_what_does_not_open(tenant: Tenant) -> None:
    groups = menu(tenant, "overview", opens=lambda page: page != "approvals")
    names = {item["name"] for group in groups for item in group["items"]}  # type: ignore[attr-defined]
    assert "approvals" not in names
    assert "runs" in names
