"""Provisioning control: On or Off, sync now, the interval, who is told."""

import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from portal.access import signed_in, tenant_for
from portal.forms.provisioning import ScheduleForm
from portal.http import HttpRequest
from portal.render import redirect_to, render_page
from portal.roles import Right
from sync.models import DirectoryUser, Run, Tenant
from sync.services import runs
from sync.services.tenants import configuration_of

# A run that waits longer than this has no worker.
PATIENCE = datetime.timedelta(seconds=30)


@signed_in
def provisioning(request: HttpRequest, slug: str) -> HttpResponse:
    tenant = tenant_for(request, slug, Right.READ if request.method in ("GET", "HEAD") else Right.OPERATE)
    form = ScheduleForm(request.POST or None, initial=schedule_of(tenant))
    if request.method == "POST" and form.is_valid():
        runs.save_provisioning(tenant=tenant, actor=request.user.email, **form.cleaned_data)
        messages.success(request, _("Saved. The new interval and address are in use."))
        return redirect_to(request, "provisioning", tenant.slug)
    status = 422 if request.method == "POST" else 200
    return render_page(request, "provisioning/detail.html", control_context(tenant) | {"form": form}, status=status)


@require_safe
@signed_in
def state(request: HttpRequest, slug: str) -> HttpResponse:
    """The state card alone, for its poller."""
    tenant = tenant_for(request, slug, Right.READ)
    return render_page(request, "provisioning/detail.html", control_context(tenant), partial="state")


def schedule_of(tenant: Tenant) -> dict[str, object]:
    return {
        "interval": tenant.interval,
        "notification_email": tenant.notification_email,
        "notify_on_failure": tenant.notify_on_failure,
    }


def control_context(tenant: Tenant) -> dict[str, object]:
    open_run = tenant.runs.filter(state__in=Run.OPEN).first()
    return {
        "tenant": tenant,
        "open_run": open_run,
        "last_run": tenant.runs.finished().first(),
        "missing": runs.missing_for_turning_on(tenant),
        "nobody_took_it": waits_too_long(open_run),
    }


def waits_too_long(run: Run | None) -> bool:
    return bool(run and run.state == Run.State.QUEUED and timezone.now() - run.created_at > PATIENCE)


@signed_in
def turn_on(request: HttpRequest, slug: str) -> HttpResponse:
    """Repeats the facts, then begins. Closed until both halves passed a test since their last change."""
    tenant = tenant_for(request, slug, Right.OPERATE)
    if request.method == "POST":
        try:
            run = runs.turn_on(tenant=tenant, actor=request.user.email)
        except runs.CannotTurnOn:
            return render_page(request, "provisioning/turn_on.html", turn_on_context(tenant), status=409)
        messages.success(request, _("Provisioning is on. The first sync has started."))
        return redirect_to(request, "run", tenant.slug, run.number)
    return render_page(request, "provisioning/turn_on.html", turn_on_context(tenant))


def turn_on_context(tenant: Tenant) -> dict[str, object]:
    assignments = configuration_of(tenant).assignments
    return control_context(tenant) | {
        "groups": assignments.filter(object_type="group").count(),
        "people": assignments.filter(object_type="user").count(),
        "in_scope": DirectoryUser.objects.filter(tenant=tenant, in_scope=True).count(),
    }


@signed_in
def turn_off(request: HttpRequest, slug: str) -> HttpResponse:
    tenant = tenant_for(request, slug, Right.OPERATE)
    if request.method == "POST":
        runs.turn_off(tenant=tenant, actor=request.user.email)
        messages.success(request, _("Provisioning is off. Nothing was removed from AWS."))
        return redirect_to(request, "provisioning", tenant.slug)
    return render_page(request, "provisioning/turn_off.html", control_context(tenant), partial="ask")


@require_POST
@signed_in
def sync_now(request: HttpRequest, slug: str) -> HttpResponse:
    tenant = tenant_for(request, slug, Right.OPERATE)
    if not tenant.enabled:
        messages.error(request, _("Provisioning is off, so nothing was started. Turn it on first."))
        return redirect_to(request, "provisioning", tenant.slug)
    kind = Run.Kind.FULL if request.POST.get("kind") == "full" else Run.Kind.CHANGES
    run = runs.request_run(tenant=tenant, kind=kind, trigger=Run.Trigger.PERSON, actor=request.user.email)
    return redirect_to(request, "run", tenant.slug, run.number)
