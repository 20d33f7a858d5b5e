"""How many people were not ready, day by day, as the runs left it."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from sync.models import Tenant
from sync.problems.languages import grouped

DAYS = 30
# Of the drawing, in its own units.
WIDTH, GAP, BASE, MOST = 16, 4, 56, 48


@dataclass(frozen=True, slots=True)
class TrendDay:
    day: datetime.date
    in_scope: int
    not_ready: int
    x: int
    height: int

    @property
    def y(self) -> int:
        return BASE - self.height


@dataclass(frozen=True, slots=True)
class Trend:
    """`days`: those on which a run ended."""

    title: str
    days: Sequence[TrendDay]
    width: int = DAYS * WIDTH
    bar: int = WIDTH - GAP
    base: int = BASE


def trend_of(tenant: Tenant) -> Trend | None:
    """None until runs of two days tell it."""
    today = timezone.localdate()
    first = today - datetime.timedelta(days=DAYS - 1)
    begins = timezone.make_aware(datetime.datetime.combine(first, datetime.time()))
    runs = tenant.runs.filter(created_at__gte=begins).exclude(people_ready=None).exclude(finished_at=None)
    last: dict[datetime.date, tuple[int, int]] = {}
    for finished, in_scope, ready in runs.order_by("pk").values_list("finished_at", "people_in_scope", "people_ready"):
        last[timezone.localdate(finished)] = (in_scope or 0, max(0, (in_scope or 0) - (ready or 0)))
    if len(last) < 2:
        return None
    most = max(not_ready for _in_scope, not_ready in last.values())
    days = [
        TrendDay(day, in_scope, not_ready, (day - first).days * WIDTH, round(MOST * not_ready / most) if most else 0)
        for day, (in_scope, not_ready) in sorted(last.items())
    ]
    return Trend(title_of(days[0], days[-1]), days)


def title_of(first: TrendDay, last: TrendDay) -> str:
    more = last.not_ready - first.not_ready
    if not more:
        return _("As many not ready as at the beginning")
    words = (
        _("%(n)s more not ready than at the beginning")
        if more > 0
        else _("%(n)s fewer not ready than at the beginning")
    )
    return words % {"n": grouped(abs(more))}
