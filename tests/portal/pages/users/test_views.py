"""Owners invite people, give and take roles, reset what was lost, and cannot lock everybody out."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY as RECORDS
from allauth.mfa.models import Authenticator
from django.test import Client

from portal.access.api_tokens import make_token
from portal.access.rights import role_of
from portal.access.users import give_role
from portal.models import ApiToken, Role, RoleGrant, User
from sync.models import AuditEntry, Delivery, Tenant
from sync.tenants.services import create_tenant
from tests.world.people import PASSWORD, person

USERS = "/settings/users/"
OTHER = "another quiet river"


@pytest.fixture
def jo(owner: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(owner)


def text_of(answer: Any) -> str:
    text: str = answer.content.decode()
    return text


def link_in(answer: Any) -> str:
    found = re.search(r"http://localhost:8000(/password/[^<]+)<", text_of(answer))
    assert found
    return found[1]


def choose(link: str) -> int:
    client = Client()
    form = client.get(link, follow=True)
    return client.post(form.request["PATH_INFO"], {"password": OTHER}).status_code


def test_somebody_is_invited_by_a_link_that_works_once(jo: Client, tenant: Tenant) -> None:
    form = {"email": "Ann@acme.example", "name": "Ann", "role": "operator", "tenant": tenant.pk}
    answer = jo.post(f"{USERS}invite/", form)
    ann = User.objects.get(email="ann@acme.example")
    assert role_of(ann, tenant) is Role.OPERATOR
    link = link_in(answer)
    assert choose(link) == 302
    assert Client().get(link).status_code == 422
    assert set(AuditEntry.objects.filter(actor="jo@acme.example").values_list("verb", flat=True)) >= {
        "user.add",
        "user.give_role",
    }


def test_the_link_is_shown_on_that_answer_alone(jo: Client, tenant: Tenant) -> None:
    form = {"email": "ann@acme.example", "name": "Ann", "role": "viewer", "tenant": ""}
    link = link_in(jo.post(f"{USERS}invite/", form))
    ann = User.objects.get(email="ann@acme.example")
    pages = "".join(text_of(jo.get(path)) for path in (USERS, f"{USERS}{ann.pk}/"))
    assert link not in pages
    assert link not in str(list(AuditEntry.objects.values()))
    assert "invited" in pages


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"email": "jo@acme.example"}, "signs in with this address already"),
        ({"role": "owner"}, "An Owner is one for all tenants"),
        ({"email": "nobody"}, "valid email"),
        ({"role": "emperor"}, "valid choice"),
    ],
)
def test_what_cannot_be_is_refused_in_words(jo: Client, tenant: Tenant, changes: dict[str, str], words: str) -> None:
    form = {"email": "ann@acme.example", "name": "Ann", "role": "viewer", "tenant": tenant.pk} | changes
    answer = jo.post(f"{USERS}invite/", form)
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert User.objects.count() == 1


def test_roles_are_given_changed_and_taken_per_tenant(jo: Client, tenant: Tenant, viewer: User) -> None:
    path = f"{USERS}{viewer.pk}/"
    jo.post(f"{path}role/", {"tenant": tenant.pk, "role": "configurator"})
    jo.post(f"{path}role/", {"tenant": "", "role": "helpdesk"})
    assert role_of(User.objects.get(pk=viewer.pk), tenant) is Role.CONFIGURATOR
    jo.post(f"{path}role/take/", {"tenant": "acme"})
    assert role_of(User.objects.get(pk=viewer.pk), tenant) is Role.HELPDESK
    jo.post(f"{path}role/take/", {"tenant": "no-such-tenant"})
    assert role_of(User.objects.get(pk=viewer.pk), tenant) is Role.HELPDESK
    jo.post(f"{path}role/take/", {"tenant": ""})
    assert role_of(User.objects.get(pk=viewer.pk), tenant) is None


def test_a_role_counts_from_the_next_click_on(
    jo: Client, tenant: Tenant, viewer: User, client_of: Callable[[User], Client]
) -> None:
    tom = client_of(viewer)
    assert tom.get("/t/acme/logs/").status_code == 200
    jo.post(f"{USERS}{viewer.pk}/role/take/", {"tenant": "acme"})
    assert tom.get("/t/acme/logs/").status_code == 404


def test_the_last_owner_stays(jo: Client, owner: User) -> None:
    page = text_of(jo.post(f"{USERS}{owner.pk}/role/take/", {"tenant": ""}, follow=True))
    assert "is the last Owner" in page
    page = text_of(jo.post(f"{USERS}{owner.pk}/role/", {"tenant": "", "role": "viewer"}, follow=True))
    assert "is the last Owner" in page
    assert RoleGrant.objects.get(user=owner).role == Role.OWNER


def test_one_of_two_owners_may_go(jo: Client, owner: User) -> None:
    second = person("kim@acme.example", Role.OWNER)
    jo.post(f"{USERS}{second.pk}/remove/")
    assert not User.objects.filter(pk=second.pk).exists()


@pytest.mark.parametrize("act", ["deactivate", "remove", "reset", "second-factor"])
def test_an_owner_does_none_of_this_to_himself(jo: Client, owner: User, act: str) -> None:
    person("kim@acme.example", Role.OWNER)
    assert "your own account" in text_of(jo.post(f"{USERS}{owner.pk}/{act}/", follow=True))
    owner.refresh_from_db()
    assert owner.is_active
    assert owner.check_password(PASSWORD)
    assert Authenticator.objects.filter(user=owner).exists()


def test_whoever_is_deactivated_is_out_and_comes_back_when_activated(
    jo: Client, tenant: Tenant, viewer: User, client_of: Callable[[User], Client]
) -> None:
    tom = client_of(viewer)
    jo.post(f"{USERS}{viewer.pk}/deactivate/")
    assert tom.get("/t/acme/logs/")["Location"].startswith("/sign-in/")
    assert "Deactivated" in text_of(jo.get(USERS))
    jo.post(f"{USERS}{viewer.pk}/activate/")
    assert tom.get("/t/acme/logs/")["Location"].startswith("/sign-in/")
    assert client_of(viewer).get("/t/acme/logs/").status_code == 200


def test_a_reset_ends_the_old_password_and_shows_a_link(
    jo: Client, tenant: Tenant, viewer: User, client_of: Callable[[User], Client]
) -> None:
    tom = client_of(viewer)
    assert viewer.check_password(PASSWORD)
    assert "Reset password" in text_of(jo.get(f"{USERS}{viewer.pk}/reset/"))
    link = link_in(jo.post(f"{USERS}{viewer.pk}/reset/"))
    viewer.refresh_from_db()
    assert not viewer.has_usable_password()
    assert tom.get("/t/acme/logs/")["Location"].startswith("/sign-in/")
    assert choose(link) == 302


def test_a_lost_second_factor_is_taken_away(jo: Client, viewer: User, client_of: Callable[[User], Client]) -> None:
    tom = client_of(viewer)
    jo.post(f"{USERS}{viewer.pk}/second-factor/")
    assert not Authenticator.objects.filter(user=viewer).exists()
    assert tom.get("/me/")["Location"].startswith("/sign-in/")


@pytest.mark.parametrize(
    ("act", "left"),
    [
        (("reset", {}), []),
        (("deactivate", {}), []),
        (("remove", {}), []),
        (("role/take", {"tenant": "acme"}), ["everywhere", "other"]),
        (("role/take", {"tenant": "other"}), ["acme", "everywhere"]),
        (("role", {"tenant": "1", "role": "viewer"}), ["acme", "everywhere", "other"]),
        (("second-factor", {}), ["acme", "everywhere", "other"]),
        (("sessions", {}), ["acme", "everywhere", "other"]),
    ],
    ids=lambda one: one[0] + one[1].get("tenant", "") if isinstance(one, tuple) else "",
)
def test_what_an_owner_does_to_an_account_counts_for_its_api_tokens(
    jo: Client, tenant: Tenant, act: tuple[str, dict[str, str]], left: list[str]
) -> None:
    """Each that goes leaves an entry. Nobody else's goes with them."""
    other = create_tenant(actor="jo@acme.example", name="Other", slug="other")
    ann = person("ann@acme.example", Role.OPERATOR, tenant)
    give_role(actor="jo@acme.example", user=ann, role=Role.OPERATOR, tenant=other)
    for name, where in (("acme", tenant), ("other", other), ("everywhere", None)):
        make_token(user=ann, name=name, scopes=["read"], tenant=where, days=30)
    make_token(user=User.objects.get(email="jo@acme.example"), name="of Jo", scopes=["read"], tenant=None, days=30)
    path, facts = act
    facts = facts | {"tenant": str(tenant.pk)} if path == "role" else facts
    assert jo.post(f"{USERS}{ann.pk}/{path}/", facts).status_code in (200, 302)
    assert sorted(ApiToken.objects.values_list("name", flat=True)) == sorted([*left, "of Jo"])
    entries = AuditEntry.objects.filter(verb="token.revoke", actor="jo@acme.example")
    assert {entry.object_name for entry in entries} == {"acme", "everywhere", "other"} - {*left}


