"""Table B, readings that look right and are not: empty, truncated, shrunken; one group's members that cannot be read."""

import datetime
import json
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from sync.approvals import services as approvals
from sync.configuration import drafts
from sync.configuration.settings import set_scope
from sync.models import DirectoryGroup, Run, Tenant
from sync.runs.requests import request_run
from sync.worker import execution
from tests.world.company import (
    TEAMS,
    active,
    aws_user,
    change_members,
    fault,
    group_of,
    hire,
    lost,
    picture,
    switch,
    writes,
)
from tests.world.examples import nightly
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, attempt, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(36, groups=6, memberships=72)]


def empty(lab: Lab, kind: str) -> None:
    body = {"value": [], "@odata.deltaLink": f"{lab.facts['graph']}/v1.0/{kind}/delta?$deltatoken=x"}
    fault(lab, "status", f"{kind}/delta", status=200, body=json.dumps(body))


def suspect_and_harmless(tenant: Tenant, lab: Lab, code: str = "source-shrunk") -> Run:
    """The run goes on and removes nobody; the next one reads everybody again and believes what is whole."""
    before = picture(lab)
    run = sync(tenant, Run.Kind.FULL)
    assert (run.suspect, tenant.snapshots.order_by("-pk")[0].suspect) == (code, code)
    assert lost(before, picture(lab)) == []
    return run


# B1


@pytest.mark.fault("B1")
def test_an_empty_directory_fails_the_run_and_no_setting_lets_it_pass(settled: Tenant, lab: Lab) -> None:
    before = picture(lab)
    Tenant.objects.filter(pk=settled.pk).update(limits={"shrink_percent": 100}, shrink_accepted_at=timezone.now())
    empty(lab, "users")
    for _ in range(2):
        run = attempt(settled, Run.Kind.FULL)
        assert (run.state, run.problem) == (Run.State.FAILED, "source-empty")
    assert (writes(lab), picture(lab)) == ([], before)
    lab.call("DELETE", "faults")
    assert sync(settled, Run.Kind.FULL).state == Run.State.COMPLETED
    assert picture(lab) == before


@pytest.mark.fault("B1")
@pytest.mark.parametrize("accepted", [False, True])
def test_a_directory_without_groups_makes_the_run_suspect(settled: Tenant, lab: Lab, accepted: bool) -> None:
    if accepted:
        Tenant.objects.filter(pk=settled.pk).update(shrink_accepted_at=timezone.now())
    empty(lab, "groups")
    suspect_and_harmless(settled, lab)


def accept(tenant: Tenant) -> None:
    approvals.accept_shrunk_reading(tenant=tenant, actor=ACTOR)


@pytest.mark.fault("B1")
@pytest.mark.company(37, groups=6, memberships=72)
def test_the_last_group_is_gone_once_somebody_accepted_that_reading(settled: Tenant, lab: Lab) -> None:
    """By itself no empty reading removes anybody; neither does a second one."""
    for name in TEAMS:
        lab.call("DELETE", f"entra/groups/{lab.entra_group(name)['id']}")
    suspect_and_harmless(settled, lab)
    suspect_and_harmless(settled, lab)
    accept(settled)
    assert sync(settled, Run.Kind.FULL).suspect == ""
    settled.refresh_from_db()
    assert (settled.shrink_accepted_at, settled.shrink_accepted_empty) == (None, [])
    assert not DirectoryGroup.objects.filter(tenant=settled, deleted="").exists()


@pytest.mark.fault("B1")
def test_an_accepted_emptiness_that_the_directory_contradicts_removes_nobody(settled: Tenant, lab: Lab) -> None:
    empty(lab, "groups")
    suspect_and_harmless(settled, lab)
    accept(settled)
    suspect_and_harmless(settled, lab)


@pytest.mark.fault("B1")
def test_what_was_accepted_is_that_reading_and_no_other(settled: Tenant, lab: Lab) -> None:
    switch(lab, drop_members_of={lab.entra_group(name)["id"]: 0 for name in TEAMS})
    suspect_and_harmless(settled, lab)
    accept(settled)
    assert settled.shrink_accepted_empty == ["memberships"]
    empty(lab, "groups")
    suspect_and_harmless(settled, lab)


@pytest.mark.fault("B1")
def test_groups_without_any_members_make_the_run_suspect(settled: Tenant, lab: Lab) -> None:
    switch(lab, drop_members_of={lab.entra_group(name)["id"]: 0 for name in TEAMS})
    suspect_and_harmless(settled, lab)


