"""What a run's page counts of its operations."""

from collections import Counter

from django.db.models import Count

from sync.models import Result, Run

UNFINISHED = (Result.PLANNED, Result.SENT)


def count_results(run: Run) -> dict[str, int]:
    """Results by name; memberships count people, not requests."""
    rows = run.operations.exclude(result__in=UNFINISHED).values("result").annotate(n=Count("pk"))
    counts = Counter({row["result"]: row["n"] for row in rows})
    for operation in run.operations.filter(result__in=(Result.ADDED, Result.REMOVED)).only("result", "changes"):
        counts[operation.result] += len(operation.changes.get("members", [])) - 1
    return dict(counts)
