"""Groups that only bring their people: the group itself is not in AWS, or is emptied there and kept."""

from typing import Any

import pytest

from sync.configuration import assignments
from sync.configuration.drafts import draft_or_current
from sync.models import DirectoryGroup, Link, Run, Tenant
from sync.readiness.services import check_now
from sync.runs.requests import request_run
from sync.worker import execution
from tests.world.company import active, aws_group, group_of, hire
from tests.world.lab import Lab
from tests.world.on_demand import demand, facts
from tests.world.tenant import ACTOR, assign, sync

pytestmark = pytest.mark.django_db(transaction=True)


def team(lab: Lab, name: str, size: int, inside: dict[str, Any] | None = None) -> dict[str, Any]:
    people = [hire(lab, f"{name} {word}") for word in "ABCDEFGHIJKLMNOP"[:size]]
    group = group_of(lab, name, [*people, inside] if inside else people)
    return group | {"people": [person["id"] for person in people]}


def send(tenant: Tenant, group: dict[str, Any], *, yes: bool) -> None:
    row = draft_or_current(tenant).assignments.get(object_id=group["id"])
    assignments.set_send_group(actor=ACTOR, tenant=tenant, assignment=row, send_group=yes)


def group_names(lab: Lab) -> set[str]:
    return {group["displayName"] for group in lab.aws()["groups"]}


def test_its_people_come_and_the_group_does_not(wired: Tenant, lab: Lab) -> None:
    quiet, loud = team(lab, "Quiet", 2), team(lab, "Loud", 1)
    assign(wired, quiet, loud)
    send(wired, quiet, yes=False)
    sync(wired)
    assert active(lab) == {*quiet["people"], *loud["people"]}
    assert group_names(lab) == {"Loud"}
    assert sync(wired).planned == 0
    lab.call("POST", f"entra/groups/{quiet['id']}/members", {"remove": quiet["people"][:1]})
    sync(wired)
    assert active(lab) == {quiet["people"][1], *loud["people"]}


def test_nested_members_of_it_come_too(wired: Tenant, lab: Lab) -> None:
    inner = team(lab, "Quiet inner", 1)
    outer = team(lab, "Quiet outer", 1, inside=inner)
    assign(wired, outer)
    send(wired, outer, yes=False)
    row = draft_or_current(wired).assignments.get()
    assignments.set_nested(actor=ACTOR, tenant=wired, assignment=row, nested=True)
    sync(wired)
    assert active(lab) == {*inner["people"], *outer["people"]}
    assert group_names(lab) == set()


def test_one_that_was_sent_is_emptied_and_kept_and_filled_again(wired: Tenant, lab: Lab) -> None:
    quiet = team(lab, "Turned quiet", 2)
    assign(wired, quiet)
    sync(wired)
    before = aws_group(lab, "Turned quiet")
    assert len(before["members"]) == 2
    send(wired, quiet, yes=False)
    sync(wired)
    after = aws_group(lab, "Turned quiet")
    assert (after["id"], after["members"]) == (before["id"], [])
    assert active(lab) == set(quiet["people"])
    assert sync(wired).planned == 0
    send(wired, quiet, yes=True)
    sync(wired)
    again = aws_group(lab, "Turned quiet")
    assert (again["id"], sorted(again["members"])) == (before["id"], sorted(before["members"]))


def test_emptying_a_large_one_waits_for_a_person(wired: Tenant, lab: Lab) -> None:
    quiet = team(lab, "Large and quiet", 16)
    assign(wired, quiet)
    sync(wired)
    send(wired, quiet, yes=False)
    sync(wired)
    assert wired.holds.get(closed_at=None).kind == "members"
    assert len(aws_group(lab, "Large and quiet")["members"]) == 16
    assert active(lab) == set(quiet["people"])


def test_on_demand_says_that_only_its_people_are_meant(wired: Tenant, lab: Lab) -> None:
    quiet = team(lab, "Asked for", 1)
    assign(wired, quiet)
    send(wired, quiet, yes=False)
    sync(wired)
    row = demand(wired, quiet).objects_asked.get()
    assert facts(row, "scope")["reason"] == "people-only"
    assert group_names(lab) == set()


def test_on_demand_takes_a_person_out_of_one_that_is_no_longer_sent(wired: Tenant, lab: Lab) -> None:
    quiet = team(lab, "Slipping", 1)
    assign(wired, quiet)
    sync(wired)
    send(wired, quiet, yes=False)
    person = lab.entra_user(quiet["people"][0])
    demand(wired, person)
    sync(wired)
    assert aws_group(lab, "Slipping")["members"] == []
    assert active(lab) == set(quiet["people"])


def test_readiness_does_not_judge_it(wired: Tenant, lab: Lab) -> None:
    quiet, loud = team(lab, "Nameless", 1), team(lab, "Named", 1)
    assign(wired, quiet, loud)
    send(wired, quiet, yes=False)
    sync(wired)
    DirectoryGroup.objects.filter(object_id=quiet["id"]).update(display_name="", properties={"id": quiet["id"]})
    check = check_now(wired)
    assert (check.groups, check.groups_ready) == (1, 1)


def test_comparing_finds_no_difference_in_an_emptied_one(wired: Tenant, lab: Lab) -> None:
    quiet = team(lab, "Compared", 1)
    assign(wired, quiet)
    sync(wired)
    send(wired, quiet, yes=False)
    sync(wired)
    run = request_run(tenant=wired, kind=Run.Kind.VERIFY, trigger=Run.Trigger.COMMAND, enqueue=False)
    finished = execution.execute_run(run.pk)
    assert finished is not None
    assert finished.state == Run.State.COMPLETED
    assert not finished.drifts.exists()
    assert Link.objects.get(object_type="group").scim_id
