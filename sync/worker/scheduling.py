"""What is due is asked for, and what the broker or a worker lost is sent again."""

import contextlib
import datetime
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from sync.configuration.current import configuration_of
from sync.drift import services
from sync.models import Delivery, Run, Tenant
from sync.notifications import incidents
from sync.runs.requests import RunInTheWay, enqueue_run, request_run

# A queued run whose message got lost is sent again after this long.
ENQUEUE_AGAIN_SECONDS = 30

# A plan that nobody said yes to is made anew this often.
WAIT_FOR_A_YES = datetime.timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Dispatched:
    due: int
    resent: int


def dispatch() -> Dispatched:
    """Starts what is due, and sends again what the broker or a worker lost. Called every few seconds."""
    due = [tenant for tenant in due_tenants() if not _waits_for_a_yes(tenant) and _request_due(tenant)]
    for tenant in Tenant.objects.filter(enabled=True, verify_daily=True):
        _compare_when_due(tenant)
    lost = list(abandoned_runs())
    for run in lost:
        enqueue_run(run)
    for delivery in Delivery.objects.filter(state=Delivery.State.WAITING):
        incidents.deliver(delivery)
    return Dispatched(len(due), len(lost))


def due_tenants() -> QuerySet[Tenant]:
    return Tenant.objects.filter(enabled=True, next_run_at__lte=timezone.now())


def _waits_for_a_yes(tenant: Tenant) -> bool:
    """A plan that waits for its confirmation is not made anew at every interval."""
    newest = tenant.runs.whole().order_by("-number").first()
    if newest is None or newest.state != Run.State.WAITING or newest.started_at is None:
        return False
    configuration = configuration_of(tenant)
    waits = not configuration.confirmed and newest.started_at >= configuration.changed_at
    if waits:
        Tenant.objects.filter(pk=tenant.pk).update(next_run_at=timezone.now() + tenant.interval_length)
    return waits and timezone.now() - newest.started_at < WAIT_FOR_A_YES


def _compare_when_due(tenant: Tenant) -> None:
    """The daily comparison with AWS."""
    if services.comparison_due(tenant):
        with contextlib.suppress(RunInTheWay):
            services.request_comparison(tenant=tenant, trigger=Run.Trigger.SCHEDULE)


def _request_due(tenant: Tenant) -> bool:
    """Of two beats that find the tenant due, one moves its hand on. Behind a preview or a comparison it stays due."""
    due = Tenant.objects.filter(pk=tenant.pk, next_run_at=tenant.next_run_at)
    try:
        with transaction.atomic():
            if not due.update(next_run_at=timezone.now() + tenant.interval_length):
                return False
            request_run(tenant=tenant, kind=Run.Kind.CHANGES, trigger=Run.Trigger.SCHEDULE)
    except RunInTheWay:
        return False
    return True


def abandoned_runs() -> QuerySet[Run]:
    """Runs that nobody works on: the lease is free, and no message has been sent for a while."""
    nobody = Q(tenant__lease_expires_at=None) | Q(tenant__lease_expires_at__lt=Now())
    long_ago = timezone.now() - datetime.timedelta(seconds=ENQUEUE_AGAIN_SECONDS)
    interrupted = Q(state__in=(Run.State.RUNNING, Run.State.CANCELLING))
    unsent = Q(enqueued_at=None) | Q(enqueued_at__lt=long_ago)
    return Run.objects.filter(nobody, state__in=Run.OPEN).filter(interrupted | unsent)
