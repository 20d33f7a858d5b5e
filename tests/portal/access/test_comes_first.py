"""What has to be done before any page opens stands over every address of the site map, whatever it gains."""

from dataclasses import replace
from datetime import timedelta
from itertools import cycle

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.test import Client
from django.utils import timezone

from portal.models import Role, User
from tests.portal.access.test_pages import OTHERS, PAGES, World, world

__all__ = ["world"]
pytestmark = pytest.mark.django_db

# What comes before all pages -> what is open until it is done: the pages that do it, and the way out.
FIRST = {
    "/me/security/": {"mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "account_reauthenticate"},
    # By a passkey, too, for whoever has one.
    "/sign-in/again/code/": {"mfa_reauthenticate"},
    "/me/password/": {"password"},
}


def test_every_address_leads_to_setting_up_a_second_factor(world: World) -> None:
    """By each role above Viewer in turn: tests/portal/access/test_second_factor.py has
    each of them on one page. At the API a session counts for nothing."""
    Authenticator.objects.all().delete()
    check_comes_first(world, [role for role in Role if role is not Role.VIEWER], "/me/security/")


def test_every_address_leads_to_giving_the_second_factor(world: World) -> None:
    """In a session that began without it."""
    client = Client()
    client.force_login(User.objects.get(email="owner@acme.example"))
    world = replace(world, sessions={Role.OWNER: client.cookies[settings.SESSION_COOKIE_NAME].value})
    check_comes_first(world, [Role.OWNER], "/sign-in/again/code/")


def test_every_address_leads_to_changing_a_password_that_somebody_else_set(world: World) -> None:
    User.objects.update(password_ends_at=timezone.now() + timedelta(days=1))
    check_comes_first(world, list(Role), "/me/password/")


def check_comes_first(world: World, roles: list[Role], page: str) -> None:
    names = [name for name in (PAGES | OTHERS) if name not in FIRST[page] | {"account_logout", "api_openapi"}]
    leads = {name: led(world.client(role), "GET", world.address(name)) for name, role in zip(names, cycle(roles))}
    leads["POST"] = led(world.client(roles[-1]), "POST", world.address("sync_now"))
    assert {name: found for name, found in leads.items() if found != (302, page)} == {}
    client = world.client(roles[-1])
    assert page not in {led(client, "GET", world.address(name))[1] for name in FIRST[page]}
    assert led(client, "POST", world.address("account_logout")) == (302, "/sign-in/")


def led(client: Client, method: str, address: str) -> tuple[int, str]:
    """Status, and the page where the answer leads."""
    answer = client.generic(method, address)
    return answer.status_code, answer.headers.get("Location", "").partition("?")[0]
