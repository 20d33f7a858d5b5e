"""What happened to an incident, in order: a line each."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sync.models import Delivery, Incident, IncidentEvent, Run
from sync.problems.languages import moment

What = IncidentEvent.What


@dataclass(frozen=True, slots=True)
class Line:
    """`icon` of the sprite; `actor`: who did it; `run`: where it was met."""

    at: datetime.datetime
    icon: str
    words: str
    actor: str = ""
    run: Run | None = None


def thread_of(incident: Incident, deliveries: list[Delivery]) -> list[Line]:
    found = [*_beginning(incident), *(_event(event) for event in incident.events.all())]
    found += [_sent(delivery) for delivery in deliveries if delivery.sent_at or delivery.state == Delivery.State.FAILED]
    return sorted(found, key=lambda line: line.at)


def _beginning(incident: Incident) -> Iterator[Line]:
    yield Line(incident.opened_at, "alert-triangle", _("Opened"), run=incident.opened_by)
    if incident.solved_at:
        yield Line(incident.solved_at, "circle-check", _("Solved"), run=incident.last_seen)


def _event(event: IncidentEvent) -> Line:
    match event.what:
        case What.CHANGED:
            n = event.objects_now
            words = ngettext("It concerns %(n)s person or group now", "It concerns %(n)s people and groups now", n)
            return Line(event.at, "users", words % {"n": n})
        case What.SNOOZED if event.until:
            until = moment(localtime(event.until))
            return Line(event.at, "clock", _("Snoozed until %(until)s") % {"until": until}, event.actor)
    return Line(event.at, "eye", _("Acknowledged"), event.actor)


def _sent(delivery: Delivery) -> Line:
    facts = {"subject": delivery.subject, "where": delivery.recipient}
    if delivery.sent_at:
        return Line(delivery.sent_at, "mail", _("Sent to %(where)s: %(subject)s") % facts)
    newest = max((one.at for one in delivery.tries.all()), default=delivery.created_at)
    return Line(newest, "square-x", _("Given up, to %(where)s: %(subject)s") % facts)
