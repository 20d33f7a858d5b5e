"""Credentials that end: one incident for each step of the way, and a mail when it opens. No run has to happen for that."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sync.connection.services import ends_of
from sync.models import AwsConnection, Delivery, EntraConnection, Half, Incident, Tenant
from sync.problems.catalogue import OF_CREDENTIALS, PROBLEMS

# Days before the end at which somebody is told; 0: it has ended. AWS itself begins 90 days before (rotate-token).
STEPS = (0, 1, 7, 14, 30, 60, 90)
CODES = {Half.ENTRA: "credential-ends", Half.AWS: "token-ends"}


@dataclass(frozen=True)
class Ending:
    """`step`: the smallest of STEPS that the days left have come down to."""

    tenant: Tenant
    half: Half
    ends_on: datetime.date
    days: int
    step: int

    @property
    def code(self) -> str:
        return CODES[self.half]


def note_endings(today: datetime.date) -> None:
    """Called every few seconds: it writes only when a step was reached, or the credential was replaced."""
    endings = list(_endings(today))
    for ending in endings:
        _open(ending)
    current = {(ending.tenant.pk, ending.code, str(ending.step)) for ending in endings}
    for incident in Incident.objects.filter(code__in=OF_CREDENTIALS, solved_at=None):
        if (incident.tenant_id, incident.code, incident.attribute) not in current:
            incident.solved_at = timezone.now()
            incident.save(update_fields=["solved_at"])


def _endings(today: datetime.date) -> Iterator[Ending]:
    last = today + datetime.timedelta(days=STEPS[-1])
    entra = EntraConnection.objects.filter(credential_ends_on__lte=last)
    aws = AwsConnection.objects.filter(token_created_on__lte=last - datetime.timedelta(days=365))
    for half, rows in ((Half.ENTRA, entra), (Half.AWS, aws)):
        for connection in rows.select_related("tenant"):
            ends_on = ends_of(connection)
            if connection.complete and ends_on:
                days = (ends_on - today).days
                step = next(step for step in STEPS if days <= step)
                yield Ending(connection.tenant, half, ends_on, days, step)


@transaction.atomic
def _open(ending: Ending) -> None:
    tenant, step = ending.tenant, str(ending.step)
    _incident, opened = Incident.objects.get_or_create(
        tenant=tenant, code=ending.code, attribute=step, solved_at=None, defaults={"opened_at": timezone.now()}
    )
    if opened and tenant.notify_on_failure and tenant.notification_email:
        _write_mail(ending)


def _write_mail(ending: Ending) -> None:
    problem = PROBLEMS[ending.code]
    path = reverse("credential_renewal", args=[ending.tenant.slug, ending.half])
    when = _("It ended on %(day)s.") if ending.days < 0 else _("It ends on %(day)s.")
    body = [
        f"{when % {'day': date_format(ending.ends_on, 'j M Y')}} {problem.meaning} {problem.remedy}",
        f"{settings.PUBLIC_URL}{path}",
    ]
    Delivery.objects.create(
        tenant=ending.tenant,
        recipient=ending.tenant.notification_email,
        subject=" ".join(f"[{ending.tenant.name}] {problem.title}: {_left(ending.days)}".split())[:250],
        body="\n\n".join(body),
    )


def _left(days: int) -> str:
    return _("ended") if days < 0 else ngettext("%(n)s day left", "%(n)s days left", days) % {"n": days}
