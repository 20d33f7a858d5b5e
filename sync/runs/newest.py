"""The newest runs of a tenant, of each kind that pages speak of."""

from dataclasses import dataclass

from django.db.models import Q, Subquery

from sync.models import Run, Tenant


@dataclass(frozen=True, slots=True)
class Newest:
    """`run`: of any kind that is a run of its own; what is asked on demand goes along with one. `whole` and `sync`: as
    RunQuerySet has them."""

    run: Run | None
    whole: Run | None
    sync: Run | None


def newest_runs(tenant: Tenant) -> Newest:
    """In one question to the database."""
    runs = (tenant.runs.exclude(kind=Run.Kind.ON_DEMAND), tenant.runs.whole(), tenant.runs.syncs())
    run, whole, sync = (Q(pk=Subquery(some.order_by("-number").values("pk")[:1])) for some in runs)
    found = list(tenant.runs.filter(run | whole | sync).order_by("-number"))
    return Newest(
        run=next(iter(found), None),
        whole=next((one for one in found if one.whole), None),
        sync=next((one for one in found if one.kind in Run.SYNCS), None),
    )
