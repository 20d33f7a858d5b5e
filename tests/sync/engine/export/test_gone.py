"""What AWS says is not there: really gone with all that pointed to it, or told so by mistake."""

from typing import Any

import pytest

from sync.approvals.services import adopt_object, adoptable
from sync.drift import queries, services
from sync.models import Link, MembershipLink, Operation, Run, Tenant
from tests.world.company import (
    active,
    aws_group,
    aws_user,
    change,
    change_members,
    group_of,
    hire,
    leave,
    writes,
)
from tests.world.escrow import derive_anew, long_disabled, time_passes
from tests.world.kept import Begun, Kept
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, sync

pytestmark = pytest.mark.django_db(transaction=True)
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def manager_of(lab: Lab, person: dict[str, Any]) -> str:
    return str(aws_user(lab, person["id"])[ENTERPRISE]["manager"]["value"])


def not_found(lab: Lab, *, writes: int = 0, reads: int = 0) -> None:
    """AWS says 404 of what it holds, so many times."""
    lab.call("POST", "aws/switches", {"false_404_writes": str(writes), "false_404_reads": str(reads)})


def a_team_in_aws(tenant: Tenant, lab: Lab) -> dict[str, Any]:
    """A boss and two who report to her, in a group of three."""
    boss = hire(lab, "Bo Ss")
    reports = [hire(lab, f"Re {n} Port", manager=boss["id"]) for n in range(2)]
    group = group_of(lab, f"Team {boss['id'][:8]}", [boss, *reports])
    assign(tenant, group)
    sync(tenant)
    lab.forget_requests()
    return {"boss": boss, "reports": reports, "group": group, "name": group["displayName"]}


@pytest.fixture
def begun(kept: Kept) -> Begun:
    return kept(a_team_in_aws)


@pytest.fixture
def acme(begun: Begun) -> Tenant:
    return begun.tenant


@pytest.fixture
def team(begun: Begun) -> dict[str, Any]:
    return dict(begun.facts)


# Really gone


def test_who_reports_to_somebody_deleted_by_hand_gets_the_new_id(acme: Tenant, lab: Lab, team: dict[str, Any]) -> None:
    old = aws_user(lab, team["boss"]["id"])["id"]
    lab.call("DELETE", f"aws/users/{old}")
    change(lab, team["boss"], jobTitle="Chief")
    assert sync(acme).operations.get().problem == "not-found-link"
    sync(acme)
    new = aws_user(lab, team["boss"]["id"])["id"]
    assert new != old
    assert [manager_of(lab, person) for person in team["reports"]] == [new, new]
    assert new in aws_group(lab, team["name"])["members"]


def test_who_reports_to_somebody_who_came_back_is_still_seen_by_the_next_full_reading(
    acme: Tenant, lab: Lab, team: dict[str, Any]
) -> None:
    lab.call("DELETE", f"aws/users/{aws_user(lab, team['boss']['id'])['id']}")
    change(lab, team["boss"], jobTitle="Chief")
    sync(acme)
    sync(acme)
    assert sync(acme, Run.Kind.FULL).suspect == ""
    assert {one["id"] for one in team["reports"]} <= active(lab)


def test_a_report_that_is_written_in_the_same_run_gets_the_new_id_too(
    acme: Tenant, lab: Lab, team: dict[str, Any]
) -> None:
    """Its own success must not end the wait for the manager."""
    lab.call("DELETE", f"aws/users/{aws_user(lab, team['boss']['id'])['id']}")
    for person in (team["boss"], *team["reports"]):
        change(lab, person, jobTitle="Chief")
    sync(acme)
    sync(acme)
    new = aws_user(lab, team["boss"]["id"])["id"]
    assert [manager_of(lab, person) for person in team["reports"]] == [new, new]
    lab.forget_requests()
    sync(acme, Run.Kind.FULL)
    assert writes(lab) == []


def test_a_boss_found_missing_as_a_member_is_written_anew_to_the_reports(
    acme: Tenant, lab: Lab, team: dict[str, Any]
) -> None:
    lab.call("DELETE", f"aws/users/{aws_user(lab, team['boss']['id'])['id']}")
    assign(acme, group_of(lab, f"Other {team['boss']['id'][:8]}", [team["boss"]]))
    sync(acme)
    sync(acme)
    new = aws_user(lab, team["boss"]["id"])["id"]
    assert [manager_of(lab, person) for person in team["reports"]] == [new, new]


