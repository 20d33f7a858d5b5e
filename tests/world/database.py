"""Emptying the database after a test that commits.

Django's `flush` empties every table and makes the rows of `post_migrate` anew, for each test; most tables are empty, and
nothing here reads permissions or content types.
"""

import functools

from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper
from django.test import TransactionTestCase

AUDIT = '"sync_auditentry"'
# With triggers that keep them (sync/audit/triggers.py).
KEPT = (AUDIT, '"sync_audithead"')


def pytest_configure() -> None:
    TransactionTestCase._fixture_teardown = empty_tables  # type: ignore[method-assign]


def empty_tables(case: TransactionTestCase) -> None:
    for alias in case._databases_names(include_mirrors=False):  # type: ignore[attr-defined]
        empty(alias)


def empty(alias: str = "default") -> None:
    connection = connections[alias]
    tables = tables_of(alias)
    asked = ", ".join(f"EXISTS (SELECT 1 FROM {table})" for table in tables)
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        cursor.execute(f"SELECT {asked}")
        for table, has_rows in zip(tables, cursor.fetchone() or (), strict=True):
            if has_rows and table in KEPT:
                _empty_kept(cursor, table)
            elif has_rows:
                cursor.execute(f"DELETE FROM {table}")


def empty_audit_log() -> None:
    """For a test that looks at the entries of what comes then."""
    with connections["default"].cursor() as cursor:
        _empty_kept(cursor, AUDIT)


def _empty_kept(cursor: CursorWrapper, table: str) -> None:
    """PostgreSQL refuses it, but for whoever owns the table."""
    on_postgresql = cursor.db.vendor == "postgresql"
    if on_postgresql:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    cursor.execute(f"DELETE FROM {table}")
    if on_postgresql:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@functools.cache
def tables_of(alias: str) -> list[str]:
    connection = connections[alias]
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return [connection.ops.quote_name(name) for name in names]
