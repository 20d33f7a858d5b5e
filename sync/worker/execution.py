"""Carrying a run out under the tenant's lease, and how it ends."""

from functools import partial

import structlog
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone

from sync.approvals import services
from sync.connection.clients import clients_of
from sync.drift import repairing
from sync.drift.comparison import compare, found_differences, verify
from sync.engine.cycle import Evaluate, evaluation_of, run_cycle
from sync.engine.rehearsal.rehearsal import draft_of, rehearse
from sync.graph.client import GraphClient
from sync.models import AwsConnection, Configuration, EntraConnection, Result, Run, Tenant
from sync.notifications import deliveries, incidents
from sync.on_demand.serving import Serving, execute_demand, recover_demands
from sync.problems.grouping import problem_counts
from sync.runs import checkpoints, log_lines, quarantine
from sync.runs.lease import Lease, LeaseLost, Watch, claim
from sync.runs.missed import note_late_start
from sync.runs.outages import is_outage, outage_in_words
from sync.runs.outcomes import OWN_ERROR, Ending, ending_of
from sync.runs.restored import require_comparison
from sync.runs.results import count_results, ended_state
from sync.runs.tallies import count_run
from sync.scim.client import ScimClient
from sync.standings import queries
from sync.standings import services as standings

log = structlog.get_logger(__name__)


def execute_run(run_id: int, watching: type[Watch] = Watch) -> Run | None:
    """Carries a run out under the tenant's lease; None when somebody else holds it or the run is over.

    Raises the database's error when it goes away meanwhile: the run stays open, and whoever gets the lease next goes on.
    """
    run = Run.objects.select_related("tenant").get(pk=run_id)
    if not run.open:
        return None
    with log_lines.within(run):
        return _under_lease(run, watching)


def _under_lease(run: Run, watching: type[Watch]) -> Run | None:
    lease = claim(run.tenant_id)
    if lease is None:
        return None
    checkpoints.passed("lease claimed")
    try:
        with watching(lease, run.pk) as watch:
            recover_demands(run.tenant)
            if run.kind == Run.Kind.ON_DEMAND:
                return _execute_demand(run, watch)
            return _execute(run, watch)
    except LeaseLost:
        log.warning("lease lost", epoch=lease.epoch)
        return None
    except (OperationalError, InterfaceError) as error:
        log.warning("database away", epoch=lease.epoch, reason=outage_in_words(error))
        # The broken connection would refuse to give the lease back, too.
        connection.close()
        raise
    finally:
        lease.release()
        checkpoints.passed("lease released")


def _execute_demand(run: Run, watch: Watch) -> Run:
    log_lines.note_begin(run)
    execute_demand(run, watch)
    standings.refresh_only_in_aws(run.tenant_id)
    run.refresh_from_db()
    count_run(run)
    log_lines.note_end(run)
    notify(run)
    return run


def _execute(run: Run, watch: Watch) -> Run | None:
    if not _begin(run):
        return None
    log_lines.note_begin(run)
    checkpoints.passed("run begun")
    _end(run, watch.lease, _carry_out(run, watch))
    log_lines.note_end(run)
    checkpoints.passed("run ended")
    if run.kind != Run.Kind.PREVIEW:
        notify(run)
    checkpoints.passed("notified")
    return run


def notify(run: Run) -> None:
    incidents.after_run(run)
    deliveries.hand_out()


def _begin(run: Run) -> bool:
    """Queued becomes running; a run that was interrupted goes on."""
    now = timezone.now()
    began = Run.objects.filter(pk=run.pk, state__in=(Run.State.QUEUED, Run.State.RUNNING, Run.State.CANCELLING))
    try:
        with transaction.atomic():
            first = began.filter(state=Run.State.QUEUED).update(state=Run.State.RUNNING, started_at=now)
            if not began.update(attempts=F("attempts") + 1, sequence=F("sequence") + 1):
                return False
            if first and run.trigger == Run.Trigger.SCHEDULE:
                note_late_start(run.tenant, run.created_at, run, now)
    except IntegrityError:
        # Another run of the tenant is marked as running: it goes first, the sweeper takes it up.
        return False
    run.refresh_from_db()
    if run.confirmed:
        services.confirm_own_plan(run)
    if run.kind in (Run.Kind.FULL, Run.Kind.CHANGES):
        Tenant.objects.filter(pk=run.tenant_id, enabled=True).update(next_run_at=run.tenant.start_after(now))
    return True


def _rules_of(run: Run) -> tuple[Configuration, Evaluate]:
    """A draft's preview follows the draft and keeps nothing but its plan. One that is discarded ends its preview."""
    current = run.tenant.configurations.current()
    return (draft_of(run) or current, rehearse) if run.drafted else (current, evaluation_of)


def _carry_out(run: Run, watch: Watch) -> Ending:
    """Raises LeaseLost, and an outage of the database: whoever holds the lease next ends the run."""
    try:
        graph, scim = clients_of(run, watch)
        watch.serve = Serving(run.tenant, watch, graph, scim).serve
        try:
            _work(run, watch, graph, scim)
        finally:
            run.scim_requests = dict(scim.counts)
        differs = found_differences(run)
        repairing.by_policy(run)
        watch.serve()
    except LeaseLost:
        raise
    except Exception as error:
        if is_outage(error):
            raise
        ending = ending_of(error)
        if ending.code == OWN_ERROR:
            log.exception("run stopped on an error of its own")
        return ending
    run.problems = problem_counts(run)
    return Ending(ended_state(run, differs=differs), "", "")


def _work(run: Run, watch: Watch, graph: GraphClient, scim: ScimClient) -> None:
    if run.kind == Run.Kind.VERIFY:
        verify(run, watch, scim)
        return
    require_comparison(run)
    configuration, evaluated = _rules_of(run)
    read_back = partial(compare, run=run, watch=watch, scim=scim)
    run_cycle(run, configuration, watch, graph, scim, evaluated=evaluated, compare=read_back)


@transaction.atomic
def _end(run: Run, lease: Lease, ending: Ending) -> None:
    lease.renew()
    state, problem, detail = ending.state, ending.code, ending.detail[:2000]
    if state in (Run.State.FAILED, Run.State.CANCELLED):
        run.operations.filter(result=Result.PLANNED).delete()
        run.counts = count_results(run) | {"no_change": run.counts.get("no_change", 0)}
    run.state, run.problem, run.problem_detail = state, problem, detail
    if run.carried_through:
        _note_use(run)
        if run.kind in Run.SYNCS:
            quarantine.after_success(run.tenant)
    elif state == Run.State.FAILED and not run.drafted:
        quarantine.after_failure(run.tenant, problem, detail)
    run.finished_at = timezone.now()
    run.people_in_aws, run.people_ready, run.people_in_scope = queries.people_at_the_end(run.tenant)
    run.sequence += 1
    run.rehearsed.all().delete()
    if not Configuration.objects.filter(run=run).exists():
        # A draft may be discarded while its preview goes on.
        run.configuration = None
    run.save()
    count_run(run)
    # Links that the run made or cut tell of what only AWS held.
    standings.refresh_only_in_aws(run.tenant_id)


def _note_use(run: Run) -> None:
    """When each half last did its work. AWS is used only when there was something to match or to write."""
    now = timezone.now()
    if run.kind != Run.Kind.VERIFY:
        EntraConnection.objects.filter(tenant=run.tenant_id).update(last_used_at=now)
    if run.scim_requests:
        AwsConnection.objects.filter(tenant=run.tenant_id).update(last_used_at=now)
