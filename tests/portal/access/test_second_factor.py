"""The second factor: every page waits for it, from every role that may do more than read."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.http import HttpResponse
from django.test import Client

from portal.access import users
from portal.access.allauth_adapter import SealedMFAAdapter
from portal.access.sealed_factors import SEALED_FOR
from portal.models import Role, RoleGrant, User
from sync.connection.sealing import unseal
from sync.models import AuditEntry, Tenant
from tests.world.people import APP_KEY, PASSWORD, code_of_app, person

LOGS = "/t/acme/logs/"
VERIFY = "/sign-in/verify/"


def newcomer(role: Role, tenant: Tenant | None = None) -> User:
    """Without a second factor yet."""
    user = person("new@acme.example", role, tenant if role is not Role.OWNER else None)
    Authenticator.objects.all().delete()
    return user


def by_password(user: User) -> Client:
    client = Client()
    answer = client.post("/sign-in/", {"login": user.email, "password": PASSWORD})
    assert answer.status_code == 302
    return client


def by_both(user: User, code: str) -> Any:
    client = by_password(user)
    return client.post(VERIFY, {"code": code})


SetUp = Callable[[Client], tuple[str, list[str]]]


@pytest.fixture
def set_up(transactional_db: None) -> SetUp:
    """By the pages: the key of the app, and the recovery codes. What follows is done when the database has taken it."""

    def by_pages(client: Client) -> tuple[str, list[str]]:
        page = client.get("/me/security/app/").content.decode()
        key = re.search(r'id="totp-key"[^>]*>(\w+)<', page)
        assert key
        client.post("/me/security/app/", {"code": code_of_app(key[1], periods=-1)})
        return key[1], codes_in(client.get("/me/security/codes/"))

    return by_pages


def codes_in(page: HttpResponse) -> list[str]:
    return re.findall(r"<li><code>(\d+)</code>", page.content.decode())


@pytest.mark.parametrize("change", [users.reset_password, users.reset_second_factor, users.deactivate])
def test_a_sign_in_that_is_half_done_ends_with_what_it_went_by(owner: User, tenant: Tenant, change: Any) -> None:
    """Whoever had lost the phone and went on after an Owner's reset was sent to and fro; whoever knew the old password got in."""
    helper = person("helper@acme.example", Role.OPERATOR, tenant)
    client = by_password(helper)
    change(actor=owner.email, user=User.objects.get(pk=helper.pk))
    answer = client.post(VERIFY, {"code": code_of_app()}, follow=True)
    assert [where for where, _status in answer.redirect_chain] == ["/sign-in/"]
    assert client.get(LOGS)["Location"].startswith("/sign-in/")


def test_a_half_done_sign_in_goes_on_where_nothing_changed(owner: User) -> None:
    client = by_password(owner)
    assert client.get("/sign-in/")["Location"] == VERIFY
    assert client.post(VERIFY, {"code": code_of_app()})["Location"] == "/t/"


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.VIEWER])
def test_no_page_opens_above_viewer_before_it_is_set_up(tenant: Tenant, role: Role) -> None:
    """Which pages all are is in test_comes_first.py."""
    client = by_password(newcomer(role, tenant))
    assert client.get(LOGS)["Location"].startswith("/me/security/")
    assert client.get(LOGS, headers={"HX-Request": "true"})["HX-Redirect"] == "/me/security/"
    assert "second factor" in client.get("/me/security/").content.decode()
    assert client.post("/sign-out/").status_code == 302


def test_a_viewer_needs_none_and_may_have_one(tenant: Tenant, set_up: SetUp) -> None:
    viewer = newcomer(Role.VIEWER, tenant)
    client = by_password(viewer)
    assert client.get(LOGS).status_code == 200
    key, _codes = set_up(client)
    assert client.get(LOGS).status_code == 200
    assert by_password(viewer).get(LOGS)["Location"].startswith("/sign-in/")
    assert by_both(viewer, code_of_app(key)).status_code == 302


def test_a_viewer_of_one_tenant_who_operates_another_needs_one(tenant: Tenant) -> None:
    viewer = newcomer(Role.VIEWER, tenant)
    client = by_password(viewer)
    RoleGrant.objects.create(user=viewer, role=Role.OPERATOR, tenant=Tenant.objects.create(name="Other", slug="other"))
    assert client.get(LOGS)["Location"].startswith("/me/security/")


def test_setting_up_an_app_opens_the_pages_and_shows_recovery_codes_once(tenant: Tenant, set_up: SetUp) -> None:
    owner = newcomer(Role.OWNER)
    client = by_password(owner)
    key, codes = set_up(client)
    assert len(set(codes)) == 10
    assert client.get(LOGS).status_code == 200
    again = client.get("/me/security/codes/").content.decode()
    assert not [code for code in codes if code in again]
    assert by_both(owner, code_of_app(key))["Location"] == "/t/"
    verbs = set(AuditEntry.objects.filter(actor=owner.email).values_list("verb", flat=True))
    assert verbs == {"sign_in", "user.second_factor_add", "user.show_codes"}


