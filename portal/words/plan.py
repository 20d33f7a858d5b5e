"""What a planned run would do, counted for a page."""

from django.db.models import Count, Sum

from sync.models import Action, Result, Run


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
