"""How far a run is, and what keeps it from starting."""

import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from sync.models import Run
from sync.models.columns import Phase
from sync.problems.languages import grouped
from sync.runs import phases

BUSY = gettext_lazy("Nothing was changed: a run is in progress. Try again when it is over.")


def run_in_the_way(run: Run) -> str:
    words = _("Nothing was started: run %(number)s (%(kind)s) is still open. Ask again when it is over.")
    return words % {"number": run.number, "kind": run.get_kind_display()}


# A run that waits longer than this has no worker.
PATIENCE = datetime.timedelta(seconds=30)


def waits_too_long(run: Run | None) -> bool:
    return bool(run and run.state == Run.State.QUEUED and timezone.now() - run.created_at > PATIENCE)


def phase_rows(found: Run) -> list[dict[str, object]]:
    rows = []
    for key, label in phases.phases_of(found).items():
        phase = phases.phase_of(found, key)
        rows.append({"key": key, "label": label, "word": phases.STATES[phase["state"]], **phase, "facts": told(phase)})
    return rows


def told(phase: Phase) -> dict[str, int]:
    """That nothing of a kind was found needs no words."""
    return {name: n for name, n in phase["facts"].items() if n or name not in FINDINGS}


# What a comparison may find.
FINDINGS = ("differs", "missing", "only_in_aws", "member_missing", "member_extra", "unsure")
# Facts of a phase (sync/engine/cycle.py), each in one and many.
FACTS = {
    "people": lambda n: ngettext("%(n)s person", "%(n)s people", n),
    "groups": lambda n: ngettext("%(n)s group", "%(n)s groups", n),
    "in": lambda n: _("%(n)s in"),
    "out": lambda n: _("%(n)s outside"),
    "memberships": lambda n: ngettext("%(n)s membership", "%(n)s memberships", n),
    "differs": lambda n: ngettext("%(n)s differs", "%(n)s differ", n),
    "missing": lambda n: _("%(n)s gone from AWS"),
    "only_in_aws": lambda n: _("%(n)s only in AWS"),
    "member_missing": lambda n: ngettext("%(n)s member missing", "%(n)s members missing", n),
    "member_extra": lambda n: ngettext("%(n)s member too many", "%(n)s members too many", n),
    "unsure": lambda n: ngettext("%(n)s group unsure", "%(n)s groups unsure", n),
    "held": lambda n: _("%(n)s held"),
    "changes": lambda n: ngettext("%(n)s change", "%(n)s changes", n),
}


def phase_fact(name: str, value: int) -> str:
    return FACTS[name](value) % {"n": grouped(value)} if name in FACTS else f"{name} {value}"
