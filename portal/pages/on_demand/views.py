"""Provision on demand: whom, and then every step as it happens."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.access.pages import page
from portal.access.quota import PASTE, take
from portal.access.request import HttpRequest
from portal.access.rights import can
from portal.access.roles import Right
from portal.frame import picker
from portal.frame.render import redirect_to, render_page
from portal.pages.on_demand.forms import OnDemandForm
from portal.pages.on_demand.steps import shown_objects
from sync.directory import live
from sync.models import Demand, DemandObject, Run, Tenant
from sync.on_demand import services
from sync.problems.catalogue import PROBLEMS

RECENT = 10
REFUSED = {
    "nobody": gettext_lazy("Choose at least one person or group."),
    "mixed": gettext_lazy("Choose one group alone, or up to 50 people."),
    "too-many": gettext_lazy("Choose up to 50 people."),
    "too-many-open": gettext_lazy(
        "Five of your requests wait already. Wait until one is carried out: syncs would have to wait for all of them."
    ),
    "no-draft": gettext_lazy("There is no draft any more: it was published or discarded."),
    "draft-writes": gettext_lazy("By the draft nothing is written. Tick “Only show what would happen” too."),
    "token-refused": gettext_lazy(
        "Nothing was sent: AWS refused the access token. Replace it under Connection and test it, then try again. "
        "You can still see what would happen."
    ),
    "restored": gettext_lazy(
        "Nothing was sent: the database was restored from a backup. Compare with AWS first. You can still see what would happen."
    ),
}


@page(read=Right.READ, act=Right.ON_DEMAND)
def on_demand(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """One form: its search is a GET that carries the chosen ones along, *Provision* is a POST."""
    may = can(request.user, tenant, Right.ON_DEMAND)
    form = OnDemandForm(typed(request))
    form.is_valid()
    picked = picker.pick(tenant, form, search=request.method == "GET") if may else picker.Picked([])
    if request.method == "POST" and form.is_valid() and not picked.unreadable:
        try:
            if demand := _ask(request, tenant, form, picked.chosen):
                return redirect_to(request, reverse("demand", args=[tenant.slug, demand.pk]) + "#steps")
        except live.UNREADABLE:
            picked.unreadable = True
    context = {"tenant": tenant, "form": form, "recent": recent(tenant), "may": may, **picked.context()}
    status = 422 if request.method == "POST" else 200
    return render_page(request, "on_demand/new.html", context, partial="picker", status=status)


def typed(request: HttpRequest) -> QueryDict:
    """An unticked box is not sent at all: only our own form tells that apart."""
    if request.method == "POST":
        return request.POST
    data = request.GET.copy()
    if "form" not in data:
        data["dry_run"] = "on"
    return data


def _ask(request: HttpRequest, tenant: Tenant, form: OnDemandForm, chosen: Sequence[live.Found]) -> Demand | None:
    """None when the form has the reasons why not."""
    try:
        if form.lines:
            take(request, PASTE)
        pasted = services.resolve_names(tenant, form.lines)
        objects = list({one.reference: one for one in [*chosen, *pasted]}.values())
        rules = {name: bool(form.cleaned_data[name]) for name in ("dry_run", "drafted")}
        return services.request_demand(tenant=tenant, actor=request.user.email, objects=objects, **rules)
    except services.NotFoundByName as error:
        if error.unknown:
            form.add_error("pasted", _("Entra knows nobody called: %(names)s.") % {"names": ", ".join(error.unknown)})
        if error.ambiguous:
            text = _("More than one person is called: %(names)s. Use the user principal name.")
            form.add_error("pasted", text % {"names": ", ".join(error.ambiguous)})
    except services.CannotDemand as error:
        form.add_error(None, REFUSED[error.code])
    return None


def recent(tenant: Tenant) -> list[dict[str, Any]]:
    rows = tenant.demands.prefetch_related("objects_asked")[:RECENT]
    return [{"demand": row, "name": demand_name(row), "state": state_of(row)} for row in rows]


def demand_name(demand: Demand) -> str:
    """The first one's name, and how many more."""
    rows = list(demand.objects_asked.all())
    first = (rows[0].display_name or rows[0].object_id) if rows else "–"
    if len(rows) < 2:
        return first
    return ngettext("%(name)s and %(n)s more", "%(name)s and %(n)s more", len(rows) - 1) % {
        "name": first,
        "n": len(rows) - 1,
    }


def state_of(demand: Demand) -> str:
    """A word of runs: it is one."""
    if demand.state == Demand.State.WAITING:
        return "queued"
    if demand.state == Demand.State.RUNNING:
        return "running"
    if demand.state == Demand.State.FAILED:
        return "cancelled" if demand.problem == "cancelled" else "failed"
    bad = any(row.result in ("failed", "will_retry") or stopped(row) for row in demand.objects_asked.all())
    return "completed_with_errors" if bad else "completed"


def stopped(row: DemandObject) -> bool:
    """One of its steps said no."""
    return any(step["state"] == "failed" for step in row.steps)


@page(read=Right.READ)
def demand(request: HttpRequest, tenant: Tenant, pk: int) -> HttpResponse:
    """The page, or its steps alone for the poller: 204 while nothing is newer than what was seen."""
    found = get_object_or_404(Demand.objects.select_related("run"), tenant=tenant, pk=pk)
    is_open = found.state in (Demand.State.WAITING, Demand.State.RUNNING)
    if request.htmx and request.GET.get("seen") == str(found.sequence) and is_open:
        return HttpResponse(status=204)
    rows = shown_objects(tenant, found)
    context = {
        "tenant": tenant,
        "demand": found,
        "name": demand_name(found),
        "state": state_of(found),
        "open": is_open,
        "objects": rows,
        "done": sum(bool(one.row.result) for one in rows),
        "failure": PROBLEMS.get(found.problem),
        "waits_for": _run_before(tenant, found) if found.state == Demand.State.WAITING else None,
    }
    return render_page(request, "on_demand/detail.html", context, partial="steps")


def _run_before(tenant: Tenant, found: Demand) -> Run | None:
    """The run in progress, which takes it up between two requests."""
    running = tenant.runs.filter(state__in=(Run.State.RUNNING, Run.State.CANCELLING))
    return running.exclude(demands=found).order_by("number").first()
