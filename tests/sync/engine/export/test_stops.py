"""What an export does when it is told to stop, when its approvals end, and what it never touches."""

import datetime
import threading
import time
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from sync.engine.export import sending
from sync.engine.guard import recheck
from sync.models import HeldChange, Hold, Link, Operation, Result, Run, Tenant
from sync.runs import lease
from sync.runs.requests import cancel_run, request_run
from sync.worker import execution
from tests.world.company import group_of, hire, names
from tests.world.lab import Lab
from tests.world.programs import until
from tests.world.tenant import assign, sync

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_stop_takes_effect_within_ten_seconds_also_while_a_request_hangs(
    wired: Tenant, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lease.LOOK_SECONDS + sending.SAFE_POINT_SECONDS + sending.LANDING_SECONDS < 10
    monkeypatch.setattr(sending, "LANDING_SECONDS", 1.0)
    people = [hire(lab, f"Held {n} Up") for n in range(60)]
    group = group_of(lab, "Held-Up", people)
    assign(wired, group)
    held = {"part": "aws", "kind": "hold_after", "match": "POST .*/Users", "skip": 3, "times": -1}
    lab.call("POST", "faults", held)
    run = request_run(tenant=wired, kind=Run.Kind.FULL, trigger=Run.Trigger.COMMAND, enqueue=False, confirmed=True)
    pressed: list[float] = []
    admin = threading.Thread(target=press_stop, args=(lab, run, pressed))
    admin.start()
    finished = execution.execute_run(run.pk)
    took = time.monotonic() - pressed[0]
    admin.join()
    assert finished is not None
    assert (finished.state, took < 10) == (Run.State.CANCELLED, True)
    # What had begun stays an open intent; nothing else was sent, and nothing waits.
    sent = len(lab.requests())
    assert 0 < run.operations.filter(result=Result.SENT).count() <= 10
    assert not run.operations.filter(result=Result.PLANNED).exists()
    lab.call("DELETE", "faults")
    assert sync(wired).state == Run.State.COMPLETED
    assert len(names(lab)) == len(people)
    assert sent < len(people)
    made = [one for one in lab.requests() if one["method"] == "POST" and one["applied"]]
    assert len(made) == len(people) + 1


def press_stop(lab: Lab, run: Run, pressed: list[float]) -> None:
    """As soon as requests hang."""
    until(lambda: any(fault["fired"] for fault in lab.call("GET", "faults")))
    cancel_run(run=run, actor="jo")
    pressed.append(time.monotonic())
    connection.close()


@pytest.fixture
def disabling(wired: Tenant, lab: Lab) -> Operation:
    """A person whose disabling is planned and was approved."""
    person = hire(lab, "App Roved")
    assign(wired, person)
    first = sync(wired)
    link = Link.objects.get(object_id=person["id"])
    return Operation(
        run=first,
        tenant=wired,
        link=link,
        object_type="user",
        object_id=link.object_id,
        action="disable",
        approved=True,
        desired={"active": False},
    )


@pytest.mark.parametrize(("decision", "held"), [("approved", False), ("kept", True), ("waiting", True)])
def test_an_approval_is_looked_at_again_before_its_request(
    wired: Tenant, disabling: Operation, decision: str, held: bool
) -> None:
    hold = Hold.objects.create(tenant=wired, kind=Hold.Kind.PEOPLE, run=disabling.run)
    HeldChange.objects.create(
        hold=hold,
        tenant=wired,
        action="disable",
        object_type="user",
        object_id=disabling.object_id,
        decision=decision,
        expires_at=timezone.now() + datetime.timedelta(days=1),
    )
    recheck.recheck(wired.pk, [disabling])
    assert (disabling.result == Result.HELD) is held


def test_members_who_are_no_longer_approved_are_taken_out(wired: Tenant, disabling: Operation) -> None:
    disabling.object_type, disabling.action = "membership", "remove_member"
    disabling.object_id, disabling.changes = "g", {"members": ["a", "b", "c"]}
    hold = Hold.objects.create(tenant=wired, kind=Hold.Kind.MEMBERS, run=disabling.run)
    tomorrow, yesterday = (timezone.now() + datetime.timedelta(days=days) for days in (1, -1))
    for member, decision, ends in (("a", "approved", tomorrow), ("b", "kept", tomorrow), ("c", "approved", yesterday)):
        HeldChange.objects.create(
            hold=hold,
            tenant=wired,
            action="remove_member",
            object_type="membership",
            object_id="g",
            member_id=member,
            decision=decision,
            expires_at=ends,
        )
    recheck.recheck(wired.pk, [disabling])
    assert (disabling.result, disabling.changes["members"], disabling.people) == (Result.PLANNED, ["a"], 1)


def test_links_follow_what_was_written(wired: Tenant, lab: Lab) -> None:
    person = hire(lab, "Fol Lows")
    assign(wired, person)
    sync(wired)
    link: Any = Link.objects.get(object_id=person["id"])
    assert (link.held_name, link.held_external) == (person["userPrincipalName"].casefold(), person["id"])
    assert (link.origin, link.linked_at is None, link.disabled_at) == ("created", False, None)
    for enabled in (False, True):
        lab.call("PATCH", f"entra/users/{person['id']}", {"accountEnabled": enabled})
        sync(wired)
        link.refresh_from_db()
        assert (link.disabled_at is None) is enabled


def test_a_run_whose_writes_keep_failing_stops(wired: Tenant, lab: Lab) -> None:
    people = [hire(lab, f"Fa {n} Iling") for n in range(80)]
    group = group_of(lab, "Failing", people)
    assign(wired, group)
    lab.call("POST", "faults", {"part": "aws", "kind": "status", "status": 400, "match": "POST", "times": -1})
    run = request_run(tenant=wired, kind=Run.Kind.FULL, trigger=Run.Trigger.COMMAND, enqueue=False, confirmed=True)
    finished = execution.execute_run(run.pk)
    assert finished is not None
    assert (finished.state, finished.problem) == (Run.State.FAILED, "too-many-failures")
    assert len(lab.requests()) < len(people)
