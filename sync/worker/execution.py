"""Runs: asking for one, carrying it out under the lease, stopping it; turning provisioning on and off."""

import contextlib
import datetime
import os
import socket
import time
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from sync import audit
from sync.approvals import confirming
from sync.configuration.current import configuration_of
from sync.configuration.items import digest
from sync.connection.clients import NotEntered, graph_client, scim_client
from sync.connection.sealing import CannotOpen
from sync.drift import repairing
from sync.drift.comparison import ListIncomplete, verify
from sync.engine.cycle import NotConfirmed, run_cycle
from sync.engine.export.sending import TokenRefused, TooManyFailures
from sync.engine.reading.rounds import SourceEmpty
from sync.graph.errors import Forbidden as GraphForbidden
from sync.graph.errors import GraphError, SignInFailed
from sync.models import AwsConnection, Configuration, Delivery, EntraConnection, Interval, Result, Run, Tenant
from sync.notifications import incidents
from sync.problems.grouping import problem_groups
from sync.runs import checkpoints, quarantine
from sync.runs.lease import Cancelled, Lease, LeaseLost, Watch, claim
from sync.runs.results import count_results
from sync.scim.errors import Forbidden, ScimError, Unauthorised

log = structlog.get_logger(__name__)

# Below AWS's 20 requests a second; tests and live reads take 2 of them.
RUN_RATE = float(settings.SCIM_RATE)
# A queued run whose message got lost is sent again after this long.
ENQUEUE_AGAIN_SECONDS = 30
# A plan that nobody said yes to is made anew this often.
WAIT_FOR_A_YES = datetime.timedelta(hours=24)


class CannotTurnOn(Exception):
    """`reasons`: codes of what is missing: entra-not-tested, aws-not-tested, no-preview."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = reasons


class RunInTheWay(Exception):
    """`run` is open and is not what was asked for, which can be asked for again when it is over."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"Run {run.number} ({run.get_kind_display()}) is open")
        self.run = run


def missing_for_turning_on(tenant: Tenant) -> list[str]:
    """Both halves must have passed a test since their last change."""
    reasons = []
    if not tenant.entra.passed:
        reasons.append("entra-not-tested")
    if not tenant.aws.passed:
        reasons.append("aws-not-tested")
    return reasons


def turn_on_tenant(*, tenant: Tenant, actor: str) -> Run:
    """The first run starts at once. Turning on from a fresh preview says yes to what it lists."""
    reasons = missing_for_turning_on(tenant)
    plan = confirming.newest_plan(tenant)
    if plan is None and not configuration_of(tenant).confirmed:
        reasons.append("no-preview")
    if reasons:
        raise CannotTurnOn(reasons)
    with transaction.atomic():
        if plan is not None:
            confirming.confirm_plan(run=plan, actor=actor)
        _switch(tenant, actor, enabled=True)
    return request_soon(tenant=tenant, kind=Run.Kind.FULL, trigger=Run.Trigger.TURNED_ON, actor=actor)


def turn_off_tenant(*, tenant: Tenant, actor: str) -> None:
    """A run in progress stops at the next safe point. Nothing is removed from AWS."""
    with transaction.atomic():
        _switch(tenant, actor, enabled=False)
        _cancel(tenant.runs.filter(state__in=Run.OPEN))


def _switch(tenant: Tenant, actor: str, *, enabled: bool) -> None:
    if tenant.enabled == enabled:
        return
    tenant.enabled, tenant.enabled_changed_at, tenant.enabled_changed_by = enabled, timezone.now(), actor
    tenant.next_run_at = timezone.now() + tenant.interval_length if enabled else None
    tenant.save(update_fields=["enabled", "enabled_changed_at", "enabled_changed_by", "next_run_at"])
    verb = "provisioning.turn_on" if enabled else "provisioning.turn_off"
    audit.record(actor, verb, tenant, {"enabled": not enabled}, {"enabled": enabled})


