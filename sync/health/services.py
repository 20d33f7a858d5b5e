"""What processes say of themselves."""

import datetime
from collections.abc import Iterable

from django.db.models.functions import Now

from sync.models import Heartbeat

# Processes that were replaced are forgotten after this, as long as another one of their kind lives.
FORGOTTEN_AFTER = datetime.timedelta(days=1)


def report(*, role: str, name: str, queues: Iterable[str] = (), slots: int = 0) -> None:
    """A sign of life."""
    facts = {"role": role, "queues": sorted(queues), "slots": slots, "seen_at": Now(), "stopped": False}
    Heartbeat.objects.update_or_create(name=name, defaults=facts)
    Heartbeat.objects.filter(role=role, seen_at__lt=Now() - FORGOTTEN_AFTER).delete()


def say_goodbye(name: str) -> None:
    Heartbeat.objects.filter(name=name).update(stopped=True)
