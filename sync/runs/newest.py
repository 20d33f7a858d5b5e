"""The newest runs of a tenant, of each kind that pages speak of."""

import datetime
from dataclasses import dataclass, field

from django.db.models import Q, Subquery
from django.utils import timezone

from sync.models import Run, Tenant

A_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class AsOf:
    """When Entra was read and when AWS was compared with it; None: never."""

    read_at: datetime.datetime | None = None
    compared_at: datetime.datetime | None = None

    @property
    def stale(self) -> bool:
        """What is known of AWS is a day old, or older."""
        return self.compared_at is None or timezone.now() - self.compared_at > A_DAY


@dataclass(frozen=True, slots=True)
class Newest:
    """`run`: of any kind that is a run of its own; what is asked on demand goes along with one. `whole` and `sync`: as
    RunQuerySet has them. `asked_at`: since when the oldest of those waits that no worker has taken up."""

    run: Run | None = None
    whole: Run | None = None
    sync: Run | None = None
    asked_at: datetime.datetime | None = None
    as_of: AsOf = field(default_factory=AsOf)


def newest_runs(tenant: Tenant) -> Newest:
    """In one question to the database."""
    runs = tenant.runs.order_by("-number")
    asked = tenant.runs.queued().order_by("created_at")
    newest = (runs.exclude(kind=Run.Kind.ON_DEMAND), runs.whole(), runs.syncs(), runs.compared().order_by("-pk"), asked)
    run, whole, sync, compared, waits = (Q(pk=Subquery(some.values("pk")[:1])) for some in newest)
    read = tenant.snapshots.exclude(sealed_at=None).order_by("-pk").values("sealed_at")
    rows = runs.filter(run | whole | sync | compared | waits).annotate(read_at=Subquery(read[:1]))
    return _told(list(rows))


def _told(found: list[Run]) -> Newest:
    """`found`: newest first, each with `read_at`: nothing but a run reads."""
    return Newest(
        run=next((one for one in found if one.kind != Run.Kind.ON_DEMAND), None),
        whole=next((one for one in found if one.whole), None),
        sync=next((one for one in found if one.kind in Run.SYNCS), None),
        asked_at=min((one.created_at for one in found if one.state == Run.State.QUEUED), default=None),
        as_of=AsOf(
            next((one.read_at for one in found), None),  # type: ignore[attr-defined]
            next((one.compared_at for one in found if one.compared_at), None),
        ),
    )
