"""Keyboard shortcuts: one list, on a page and in a dialog; whoever wants none turns them off."""

import re

import pytest
from django.test import Client

from portal.models import User
from sync.models import Tenant

pytestmark = pytest.mark.django_db
URL = "/help/shortcuts/"


def test_the_list_is_a_page_and_a_dialog(tenant: Tenant, jo: Client) -> None:
    page, dialog = jo.get(URL).content.decode(), jo.get(URL, headers={"HX-Request": "true"}).content.decode()
    for text in (page, dialog):
        assert "<kbd>/</kbd>" in text
        assert "<kbd>g</kbd> <kbd>m</kbd>" in text
    assert "<html" in page
    assert "<html" not in dialog
    assert 'id="dialog-title"' in dialog


def test_each_letter_of_the_list_is_a_link_of_the_menu(tenant: Tenant, jo: Client) -> None:
    listed = re.findall(r"<kbd>g</kbd> <kbd>(\w)</kbd>", jo.get(URL).content.decode())
    menu = set(re.findall(r'data-go="(\w)"', jo.get("/t/acme/logs/").content.decode()))
    assert sorted(listed) == sorted(menu)
    assert {"o", "m", "a", "r", "l", "p"} == menu


def test_single_keys_can_be_turned_off(tenant: Tenant, owner: User, jo: Client) -> None:
    assert "data-shortcuts" not in jo.get("/t/acme/logs/").content.decode()
    saved = {"name": "Jo", "time_zone": "Europe/Berlin", "appearance": "system", "density": "compact"}
    assert jo.post("/me/", saved).status_code == 302
    page = jo.get("/t/acme/logs/").content.decode()
    assert 'data-shortcuts="off"' in page
    assert 'data-density="compact"' in page
    assert "You have turned them off." in jo.get(URL).content.decode()
