"""What a run comes to: what its page counts of its operations, and the word that it ends with."""

from django.db.models import Exists, F, OuterRef, Sum

from sync.models import Drift, HeldChange, Result, Run, Tenant

UNFINISHED = (Result.PLANNED, Result.SENT)


def count_results(run: Run) -> dict[str, int]:
    """Results by name, in people: a membership request counts its members.

    Without requests of an interrupted attempt that AWS did not carry out: the next one plans them anew."""
    rows = (
        run.operations.counting()
        .exclude(result__in=UNFINISHED)
        .exclude(result=Result.SKIPPED, problem="answer-lost")
        .values("result")
        .annotate(n=Sum("people"))
    )
    return {row["result"]: row["n"] for row in rows}


def ended_state(run: Run, *, differs: bool) -> str:
    """Of a run that was carried through. `differs`: its comparison found something."""
    # A preview waits for nobody: it tells what is held.
    holds = run.kind != Run.Kind.PREVIEW and run.counts.get(Result.HELD)
    if holds and HeldChange.objects.waiting().filter(tenant=run.tenant_id).exists():
        return Run.State.WAITING
    if run.problems:
        return Run.State.COMPLETED_WITH_ERRORS
    return Run.State.COMPLETED_WITH_DIFFERENCES if differs else Run.State.COMPLETED


def settle_waiting_runs(tenant: Tenant) -> None:
    """Once nothing that is held waits for a decision any more, runs say what else became of them."""
    runs = tenant.runs.filter(state=Run.State.WAITING).exclude(problem=Run.NOT_CONFIRMED)
    if not runs.exists() or HeldChange.objects.waiting().filter(tenant=tenant).exists():
        return
    found = Drift.objects.undecided().filter(run=OuterRef("pk")).exclude(facts__has_key="left_alone")
    newer = F("sequence") + 1
    runs.exclude(problems={}).update(state=Run.State.COMPLETED_WITH_ERRORS, sequence=newer)
    runs.filter(Exists(found)).update(state=Run.State.COMPLETED_WITH_DIFFERENCES, sequence=newer)
    runs.update(state=Run.State.COMPLETED, sequence=newer)
