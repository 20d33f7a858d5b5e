"""What waits in escrow is not sent before its time, whatever else is planned for the same object."""

import pytest

from sync.approvals.services import decide_hold
from sync.models import HeldChange, Hold, Link, Result, Tenant
from tests.world.company import aws_group, aws_user, change, change_members, group_of, hire, people
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, sync

pytestmark = pytest.mark.django_db(transaction=True)


def refuse(lab: Lab, match: str, status: int, times: int = -1, **facts: object) -> None:
    lab.call(
        "POST", "faults", {"part": "aws", "kind": "status", "status": status, "match": match, "times": times, **facts}
    )


def sent(lab: Lab, method: str, path: str) -> int:
    return sum(one["method"] == method and path in one["path"] for one in lab.requests())


def test_a_refused_create_of_somebody_with_a_manager_waits(wired: Tenant, lab: Lab) -> None:
    boss = hire(lab, "Bo Ss")
    assign(wired, boss)
    sync(wired)
    refuse(lab, "POST .*/Users", 409)
    assign(wired, hire(lab, "Cat Waits", manager=boss["id"]))
    lab.forget_requests()
    for _ in range(3):
        sync(wired)
    assert sent(lab, "POST", "/Users") == 1


def test_a_refused_create_waits_whatever_becomes_of_the_manager(wired: Tenant, lab: Lab) -> None:
    boss = hire(lab, "Bo Ss", surname=None)
    refuse(lab, "POST .*/Users", 409, times=1)
    assign(wired, boss, hire(lab, "Cat Waits", manager=boss["id"]))
    sync(wired)
    lab.forget_requests()
    change(lab, boss, surname="Ss")
    for _ in range(3):
        sync(wired)
    assert aws_user(lab, boss["id"])
    assert sent(lab, "POST", "/Users") == 1


def test_a_refused_group_with_many_people_waits(wired: Tenant, lab: Lab) -> None:
    crowd = people(lab, 102)
    assign(wired, *crowd)
    sync(wired)
    refuse(lab, "POST .*/Groups", 409)
    assign(wired, group_of(lab, "Crowd", crowd))
    lab.forget_requests()
    for _ in range(3):
        sync(wired)
    assert sent(lab, "POST", "/Groups") == 1


def test_an_approved_rename_that_aws_refuses_waits(wired: Tenant, lab: Lab) -> None:
    """The limit on names holds them; approved, they are tried, refused, and not tried again in every run."""
    crowd = people(lab, 12)
    assign(wired, *crowd)
    sync(wired)
    renamed = crowd[:4]
    for n, one in enumerate(renamed):
        change(lab, one, userPrincipalName=f"renamed{n}@contoso.example")
    sync(wired, confirmed=False)
    hold = Hold.objects.get(kind=Hold.Kind.KEYS)
    keys = list(HeldChange.objects.filter(hold=hold).values_list("pk", flat=True))
    refuse(lab, "PATCH .*/Users", 400, body='{"detail": "no"}')
    decide_hold(hold=hold, actor=ACTOR, approve=keys, enqueue=False)
    lab.forget_requests()
    for _ in range(3):
        sync(wired, confirmed=False)
    assert sent(lab, "PATCH", "/Users") == len(renamed)


def test_a_wait_is_never_brought_forward_by_what_depends_on_it(wired: Tenant, lab: Lab) -> None:
    boss = hire(lab, "Bo Ss")
    cat = hire(lab, "Cat Waits", manager=boss["id"])
    refuse(lab, "POST .*/Users", 409, match_body="Cat")
    assign(wired, boss, cat)
    run = sync(wired)
    assert run.operations.filter(object_id=cat["id"], problem="waits-for-object").exists()
    link = Link.objects.get(object_id=cat["id"])
    assert link.retry_at is not None
    assert run.finished_at is not None
    assert (link.retry_at - run.finished_at).total_seconds() > 3000


def test_a_conflict_over_members_is_over_by_the_next_run_and_is_no_taken_name(wired: Tenant, lab: Lab) -> None:
    """AWS answers 409 when a request meets another one (Developer Guide, ConflictException)."""
    ann, cat = hire(lab, "Ann In"), hire(lab, "Cat Later")
    group = group_of(lab, "Con Flict", [ann])
    assign(wired, group, cat)
    sync(wired)
    change_members(lab, group, add=[cat["id"]])
    refuse(lab, "PATCH .*/Groups", 409, times=9)
    run = sync(wired)
    failed = run.operations.get(action="add_member")
    assert (failed.result, failed.problem) == (Result.WILL_RETRY, "members-conflict")
    lab.call("DELETE", "faults")
    sync(wired)
    assert aws_user(lab, cat["id"])["id"] in aws_group(lab, "Con Flict")["members"]


def test_one_conflict_over_members_is_answered_by_one_more_request(wired: Tenant, lab: Lab) -> None:
    ann, cat = hire(lab, "Ann In"), hire(lab, "Cat At Once")
    group = group_of(lab, "Con Once", [ann])
    assign(wired, group, cat)
    sync(wired)
    for changes in ({"add": [cat["id"]]}, {"remove": [cat["id"]]}):
        change_members(lab, group, **changes)
        refuse(lab, "PATCH .*/Groups", 409, times=1)
        sync(wired)
        held = aws_user(lab, cat["id"])["id"] in aws_group(lab, "Con Once")["members"]
        assert held is ("add" in changes)
