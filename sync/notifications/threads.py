"""The life of an incident: it opens once, and is solved once, whoever looks at the same time."""

from typing import Any

from django.utils import timezone

from sync.models import Incident, IncidentEvent, Tenant
from sync.problems.catalogue import PROBLEMS


def open_incident(tenant: Tenant, code: str, attribute: str = "", **facts: Any) -> tuple[Incident, bool]:
    """The open one, and whether it was opened just now."""
    defaults = {"opened_at": timezone.now(), **facts}
    return Incident.objects.get_or_create(
        tenant=tenant, code=code, attribute=attribute, solved_at=None, defaults=defaults
    )


def solve(incident: Incident) -> bool:
    """False when it was somebody else who did."""
    incident.solved_at = timezone.now()
    return bool(Incident.objects.filter(pk=incident.pk, solved_at=None).update(solved_at=incident.solved_at))


def note_growth(incident: Incident, objects: int) -> None:
    """It rings again, whoever looked at it before."""
    incident.acknowledged_at, incident.acknowledged_by, incident.snoozed_until = None, "", None
    incident.save(update_fields=["acknowledged_at", "acknowledged_by", "snoozed_until"])
    IncidentEvent.objects.create(
        incident=incident, at=timezone.now(), what=IncidentEvent.What.CHANGED, objects_now=objects
    )


def title_of(incident: Incident) -> str:
    words = PROBLEMS.get(incident.code)
    return str(words.title) if words else incident.code