def test_the_key_of_an_app_is_stored_sealed_and_so_are_recovery_codes(tenant: Tenant, set_up: SetUp) -> None:
    key, codes = set_up(by_password(newcomer(Role.OWNER)))
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert key not in stored
    assert not [code for code in codes if code in stored]
    assert unseal(Authenticator.objects.get(type="totp").data["secret"], SEALED_FOR) == key


def test_a_wrong_code_opens_nothing(owner: User) -> None:
    client = by_password(owner)
    answer = client.post(VERIFY, {"code": "000000"})
    assert "This code or passkey is not right" in answer.content.decode()
    assert client.get("/t/")["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("periods", [-1, 0, 1])
def test_a_code_is_taken_a_little_early_or_late_but_only_once(owner: User, periods: int) -> None:
    code = code_of_app(periods=periods)
    assert by_both(owner, code).status_code == 302
    assert by_both(owner, code).status_code == 200
    assert by_both(owner, f"{code[:3]} {code[3:]}").status_code == 200


@pytest.mark.parametrize("periods", [-3, 3])
def test_a_code_of_another_time_is_not_taken(owner: User, periods: int) -> None:
    assert by_both(owner, code_of_app(periods=periods)).status_code == 200


def test_a_used_code_is_remembered_for_as_long_as_it_is_good(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    code = code_of_app(periods=1)
    assert by_both(owner, code).status_code == 302
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 45)
    assert by_both(owner, code).status_code == 200


def test_a_recovery_code_signs_in_once(tenant: Tenant, set_up: SetUp) -> None:
    owner = newcomer(Role.OWNER)
    _key, codes = set_up(by_password(owner))
    assert by_both(owner, codes[0]).status_code == 302
    assert by_both(owner, codes[0]).status_code == 200
    assert by_both(owner, codes[1]).status_code == 302


def test_new_recovery_codes_end_the_old_ones(tenant: Tenant, set_up: SetUp) -> None:
    owner = newcomer(Role.OWNER)
    client = by_password(owner)
    _key, codes = set_up(client)
    renewed = codes_in(client.post("/me/security/codes/new/", follow=True))
    assert by_both(owner, codes[0]).status_code == 200
    assert by_both(owner, renewed[0]).status_code == 302


def test_a_session_that_has_not_given_it_gives_it_before_any_page_opens(tenant: Tenant, owner: User) -> None:
    """Such as one that began before the second factor was set up elsewhere."""
    client = Client()
    client.force_login(owner)
    for path in (LOGS, "/me/password/", "/me/security/", "/me/security/app/"):
        assert client.get(path)["Location"].startswith("/sign-in/again/code/"), path
    client.post("/sign-in/again/code/", {"code": code_of_app()})
    assert client.get(LOGS).status_code == 200


def test_the_last_factor_stays_while_the_role_needs_one(owner: User, client_of: Callable[[User], Client]) -> None:
    client = client_of(owner)
    page = client.post("/me/security/app/remove/")
    assert "Your role needs a second factor" in page.content.decode()
    assert Authenticator.objects.filter(user=owner).exists()


def test_a_viewer_may_take_it_away(viewer: User, tenant: Tenant, client_of: Callable[[User], Client]) -> None:
    client = client_of(viewer)
    assert client.post("/me/security/app/remove/").status_code == 302
    assert not Authenticator.objects.exists()
    assert client.get(LOGS).status_code == 200
    assert AuditEntry.objects.filter(verb="user.second_factor_remove", actor=viewer.email).exists()


def test_without_its_key_in_the_ring_a_factor_is_refused_in_words(owner: User, settings: Any) -> None:
    settings.SEAL_KEYS = "other:" + "B" * 43 + "="
    assert "its key is missing from SEAL_KEYS" in by_both(owner, code_of_app()).content.decode()


def test_a_sealed_key_opens_nowhere_else() -> None:
    sealed = SealedMFAAdapter().encrypt(APP_KEY)
    assert APP_KEY not in sealed
    assert SealedMFAAdapter().decrypt(sealed) == APP_KEY


def test_nothing_that_somebody_who_signed_in_saw_stays_in_the_browser(
    tenant: Tenant, viewer: User, client_of: Callable[[User], Client]
) -> None:
    client = client_of(viewer)
    for path in (LOGS, "/t/acme/logs/export/", "/t/nowhere/", "/t/acme/provisioning/turn-on/", "/me/security/"):
        assert client.get(path)["Cache-Control"] == "no-store", path
