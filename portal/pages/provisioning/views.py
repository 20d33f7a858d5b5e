"""Provisioning control: On, Off or paused, sync now, preview, the interval, the safety settings."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.utils.translation import gettext as _

from portal.access.pages import page
from portal.access.quota import PREVIEW, take
from portal.access.request import HttpRequest
from portal.access.roles import Right
from portal.access.step_up import StepUp
from portal.frame.around import TenantFrame
from portal.frame.render import redirect_to, render_page, render_question, wants_partial
from portal.pages.provisioning.forms import PauseForm, ScheduleForm
from portal.pages.provisioning.safety_form import SafetyForm
from portal.words.plan import arrivals_of, plan_lines
from portal.words.progress import run_in_the_way, waits_too_long
from portal.words.provisioning import off_words
from portal.words.requests import waits_message
from sync.approvals import queries
from sync.configuration.current import configuration_of
from sync.models import ChangeRequest, ObjectType, Run, Tenant
from sync.notifications.queries import stays_off
from sync.problems.catalogue import PROBLEMS
from sync.runs.requests import RunInTheWay, request_run
from sync.standings import queries as standings
from sync.tenants.queries import missing_for_reading, missing_for_turning_on
from sync.tenants.services import (
    CannotPause,
    CannotTurnOn,
    NotPaused,
    pause_tenant,
    resume_tenant,
    save_provisioning,
    save_safety,
    turn_off_tenant,
    turn_on_tenant,
)


@page(read=Right.READ, act=Right.OPERATE)
def provisioning(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    form = ScheduleForm(request.POST or None, initial=schedule_of(tenant))
    if request.method == "POST" and form.is_valid():
        save_provisioning(tenant=tenant, actor=request.user.email, **form.cleaned_data)
        messages.success(request, _("Saved. The new interval is in use."))
        return redirect_to(request, "provisioning", tenant.slug)
    status = 422 if request.method == "POST" else 200
    context = whole_context(request, tenant) | {"form": form, "safety": SafetyForm(tenant=tenant)}
    return render_page(request, "provisioning/detail.html", context, status=status)


@page(read=Right.CONFIGURE, act=Right.CONFIGURE, step_up=StepUp.TO_ACT)
def provisioning_safety(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """The safety card's own form; the page is the same."""
    if request.method != "POST":
        return redirect_to(request, "provisioning", tenant.slug)
    form = SafetyForm(request.POST, tenant=tenant)
    if form.is_valid():
        saved = save_safety(tenant=tenant, actor=request.user.email, **form.values())
        if saved.changed:
            messages.success(request, _("Saved. The next sync follows these settings."))
        if saved.request:
            messages.warning(request, waits_message(saved.request))
        return redirect_to(request, "provisioning", tenant.slug)
    context = whole_context(request, tenant) | {"form": ScheduleForm(initial=schedule_of(tenant)), "safety": form}
    return render_page(request, "provisioning/detail.html", context, status=422)