def test_with_the_last_role_every_token_goes(jo: Client, tenant: Tenant) -> None:
    ann = person("ann@acme.example", Role.OPERATOR, tenant)
    make_token(user=ann, name="everywhere", scopes=["read"], tenant=None, days=30)
    jo.post(f"{USERS}{ann.pk}/role/take/", {"tenant": "acme"})
    assert not ApiToken.objects.exists()


def test_somebody_is_signed_out_everywhere(jo: Client, viewer: User, client_of: Callable[[User], Client]) -> None:
    tom = client_of(viewer)
    jo.post(f"{USERS}{viewer.pk}/sessions/")
    assert tom.get("/me/")["Location"].startswith("/sign-in/")
    assert jo.get(USERS).status_code == 200


def test_the_table_shows_who_has_which_role_and_what_is_missing(jo: Client, tenant: Tenant, viewer: User) -> None:
    bare = person("op@acme.example", Role.OPERATOR, tenant)
    Authenticator.objects.filter(user=bare).delete()
    page = text_of(jo.get(USERS))
    assert "Not set up" in page
    assert "App code" in page
    assert "Approve or reject held removals" in page
    assert text_of(jo.get(f"{USERS}?q=tom")).count('scope="row"><a') == 1
    assert "Nobody matches." in text_of(jo.get(f"{USERS}?q=zzz"))


