"""Emptying the database after a test that commits.

Django's `flush` empties every table and makes the rows of `post_migrate` anew, for each test; most tables are empty, and
nothing here reads permissions or content types.
"""

import functools

from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper
from django.test import TransactionTestCase

AUDIT = '"sync_auditentry"'


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
            if has_rows:
                _delete(cursor, table, keeps=connection.vendor == "postgresql" and table == AUDIT)


def _delete(cursor: CursorWrapper, table: str, *, keeps: bool) -> None:
    """`keeps`: the table's triggers refuse it (sync/audit/triggers.py)."""
    if keeps:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    cursor.execute(f"DELETE FROM {table}")
    if keeps:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@functools.cache
def tables_of(alias: str) -> list[str]:
    connection = connections[alias]
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    return [connection.ops.quote_name(name) for name in names]
