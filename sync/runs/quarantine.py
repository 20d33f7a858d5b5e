"""Quarantine: writing rests after a failure that concerns everything, and is tried again at growing intervals.

It ends by itself: the first try that goes well lifts it.
"""

import datetime

from django.utils import timezone

from sync.models import Tenant

# The one reason that a test of the connections says nothing about.
NOT_A_CONNECTION = "too-many-failures"
# A run that ends for one of these would fail the same way again at once.
REASONS = ("token-refused", "secret-ended", "graph-sign-in", "graph-denied", "endpoint-gone", NOT_A_CONNECTION)
BACKOFF_MINUTES = (15, 30, 60, 120, 240, 480, 1440)


def after_failure(tenant: Tenant, code: str, detail: str) -> None:
    """Into quarantine, or deeper: the next try comes later than the last one did."""
    if code not in REASONS:
        return
    now = timezone.now()
    tenant.quarantined_at = tenant.quarantined_at or now
    tenant.quarantine_code, tenant.quarantine_detail = code, detail
    minutes = BACKOFF_MINUTES[min(tenant.quarantine_tries, len(BACKOFF_MINUTES) - 1)]
    tenant.quarantine_tries += 1
    if tenant.enabled:
        tenant.next_run_at = now + max(datetime.timedelta(minutes=minutes), tenant.interval_length)
    tenant.save(update_fields=[*FIELDS, "next_run_at"])


def after_success(tenant: Tenant) -> None:
    if tenant.quarantined_at is None:
        return
    tenant.quarantined_at, tenant.quarantine_code, tenant.quarantine_detail = None, "", ""
    tenant.quarantine_tries = 0
    tenant.save(update_fields=FIELDS)


def try_now(tenant: Tenant) -> None:
    """A connection works again: the next try does not wait for its time."""
    resting = Tenant.objects.filter(pk=tenant.pk, enabled=True).exclude(quarantined_at=None)
    resting.exclude(quarantine_code=NOT_A_CONNECTION).update(next_run_at=timezone.now())


FIELDS = ["quarantined_at", "quarantine_code", "quarantine_detail", "quarantine_tries"]
