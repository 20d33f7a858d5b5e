"""The charts of the sync history. Each is a table; static/js/history draws what its columns say."""

import datetime
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.pages.runs.figures import UNCHANGED, Fact, durations, last_known, syncs
from portal.pages.runs.forms import Span
from sync.models import Configuration, Tenant
from sync.problems.languages import grouped

Words = str | Promise
HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)
Bucket = tuple[datetime.datetime, Sequence[Fact]]


@dataclass(frozen=True, slots=True)
class Column:
    """`colour`: of its marks (static/css/runs.css); "": it stands in the table alone. `shape`: bar, line or dot."""

    label: Words
    colour: str = ""
    shape: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """`values`: numbers, None where nothing is known. `mark`: what happened then, as a line through the plot."""

    label: str
    values: Sequence[float | None]
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """`limit`: a line across, with its words. `seconds`: values are durations."""

    key: str
    title: str
    sentence: str
    first: Words
    columns: Sequence[Column]
    rows: Sequence[Row]
    limit: float | None = None
    limit_words: str = ""
    seconds: bool = False


def charts_of(tenant: Tenant, span: Span, facts: Sequence[Fact], people: tuple[int, int, int | None]) -> list[Chart]:
    """`people`: in AWS and in scope at the end, and how many more than at the beginning."""
    parts = buckets(span, facts)
    return [
        people_chart(span, parts, versions_between(tenant, span), people),
        changes_chart(span, parts),
        duration_chart(tenant, span, parts),
    ]


# Time


def buckets(span: Span, facts: Iterable[Fact]) -> list[Bucket]:
    """Every hour or day of the range in the reader's zone, with the syncs that were asked for in it."""
    begin = begin_of(span)
    found: dict[datetime.datetime, list[Fact]] = {at: [] for at in steps(begin(span.begins), span)}
    for one in facts:
        found.setdefault(begin(one.created_at), []).append(one)
    return sorted(found.items())


def begin_of(span: Span) -> Callable[[datetime.datetime], datetime.datetime]:
    """Of the hour or day that a moment is in."""

    def begin(moment: datetime.datetime) -> datetime.datetime:
        local = timezone.localtime(moment)
        hour = local.hour if span.by_hour else 0
        return local.replace(hour=hour, minute=0, second=0, microsecond=0)

    return begin


def steps(begin: datetime.datetime, span: Span) -> Iterable[datetime.datetime]:
    """By the clock on the wall: a day with 23 hours is a day."""
    at = begin
    while at < span.ends:
        yield at
        at += HOUR if span.by_hour else DAY


def label_of(span: Span, at: datetime.datetime) -> str:
    return date_format(at, "H:i" if span.by_hour else _("j M"))


def versions_between(tenant: Tenant, span: Span) -> Sequence[Configuration]:
    found = tenant.configurations.published().filter(published_at__gte=span.begins, published_at__lt=span.ends)
    return list(found.order_by("published_at").only("tenant", "number", "published_at"))


# Charts


def people_chart(
    span: Span, parts: Sequence[Bucket], versions: Sequence[Configuration], people: tuple[int, int, int | None]
) -> Chart:
    in_aws, in_scope, more = people
    begin = begin_of(span)
    marks: dict[datetime.datetime, str] = {}
    for one in versions:
        if one.published_at is not None:
            marks[begin(one.published_at)] = _("version %(n)s") % {"n": one.number}
    rows: list[Row] = []
    known: tuple[int | None, int | None] = (None, None)
    for at, facts in parts:
        if newest := last_known(facts):
            known = (newest.people_in_aws, newest.people_in_scope)
        rows.append(Row(label_of(span, at), known, marks.get(at, "")))
    sentence = _("%(n)s of %(all)s in scope.") % {"n": grouped(in_aws), "all": grouped(in_scope)}
    return Chart(
        "people",
        people_title(more),
        sentence + (" " + _("Lines mark published versions.") if marks else ""),
        _("Time"),
        [Column(_("In AWS, up to date"), "updated", "line"), Column(_("In scope"))],
        rows,
    )


def people_title(more: int | None) -> str:
    if not more:
        return _("As many people in AWS as before") if more == 0 else _("People in AWS, up to date")
    if more > 0:
        return ngettext("%(n)s more person in AWS", "%(n)s more people in AWS", more) % {"n": grouped(more)}
    return ngettext("%(n)s person fewer in AWS", "%(n)s people fewer in AWS", -more) % {"n": grouped(-more)}


SERIES: tuple[tuple[str, Callable[[Fact], int]], ...] = (
    ("created", lambda one: one.count("created")),
    ("updated", lambda one: one.count("updated", "linked", "enabled", "added", "removed")),
    ("disabled", lambda one: one.count("disabled")),
    ("deleted", lambda one: one.count("deleted")),
    ("failed", lambda one: one.failures),
)


def changes_chart(span: Span, parts: Sequence[Bucket]) -> Chart:
    words = (_("Created"), _("Updated, with members"), _("Disabled"), _("Deleted"), _("Failed or refused"))
    columns = [Column(word, key, "bar") for word, (key, _of) in zip(words, SERIES, strict=True)]
    rows = [Row(label_of(span, at), [sum(of(one) for one in facts) for _key, of in SERIES]) for at, facts in parts]
    unchanged = sum(one.stands_for * one.count(UNCHANGED) for _at, facts in parts for one in facts)
    every = _("Changes per hour.") if span.by_hour else _("Changes per day.")
    left_out = _("%(n)s without change left out.") % {"n": grouped(unchanged)}
    bad = sum(any(one.failures for one in facts) for _at, facts in parts)
    return Chart("changes", changes_title(span, bad, len(parts)), f"{every} {left_out}", _("Time"), columns, rows)


def changes_title(span: Span, bad: int, parts: int) -> str:
    if not bad:
        return _("No change failed")
    if span.by_hour:
        return _("Failures in %(n)s of %(all)s hours") % {"n": bad, "all": parts}
    return _("Failures on %(n)s of %(all)s days") % {"n": bad, "all": parts}


def duration_chart(tenant: Tenant, span: Span, parts: Sequence[Bucket]) -> Chart:
    limit = tenant.interval_length.total_seconds()
    rows, over = [], 0
    for at, facts in parts:
        seconds = durations(facts)
        over += sum(one > limit for one in seconds)
        rows.append(Row(label_of(span, at), duration_values(seconds, syncs(facts))))
    title = ngettext("%(n)s run over the interval", "%(n)s runs over the interval", over) % {"n": over}
    return Chart(
        "duration",
        title if over else _("No run took longer than the interval"),
        _("A dot is the slowest run, the line is the middle one."),
        _("Time"),
        [Column(_("Slowest"), "updated", "dot"), Column(_("Middle"), "line", "line"), Column(_("Runs"))],
        rows,
        limit if over else None,
        _("interval %(n)s min") % {"n": tenant.interval},
        seconds=True,
    )


def duration_values(seconds: Sequence[float], runs: int) -> list[float | None]:
    if not seconds:
        return [None, None, 0]
    return [round(seconds[-1], 2), round(statistics.median(seconds), 2), runs]
