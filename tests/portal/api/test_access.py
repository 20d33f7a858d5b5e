"""Who may do what by the API: a token does no more than its scopes and its person's roles. The list is the description's own."""

import hashlib
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.access.api_tokens import NEEDS
from portal.access.roles import RIGHTS
from portal.api.application import description, scopes
from portal.models import ApiToken, Role, Scope, User
from sync.models import AuditEntry, Hold, Tenant
from sync.tenants.services import create_tenant
from tests.world.api import Script, script_of, token_of
from tests.world.examples import by_night
from tests.world.people import person
from tests.world.runs import new_run

pytestmark = pytest.mark.django_db
ENTRA_ID = "aaaaaaaa-1111-4111-8111-111111111111"


def operations() -> Iterator[tuple[str, str, str]]:
    """Id, method and address of each."""
    for path, methods in description()["paths"].items():
        yield from ((one["operationId"], method.upper(), path) for method, one in methods.items())


OPERATIONS = list(operations())
OF_A_TENANT = [one for one in OPERATIONS if "{slug}" in one[2]]


@pytest.fixture
def acme(tenant: Tenant) -> Tenant:
    run = new_run(tenant, 1, state="completed")
    Hold.objects.create(tenant=tenant, kind="people", run=run)
    return tenant


def address(path: str, slug: str = "acme") -> str:
    hold = Hold.objects.get().pk
    return path.removeprefix("/api/v1").format(slug=slug, number=1, entra_id=ENTRA_ID, hold=hold)


def asked(script: Script, method: str, path: str) -> int:
    send = script.get if method == "GET" else script.post
    return send(path).status_code


def test_the_description_lists_what_there_is() -> None:
    assert len(OPERATIONS) > 15
    assert scopes().keys() == {name for name, _method, _path in OPERATIONS}


@pytest.mark.parametrize(("name", "method", "path"), OPERATIONS)
def test_an_operation_needs_its_scope_and_its_right(acme: Tenant, name: str, method: str, path: str) -> None:
    needed = scopes()[name]
    for role in Role if by_night() else (Role.VIEWER, Role.APPROVER, Role.OPERATOR, Role.OWNER):
        user = person(f"{role}@acme.example", role, None if role is Role.OWNER else acme)
        for scope in Scope:
            status = asked(script_of(user, scope), method, address(path))
            allowed = scope is needed and NEEDS[scope] in RIGHTS[role]
            assert (status == 403) != allowed, (role, scope, status)
            assert status not in (401, 500)


@pytest.mark.parametrize(("name", "method", "path"), OF_A_TENANT)
def test_another_tenant_does_not_exist(acme: Tenant, name: str, method: str, path: str) -> None:
    other = create_tenant(actor="jo@acme.example", name="Other", slug="other")
    stranger = person("eve@other.example", Role.CONFIGURATOR, other)
    owner = person("jo@acme.example", Role.OWNER)
    assert asked(script_of(stranger), method, address(path)) == 404
    assert asked(script_of(owner, tenant=other), method, address(path)) == 404
    assert asked(script_of(owner), method, address(path, "nosuch")) == 404


@pytest.mark.parametrize(("name", "method", "path"), OPERATIONS)
def test_nobody_gets_in_without_a_token(acme: Tenant, jo: Client, name: str, method: str, path: str) -> None:
    """Nor by the cookie of somebody who is signed in."""
    for send in (Client().generic, jo.generic):
        answer = send(method, f"/api/v1{address(path)}", "{}", content_type="application/json")
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
        assert answer["Content-Type"] == "application/problem+json"


def test_a_token_for_one_tenant_sees_that_one_alone(acme: Tenant, owner: User) -> None:
    create_tenant(actor="jo@acme.example", name="Other", slug="other")
    assert [one["slug"] for one in script_of(owner).all_of("/tenants")] == ["acme", "other"]
    script = script_of(owner, tenant=acme)
    assert [one["slug"] for one in script.all_of("/tenants")] == ["acme"]
    assert script.read("/status")["tenants"] == 1


@pytest.mark.parametrize(
    "ending",
    [
        lambda token: ApiToken.objects.update(ends_at=timezone.now()),
        lambda token: ApiToken.objects.all().delete(),
        lambda token: User.objects.update(is_active=False),
    ],
    ids=["ended", "revoked", "deactivated"],
)
def test_a_token_that_is_over_opens_nothing(acme: Tenant, owner: User, ending: Callable[[object], object]) -> None:
    script = script_of(owner)
    assert script.get("/status").status_code == 200
    ending(None)
    assert script.get("/status").status_code == 401


def test_a_role_that_is_taken_counts_at_once(acme: Tenant, viewer: User) -> None:
    script = script_of(viewer)
    assert script.get("/tenants/acme").status_code == 200
    viewer.grants.all().delete()
    assert script.get("/tenants/acme").status_code == 404


def test_a_missing_scope_is_named(acme: Tenant, owner: User) -> None:
    answer = script_of(owner, Scope.READ).post("/tenants/acme/runs")
    assert answer["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="sync"'
    assert answer.json()["scope"] == "sync"  # type: ignore[attr-defined]


def test_acting_and_refusals_leave_entries_and_tokens_that_do_not_count_leave_one(acme: Tenant, owner: User) -> None:
    script_of(owner).post("/tenants/acme/runs")
    acted = AuditEntry.objects.get(verb="token.act")
    assert (acted.actor, acted.object_name) == ("jo@acme.example", "A script")
    assert acted.after["path"] == "/api/v1/tenants/acme/runs"
    for _ in range(3):
        Script("lockstep_" + "0" * 38).get("/status")
    assert AuditEntry.objects.filter(verb="sign_in.fail").count() == 1
    script_of(person("tom@acme.example", Role.VIEWER, acme)).post("/tenants/acme/runs")
    assert AuditEntry.objects.filter(verb="request.refuse", actor="tom@acme.example").count() == 1


def test_the_last_use_shows(acme: Tenant, owner: User) -> None:
    script_of(owner).get("/status")
    assert ApiToken.objects.get().last_used_from == "127.0.0.1"


def test_a_token_asks_so_often_and_no_more(acme: Tenant, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    from portal.access.quota import Quota

    monkeypatch.setattr("portal.api.auth.CALLS", Quota("calls", 3, 60))
    script = script_of(owner)
    answers = [script.get("/status") for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    assert int(answers[-1]["Retry-After"]) <= 60
    assert answers[-1]["Content-Type"] == "application/problem+json"


def test_a_token_is_looked_for_by_its_hash_alone(acme: Tenant, owner: User) -> None:
    """The database compares 256 bits that nobody can choose: how long it takes says nothing of the token."""
    text = token_of(owner)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert Script(text).get("/status").status_code == 200
    sent = "".join(query["sql"] for query in asked.captured_queries)
    assert hashlib.sha256(text.encode()).hexdigest() in sent
    assert text not in sent