@pytest.mark.fault("B1")
@pytest.mark.parametrize("kind", ["users", "groups"])
def test_an_empty_answer_to_an_incremental_round_says_that_nothing_changed(
    settled: Tenant, lab: Lab, kind: str
) -> None:
    before = picture(lab)
    empty(lab, kind)
    assert sync(settled).state == Run.State.COMPLETED
    assert (writes(lab), picture(lab)) == ([], before)


@pytest.mark.fault("B2")
@pytest.mark.parametrize("kind", [Run.Kind.FULL, Run.Kind.CHANGES])
def test_empty_pages_with_a_next_link_are_passed_over(settled: Tenant, lab: Lab, kind: str) -> None:
    switch(lab, empty_pages=3)
    person = hire(lab, "Aft Erempty", lab.entra_group("Team 0002"))
    before = picture(lab)
    assert sync(settled, kind).state == Run.State.COMPLETED
    assert picture(lab).active == before.active | {person["id"]}
    assert lost(before, picture(lab)) == []


# B4


@pytest.mark.fault("B4")
@pytest.mark.parametrize("status", [503, 403])
def test_a_group_whose_members_cannot_be_read_is_held_alone(settled: Tenant, lab: Lab, status: int) -> None:
    held, other = lab.entra_group("Team 0001"), lab.entra_group("Team 0002")
    gone = [member["id"] for member in held["members"]][:6]
    change_members(lab, held, remove=gone)
    change_members(lab, other, remove=[other["members"][0]["id"]])
    person = hire(lab, f"New Held{status}", held)
    before = picture(lab)
    fault(lab, "status", f"groups/{held['id']}/members", status=status)
    run = sync(settled)
    after = picture(lab)
    assert not run.suspect
    assert DirectoryGroup.objects.get(object_id=held["id"]).members_unsure
    assert after.members["Team 0001"] == before.members["Team 0001"] | {person["id"]}
    assert after.members["Team 0002"] == before.members["Team 0002"] - {other["members"][0]["id"]}
    lab.call("DELETE", "faults")
    sync(settled)
    assert not DirectoryGroup.objects.get(object_id=held["id"]).members_unsure
    assert picture(lab).members["Team 0001"] == after.members["Team 0001"] - set(gone)
    change_members(lab, held, add=gone)
    change_members(lab, other, add=[other["members"][0]["id"]])


@pytest.mark.fault("B4")
def test_a_group_stays_held_until_its_members_are_read(settled: Tenant, lab: Lab) -> None:
    held = lab.entra_group("Team 0003")
    gone = [member["id"] for member in held["members"]][:6]
    change_members(lab, held, remove=gone)
    before = picture(lab)
    fault(lab, "status", f"groups/{held['id']}/members", status=503)
    for kind in (Run.Kind.CHANGES, Run.Kind.FULL, Run.Kind.CHANGES):
        sync(settled, kind)
        assert picture(lab) == before
    lab.call("DELETE", "faults")
    sync(settled)
    assert picture(lab).members["Team 0003"] == before.members["Team 0003"] - set(gone)
    change_members(lab, held, add=gone)


@pytest.mark.fault("B4")
def test_members_told_by_their_id_alone_prove_nothing(settled: Tenant, lab: Lab) -> None:
    held = lab.entra_group("Team 0004")
    gone = [member["id"] for member in held["members"]][:6]
    change_members(lab, held, remove=gone)
    before = picture(lab)
    switch(lab, limited_info=True)
    sync(settled)
    assert DirectoryGroup.objects.get(object_id=held["id"]).members_unsure
    assert picture(lab) == before
    change_members(lab, held, add=gone)


@pytest.mark.fault("B4")
def test_removals_that_a_second_look_does_not_bear_out_are_taken_back(settled: Tenant, lab: Lab) -> None:
    group = lab.entra_group("Team 0005")
    entries = [
        {"@odata.type": "#microsoft.graph.user", "id": member["id"], "@removed": {"reason": "deleted"}}
        for member in group["members"][:8]
    ]
    link = f"{lab.facts['graph']}/v1.0/groups/delta?$deltatoken=x"
    body = {"value": [{"id": group["id"], "members@delta": entries}], "@odata.deltaLink": link}
    fault(lab, "status", "groups/delta", status=200, body=json.dumps(body), times=1)
    before = picture(lab)
    sync(settled)
    assert (writes(lab), picture(lab)) == ([], before)
    assert not DirectoryGroup.objects.filter(members_unsure=True).exists()


# B5

