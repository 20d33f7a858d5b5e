"""The database's part of a backup, in the way of each kind of database, and the other way round."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, transaction

from portal.deployment.backup.archive import BadArchive, Reader, Writer

SQLITE_FILE, TABLES = "database.sqlite3", "tables/"
# Which version the tables are of stands in the head; a session that somebody ended must not come back.
LEFT_OUT = ("django_migrations", "django_session")


def write(archive: Writer) -> None:
    """As it is at one moment; whoever works goes on."""
    (_write_postgresql if connection.vendor == "postgresql" else _write_sqlite)(archive)


def read(archive: Reader) -> None:
    """Into tables of the same version that hold nothing yet. Nothing is kept of an archive that is not whole."""
    (_read_postgresql if connection.vendor == "postgresql" else _read_sqlite)(archive)


# SQLite (sqlite.org/backup.html)


def _write_sqlite(archive: Writer) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, SQLITE_FILE)
        connection.ensure_connection()
        with closing(sqlite3.connect(path)) as copy:
            _sqlite_connection().backup(copy)
            copy.execute("DELETE FROM django_session")
            copy.commit()
            copy.execute("VACUUM")
        with path.open("rb") as file:
            archive.add_file(SQLITE_FILE, file)


def _read_sqlite(archive: Reader) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, SQLITE_FILE)
        for _name, chunks in archive.members():
            with path.open("wb") as file:
                file.writelines(iter(chunks, b""))
        with closing(sqlite3.connect(path)) as source:
            if source.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise BadArchive("SQLite finds its file damaged.")
            source.backup(_sqlite_connection())


def _sqlite_connection() -> sqlite3.Connection:
    connection.ensure_connection()
    found: sqlite3.Connection = connection.connection
    return found


# PostgreSQL (its manual, COPY)


def _tables() -> list[str]:
    return sorted(set(connection.introspection.django_table_names(only_existing=True)) - set(LEFT_OUT))


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _columns(cursor: Any, table: str) -> list[str]:
    """Without generated ones, which COPY refuses: they are computed again."""
    cursor.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped "
        "AND attgenerated = '' ORDER BY attnum",
        [_quoted(table)],
    )
    return [_quoted(name) for (name,) in cursor.fetchall()]


def _write_postgresql(archive: Writer) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for table in _tables():
            columns = ", ".join(_columns(cursor, table))
            # The order of columns is the archive's: it need not be that of the tables it is read into.
            name, statement = f"{TABLES}{table} {columns}", f"COPY {_quoted(table)} ({columns}) TO STDOUT"
            with archive.member(name) as file, cursor.copy(statement) as rows:
                file.writelines(bytes(chunk) for chunk in rows)


def _read_postgresql(archive: Reader) -> None:
    """In one transaction: foreign keys are checked at its end (Django makes them deferred)."""
    with transaction.atomic(), connection.cursor() as cursor:
        _empty(cursor)
        tables = _tables()
        for name, chunks in archive.members():
            table, _, columns = name.removeprefix(TABLES).partition(" ")
            if table not in tables or sorted(columns.split(", ")) != sorted(_columns(cursor, table)):
                raise BadArchive(f"Its table {table} is not one of this version.")
            with cursor.copy(f"COPY {_quoted(table)} ({columns}) FROM STDIN") as rows:
                for chunk in iter(chunks, b""):
                    rows.write(chunk)
        # An older version has not all tables of this one yet.
        models = [model for model in apps.get_models(include_auto_created=True) if model._meta.db_table in tables]
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)


def _empty(cursor: Any) -> None:
    """What migrations and `migrate` itself have put there."""
    filled = list(_filled(cursor))
    if filled:
        cursor.execute(f"TRUNCATE {', '.join(map(_quoted, filled))} CASCADE")


def _filled(cursor: Any) -> Iterator[str]:
    for table in _tables():
        cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {_quoted(table)})")  # noqa: S608
        if cursor.fetchone()[0]:
            yield table