@page(read=Right.READ)
def provisioning_state(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """The state card alone, for its poller."""
    if not wants_partial(request):
        return redirect_to(request, "provisioning", tenant.slug)
    return render_page(request, "provisioning/detail.html", control_context(request, tenant), partial="state")


def schedule_of(tenant: Tenant) -> dict[str, object]:
    return {"interval": tenant.interval}


def whole_context(request: HttpRequest, tenant: Tenant) -> dict[str, object]:
    limit = queries.people_limit_now(tenant) if tenant.enabled_changed_at else None
    return control_context(request, tenant) | {"people_limit": limit}


def control_context(request: HttpRequest, tenant: Tenant) -> dict[str, object]:
    # What is asked on demand goes along with any run and keeps none from starting.
    open_run = tenant.runs.filter(state__in=Run.OPEN).exclude(kind=Run.Kind.ON_DEMAND).first()
    frame = TenantFrame.of(request, tenant)
    return {
        "tenant": tenant,
        "open_run": open_run,
        "last_run": tenant.runs.syncs().finished().first(),
        "missing": missing_for_turning_on(tenant),
        "unconfirmed": tenant.paused and not frame.configurations.current.confirmed,
        "stays_off": stays_off(tenant),
        "channels": tenant.channels.filter(on=True),
        "nobody_took_it": waits_too_long(open_run),
        "provisioning": frame.provisioning,
        "asked": tenant.change_requests.waiting().filter(kind=ChangeRequest.Kind.SETTINGS).first(),
    }


@page(read=Right.OPERATE, act=Right.OPERATE, step_up=StepUp.TO_ACT)
def turn_on(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """Repeats the facts and what the first sync will do, then begins.

    Closed until both halves passed a test since their last change, and until a fresh preview shows the plan. The form
    names the preview that the reader saw: exactly that is confirmed.
    """
    if request.method == "POST":
        plan = queries.newest_plan(tenant, configuration_of(tenant))
        seen = request.POST.get("plan", "")
        if plan is not None and seen != str(plan.number):
            messages.warning(request, _("There is a newer preview. Look at it before you turn provisioning on."))
            return redirect_to(request, "turn_on", tenant.slug)
        try:
            run = turn_on_tenant(tenant=tenant, actor=request.user.email)
        except CannotTurnOn:
            return render_page(request, "provisioning/turn_on.html", turn_on_context(request, tenant), status=409)
        messages.success(request, f"{_('Provisioning is on.')} {start_words(run)}")
        return redirect_to(request, "run", tenant.slug, run.number)
    return render_page(request, "provisioning/turn_on.html", turn_on_context(request, tenant), partial="plan")


def start_words(run: Run) -> str:
    """`run`: what turning on has come to: its own run, or one that is in the way."""
    if run.trigger == Run.Trigger.TURNED_ON and run.state != Run.State.CANCELLING:
        return _("A sync has started.")
    return _("A sync starts as soon as run %(n)s is over.") % {"n": run.number}


def turn_on_context(request: HttpRequest, tenant: Tenant) -> dict[str, object]:
    configuration = TenantFrame.of(request, tenant).configurations.current
    assigned = configuration.assignments.order_by().values_list("object_type").annotate(n=Count("pk"))
    numbers = dict(assigned)
    plan = queries.newest_plan(tenant, configuration)
    last = tenant.runs.whole().finished().filter(kind=Run.Kind.PREVIEW).first()
    planned = queries.planned_rows(plan) if plan else []
    failed = last if last is not None and plan is None and last.state == Run.State.FAILED else None
    return control_context(request, tenant) | {
        "shown": plan,
        "plan": plan_lines(plan, planned) if plan else [],
        "arrivals": arrivals_of(plan) if plan else None,
        "would_hold": queries.foreseen_holds(plan, planned) if plan else [],
        "failed": failed,
        "failure": PROBLEMS.get(failed.problem) if failed else None,
        "confirmed": configuration.confirmed,
        "groups": numbers.get(ObjectType.GROUP, 0),
        "people": numbers.get(ObjectType.USER, 0),
        "ready": standings.ready(tenant),
    }


@page(read=Right.OPERATE, act=Right.OPERATE)
def turn_off(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    if request.method == "POST":
        turn_off_tenant(tenant=tenant, actor=request.user.email)
        messages.success(request, _("Provisioning is off. Nothing was removed from AWS."))
        return redirect_to(request, "provisioning", tenant.slug)
    return render_question(
        request, "provisioning/turn_off.html", _("Turn off provisioning?"), control_context(request, tenant)
    )


@page(read=Right.OPERATE, act=Right.OPERATE)
def pause(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """Asks until when, and why. Of what is paused the end is moved."""
    form = PauseForm(request.POST if request.method == "POST" else None, tenant=tenant)
    if tenant.enabled or tenant.paused:
        if not form.is_valid():
            question = _("Move the end of the pause?") if tenant.paused else _("Pause provisioning?")
            context = {"tenant": tenant, "form": form}
            status = 422 if form.is_bound else 200
            return render_question(request, "provisioning/pause.html", question, context, status=status)
        _pause(request, tenant, form.cleaned_data)
    else:
        messages.error(request, _("Provisioning is off: there is nothing to pause."))
    return redirect_to(request, "provisioning", tenant.slug)


def _pause(request: HttpRequest, tenant: Tenant, chosen: Mapping[str, Any]) -> None:
    try:
        pause_tenant(tenant=tenant, actor=request.user.email, until=chosen["ends_at"], reason=chosen["reason"])
    except CannotPause:
        messages.error(request, _("Nothing was paused: somebody turned provisioning off meanwhile."))
    else:
        messages.success(request, _("Provisioning is paused. Nothing was removed from AWS."))


@page(act=Right.OPERATE, step_up=StepUp.TO_ACT)
def resume(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """Before its time. Where turning on asks for more, its page says what."""
    try:
        run = resume_tenant(tenant=tenant, actor=request.user.email)
    except NotPaused:
        messages.warning(request, _("Provisioning is not paused any more."))
        return redirect_to(request, "provisioning", tenant.slug)
    except CannotTurnOn:
        messages.warning(request, _("It cannot resume as it is. Below you see what is missing."))
        return redirect_to(request, "turn_on", tenant.slug)
    messages.success(request, f"{_('Provisioning is on again.')} {start_words(run)}")
    return redirect_to(request, "run", tenant.slug, run.number)


@page(act=Right.OPERATE)
def sync_now(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    if not tenant.enabled:
        messages.error(request, f"{off_words(tenant)} {_('Nothing was started: turn it on first.')}")
        return redirect_to(request, "provisioning", tenant.slug)
    kind = Run.Kind.FULL if request.POST.get("kind") == "full" else Run.Kind.CHANGES
    run = asked_for(request, tenant, kind)
    return redirect_to(request, "run", tenant.slug, run.number)


def asked_for(request: HttpRequest, tenant: Tenant, kind: str) -> Run:
    """Or another run that is open, and a message that it is not what was asked for."""
    try:
        return request_run(tenant=tenant, kind=kind, trigger=Run.Trigger.PERSON, actor=request.user.email)
    except RunInTheWay as busy:
        messages.warning(request, run_in_the_way(busy.run))
        return busy.run


@page(act=Right.OPERATE)
def preview(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """Reads Entra and plans, and writes nothing. `back`: the page that waits for it; else the run's own page."""
    take(request, PREVIEW)
    if missing_for_reading(tenant):
        messages.error(request, _("The connection has not passed a test since its last change. Test it first."))
        return redirect_to(request, "provisioning", tenant.slug)
    run = asked_for(request, tenant, Run.Kind.PREVIEW)
    if request.POST.get("back") == "turn_on":
        return redirect_to(request, "turn_on", tenant.slug)
    return redirect_to(request, "run", tenant.slug, run.number)
