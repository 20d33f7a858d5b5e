"""Demands: asking for people or a group now, and carrying out what was asked, under the tenant's lease.

A demand has a run of its own (kind *On demand*), so that its requests stand in the logs under that word. While another
run is in progress, that run's thread carries it out between two requests; otherwise it takes the lease itself.
"""

import time
from collections.abc import Sequence

import structlog
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from sync import audit
from sync.configuration.current import configuration_of
from sync.connection.clients import NotEntered, graph_client, scim_client
from sync.connection.sealing import CannotOpen
from sync.directory import live
from sync.directory.live import Found
from sync.engine.export.recovery import resolve_open_intents
from sync.engine.export.sending import TokenRefused
from sync.graph.client import GraphClient
from sync.graph.errors import GraphError, NotFound
from sync.models import Demand, DemandObject, DirectoryGroup, DirectoryUser, Operation, Result, Run, Tenant
from sync.on_demand.one_object import OneObject, StepLog
from sync.runs.lease import Cancelled, LeaseLost, Watch
from sync.runs.results import count_results
from sync.scim.client import ScimClient
from sync.scim.errors import AwsDown, ScimError
from sync.worker import execution

log = structlog.get_logger(__name__)

MOST_PEOPLE = 50
# A demand that stops its worker is not taken up for ever.
MOST_ATTEMPTS = 3
BAD = (Result.FAILED, Result.WILL_RETRY)


