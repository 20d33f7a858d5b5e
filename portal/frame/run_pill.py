"""The running or the last run, for the header of every page."""

from dataclasses import dataclass

from sync.models import Result, Run
from sync.runs.newest import Newest


@dataclass(frozen=True, slots=True)
class RunPill:
    """An open run of any kind, else the last sync: a preview or a comparison says nothing about AWS being in step.

    `done`: planned rows of an open run that have been sent."""

    run: Run | None
    done: int = 0

    @classmethod
    def of(cls, newest: Newest) -> "RunPill":
        if newest.run is None or not newest.run.open:
            return cls(newest.sync)
        waiting = newest.run.operations.filter(result__in=(Result.PLANNED, Result.SENT)).count()
        return cls(newest.run, max(0, newest.run.planned - waiting))

    @property
    def open(self) -> bool:
        return self.run is not None and self.run.open