TRUNCATED: dict[str, dict[str, Any]] = {
    "people after the first page": {"drop_users_after": 1},
    "people before the last page": {"drop_users_after": 3},
    "groups after the first page": {"drop_groups_after": 1},
    "groups before the last page": {"drop_groups_after": 4},
    "half of the people": {"shrink_users": 0.5},
    "some of the people": {"shrink_users": 0.1},
    "half of the groups": {"shrink_groups": 0.5},
    "half of the members": {"shrink_members": 0.5},
    "half of the people, also counted": {"shrink_users": 0.5, "shrink_count": True},
}
OFTEN = (
    "people before the last page",
    "groups after the first page",
    "half of the members",
    "half of the people, also counted",
)


@pytest.mark.fault("B5")
@pytest.mark.parametrize("how", [*OFTEN, *nightly(*(name for name in TRUNCATED if name not in OFTEN))])
def test_a_full_round_that_misses_some_removes_nobody(settled: Tenant, lab: Lab, how: str) -> None:
    before = picture(lab)
    good = settled.snapshots.order_by("-pk")[0]
    switch(lab, **TRUNCATED[how])
    run = suspect_and_harmless(settled, lab)
    settled.refresh_from_db()
    assert (settled.users_link, settled.groups_link) == ("", "")
    assert settled.snapshots.order_by("-pk")[0].suspect_detail["missing"]
    switch(lab, **{name: type(value)(0) for name, value in TRUNCATED[how].items()})
    again = sync(settled)
    newest = settled.snapshots.order_by("-pk")[0]
    assert (again.kind, newest.full, newest.suspect) == (Run.Kind.CHANGES, True, "")
    assert (newest.users, newest.groups, newest.memberships) == (good.users, good.groups, good.memberships)
    assert picture(lab) == before
    assert run.problem == ""


@pytest.mark.fault("B5")
def test_portions_of_a_group_that_never_come_are_asked_for(settled: Tenant, lab: Lab) -> None:
    before = picture(lab)
    switch(lab, page_size=200, portion=69, drop_groups_after=1)
    assert sync(settled, Run.Kind.FULL).state == Run.State.COMPLETED
    assert picture(lab) == before


@pytest.mark.fault("B5")
def test_a_first_reading_is_held_against_graphs_own_count(wired: Tenant, lab: Lab) -> None:
    switch(lab, drop_users_after=1)
    set_scope(actor=ACTOR, tenant=wired, everybody=True, mirrored_app="")
    run = sync(wired)
    assert run.suspect == "source-shrunk"
    assert wired.snapshots.get().suspect_detail["counted"]["users"] >= 36


@pytest.mark.fault("B5")
def test_a_count_that_fails_stops_nobody(settled: Tenant, lab: Lab) -> None:
    fault(lab, "status", "GET /v1.0/users$", status=403)
    assert sync(settled, Run.Kind.FULL).suspect == ""


@pytest.mark.fault("B5")
def test_a_shrinkage_that_somebody_accepted_passes_once(settled: Tenant, lab: Lab) -> None:
    switch(lab, shrink_groups=0.5)
    suspect_and_harmless(settled, lab)
    Tenant.objects.filter(pk=settled.pk).update(shrink_accepted_at=timezone.now())
    assert sync(settled, Run.Kind.FULL).suspect == ""
    settled.refresh_from_db()
    assert settled.shrink_accepted_at is None
    assert settled.snapshots.order_by("-pk")[0].groups < 6


@pytest.mark.fault("B5")
def test_an_acceptance_ends_after_four_hours(settled: Tenant, lab: Lab) -> None:
    long_ago = timezone.now() - datetime.timedelta(hours=5)
    Tenant.objects.filter(pk=settled.pk).update(shrink_accepted_at=long_ago)
    switch(lab, shrink_groups=0.5)
    suspect_and_harmless(settled, lab)


@pytest.mark.fault("B5")
def test_people_who_left_are_no_truncation(settled: Tenant, lab: Lab) -> None:
    person = hire(lab, "Lea Ver", lab.entra_group("Team 0006"))
    sync(settled)
    lab.call("POST", f"entra/users/{person['id']}/leave")
    run = sync(settled, Run.Kind.FULL)
    assert run.suspect == ""
    assert aws_user(lab, person["id"])["active"] is False


def test_what_changed_in_a_suspect_reading_is_done_after_the_next_good_one(settled: Tenant, lab: Lab) -> None:
    person = hire(lab, "Dis Abled", lab.entra_group("Team 0006"))
    sync(settled)
    lab.call("PATCH", f"entra/users/{person['id']}", {"accountEnabled": False})
    switch(lab, drop_groups_after=1)
    suspect_and_harmless(settled, lab)
    assert aws_user(lab, person["id"])["active"] is True
    switch(lab, drop_groups_after=0)
    sync(settled)
    assert aws_user(lab, person["id"])["active"] is False


