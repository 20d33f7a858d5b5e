"""Comparing with AWS: what differs, what only AWS holds, and repairing it."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.access.pages import page
from portal.access.request import HttpRequest
from portal.access.rights import can
from portal.access.roles import Right
from portal.frame.paging import PAGE, Pager
from portal.frame.render import redirect_to, render_page, render_question
from portal.pages.drift.forms import ChosenForm
from portal.words.progress import waits_too_long
from sync.drift import queries
from sync.drift import services as verifying
from sync.drift.queries import Chosen
from sync.drift.services import CannotRepair
from sync.models import Drift, Run, Tenant, Word
from sync.problems.catalogue import PROBLEMS
from sync.runs.phases import phase_of
from sync.runs.requests import RunInTheWay, request_soon
from sync.standings import queries as standings

# How many of the chosen differences are named before they are repaired or left.
NAMED = 10


@dataclass(frozen=True, slots=True)
class DriftSection:
    """A section of the page. `repair`: what the next sync does about it."""

    value: str
    title: str | Promise
    repair: str | Promise


KINDS = (
    DriftSection(
        Drift.Kind.DIFFERS,
        gettext_lazy("Changed in AWS"),
        gettext_lazy("Repairing writes the value from Entra again."),
    ),
    DriftSection(
        Drift.Kind.MEMBER_EXTRA,
        gettext_lazy("Members only in AWS"),
        gettext_lazy("Repairing removes them from the group, within the limits. Members nobody linked are left."),
    ),
    DriftSection(
        Drift.Kind.MEMBER_MISSING,
        gettext_lazy("Members missing in AWS"),
        gettext_lazy("Repairing adds them again."),
    ),
)
UNLINKED = DriftSection(
    Drift.Kind.ONLY_IN_AWS,
    gettext_lazy("Ours, and no longer linked"),
    gettext_lazy("Repairing links them again: they are known by their id."),
)
UNREPAIRED = {
    "no-comparison": gettext_lazy("Nothing was repaired: there is no comparison yet."),
    "suspect": gettext_lazy("Nothing was repaired: the last comparison is not beyond doubt. Compare again first."),
    "busy": gettext_lazy("Nothing was repaired: a run is in progress. Try again when it is over."),
}


@page(read=Right.READ)
def drift(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """The page, or its body alone for the poller."""
    return render_page(request, "drift/list.html", drift_context(request, tenant), partial="body")


def drift_context(request: HttpRequest, tenant: Tenant) -> dict[str, Any]:
    run = verifying.latest_comparison(tenant)
    newest = tenant.runs.filter(kind=Run.Kind.VERIFY).first()
    # While one is open no other is made (sync/drift/services.py).
    open_run = newest if newest and newest.open else None
    context: dict[str, Any] = {
        "tenant": tenant,
        "run": run,
        "open_run": open_run,
        "nobody_took_it": waits_too_long(open_run),
        "failed": newest if newest and newest.state == Run.State.FAILED else None,
        "failure": PROBLEMS.get(newest.problem) if newest else None,
        "connected": tenant.aws.complete,
    }
    if run is None:
        return context
    certain = not run.suspect and open_run is None
    may = {
        "may_repair": can(request.user, tenant, Right.OPERATE) and certain,
        "may_leave": can(request.user, tenant, Right.APPROVE) and certain,
    }
    return context | may | results(request, tenant, run)


def results(request: HttpRequest, tenant: Tenant, run: Run) -> dict[str, Any]:
    numbers, differing = standings.compared_counts(tenant), standings.differing(tenant, run)
    found = queries.counts_of(run, differing)
    return {
        "facts": phase_of(run, "compare")["facts"],
        "sections": sections_of(request, run, differing, found),
        "gone": gone_context(request, tenant, numbers[Word.GONE]),
        "numbers": {word.value: n for word, n in numbers.items()},
        "differ": numbers[Word.GONE] + numbers[Word.DIFFERS],
        "besides": found["besides"],
        "repairing": repairing(tenant, run),
        "unsettled": found["unsettled"],
        "suspect": PROBLEMS.get(run.suspect),
        "left_count": found["left_alone"] + found["left_by_rule"],
        "left_differences": found["left_differences"],
    }


def gone_context(request: HttpRequest, tenant: Tenant, count: int) -> dict[str, Any]:
    found = one_page(request, standings.standings(tenant, word=Word.GONE), count, "gone")
    pager = Pager.of(request, found, "gone", _("Gone from AWS"), anchor="#title-gone")
    return {"rows": list(found.object_list) if count else [], "pager": pager}


def one_page(request: HttpRequest, rows: QuerySet[Any], count: int, name: str) -> Page[Any]:
    """`count`: of all of them, known already; `name` of the page's number in the query."""
    paginator = Paginator(rows, PAGE)
    # In place of a query that counts them once more.
    paginator.__dict__["count"] = count
    return paginator.get_page(request.GET.get(name))


