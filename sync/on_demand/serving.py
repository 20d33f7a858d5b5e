"""A run carries out what was asked on demand: its own, and what comes while another run is in progress."""

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from sync.configuration.current import configuration_of
from sync.connection.clients import clients_of
from sync.engine.evaluation.taken_values import taken_by_kind
from sync.engine.export.recovery import resolve_open_intents
from sync.engine.export.sending import TokenRefused
from sync.graph.client import GraphClient
from sync.models import Configuration, Demand, Operation, Result, Run, Tenant
from sync.on_demand.asked import Asked
from sync.on_demand.one_object import carry_out
from sync.on_demand.steps import StepLog
from sync.runs.lease import Cancelled, LeaseLost, Watch
from sync.runs.outages import is_outage
from sync.runs.outcomes import OWN_ERROR, ending_of
from sync.runs.results import count_results
from sync.scim.client import ScimClient
from sync.scim.errors import AwsDown

log = structlog.get_logger(__name__)

# A demand that stops its worker is not taken up for ever.
MOST_ATTEMPTS = 3

BAD = (Result.FAILED, Result.WILL_RETRY)


def recover_demands(tenant: Tenant) -> None:
    """What a holder of the lease left in the middle waits again, or has failed too often. The caller holds the lease."""
    for demand in Demand.objects.filter(tenant=tenant, state=Demand.State.RUNNING).select_related("run"):
        if demand.run is None or demand.run.attempts >= MOST_ATTEMPTS:
            _end(demand, "interrupted", "")
        else:
            _wait_again(demand)


@transaction.atomic
def _wait_again(demand: Demand) -> None:
    assert demand.run is not None
    demand.run.operations.filter(result=Result.PLANNED).delete()
    Run.objects.filter(pk=demand.run.pk).update(state=Run.State.QUEUED, sequence=F("sequence") + 1)
    demand.objects_asked.filter(result="").update(steps=[])
    Demand.objects.filter(pk=demand.pk).update(state=Demand.State.WAITING, sequence=F("sequence") + 1)


def execute_demand(run: Run, watch: Watch) -> Run:
    """A run of kind *On demand* that got the lease: everything that waits is carried out, in order."""
    try:
        graph, scim = clients_of(run, watch)
        resolve_open_intents(run, scim)
        Serving(run.tenant, watch, graph, scim).serve()
    except Cancelled:
        log.info("demand stopped")
    except LeaseLost:
        raise
    except Exception as error:
        if is_outage(error):
            raise
        ending = ending_of(error)
        if ending.code == OWN_ERROR:
            log.exception("on demand stopped on an error of its own")
        for demand in Demand.objects.filter(tenant=run.tenant, state=Demand.State.WAITING).select_related("run"):
            _end(demand, ending.code, ending.detail)
    run.refresh_from_db()
    return run


