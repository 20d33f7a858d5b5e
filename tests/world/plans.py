"""How a database goes about a question."""

from collections.abc import Callable

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.test.utils import CaptureQueriesContext


def plans_of(act: Callable[[], object]) -> str:
    """Of every question that `act` asks."""
    with CaptureQueriesContext(connection) as captured:
        act()
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Of a few rows it would read all, whatever index there is.
            cursor.execute("SET LOCAL enable_seqscan = off")
        return "\n".join(_explained(cursor, f"{explain} {one['sql']}") for one in captured.captured_queries)


def _explained(cursor: CursorWrapper, statement: str) -> str:
    cursor.execute(statement)
    return "\n".join(str(row[-1]) for row in cursor.fetchall())
