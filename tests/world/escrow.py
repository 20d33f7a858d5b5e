"""Time passes for what waits: the dates move back."""

from typing import Any

from sync.models import Link, Tenant
from sync.standings import services

PAST = "2020-01-01T00:00:00Z"


def time_passes() -> None:
    """Whatever waits in escrow is due."""
    Link.objects.exclude(retry_at=None).update(retry_at=PAST)
    derive_anew()


def long_disabled(person: dict[str, Any]) -> None:
    """The grace period is over. `person`: as the lab shows it."""
    Link.objects.filter(object_id=person["id"]).update(disabled_at=PAST, retry_at=PAST)
    derive_anew()


def derive_anew() -> None:
    """For tests that store facts past the product."""
    for tenant in Tenant.objects.all():
        services.refresh_all(tenant)