def test_a_suspect_reading_gives_nothing_that_it_did_not_bring(settled: Tenant, lab: Lab) -> None:
    """The group that lets somebody in may be long gone: neither old nor new ones come in through it, nor into it."""
    back, moved = hire(lab, "Ba Ck", lab.entra_group("Team 0006")), hire(lab, "Mo Ved", lab.entra_group("Team 0006"))
    lab.call("PATCH", f"entra/users/{back['id']}", {"accountEnabled": False})
    sync(settled)
    lab.call("PATCH", f"entra/users/{back['id']}", {"accountEnabled": True})
    newcomer = hire(lab, "New Comer", lab.entra_group("Team 0001"))
    change_members(lab, lab.entra_group("Team 0001"), add=[moved["id"]])
    # Of the first group everybody comes, however many it has by now.
    switch(lab, drop_groups_after=1, page_size=1, portion=200)
    suspect_and_harmless(settled, lab)
    assert back["id"] not in active(lab)
    assert {newcomer["id"], moved["id"]} <= active(lab)
    assert {newcomer["id"], moved["id"]} <= picture(lab).members["Team 0001"]
    switch(lab, drop_groups_after=0)
    sync(settled)
    assert back["id"] in active(lab)


# The enterprise application


@pytest.fixture
def mirrored(wired: Tenant, lab: Lab) -> Tenant:
    app = lab.facts["service_principal_id"]
    set_scope(actor=ACTOR, tenant=wired, everybody=False, mirrored_app=app)
    sync(wired)
    assert len(picture(lab).active) >= 36
    lab.forget_requests()
    return wired


@pytest.mark.fault("B1")
def test_an_application_without_assignments_takes_nobody_out(mirrored: Tenant, lab: Lab) -> None:
    before = picture(lab)
    fault(lab, "status", "appRoleAssignedTo", status=200, body='{"value": []}')
    for kind in (Run.Kind.CHANGES, Run.Kind.FULL):
        assert sync(mirrored, kind).suspect == "app-assignments-shrunk"
        assert (writes(lab), picture(lab)) == ([], before)


@pytest.mark.fault("B3")
@pytest.mark.fault("B25")
@pytest.mark.parametrize("facts", [{"status": 503}, {"status": 403}, {"status": 200, "body": '{"value": null}'}])
def test_an_application_that_cannot_be_read_takes_nobody_out(mirrored: Tenant, lab: Lab, facts: dict[str, Any]) -> None:
    before = picture(lab)
    fault(lab, "status", "appRoleAssignedTo", **facts)
    assert sync(mirrored).suspect == "app-assignments-unread"
    assert (writes(lab), picture(lab)) == ([], before)


@pytest.mark.fault("B5")
def test_an_application_that_lists_far_fewer_takes_nobody_out(mirrored: Tenant, lab: Lab) -> None:
    before = picture(lab)
    two = lab.call("GET", "entra/assignments")[:2]
    value = [{"principalId": row["principal_id"], "principalType": row["kind"]} for row in two]
    fault(lab, "status", "appRoleAssignedTo", status=200, body=json.dumps({"value": value}))
    assert sync(mirrored).suspect == "app-assignments-shrunk"
    assert (writes(lab), picture(lab)) == ([], before)


def test_assignments_of_the_application_come_and_go_with_it(mirrored: Tenant, lab: Lab) -> None:
    team = group_of(lab, "Mirrored", [hire(lab, "Mir Rored")])
    [added] = lab.call("POST", "entra/assignments", {"add": [{"principalId": team["id"]}]})
    run = sync(mirrored)
    assert run.counts["created"] == 2
    assert len(picture(lab).members["Mirrored"]) == 1
    lab.call("POST", "entra/assignments", {"remove": [added["id"]]})
    sync(mirrored)
    assert picture(lab).members["Mirrored"] == set()


def test_a_draft_carries_what_the_application_brings_without_a_change_of_its_own(mirrored: Tenant, lab: Lab) -> None:
    sync(mirrored)
    with transaction.atomic():
        drafts.locked_draft(mirrored, ACTOR)
    team = group_of(lab, "Late", [hire(lab, "La Tecomer")])
    [added] = lab.call("POST", "entra/assignments", {"add": [{"principalId": team["id"]}]})
    run_without_publishing(mirrored)
    draft = mirrored.configurations.draft()
    assert draft is not None
    assert draft.assignments.filter(object_id=team["id"], mirrored=True).exists()
    assert drafts.changes(mirrored) == []
    lab.call("POST", "entra/assignments", {"remove": [added["id"]]})
    run_without_publishing(mirrored)
    assert not draft.assignments.filter(object_id=team["id"]).exists()


