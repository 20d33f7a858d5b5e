"""Making a backup of the whole installation, and putting one back into an empty one."""

import hashlib
import json
from typing import IO, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from portal.deployment.backup import database
from portal.deployment.backup.archive import FORMAT, HEAD, Reader, Writer
from sync.connection import rotation
from sync.keyring import parse_ring
from sync.models import AuditEntry, Tenant

Migrations = dict[str, str]


class CannotRestore(Exception):
    """Its text says why, and what to do. Nothing was changed."""


def make(file: IO[bytes]) -> None:
    archive = Writer(file)
    executor = MigrationExecutor(connection)
    head = {
        "format": FORMAT,
        "version": settings.VERSION,
        "made_at": timezone.now().isoformat(timespec="seconds"),
        "database": connection.vendor,
        "migrations": dict(executor.loader.graph.leaf_nodes()),
        "keys": {use.key: fingerprint(use.key) for use in rotation.key_uses() if use.rows},
    }
    archive.add(HEAD, json.dumps(head).encode())
    database.write(archive)
    archive.finish()


def restore(file: IO[bytes]) -> str:
    """When the backup was made. Raises CannotRestore, BadArchive. The tables become those of this version afterwards."""
    archive = Reader(file)
    require_fitting(archive.head)
    require_keys(archive.head["keys"])
    require_empty()
    if connection.vendor == "postgresql":
        # An empty database gets the tables of the backup; one that is migrated goes back to them.
        migrate_to(archive.head["migrations"])
    database.read(archive)
    call_command("migrate", verbosity=0, interactive=False)
    return str(archive.head["made_at"])


def migrate_to(migrations: Migrations) -> None:
    """Also to a step that a squashed migration stands for now, which its graph leaves out (docs.djangoproject.com/en/5.2/
    topics/migrations/#squashing-migrations)."""
    executor = MigrationExecutor(connection)
    if not executor.loader.graph.nodes.keys() >= migrations.items():
        executor.loader = MigrationLoader(connection, replace_migrations=False)
    executor.migrate(list(migrations.items()))


def require_fitting(head: dict[str, Any]) -> None:
    if head["database"] != connection.vendor:
        raise CannotRestore(
            f"The backup is of {head['database']} and this database is {connection.vendor}. Restore it into one of its kind."
        )
    known = MigrationLoader(connection).disk_migrations
    if not known.keys() >= head["migrations"].items():
        raise CannotRestore(
            f"The backup was made by version {head['version']}, which is newer than this one. Restore it with that version."
        )


def fingerprint(key: str) -> str:
    """Of 32 random bytes: nobody finds them by it. "" where the ring has no such key."""
    secret = parse_ring(settings.SEAL_KEYS).get(key)
    return hashlib.sha256(secret).hexdigest() if secret else ""


def require_keys(fingerprints: dict[str, str]) -> None:
    missing = [key for key, known in fingerprints.items() if known != fingerprint(key)]
    if missing:
        raise CannotRestore(
            f"SEAL_KEYS has not the keys that the backup hangs on: {', '.join(missing)}. Set SEAL_KEYS_FILE to the key ring "
            "that was kept with it (backup --keys), or add its lines below the first one."
        )


def require_empty() -> None:
    tables = set(connection.introspection.table_names())
    models = (Tenant, get_user_model(), AuditEntry)
    if any(model._meta.db_table in tables and model._default_manager.exists() for model in models):
        raise CannotRestore(
            "This database is in use: it has people or tenants. Restore goes into an empty one; make one (createdb, or move "
            "the file of SQLite away), and name it in DATABASE_URL."
        )
