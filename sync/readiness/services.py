"""Asking for a readiness check, and carrying it out."""

import datetime

from django.db import transaction
from django.utils import timezone

from sync import audit, queue
from sync.models import Finding, ReadinessCheck, Tenant
from sync.readiness.check import Keeper, ReadinessPass


def request_check(*, tenant: Tenant, actor: str, enqueue: bool = True) -> ReadinessCheck:
    """A waiting check, or the one that is open already."""
    with transaction.atomic():
        # The tenant's row is the lock: two presses come one after the other.
        Tenant.objects.select_for_update().get(pk=tenant.pk)
        recent = timezone.now() - datetime.timedelta(minutes=10)
        waiting = tenant.readiness_checks.filter(state__in=ReadinessCheck.OPEN, created_at__gte=recent)
        if enqueue and (found := waiting.first()):
            return found
        check = ReadinessCheck.objects.create(tenant=tenant, requested_by=actor)
        audit.record(actor, "readiness.check", tenant, None, {"check": check.pk})
        if enqueue:
            transaction.on_commit(lambda: queue.send(queue.CHECK_READINESS, check.pk))
    return check


def check_now(tenant: Tenant, *, actor: str = "") -> ReadinessCheck:
    """Here and now."""
    return carry_out_check(request_check(tenant=tenant, actor=actor, enqueue=False).pk)


def carry_out_check(check_id: int) -> ReadinessCheck:
    """A finished check stays; a broken-off one begins anew: it sends nothing."""
    row = ReadinessCheck.objects.select_related("tenant").get(pk=check_id)
    if row.state == ReadinessCheck.State.DONE:
        return row
    ReadinessCheck.objects.filter(pk=row.pk).update(state=ReadinessCheck.State.RUNNING)
    row.findings.all().delete()
    with Keeper(row.tenant_id) as keeper:
        ReadinessPass(row, keeper).carry_out()
    row.state, row.finished_at = ReadinessCheck.State.DONE, timezone.now()
    row.save()
    Finding.objects.filter(tenant=row.tenant, found_by__lt=row).delete()
    return row
