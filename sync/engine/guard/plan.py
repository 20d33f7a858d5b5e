"""The plan of a run, counted once: it has as many rows as a company has people, and each limit and page asks for a few sums."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.db.models import Count, Q, Sum

from sync.models import Result, Run

# Values of each field.
Which = Mapping[str, Sequence[object]]


class Alike(NamedTuple):
    """Rows that nothing tells apart, and the people (members) that they concern."""

    result: str
    action: str
    object_type: str
    moves_key: bool
    approved: bool
    keyed: bool
    rows: int
    people: int

    def are(self, which: Which) -> bool:
        return all(getattr(self, name) in values for name, values in which.items())


def alike(run: Run) -> list[Alike]:
    """What is planned, and what waits already."""
    rows = run.operations.filter(result__in=(Result.PLANNED, Result.HELD))
    marked = rows.annotate(keyed=~Q(wanted_keys="")).order_by()
    counted = marked.values_list(*Alike._fields[:-2]).annotate(Count("pk"), Sum("people"))
    return [Alike(*one) for one in counted]