def run_without_publishing(tenant: Tenant) -> None:
    run = request_run(tenant=tenant, kind=Run.Kind.CHANGES, trigger=Run.Trigger.COMMAND, enqueue=False)
    assert execution.execute_run(run.pk) is not None


def test_a_person_assigned_by_hand_stays_when_the_application_drops_him(mirrored: Tenant, lab: Lab) -> None:
    person = hire(lab, "Han Dmade")
    configuration = mirrored.configurations.get()
    configuration.assignments.create(object_type="user", object_id=person["id"], display_name="Han Dmade")
    [added] = lab.call("POST", "entra/assignments", {"add": [{"principalId": person["id"]}]})
    sync(mirrored, Run.Kind.FULL)
    lab.call("POST", "entra/assignments", {"remove": [added["id"]]})
    sync(mirrored, Run.Kind.FULL)
    assert person["id"] in picture(lab).active


# Groups that are deleted


def big_group(tenant: Tenant, lab: Lab) -> dict[str, Any]:
    """It holds four tenths of all memberships, and is in AWS."""
    people = {member["id"]: member for name in TEAMS for member in lab.entra_group(name)["members"]}
    group = group_of(lab, "Everybody", people.values())
    assign(tenant, group)
    sync(tenant)
    return group


@pytest.mark.parametrize("restored", [False, True])
def test_a_big_group_that_was_deleted_blocks_no_later_removal(settled: Tenant, lab: Lab, restored: bool) -> None:
    group, leaver = big_group(settled, lab), hire(lab, "Lea Ver", lab.entra_group("Team 0001"))
    sync(settled)
    lab.call("DELETE", f"entra/groups/{group['id']}", {"soft": True})
    sync(settled)
    if restored:
        lab.call("POST", f"entra/groups/{group['id']}/restore")
        sync(settled)
    lab.call("PATCH", f"entra/users/{leaver['id']}", {"accountEnabled": False})
    for _ in range(2):
        assert not sync(settled, Run.Kind.FULL).suspect
    assert leaver["id"] not in picture(lab).active
    lab.call("DELETE", f"entra/groups/{group['id']}", {"soft": False})
    sync(settled)


@pytest.mark.parametrize("soft", [True, False], ids=["into the recycle bin", "for good"])
def test_a_big_group_inside_another_that_was_deleted_blocks_no_later_removal(
    settled: Tenant, lab: Lab, soft: bool
) -> None:
    inner = group_of(lab, "Inner", lab.entra_group("Team 0001")["members"])
    groups = [group_of(lab, f"Outer {n:02}", [inner]) for n in range(60)]
    sync(settled, Run.Kind.FULL)
    lab.call("DELETE", f"entra/groups/{inner['id']}", {"soft": soft})
    sync(settled)
    for _ in range(2):
        assert not sync(settled, Run.Kind.FULL).suspect
    for group in [*groups, inner]:
        lab.call("DELETE", f"entra/groups/{group['id']}", {"soft": False})


# Members that are told in part


@pytest.mark.parametrize("how", ["refused", "told by id alone"])
def test_members_who_cannot_be_read_are_reported_as_long_as_nobody_is_removed(
    settled: Tenant, lab: Lab, how: str
) -> None:
    team = lab.entra_group("Team 0001")
    member = hire(lab, "Un Read", team, lab.entra_group("Team 0002"))["id"]
    sync(settled)
    before = picture(lab)
    change_members(lab, team, remove=[member])
    if how == "refused":
        fault(lab, "status", f"groups/{team['id']}/members", status=403)
    else:
        switch(lab, limited_info=True)
    run = sync(settled, Run.Kind.FULL)
    assert lost(before, picture(lab)) == []
    assert run.operations.filter(object_id=team["id"], problem="members-unread").exists()
    assert settled.incidents.get(code="members-unread").solved_at is None
    sync(settled)
    assert settled.incidents.get(code="members-unread").solved_at is None
    lab.call("DELETE", "faults")
    switch(lab, limited_info=False)
    sync(settled, Run.Kind.FULL)
    assert settled.incidents.get(code="members-unread").solved_at is not None
    assert lost(before, picture(lab)) == [f"{member} left Team 0001"]
