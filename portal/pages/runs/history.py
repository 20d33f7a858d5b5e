"""The sync history: is it getting better or worse, and when did it break?"""

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext as _

from portal.access.pages import page
from portal.access.quota import begin_export
from portal.access.request import HttpRequest, whole_number
from portal.access.roles import Right
from portal.frame.csv_export import csv_response
from portal.frame.paging import Pager, query_with
from portal.frame.render import render_page, wants_partial
from portal.pages.runs import figures
from portal.pages.runs.calendar import OFF, RESULTS, calendar_of
from portal.pages.runs.charts import charts_of
from portal.pages.runs.forms import RANGES, HistoryForm, Span
from sync import audit
from sync.models import MissedStart, Run, Tenant
from sync.models.run import RunQuerySet
from sync.problems.catalogue import PROBLEMS
from sync.tenants.queries import TimeOff, times_off

PAGE = 50
KINDS_SHOWN = 2
COLUMNS = (
    *("run", "state", "kind", "trigger", "requested_by", "version", "started", "finished", "seconds"),
    *("created", "updated", "disabled", "deleted", "skipped", "failed", "problems", "reason", "stands_for"),
)


@page(read=Right.READ)
def runs(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """The page, or the table of runs alone for its filters."""
    form = HistoryForm(request.GET)
    span = form.span()
    off = times_off(tenant)
    context = {"tenant": tenant, "form": form, "span": span} | table_context(request, tenant, form, span, off)
    if not wants_partial(request):
        context |= range_context(request, tenant, span, off)
    return render_page(request, "runs/history.html", context, partial="table")


def range_context(request: HttpRequest, tenant: Tenant, span: Span, off: Sequence[TimeOff]) -> dict[str, Any]:
    facts, before = figures.facts_of(tenant, span)
    summary = figures.summary(tenant, span, facts, before)
    people = (summary["people"], summary["in_scope"], summary["more_people"])
    return {
        "ranges": [(query_with(request, days=days, begin="", end=""), words, days) for days, words in RANGES.items()],
        "summary": summary,
        "too_many": len(facts) == figures.MOST,
        "charts": charts_of(tenant, span, facts, people),
        "failures": failures_of(span, facts),
        "calendar": calendar_of(tenant, off),
        "legend": [*list(RESULTS.values())[::-1], OFF],
        "any": bool(facts) or tenant.runs.exists(),
        "as_csv": query_with(request),
    }


def failures_of(span: Span, facts: Sequence[figures.Fact]) -> dict[str, Any]:
    """Bars by kind, each with its share of the longest."""
    found = figures.failures_by_kind(facts)
    total = sum(n for _code, n in found)
    hours = {"1": "24", "7": "168", "30": "720", "90": "2160"}.get(span.days, "")
    return {
        "total": total,
        "share": round(100 * found[0][1] / total) if found else 0,
        "most": found[0][1] if found else 0,
        "since": hours,
        "kinds": [(PROBLEMS[code].title if code in PROBLEMS else code, n, code) for code, n in found],
    }


# The table


@dataclass(frozen=True, slots=True)
class Line:
    """A run, a start that was missed, or a time when none was wanted; `problems`: titles of its first kinds, and how many more there are."""

    at: datetime.datetime
    run: Run | None = None
    missed: MissedStart | None = None
    off: TimeOff | None = None
    problems: Sequence[str] = ()
    more: int = 0

    @property
    def removed(self) -> int:
        return self.run.counts.get("disabled", 0) + self.run.counts.get("deleted", 0) if self.run else 0

    @property
    def failed(self) -> int:
        return sum(self.run.counts.get(result, 0) for result in ("failed", "will_retry")) if self.run else 0


def table_context(
    request: HttpRequest, tenant: Tenant, form: HistoryForm, span: Span, off: Sequence[TimeOff]
) -> dict[str, Any]:
    found = form.filtered(runs_in(tenant, span))
    before = whole_number(request.GET.get("before", ""))
    rows = list((found if before is None else found.filter(number__lt=before)).order_by("-number")[: PAGE + 1])
    missed = [] if form.narrowed else missed_beside(tenant, span, rows, first=before is None)
    rests = [] if form.narrowed else off_beside(off, span, rows, first=before is None)
    return {
        "lines": lines_of(rows[:PAGE], missed, rests),
        "pager": history_pager(request, rows, newest=before is not None),
        "count": found.count(),
    }


def runs_in(tenant: Tenant, span: Span) -> RunQuerySet:
    runs = tenant.runs.filter(created_at__gte=span.begins, created_at__lt=span.ends)
    return runs.select_related("configuration")


def missed_beside(tenant: Tenant, span: Span, rows: Sequence[Run], *, first: bool) -> list[MissedStart]:
    """Those between the oldest run of a page and its newest; on the first page also what came after it."""
    missed = tenant.missed_starts.filter(expected_at__gte=span.begins, expected_at__lt=span.ends)
    if len(rows) > PAGE:
        missed = missed.filter(expected_at__gte=rows[PAGE].created_at)
    if not first:
        missed = missed.filter(expected_at__lt=rows[0].created_at) if rows else missed.none()
    return list(missed.select_related("run").order_by("-expected_at")[:PAGE])


def off_beside(off: Iterable[TimeOff], span: Span, rows: Sequence[Run], *, first: bool) -> list[TimeOff]:
    """Those that began among the runs of a page; on the last page also what began before the range."""
    begins = rows[PAGE].created_at if len(rows) > PAGE else None
    ends = span.ends if first or not rows else rows[0].created_at
    found = [one for one in off if one.overlaps(span.begins, span.ends) and one.begins < ends]
    return [one for one in found if begins is None or one.begins >= begins]


def lines_of(rows: Iterable[Run], missed: Iterable[MissedStart], off: Iterable[TimeOff]) -> list[Line]:
    lines = [Line(run.created_at, run, None, None, *named_problems(run)) for run in rows]
    lines += [Line(one.expected_at, missed=one) for one in missed]
    lines += [Line(one.begins, off=one) for one in off]
    return sorted(lines, key=lambda one: one.at, reverse=True)


def named_problems(run: Run) -> tuple[list[str], int]:
    titles = [str(PROBLEMS[code].title) if code in PROBLEMS else code for code, _n in by_number(run.problems)]
    if run.problem in PROBLEMS:
        titles.insert(0, str(PROBLEMS[run.problem].title))
    return titles[:KINDS_SHOWN], max(0, len(titles) - KINDS_SHOWN)


def by_number(problems: Mapping[str, int]) -> list[tuple[str, int]]:
    """Most people first: PostgreSQL keeps no order in JSON."""
    return sorted(problems.items(), key=lambda one: (-one[1], one[0]))


def history_pager(request: HttpRequest, rows: Sequence[Run], *, newest: bool) -> Pager:
    links = [(query_with(request), _("Newest"))] if newest else []
    if len(rows) > PAGE:
        links.append((query_with(request, before=rows[PAGE - 1].number), _("Older")))
    return Pager(links)


# As a file


@page(read=Right.READ)
def runs_export(request: HttpRequest, tenant: Tenant) -> StreamingHttpResponse:
    """The runs of the range and filters, with the starts that were missed and the times when none was wanted."""
    begin_export(request)
    form = HistoryForm(request.GET)
    span = form.span()
    audit.record(request.user.email, "runs.export", tenant, None, {"filters": request.GET.dict()})
    return csv_response(f"{tenant.slug}-sync-history", COLUMNS, export_rows(tenant, form, span))


def export_rows(tenant: Tenant, form: HistoryForm, span: Span) -> Iterator[list[object]]:
    runs = form.filtered(runs_in(tenant, span)).order_by("-number").iterator(chunk_size=500)
    gaps = [] if form.narrowed else gap_rows(tenant, span)
    for run in runs:
        while gaps and gaps[0][0] > run.created_at:
            yield gaps.pop(0)[1]
        yield run_row(run)
    yield from (row for _at, row in gaps)


def gap_rows(tenant: Tenant, span: Span) -> list[tuple[datetime.datetime, list[object]]]:
    """Why nothing ran, newest first, each with when it began."""
    missed = tenant.missed_starts.filter(expected_at__gte=span.begins, expected_at__lt=span.ends)
    found = [(one.expected_at, missed_row(one)) for one in missed]
    found += [(one.begins, off_row(one)) for one in times_off(tenant) if one.overlaps(span.begins, span.ends)]
    return sorted(found, key=lambda one: one[0], reverse=True)


def run_row(run: Run) -> list[object]:
    counts = [run.counts.get(name, 0) for name in ("created", "updated", "disabled", "deleted", "skipped", "failed")]
    return [
        *(run.number, run.state, run.kind, run.trigger, run.requested_by),
        run.configuration.number or "draft" if run.configuration else "",
        *(stamp(run.started_at), stamp(run.finished_at), run.duration.total_seconds() if run.duration else ""),
        *counts,
        "; ".join(f"{code} {n}" for code, n in by_number(run.problems)),
        run.problem,
        run.stands_for,
    ]


def missed_row(missed: MissedStart) -> list[object]:
    row: dict[str, object] = dict.fromkeys(COLUMNS, "")
    row |= {"state": "did_not_start", "started": stamp(missed.expected_at), "finished": stamp(missed.until)}
    return list((row | {"reason": missed.reason}).values())


def off_row(off: TimeOff) -> list[object]:
    row: dict[str, object] = dict.fromkeys(COLUMNS, "")
    row |= {"state": "paused" if off.paused else "off", "requested_by": off.actor, "reason": off.reason}
    return list((row | {"started": stamp(off.begins), "finished": stamp(off.ends)}).values())


def stamp(moment: datetime.datetime | None) -> str:
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""
