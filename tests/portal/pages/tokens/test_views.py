"""API tokens: made by whoever signs in, for no more than that person may; shown once, kept as a hash, ended and revoked."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY as RECORDS
from django.test import Client
from django.utils import timezone

from portal.access import api_tokens
from portal.models import ApiToken, Role, Scope, User
from sync.models import AuditEntry, Tenant
from tests.world.people import PASSWORD, person

pytestmark = pytest.mark.django_db
TOKENS = "/settings/tokens/"
FORM = {"name": "Nightly report", "scopes": ["read"], "days": 30, "tenant": ""}


def made(client: Client, **changes: Any) -> str:
    """The text of a new token, from the page that shows it."""
    answer = client.post(f"{TOKENS}new/", FORM | changes)
    found = re.search(r'<code id="token"[^>]*>(\w+)</code>', answer.content.decode())
    assert found, answer.content.decode()
    return found[1]


def test_a_token_is_shown_on_that_answer_alone_and_kept_as_a_hash(jo: Client) -> None:
    text = made(jo)
    [stored] = ApiToken.objects.values()
    assert text not in str(stored)
    assert text not in jo.get(TOKENS).content.decode() + str(list(AuditEntry.objects.values()))
    assert f"{text[:13]}…" in jo.get(TOKENS).content.decode()


def test_scanners_know_a_token_by_its_shape_and_its_checksum(jo: Client) -> None:
    text = made(jo)
    assert re.fullmatch(r"lockstep_[0-9A-Za-z]{38}", text)
    assert api_tokens.is_whole(text)
    other = "a" if text[20] != "a" else "b"
    assert not api_tokens.is_whole(text[:20] + other + text[21:])


def test_two_tokens_are_never_the_same(jo: Client) -> None:
    assert len({made(jo) for _ in range(20)}) == 20


def test_a_token_counts_until_its_end(jo: Client) -> None:
    text = made(jo)
    found = api_tokens.token_of(text)
    assert found is not None
    assert found.name == "Nightly report"
    ApiToken.objects.update(ends_at=found.made_at)
    assert api_tokens.token_of(text) is None
    assert "Ended" in jo.get(TOKENS).content.decode()


def test_a_token_of_a_deactivated_account_counts_for_nothing(jo: Client, owner: User) -> None:
    text = made(jo)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert api_tokens.token_of(text) is None


def test_a_token_rests_while_entra_was_not_asked_for_long(jo: Client, owner: User) -> None:
    text = made(jo)
    long_ago = timezone.now() - timedelta(days=31)
    User.objects.filter(pk=owner.pk).update(last_login=long_ago)
    assert api_tokens.token_of(text)
    User.objects.filter(pk=owner.pk).update(roles_from_microsoft=True)
    assert api_tokens.token_of(text) is None
    assert "Rests until" in jo.get(TOKENS).content.decode()
    User.objects.filter(pk=owner.pk).update(last_login=timezone.now())
    assert api_tokens.token_of(text)


@pytest.mark.parametrize(("ticked", "left"), [({}, 1), ({"revoke_tokens": "on"}, 0)])
def test_whoever_changes_the_own_password_is_asked_about_tokens(
    jo: Client, owner: User, ticked: dict[str, str], left: int
) -> None:
    assert "revoke_tokens" not in jo.get("/me/password/").content.decode()
    made(jo)
    assert "revoke_tokens" in jo.get("/me/password/").content.decode()
    passwords = {"current": PASSWORD, "password": "another quiet river"}
    answer = jo.post("/me/password/", passwords | ticked, follow=True)
    assert ApiToken.objects.count() == left
    assert ("Your API tokens work as before." in answer.content.decode()) is bool(left)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "This field is required"),
        ({"scopes": []}, "Tick at least one"),
        ({"scopes": ["everything"]}, "Select a valid choice"),
        ({"days": 4000}, "Select a valid choice"),
        ({"days": ""}, "This field is required"),
        ({"tenant": "999"}, "Select a valid choice"),
    ],
)
def test_a_token_has_a_name_a_scope_and_an_end(jo: Client, changes: dict[str, Any], words: str) -> None:
    answer = jo.post(f"{TOKENS}new/", FORM | changes)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("role", list(Role))
def test_nobody_gives_a_token_what_the_own_roles_do_not_allow(
    tenant: Tenant, client_of: Callable[[User], Client], role: Role
) -> None:
    user = person("ann@acme.example", role, None if role is Role.OWNER else tenant)
    client, allowed = client_of(user), api_tokens.offered_to(user)
    for scope in Scope:
        status = client.post(f"{TOKENS}new/", FORM | {"scopes": [scope.value]}).status_code
        assert status == (200 if scope in allowed else 422), scope
    assert Scope.READ in allowed


def test_a_token_can_be_for_one_tenant_that_the_person_sees(
    viewer: User, tenant: Tenant, client_of: Callable[[User], Client]
) -> None:
    other = Tenant.objects.create(name="Other", slug="other")
    client = client_of(viewer)
    assert client.post(f"{TOKENS}new/", FORM | {"tenant": other.pk}).status_code == 422
    made(client, tenant=tenant.pk)
    assert ApiToken.objects.get().tenant == tenant


def test_a_revoked_token_is_gone_and_leaves_entries(jo: Client) -> None:
    text = made(jo)
    token = ApiToken.objects.get()
    assert "It stops working at once" in jo.get(f"{TOKENS}{token.pk}/revoke/").content.decode()
    jo.post(f"{TOKENS}{token.pk}/revoke/")
    assert api_tokens.token_of(text) is None
    entries = AuditEntry.objects.filter(verb__startswith="token.").order_by("pk")
    assert [entry.verb for entry in entries] == ["token.make", "token.revoke"]
    assert entries[0].after["scopes"] == ["read"]


def test_owners_see_and_revoke_the_tokens_of_others_and_nobody_else_does(
    jo: Client, viewer: User, client_of: Callable[[User], Client]
) -> None:
    made(jo, name="Of an Owner")
    theirs = client_of(viewer)
    made(theirs, name="Of a Viewer")
    assert "Of an Owner" not in theirs.get(TOKENS).content.decode()
    assert theirs.post(f"{TOKENS}{ApiToken.objects.get(name='Of an Owner').pk}/revoke/").status_code == 404
    assert "Of a Viewer" in jo.get(TOKENS).content.decode()
    jo.post(f"{TOKENS}{ApiToken.objects.get(name='Of a Viewer').pk}/revoke/")
    assert [token.name for token in ApiToken.objects.all()] == ["Of an Owner"]


def test_making_one_asks_again_who_is_there(jo: Client) -> None:
    session = jo.session
    session[RECORDS] = [record | {"at": 1.0} for record in session[RECORDS]]
    session.save()
    answer = jo.post(f"{TOKENS}new/", FORM)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/again/")
    assert not ApiToken.objects.exists()


def test_the_last_use_is_kept_to_the_minute(jo: Client) -> None:
    made(jo)
    token = ApiToken.objects.get()
    api_tokens.note_use(token, "192.0.2.7")
    api_tokens.note_use(token, "192.0.2.8")
    page = jo.get(TOKENS).content.decode()
    assert "192.0.2.7" in page
    assert "192.0.2.8" not in page
