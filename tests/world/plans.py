"""How SQLite goes about a question. PostgreSQL reads a table of a few rows by whatever index it likes."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

on_sqlite = pytest.mark.only("sqlite")


def plans_of(act: Callable[[], object]) -> str:
    """Of every question that `act` asks."""
    with CaptureQueriesContext(connection) as captured:
        act()
    return "\n".join(_plan(one["sql"]) for one in captured.captured_queries)


def _plan(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())
