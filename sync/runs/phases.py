"""The phases that a run's page shows: a table over the engine's steps, and the stopwatch that fills it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sync.models import Run
from sync.models.columns import Phase, PhaseState

PHASES = {
    "prepare": _("Prepare"),
    "connect": _("Check connection"),
    "read": _("Read Entra"),
    "scope": _("Decide scope"),
    "match": _("Match with AWS"),
    "plan": _("Plan changes"),
    "guard": _("Safety check"),
    "people": _("Write people"),
    "groups": _("Write groups"),
    "memberships": _("Write memberships"),
    "removals": _("Write removals"),
    "finish": _("Finish"),
    "compare": _("Compare with AWS"),
}

STATES: dict[PhaseState, Promise] = {
    "waiting": _("Not started"),
    "running": _("Running"),
    "done": _("Done"),
    "not_needed": _("Not needed"),
    "stopped": _("Stopped"),
}


def phases_of(run: Run) -> dict[str, Promise]:
    """Those that a run of its kind can have: a comparison has one phase, and a full run ends with it."""
    if run.kind == Run.Kind.FULL:
        return dict(PHASES)
    verifying = run.kind == Run.Kind.VERIFY
    return {key: label for key, label in PHASES.items() if (key == "compare") == verifying}


def phase_of(run: Run, key: str) -> Phase:
    """As the run has it, or what it means that the run has not come there."""
    return run.phases.get(key) or _unbegun("waiting" if run.open else "not_needed")


def _unbegun(state: PhaseState) -> Phase:
    return {"state": state, "seconds": 0.0, "facts": {}}


class PhaseLog:
    """Writes a run's phases as they happen. Facts are counts that stand beside the phase."""

    def __init__(self, run: Run, clock: Callable[[], float]) -> None:
        self.run = run
        self.clock = clock
        # Those that are under way, the innermost last: while one runs inside another, only its own seconds count.
        self.begun: list[str] = []
        self.counted_to = clock()
        run.phases = {}

    @contextmanager
    def during(self, key: str) -> Iterator[dict[str, int]]:
        """Adds the time of the block to the phase; the yielded dict takes the phase's facts.

        Phases add up to the run: a block inside another stops that one's clock. How a phase ended is stored with the
        beginning of the next, or with the end of the run.
        """
        phase = self.run.phases.setdefault(key, _unbegun("running"))
        phase["state"] = "running"
        self._count()
        self.begun.append(key)
        # A block inside another comes once a person; the page need not see each.
        if len(self.begun) < 2:
            self.save()
        try:
            yield phase["facts"]
            phase["state"] = "done"
        except BaseException:
            phase["state"] = "stopped"
            raise
        finally:
            self._count()
            self.begun.pop()
            if phase["state"] == "stopped" and not self.begun:
                self.save()

    def _count(self) -> None:
        """The time since the last count belongs to the innermost phase."""
        now = self.clock()
        if self.begun:
            phase = self.run.phases[self.begun[-1]]
            phase["seconds"] = round(phase["seconds"] + now - self.counted_to, 6)
        self.counted_to = now

    def not_needed(self, *keys: str) -> None:
        for key in keys:
            self.run.phases[key] = _unbegun("not_needed")

    def save(self) -> None:
        self.run.sequence += 1
        self.run.save(update_fields=["phases", "counts", "planned", "scim_requests", "sequence"])
