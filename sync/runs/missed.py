"""Syncs that were due and did not start: the history says so, and why."""

import datetime

from sync.models import MissedStart, Run, Tenant

# With long intervals a start this late is told too.
LATE = datetime.timedelta(hours=1)


def note_late_start(tenant: Tenant, expected_at: datetime.datetime, started: Run, now: datetime.datetime) -> None:
    """`started` began at `now`, or was asked for, and was due at `expected_at`."""
    if now - expected_at < min(tenant.interval_length, LATE):
        return
    busy = tenant.runs.exclude(pk=started.pk).exclude(kind=Run.Kind.ON_DEMAND)
    before = busy.filter(created_at__lt=now, finished_at__gt=expected_at).order_by("-finished_at").first()
    reason = MissedStart.Reason.BUSY if before else MissedStart.Reason.NOBODY
    MissedStart.objects.create(tenant=tenant, expected_at=expected_at, until=now, reason=reason, run=before)
