"""Stages of an export in which much cannot be sent: what follows is written all the same, in the same run."""

from typing import Any

import pytest

from sync.engine.export import stages
from sync.models import Result, Run, Tenant
from sync.runs.requests import request_run
from sync.worker import execution
from tests.world.company import aws_group, aws_user, group_of, hire
from tests.world.lab import Lab
from tests.world.tenant import assign, sync

pytestmark = pytest.mark.django_db(transaction=True)
# More than a run reads ahead for its connections.
MANY = 70


def without_last_name(lab: Lab, person: dict[str, Any]) -> None:
    lab.call("PATCH", f"entra/users/{person['id']}", {"surname": None})


def test_memberships_of_somebody_refused_do_not_keep_others_out(wired: Tenant, lab: Lab) -> None:
    colleague = hire(lab, "Al Ready")
    groups = [group_of(lab, f"Stage {n:03}", [colleague]) for n in range(MANY + 1)]
    assign(wired, *groups)
    sync(wired)
    refused = hire(lab, "No Body", *groups[:MANY])
    without_last_name(lab, refused)
    good = hire(lab, "Good Body", groups[MANY])
    run = sync(wired)
    assert aws_user(lab, good["id"])["id"] in aws_group(lab, f"Stage {MANY:03}")["members"]
    assert run.counts[Result.ADDED] == 1
    assert not run.operations.filter(result=Result.PLANNED).exists()


def test_managers_who_are_refused_do_not_keep_others_without_one(wired: Tenant, lab: Lab) -> None:
    refused, good = hire(lab, "No Boss"), hire(lab, "Good Boss")
    without_last_name(lab, refused)
    people = [hire(lab, f"Re Port{n:03}") for n in range(MANY + 10)]
    for n, person in enumerate(people):
        manager = refused if n < MANY else good
        lab.call("PATCH", f"entra/users/{person['id']}", {"manager": manager["id"]})
    ids = [one["id"] for one in (*people, refused, good)]
    assign(wired, lab.call("POST", "entra/groups", {"displayName": "Reports", "members": ids}))
    sync(wired)
    boss = aws_user(lab, good["id"])["id"]
    managed = [user for user in lab.aws()["users"] if manager_of(user) == boss]
    assert len(managed) == 10


def manager_of(user: dict[str, Any]) -> str | None:
    enterprise = user.get("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", {})
    manager: str | None = enterprise.get("manager", {}).get("value")
    return manager


def test_creates_over_the_quota_do_not_keep_changes_of_others_back(wired: Tenant, lab: Lab) -> None:
    newcomers = group_of(lab, "Newcomers", [hire(lab, f"New Comer{n:03}") for n in range(3 * MANY)])
    # Hired last: planned behind all of them.
    known = hire(lab, "Al Ready")
    assign(wired, known)
    sync(wired)
    lab.call("POST", "aws/switches", {"user_quota": "1"})
    assign(wired, newcomers)
    lab.call("PATCH", f"entra/users/{known['id']}", {"jobTitle": "Chief"})
    run = sync(wired)
    assert aws_user(lab, known["id"])["title"] == "Chief"
    assert not run.operations.filter(result=Result.PLANNED).exists()


def test_a_run_with_rows_that_nobody_decided_on_fails_and_is_done_again(
    wired: Tenant, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    assign(wired, hire(lab, "Left Over"))
    with monkeypatch.context() as broken:
        broken.setattr(stages, "export_stage", lambda *_: None)
        run = request_run(
            tenant=wired, kind=Run.Kind.CHANGES, trigger=Run.Trigger.COMMAND, enqueue=False, confirmed=True
        )
        finished = execution.execute_run(run.pk)
    assert finished is not None
    assert (finished.state, finished.problem) == (Run.State.FAILED, "engine-error")
    wired.refresh_from_db()
    assert wired.evaluated_snapshot == 0
    assert sync(wired).counts[Result.CREATED] == 1
