"""How far a run is, and what keeps it from starting."""

import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from sync.models import Run
from sync.runs import phases


def in_the_way(run: Run) -> str:
    words = _("Nothing was started: run %(number)s (%(kind)s) is still open. Ask again when it is over.")
    return words % {"number": run.number, "kind": run.get_kind_display()}


# A run that waits longer than this has no worker.
PATIENCE = datetime.timedelta(seconds=30)


def waits_too_long(run: Run | None) -> bool:
    return bool(run and run.state == Run.State.QUEUED and timezone.now() - run.created_at > PATIENCE)


def phase_rows(found: Run) -> list[dict[str, object]]:
    rows = []
    for key, label in phases.phases_of(found).items():
        phase = found.phases.get(key, {})
        state = phase.get("state", "waiting" if found.open else "not_needed")
        rows.append(
            {"key": key, "label": label, "state": state, "word": phases.STATES[state]}
            | {"seconds": phase.get("seconds"), "facts": phase.get("facts", {})}
        )
    return rows