@transaction.atomic
def save_provisioning(
    *, tenant: Tenant, actor: str, interval: int, notification_email: str, notify_on_failure: bool
) -> None:
    fields = {
        "interval": Interval(interval).value,
        "notification_email": notification_email,
        "notify_on_failure": notify_on_failure,
    }
    before = {name: getattr(tenant, name) for name in fields}
    if before == fields:
        return
    for name, value in fields.items():
        setattr(tenant, name, value)
    if tenant.enabled and before["interval"] != interval:
        tenant.next_run_at = timezone.now() + tenant.interval_length
    tenant.save(update_fields=[*fields, "next_run_at"])
    audit.record(actor, "provisioning.save", tenant, before, fields)


def request_run(
    *,
    tenant: Tenant,
    kind: str,
    trigger: str,
    actor: str = "",
    enqueue: bool = True,
    confirmed: bool = False,
    draft: Configuration | None = None,
) -> Run:
    """A queued run, or the one that is open already and does what is asked: pressing twice makes one run.

    Raises RunInTheWay when another one is open.

    `confirmed`: whoever asks says yes to the creates and key changes of its plan, whatever they will be.
    `draft`: what a preview is to follow instead of the version that runs use.
    """
    with transaction.atomic():
        # The counter's row is the lock: two presses come one after the other.
        Tenant.objects.filter(pk=tenant.pk).update(last_run_number=F("last_run_number"))
        if open_run := _in_the_way(tenant, draft):
            if not _does(open_run, kind, confirmed=confirmed):
                raise RunInTheWay(open_run)
            return open_run
        run = new_run(tenant, kind, trigger, actor, enqueue=enqueue, confirmed=confirmed, draft=draft)
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
    """A full run looks at what changed too; only one that somebody said yes to writes what needs a yes."""
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
        configuration_digest=digest(draft) if draft else "",
        # Whoever asks without a message carries the run out himself, now.
        enqueued_at=None if enqueue else timezone.now(),
    )
    if enqueue:
        transaction.on_commit(lambda: _enqueue(run))
    return run


def _enqueue(run: Run) -> None:
    from sync.tasks import execute_run

    Run.objects.filter(pk=run.pk).update(enqueued_at=Now())
    execute_run.delay(run.pk)


@transaction.atomic
def cancel_run(*, run: Run, actor: str) -> None:
    """What is written stays; a run that nobody has begun is cancelled at once."""
    _cancel(Run.objects.filter(pk=run.pk, state__in=Run.OPEN))
    audit.record(actor, "run.cancel", run)


def _cancel(runs: QuerySet[Run]) -> None:
    from sync.on_demand import services as demands

    demands.cancel_demands(runs.filter(state=Run.State.QUEUED, kind=Run.Kind.ON_DEMAND))
    runs.filter(state=Run.State.QUEUED).update(
        state=Run.State.CANCELLED, finished_at=timezone.now(), sequence=F("sequence") + 1
    )
    runs.filter(state=Run.State.RUNNING).update(state=Run.State.CANCELLING, sequence=F("sequence") + 1)


def execute_run(run_id: int) -> Run | None:
    """Carries a run out under the tenant's lease; None when somebody else holds it or the run is over."""
    from sync.on_demand.serving import execute_demand, recover_demands

    run = Run.objects.select_related("tenant").get(pk=run_id)
    if not run.open:
        return None
    lease = claim(run.tenant_id, f"{socket.gethostname()}:{os.getpid()}")
    if lease is None:
        return None
    checkpoints.passed("lease claimed")
    try:
        with Watch(lease, run.pk) as watch:
            recover_demands(run.tenant)
            if run.kind == Run.Kind.ON_DEMAND:
                return execute_demand(run, watch)
            return _execute(run, watch)
    except LeaseLost:
        log.warning("lease lost", run=run.pk, epoch=lease.epoch)
        return None
    finally:
        lease.release()
        checkpoints.passed("lease released")


