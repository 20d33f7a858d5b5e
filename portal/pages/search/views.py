"""The page of results, and the suggestions under the field in the header: the same, shorter."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse

from portal.access.pages import Audience, site_page
from portal.access.request import HttpRequest
from portal.access.rights import visible_tenants
from portal.frame.render import render_page
from portal.pages.search import places
from portal.pages.search.forms import SearchForm
from sync.models import Tenant
from sync.people.queries import SHORTEST, search_everybody

# Of each kind: on the page, and under the field.
SHOWN, SUGGESTED = 20, 5
SUGGESTIONS = "search-suggestions"


@site_page(read=Audience.SIGNED_IN)
def search(request: HttpRequest) -> HttpResponse:
    form = SearchForm(request.GET)
    form.is_valid()
    suggesting = bool(request.htmx) and request.htmx.target == SUGGESTIONS
    tenants = list(visible_tenants(request.user))
    here = next((one for one in tenants if one.slug == form.cleaned_data.get("here")), None)
    found = found_in(request, tenants, here, form.text, SUGGESTED if suggesting else SHOWN)
    context = {
        "text": form.text,
        "here": here,
        "tenants": {one.slug: one for one in tenants},
        "several": len(tenants) > 1,
        "too_short": len(form.text) < SHORTEST,
        **found,
        "count": sum(len(rows) for rows in found.values()),
    }
    return render_page(request, "search/list.html", context, partial="suggestions" if suggesting else "found")


def found_in(
    request: HttpRequest, tenants: Sequence[Tenant], here: Tenant | None, text: str, most: int
) -> dict[str, Sequence[Any]]:
    if len(text) < SHORTEST and not text.isdecimal():
        return dict.fromkeys(("people", "groups", "runs", "named", "pages", "help"), ())
    nearest = sorted(tenants, key=lambda one: one != here)
    found = search_everybody(tenants, text, most)
    return {
        "people": found.people,
        "groups": found.groups,
        "runs": places.runs(nearest, text)[:most],
        "named": places.tenants(tenants, text)[:most],
        "pages": places.pages(request, here, text)[:most],
        "help": places.help_on(text)[:most],
    }