def sections_of(
    request: HttpRequest, run: Run, differing: QuerySet[Drift], found: dict[str, int]
) -> list[dict[str, Any]]:
    rows = [*((kind, differing.filter(kind=kind.value)) for kind in KINDS), (UNLINKED, queries.unlinked(run))]
    return [section_context(request, *one, found[one[0].value]) for one in rows if found[one[0].value]]


def repairing(tenant: Tenant, run: Run) -> int:
    """How many differences the next sync writes anew: those that were marked, until one was finished."""
    if tenant.runs.syncs().finished().filter(number__gt=run.number).exists():
        return 0
    return run.drifts.filter(repaired=True).count()


def section_context(request: HttpRequest, kind: DriftSection, rows: QuerySet[Drift], count: int) -> dict[str, Any]:
    found = one_page(request, rows, count, kind.value)
    shown = list(found.object_list)
    members = queries.members_by_id(shown)
    lines = [section_row(row, members.get(row.member_scim_id, "")) for row in shown]
    return {
        "kind": kind,
        "count": count,
        "rows": lines,
        "leavable": any(line["leavable"] for line in lines),
        "pager": Pager.of(request, found, kind.value, kind.title, anchor=f"#title-{kind.value}"),
        "members": kind.value.startswith("member"),
        "unlinked": kind is UNLINKED,
    }


def section_row(row: Drift, member: str) -> dict[str, Any]:
    """`about`: its name in a label; `repairable`: of a member whom nobody linked nothing is known to write."""
    return {
        "drift": row,
        "object_id": row.object_id or row.proposed_id,
        "member": member,
        "about": ", ".join(name for name in (row.name or row.scim_id, row.member_name) if name),
        "repairable": row.kind != Drift.Kind.MEMBER_EXTRA or bool(member),
        "leavable": bool(queries.leavable(row)),
    }


@page(act=Right.OPERATE)
def drift_compare(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """Reads only, so it may be done while provisioning is off."""
    if not tenant.aws.complete:
        messages.error(request, _("Nothing was compared: AWS is not connected yet."))
        return redirect_to(request, "drift", tenant.slug)
    try:
        verifying.request_comparison(tenant=tenant, actor=request.user.email)
    except RunInTheWay as busy:
        words = _("Run %(n)s is in progress, so nothing was compared. Try again when it is over.")
        messages.warning(request, words % {"n": busy.run.number})
    return redirect_to(request, "drift", tenant.slug)


@page(read=Right.OPERATE, act=Right.OPERATE)
def drift_repair(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """Asks first: repairing undoes what somebody did in AWS."""
    chosen = ChosenForm(request.POST if request.method == "POST" else request.GET).chosen
    if chosen and not (chosen.rows or chosen.objects):
        messages.error(request, _("Tick at least one row."))
        return redirect_to(request, "drift", tenant.slug)
    if request.method != "POST":
        question = _("Repair what differs in AWS?") if chosen is None else _("Repair what is chosen?")
        return render_question(request, "drift/repair.html", question, repair_context(tenant, chosen))
    try:
        marked = verifying.repair_differences(tenant=tenant, actor=request.user.email, chosen=chosen)
    except CannotRepair as error:
        messages.error(request, UNREPAIRED[error.code])
        return redirect_to(request, "drift", tenant.slug)
    if marked and tenant.enabled:
        run = request_soon(tenant=tenant, kind=Run.Kind.CHANGES, trigger=Run.Trigger.PERSON, actor=request.user.email)
        return redirect_to(request, "run", tenant.slug, run.number)
    words = ngettext(
        "%(n)s difference is written anew by the next sync.",
        "%(n)s differences are written anew by the next sync.",
        marked,
    )
    messages.success(request, words % {"n": marked})
    return redirect_to(request, "drift", tenant.slug)


def repair_context(tenant: Tenant, chosen: Chosen | None) -> dict[str, Any]:
    """`named`: the first of the chosen ones, as the page that asks names them."""
    run = verifying.latest_comparison(tenant)
    context: dict[str, Any] = {"tenant": tenant, "chosen": chosen, "named": (), "unsettled": 0}
    if run is None:
        return context
    if chosen is None:
        return context | {"unsettled": queries.unsettled(run).count()}
    rows = list(verifying.chosen_differences(run, chosen))
    return context | {"named": rows[:NAMED], "unsettled": len(rows), "more": max(0, len(rows) - NAMED)}
