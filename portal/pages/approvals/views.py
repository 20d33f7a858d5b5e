"""Approvals: what waits for a person, by name, and the decision on it."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.access.pages import page
from portal.access.quota import begin_export
from portal.access.request import HttpRequest, whole_number
from portal.access.rights import can
from portal.access.roles import Right
from portal.access.step_up import StepUp
from portal.frame.around import TenantFrame
from portal.frame.csv_export import csv_response
from portal.frame.paging import PAGE, Pager, query_with
from portal.frame.render import redirect_to, render_page
from portal.pages.approvals.export import COLUMNS, csv_rows
from portal.pages.approvals.forms import DecisionForm, LinkForm
from portal.pages.approvals.requests import request_rows
from portal.words.provisioning import off_words
from portal.words.requests import waits_message
from sync import audit
from sync.approvals import queries
from sync.approvals import services as service
from sync.change_requests import services as change_requests
from sync.configuration import second_person
from sync.models import ChangeRequest, HeldChange, Hold, Run, Tenant, Word
from sync.models.hold import HeldChangeQuerySet
from sync.runs.requests import request_soon
from sync.standings import queries as standings

PROPOSALS, CLOSED = 100, 20
Decision = HeldChange.Decision


@page(read=Right.READ)
def approvals(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    found = service.adoptable(tenant)
    waiting = TenantFrame.of(request, tenant).waiting
    closed = tenant.holds.exclude(closed_at=None).select_related("run")
    context = {
        "tenant": tenant,
        "holds": queries.counted(queries.open_holds(tenant)),
        "held": {kind: counts[Word.HELD] for kind, counts in standings.counts_by_kind(tenant).items()},
        "plan": waiting.plan,
        "shrunken": waiting.shrunken,
        "doubted": queries.doubted_parts(tenant),
        "requests": request_rows(request, tenant),
        "proposals": queries.proposals(tenant, found[:PROPOSALS]),
        "proposed": len(found),
        "closed": queries.counted(closed[:CLOSED]),
        "may_decide": can(request.user, tenant, Right.APPROVE),
    }
    return render_page(request, "approvals/list.html", context)


@page(read=Right.READ, act=Right.APPROVE, step_up=StepUp.TO_ACT)
def approval(request: HttpRequest, tenant: Tenant, pk: int) -> HttpResponse:
    reading = request.method != "POST"
    hold = get_object_or_404(tenant.holds.select_related("run"), pk=pk)
    if reading:
        form = DecisionForm(tenant=tenant, kind=hold.kind)
        return render_page(request, "approvals/detail.html", hold_context(request, hold, form))
    form = DecisionForm(request.POST, tenant=tenant, kind=hold.kind)
    if form.is_valid() and form.cleaned_data["undo_one"]:
        return _undo_keep(request, hold, form.cleaned_data["undo_one"])
    if not form.is_valid() or not (form.cleaned_data["do"] or form.cleaned_data["keep_one"]):
        # Enter in a tick box says nothing yet: the page comes again with the same ticks.
        context = hold_context(request, hold, form)
        return render_page(request, "approvals/detail.html", context, status=422 if form.errors else 200)
    return _decide(request, hold, form)


def hold_context(request: HttpRequest, hold: Hold, form: DecisionForm) -> dict[str, Any]:
    found = find(hold, request.GET.get("q", ""))
    start = whole_number(request.GET.get("from", "")) or 0
    # Each sends two form fields, and Django takes a thousand (DATA_UPLOAD_MAX_NUMBER_FIELDS).
    rows = queries.held_of(hold.tenant, found[start : start + PAGE])
    unticked = set(form.unticked) if form.is_bound else {row.change.pk for row in rows if row.state == Decision.KEPT}
    tally = queries.tally(hold)
    waiting, kept = tally.waiting, tally.kept
    here = [row for row in rows if row.state != Decision.APPROVED and hold.closed_at is None]
    lose_here = sum(row.change.pk not in unticked for row in here)
    lose = waiting - sum(row.state == Decision.WAITING for row in here) + lose_here
    stay = kept - sum(row.state == Decision.KEPT for row in here) + len(here) - lose_here
    total = found.count()
    own, others = service.own_changes(hold, request.user.email)
    return {
        "tenant": hold.tenant,
        "hold": hold,
        "own_changes": own,
        "others": others,
        "form": form,
        "causes": queries.by_cause(hold, rows),
        "unticked": unticked,
        "shown": [row.change.pk for row in here],
        "upto": tally.newest,
        "in_aws": queries.presence_in(hold, rows),
        "total": total,
        "waiting": waiting,
        "lose": lose,
        "stay": stay,
        "lose_elsewhere": lose - lose_here,
        "stay_elsewhere": stay - (len(here) - lose_here),
        "pager": hold_pager(request, start, len(rows), total) if start or start + PAGE < total else None,
        "paged": total > PAGE,
        "q": request.GET.get("q", ""),
        "may_decide": can(request.user, hold.tenant, Right.APPROVE),
    }


def hold_pager(request: HttpRequest, start: int, rows: int, total: int) -> Pager:
    previous = query_with(request, **{"from": max(0, start - PAGE)}) if start else ""
    following = query_with(request, **{"from": start + PAGE}) if start + PAGE < total else ""
    return Pager.numbered(previous, following, (start + 1, start + rows, total))


def find(hold: Hold, text: str) -> HeldChangeQuerySet:
    rows = hold.changes.open() if hold.closed_at is None else hold.changes.all()
    if text:
        rows = rows.filter(display_name__icontains=text) | rows.filter(detail_name__icontains=text)
    return rows.order_by("cause", "detail_name" if hold.kind == Hold.Kind.MEMBERS else "action", "display_name", "pk")


@page(read=Right.READ)
def approval_export(request: HttpRequest, tenant: Tenant, pk: int) -> StreamingHttpResponse:
    """All of a hold that its page lists, by the same search."""
    begin_export(request)
    hold = get_object_or_404(tenant.holds.select_related("run"), pk=pk)
    audit.record(request.user.email, "hold.export", hold, None, {"kind": hold.kind, "run": hold.run.number})
    return csv_response(f"{tenant.slug}-held-{hold.pk}", COLUMNS, csv_rows(hold, find(hold, request.GET.get("q", ""))))


def _decide(request: HttpRequest, hold: Hold, form: DecisionForm) -> HttpResponse:
    approve, keep = chosen_changes(hold, form)
    here = redirect_to(request, "approval", hold.tenant.slug, hold.pk)
    if approve and not hold.tenant.enabled:
        messages.error(request, f"{off_words(hold.tenant)} {_('Nothing was decided: turn it on first.')}")
        return here
    try:
        run = service.decide_hold(
            hold=hold,
            actor=request.user.email,
            approve=approve,
            keep=keep,
            comment=form.cleaned_data["comment"],
        )
    except service.NothingHeld:
        messages.warning(request, _("Nothing of it waits any more, or nothing was chosen."))
        return here
    except service.OwnChange as error:
        names = ", ".join(error.others)
        messages.error(
            request,
            _("You changed what causes these removals. Somebody else approves them: %(names)s.") % {"names": names},
        )
        return here
    if isinstance(run, ChangeRequest):
        messages.warning(request, waits_message(run))
        return redirect_to(request, "approvals", hold.tenant.slug)
    messages.success(request, decided_message(len(approve), len(keep)))
    if run is None:
        return here
    return redirect_to(request, "run", hold.tenant.slug, run.number)


def _undo_keep(request: HttpRequest, hold: Hold, change: int) -> HttpResponse:
    try:
        service.undo_keep(hold=hold, actor=request.user.email, change=change)
    except service.NothingHeld:
        messages.warning(request, _("It is not kept any more."))
    else:
        messages.success(request, _("It waits for a decision again."))
    return redirect_to(request, "approval", hold.tenant.slug, hold.pk)


def chosen_changes(hold: Hold, form: DecisionForm) -> tuple[list[int], list[int]]:
    """Ids to approve and to keep. Only rows that the page could know of: who came later is not decided on unseen."""
    data = form.cleaned_data
    known = hold.changes.open().filter(pk__lte=data["upto"] or 0)
    waiting = list(known.waiting().values_list("pk", flat=True))
    if data["do"] == "keep_all":
        return [], waiting
    unticked = {*form.unticked, data["keep_one"]}
    kept = known.filter(decision=Decision.KEPT)
    keep = list(known.filter(pk__in=unticked).exclude(pk__in=kept.values("pk")).values_list("pk", flat=True))
    if data["do"] != "approve":
        return [], keep
    ticked_again = list(kept.filter(pk__in=data["ticked"]).values_list("pk", flat=True))
    return [pk for pk in waiting if pk not in unticked] + ticked_again, keep


def decided_message(approved: int, kept: int) -> str:
    parts = []
    if approved:
        parts.append(ngettext("%(n)s approved.", "%(n)s approved.", approved) % {"n": approved})
    if kept:
        parts.append(ngettext("%(n)s kept.", "%(n)s kept.", kept) % {"n": kept})
    if approved:
        parts.append(_("The sync that carries it out has started."))
    return " ".join(parts)


@page(act=Right.APPROVE, step_up=StepUp.TO_ACT)
def decide_request(request: HttpRequest, tenant: Tenant, pk: int) -> HttpResponse:
    """`do`: approve or refuse."""
    waiting = get_object_or_404(tenant.change_requests.select_related("tenant"), pk=pk)
    approving = request.POST.get("do") == "approve"
    try:
        (change_requests.approve if approving else change_requests.refuse)(request=waiting, actor=request.user.email)
    except second_person.OwnRequest:
        messages.error(request, _("You asked for this, or made it. Somebody else approves it."))
    except second_person.NotWaiting:
        messages.warning(request, _("It does not wait any more."))
    except change_requests.Stale:
        messages.warning(
            request, _("What it is about has changed since, so nothing was done. It has to be asked for again.")
        )
    else:
        messages.success(request, _("Approved and carried out.") if approving else _("Refused. Nothing was changed."))
    return redirect_to(request, "approvals", tenant.slug)


@page(act=Right.CONFIGURE)
def withdraw_request(request: HttpRequest, tenant: Tenant, pk: int) -> HttpResponse:
    """By whoever asked for it."""
    waiting = get_object_or_404(tenant.change_requests, pk=pk, asked_by=request.user.email)
    try:
        change_requests.withdraw(request=waiting, actor=request.user.email)
    except second_person.NotWaiting:
        messages.warning(request, _("It does not wait any more."))
    else:
        messages.success(request, _("Withdrawn. Nothing was changed."))
    return redirect_to(request, "approvals", tenant.slug)


@page(act=Right.APPROVE, step_up=StepUp.TO_ACT)
def approvals_link(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """Takes over the AWS objects that were ticked; the sync that links and writes them starts at once."""
    form = LinkForm(request.POST)
    form.is_valid()
    ticked = set(form.cleaned_data["ticked"])
    links = [one for one in service.adoptable(tenant) if one.pk in ticked]
    if not links:
        messages.error(request, _("Tick at least one row."))
        return redirect_to(request, "approvals", tenant.slug)
    for one in links:
        service.adopt_object(link=one, actor=request.user.email)
    text = ngettext("%(n)s is linked by the next sync.", "%(n)s are linked by the next sync.", len(links))
    messages.success(request, text % {"n": len(links)})
    return _start(request, tenant, Run.Kind.CHANGES)


@page(act=Right.APPROVE, step_up=StepUp.TO_ACT)
def accept_shrinkage(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """Of exactly the reading that the page showed."""
    shrunken = queries.shrunken(tenant)
    if shrunken is None or request.POST.get("run") != str(shrunken.number):
        messages.error(request, _("Nothing was accepted: there is another reading by now. Look at it first."))
        return redirect_to(request, "approvals", tenant.slug)
    service.accept_shrunk_reading(tenant=tenant, actor=request.user.email)
    messages.success(request, _("The next full reading is taken as it is. Limits on removals stay."))
    return _start(request, tenant, Run.Kind.FULL)


def _start(request: HttpRequest, tenant: Tenant, kind: str) -> HttpResponse:
    """While provisioning is off, the decision waits for it to be turned on."""
    if not tenant.enabled:
        return redirect_to(request, "approvals", tenant.slug)
    run = request_soon(tenant=tenant, kind=kind, trigger=Run.Trigger.APPROVAL, actor=request.user.email)
    return redirect_to(request, "run", tenant.slug, run.number)