def test_owners_see_which_role_entra_brings(jo: Client, tenant: Tenant, settings: Any) -> None:
    assert "Roles from Entra" not in text_of(jo.get(USERS))
    roles = {
        "Lockstep.Operator": {"role": "operator", "tenant": "acme"},
        "Lockstep.Owner": {"role": "owner", "tenant": None},
        "Lockstep.Elsewhere": {"role": "viewer", "tenant": "nowhere"},
    }
    settings.MICROSOFT_SIGN_IN = {"directory_id": "d", "client_id": "c", "cloud": "global", "roles": roles}
    page = " ".join(re.sub(r"<[^>]+>", " ", text_of(jo.get(USERS))).split())
    assert "Lockstep.Operator Operator Acme" in page
    assert "Lockstep.Owner Owner all tenants" in page
    assert "Lockstep.Elsewhere Viewer nowhere There is no such tenant" in page


def test_each_change_asks_again_who_is_there(jo: Client, tenant: Tenant, viewer: User) -> None:
    session = jo.session
    session[RECORDS] = [record | {"at": time.time() - 3600} for record in session[RECORDS]]
    session.save()
    acts = ("role", "role/take", "reset", "second-factor", "sessions", "deactivate", "activate", "remove")
    for path in ("invite/", *(f"{viewer.pk}/{act}/" for act in acts)):
        assert jo.post(f"{USERS}{path}")["Location"].startswith("/sign-in/again/code/"), path
    viewer.refresh_from_db()
    assert viewer.is_active


def test_a_hostile_name_is_text(jo: Client) -> None:
    person("eve@evil.example", Role.VIEWER)
    User.objects.filter(email="eve@evil.example").update(name="\u202e<script>alert(1)</script>")
    page = text_of(jo.get(USERS))
    assert "<script>alert" not in page
    assert "U+202E" in page


# What is done to an Owner -> the entry that it leaves, and a word of the mail.
DONE_TO_OWNERS = {
    "reset": ("user.reset_password", "reset the password"),
    "second-factor": ("user.reset_second_factor", "took the second factor"),
    "deactivate": ("user.deactivate", "deactivated"),
    "activate": ("user.activate", "activated"),
    "role/take": ("user.take_role", "took the role of Owner"),
    "role": ("user.give_role", "took the role of Owner"),
    "remove": ("user.remove", "removed"),
}


@pytest.mark.parametrize("act", DONE_TO_OWNERS)
def test_what_is_done_to_an_owner_every_owner_hears_of(jo: Client, act: str) -> None:
    """One who may not be agreed with could otherwise become his own second person unseen."""
    kim = person("kim@acme.example", Role.OWNER)
    person("lee@acme.example", Role.OWNER)
    assert jo.post(f"{USERS}{kim.pk}/{act}/", {"tenant": "", "role": "viewer"}).status_code in (200, 302)
    verb, words = DONE_TO_OWNERS[act]
    assert AuditEntry.objects.filter(verb=verb, actor="jo@acme.example", object_id=str(kim.pk)).exists()
    mails = Delivery.objects.order_by("recipient")
    assert [one.recipient for one in mails] == ["jo@acme.example", "kim@acme.example", "lee@acme.example"]
    assert {one.tenant for one in mails} == {None}
    for mail in mails:
        assert words in mail.subject
        assert "jo@acme.example" in mail.body
        assert mail.body.endswith(USERS)
        assert "/password/" not in mail.body


def test_a_new_owner_is_no_secret_of_the_one_who_makes_him(jo: Client, viewer: User) -> None:
    jo.post(f"{USERS}{viewer.pk}/role/", {"tenant": "", "role": "owner"})
    assert [(one.recipient, one.subject) for one in Delivery.objects.all()] == [
        ("jo@acme.example", "[Lockstep] jo@acme.example made tom@acme.example an Owner.")
    ]
    jo.post(f"{USERS}invite/", {"email": "eve@acme.example", "name": "Eve", "role": "owner", "tenant": ""})
    assert [one.recipient for one in Delivery.objects.order_by("pk")[1:]] == ["jo@acme.example", "tom@acme.example"]


def test_what_is_done_to_others_rings_at_nobody(jo: Client, viewer: User) -> None:
    for act in ("reset", "second-factor", "role", "deactivate", "activate", "remove"):
        jo.post(f"{USERS}{viewer.pk}/{act}/", {"tenant": "", "role": "helpdesk"})
    assert not Delivery.objects.exists()


def test_an_owner_who_stands_alone_is_told_to_give_somebody_else_the_role(jo: Client, tenant: Tenant) -> None:
    assert "There is one Owner." in text_of(jo.get(USERS))
    person("second@acme.example", Role.OWNER, None)
    assert "There is one Owner." not in text_of(jo.get(USERS))
