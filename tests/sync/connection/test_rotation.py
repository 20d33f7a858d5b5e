"""A new key: what is stored moves to it row by row, a broken-off rotation goes on, a lost key is named."""

import datetime
import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from portal.deployment import checks
from sync.connection import clients, rotation, services
from sync.connection.sealing import key_of
from sync.keyring import new_ring_line
from sync.models import AuditEntry, AwsConnection, EntraConnection
from sync.tenants.services import create_tenant

# SQLite takes no locks of rows.
pytestmark = [pytest.mark.django_db, pytest.mark.both]
ACTOR = "jo@acme.example"
OLD, NEW = new_ring_line(), new_ring_line()
FIRST = NEW.partition(":")[0]


@pytest.fixture(autouse=True)
def stored(settings: Any) -> None:
    """Six secrets of three tenants, sealed with the old key; the new one is above it now."""
    settings.SEAL_KEYS = OLD
    for number in range(3):
        services.connect(
            create_tenant(actor=ACTOR, name=f"T{number}"),
            {
                "directory_id": "4f1c09d2-7a3e-4b8a-9c55-12e0d7f6a3b1",
                "client_id": "0a1b2c3d-0000-4000-8000-000000000001",
                "client_secret": f"secret-{number}",
                "scim_endpoint": f"https://scim.eu-central-1.amazonaws.com/1111111111{number}-2222-3333-4444-555555555555/scim/v2",
                "scim_token": f"token-{number}",
            },
            actor=ACTOR,
        )
    settings.SEAL_KEYS = f"{NEW}\n{OLD}"


def keys() -> list[str]:
    sealed = [*EntraConnection.objects.values_list("sealed_credential", flat=True)]
    return [key_of(text) for text in [*sealed, *AwsConnection.objects.values_list("sealed_token", flat=True)]]


def opened() -> Iterator[str]:
    for aws in AwsConnection.objects.select_related("tenant").order_by("pk"):
        yield clients.access_token(aws)


def rotated(*options: str) -> str:
    out = io.StringIO()
    call_command("rotate_key", *options, stdout=out)
    return out.getvalue()


def test_after_a_rotation_the_old_key_is_not_needed(settings: Any) -> None:
    assert "its line can go" in rotated()
    settings.SEAL_KEYS = NEW
    assert set(keys()) == {FIRST}
    assert list(opened()) == ["token-0", "token-1", "token-2"]


def test_a_rotation_that_dies_in_the_middle_loses_nothing_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seal, sealed = rotation.seal, 0

    def dying(secret: str, context: str) -> str:
        nonlocal sealed
        sealed += 1
        if sealed > 4:
            raise SystemExit("killed")
        return seal(secret, context)

    monkeypatch.setattr(rotation, "seal", dying)
    with pytest.raises(SystemExit):
        rotated()
    assert keys().count(FIRST) == 4
    assert list(opened()) == ["token-0", "token-1", "token-2"]
    monkeypatch.setattr(rotation, "seal", seal)
    assert rotated().count("sealed anew") == 2
    assert set(keys()) == {FIRST}


def test_a_secret_that_is_entered_during_the_rotation_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    under_way = rotation.rotate(actor=ACTOR)
    next(under_way)
    aws = AwsConnection.objects.select_related("tenant").order_by("pk")[2]
    services.save_aws(
        tenant=aws.tenant, actor=ACTOR, endpoint=aws.endpoint, token="newest", token_created_on=datetime.date.today()
    )
    list(under_way)
    assert list(opened()) == ["token-0", "token-1", "newest"]


def test_a_rotation_leaves_an_audit_entry_for_each_secret_and_none_holds_it() -> None:
    rotated()
    entries = AuditEntry.objects.filter(verb="key.rotate")
    assert entries.count() == 6
    assert not any("secret-" in str(entry.after) for entry in entries)


def test_a_damaged_secret_is_named_and_stops_no_other() -> None:
    damaged = EntraConnection.objects.order_by("pk").first()
    assert damaged
    EntraConnection.objects.filter(pk=damaged.pk).update(sealed_credential=f"v1.{OLD.partition(':')[0]}.abc")
    with pytest.raises(CommandError, match="1 secrets still hang on another key"):
        rotated()
    assert keys().count(FIRST) == 5
    assert rotation.problems(rotation.key_uses()) != []


@pytest.mark.parametrize(
    "ring", [NEW, f"{NEW}\n{OLD.partition(':')[0]}:{new_ring_line().partition(':')[2]}"], ids=["missing", "wrong"]
)
def test_a_missing_or_wrong_key_stops_the_start_with_what_to_do(
    settings: Any, monkeypatch: pytest.MonkeyPatch, ring: str
) -> None:
    monkeypatch.setattr(checks.connections, "close_all", lambda: None)
    checks.require_safe_settings()
    settings.SEAL_KEYS = ring
    with pytest.raises(ImproperlyConfigured, match=r"6 stored secrets .* \(T0: Client secret") as stopped:
        checks.require_safe_settings()
    assert f"rotate_key --forget {OLD.partition(':')[0]}" in str(stopped.value)


def test_a_lost_key_is_forgotten_and_the_start_is_free_again(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks.connections, "close_all", lambda: None)
    settings.SEAL_KEYS = NEW
    assert rotated("--forget", OLD.partition(":")[0]).count("emptied") == 6
    checks.require_safe_settings()
    assert not EntraConnection.objects.exclude(sealed_credential="").exists()


def test_what_opens_is_never_forgotten() -> None:
    with pytest.raises(CommandError):
        rotated("--forget", OLD.partition(":")[0])
    assert list(opened()) == ["token-0", "token-1", "token-2"]
