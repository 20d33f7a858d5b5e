"""What a planned run would do, counted for a page."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Sum

from sync.models import Action, Result, Run
from sync.problems.grouping import ProblemGroup, failures, problem_groups


def shows_a_plan(found: Run) -> bool:
    """Its rows were planned, and written by nobody: a preview, or a plan that waits for approval."""
    ended = found.kind == Run.Kind.PREVIEW and found.state in Run.DONE
    return ended or found.plan_waits


def plan_lines(found: Run) -> list[dict[str, object]]:
    """Planned rows by action and kind of object: `objects` are people, groups or members."""
    rows = found.operations.counting().filter(result=Result.PLANNED).values("action", "object_type")
    order = list(Action.values)
    counted = rows.annotate(n=Count("pk"), members=Sum("people"))
    return [
        {
            "action": row["action"],
            "word": Action(row["action"]).label,
            "object_type": row["object_type"],
            "count": row["members"] if row["object_type"] == "membership" else row["n"],
        }
        for row in sorted(counted.order_by(), key=lambda row: (order.index(row["action"]), row["object_type"]))
    ]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Of a plan: how many people come to AWS, how many do not although they should, and why."""

    arriving: int
    refused: int
    reasons: Sequence[ProblemGroup]


def arrivals_of(found: Run) -> Arrivals:
    people = found.operations.filter(object_type="user", result=Result.PLANNED, action__in=(Action.CREATE, Action.LINK))
    coming = people.values("object_id")
    # Of somebody who comes, a manager may be left out.
    left = failures(found).filter(object_type="user").exclude(object_id__in=coming).values("object_id").distinct()
    reasons = [group for group in problem_groups(found) if not group.problem.warning]
    return Arrivals(coming.distinct().count(), left.count(), reasons)
