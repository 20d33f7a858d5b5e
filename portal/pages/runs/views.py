"""One run, live; what a plan would do, and confirming it; and the history of all runs."""

import datetime
import statistics
from collections.abc import Sequence
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.access.pages import page
from portal.access.request import HttpRequest, whole_number
from portal.access.roles import Right
from portal.access.step_up import StepUp
from portal.frame.paging import Pager, keyset_page, query_with
from portal.frame.render import redirect_to, render_page, render_question
from portal.frame.run_pill import RunPill
from portal.pages.runs.forms import HistoryForm
from portal.words.plan import plan_lines, shows_a_plan
from portal.words.progress import phase_rows, waits_too_long
from portal.words.states import WORDS
from sync.approvals import queries, services
from sync.configuration.current import configuration_of
from sync.models import Action, Result, Run, Tenant
from sync.preview.queries.previews import beside_preview
from sync.problems.catalogue import PROBLEMS
from sync.problems.grouping import problem_groups
from sync.runs import phases
from sync.runs.requests import cancel_run
from sync.standings import queries as standings

PAGE = 50
WRITING = ("people", "groups", "memberships", "removals")
# Results that a run's page shows as figures, in this order; the rest is shown when it happened.
FIGURES = (
    *("created", "updated", "linked", "enabled", "disabled", "deleted", "added", "removed"),
    *("no_change", "skipped", "held", "failed"),
)
ALWAYS_SHOWN = ("created", "updated", "disabled", "no_change", "skipped", "failed")


@page(read=Right.READ)
def run(request: HttpRequest, tenant: Tenant, number: int) -> HttpResponse:
    """The page, or its head alone for the poller: 204 while nothing is newer than what was seen."""
    found = get_object_or_404(Run.objects.select_related("configuration"), tenant=tenant, number=number)
    if request.htmx and request.GET.get("seen") == str(found.sequence) and found.open:
        return HttpResponse(status=204)
    if found.drafted:
        # The preview of a draft has a page of its own.
        return redirect_to(request, "impact", tenant.slug, number)
    context = run_context(tenant, found)
    if shows_a_plan(found):
        context |= plan_context(request, found)
    return render_page(request, "runs/detail.html", context, partial="head")


def plan_context(request: HttpRequest, found: Run) -> dict[str, object]:
    """What it would do, by name; and whether it can still be confirmed."""
    configuration = configuration_of(found.tenant)
    action = request.GET.get("action", "")
    rows = found.operations.filter(action=action) if action in Action.values else found.operations.all()
    return {
        "plan": plan_lines(found),
        "would_hold": queries.foreseen_holds(found),
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


def run_context(tenant: Tenant, found: Run) -> dict[str, object]:
    groups = problem_groups(found)
    return {
        "tenant": tenant,
        "run": found,
        "phases": phase_rows(found),
        "figures": run_figures(found),
        "progress": progress(found),
        "problems": [group for group in groups if not group.problem.warning],
        "warnings": [group for group in groups if group.problem.warning],
        "failure": PROBLEMS.get(found.problem) if found.problem and found.state != Run.State.WAITING else None,
        "suspect": PROBLEMS.get(found.suspect) if found.suspect else None,
        "operations": found.operations.log()[:PAGE],
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


def progress(found: Run) -> dict[str, int] | None:
    """Only while writing: before that the total is unknown."""
    if not found.open or not any(phases.phase_of(found, key)["state"] == "running" for key in WRITING):
        return None
    waiting = found.operations.filter(result__in=(Result.PLANNED, Result.SENT)).count()
    return {"done": max(0, found.planned - waiting), "total": found.planned}


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
def runs(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    form = HistoryForm(request.GET or None)
    days = form.chosen_days()
    found = form.filtered(tenant.runs.since(timezone.now() - datetime.timedelta(days=days)))
    before = whole_number(request.GET.get("before", ""))
    page = list((found if before is None else found.filter(number__lt=before)).order_by("-number")[: PAGE + 1])
    context = {
        "tenant": tenant,
        "form": form,
        "days": days,
        "runs": page[:PAGE],
        "pager": history_pager(request, page, days, first=not before),
        "summary": history_summary(tenant, days),
        "any": tenant.runs.exists(),
    }
    return render_page(request, "runs/history.html", context, partial="table")


def history_pager(request: HttpRequest, page: Sequence[Run], days: int, *, first: bool) -> Pager:
    newest = [] if first else [(f"?{urlencode({'days': days})}", _("Newest"))]
    older = [(query_with(request, before=page[PAGE - 1].number), _("Older"))] if len(page) > PAGE else []
    return Pager([*newest, *older])


def history_summary(tenant: Tenant, days: int) -> dict[str, object]:
    """Five figures over the chosen range."""
    finished = list(tenant.runs.finished().since(timezone.now() - datetime.timedelta(days=days))[:5000])
    seconds = sorted(run.duration.total_seconds() for run in finished if run.duration)
    clean = sum(run.state == Run.State.COMPLETED for run in finished)
    return {
        "runs": len(finished),
        "clean_percent": round(100 * clean / len(finished)) if finished else None,
        "in_sync": standings.reaching_aws(tenant)[0],
        "median": statistics.median(seconds) if seconds else None,
        "failures": sum(run.counts.get("failed", 0) + run.counts.get("will_retry", 0) for run in finished),
        "strip": list(reversed(finished[:48])),
    }


@page(read=Right.READ)
def run_pill(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """The running or the last run, for the header of every page."""
    return render_page(request, "frame/_run_pill.html", {"tenant": tenant, "pill": RunPill.of(tenant)})
