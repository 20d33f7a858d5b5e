"""Signing in, failing to, being locked out and being refused: who, from where, in which request."""

import json
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from django.contrib.auth.hashers import MD5PasswordHasher, make_password
from django.test import Client
from django.utils import timezone

from portal.deployment import json_logs
from portal.models import Role, User
from sync.models import AuditEntry, Tenant
from sync.tenants.services import create_tenant
from tests.world.people import PASSWORD, code_of_app, person

pytestmark = [pytest.mark.django_db, pytest.mark.both]
HERE = {"REMOTE_ADDR": "192.0.2.7"}


def entries(verb: str) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(verb=verb).order_by("pk"))


def by_password(email: str, password: str = PASSWORD, client: Client | None = None) -> Client:
    client = client or Client(**HERE)
    client.post("/sign-in/", {"login": email, "password": password})
    return client


def test_a_sign_in_says_with_what_and_from_where(owner: User) -> None:
    client = by_password(owner.email)
    assert entries("sign_in") == []
    answer = client.post("/sign-in/verify/", {"code": code_of_app()})
    [entry] = entries("sign_in")
    assert (entry.actor, entry.address, entry.object_id) == (owner.email, "192.0.2.7", str(owner.pk))
    assert entry.after == {"with": ["password", "totp"]}
    assert entry.request_id == answer["X-Request-ID"]


def test_a_sign_out_is_an_entry(owner: User, client_of: Callable[[User], Client]) -> None:
    client_of(owner).post("/sign-out/")
    assert [entry.actor for entry in entries("sign_out")] == [owner.email]


def test_a_wrong_password_names_the_person_and_never_what_was_typed(owner: User) -> None:
    by_password(owner.email.upper(), "hunter2-hunter2")
    by_password("correct@horse.example", "x")
    known, unknown = entries("sign_in.fail")
    assert (known.actor, known.address, known.after) == (owner.email, "192.0.2.7", {"with": "password"})
    assert (unknown.actor, unknown.object_name) == ("", "")
    assert "hunter2" not in str(AuditEntry.objects.values())
    assert "horse" not in str(AuditEntry.objects.values())


def test_a_wrong_code_is_a_failure_of_the_person(owner: User) -> None:
    by_password(owner.email).post("/sign-in/verify/", {"code": "000000"})
    assert [(one.actor, one.after) for one in entries("sign_in.fail")] == [(owner.email, {"with": "code"})]


def test_too_many_failures_are_one_lock(owner: User) -> None:
    for _ in range(14):
        by_password(owner.email, "wrong wrong wrong")
    [lock] = entries("sign_in.lock")
    assert (lock.actor, lock.address) == (owner.email, "192.0.2.7")
    assert 0 < len(entries("sign_in.fail")) < 14


def test_too_many_wrong_codes_are_one_lock(owner: User) -> None:
    client = by_password(owner.email)
    for _ in range(14):
        client.post("/sign-in/verify/", {"code": "000000"})
    assert [lock.actor for lock in entries("sign_in.lock")] == [owner.email]


def test_a_passkey_that_is_not_right_is_a_failure(owner: User) -> None:
    client = Client(**HERE)
    client.get("/sign-in/passkey/", headers={"Accept": "application/json", "X-Requested-With": "XMLHttpRequest"})
    client.post("/sign-in/passkey/", {"credential": json.dumps({"id": "x"})})
    assert [(one.actor, one.address) for one in entries("sign_in.fail")] == [("", "192.0.2.7")]


def test_a_refusal_is_one_entry_however_often_it_is_asked(viewer: User, client_of: Callable[[User], Client]) -> None:
    client = client_of(viewer)
    for _ in range(3):
        assert client.post("/t/acme/provisioning/turn-on/").status_code == 403
    [entry] = entries("request.refuse")
    assert (entry.actor, entry.tenant_slug, entry.address) == (viewer.email, "acme", "127.0.0.1")
    assert entry.after == {"page": "turn_on", "method": "POST", "status": 403}


