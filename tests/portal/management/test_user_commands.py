"""Accounts from the command line: what the commands say is what they do, and how they end."""

import io
import json
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from portal.models import Role, RoleGrant, User
from sync.management.base import Exit
from sync.models import AuditEntry, Tenant
from tests.world.people import PASSWORD, person

OTHER = "another quiet river"


def run(*words: str, stdin: str = "") -> str:
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO(stdin))
        call_command(*words, stdout=out)
    return out.getvalue()


def refused(*words: str, stdin: str = "") -> tuple[int, str]:
    """The exit code and the words; nothing may have changed."""
    before = (sorted(User.objects.values_list("email", "is_active", "password")), AuditEntry.objects.count())
    with pytest.raises(CommandError) as error:
        run(*words, stdin=stdin)
    assert (sorted(User.objects.values_list("email", "is_active", "password")), AuditEntry.objects.count()) == before
    return error.value.returncode, str(error.value)


def link_in(text: str) -> str:
    found = re.search(r"http://localhost:8000(/password/\S+)", text)
    assert found
    return found[1]


def choose(client: Client, link: str, password: str) -> int:
    """By the page behind the link; its status."""
    form = client.get(link, follow=True)
    return client.post(form.request["PATH_INFO"], {"password": password}).status_code


def signs_in(email: str, password: str) -> bool:
    return Client().post("/sign-in/", {"login": email, "password": password}).status_code == 302


def test_user_add_gives_a_role_and_a_link_that_works_once(tenant: Tenant) -> None:
    said = run("user_add", "Ann@acme.example", "--role", "operator", "--tenant", "acme", "--name", "Ann")
    grant = RoleGrant.objects.get()
    assert (grant.user.email, grant.user.name, grant.role, grant.tenant) == (
        *("ann@acme.example", "Ann"),
        *(Role.OPERATOR, tenant),
    )
    assert "ann@acme.example is Operator of Acme." in said
    assert not grant.user.has_usable_password()
    link = link_in(said)
    assert choose(Client(), link, OTHER) == 302
    assert signs_in("ann@acme.example", OTHER)
    assert Client().get(link).status_code == 422
    assert AuditEntry.objects.filter(verb="user.choose_password", actor="ann@acme.example").exists()


