"""Differences that somebody decides to leave as AWS has them, with the reason; and what was left so."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.access.pages import page
from portal.access.request import HttpRequest
from portal.access.roles import Right
from portal.access.step_up import StepUp
from portal.frame.paging import PAGE, Pager
from portal.frame.render import redirect_to, render_page, render_question
from portal.pages.drift.forms import ChosenForm, ReasonForm
from portal.pages.drift.views import NAMED
from portal.words.progress import BUSY
from sync.drift import queries, services
from sync.drift.queries import Chosen
from sync.models import Drift, Tenant
from sync.runs.lease import Busy
from sync.standings import queries as standings


@page(read=Right.APPROVE, act=Right.APPROVE)
def drift_leave(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """Asks for the reason first: it is remembered with who gave it."""
    data = request.POST if request.method == "POST" else request.GET
    chosen = ChosenForm(data).chosen
    if chosen is None or not (chosen.rows or chosen.objects):
        messages.error(request, _("Tick at least one row."))
        return redirect_to(request, "drift", tenant.slug)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        question = _("Leave what is chosen as AWS has it?")
        return render_question(request, "drift/leave.html", question, leave_context(tenant, chosen) | {"form": form})
    try:
        left = services.leave_differences(
            tenant=tenant, actor=request.user.email, chosen=chosen, reason=form.cleaned_data["reason"]
        )
    except Busy:
        messages.error(request, BUSY)
        return redirect_to(request, "drift", tenant.slug)
    if left:
        words = ngettext("%(n)s difference is left.", "%(n)s differences are left.", left)
        messages.success(request, words % {"n": left})
    else:
        messages.warning(request, _("Nothing was left: it does not differ any more, or it cannot be left."))
    return redirect_to(request, "drift", tenant.slug)


def leave_context(tenant: Tenant, chosen: Chosen) -> dict[str, Any]:
    """`rows`: those that can be left; what is asked about is what is left. `full`: there may be more than these."""
    rows = [(row, values_of(row)) for row in services.leavable_differences(tenant, chosen)]
    full = services.AT_ONCE if len(rows) == services.AT_ONCE else 0
    return {"tenant": tenant, "rows": rows, "named": rows[:NAMED], "more": max(0, len(rows) - NAMED), "full": full}


def values_of(row: Drift) -> list[tuple[str, Any]]:
    """Units with what AWS holds; [] of a member."""
    return [(unit, held) for unit, held in queries.leavable(row).items() if unit]


@page(read=Right.READ)
def drift_left(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    compared = standings.compared(tenant)
    found = Paginator(queries.left_differences(tenant), PAGE).get_page(request.GET.get("page"))
    context = {
        "tenant": tenant,
        "left": queries.with_found(tenant, found.object_list, compared),
        "count": found.paginator.count,
        "pager": Pager.of(request, found, label=_("Left as AWS has it")),
        "compared": compared,
    }
    return render_page(request, "drift/left.html", context)


@page(act=Right.APPROVE, step_up=StepUp.TO_ACT)
def drift_left_undo(request: HttpRequest, tenant: Tenant, pk: int) -> HttpResponse:
    left = get_object_or_404(tenant.left_differences, pk=pk)
    try:
        if services.stop_leaving_difference(left=left, actor=request.user.email):
            messages.success(request, _("%(name)s is no longer left.") % {"name": left})
    except Busy:
        messages.error(request, BUSY)
    return redirect_to(request, "drift_left", tenant.slug)
