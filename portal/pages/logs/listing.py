"""One page of the log in the order of time, and the entry that is open beside it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from portal.access.request import HttpRequest, whole_number
from portal.frame.paging import PAGE, Pager, query_with
from sync.models import Operation, Tenant
from sync.models.run import OperationQuerySet

# Above this nobody counts.
MOST = 10_000


@dataclass(frozen=True, slots=True)
class LogPage:
    """`rows` newest first. `newer`, `older`: addresses of the pages beside it, "" where there is none."""

    rows: Sequence[Operation]
    newer: str
    older: str

    @property
    def pager(self) -> Pager:
        return Pager.by_time(self.newer, self.older)

    @property
    def whole(self) -> bool:
        """All there is stands on it."""
        return not self.newer and not self.older


def log_page(request: HttpRequest, tenant: Tenant, found: OperationQuerySet, chosen: Operation | None) -> LogPage:
    """By the row that `before` or `after` names; a chosen row that is not on that page begins one of its own."""
    before, after = (row_named(tenant, request.GET.get(name, "")) for name in ("before", "after"))
    rows = _rows(found, before, after)
    begins = before is None and after is None
    if chosen and chosen not in rows[:PAGE] and found.filter(pk=chosen.pk).exists():
        rows, begins = [chosen, *found.older_than(chosen).newest_first()[:PAGE]], False
    shown = rows[:PAGE]
    newer = bool(shown) and not begins and found.newer_than(shown[0]).exists()
    older = len(rows) > PAGE or (bool(shown) and after is not None and found.older_than(shown[-1]).exists())
    return LogPage(
        shown,
        query_with(request, after=shown[0].pk) if newer else "",
        query_with(request, before=shown[-1].pk) if older else "",
    )


def row_named(tenant: Tenant, text: str) -> Operation | None:
    number = whole_number(text)
    return None if number is None else Operation.objects.filter(tenant=tenant, pk=number).first()


def _rows(found: OperationQuerySet, before: Operation | None, after: Operation | None) -> list[Operation]:
    """Newest first, with one more than a page of them where older ones follow."""
    if after is not None:
        return list(reversed(found.newer_than(after).oldest_first()[:PAGE]))
    return list((found.older_than(before) if before else found).newest_first()[: PAGE + 1])


@dataclass(frozen=True, slots=True)
class Beside:
    """Addresses of the entries before and after the open one, "" at the ends, and without it. `number`: 0 above MOST."""

    number: int
    previous: str
    following: str
    closed: str


def beside_panel(request: HttpRequest, found: OperationQuerySet, page: LogPage, chosen: Operation) -> Beside:
    previous, following = neighbours(found, chosen, page.rows)
    return Beside(
        place_of(found, chosen),
        panel_address(request, previous, stays=previous in page.rows) if previous else "",
        panel_address(request, following, stays=following in page.rows) if following else "",
        panel_address(request, None),
    )


def beside_page(request: HttpRequest, found: OperationQuerySet, chosen: Operation) -> Beside:
    """Of an entry on a page of its own, which keeps the log's filters in its query."""
    previous, following = (entry_address(request, one) if one else "" for one in neighbours(found, chosen))
    return Beside(place_of(found, chosen), previous, following, log_address(request, chosen))


def neighbours(
    found: OperationQuerySet, chosen: Operation, rows: Sequence[Operation] = ()
) -> tuple[Operation | None, Operation | None]:
    """`rows`: those at hand, in order."""
    place = list(rows).index(chosen) if chosen in rows else None
    known = {} if place is None else dict(enumerate(rows))
    previous = known.get(place - 1) if place else None
    following = known.get(place + 1) if place is not None else None
    return (
        previous or found.newer_than(chosen).oldest_first().first(),
        following or found.older_than(chosen).newest_first().first(),
    )


def place_of(found: OperationQuerySet, chosen: Operation) -> int:
    """1 is the newest. 0: above MOST, or the filters leave it out."""
    if not found.filter(pk=chosen.pk).exists():
        return 0
    # In the order of an index: without one PostgreSQL reads the whole log.
    above = found.newer_than(chosen).newest_first()[:MOST].count()
    return above + 1 if above < MOST else 0


def panel_address(request: HttpRequest, row: Operation | None, *, stays: bool = True) -> str:
    """This page's address with another entry open, or none. Not `stays`: the entry is on another page."""
    query = kept_query(request, *(() if stays else ("before", "after")))
    return "?" + urlencode(query | ({"op": row.pk} if row else {}))


def panel_base(request: HttpRequest) -> str:
    """What an entry's key is put behind."""
    return "?" + urlencode(kept_query(request) | {"op": ""})


def entry_address(request: HttpRequest, row: Operation) -> str:
    query = urlencode(kept_query(request, "before", "after"))
    return reverse("log", args=[row.tenant.slug, row.pk]) + (f"?{query}" if query else "")


def log_address(request: HttpRequest, row: Operation) -> str:
    query = urlencode(kept_query(request, "before", "after"))
    return reverse("logs", args=[row.tenant.slug]) + (f"?{query}" if query else "")


def kept_query(request: HttpRequest, *dropped: str) -> dict[str, object]:
    return {name: value for name, value in request.GET.items() if value and name not in ("op", *dropped)}


def results_of(found: OperationQuerySet, page: LogPage) -> Counter[str]:
    """How often each result came; of more than MOST rows, among any MOST + 1: a page says then that there are more."""
    if page.whole:
        return Counter(row.result for row in page.rows)
    return Counter(found.order_by().values_list("result", flat=True)[: MOST + 1])