class CannotDemand(ValueError):
    """`code`: nobody, too-many, mixed or token-refused."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NotFoundByName(ValueError):
    """`unknown` and `ambiguous`: the texts of which Entra knows nobody, or more than one."""

    def __init__(self, unknown: list[str], ambiguous: list[str]) -> None:
        super().__init__(", ".join([*unknown, *ambiguous]))
        self.unknown = unknown
        self.ambiguous = ambiguous


# Asking


def check_chosen(objects: Sequence[Found]) -> None:
    """One to fifty people, or one group. Raises CannotDemand."""
    groups = sum(one.object_type == "group" for one in objects)
    if not objects:
        raise CannotDemand("nobody")
    if groups and len(objects) > 1:
        raise CannotDemand("mixed")
    if len(objects) > MOST_PEOPLE:
        raise CannotDemand("too-many")


def request(
    *, tenant: Tenant, actor: str, objects: Sequence[Found], dry_run: bool = True, enqueue: bool = True
) -> Demand:
    """A waiting demand with its run. Raises CannotDemand."""
    check_chosen(objects)
    if not dry_run and token_refused(tenant):
        raise CannotDemand("token-refused")
    with transaction.atomic():
        run = execution.new_run(tenant, Run.Kind.ON_DEMAND, Run.Trigger.PERSON, actor, enqueue=enqueue)
        demand = Demand.objects.create(tenant=tenant, requested_by=actor, dry_run=dry_run, run=run)
        DemandObject.objects.bulk_create(
            DemandObject(
                demand=demand,
                position=position,
                object_type=one.object_type,
                object_id=one.object_id,
                display_name=one.name[:256],
            )
            for position, one in enumerate(objects)
        )
        names = [one.name for one in objects]
        audit.record(actor, "demand.request", run, None, {"objects": names, "dry_run": dry_run})
    return demand


def token_refused(tenant: Tenant) -> bool:
    """Writing rests until AWS takes a token again: a test that passed after the refusal shows that it does."""
    refused_at = tenant.quarantined_at if tenant.quarantine_code == "token-refused" else None
    tested_at = tenant.aws.tested_at if tenant.aws.passed else None
    return refused_at is not None and (tested_at is None or tested_at < refused_at)


def resolve(tenant: Tenant, texts: Sequence[str], object_type: str = "user") -> list[Found]:
    """Object ids, user principal names or exact names. Raises NotFoundByName and one of directory.UNREADABLE."""
    client = graph_client(tenant)
    found: dict[str, Found] = {}
    unknown: list[str] = []
    ambiguous: list[str] = []
    for text in dict.fromkeys(line.strip() for line in texts if line.strip()):
        candidates = _candidates(tenant, client, text, object_type)
        if len(candidates) == 1:
            found[candidates[0].reference] = candidates[0]
        else:
            (ambiguous if candidates else unknown).append(text)
    if unknown or ambiguous:
        raise NotFoundByName(unknown, ambiguous)
    return list(found.values())


def _candidates(tenant: Tenant, client: GraphClient, text: str, object_type: str) -> list[Found]:
    """What has this id or user principal name, else what is called exactly so; then who has left, by the mirror."""
    if object_type == "user" and ("@" in text or live.is_guid(text)):
        try:
            return [live.found_user(client.user(text, live.USER_SELECT))]
        except NotFound:
            return _mirrored(tenant, text, object_type)
    if object_type == "group" and live.is_guid(text):
        try:
            return [live.found_group(client.group(text, live.GROUP_SELECT))]
        except NotFound:
            return _mirrored(tenant, text, object_type)
    if object_type == "user":
        named = [live.found_user(item) for item in client.search_users(text)]
    else:
        named = [live.found_group(item) for item in client.search_groups(text)]
    exact = [one for one in named if text.casefold() in (one.name.casefold(), one.detail.casefold())]
    return exact or _mirrored(tenant, text, object_type)


def _mirrored(tenant: Tenant, text: str, object_type: str) -> list[Found]:
    """Deleted people and groups are found as well: they are what is asked for when somebody is still in AWS."""
    if object_type == "group":
        groups = DirectoryGroup.objects.filter(Q(object_id=text) | Q(display_name__iexact=text), tenant=tenant)
        return [Found("group", group.object_id, str(group), "", "group") for group in groups[:2]]
    by_name = Q(user_principal_name__iexact=text) | Q(display_name__iexact=text)
    users = DirectoryUser.objects.filter(Q(object_id=text) | by_name, tenant=tenant)
    return [Found("user", user.object_id, str(user), user.user_principal_name, "person") for user in users[:2]]


def cancelled(cancelled_runs: QuerySet[Run]) -> None:
    """Their demands will not be carried out."""
    Demand.objects.filter(run__in=list(cancelled_runs), state=Demand.State.WAITING).update(
        state=Demand.State.FAILED, problem="cancelled", finished_at=timezone.now(), sequence=F("sequence") + 1
    )


# Carrying out


def recover(tenant: Tenant) -> None:
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


def execute(run: Run, watch: Watch) -> Run:
    """A run of kind *On demand* that got the lease: everything that waits is carried out, in order."""
    try:
        graph = graph_client(run.tenant, sleep=watch.sleep)
        scim = scim_client(run.tenant, rate=execution.RUN_RATE, sleep=watch.sleep)
        resolve_open_intents(run, scim)
        Serving(run.tenant, watch, graph, scim).serve()
    except (NotEntered, CannotOpen, ScimError, TokenRefused) as error:
        for demand in Demand.objects.filter(tenant=run.tenant, state=Demand.State.WAITING).select_related("run"):
            _end(demand, _problem(error), str(error))
    except Cancelled:
        log.info("demand stopped", run=run.pk)
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
        flying = in_flight(self.tenant)
        waiting = Demand.objects.filter(tenant=self.tenant, state=Demand.State.WAITING).order_by("pk")
        for demand in waiting.select_related("run"):
            ids = set(demand.objects_asked.values_list("object_id", flat=True))
            if not ids & flying:
                return demand
        return None

    def _serve_one(self, demand: Demand) -> None:
        run = _begin(demand)
        if run is None:
            _end(demand, "cancelled", "")
            return
        try:
            self._objects(demand, run)
        except LeaseLost:
            raise
        except Cancelled:
            if not Run.objects.filter(pk=run.pk, state=Run.State.CANCELLING).exists():
                # The run that carried it along was stopped: it goes on by itself.
                _wait_again(demand)
                raise
            _end(demand, "cancelled", "")
            self.watch.check()
        except (TokenRefused, AwsDown) as error:
            # Every further request would end the same way, whoever sends it.
            _end(demand, _problem(error), str(error))
            raise
        except (GraphError, ScimError) as error:
            _end(demand, _problem(error), str(error))
        except Exception as error:
            log.exception("demand stopped on an error of its own", demand=demand.pk)
            _end(demand, "engine-error", type(error).__name__)
        else:
            _end(demand, "", "")

    def _objects(self, demand: Demand, run: Run) -> None:
        configuration = configuration_of(self.tenant)
        before = dict(self.scim.counts)
        for row in demand.objects_asked.filter(result=""):
            self._check(run)
            OneObject(
                run,
                row,
                self.watch,
                self.graph,
                self.scim,
                configuration=configuration,
                clock=time.monotonic,
                dry_run=demand.dry_run,
            ).carry_out()
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
        ids |= {operation.object_id, *operation.changes.get("members", [])}
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


def _problem(error: Exception) -> str:
    """A code of sync.problems.catalogue."""
    if isinstance(error, GraphError):
        return execution.graph_problem(error)
    if isinstance(error, ScimError):
        return execution.scim_problem(error)
    return "token-refused" if isinstance(error, TokenRefused) else "not-connected"
