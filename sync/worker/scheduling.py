"""What is due is asked for, and what the broker or a worker lost is sent again."""

import contextlib
import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from sync import queue
from sync.approvals import services as approvals
from sync.audit import chain
from sync.change_requests import services as change_requests
from sync.configuration.current import configuration_of
from sync.directory import hints, subscriptions
from sync.drift import services
from sync.models import Run, Tenant
from sync.notifications import deliveries, endings, lateness
from sync.runs.missed import note_late_start
from sync.runs.requests import RunInTheWay, enqueue_run, request_run
from sync.standings import services as standings
from sync.tenants import deletion
from sync.tenants import services as tenants
from sync.worker import audit_shipping

# A queued run whose message got lost is sent again after this long.
ENQUEUE_AGAIN_SECONDS = 30

# Between a run and the next one that a change notification asks for.
BREATH = datetime.timedelta(seconds=3)

# A plan that nobody has confirmed is made anew this often.
PLAN_WAITS = datetime.timedelta(hours=24)


def dispatch() -> None:
    """Starts what is due, and sends again what the broker or a worker lost. Called every few seconds."""
    tenants.resume_due()
    for tenant in due_tenants():
        if plan_waits(tenant):
            postpone(tenant)
        else:
            _request_due(tenant)
    subscriptions.ask_for_due()
    for tenant in hints.hinted():
        look(tenant.pk)
    for tenant in Tenant.objects.filter(enabled=True, verify_daily=True):
        _compare_when_due(tenant)
    for run in list(abandoned_runs()):
        enqueue_run(run)
    endings.note_endings(timezone.now().date())
    lateness.note_lateness()
    approvals.end_approvals()
    change_requests.carry_out_due()
    for tenant in unchecked_tenants():
        queue.send(queue.CHECK_STANDINGS, tenant.pk)
    deletion.send_due()
    deliveries.hand_out()
    # What a process that died between its commit and the chain has left behind.
    chain.extend()
    if audit_shipping.is_due():
        queue.send(queue.SHIP_AUDIT, chain.HEAD)


def unchecked_tenants() -> QuerySet[Tenant]:
    """Whose standings were not derived anew for a day; those with a run in progress a little later."""
    long_ago = timezone.now() - standings.EVERY
    return Tenant.objects.filter(standings_checked_at__lte=long_ago).exclude(runs__state__in=Run.OPEN)


def due_tenants() -> QuerySet[Tenant]:
    return Tenant.objects.filter(enabled=True, next_run_at__lte=timezone.now())


def plan_waits(tenant: Tenant) -> bool:
    """Whether the newest plan still waits for its confirmation: it is not made anew at every interval."""
    newest = tenant.runs.whole().order_by("-number").first()
    if newest is None or not newest.plan_waits or newest.started_at is None:
        return False
    configuration = configuration_of(tenant)
    fresh = timezone.now() - newest.started_at < PLAN_WAITS
    return fresh and not configuration.confirmed and newest.started_at >= configuration.changed_at


def postpone(tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(next_run_at=tenant.start_after(timezone.now()))


def look(tenant_id: int) -> None:
    """A run over what changed, since Graph said that something did. While one is open, or has just ended, or nothing may be
    written, the hint waits: however many come, they are one run, and none begins right after another."""
    tenant, now = Tenant.objects.get(pk=tenant_id), timezone.now()
    busy = tenant.runs.filter(state__in=Run.OPEN) | tenant.runs.whole().filter(finished_at__gt=now - BREATH)
    if not tenant.enabled or tenant.quarantined_at or plan_waits(tenant) or busy.exists():
        return
    with contextlib.suppress(RunInTheWay), transaction.atomic():
        if hints.heeded(tenant, now):
            request_run(tenant=tenant, kind=Run.Kind.CHANGES, trigger=Run.Trigger.CHANGE)
            postpone(tenant)


def _compare_when_due(tenant: Tenant) -> None:
    """The daily comparison with AWS."""
    if services.comparison_due(tenant):
        with contextlib.suppress(RunInTheWay):
            services.request_comparison(tenant=tenant, trigger=Run.Trigger.SCHEDULE)


def _request_due(tenant: Tenant) -> None:
    """Of two beats that find the tenant due, one moves its hand on. Behind a preview or a comparison it stays due."""
    now, expected_at = timezone.now(), tenant.next_run_at
    due = Tenant.objects.filter(pk=tenant.pk, next_run_at=expected_at)
    with contextlib.suppress(RunInTheWay), transaction.atomic():
        if expected_at and due.update(next_run_at=tenant.start_after(now)):
            run = request_run(tenant=tenant, kind=Run.Kind.CHANGES, trigger=Run.Trigger.SCHEDULE)
            if run.started_at is None:
                hints.heeded(tenant, now)
            note_late_start(tenant, expected_at, run, now)


def abandoned_runs() -> QuerySet[Run]:
    """Runs that nobody works on: the lease is free, and no message has been sent for a while."""
    nobody = Q(tenant__lease_expires_at=None) | Q(tenant__lease_expires_at__lt=Now())
    long_ago = timezone.now() - datetime.timedelta(seconds=ENQUEUE_AGAIN_SECONDS)
    interrupted = Q(state__in=(Run.State.RUNNING, Run.State.CANCELLING))
    unsent = Q(enqueued_at=None) | Q(enqueued_at__lt=long_ago)
    return Run.objects.filter(nobody, state__in=Run.OPEN).filter(interrupted | unsent)
