"""Where a sign-in or a confirmation leads: to pages of ours, whatever the address says."""

from collections.abc import Callable
from urllib.parse import quote, urlsplit

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from portal.access.sealed_factors import SEALED_FOR
from portal.models import Role, RoleGrant, User
from sync.connection.sealing import seal
from sync.models import Tenant
from tests.world.people import APP_KEY, PASSWORD, code_of_app

STRANGE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "////evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "\\/evil.example/",
    "https:evil.example",
    "https:/evil.example",
    "http:///evil.example/",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    " //evil.example/",
    "/\t/evil.example/",
    "//testserver@evil.example/",
    "https://testserver.evil.example/",
    "https://testserver@evil.example/",
    "//evil.example\\@testserver/",
    "ftp://testserver/",
    "http://[evil.example/",
]


def is_ours(location: str) -> bool:
    """As a browser reads it: backslashes are slashes, and tabs and lines are not there (URL standard, 4.4)."""
    read = "".join(letter for letter in location.strip() if letter not in "\t\r\n").replace("\\", "/")
    parts = urlsplit(read)
    return not parts.scheme and not parts.netloc and not read.startswith("//")


def test_after_signing_in(tenant: Tenant, viewer: User) -> None:
    Authenticator.objects.all().delete()
    for strange in STRANGE:
        answer = Client().post("/sign-in/", {"login": viewer.email, "password": PASSWORD, "next": strange})
        assert (answer.status_code, is_ours(answer["Location"])) == (302, True), strange


@pytest.mark.parametrize("page", ["/sign-in/again/code/", "/sign-in/again/passkey/"])
def test_after_confirming(jo: Client, page: str) -> None:
    for strange in STRANGE:
        # A code works once.
        Authenticator.objects.update(data={"secret": seal(APP_KEY, SEALED_FOR)})
        answer = jo.post(f"{page}?next={quote(strange)}", {"code": code_of_app(), "next": strange})
        assert is_ours(answer.get("Location", "/")), strange
        assert "evil.example" not in answer.get("Location", "")


def test_after_another_password(jo: Client) -> None:
    now, then = PASSWORD, "another quiet river"
    for strange in STRANGE:
        form = {"current": now, "password": then, "next": strange}
        answer = jo.post(f"/me/password/?next={quote(strange)}", form)
        assert (answer.status_code, is_ours(answer["Location"])) == (302, True), strange
        now, then = then, now


def test_after_setting_up_a_second_factor(viewer: User, client_of: Callable[[User], Client]) -> None:
    Authenticator.objects.all().delete()
    RoleGrant.objects.update(role=Role.OPERATOR)
    client = client_of(viewer)
    for strange in STRANGE:
        client.get("/me/security/", {"next": strange})
        assert is_ours(client.session.get("go_on_to", "/")), strange
    client.get("/me/security/", {"next": "/t/acme/logs/"})
    assert client.session["go_on_to"] == "/t/acme/logs/"


def test_a_page_of_ours_is_followed(jo: Client) -> None:
    answer = jo.post("/sign-in/again/code/?next=/me/", {"code": code_of_app()})
    assert answer["Location"] == "/me/"
