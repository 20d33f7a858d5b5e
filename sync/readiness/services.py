"""Asking for a readiness check, and carrying it out."""

import datetime

from django.db import transaction
from django.utils import timezone

from sync import audit, queue
from sync.models import Finding, ReadinessCheck, Snapshot, Tenant
from sync.readiness.check import Keeper, ReadinessPass

# Who asked, where nobody did.
NIGHTLY = "nightly check"


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


def request_nightly() -> None:
    """For every tenant of which a reading is at hand: what waits for nobody's press shows in the morning, and in the trend."""
    read = Snapshot.objects.exclude(sealed_at=None).values("tenant")
    for tenant in Tenant.objects.filter(pk__in=read, deletion_due_at=None):
        request_check(tenant=tenant, actor=NIGHTLY)


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
