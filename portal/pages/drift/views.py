"""Comparing with AWS: what differs, what only AWS holds, and repairing it."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.access.pages import page
from portal.access.request import HttpRequest
from portal.access.roles import Right
from portal.frame.render import redirect_to, render_page, render_question
from portal.words.progress import waits_too_long
from sync.drift import queries
from sync.drift import services as verifying
from sync.drift.services import CannotRepair
from sync.models import Drift, ObjectType, Run, Tenant, Word
from sync.problems.catalogue import PROBLEMS
from sync.runs.phases import phase_of
from sync.runs.requests import RunInTheWay, request_soon
from sync.standings import queries as standings

# Rows of one kind that the page shows; the command prints all.
SHOWN = 200


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
    return render_page(request, "drift/list.html", drift_context(tenant), partial="body")


def drift_context(tenant: Tenant) -> dict[str, Any]:
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
    return context | results(tenant, run) if run else context


def results(tenant: Tenant, run: Run) -> dict[str, Any]:
    numbers, differing = standings.compared_counts(tenant), standings.differing(tenant, run)
    return {
        "facts": phase_of(run, "compare")["facts"],
        "sections": sections_of(run, differing),
        "gone": list(standings.standings(tenant, word=Word.GONE)[:SHOWN]),
        "numbers": {word.value: n for word, n in numbers.items()},
        "differ": numbers[Word.GONE] + numbers[Word.DIFFERS],
        "besides": besides(tenant, differing),
        "repairing": repairing(tenant, run),
        "unsettled": verifying.unsettled(run),
        "suspect": PROBLEMS.get(run.suspect),
        "left_count": queries.left_alone(tenant).count() + queries.left_by_rule(tenant).count(),
        "shown": SHOWN,
    }


def sections_of(run: Run, differing: QuerySet[Drift]) -> list[dict[str, Any]]:
    counts = dict(differing.order_by().values_list("kind").annotate(Count("pk")))
    found = [section_context(kind, differing.filter(kind=kind.value), counts.get(kind.value, 0)) for kind in KINDS]
    unlinked = queries.unlinked(run)
    found.append(section_context(UNLINKED, unlinked, unlinked.count()))
    return [section for section in found if section["count"]]


def besides(tenant: Tenant, differing: QuerySet[Drift]) -> int:
    """How many differ too and stand at another word, such as *Held*."""
    elsewhere = differing.values("link__object_id")
    others = standings.standings(tenant, kind__in=ObjectType.values, object_id__in=elsewhere, object_id__gt="")
    return others.exclude(word__in=(Word.GONE, Word.DIFFERS)).count()


def repairing(tenant: Tenant, run: Run) -> int:
    """How many differences the next sync writes anew: those that were marked, until one was finished."""
    if tenant.runs.syncs().finished().filter(number__gt=run.number).exists():
        return 0
    return run.drifts.filter(repaired=True).count()


def section_context(kind: DriftSection, rows: QuerySet[Drift], count: int) -> dict[str, Any]:
    shown = list(rows[:SHOWN]) if count else []
    members = queries.members_by_id(shown)
    return {
        "kind": kind,
        "count": count,
        "rows": [{"drift": row, "member": members.get(row.member_scim_id, "")} for row in shown],
        "members": kind.value.startswith("member"),
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
    if request.method != "POST":
        run = verifying.latest_comparison(tenant)
        context = {"tenant": tenant, "unsettled": verifying.unsettled(run) if run else 0}
        return render_question(request, "drift/repair.html", _("Repair what differs in AWS?"), context)
    try:
        marked = verifying.repair_differences(tenant=tenant, actor=request.user.email)
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