def test_another_tenants_page_is_a_refusal_and_a_mistyped_one_is_not(
    tenant: Tenant, client_of: Callable[[User], Client]
) -> None:
    other = create_tenant(actor="jo", name="Other")
    client = client_of(person("eve@other.example", Role.CONFIGURATOR, other))
    client.get("/t/other/nowhere/")
    client.get("/t/nobody/logs/")
    client.get("/t/other/runs/99/")
    assert entries("request.refuse") == []
    client.get("/t/acme/logs/")
    assert [(one.tenant_slug, one.after["status"]) for one in entries("request.refuse")] == [("acme", 404)]


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_adds(
    owner: User, settings: pytest.FixtureRequest
) -> None:
    settings.PROXIES = 1  # type: ignore[attr-defined]
    client = Client(**HERE, headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.9"})
    by_password(owner.email, "wrong wrong wrong", client)
    assert [one.address for one in entries("sign_in.fail")] == ["203.0.113.9"]


def test_every_log_line_of_a_request_says_who_and_from_where(viewer: User, client_of: Callable[[User], Client]) -> None:
    lines: list[structlog.typing.EventDict] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(structlog.contextvars.merge_contextvars(None, "", {"event": record.getMessage()}))

    handler = Lines()
    logging.getLogger().addHandler(handler)
    try:
        client = client_of(viewer)
        refused = client.post("/t/acme/provisioning/turn-on/")
        missing = client.get("/nowhere/")
        structlog.get_logger("test").warning("after the requests")
    finally:
        logging.getLogger().removeHandler(handler)
    found = {line["event"]: line for line in lines}
    who = {"actor": viewer.email, "address": "127.0.0.1"}
    assert (
        found["Forbidden (Permission denied): /t/acme/provisioning/turn-on/"].items()
        >= (who | {"request": refused["X-Request-ID"]}).items()
    )
    assert found["Not Found: /nowhere/"].items() >= (who | {"request": missing["X-Request-ID"]}).items()
    assert structlog.contextvars.merge_contextvars in json_logs.PROCESSORS
    assert not structlog.contextvars.get_contextvars()


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every password of which a hash is computed: whatever compares or stores one computes it here."""
    found: list[str] = []
    encode = MD5PasswordHasher.encode

    def noted(hasher: MD5PasswordHasher, password: str, salt: str) -> str:
        found.append(password)
        return encode(hasher, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", noted)
    return found


# Account -> what is different about it.
ACCOUNTS: dict[str, dict[str, Any]] = {
    "usual": {},
    "deactivated": {"is_active": False},
    "ended": {"password_ends_at": timezone.now()},
    "without-password": {"password": make_password(None)},
    "of-microsoft": {"password": make_password(None), "microsoft_key": "directory/object"},
}


@pytest.mark.parametrize("password", [PASSWORD, "wrong wrong wrong"])
def test_a_try_costs_one_hash_whether_or_not_there_is_such_an_account(
    tenant: Tenant, hashed: list[str], password: str
) -> None:
    """How long an answer takes is the hash (V6.3.8): equal work tells nobody whose address is known here."""
    for name, facts in ACCOUNTS.items():
        user = person(f"{name}@acme.example", Role.VIEWER, tenant)
        User.objects.filter(pk=user.pk).update(**facts)
    work, answers = {}, {}
    for name in [*ACCOUNTS, "nobody"]:
        hashed.clear()
        answer = Client(**HERE).post("/sign-in/", {"login": f"{name}@acme.example", "password": password})
        work[name] = len(hashed)
        answers[name] = (answer.status_code, re.sub(r"[\w-]+@acme|\b\w{64}\b", "", answer.content.decode()))
    assert work == dict.fromkeys([*ACCOUNTS, "nobody"], 1)
    alike = {
        name: found for name, found in answers.items() if password != PASSWORD or name not in ("usual", "deactivated")
    }
    assert len(set(alike.values())) == 1, {name: status for name, (status, _text) in alike.items()}
