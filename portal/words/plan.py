"""What a planned run would do, counted for a page."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sync.approvals.queries import Planned
from sync.models import Action, Result, Run
from sync.problems.grouping import ProblemGroup, failures, problem_groups

CREATED, UPDATED = (Action.CREATE.value, "user"), (Action.UPDATE.value, "user")


def shows_a_plan(found: Run) -> bool:
    """Its rows were planned, and written by nobody: a preview, or a plan that waits for approval."""
    ended = found.kind == Run.Kind.PREVIEW and found.state in Run.DONE
    return ended or found.plan_waits


def plan_lines(found: Run, planned: Sequence[Planned]) -> list[dict[str, object]]:
    """By action and kind of object: people, groups or members. `planned`: rows of the run."""
    counts: Counter[tuple[str, str]] = Counter()
    for one in planned:
        if one.result == Result.PLANNED:
            counts[one.action, one.object_type] += one.people if one.object_type == "membership" else one.rows
    if counts[UPDATED] and any((one.action, one.object_type) == CREATED for one in planned):
        # Whoever is created is not updated too because the manager follows.
        rows = found.operations.filter(result=Result.PLANNED, action=Action.UPDATE, object_type="user")
        counts[UPDATED] = rows.counting().count()
    order = list(Action.values)
    return [
        {"action": action, "word": Action(action).label, "object_type": object_type, "count": count}
        for (action, object_type), count in sorted(
            (+counts).items(), key=lambda one: (order.index(one[0][0]), one[0][1])
        )
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
