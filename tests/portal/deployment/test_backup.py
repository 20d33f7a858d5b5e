"""Backup and restore: whatever was there is there again, or nothing is; and nothing is written to AWS before a comparison."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from portal.deployment.backup import archive, whole
from portal.models import Role, User
from sync.audit.verification import verify
from sync.keyring import new_ring_line
from sync.models import AuditEntry, Delivery, Run, Tenant
from sync.retention.queries import last_backup
from sync.tenants.services import create_tenant
from tests.world.database import empty
from tests.world.people import person
from tests.world.runs import new_run, operation

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both]
AWKWARD = "tab\there, \\ and 'quotes', Zoë\nand a new line"


@pytest.fixture(autouse=True)
def tables_of_this_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """On SQLite tests make their tables from the models: no migration stands in the backup."""
    if connection.vendor == "sqlite":
        monkeypatch.setattr(whole, "call_command", lambda *_words, **_options: None)


@pytest.fixture
def acme() -> Tenant:
    """With somebody, a run, what it did, and what was going on."""
    person("jo@acme.example", Role.OWNER)
    tenant = create_tenant(actor="jo@acme.example", name="Acme")
    Tenant.objects.update(enabled=True, next_run_at=timezone.now(), lease_owner="w", lease_epoch=7)
    done = new_run(tenant, 1, counts={"updated": 1})
    operation(tenant, done, display_name=AWKWARD, changes={"title": {"before": None, "after": AWKWARD}})
    new_run(tenant, 2, state="running", kind="changes")
    Delivery.objects.create(tenant=tenant, recipient="jo@acme.example", subject="s", body="b")
    Session.objects.create(session_key="k", session_data="d", expire_date=timezone.now())
    return tenant


def backup(path: Path) -> Path:
    call_command("backup", str(path), stdout=io.StringIO())
    return path


def restore(path: Path) -> str:
    out = io.StringIO()
    call_command("restore", str(path), stdout=out)
    return out.getvalue()


def rows() -> dict[str, list[Any]]:
    return {
        model.__name__: list(model._default_manager.order_by("pk").values())
        for model in (User, Tenant, Run, AuditEntry, Delivery)
    } | {"Operation": list(Run.objects.get(number=1).operations.values())}


def test_everything_is_there_again_but_what_was_going_on(acme: Tenant, tmp_path: Path) -> None:
    before = rows()
    path = backup(tmp_path / "b.tar.gz")
    assert path.stat().st_mode & 0o777 == 0o600
    empty()
    said = restore(path)
    after = rows()
    assert "Provisioning is off in every tenant: acme." in said
    for name in ("User", "Operation"):
        assert after[name] == before[name]
    assert after["AuditEntry"][: len(before["AuditEntry"])] == before["AuditEntry"]
    tenant = Tenant.objects.get()
    assert (tenant.enabled, tenant.next_run_at, tenant.stopped_with_all, tenant.lease_owner) == (False, None, True, "")
    assert tenant.restored_at
    assert Run.objects.get(number=2).state == Run.State.CANCELLED
    assert Delivery.objects.get().state == Delivery.State.FAILED
    assert not Session.objects.exists(), "a session that somebody ended must not come back"
    assert AuditEntry.objects.filter(verb="installation.restore").count() == 1
    assert verify().findings == []
    # New rows get new keys.
    new_run(tenant, 3)


def test_without_a_place_for_the_keys_no_backup_is_made_and_the_same_call_can_be_made_again(
    acme: Tenant, tmp_path: Path
) -> None:
    file, keys = tmp_path / "b.tar.gz", tmp_path / "away" / "keys"
    with pytest.raises(CommandError, match="keys cannot be made"):
        call_command("backup", str(file), keys=str(keys), stdout=io.StringIO())
    assert not file.exists()
    keys.parent.mkdir()
    call_command("backup", str(file), keys=str(keys), stdout=io.StringIO())
    assert keys.read_text().strip() == settings.SEAL_KEYS
    assert last_backup()


@pytest.mark.parametrize("damage", ["cut", "changed", "other"])
def test_of_an_archive_that_is_not_whole_nothing_is_kept(acme: Tenant, tmp_path: Path, damage: str) -> None:
    path = backup(tmp_path / "b.tar.gz")
    empty()
    content = path.read_bytes()
    path.write_bytes({"cut": content[: len(content) // 2], "other": b"x" * 2000}.get(damage) or changed(content))
    with pytest.raises(CommandError, match="Nothing was restored"):
        restore(path)
    assert not Tenant.objects.exists()
    assert not User.objects.exists()


def changed(content: bytes) -> bytes:
    """The same archive with another value in it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(content)) as old, tarfile.open(fileobj=out, mode="w:gz") as new:
        for member in old.getmembers():
            file = old.extractfile(member)
            assert file
            text = file.read().replace(b"jo@acme.example", b"mo@acme.example")
            new.addfile(member, io.BytesIO(text))
    return out.getvalue()


