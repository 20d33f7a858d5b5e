"""Quarantine: writing rests after a failure that concerns everything, and is tried again at growing intervals.

It ends by itself: the first try that goes well lifts it.
"""

import datetime

from django.utils import timezone

from sync.models import Tenant

# A run that ends for one of these would fail the same way again at once. The half of the connection whose test proves
# that it is over; "": none does.
REASONS = {
    "token-refused": "aws",
    "endpoint-gone": "aws",
    "secret-ended": "entra",
    "graph-sign-in": "entra",
    "graph-denied": "entra",
    "too-many-failures": "",
}
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


def failing_half(tenant: Tenant) -> str:
    """`aws` or `entra`; "" when neither half is the reason."""
    return REASONS.get(tenant.quarantine_code, "") if tenant.quarantined_at else ""


def last_failure(tenant: Tenant) -> datetime.datetime | None:
    """When a run failed for the reason of the quarantine, the newest time."""
    failed = tenant.runs.filter(problem=tenant.quarantine_code).exclude(finished_at=None).order_by("-number").first()
    return failed.finished_at if failed else tenant.quarantined_at


def try_now(tenant: Tenant, half: str) -> None:
    """`half` works again: the next try does not wait for its time."""
    tenant.refresh_from_db()
    if failing_half(tenant) == half:
        Tenant.objects.filter(pk=tenant.pk, enabled=True).update(next_run_at=timezone.now())


FIELDS = ["quarantined_at", "quarantine_code", "quarantine_detail", "quarantine_tries"]