def _execute(run: Run, watch: Watch) -> Run | None:
    if not _begin(run):
        return None
    checkpoints.passed("run begun")
    outcome = _carry_out(run, watch)
    _end(run, watch.lease, *outcome)
    checkpoints.passed("run ended")
    for delivery in incidents.after_run(run) if not run.drafted else ():
        incidents.deliver(delivery)
    checkpoints.passed("notified")
    return run


def _begin(run: Run) -> bool:
    """Queued becomes running; a run that was interrupted goes on."""
    now = timezone.now()
    began = Run.objects.filter(pk=run.pk, state__in=(Run.State.QUEUED, Run.State.RUNNING, Run.State.CANCELLING))
    try:
        with transaction.atomic():
            began.filter(state=Run.State.QUEUED).update(state=Run.State.RUNNING, started_at=now)
            if not began.update(attempts=F("attempts") + 1, sequence=F("sequence") + 1):
                return False
    except IntegrityError:
        # Another run of the tenant is marked as running: it goes first, the sweeper takes it up.
        return False
    run.refresh_from_db()
    if run.confirmed:
        confirming.confirm_own_plan(run)
    if run.kind in (Run.Kind.FULL, Run.Kind.CHANGES):
        Tenant.objects.filter(pk=run.tenant_id, enabled=True).update(next_run_at=now + run.tenant.interval_length)
    return True


def _carry_out(run: Run, watch: Watch) -> tuple[str, str, str]:
    """State, problem code and detail of the finished run."""
    from sync.on_demand.serving import Serving

    try:
        graph = graph_client(run.tenant, sleep=watch.sleep)
        scim = scim_client(run.tenant, rate=RUN_RATE, sleep=watch.sleep)
        watch.serve = Serving(run.tenant, watch, graph, scim).serve
        if run.kind == Run.Kind.VERIFY:
            verify(run, watch, scim)
            repairing.by_policy(run)
        else:
            run_cycle(run, watch, graph, scim, clock=time.monotonic)
        watch.serve()
    except LeaseLost:
        raise
    except Cancelled:
        return Run.State.CANCELLED, "", ""
    except NotConfirmed:
        return Run.State.WAITING, "not-confirmed", ""
    except (NotEntered, CannotOpen) as error:
        return Run.State.FAILED, "not-connected", str(error)
    except SourceEmpty:
        return Run.State.FAILED, "source-empty", ""
    except ListIncomplete as error:
        return Run.State.FAILED, "aws-list-incomplete", str(error)
    except GraphError as error:
        return Run.State.FAILED, graph_problem(error), str(error)
    except TokenRefused:
        return Run.State.FAILED, "token-refused", ""
    except TooManyFailures as error:
        return Run.State.FAILED, "too-many-failures", str(error)
    except ScimError as error:
        return Run.State.FAILED, scim_problem(error), error.detail
    except Exception as error:
        log.exception("run stopped on an error of its own", run=run.pk)
        return Run.State.FAILED, "engine-error", type(error).__name__
    bad = any(not group.problem.warning for group in problem_groups(run))
    return (Run.State.COMPLETED_WITH_ERRORS if bad else Run.State.COMPLETED), "", ""


def graph_problem(error: GraphError) -> str:
    if isinstance(error, SignInFailed):
        return "secret-ended" if error.aadsts == "AADSTS7000222" else "graph-sign-in"
    return "graph-denied" if isinstance(error, GraphForbidden) else "graph-down"


def scim_problem(error: ScimError) -> str:
    if isinstance(error, Unauthorised | Forbidden):
        return "token-refused"
    return "rejected" if error.permanent else "aws-down"