def test_a_database_in_use_is_left_as_it_is(acme: Tenant, tmp_path: Path) -> None:
    path = backup(tmp_path / "b.tar.gz")
    before = rows()
    with pytest.raises(CommandError, match="This database is in use"):
        restore(path)
    assert rows()["Tenant"] == before["Tenant"]


def test_without_its_keys_nothing_is_restored_and_they_are_kept_elsewhere(
    acme: Tenant, tmp_path: Path, settings: Any
) -> None:
    path, keys = tmp_path / "b.tar.gz", tmp_path / "seal.keys"
    call_command("backup", str(path), "--keys", str(keys), stdout=io.StringIO())
    assert keys.stat().st_mode & 0o777 == 0o600
    secret = settings.SEAL_KEYS.partition(":")[2].strip()
    with tarfile.open(path) as tar:
        assert not any(secret.encode() in file.read() for one in tar.getmembers() if (file := tar.extractfile(one)))
    empty()
    settings.SEAL_KEYS = new_ring_line()
    with pytest.raises(CommandError, match="SEAL_KEYS has not the keys that the backup hangs on"):
        restore(path)
    settings.SEAL_KEYS = settings.SEAL_KEYS + "\n" + keys.read_text()
    restore(path)
    assert Tenant.objects.get().slug == "acme"


def backup_saying(fact: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One that says so of itself."""
    add: Callable[..., None] = archive.Writer.add

    def another(writer: archive.Writer, name: str, content: bytes) -> None:
        add(writer, name, json.dumps(json.loads(content) | fact).encode() if name == "head.json" else content)

    monkeypatch.setattr(archive.Writer, "add", another)
    return backup(folder / "b.tar.gz")


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        ({"database": "oracle"}, "The backup is of oracle"),
        ({"migrations": {"sync": "9999_later"}}, "newer than this one"),
        ({"format": 2}, "another version of Lockstep"),
    ],
    ids=str,
)
def test_a_backup_that_does_not_fit_says_why(
    acme: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fact: dict[str, Any], words: str
) -> None:
    path = backup_saying(fact, tmp_path, monkeypatch)
    empty()
    with pytest.raises(CommandError, match=words):
        restore(path)


@pytest.mark.only("postgresql")
@pytest.mark.parametrize("step", ["0040_left_differences", "0039_operation_by_run"])
def test_a_backup_of_a_step_that_was_squashed_since_is_restored(
    acme: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The last of forty migrations, and the one before, which has a table less."""
    at_the_step = dict(MigrationLoader(connection).graph.leaf_nodes()) | {"sync": step}
    try:
        whole.migrate_to(at_the_step)
        path = backup_saying({"migrations": at_the_step}, tmp_path, monkeypatch)
    finally:
        call_command("migrate", verbosity=0)
    empty()
    restore(path)
    assert Tenant.objects.get().slug == "acme"
    # New rows get new keys.
    new_run(Tenant.objects.get(), 3)


def test_it_goes_through_a_pipe(acme: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "piped"
    with path.open("w") as file, monkeypatch.context() as patched:
        patched.setattr("sys.stdout", file)
        call_command("backup", "-")
    empty()
    with path.open() as file:
        monkeypatch.setattr("sys.stdin", file)
        call_command("restore", "-", stdout=io.StringIO())
    assert Tenant.objects.get().slug == "acme"


def test_what_another_tool_made_or_restored_is_noted(acme: Tenant) -> None:
    call_command("backup", "--noted")
    assert last_backup()
    call_command("restore", "--noted", stdout=io.StringIO())
    tenant = Tenant.objects.get()
    assert (tenant.enabled, tenant.restored_at is None) == (False, False)
    assert not Session.objects.exists()
