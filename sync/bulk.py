"""Many rows in one go, each with values of its own.

One prepared statement for all: Django's bulk_create puts a statement together for every batch, and bulk_update makes a
CASE per row and field; both are several times slower.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connections, router
from django.db.models import Model

# Values of these types go to the database as they are, whatever the field.
PLAIN = (str, int, bool)


def insert_rows(rows: Sequence[Model]) -> None:
    """New rows, all of one model. Their primary keys are not told."""
    if not rows:
        return
    meta = rows[0]._meta
    connection = connections[router.db_for_write(type(rows[0]))]
    quote = connection.ops.quote_name
    fields: list[Any] = [field for field in meta.concrete_fields if not field.primary_key]
    columns = ", ".join(quote(field.column) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    statement = f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES ({places})"  # noqa: S608 - our own names
    with connection.cursor() as cursor:
        cursor.executemany(statement, [_values(row, fields, connection, adding=True) for row in rows])


def _values(row: Model, fields: Iterable[Any], connection: Any, *, adding: bool = False) -> list[Any]:
    values = []
    for field in fields:
        made = adding and getattr(field, "auto_now_add", False)
        value = field.pre_save(row, True) if made else getattr(row, field.attname)
        values.append(value if type(value) in PLAIN else field.get_db_prep_save(value, connection))
    return values


def update_rows(rows: Sequence[Model], names: Sequence[str]) -> None:
    """The named fields of existing rows, as they stand on the instances."""
    if not rows:
        return
    meta = rows[0]._meta
    connection = connections[router.db_for_write(type(rows[0]))]
    quote = connection.ops.quote_name
    fields: list[Any] = [meta.get_field(name) for name in names]
    columns = ", ".join(f"{quote(field.column)} = %s" for field in fields)
    assert meta.pk is not None
    assert meta.pk.column is not None
    # Names of our own models alone; values are parameters.
    statement = f"UPDATE {quote(meta.db_table)} SET {columns} WHERE {quote(meta.pk.column)} = %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.executemany(statement, [[*_values(row, fields, connection), row.pk] for row in rows])