def test_a_boss_who_is_deleted_for_good_is_nobodys_manager_in_aws(acme: Tenant, lab: Lab, team: dict[str, Any]) -> None:
    Tenant.objects.filter(pk=acme.pk).update(delete_after_days=1)
    leave(lab, team["boss"])
    sync(acme)
    lab.call("POST", f"entra/users/{team['boss']['id']}/purge")
    sync(acme)
    long_disabled(team["boss"])
    assert sync(acme).counts["deleted"] == 1
    sync(acme)
    for person in team["reports"]:
        assert "manager" not in aws_user(lab, person["id"]).get(ENTERPRISE, {})


def test_a_boss_who_is_gone_from_aws_and_refused_is_nobodys_manager_there_until_she_is_back(
    acme: Tenant, lab: Lab, team: dict[str, Any]
) -> None:
    lab.call("DELETE", f"aws/users/{aws_user(lab, team['boss']['id'])['id']}")
    change(lab, team["boss"], jobTitle="Chief")
    sync(acme)
    change(lab, team["boss"], givenName=None)
    for _ in range(2):
        sync(acme)
    for person in team["reports"]:
        assert "manager" not in aws_user(lab, person["id"]).get(ENTERPRISE, {})
    change(lab, team["boss"], givenName="Bo")
    sync(acme)
    sync(acme)
    new = aws_user(lab, team["boss"]["id"])["id"]
    assert [manager_of(lab, person) for person in team["reports"]] == [new, new]


def test_a_group_deleted_by_hand_and_found_so_by_a_member_comes_back(
    acme: Tenant, lab: Lab, team: dict[str, Any]
) -> None:
    old = aws_group(lab, team["name"])["id"]
    lab.call("DELETE", f"aws/groups/{old}")
    newcomer = hire(lab, "New Comer", team["group"])
    sync(acme)
    sync(acme)
    held = aws_group(lab, team["name"])
    assert held["id"] != old
    assert len(held["members"]) == 4
    assert aws_user(lab, newcomer["id"])["id"] in held["members"]


# Told so by mistake


def test_one_false_404_does_not_keep_a_leaver(acme: Tenant, lab: Lab, team: dict[str, Any]) -> None:
    before = aws_user(lab, team["boss"]["id"])["id"]
    leave(lab, team["boss"])
    not_found(lab, writes=1)
    run = sync(acme)
    assert run.counts["disabled"] == 1
    assert team["boss"]["id"] not in active(lab)
    assert Link.objects.get(object_id=team["boss"]["id"]).scim_id == before


def test_an_aws_that_goes_on_saying_404_of_what_it_shows_is_asked_again_later(
    acme: Tenant, lab: Lab, team: dict[str, Any]
) -> None:
    leave(lab, team["boss"])
    not_found(lab, writes=99)
    run = sync(acme)
    assert run.operations.get(object_type="user").problem == "aws-contradicts"
    assert Link.objects.get(object_id=team["boss"]["id"]).scim_id
    lab.call("DELETE", "aws/switches")
    time_passes()
    sync(acme)
    assert team["boss"]["id"] not in active(lab)


def test_a_leaver_whom_every_answer_called_gone_is_found_by_the_comparison(
    acme: Tenant, lab: Lab, team: dict[str, Any]
) -> None:
    """The writes and all reads lie: she is forgotten, her group too big, and known again when AWS lists her."""
    before = aws_user(lab, team["boss"]["id"])["id"]
    change_members(lab, team["group"], remove=[team["boss"]["id"]])
    not_found(lab, writes=2, reads=2)
    nobody = '{"totalResults": 0, "itemsPerPage": 0, "startIndex": 1, "Resources": []}'
    fault = {"part": "aws", "kind": "wrong_body", "match": "GET .*/Users", "match_query": "externalId", "body": nobody}
    lab.call("POST", "faults", fault)
    sync(acme)
    assert Link.objects.get(object_id=team["boss"]["id"]).scim_id == ""
    comparison = sync(acme, Run.Kind.VERIFY)
    row = comparison.drifts.get(kind="only_in_aws")
    assert (row.proposed_id, row.proposed_by) == (team["boss"]["id"], "id")
    # She is a member of the group there, too.
    assert services.repair_differences(tenant=acme, actor=ACTOR) == queries.unsettled(comparison).count() + 2 == 2
    run = sync(acme)
    assert (run.counts["disabled"], run.counts["removed"]) == (1, 1)
    assert team["boss"]["id"] not in active(lab)
    assert aws_user(lab, team["boss"]["id"])["id"] == before
    assert before not in aws_group(lab, team["name"])["members"]
    assert not sync(acme, Run.Kind.VERIFY).drifts.exists()


