"""Runs that commands ask for: carried out here and now, without the broker, and reported as facts or in words."""

from collections.abc import Callable
from typing import TypeVar

from django.core.management.base import CommandError

from sync.management.base import Exit, Report
from sync.models import Result, Run
from sync.problems.catalogue import PROBLEMS
from sync.problems.grouping import problem_groups
from sync.runs.requests import RunInTheWay
from sync.worker import execution

T = TypeVar("T")

# How a run ended; one that is still open is another's.
EXIT_OF = {
    Run.State.COMPLETED: Exit.DONE,
    Run.State.COMPLETED_WITH_ERRORS: Exit.FOUND,
    Run.State.COMPLETED_WITH_DIFFERENCES: Exit.FOUND,
    Run.State.WAITING: Exit.FOUND,
    Run.State.FAILED: Exit.FAILED,
    Run.State.CANCELLED: Exit.FAILED,
    **dict.fromkeys(Run.OPEN, Exit.BUSY),
}


def unless_busy(request: Callable[[], T]) -> T:
    """What was asked for, and never another run that is open."""
    try:
        return request()
    except RunInTheWay as busy:
        raise CommandError(
            f"{_state_in_words(busy.run)} Nothing was begun. Try again when it is over.", returncode=Exit.BUSY
        ) from busy


def finish_run(run: Run) -> Run:
    finished = execution.execute_run(run.pk)
    if finished is not None:
        return finished
    run.refresh_from_db()
    if run.open:
        raise CommandError(
            f"{_state_in_words(run)} A worker is at it. Try again when it is over.", returncode=Exit.BUSY
        )
    return run


def _state_in_words(run: Run) -> str:
    return f"Run {run.number} ({run.get_kind_display()}) is {run.get_state_display()}."


def run_facts(run: Run) -> Report:
    """Shapes: counts by result, SCIM requests by HTTP method, seconds as a float."""
    return {
        "run": run.number,
        "kind": run.kind,
        "state": run.state,
        "planned": run.planned,
        "counts": run.counts,
        "scim_requests": run.scim_requests,
        "seconds": run_seconds(run),
        "problem": run.problem or None,
        "suspect": run.suspect or None,
        "plan_hash": run.plan_hash or None,
        "problems": [
            {
                "code": group.code,
                "attribute": group.attribute or None,
                "title": str(group.problem.title),
                "remedy": str(group.problem.remedy),
                "objects": group.objects,
                "error": group.error,
                "answered": group.answered,
                "mappings": [row.target for row in group.mappings],
            }
            for group in problem_groups(run)
        ],
    }


def run_seconds(run: Run) -> float | None:
    return round(run.duration.total_seconds(), 3) if run.duration else None


def run_exit_code(facts: Report) -> Exit:
    """`facts`: with the run's state and, where changes may be held, its counts."""
    code = EXIT_OF[Run.State(facts["state"])]
    return Exit.FOUND if code is Exit.DONE and facts.get("counts", {}).get(Result.HELD) else code


def run_in_words(facts: Report) -> str:
    counts = ", ".join(f"{number} {name}" for name, number in facts["counts"].items() if number) or "nothing to do"
    lines = [f"Run {facts['run']} {facts['state'].replace('_', ' ')}: {counts}."]
    if facts["problem"]:
        lines.append(problem_in_words(facts["problem"]))
    lines += [group_in_words(group) for group in facts["problems"]]
    return "\n".join(lines)


def group_in_words(group: Report) -> str:
    problem = PROBLEMS.get(group["code"], PROBLEMS["rejected"])
    quoted = f" {problem.quote(group['answered'])} {group['error']}" if group["error"] else ""
    return f"{group['objects']} x {group['title']}: {group['remedy']}{quoted}"


def problem_in_words(code: str) -> str:
    problem = PROBLEMS[code]
    return f"{problem.title}. {problem.meaning} {problem.remedy}"
