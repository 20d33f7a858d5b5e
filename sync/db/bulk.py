"""Many rows in one go, each with values of its own.

One prepared statement for all: Django's bulk_create puts a statement together for every batch, and bulk_update makes a
CASE per row and field; both are several times slower.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from django.db import connections, router
from django.db.models import DateField, JSONField, Model
from django.db.models.constants import OnConflict

# Their values reach the database in another form; all others as they are.
CONVERTED = (DateField, JSONField)


def insert_rows(rows: Sequence[Model]) -> None:
    """New rows, all of one model. Their primary keys are not told."""
    if not rows:
        return
    model = type(rows[0])
    fields = [field for field in model._meta.concrete_fields if not field.primary_key and not field.generated]
    for field in fields:
        if getattr(field, "auto_now_add", False):
            for row in rows:
                field.pre_save(row, True)
    _insert(model, fields, _values(model, fields, rows))


def insert_values(model: type[Model], names: Sequence[str], rows: Sequence[Sequence[str | int | bool]]) -> None:
    """New rows of plain values for the named fields, without a model instance for each: half the time."""
    _insert(model, _fields(model, names), rows)


def add_values(model: type[Model], names: Sequence[str], rows: Sequence[Sequence[str | int | bool]]) -> None:
    """The same where an equal row may exist: it stays."""
    _insert(model, _fields(model, names), rows, "ON CONFLICT DO NOTHING")


def put_values(
    model: type[Model], names: Sequence[str], rows: Sequence[Sequence[str | int | bool]], *, unique: Sequence[str]
) -> None:
    """The same where a row with equal `unique` fields may exist: its other fields become the new ones."""
    fields = _fields(model, names)
    columns = [field.column for field in fields if field.name not in unique]
    keys = [field.column for field in _fields(model, unique)]
    operations = connections[router.db_for_write(model)].ops
    _insert(model, fields, rows, operations.on_conflict_suffix_sql(fields, OnConflict.UPDATE, columns, keys))


def _insert(model: type[Model], fields: Sequence[Any], rows: Sequence[Sequence[Any]], suffix: str = "") -> None:
    if not rows:
        return
    connection = connections[router.db_for_write(model)]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    # Names of our own models alone; values are parameters.
    statement = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({places}) {suffix}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)


def update_rows(rows: Sequence[Model], names: Sequence[str]) -> None:
    """The named fields of existing rows, as they stand on the instances."""
    if not rows:
        return
    model = type(rows[0])
    connection = connections[router.db_for_write(model)]
    quote = connection.ops.quote_name
    fields, key = _fields(model, names), model._meta.pk
    assert key is not None
    assert key.column is not None
    columns = ", ".join(f"{quote(field.column)} = %s" for field in fields)
    # Names of our own models alone; values are parameters.
    statement = f"UPDATE {quote(model._meta.db_table)} SET {columns} WHERE {quote(key.column)} = %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.executemany(statement, _values(model, [*fields, key], rows))


def _fields(model: type[Model], names: Sequence[str]) -> list[Any]:
    return [model._meta.get_field(name) for name in names]


def _values(model: type[Model], fields: Sequence[Any], rows: Sequence[Model]) -> list[list[Any]]:
    connection = connections[router.db_for_write(model)]
    read = attrgetter(*(field.attname for field in fields))
    special = [(at, field) for at, field in enumerate(fields) if isinstance(field, CONVERTED)]
    found = []
    for row in rows:
        values = list(read(row))
        for at, field in special:
            if values[at] is not None:
                values[at] = field.get_db_prep_save(values[at], connection)
        found.append(values)
    return found