@pytest.mark.parametrize("way", ["in the bin", "unassigned", "blocked"])
def test_a_forgotten_leaver_is_linked_again_by_external_id(
    acme: Tenant, lab: Lab, team: dict[str, Any], way: str
) -> None:
    """As after a forgetting that left no trace: only the external id in AWS says who it is."""
    person = team["boss"]
    Link.objects.filter(object_id=person["id"]).update(scim_id="", written={}, match_code="", match_scim_id="")
    derive_anew()
    if way == "in the bin":
        leave(lab, person)
    elif way == "blocked":
        change(lab, person, accountEnabled=False)
    else:
        change_members(lab, team["group"], remove=[person["id"]])
    sync(acme)
    assert person["id"] in active(lab)
    sync(acme, Run.Kind.VERIFY)
    assert services.repair_differences(tenant=acme, actor=ACTOR) >= 1
    sync(acme)
    assert person["id"] not in active(lab)


def test_somebody_with_our_external_id_is_only_proposed_where_linking_is_by_hand(
    acme: Tenant, lab: Lab, team: dict[str, Any]
) -> None:
    Tenant.objects.filter(pk=acme.pk).update(adoption="by_hand")
    Link.objects.filter(object_id=team["boss"]["id"]).update(scim_id="", written={}, match_code="", match_scim_id="")
    derive_anew()
    leave(lab, team["boss"])
    sync(acme)
    comparison = sync(acme, Run.Kind.VERIFY)
    row = comparison.drifts.get(kind="only_in_aws")
    assert (row.proposed_id, row.proposed_by) == (team["boss"]["id"], "externalId")
    acme.refresh_from_db()
    assert services.repair_differences(tenant=acme, actor=ACTOR) == 0
    [proposal] = adoptable(acme)
    adopt_object(link=proposal, actor=ACTOR)
    sync(acme)
    assert team["boss"]["id"] not in active(lab)


def test_a_person_made_anew_in_aws_under_our_external_id_is_taken_as_the_same(
    acme: Tenant, lab: Lab, team: dict[str, Any]
) -> None:
    """Deleted and made again by somebody else's tool between two runs, while she leaves."""
    held = aws_user(lab, team["boss"]["id"])
    lab.call("DELETE", f"aws/users/{held['id']}")
    facts = {name: held[name] for name in ("userName", "displayName", "name", "externalId", "emails")}
    made = lab.call("POST", "aws/users", facts)
    leave(lab, team["boss"])
    sync(acme)
    time_passes()
    sync(acme)
    assert aws_user(lab, team["boss"]["id"])["id"] == made["id"]
    assert team["boss"]["id"] not in active(lab)
    time_passes()
    sync(acme)
    assert [manager_of(lab, person) for person in team["reports"]] == [made["id"], made["id"]]


def test_one_false_404_neither_keeps_nor_forgets_a_member(acme: Tenant, lab: Lab, team: dict[str, Any]) -> None:
    goes, comes = team["reports"][0], hire(lab, "Co Mes")
    change_members(lab, team["group"], remove=[goes["id"]])
    not_found(lab, writes=1)
    sync(acme)
    assert aws_user(lab, goes["id"])["id"] not in aws_group(lab, team["name"])["members"]
    change_members(lab, team["group"], add=[comes["id"]])
    not_found(lab, writes=1)
    sync(acme)
    assert aws_user(lab, comes["id"])["id"] in aws_group(lab, team["name"])["members"]


def test_a_member_of_whom_aws_says_404_for_long_is_not_forgotten(acme: Tenant, lab: Lab, team: dict[str, Any]) -> None:
    comes = hire(lab, "Co Mes", team["group"])
    not_found(lab, writes=99)
    run = sync(acme)
    assert run.operations.get(object_type="membership").problem == "aws-contradicts"
    assert Link.objects.get(object_id=comes["id"]).scim_id
    lab.call("DELETE", "aws/switches")
    time_passes()
    sync(acme)
    assert aws_user(lab, comes["id"])["id"] in aws_group(lab, team["name"])["members"]
    assert MembershipLink.objects.filter(user__object_id=comes["id"], certain=True).exists()


def test_a_deletion_that_is_told_404_by_mistake_is_done_all_the_same(
    acme: Tenant, lab: Lab, team: dict[str, Any]
) -> None:
    Tenant.objects.filter(pk=acme.pk).update(delete_after_days=1)
    leave(lab, team["boss"])
    sync(acme)
    lab.call("POST", f"entra/users/{team['boss']['id']}/purge")
    sync(acme)
    long_disabled(team["boss"])
    not_found(lab, writes=1)
    sync(acme)
    assert team["boss"]["id"] not in {user.get("externalId") for user in lab.aws()["users"]}
    assert not Operation.objects.exclude(problem="").exists()
