"""Tenants for whom nobody works, or whose sync is overdue: an incident each, and one mail to each address.

Workers look every few seconds. While none is there the web server does (portal/deployment/watchdog.py), and sends by itself.
"""

import datetime
from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from sync.health.queries.presence import absence, late_tenants
from sync.models import Delivery, Incident, Tenant
from sync.problems.catalogue import OF_INSTALLATION, PROBLEMS

# A restart takes minutes at the most: what lasts longer is told.
TOLD_AFTER = datetime.timedelta(minutes=3)


@transaction.atomic
def note_lateness() -> None:
    """Writes only when something began, lasts, or is over."""
    missing = absence()
    if missing:
        concerned = {tenant.pk: "nobody-works" for tenant in Tenant.objects.filter(enabled=True)}
    else:
        concerned = {late.tenant.pk: "overdue" for late in late_tenants()}
    _solve(concerned)
    for tenant_id, code in concerned.items():
        Incident.objects.get_or_create(
            tenant_id=tenant_id, code=code, attribute="", solved_at=None, defaults={"opened_at": timezone.now()}
        )
    _write_mails(_untold(), missing)


def _solve(concerned: dict[int, str]) -> None:
    still = Q(pk__in=[])
    for code in OF_INSTALLATION:
        still |= Q(code=code, tenant__in=[key for key, current in concerned.items() if current == code])
    over = Incident.objects.filter(code__in=OF_INSTALLATION, solved_at=None).exclude(still)
    over.update(solved_at=timezone.now())


def _untold() -> list[Incident]:
    """Of two processes that look, one changes the row."""
    lasting = Incident.objects.filter(
        code__in=OF_INSTALLATION, solved_at=None, told=0, opened_at__lte=timezone.now() - TOLD_AFTER
    )
    found = list(lasting.select_related("tenant"))
    return [one for one in found if lasting.filter(pk=one.pk).update(told=1)]


def _write_mails(untold: Iterable[Incident], missing: str) -> None:
    by_address: dict[str, list[Incident]] = {}
    for incident in untold:
        if incident.tenant.notify_on_failure and incident.tenant.notification_email:
            by_address.setdefault(incident.tenant.notification_email, []).append(incident)
    for address, incidents in by_address.items():
        words = PROBLEMS[incidents[0].code]
        names = ", ".join(sorted(incident.tenant.name for incident in incidents))
        body = [
            f"{missing or words.title} {words.meaning} {words.remedy}",
            _("Tenants: %(names)s") % {"names": names},
            f"{settings.PUBLIC_URL}{reverse('tenants')}",
            _("While this lasts, no further mail comes about it."),
        ]
        Delivery.objects.create(
            tenant=incidents[0].tenant,
            recipient=address,
            subject=f"[Lockstep] {words.title}",
            body="\n\n".join(body),
        )
