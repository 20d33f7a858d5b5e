"""What a run counts when it was interrupted and went on: what is true in the end, once."""

import pytest

from sync.models import Run, Tenant
from sync.runs import checkpoints
from sync.runs.lease import LeaseLost
from sync.runs.requests import request_run
from sync.worker.execution import execute_run
from tests.world.company import group_of, hire
from tests.world.lab import Lab
from tests.world.tenant import assign, publish

pytestmark = pytest.mark.django_db(transaction=True)


def interrupted(run: Run, step: str) -> None:
    """Ends the first attempt where it passes the step, as if somebody else had taken the lease."""

    def listen(name: str) -> None:
        if name == step:
            raise LeaseLost

    checkpoints.listeners.append(listen)
    try:
        assert execute_run(run.pk) is None
    finally:
        checkpoints.listeners.remove(listen)
    run.refresh_from_db()
    assert run.state == Run.State.RUNNING


@pytest.mark.parametrize(
    ("preview", "step"),
    [(True, "plan stored"), (False, "plan stored"), (False, "result committed"), (False, "watermark moved")],
)
def test_what_an_interrupted_attempt_skipped_counts_once(wired: Tenant, lab: Lab, step: str, preview: bool) -> None:
    good, bad = hire(lab, "Goo D"), hire(lab, "Nolast", surname="", givenName="")
    assign(wired, *(group_of(lab, f"Counted {n}", [good, bad]) for n in range(3)))
    publish(wired)
    kind = Run.Kind.PREVIEW if preview else Run.Kind.FULL
    run = request_run(tenant=wired, kind=kind, trigger=Run.Trigger.COMMAND, enqueue=False, confirmed=not preview)
    interrupted(run, step)
    finished = execute_run(run.pk)
    assert finished is not None
    rows = [(one.object_id, one.object_type, one.action, one.result) for one in run.operations.all()]
    assert len(rows) == len(set(rows))
    once = [row for row in rows if row[0] == bad["id"]]
    assert len(once) == 1
    counted = {name: count for name, count in finished.counts.items() if name != "no_change"}
    assert counted == ({"skipped": 1} if preview else {"created": 4, "skipped": 1})


def test_a_request_whose_answer_was_lost_counts_as_what_came_of_it(wired: Tenant, lab: Lab) -> None:
    people = [hire(lab, f"Los T{n}") for n in range(4)]
    assign(wired, *people)
    run = request_run(tenant=wired, kind=Run.Kind.FULL, trigger=Run.Trigger.COMMAND, enqueue=False, confirmed=True)
    interrupted(run, "intent committed")
    finished = execute_run(run.pk)
    assert finished is not None
    assert finished.counts["created"] == len(people)
    assert "skipped" not in finished.counts
