"""One run, live; what a plan would do, and confirming it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from portal.access.pages import page
from portal.access.request import HttpRequest
from portal.access.roles import Right
from portal.access.step_up import StepUp
from portal.frame.around import TenantFrame
from portal.frame.paging import keyset_page
from portal.frame.render import redirect_to, render_page, render_question, wants_partial
from portal.frame.run_pill import RunPill
from portal.pages.runs import live
from portal.words.plan import plan_lines, shows_a_plan
from portal.words.progress import phase_rows, run_in_the_way, waits_too_long
from portal.words.provisioning import off_words
from portal.words.states import WORDS
from sync.approvals import queries, services
from sync.models import Action, Configuration, Hold, Run, Tenant
from sync.people.services import retry_problem
from sync.preview.queries.previews import beside_preview
from sync.problems.catalogue import PROBLEMS
from sync.problems.grouping import affected, problem_groups
from sync.runs.newest import newest_runs
from sync.runs.requests import RunInTheWay, cancel_run

# Results that a run's page shows as figures, in this order; the rest is shown when it happened.
FIGURES = (
    *("created", "updated", "linked", "enabled", "disabled", "deleted", "added", "removed"),
    *("no_change", "skipped", "held", "failed"),
)
ALWAYS_SHOWN = ("created", "updated", "disabled", "no_change", "skipped", "failed")


@page(read=Right.READ)
def run(request: HttpRequest, tenant: Tenant, number: int) -> HttpResponse:
    """The page, or its head alone for the poller: 204 while nothing is newer than what was seen."""
    found = get_object_or_404(tenant.runs.select_related("configuration"), number=number)
    if request.htmx and request.GET.get("seen") == str(found.sequence) and found.open:
        return HttpResponse(status=204)
    if found.drafted:
        # The preview of a draft has a page of its own.
        return redirect_to(request, "impact", tenant.slug, number)
    frame = TenantFrame.of(request, tenant)
    context = run_context(frame, found)
    # What stands around the polled part changes with it.
    context["polled"] = wants_partial(request) and "seen" in request.GET
    if shows_a_plan(found):
        context |= plan_context(request, frame.configurations.current, found)
    return render_page(request, "runs/detail.html", context, partial="head")


def plan_context(request: HttpRequest, configuration: Configuration, found: Run) -> dict[str, object]:
    """What it would do, by name; and whether it can still be confirmed under what runs use."""
    action = request.GET.get("action", "")
    rows = found.operations.filter(action=action) if action in Action.values else found.operations.all()
    planned = queries.planned_rows(found)
    return {
        "plan": plan_lines(found, planned),
        "would_hold": queries.foreseen_holds(found, planned),
        "fresh": queries.plan_is_fresh(found, configuration),
        "confirmed": configuration.confirmed and configuration.confirmed_run_id == found.pk,
        "action": action,
        "action_word": dict(Action.choices).get(action, ""),
    } | keyset_page(rows, request, "#operations")


@page(act=Right.OPERATE, step_up=StepUp.TO_ACT)
def run_confirm(request: HttpRequest, tenant: Tenant, number: int) -> HttpResponse:
    found = get_object_or_404(Run, tenant=tenant, number=number)
    if not tenant.enabled:
        return redirect_to(request, "turn_on", tenant.slug)
    try:
        started = services.confirm_and_run(run=found, actor=request.user.email)
    except services.NotFresh:
        messages.error(request, _("The plan is out of date: the rules changed since, or it is older than a day."))
        return redirect_to(request, "run", tenant.slug, number)
    messages.success(request, _("Confirmed. The sync that writes it has started."))
    return redirect_to(request, "run", tenant.slug, started.number)


def run_context(frame: TenantFrame, found: Run) -> dict[str, object]:
    groups = problem_groups(found)
    problems = [group for group in groups if not group.problem.warning]
    return {
        "tenant": frame.tenant,
        "run": found,
        "phases": phase_rows(found),
        "figures": run_figures(found),
        "pace": live.pace_of(found),
        "unusual": live.unusual_of(found),
        "holds": waiting_holds(frame, found),
        "problems": problems,
        "affected": affected(found) if problems else 0,
        "warnings": [group for group in groups if group.problem.warning],
        "failure": PROBLEMS.get(found.problem) if found.problem and found.state != Run.State.WAITING else None,
        "suspect": PROBLEMS.get(found.suspect) if found.suspect else None,
        # What is planned alone is listed by the plan.
        "rows": [] if shows_a_plan(found) else live.person_rows(found),
        "nobody_took_it": waits_too_long(found),
        "compared": beside_preview(found),
    }


def run_figures(found: Run) -> list[dict[str, object]]:
    counts = dict(found.counts)
    counts["failed"] = counts.get("failed", 0) + counts.pop("will_retry", 0)
    return [
        {"key": key, "word": WORDS["result"][key], "count": counts.get(key, 0)}
        for key in FIGURES
        if counts.get(key) or key in ALWAYS_SHOWN
    ]


def waiting_holds(frame: TenantFrame, found: Run) -> list[tuple[Hold, int]]:
    """Of a run that wrote everything but what is held: the holds, and how much of each nobody has decided on."""
    if found.state != Run.State.WAITING or found.plan_waits:
        return []
    return queries.waiting_holds(frame.tenant, frame.waiting)


@page(act=Right.OPERATE)
def run_retry(request: HttpRequest, tenant: Tenant, number: int) -> HttpResponse:
    """One kind of problem of a run is tried again, by a sync that starts at once."""
    found = get_object_or_404(Run, tenant=tenant, number=number)
    if not tenant.enabled:
        messages.error(request, f"{off_words(tenant)} {_('Nothing was started: turn it on first.')}")
        return redirect_to(request, "run", tenant.slug, number)
    kind = {name: request.POST.get(name, "") for name in ("code", "attribute")}
    try:
        started = retry_problem(run=found, actor=request.user.email, **kind)
    except RunInTheWay as busy:
        messages.warning(request, run_in_the_way(busy.run))
        started = busy.run
    return redirect_to(request, "run", tenant.slug, started.number)


@page(read=Right.OPERATE, act=Right.OPERATE)
def run_cancel(request: HttpRequest, tenant: Tenant, number: int) -> HttpResponse:
    found = get_object_or_404(Run, tenant=tenant, number=number)
    if request.method == "POST":
        cancel_run(run=found, actor=request.user.email)
        messages.success(request, _("The run stops at the next safe point. Changes already written stay."))
        return redirect_to(request, "run", tenant.slug, number)
    question = _("Cancel run %(n)s?") % {"n": number}
    return render_question(request, "runs/cancel.html", question, {"tenant": tenant, "run": found})


@page(read=Right.READ)
def run_pill(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """The running or the last run, for the header of every page."""
    pill = RunPill.of(newest_runs(tenant))
    return render_page(request, "frame/_run_pill.html", {"tenant": tenant, "pill": pill})
