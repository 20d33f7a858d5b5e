"""Credentials that end: one incident for each step of the way, and an all-clear when it was replaced. No run has to happen."""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sync.connection.services import ends_of
from sync.models import AwsConnection, EntraConnection, Half, Incident, Tenant
from sync.notifications import threads
from sync.notifications.kinds import kind_of
from sync.notifications.outbox import Event, Message, News, address_of, tell
from sync.problems.catalogue import OF_CREDENTIALS, PROBLEMS
from sync.problems.languages import day

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


@transaction.atomic
def note_endings(today: datetime.date) -> None:
    """Called every few seconds: it writes only when a step was reached, or the credential was replaced."""
    endings = {(ending.tenant.pk, ending.code): ending for ending in _endings(today)}
    for incident in Incident.objects.filter(code__in=OF_CREDENTIALS, solved_at=None).select_related("tenant"):
        ending = endings.get((incident.tenant_id, incident.code))
        if (ending is None or str(ending.step) != incident.attribute) and threads.solve(incident) and ending is None:
            tell([News(incident, Event.SOLVED)], _all_clear)
    for ending in endings.values():
        _open(ending)


def _endings(today: datetime.date) -> Iterator[Ending]:
    last = today + datetime.timedelta(days=STEPS[-1])
    entra = EntraConnection.objects.filter(credential_ends_on__lte=last)
    aws = AwsConnection.objects.filter(token_created_on__lte=last - datetime.timedelta(days=365))
    for half, rows in ((Half.ENTRA, entra), (Half.AWS, aws)):
        for connection in rows.select_related("tenant"):
            ends_on = ends_of(connection)
            if connection.complete and ends_on:
                days = (ends_on - today).days
                step = step_of(days)
                yield Ending(connection.tenant, half, ends_on, days, step)


def step_of(days: int) -> int:
    """Of so many days left, at most the longest step."""
    return next(step for step in STEPS if days <= step)


def _open(ending: Ending) -> None:
    incident, opened = threads.open_incident(
        ending.tenant, ending.code, str(ending.step), kind=kind_of(ending.code), told=1
    )
    if opened:
        tell([News(incident, Event.OPENED)], lambda _heard: _message(ending))


def _message(ending: Ending) -> Message:
    problem = PROBLEMS[ending.code]
    when = _("It ended on %(day)s.") if ending.days < 0 else _("It ends on %(day)s.")
    return Message(
        f"[{ending.tenant.name}] {problem.title}: {_left(ending.days)}",
        [
            f"{when % {'day': day(ending.ends_on)}} {problem.meaning} {problem.remedy}",
            address_of("credential_renewal", ending.tenant.slug, ending.half),
        ],
    )


def _all_clear(heard: Sequence[News]) -> Message:
    tenant, title = heard[0].incident.tenant, threads.title_of(heard[0].incident)
    lines = [_("This is over: another credential is in use."), address_of("connection", tenant.slug)]
    return Message(f"[{tenant.name}] {_('Solved')}: {title}", lines)


def _left(days: int) -> str:
    return _("ended") if days < 0 else ngettext("%(n)s day left", "%(n)s days left", days) % {"n": days}
