"""Asking for a run, and cancelling it."""

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from sync import audit, queue
from sync.models import Configuration, Demand, Run, Tenant


class RunInTheWay(Exception):
    """`run` is open and is not what was asked for, which can be asked for again when it is over."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"Run {run.number} ({run.get_kind_display()}) is open")
        self.run = run


def request_run(
    *,
    tenant: Tenant,
    kind: str,
    trigger: str,
    actor: str = "",
    enqueue: bool = True,
    confirmed: bool = False,
    draft: Configuration | None = None,
    digest: str = "",
) -> Run:
    """A queued run, or the one that is open already and does what is asked: pressing twice makes one run.

    Raises RunInTheWay when another one is open.

    `confirmed`: whoever asks says yes to the creates and key changes of its plan, whatever they will be.
    `draft`, `digest`: what a preview is to follow instead of the version that runs use, and of what state of it.
    """
    with transaction.atomic():
        # The tenant's row is the lock: two presses come one after the other.
        Tenant.objects.select_for_update().get(pk=tenant.pk)
        if open_run := _in_the_way(tenant, draft):
            if not _does(open_run, kind, confirmed=confirmed):
                raise RunInTheWay(open_run)
            return open_run
        run = new_run(tenant, kind, trigger, actor, enqueue=enqueue, confirmed=confirmed, draft=draft, digest=digest)
        if actor:
            audit.record(actor, "run.request", run, None, {"number": run.number, "kind": kind})
    return run


def _in_the_way(tenant: Tenant, draft: Configuration | None) -> Run | None:
    """What is asked on demand rides along with any run. A draft's preview and a sync wait for each other."""
    runs = tenant.runs.filter(state__in=Run.OPEN).exclude(kind=Run.Kind.ON_DEMAND)
    if draft is None:
        return runs.exclude(pk__in=tenant.runs.drafted()).first()
    return runs.drafted().filter(configuration=draft, state__in=(Run.State.QUEUED, Run.State.RUNNING)).first()


def _does(run: Run, kind: str, *, confirmed: bool) -> bool:
    """A full run looks at what changed too; only one that somebody said yes to writes what needs a yes. One that is being
    cancelled does nothing any more."""
    if run.state == Run.State.CANCELLING:
        return False
    same = run.kind == kind or (run.kind, kind) == (Run.Kind.FULL, Run.Kind.CHANGES)
    return same and (run.confirmed or not confirmed)


def request_soon(*, tenant: Tenant, kind: str, trigger: str, actor: str) -> Run:
    """The run, or the one that is in its way: a tenant that is turned on is due as soon as that one is over."""
    try:
        return request_run(tenant=tenant, kind=kind, trigger=trigger, actor=actor)
    except RunInTheWay as busy:
        Tenant.objects.filter(pk=tenant.pk, enabled=True).update(next_run_at=timezone.now())
        return busy.run


@transaction.atomic
def new_run(
    tenant: Tenant,
    kind: str,
    trigger: str,
    actor: str,
    *,
    enqueue: bool,
    confirmed: bool = False,
    draft: Configuration | None = None,
    digest: str = "",
) -> Run:
    """A queued run with the tenant's next number, and the message that starts it."""
    Tenant.objects.filter(pk=tenant.pk).update(last_run_number=F("last_run_number") + 1)
    tenant.refresh_from_db(fields=["last_run_number"])
    run = Run.objects.create(
        tenant=tenant,
        number=tenant.last_run_number,
        kind=kind,
        trigger=trigger,
        requested_by=actor,
        confirmed=confirmed,
        configuration=draft,
        configuration_digest=digest,
        # Whoever asks without a message carries the run out himself, now.
        enqueued_at=None if enqueue else timezone.now(),
    )
    if enqueue:
        transaction.on_commit(lambda: enqueue_run(run))
    return run


def enqueue_run(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(enqueued_at=Now())
    queue.send(queue.EXECUTE_RUN, run.pk)


@transaction.atomic
def cancel_run(*, run: Run, actor: str, as_seen: bool = False) -> bool:
    """What is written stays; a run that nobody has begun is cancelled at once. False: it is over, or (`as_seen`) has gone on
    since `run` was read."""
    seen = {"state": run.state, "sequence": run.sequence} if as_seen else {}
    return cancel_runs(Run.objects.filter(pk=run.pk, state__in=Run.OPEN, **seen), actor=actor)


def cancel_runs(runs: QuerySet[Run], *, actor: str) -> bool:
    """Whether there were any. Call it in a transaction: of two at once one finds them open."""
    before = {run.pk: run for run in runs.select_for_update().order_by("pk")}
    _cancel(Run.objects.filter(pk__in=before))
    for run in Run.objects.filter(pk__in=before):
        audit.record(actor, "run.cancel", run, {"state": before[run.pk].state}, {"state": run.state})
    return bool(before)


def _cancel(runs: QuerySet[Run]) -> None:
    Demand.objects.of(runs.filter(state=Run.State.QUEUED)).cancel()
    runs.filter(state=Run.State.QUEUED).update(
        state=Run.State.CANCELLED, finished_at=timezone.now(), sequence=F("sequence") + 1
    )
    runs.filter(state=Run.State.RUNNING).update(state=Run.State.CANCELLING, sequence=F("sequence") + 1)
