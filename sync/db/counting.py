"""Several counts in one question to the database."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Count, Func, QuerySet, Subquery, Value


def counted_together(parts: Mapping[str, tuple[QuerySet[Any], str]]) -> dict[str, dict[int, int]]:
    """Rows and the column to count them by, a whole number. How many there are, by part and by what stands in the column."""
    first, *others = [
        rows.order_by().values_list(Value(part), column).annotate(n=Count("pk"))
        for part, (rows, column) in parts.items()
    ]
    found: dict[str, dict[int, int]] = {part: {} for part in parts}
    # Without the ordering of the first part's model (Django 6.1).
    for part, value, n in first.union(*others, all=True).order_by():
        found[part][value] = n
    return found


def how_many(rows: QuerySet[Any]) -> Subquery:
    """For a query of something else to tell along: counted once, whatever its rows are."""
    return Subquery(rows.order_by().values(n=Func("pk", function="COUNT")))
