"""Rows of the log as they are stored, with what they are searched by."""

from collections.abc import Sequence

from sync.db.bulk import add_values, insert_rows
from sync.models import LoggedName, Operation

NAMED = ("tenant", "object_id", "display_name", "detail_name")


def store(rows: Sequence[Operation]) -> None:
    """New ones. Their primary keys are not told. Names come first: without its name nobody finds a row."""
    remember_names(rows)
    insert_rows(rows)


def remember_names(rows: Sequence[Operation]) -> None:
    """In one order, so that two transactions do not wait for each other."""
    names = {(row.tenant_id, row.object_id, row.display_name, row.detail_name) for row in rows}
    add_values(LoggedName, NAMED, sorted(names))
