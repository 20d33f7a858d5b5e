"""Tenants for whom nobody works, or whose syncs are overdue or do not end: an incident each, and one message to each address.

Workers look every few seconds. While none is there the web server does (portal/deployment/watchdog.py), and sends by itself.
"""

import datetime
from collections.abc import Callable, Sequence

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from sync.health.queries.presence import absence, late_tenants, without_finished_run
from sync.models import Incident, Tenant
from sync.notifications import threads
from sync.notifications.kinds import kind_of
from sync.notifications.outbox import Compose, Event, Message, News, address_of, tell
from sync.problems.catalogue import OF_INSTALLATION, PROBLEMS

# A restart takes minutes at the most: what lasts longer is told.
TOLD_AFTER = datetime.timedelta(minutes=3)


@transaction.atomic
def note_lateness() -> None:
    """Writes only when something began, lasts, or is over."""
    missing = absence()
    concerned = _concerned(missing)
    solved = _solve(concerned)
    for tenant, code in concerned.items():
        threads.open_incident(tenant, code, kind=kind_of(code))
    _tell(_untold(), Event.OPENED, _message)
    _tell(solved, Event.SOLVED, _all_clear)


def _concerned(missing: str) -> dict[Tenant, str]:
    """The code of each; who is overdue has no run that could finish."""
    if missing:
        concerned = Tenant.objects.filter(Q(enabled=True) | Q(resume_at__lte=timezone.now()))
        return dict.fromkeys(concerned, "nobody-works")
    silent = dict.fromkeys(without_finished_run(), "no-finished-run")
    return silent | {late.tenant: "overdue" for late in late_tenants()}


def _solve(concerned: dict[Tenant, str]) -> list[Incident]:
    """Those that are over, of which somebody was told."""
    still = Q(pk__in=[])
    for code in OF_INSTALLATION:
        still |= Q(code=code, tenant__in=[tenant for tenant, current in concerned.items() if current == code])
    over = Incident.objects.filter(code__in=OF_INSTALLATION, solved_at=None).exclude(still)
    return [one for one in over.select_related("tenant") if threads.solve(one) and one.told]


def _untold() -> list[Incident]:
    """Of two processes that look, one changes the row."""
    lasting = Incident.objects.filter(
        code__in=OF_INSTALLATION, solved_at=None, told=0, opened_at__lte=timezone.now() - TOLD_AFTER
    )
    found = list(lasting.select_related("tenant"))
    return [one for one in found if lasting.filter(pk=one.pk).update(told=1)]


def _tell(found: Sequence[Incident], event: Event, composer: Callable[[str], Compose]) -> None:
    for code in OF_INSTALLATION:
        tell([News(one, event) for one in found if one.code == code], composer(code))


def _message(code: str) -> Compose:
    words = PROBLEMS[code]

    def compose(heard: Sequence[News]) -> Message:
        # Asked again: the words are those of the recipient's language.
        happened = (absence() if code == "nobody-works" else "") or words.title
        paragraphs = [f"{happened} {words.meaning} {words.remedy}", _tenants(heard), address_of("tenants")]
        return Message(
            f"[Lockstep] {words.title}", [*paragraphs, _("While this lasts, no further message comes about it.")]
        )

    return compose


def _all_clear(code: str) -> Compose:
    def compose(heard: Sequence[News]) -> Message:
        lines = [_("This is over."), _tenants(heard), address_of("tenants")]
        return Message(f"[Lockstep] {_('Solved')}: {PROBLEMS[code].title}", lines)

    return compose


def _tenants(heard: Sequence[News]) -> str:
    return _("Tenants: %(names)s") % {"names": ", ".join(sorted(one.incident.tenant.name for one in heard))}
