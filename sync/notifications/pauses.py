"""A pause is over, and something is missing that turning on needs: one incident and message, and an all-clear when it is on."""

from collections.abc import Collection, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sync.models import Incident, Tenant
from sync.notifications import threads
from sync.notifications.kinds import kind_of
from sync.notifications.outbox import Event, Message, News, address_of, tell
from sync.problems.catalogue import PROBLEMS, STAYED_OFF

# What turning on misses, by the codes of sync/tenants/queries.py.
REASONS = {
    "entra-not-tested": gettext_lazy("The Entra half has not passed a test since its last change."),
    "aws-not-tested": gettext_lazy("The AWS half has not passed a test since its last change."),
    "restored": gettext_lazy("The database was restored from a backup, and AWS was not compared with it since."),
    "no-preview": gettext_lazy("Scope or matching changed, and nobody has looked at a preview since."),
}


def tell_stays_off(tenant: Tenant, reasons: Sequence[str]) -> None:
    incident, opened = threads.open_incident(tenant, STAYED_OFF, kind=kind_of(STAYED_OFF), told=1)
    if opened:
        tell([News(incident, Event.OPENED)], lambda _heard: _message(tenant, reasons))


def tell_over(tenant: Tenant) -> None:
    """It is on."""
    for incident in Incident.objects.filter(tenant=tenant, code=STAYED_OFF, solved_at=None):
        if threads.solve(incident):
            tell([News(incident, Event.SOLVED)], lambda _heard: _all_clear(tenant))


def _message(tenant: Tenant, reasons: Collection[str]) -> Message:
    words = PROBLEMS[STAYED_OFF]
    why = " ".join(str(REASONS[reason]) for reason in reasons)
    return Message(
        f"[{tenant.name}] {words.title}",
        [f"{words.meaning} {why} {words.remedy}", address_of("turn_on", tenant.slug)],
    )


def _all_clear(tenant: Tenant) -> Message:
    lines = [_("This is over: provisioning is on."), address_of("overview", tenant.slug)]
    return Message(f"[{tenant.name}] {_('Solved')}: {PROBLEMS[STAYED_OFF].title}", lines)
