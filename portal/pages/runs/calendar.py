"""Thirteen weeks of syncs, a cell a day, each with its worst result."""

import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Value
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.pages.runs.forms import midnight
from sync.models import Run, Tenant
from sync.tenants.queries import TimeOff

WEEKS = 13
WEEK = datetime.timedelta(days=7)
Words = str | Promise
# Worst first: letter, family of colours, words.
RESULTS: Mapping[str, tuple[str, str, Words]] = {
    "failed": ("✕", "bad", gettext_lazy("Failed, or did not start")),
    "errors": ("!", "attention", gettext_lazy("With errors, or waiting")),
    "completed": ("✓", "good", gettext_lazy("Completed")),
}
# Of a day without any sync, and beside the result of another.
OFF = ("‖", "neutral", gettext_lazy("Paused or off"))
PART_OF_IT = gettext_lazy("paused or off for a part of it")
OF_STATES = {
    Run.State.FAILED: "failed",
    Run.State.COMPLETED_WITH_ERRORS: "errors",
    Run.State.COMPLETED_WITH_DIFFERENCES: "errors",
    Run.State.WAITING: "errors",
    Run.State.COMPLETED: "completed",
}


@dataclass(frozen=True, slots=True)
class Day:
    """`letter` is "" without any sync; `future`: not yet."""

    date: datetime.date
    letter: str
    family: str
    words: Words
    future: bool


@dataclass(frozen=True, slots=True)
class Calendar:
    """`rows`: from Monday to Sunday, each with that day of all weeks. `weeks`: their Mondays, each with whether its month
    stands above it."""

    title: str
    weeks: list[tuple[datetime.date, bool]]
    rows: list[list[Day]]


def calendar_of(tenant: Tenant, off: Sequence[TimeOff]) -> Calendar:
    today = timezone.localdate()
    first = today - datetime.timedelta(days=today.weekday()) - (WEEKS - 1) * WEEK
    worst = results_of(tenant, first)
    weeks = [first + number * WEEK for number in range(WEEKS)]
    rests = days_off(off, first, today)
    rows = [[day_of(monday + datetime.timedelta(days=n), worst, rests, today) for monday in weeks] for n in range(7)]
    trouble = sum(result != "completed" for result in worst.values())
    words = ngettext("%(n)s of %(all)s day had trouble", "%(n)s of %(all)s days had trouble", len(worst))
    title = words % {"n": trouble, "all": len(worst)} if worst else _("No syncs in 13 weeks")
    return Calendar(title, with_months(weeks), rows)


def with_months(weeks: list[datetime.date]) -> list[tuple[datetime.date, bool]]:
    """A month that has the first column alone has no room for its name."""
    before = [weeks[1], *weeks[:-1]]
    begins = [monday.month != other.month for monday, other in zip(weeks, before, strict=True)]
    return list(zip(weeks, [not begins[0], *begins[1:]], strict=True))


def results_of(tenant: Tenant, first: datetime.date) -> dict[datetime.date, str]:
    """The worst result of each day with syncs, in the reader's zone."""
    order = list(RESULTS)
    zone = timezone.get_current_timezone()
    runs = tenant.runs.syncs().filter(created_at__gte=midnight(first), state__in=list(OF_STATES)).order_by()
    days = runs.values_list(TruncDate("created_at", tzinfo=zone), "state")
    missed = tenant.missed_starts.filter(expected_at__gte=midnight(first)).order_by()
    failed = missed.values_list(TruncDate("expected_at", tzinfo=zone), Value(Run.State.FAILED.value))
    found: dict[datetime.date, str] = {}
    # Each day and state once.
    for day, state in days.union(failed).order_by():
        found[day] = min(OF_STATES[Run.State(state)], found.get(day, order[-1]), key=order.index)
    return found


def days_off(off: Iterable[TimeOff], first: datetime.date, today: datetime.date) -> set[datetime.date]:
    """In the reader's zone; also those of which it was a part."""
    found: set[datetime.date] = set()
    for one in off:
        last = timezone.localdate(one.ends) if one.ends else today
        day = max(first, timezone.localdate(one.begins))
        found |= {day + datetime.timedelta(days=n) for n in range((last - day).days + 1)}
    return found


def day_of(
    date: datetime.date, worst: Mapping[datetime.date, str], rests: Collection[datetime.date], today: datetime.date
) -> Day:
    if date in worst:
        letter, family, words = RESULTS[worst[date]]
        return Day(date, letter, family, f"{words}, {PART_OF_IT}" if date in rests else words, False)
    if date in rests:
        return Day(date, *OFF, date > today)
    return Day(date, "", "", _("No sync"), date > today)