@transaction.atomic
def _end(run: Run, lease: Lease, state: str, problem: str, detail: str) -> None:
    lease.renew()
    if state in (Run.State.FAILED, Run.State.CANCELLED):
        run.operations.filter(result=Result.PLANNED).delete()
        run.counts = count_results(run) | {"no_change": run.counts.get("no_change", 0)}
    if state in (Run.State.COMPLETED, Run.State.COMPLETED_WITH_ERRORS):
        _note_use(run)
        if run.kind != Run.Kind.VERIFY and not run.drafted:
            quarantine.after_success(run.tenant)
    elif state == Run.State.FAILED and not run.drafted:
        quarantine.after_failure(run.tenant, problem, detail[:2000])
    run.state, run.problem, run.problem_detail = state, problem, detail[:2000]
    run.finished_at = timezone.now()
    run.sequence += 1
    run.rehearsed.all().delete()
    if not Configuration.objects.filter(run=run).exists():
        # A draft may be discarded while its preview goes on.
        run.configuration = None
    run.save()


def _note_use(run: Run) -> None:
    """When each half last did its work. AWS is used only when there was something to match or to write."""
    now = timezone.now()
    if run.kind != Run.Kind.VERIFY:
        EntraConnection.objects.filter(tenant=run.tenant_id).update(last_used_at=now)
    if run.scim_requests:
        AwsConnection.objects.filter(tenant=run.tenant_id).update(last_used_at=now)


@dataclass(frozen=True, slots=True)
class Dispatched:
    due: int
    resent: int


def dispatch() -> Dispatched:
    """Starts what is due, and sends again what the broker or a worker lost. Called every few seconds."""
    due = [tenant for tenant in due_tenants() if not _waits_for_a_yes(tenant) and _request_due(tenant)]
    for tenant in Tenant.objects.filter(enabled=True, verify_daily=True):
        _compare_when_due(tenant)
    lost = list(abandoned_runs())
    for run in lost:
        _enqueue(run)
    for delivery in Delivery.objects.filter(state=Delivery.State.WAITING):
        incidents.deliver(delivery)
    return Dispatched(len(due), len(lost))


def due_tenants() -> QuerySet[Tenant]:
    return Tenant.objects.filter(enabled=True, next_run_at__lte=timezone.now())


def _waits_for_a_yes(tenant: Tenant) -> bool:
    """A plan that waits for its confirmation is not made anew at every interval."""
    newest = tenant.runs.whole().order_by("-number").first()
    if newest is None or newest.state != Run.State.WAITING or newest.started_at is None:
        return False
    configuration = configuration_of(tenant)
    waits = not configuration.confirmed and newest.started_at >= configuration.changed_at
    if waits:
        Tenant.objects.filter(pk=tenant.pk).update(next_run_at=timezone.now() + tenant.interval_length)
    return waits and timezone.now() - newest.started_at < WAIT_FOR_A_YES


def _compare_when_due(tenant: Tenant) -> None:
    """The daily comparison with AWS."""
    from sync.drift import services

    if services.comparison_due(tenant):
        with contextlib.suppress(RunInTheWay):
            services.request_comparison(tenant=tenant, trigger=Run.Trigger.SCHEDULE)


def _request_due(tenant: Tenant) -> bool:
    """Of two beats that find the tenant due, one moves its hand on. Behind a preview or a comparison it stays due."""
    due = Tenant.objects.filter(pk=tenant.pk, next_run_at=tenant.next_run_at)
    try:
        with transaction.atomic():
            if not due.update(next_run_at=timezone.now() + tenant.interval_length):
                return False
            request_run(tenant=tenant, kind=Run.Kind.CHANGES, trigger=Run.Trigger.SCHEDULE)
    except RunInTheWay:
        return False
    return True


def abandoned_runs() -> QuerySet[Run]:
    """Runs that nobody works on: the lease is free, and no message has been sent for a while."""
    nobody = Q(tenant__lease_expires_at=None) | Q(tenant__lease_expires_at__lt=Now())
    long_ago = timezone.now() - datetime.timedelta(seconds=ENQUEUE_AGAIN_SECONDS)
    interrupted = Q(state__in=(Run.State.RUNNING, Run.State.CANCELLING))
    unsent = Q(enqueued_at=None) | Q(enqueued_at__lt=long_ago)
    return Run.objects.filter(nobody, state__in=Run.OPEN).filter(interrupted | unsent)