class Serving:
    """Carries out the waiting demands of a tenant in the thread of the lease's holder: there is one writer."""

    def __init__(self, tenant: Tenant, watch: Watch, graph: GraphClient, scim: ScimClient) -> None:
        self.tenant = tenant
        self.watch = watch
        self.graph = graph
        self.scim = scim
        self._busy = False

    def serve(self) -> None:
        """Raises Cancelled and LeaseLost. Its own requests pass safe points too: those do not begin another one."""
        if self._busy:
            return
        self._busy = True
        try:
            while demand := self._next():
                self._serve_one(demand)
        finally:
            self._busy = False

    def _next(self) -> Demand | None:
        """The oldest one with nothing in flight; the others are asked again at the next safe point."""
        found = Demand.objects.filter(tenant=self.tenant, state=Demand.State.WAITING).order_by("pk")
        waiting = list(found.select_related("run"))
        flying = in_flight(self.tenant) if waiting else set()
        for demand in waiting:
            ids = set(demand.objects_asked.values_list("object_id", flat=True))
            if not ids & flying:
                return demand
        return None

    def _serve_one(self, demand: Demand) -> None:
        configuration = self._rules_of(demand)
        run = _begin(demand) if configuration else None
        if configuration is None or run is None:
            _end(demand, "cancelled", "")
            return
        try:
            self._objects(demand, run, configuration)
        except LeaseLost:
            raise
        except Cancelled:
            if not Run.objects.filter(pk=run.pk, state=Run.State.CANCELLING).exists():
                # The run that carried it along was stopped: it goes on by itself.
                _wait_again(demand)
                raise
            _end(demand, "cancelled", "")
            self.watch.check()
        except Exception as error:
            if is_outage(error):
                raise
            ending = ending_of(error)
            if ending.code == OWN_ERROR:
                log.exception("demand stopped on an error of its own", demand=demand.pk)
            _end(demand, ending.code, ending.detail)
            if isinstance(error, TokenRefused | AwsDown):
                # Every further request would end the same way, whoever sends it.
                raise
        else:
            _end(demand, "", "")

    def _rules_of(self, demand: Demand) -> Configuration | None:
        """None when the draft was published or discarded meanwhile: nothing else is shown in its place."""
        return self.tenant.configurations.draft() if demand.drafted else configuration_of(self.tenant)

    def _objects(self, demand: Demand, run: Run, configuration: Configuration) -> None:
        before, taken = dict(self.scim.counts), taken_by_kind(self.tenant)
        for row in demand.objects_asked.filter(result=""):
            self._check(run)
            around = {"watch": self.watch, "graph": self.graph, "scim": self.scim, "taken": taken}
            shows = {"dry_run": demand.dry_run or demand.drafted, "drafted": demand.drafted}
            carry_out(Asked.of(run, row, configuration, **shows, **around))
        run.scim_requests = {
            name: count - before.get(name, 0) for name, count in self.scim.counts.items() if count > before.get(name, 0)
        }
        run.save(update_fields=["scim_requests"])

    def _check(self, run: Run) -> None:
        """Raises Cancelled and LeaseLost: its own run may be cancelled as well as the one that carries it along."""
        self.watch.check()
        if Run.objects.filter(pk=run.pk, state=Run.State.CANCELLING).exists():
            raise Cancelled


def in_flight(tenant: Tenant) -> set[str]:
    """Ids of people and groups about whom a request waits for its answer."""
    ids: set[str] = set()
    for operation in Operation.objects.filter(tenant=tenant, result=Result.SENT).only("object_id", "changes"):
        ids |= {operation.object_id, *operation.member_ids}
    return ids


@transaction.atomic
def _begin(demand: Demand) -> Run | None:
    if demand.run is None:
        return None
    now = timezone.now()
    began = Run.objects.filter(pk=demand.run.pk, state=Run.State.QUEUED).update(
        state=Run.State.RUNNING, started_at=now, attempts=F("attempts") + 1, sequence=F("sequence") + 1
    )
    if not began:
        return None
    Demand.objects.filter(pk=demand.pk).update(state=Demand.State.RUNNING, started_at=now, sequence=F("sequence") + 1)
    return Run.objects.select_related("tenant").get(pk=demand.run.pk)


@transaction.atomic
def _end(demand: Demand, problem: str, detail: str) -> None:
    now = timezone.now()
    for row in demand.objects_asked.filter(result="") if problem else ():
        # Whoever was not reached has no steps; whoever was reached keeps them.
        StepLog(row, row.steps).end(Result.FAILED)
    state = Demand.State.FAILED if problem else Demand.State.DONE
    Demand.objects.filter(pk=demand.pk).update(
        state=state, problem=problem, problem_detail=detail[:2000], finished_at=now, sequence=F("sequence") + 1
    )
    run = demand.run
    if run is None:
        return
    run.refresh_from_db()
    run.operations.filter(result=Result.PLANNED).delete()
    run.counts = count_results(run)
    run.counts["no_change"] = demand.objects_asked.filter(result="no_change").count()
    run.state = _run_state(demand, problem)
    run.problem, run.problem_detail = ("" if problem == "cancelled" else problem), detail[:2000]
    run.finished_at, run.sequence = now, run.sequence + 1
    run.save()


def _run_state(demand: Demand, problem: str) -> str:
    if problem:
        return Run.State.CANCELLED if problem == "cancelled" else Run.State.FAILED
    bad = demand.objects_asked.filter(result__in=BAD).exists()
    return Run.State.COMPLETED_WITH_ERRORS if bad else Run.State.COMPLETED
