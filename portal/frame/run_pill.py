"""The running or the last run, for the header of every page."""

from dataclasses import dataclass

from sync.models import Result, Run, Tenant


def newest_run(tenant: Tenant) -> Run | None:
    """What is asked on demand goes along with any run."""
    return tenant.runs.exclude(kind=Run.Kind.ON_DEMAND).first()


@dataclass(frozen=True, slots=True)
class RunPill:
    """An open run of any kind, else the last sync: a preview or a comparison says nothing about AWS being in step.

    `done`: planned rows of an open run that have been sent."""

    run: Run | None
    done: int = 0

    @classmethod
    def of(cls, tenant: Tenant, newest: Run | None) -> "RunPill":
        """`newest`: see newest_run."""
        if newest is None or not newest.open:
            return cls(newest if newest is None or newest.kind in Run.SYNCS else tenant.runs.syncs().first())
        waiting = newest.operations.filter(result__in=(Result.PLANNED, Result.SENT)).count()
        return cls(newest, max(0, newest.planned - waiting))

    @property
    def open(self) -> bool:
        return self.run is not None and self.run.open
