"""Lists that are read page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from portal.access.request import HttpRequest, whole_number

Words = str | Promise
PAGE = 50
# Paging, the open panel and the wish to count never outlive a change of a page's query.
PASSING = ("before", "after", "op", "counts")


@dataclass(frozen=True, slots=True)
class Pager:
    """What partials/_pager.html draws. `links`: address and word of each; `first`, `last`, `total`: rows, where known."""

    links: Sequence[tuple[str, Words]]
    first: int = 0
    last: int = 0
    total: int = 0
    label: Words = ""

    @classmethod
    def by_time(cls, newer: str, older: str) -> "Pager":
        """Addresses, "" where there is no such page."""
        return cls([(url, word) for url, word in ((newer, _("Newer")), (older, _("Older"))) if url])

    @classmethod
    def numbered(cls, previous: str, following: str, rows: tuple[int, int, int], label: Words = "") -> "Pager":
        """`rows`: the first and the last one of the page, and how many there are."""
        links = [(url, word) for url, word in ((previous, _("Previous")), (following, _("Next"))) if url]
        return cls(links, *rows, label)

    @classmethod
    def of(
        cls, request: HttpRequest, page: Page[Any], name: str = "page", label: Words = "", anchor: str = ""
    ) -> "Pager":
        """`name` of the page's number in the query; `anchor`: where the page of it begins, as "#id"."""
        previous = query_with(request, **{name: page.previous_page_number()}) + anchor if page.has_previous() else ""
        following = query_with(request, **{name: page.next_page_number()}) + anchor if page.has_next() else ""
        return cls.numbered(previous, following, (page.start_index(), page.end_index(), page.paginator.count), label)


def keyset_page(found: QuerySet[Any], request: HttpRequest, anchor: str = "") -> dict[str, Any]:
    """Keyset paging by id: `before` goes to older rows, `after` to newer ones."""
    before, after = (whole_number(request.GET.get(name, "")) for name in ("before", "after"))
    if after is not None:
        rows = list(reversed(found.filter(pk__gt=after).order_by("pk")[:PAGE]))
    else:
        rows = list((found if before is None else found.filter(pk__lt=before)).order_by("-pk")[:PAGE])
    newer = query_with(request, after=rows[0].pk) + anchor if rows and found.filter(pk__gt=rows[0].pk).exists() else ""
    older = (
        query_with(request, before=rows[-1].pk) + anchor if rows and found.filter(pk__lt=rows[-1].pk).exists() else ""
    )
    return {"operations": rows, "pager": Pager.by_time(newer, older)}


def query_with(request: HttpRequest, **changes: object) -> str:
    """This page's query with other values; empty ones go."""
    query = {name: value for name, value in request.GET.items() if value and name not in PASSING}
    query |= {name: str(value) for name, value in changes.items()}
    return "?" + urlencode({name: value for name, value in query.items() if value})
