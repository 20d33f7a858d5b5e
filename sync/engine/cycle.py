"""One run, in order: import, scope, match and plan, guard, export, record. (Notifying follows: sync/worker/execution.py.)

The same for a full run, a run over changes and a preview: the first two differ in the watermark, the last one stops
before it writes. A run that was interrupted begins again here: open intents are read back, the rest is planned anew.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from django.utils import timezone

from sync.configuration.ruleset import Rules, selected
from sync.engine.evaluation.evaluation import Evaluation
from sync.engine.evaluation.notes import LinkNotes
from sync.engine.export.recovery import forget_decisions, resolve_open_intents
from sync.engine.export.stages import CONNECTIONS, WRITING, export
from sync.engine.guard import holds
from sync.engine.guard.guard import Guard
from sync.engine.reading import rounds
from sync.engine.reading.ahead import answered
from sync.engine.work import watermark
from sync.graph.client import GraphClient
from sync.models import Configuration, Result, Run, Snapshot, Tenant
from sync.runs import checkpoints
from sync.runs.lease import Watch
from sync.runs.outcomes import RunStopped
from sync.runs.phases import PhaseLog
from sync.runs.results import count_results
from sync.scim.client import ScimClient

Matching = Callable[[], AbstractContextManager[Any]]
Evaluate = Callable[[Run, Snapshot, ScimClient, Watch, Matching], Evaluation]


class RowsLeft(RunStopped):
    """The export ended although `rows` rows of the plan were neither written nor skipped: the watermark must not move."""

    def __init__(self, rows: int) -> None:
        super().__init__(f"{rows} rows of the plan were left")


class NotConfirmed(RunStopped):
    """Scope or matching changed, and nobody has said yes to what follows from it: the plan waits, nothing is written."""

    state, code = Run.State.WAITING, Run.NOT_CONFIRMED


def run_cycle(
    run: Run,
    configuration: Configuration,
    watch: Watch,
    graph: GraphClient,
    scim: ScimClient,
    *,
    evaluated: Evaluate,
    compare: Callable[[PhaseLog], object],
    connections: int = CONNECTIONS,
) -> None:
    """`configuration`, `evaluated`: the rules to follow, and the pass that applies them. `compare`: reads AWS back, at the
    end of a full run.

    Raises RunStopped, GraphError, ScimError or LeaseLost; what is written stays."""
    phases = PhaseLog(run, watch.clock)
    tenant = run.tenant

    with phases.during("prepare"):
        resolve_open_intents(run, scim)
        forget_decisions(run)

    with phases.during("connect"):
        answered(watch, graph.sign_in)
        if run.kind in Run.SYNCS and tenant.quarantined_at is not None:
            # A try has to try: with nothing to write it would end the quarantine without asking AWS.
            next(scim.list_users(count=1), None)
        checkpoints.passed("token got")

    with phases.during("read") as facts:
        snapshot = read(run, configuration, graph, watch)
        run.suspect = snapshot.suspect
        run.save(update_fields=["suspect"])
        facts.update(people=snapshot.users, groups=snapshot.groups)

    with phases.during("scope") as facts:
        evaluation = evaluated(run, snapshot, scim, watch, lambda: phases.during("match"))
        facts.update(evaluation.notes.decide_scope())

    plan(run, evaluation, phases)

    with phases.during("guard") as facts:
        facts.update(check(run, configuration, evaluation))
        checkpoints.passed("plan stored")

    run.counts = {"no_change": evaluation.notes.unchanged()}
    if run.kind != Run.Kind.PREVIEW:
        require_confirmation(run, configuration, phases)
        export(run, watch, phases, scim, connections)
        with phases.during("finish"):
            finish(run, tenant, snapshot, configuration)
            checkpoints.passed("watermark moved")
        if run.kind == Run.Kind.FULL:
            compare(phases)
    run.counts = count_results(run) | {"no_change": run.counts["no_change"]}
    phases.save()


def read(run: Run, configuration: Configuration, graph: GraphClient, watch: Watch) -> Snapshot:
    users, groups = selected(configuration)
    return rounds.read_directory(run.tenant, graph, watch, users, groups, full=run.kind == Run.Kind.FULL)


def evaluation_of(run: Run, snapshot: Snapshot, scim: ScimClient, watch: Watch, matching: Matching) -> Evaluation:
    """Under today's rules, which are read only now: the enterprise application may have assigned others."""
    configuration = run.tenant.configurations.current()
    rules, since = Rules.of(configuration), watermark(run, run.tenant, configuration)
    notes = LinkNotes(run, snapshot, rules, since, watch)
    return Evaluation(run, snapshot, rules, scim, notes, since=since, watch=watch, matching=matching)


def plan(run: Run, evaluation: Evaluation, phases: PhaseLog) -> None:
    """People first: a group's members depend on who is to come. Clashes are settled on the whole plan."""
    notes = evaluation.notes
    with phases.during("plan") as facts:
        evaluation.plan_people()
        notes.settle_clashes("user")
        evaluation.plan_groups()
        notes.settle_clashes("group")
        run.planned, run.plan_hash = notes.plan.planned, notes.plan.hash
        run.save(update_fields=["plan_hash"])
        facts["changes"] = run.planned


def may_write(run: Run, configuration: Configuration) -> bool:
    """A preview never does; after a change of scope or matching somebody has to confirm the plan first."""
    return run.kind != Run.Kind.PREVIEW and (run.confirmed or configuration.confirmed)


def check(run: Run, configuration: Configuration, evaluation: Evaluation) -> dict[str, int]:
    """A preview shows what would be held, but holds nothing."""
    confirmed = configuration.confirmed_run if configuration.confirmed else None
    guard = Guard(run, confirmed, configuration)
    if not may_write(run, configuration):
        held = guard.foresee()
        evaluation.notes.weigh(guard)
        return held
    held = guard.check()
    for object_type in ("user", "group"):
        evaluation.notes.settle_held(object_type)
    if not evaluation.snapshot.suspect:
        holds.close_unwanted(run.tenant, evaluation.still_wanted | evaluation.notes.still_wanted | guard.held)
    return held


def require_confirmation(run: Run, configuration: Configuration, phases: PhaseLog) -> None:
    """A plan without any change needs nobody's yes."""
    if may_write(run, configuration) or not run.operations.filter(result="planned").exists():
        return
    phases.not_needed(*WRITING, "finish")
    raise NotConfirmed


def finish(run: Run, tenant: Tenant, snapshot: Snapshot, configuration: Configuration) -> None:
    """The watermark moves only now: everything is written, held, or waits in escrow with its own date.

    After a reading that was not sane it stays: who was spared is looked at again. Raises RowsLeft.
    """
    if left := run.operations.filter(result__in=(Result.PLANNED, Result.SENT)).count():
        raise RowsLeft(left)
    if not snapshot.suspect:
        tenant.evaluated_snapshot = snapshot.pk
        tenant.evaluated_changed_at = configuration.changed_at
        tenant.save(update_fields=["evaluated_snapshot", "evaluated_changed_at"])
    holds.close_done(run)
    run.configuration = configuration
    run.finished_at = timezone.now()
    run.save(update_fields=["configuration"])
