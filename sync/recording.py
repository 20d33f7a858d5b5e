"""The rows of a plan, stored as they come, and what a run's page counts of them."""

from collections import Counter
from collections.abc import Iterable, Mapping

from django.db.models import Count
from django.utils import timezone

from sync.models import Link, Operation, Result, Run
from sync.planning import Change

UNFINISHED = (Result.PLANNED, Result.SENT)


class Subject:
    """Whom an operation is about, in the log's words."""

    __slots__ = ("detail_name", "display_name", "link", "object_id", "object_type")

    def __init__(self, link: Link, display_name: str, detail_name: str = "") -> None:
        self.link = link
        self.object_type = link.object_type
        self.object_id = link.object_id
        self.display_name = display_name
        self.detail_name = detail_name


def store_plan(run: Run, planned: Iterable[tuple[Subject, Change]], sources: Mapping[str, str]) -> int:
    """Plan rows, as they come. `sources` names the mapping behind each unit."""
    rows = [_row(run, subject, change, sources) for subject, change in planned]
    Operation.objects.bulk_create(rows, batch_size=500)
    return len(rows)


def store_refusal(run: Run, subject: Subject, problem: str, error: str, attribute: str = "") -> None:
    """A decision not to write: it stands in the log like a failed request."""
    Operation.objects.create(
        run=run,
        tenant_id=run.tenant_id,
        object_type=subject.object_type,
        object_id=subject.object_id,
        display_name=subject.display_name,
        detail_name=subject.detail_name,
        action="create",
        result=Result.FAILED,
        problem=problem,
        attribute=attribute,
        error=error,
        finished_at=timezone.now(),
    )


def _row(run: Run, subject: Subject, change: Change, sources: Mapping[str, str]) -> Operation:
    changes = {
        unit: value | {"mapping": sources.get(unit, "")} if isinstance(value, dict) else value
        for unit, value in change.changes.items()
    }
    return Operation(
        run=run,
        tenant_id=run.tenant_id,
        stage=change.stage,
        link=subject.link,
        people=max(1, len(change.changes.get("members", []))) if change.action.endswith("_member") else 1,
        object_type="membership" if change.action.endswith("_member") else subject.object_type,
        object_id=subject.object_id,
        display_name=subject.display_name[:256],
        detail_name=subject.detail_name[:256],
        scim_id=change.scim_id or subject.link.scim_id,
        action=change.action,
        changes=changes,
        desired=dict(change.desired),
    )


def count_results(run: Run) -> dict[str, int]:
    """Results by name; memberships count people, not requests."""
    rows = run.operations.exclude(result__in=UNFINISHED).values("result").annotate(n=Count("pk"))
    counts = Counter({row["result"]: row["n"] for row in rows})
    for operation in run.operations.filter(result__in=(Result.ADDED, Result.REMOVED)).only("result", "changes"):
        counts[operation.result] += len(operation.changes.get("members", [])) - 1
    return dict(counts)
