"""What each new connection to the database is told."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver


@receiver(connection_created)
def compile_nothing(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """PostgreSQL takes a question that looks dear as one to compile first: a third of a second, for a page that asks of a
    few hundred rows (PostgreSQL's documentation, "When to JIT?")."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET jit TO off")
