"""What only AWS holds: linking it with whom it may be, or leaving it alone, with the reason."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from portal.access.pages import page
from portal.access.request import HttpRequest
from portal.access.roles import Right
from portal.access.step_up import StepUp
from portal.frame.paging import PAGE, Pager, query_with
from portal.frame.render import redirect_to, render_page, render_question
from portal.pages.drift.forms import FindForm, ReasonForm
from sync.approvals import services as approvals
from sync.drift import queries, services
from sync.models import ObjectType, Standing, Tenant, Word
from sync.standings import queries as standings


@page(read=Right.READ)
def only_in_aws(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    form = FindForm(request.GET)
    form.is_valid()
    text, kind, alone = (form.cleaned_data.get(name) or "" for name in ("q", "kind", "alone"))
    find = queries.left_alone if alone else queries.only_in_aws
    found: Page[Any] = Paginator(find(tenant, text, kind), PAGE).get_page(request.GET.get("page"))
    compared = standings.compared(tenant)
    context = {
        "tenant": tenant,
        "text": text,
        "kind": kind,
        "alone": alone,
        "tabs": tabs(request, tenant, alone=bool(alone)),
        "kinds": kinds(request, kind),
        "left": found.object_list if alone else [],
        "objects": [] if alone else queries.with_proposals(tenant, list(found.object_list)),
        "by_rule": list(queries.left_by_rule(compared)[:PAGE]) if alone and compared else [],
        "count": found.paginator.count,
        "pager": Pager.of(request, found, label=_("Only in AWS")),
        "compared": compared,
    }
    return render_page(request, "drift/only_in_aws.html", context, partial="found")


def tabs(request: HttpRequest, tenant: Tenant, *, alone: bool) -> list[dict[str, Any]]:
    waiting = queries.only_in_aws(tenant).count()
    return [
        {"label": _("Undecided"), "n": waiting, "on": not alone, "url": query_with(request, alone="", page="")},
        {
            "label": _("Left alone"),
            "n": queries.left_alone(tenant).count(),
            "on": alone,
            "url": query_with(request, alone="1", page=""),
        },
    ]


def kinds(request: HttpRequest, chosen: str) -> list[dict[str, Any]]:
    words = (("", _("People and groups")), (ObjectType.USER, _("People")), (ObjectType.GROUP, _("Groups")))
    return [
        {"label": label, "on": value == chosen, "url": query_with(request, kind=value, page="")}
        for value, label in words
    ]


@page(act=Right.APPROVE, step_up=StepUp.TO_ACT)
def only_in_aws_link(request: HttpRequest, tenant: Tenant, pk: int) -> HttpResponse:
    """The AWS object is the person or group that it may be: the next sync links it and writes by the mappings."""
    [one] = queries.with_proposals(tenant, [waiting_or_404(tenant, pk)])
    if one.link is None:
        messages.error(request, _("Nothing was linked: this is no longer proposed. Compare again."))
        return redirect_to(request, "only_in_aws", tenant.slug)
    approvals.adopt_object(link=one.link, actor=request.user.email, scim_id=one.standing.scim_id)
    messages.success(request, _("%(name)s is linked by the next sync.") % {"name": one.standing.name})
    return redirect_to(request, "only_in_aws", tenant.slug)


@page(read=Right.APPROVE, act=Right.APPROVE)
def only_in_aws_leave(request: HttpRequest, tenant: Tenant, pk: int) -> HttpResponse:
    """Asks for the reason first: it is remembered with who gave it."""
    standing = waiting_or_404(tenant, pk)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        question = _("Leave %(name)s alone?") % {"name": standing.name or standing.scim_id}
        context = {"tenant": tenant, "standing": standing, "form": form}
        return render_question(request, "drift/leave_alone.html", question, context)
    facts = {"object_type": standing.kind, "scim_id": standing.scim_id, "reason": form.cleaned_data["reason"]}
    services.leave_alone(tenant=tenant, actor=request.user.email, **facts)
    messages.success(request, _("%(name)s is left alone.") % {"name": standing.name or standing.scim_id})
    return redirect_to(request, "only_in_aws", tenant.slug)


@page(act=Right.APPROVE, step_up=StepUp.TO_ACT)
def only_in_aws_undo(request: HttpRequest, tenant: Tenant, pk: int) -> HttpResponse:
    left = get_object_or_404(tenant.left_alone, pk=pk)
    services.stop_leaving_alone(left=left, actor=request.user.email)
    messages.success(request, _("%(name)s waits for a decision again.") % {"name": left})
    return redirect_to(request, "only_in_aws", tenant.slug)


def waiting_or_404(tenant: Tenant, pk: int) -> Standing:
    return get_object_or_404(standings.standings(tenant, word=Word.ONLY_IN_AWS), pk=pk)
