"""The inbox, the incidents of a tenant, one as its thread; to acknowledge and to snooze."""

import datetime
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.access.pages import Audience, page, site_page
from portal.access.request import HttpRequest, whole_number
from portal.access.rights import can, visible_tenants
from portal.access.roles import Right
from portal.frame.paging import PAGE, Pager
from portal.frame.render import redirect_to, render_page
from portal.pages.incidents.thread import thread_of
from sync.models import Incident, Tenant
from sync.notifications import queries, services
from sync.problems.catalogue import PROBLEMS
from sync.problems.languages import grouped, moment

# Hours.
SNOOZES = (
    (1, gettext_lazy("1 hour")),
    (4, gettext_lazy("4 hours")),
    (24, gettext_lazy("1 day")),
    (168, gettext_lazy("1 week")),
)


@site_page(read=Audience.SIGNED_IN)
def inbox(request: HttpRequest) -> HttpResponse:
    found = Paginator(queries.open_incidents(visible_tenants(request.user)), PAGE)
    shown = found.get_page(whole_number(request.GET.get("page", "")) or 1)
    context = {"rows": rows_of(request, shown), "pager": Pager.of(request, shown), "back": "inbox"}
    return render_page(request, "incidents/inbox.html", context | {"snoozes": SNOOZES})


@page(read=Right.READ)
def incidents(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    everything = request.GET.get("show") == "all"
    found = queries.incidents(tenant)
    shown = Paginator(found if everything else found.filter(solved_at=None), PAGE).get_page(
        whole_number(request.GET.get("page", "")) or 1
    )
    context = {"rows": rows_of(request, shown), "pager": Pager.of(request, shown), "back": "incidents"}
    return render_page(
        request, "incidents/list.html", context | {"tenant": tenant, "everything": everything, "snoozes": SNOOZES}
    )


def rows_of(request: HttpRequest, found: Iterable[Incident]) -> list[dict[str, Any]]:
    """With what the person may do, which differs by tenant."""
    may: dict[int, bool] = {}
    rows = []
    for incident in found:
        if incident.tenant_id not in may:
            may[incident.tenant_id] = can(request.user, incident.tenant, Right.ON_DEMAND)
        rows.append({"incident": incident, "title": queries.title_of(incident), "may": may[incident.tenant_id]})
    return rows


@page(read=Right.READ)
def incident(request: HttpRequest, tenant: Tenant, pk: int) -> HttpResponse:
    found = get_object_or_404(queries.incidents(tenant), pk=pk)
    deliveries = list(queries.deliveries(tenant).filter(incidents=found))
    context = {
        "tenant": tenant,
        "incident": found,
        "title": queries.title_of(found),
        "kind": queries.BY_NAME.get(found.kind),
        "problem": PROBLEMS.get(found.code),
        "concerned": concerned_links(found),
        "thread": thread_of(found, deliveries),
        "deliveries": deliveries,
        "snoozes": SNOOZES,
        "row": rows_of(request, [found])[0],
        "back": "incident",
    }
    return render_page(request, "incidents/detail.html", context)


def concerned_links(incident: Incident) -> list[dict[str, str]]:
    """To the people, and to the groups, who have it now."""
    address = reverse("people", args=[incident.tenant.slug])
    found = []
    for kind, n in queries.concerned(incident).items():
        words = (
            ngettext("%(n)s person", "%(n)s people", n)
            if kind == "user"
            else ngettext("%(n)s group", "%(n)s groups", n)
        )
        query = urlencode({"kind": kind, "code": incident.code, "attribute": incident.attribute})
        found.append({"words": words % {"n": grouped(n)}, "url": f"{address}?{query}"})
    return found


@page(act=Right.ON_DEMAND)
def acknowledge(request: HttpRequest, tenant: Tenant, pk: int) -> HttpResponse:
    found = get_object_or_404(tenant.incidents, pk=pk)
    if services.acknowledge(incident=found, actor=request.user.email):
        messages.success(request, _("Acknowledged: others see that you look at it."))
    else:
        messages.info(request, _("It is over, or somebody else looks at it already."))
    return back(request, tenant, found)


@page(act=Right.ON_DEMAND)
def snooze(request: HttpRequest, tenant: Tenant, pk: int) -> HttpResponse:
    found = get_object_or_404(tenant.incidents, pk=pk)
    hours = whole_number(request.POST.get("hours", ""))
    if hours not in dict(SNOOZES):
        messages.warning(request, _("Choose for how long."))
        return back(request, tenant, found)
    until = timezone.now() + datetime.timedelta(hours=hours)
    if services.snooze(incident=found, actor=request.user.email, until=until):
        when = moment(timezone.localtime(until))
        messages.success(request, _("Snoozed until %(when)s.") % {"when": when})
    return back(request, tenant, found)


def back(request: HttpRequest, tenant: Tenant, incident: Incident) -> HttpResponse:
    """To the page that the button stood on."""
    match request.POST.get("back"):
        case "inbox":
            return redirect_to(request, "inbox")
        case "incidents" | "notifications" as name:
            return redirect_to(request, name, tenant.slug)
    return redirect_to(request, "incident", tenant.slug, incident.pk)