def test_the_link_ends(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    link = link_in(run("user_add", "ann@acme.example", "--role", "viewer"))
    later = timezone.now().replace(tzinfo=None) + timedelta(days=4)
    monkeypatch.setattr("django.contrib.auth.tokens.PasswordResetTokenGenerator._now", lambda _self: later)
    page = Client().get(link)
    assert page.status_code == 422
    assert "This link has ended" in page.content.decode()


def test_the_link_of_somebody_who_was_deactivated_opens_nothing(tenant: Tenant) -> None:
    link = link_in(run("user_add", "ann@acme.example", "--role", "viewer"))
    User.objects.update(is_active=False)
    assert Client().get(link).status_code == 422


def test_a_weak_password_is_refused_behind_the_link(tenant: Tenant) -> None:
    link = link_in(run("user_add", "ann@acme.example", "--role", "viewer"))
    client = Client()
    assert choose(client, link, "Password1234") == 422
    assert choose(client, link, OTHER) == 302


def test_a_first_password_ends_and_is_changed_before_any_page_opens(tenant: Tenant) -> None:
    said = run("user_add", "ann@acme.example", "--role", "viewer", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert "http" not in said
    ann = User.objects.get()
    assert ann.password_ends_at is not None
    assert timedelta(days=2) < ann.password_ends_at - timezone.now() <= timedelta(days=3)
    client = Client()
    client.post("/sign-in/", {"login": ann.email, "password": PASSWORD})
    for page in ("/t/", "/t/acme/", "/me/", "/t/acme/runs/"):
        assert client.get(page)["Location"].startswith("/me/password/"), page
        assert client.post(page)["Location"].startswith("/me/password/"), page
    assert client.get("/t/acme/", headers={"HX-Request": "true"})["HX-Redirect"] == "/me/password/"
    assert client.post("/me/password/", {"current": PASSWORD, "password": PASSWORD}).status_code == 422
    assert client.post("/me/password/", {"current": PASSWORD, "password": OTHER}).status_code == 302
    assert client.get("/t/acme/logs/").status_code == 200
    assert signs_in(ann.email, OTHER)


def test_a_first_password_that_ended_signs_nobody_in(tenant: Tenant) -> None:
    run("user_add", "ann@acme.example", "--role", "viewer", "--password-stdin", stdin=f"{PASSWORD}\n")
    User.objects.update(password_ends_at=timezone.now() - timedelta(seconds=1))
    assert not signs_in("ann@acme.example", PASSWORD)


def test_user_add_gives_a_known_person_another_role(tenant: Tenant) -> None:
    person("ann@acme.example", Role.VIEWER, tenant)
    said = run("user_add", "ann@acme.example", "--role", "approver", "--tenant", "acme")
    assert RoleGrant.objects.get().role == Role.APPROVER
    assert "http" not in said
    assert signs_in("ann@acme.example", PASSWORD)


def test_user_add_refuses_what_it_would_not_do(tenant: Tenant) -> None:
    person("ann@acme.example", Role.VIEWER, tenant)
    for words in (
        ("nobody", "--role", "viewer"),
        ("ann@acme.example", "--role", "viewer", "--name", "Anna"),
        ("ann@acme.example", "--role", "viewer", "--password-stdin"),
        ("bo@acme.example", "--role", "owner", "--tenant", "acme"),
        ("bo@acme.example", "--role", "viewer", "--tenant", "nowhere"),
    ):
        assert refused("user_add", *words)[0] == Exit.USAGE, words
    weak = refused("user_add", "bo@acme.example", "--role", "viewer", "--password-stdin", stdin="qwertyuiopasdf\n")
    assert weak == (Exit.USAGE, "This password is known from breaches. Choose another one.")


def test_users_lists_everybody_with_what_they_may_do(tenant: Tenant, owner: User) -> None:
    person("ann@acme.example", Role.VIEWER, tenant)
    run("user_remove", "ann@acme.example", "--deactivate")
    User.objects.create(email="bo@acme.example")
    User.objects.filter(pk=owner.pk).update(last_login="2026-11-29T08:00:00Z")
    assert run("users").splitlines() == [
        "ann@acme.example: Viewer of acme; second factor; never signed in; deactivated",
        "bo@acme.example: no role; no second factor; never signed in",
        "jo@acme.example: Owner; second factor; signed in 2026-11-29",
    ]
    ann, _bo, jo = json.loads(run("users", "--json"))["users"]
    assert (ann["active"], ann["roles"]) == (False, [{"role": "viewer", "tenant": "acme"}])
    assert (jo["second_factor"], jo["roles"]) == (True, [{"role": "owner", "tenant": None}])
    assert jo["signed_in_at"] == "2026-11-29T08:00:00+00:00"


def test_where_nobody_has_an_account_users_says_how_to_make_one(db: None) -> None:
    assert run("users") == "Nobody has an account yet: user_add makes the first one.\n"


def test_user_password_ends_the_old_one_and_every_session(
    tenant: Tenant, viewer: User, client_of: Callable[[User], Client]
) -> None:
    client = client_of(viewer)
    said = run("user_password", viewer.email)
    assert client.get("/t/acme/")["Location"].startswith("/sign-in/")
    assert not signs_in(viewer.email, PASSWORD)
    assert choose(Client(), link_in(said), OTHER) == 302
    assert signs_in(viewer.email, OTHER)


def test_a_newer_link_ends_the_older_one(tenant: Tenant, viewer: User) -> None:
    older, newer = (link_in(run("user_password", viewer.email)) for _ in range(2))
    assert Client().get(older).status_code == 422
    assert choose(Client(), newer, OTHER) == 302


def test_user_remove_takes_the_account_and_its_sessions(
    tenant: Tenant, viewer: User, client_of: Callable[[User], Client]
) -> None:
    client = client_of(viewer)
    run("user_remove", viewer.email)
    assert not User.objects.exists()
    assert client.get("/t/acme/")["Location"].startswith("/sign-in/")
    assert AuditEntry.objects.get(verb="user.remove").before == {"email": viewer.email, "name": viewer.name}


def test_user_remove_for_one_tenant_leaves_the_account(tenant: Tenant, viewer: User) -> None:
    run("user_remove", viewer.email, "--tenant", "acme")
    assert not RoleGrant.objects.exists()
    assert signs_in(viewer.email, PASSWORD)
    assert refused("user_remove", viewer.email, "--tenant", "acme")[0] == Exit.FAILED


def test_a_deactivated_person_comes_back_by_a_new_password(
    tenant: Tenant, viewer: User, client_of: Callable[[User], Client]
) -> None:
    client = client_of(viewer)
    run("user_remove", viewer.email, "--deactivate")
    assert client.get("/t/acme/")["Location"].startswith("/sign-in/")
    assert (
        Client().post("/sign-in/", {"login": viewer.email, "password": PASSWORD})["Location"] == "/accounts/inactive/"
    )
    link = link_in(run("user_password", viewer.email, "--activate"))
    assert choose(Client(), link, OTHER) == 302
    assert client.get("/t/acme/")["Location"].startswith("/sign-in/")
    assert RoleGrant.objects.get().role == Role.VIEWER


@pytest.mark.parametrize(
    "words", [("user_remove",), ("user_remove", "--deactivate"), ("user_add", "--role", "configurator")]
)
def test_the_last_owner_stays(owner: User, words: tuple[str, ...]) -> None:
    code, text = refused(words[0], owner.email, *words[1:])
    assert code == Exit.FAILED
    assert "is the last Owner" in text
    second = person("kim@acme.example", Role.OWNER)
    run(words[0], owner.email, *words[1:])
    assert refused("user_remove", second.email)[0] == Exit.FAILED


@pytest.mark.parametrize("command", ["user_remove", "user_password"])
def test_nobody_of_that_name_is_a_wrong_call(db: None, command: str) -> None:
    assert refused(command, "no@one.example") == (Exit.USAGE, "Nobody signs in as 'no@one.example'.")
