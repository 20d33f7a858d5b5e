"""Signing in, the first Owner, and that nobody makes an account for himself."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from portal.access import first_run
from portal.models import Role, RoleGrant, User
from sync.models import AuditEntry, Tenant
from tests.world.people import PASSWORD, code_of_app


@pytest.mark.parametrize("path", ["/accounts/signup/", "/accounts/reset/", "/accounts/login/", "/sign-up/", "/signup/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_makes_an_account_for_himself(db: None, path: str, method: str) -> None:
    form = {"email": "eve@evil.example", "password1": PASSWORD, "password2": PASSWORD}
    answer = getattr(Client(), method)(path, form)
    assert answer.status_code == 404
    assert not User.objects.exists()


def test_the_right_password_and_code_sign_in(owner: User) -> None:
    client = Client()
    answer = client.post("/sign-in/", {"login": "JO@acme.example", "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, reverse("mfa_authenticate"))
    answer = client.post(answer["Location"], {"code": code_of_app()})
    assert (answer.status_code, answer["Location"]) == (302, reverse("tenants"))


@pytest.mark.parametrize(
    "form", [{"login": "jo@acme.example", "password": "wrong"}, {"login": "no@one.example", "password": "x"}]
)
def test_a_wrong_part_is_not_named(owner: User, form: dict[str, str]) -> None:
    answer = Client().post("/sign-in/", form)
    assert answer.status_code == 200
    assert "There is a problem" in answer.content.decode()
    assert "wrong" not in answer.content.decode().replace(form["password"], "")


def test_too_many_misses_slow_down(owner: User) -> None:
    client = Client()
    for _ in range(8):
        answer = client.post("/sign-in/", {"login": "jo@acme.example", "password": "wrong"})
    assert answer.status_code == 429 or "Too many" in answer.content.decode()


def test_a_strange_address_is_not_followed_after_sign_in(owner: User) -> None:
    form = {"login": "jo@acme.example", "password": PASSWORD, "next": "https://evil.example/"}
    client = Client()
    client.post("/sign-in/", form)
    assert client.post("/sign-in/verify/", {"code": code_of_app()})["Location"] == reverse("tenants")


def test_the_first_owner_needs_the_code_of_the_terminal(db: None) -> None:
    code = first_run.issue_code()
    form = {"name": "Jo", "email": "jo@acme.example", "password": PASSWORD, "time_zone": "Europe/Berlin"}
    client = Client()
    assert client.post("/first-run/", form | {"code": "AAAA-AAAA-AAAA-AAAA"}).status_code == 422
    assert not User.objects.exists()
    assert client.post("/first-run/", form | {"code": code.lower()})["Location"] == "/t/new/"
    assert RoleGrant.objects.get().role == Role.OWNER
    assert set(AuditEntry.objects.values_list("verb", flat=True)) == {"user.first_owner", "sign_in"}


def test_there_is_no_second_first_owner(owner: User) -> None:
    first_run.issue_code()
    assert Client().get("/first-run/").status_code == 404


def test_a_weak_password_is_refused_with_its_reason(db: None) -> None:
    code = first_run.issue_code()
    form = {"name": "Jo", "email": "jo@acme.example", "password": "short", "time_zone": "UTC", "code": code}
    answer = Client().post("/first-run/", form)
    assert answer.status_code == 422
    assert "12 characters" in answer.content.decode()


def test_a_page_sends_a_stranger_to_sign_in_and_remembers_where(tenant: Tenant) -> None:
    answer = Client().get("/t/acme/logs/?result=failed")
    assert answer["Location"] == "/sign-in/?next=/t/acme/logs/%3Fresult%3Dfailed"


def test_a_poll_after_sign_out_takes_the_browser_to_sign_in(tenant: Tenant) -> None:
    answer = Client().get("/t/acme/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (401, "/sign-in/")


def test_own_settings_are_saved(owner: User, client_of: Callable[[User], Client]) -> None:
    client_of(owner).post(
        "/me/", {"name": "Jo Lin", "time_zone": "Europe/Berlin", "appearance": "dark", "density": "compact"}
    )
    owner.refresh_from_db()
    assert (owner.time_zone, owner.appearance, owner.density) == ("Europe/Berlin", "dark", "compact")
