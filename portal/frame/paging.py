"""Lists that are read page by page."""

from typing import Any
from urllib.parse import urlencode

from portal.access.request import HttpRequest, whole_number
from sync.models.run import OperationQuerySet

PAGE = 50


def keyset_page(found: OperationQuerySet, request: HttpRequest) -> dict[str, Any]:
    """Keyset paging by id: `before` goes to older rows, `after` to newer ones."""
    before, after = (whole_number(request.GET.get(name, "")) for name in ("before", "after"))
    if after is not None:
        rows = list(reversed(found.filter(pk__gt=after).order_by("pk")[:PAGE]))
    else:
        rows = list((found if before is None else found.filter(pk__lt=before)).order_by("-pk")[:PAGE])
    return {
        "operations": rows,
        "newer": query_with(request, after=rows[0].pk) if rows and found.filter(pk__gt=rows[0].pk).exists() else "",
        "older": query_with(request, before=rows[-1].pk) if rows and found.filter(pk__lt=rows[-1].pk).exists() else "",
    }


def query_with(request: HttpRequest, **changes: object) -> str:
    """This page's query with other values; paging and the open panel never outlive a change."""
    query = {name: value for name, value in request.GET.items() if value and name not in ("before", "after", "op")}
    query |= {name: str(value) for name, value in changes.items()}
    return "?" + urlencode({name: value for name, value in query.items() if value})
