"""What a run's page counts of its operations."""

from django.db.models import Sum

from sync.models import Result, Run

UNFINISHED = (Result.PLANNED, Result.SENT)


def count_results(run: Run) -> dict[str, int]:
    """Results by name, in people: a membership request counts its members.

    Without requests of an interrupted attempt that AWS did not carry out: the next one plans them anew."""
    rows = (
        run.operations.exclude(result__in=UNFINISHED)
        .exclude(result=Result.SKIPPED, problem="answer-lost")
        .values("result")
        .annotate(n=Sum("people"))
    )
    return {row["result"]: row["n"] for row in rows}
