"""Comparing with AWS: what it costs, what it finds, what it proposes, and how the next run mends it."""

import json
from typing import Any

import pytest
from django.core.management import call_command

from sync.drift import repairing, services
from sync.models import Drift, Link, MembershipLink, Run, Tenant
from sync.runs.lease import claim
from tests.world.company import aws_group, aws_user, group_of, hire
from tests.world.kept import Kept
from tests.world.lab import Lab
from tests.world.tenant import assign, sync

pytestmark = pytest.mark.django_db(transaction=True)
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def compare(tenant: Tenant) -> Run:
    return sync(tenant, Run.Kind.VERIFY)


def found(run: Run) -> set[tuple[str, str]]:
    return set(run.drifts.values_list("kind", "name"))


def mend(tenant: Tenant) -> Run:
    services.repair_differences(tenant=tenant, actor="jo@acme.example")
    return sync(tenant)


def a_team_in_step(tenant: Tenant, lab: Lab) -> dict[str, Any]:
    """Five people in a group, in step with AWS."""
    people = [hire(lab, f"Dri {n} Ft", jobTitle="Clerk") for n in range(5)]
    ids = [person["id"] for person in people]
    group = lab.call("POST", "entra/groups", {"displayName": f"Team {ids[0][:8]}", "members": ids})
    assign(tenant, group)
    sync(tenant)
    lab.forget_requests()
    return {"ids": ids, "group": group, "name": group["displayName"]}


@pytest.fixture
def team(kept: Kept) -> dict[str, Any]:
    begun = kept(a_team_in_step)
    return {"tenant": begun.tenant, **begun.facts}


@pytest.mark.company(500)
def test_in_step_means_no_difference_and_one_request_per_page_and_group(wired: Tenant, lab: Lab) -> None:
    assign(wired, *(lab.entra_group(name) for name in ("AWS-Developers", "AWS-Admins", "Large-150")))
    sync(wired)
    lab.forget_requests()
    run = compare(wired)
    assert (run.state, run.suspect) == (Run.State.COMPLETED, "")
    assert not run.drifts.exists()
    people = len(lab.aws()["users"])
    assert people > 100
    large = len(aws_group(lab, "Large-150")["members"])
    pages = -(-people // 100) + 1 + 1 + 1 + -(-large // 100)
    requests = lab.requests()
    assert {request["method"] for request in requests} == {"GET"}
    assert len(requests) == pages
    assert run.scim_requests == {"GET": pages}
    facts = run.phases["compare"]["facts"]
    assert (facts["people"], facts["groups"]) == (people, 3)
    wired.refresh_from_db()
    assert wired.verified_at is not None


def test_a_changed_field_is_found_and_written_anew(team: dict[str, Any], lab: Lab) -> None:
    held = aws_user(lab, team["ids"][0])
    lab.call("PATCH", f"aws/users/{held['id']}", {"title": "Emperor", "displayName": "By Hand"})
    run = compare(team["tenant"])
    drift = run.drifts.get()
    assert (drift.kind, drift.object_id, drift.scim_id) == ("differs", team["ids"][0], held["id"])
    assert drift.facts == {
        "title": {"written": "Clerk", "held": "Emperor"},
        "displayName": {"written": "Dri 0 Ft", "held": "By Hand"},
    }
    lab.forget_requests()
    mend(team["tenant"])
    assert [request["method"] for request in lab.requests()] == ["PATCH"]
    assert (aws_user(lab, team["ids"][0])["title"], aws_user(lab, team["ids"][0])["displayName"]) == (
        "Clerk",
        "Dri 0 Ft",
    )
    assert not compare(team["tenant"]).drifts.exists()


def test_a_value_put_where_we_map_nothing_for_this_person_is_found_and_taken_away(
    team: dict[str, Any], lab: Lab
) -> None:
    person = hire(lab, "No Title", jobTitle=None)
    assign(team["tenant"], person)
    sync(team["tenant"])
    held = aws_user(lab, person["id"])
    assert "title" not in held
    lab.call("PATCH", f"aws/users/{held['id']}", {"title": "Emperor"})
    assert compare(team["tenant"]).drifts.get().facts == {"title": {"written": None, "held": "Emperor"}}
    mend(team["tenant"])
    assert "title" not in aws_user(lab, person["id"])


def test_a_leaver_enabled_by_hand_is_disabled_again(team: dict[str, Any], lab: Lab) -> None:
    lab.call("POST", f"entra/users/{team['ids'][1]}/leave")
    sync(team["tenant"])
    held = aws_user(lab, team["ids"][1])
    lab.call("PATCH", f"aws/users/{held['id']}", {"active": True, "title": "Ghost"})
    drift = compare(team["tenant"]).drifts.get()
    assert drift.facts == {"active": {"written": False, "held": True}}
    mend(team["tenant"])
    assert aws_user(lab, team["ids"][1])["active"] is False


def test_a_person_deleted_in_aws_comes_back_into_the_groups_and_as_manager(team: dict[str, Any], lab: Lab) -> None:
    boss, report = team["ids"][0], team["ids"][1]
    lab.call("PATCH", f"entra/users/{report}", {"manager": boss})
    sync(team["tenant"])
    gone = aws_user(lab, boss)["id"]
    assert aws_user(lab, report)[ENTERPRISE]["manager"]["value"] == gone
    lab.call("DELETE", f"aws/users/{gone}")
    run = compare(team["tenant"])
    assert ("missing", "Dri 0 Ft") in found(run)
    mend(team["tenant"])
    new = aws_user(lab, boss)["id"]
    assert new != gone
    assert aws_user(lab, report)[ENTERPRISE]["manager"]["value"] == new
    assert new in aws_group(lab, team["name"])["members"]
    assert not compare(team["tenant"]).drifts.exists()


def test_a_leaver_deleted_in_aws_does_not_come_back(team: dict[str, Any], lab: Lab) -> None:
    lab.call("POST", f"entra/users/{team['ids'][2]}/leave")
    sync(team["tenant"])
    lab.call("DELETE", f"aws/users/{aws_user(lab, team['ids'][2])['id']}")
    assert found(compare(team["tenant"])) == {("missing", "Dri 2 Ft")}
    mend(team["tenant"])
    assert len(lab.aws()["users"]) == 4
    assert not compare(team["tenant"]).drifts.exists()


def test_a_group_deleted_in_aws_comes_back_with_its_members(team: dict[str, Any], lab: Lab) -> None:
    lab.call("DELETE", f"aws/groups/{aws_group(lab, team['name'])['id']}")
    assert found(compare(team["tenant"])) == {("missing", team["name"])}
    mend(team["tenant"])
    assert len(aws_group(lab, team["name"])["members"]) == 5


def test_members_changed_by_hand_are_found_and_put_right(team: dict[str, Any], lab: Lab) -> None:
    outsider = hire(lab, "Out Sider")
    assign(team["tenant"], outsider)
    sync(team["tenant"])
    group = aws_group(lab, team["name"])
    removed, added = aws_user(lab, team["ids"][3])["id"], aws_user(lab, outsider["id"])["id"]
    lab.call("POST", f"aws/groups/{group['id']}/members", {"add": [added], "remove": [removed]})
    run = compare(team["tenant"])
    rows = {(row.kind, row.name, row.member_scim_id, row.member_name) for row in run.drifts.all()}
    assert rows == {
        ("member_missing", team["name"], removed, "Dri 3 Ft"),
        ("member_extra", team["name"], added, "Out Sider"),
    }
    mend(team["tenant"])
    assert aws_group(lab, team["name"])["members"] == group["members"]
    assert not compare(team["tenant"]).drifts.exists()


def test_a_member_whom_nobody_linked_is_told_and_left(team: dict[str, Any], lab: Lab) -> None:
    group = aws_group(lab, team["name"])
    stranger = lab.call("POST", "aws/users", hand_made("stranger@elsewhere.example"))
    lab.call("POST", f"aws/groups/{group['id']}/members", {"add": [stranger["id"]]})
    run = compare(team["tenant"])
    assert found(run) == {("member_extra", team["name"]), ("only_in_aws", "Hand Made")}
    assert services.repair_differences(tenant=team["tenant"], actor="jo") == 0
    sync(team["tenant"])
    assert stranger["id"] in aws_group(lab, team["name"])["members"]


def hand_made(name: str, **more: Any) -> dict[str, Any]:
    facts = {"userName": name, "displayName": "Hand Made", "name": {"givenName": "Hand", "familyName": "Made"}}
    return facts | more


def test_objects_only_in_aws_are_told_with_the_person_they_may_be(team: dict[str, Any], lab: Lab) -> None:
    people = [hire(lab, f"Un {n} Linked") for n in range(3)]
    admins = group_of(lab, "AWS-Admins")
    sync(team["tenant"])
    by_name = lab.call("POST", "aws/users", hand_made(people[0]["userPrincipalName"].upper()))
    by_id = lab.call("POST", "aws/users", hand_made("x1", externalId=people[1]["id"]))
    mail = [{"value": people[2]["mail"], "type": "work", "primary": True}]
    by_mail = lab.call("POST", "aws/users", hand_made("x2", emails=mail))
    nobody = lab.call("POST", "aws/users", hand_made("x3"))
    group = lab.call("POST", "aws/groups", {"displayName": "AWS-Admins"})
    Tenant.objects.filter(pk=team["tenant"].pk).update(never_touch=["AWSControl*"])
    run = compare(team["tenant"])
    proposals = {row.scim_id: (row.proposed_id, row.proposed_by) for row in run.drifts.filter(kind="only_in_aws")}
    assert proposals == {
        by_name["id"]: (people[0]["id"], "userName"),
        by_id["id"]: (people[1]["id"], "externalId"),
        by_mail["id"]: (people[2]["id"], "emails"),
        nobody["id"]: ("", ""),
        group["id"]: (admins["id"], "displayName"),
    }


def test_what_may_never_be_touched_is_listed_as_left_alone(team: dict[str, Any], lab: Lab) -> None:
    lab.call("POST", "aws/control-tower")
    before = lab.aws()
    run = compare(team["tenant"])
    rows = run.drifts.filter(kind="only_in_aws")
    alone = {row.name for row in rows if row.facts.get("left_alone")}
    assert alone == {"AWSControlTowerAdmins", "AWSLogArchiveAdmins", "AWSSecurityAuditors"}
    # The user beside them was made by hand as far as anybody can tell.
    assert {row.name for row in rows} - alone == {"AWS Control Tower Admin"}
    mend(team["tenant"])
    assert lab.aws() == before


def test_the_tenant_may_want_differences_repaired_at_once(team: dict[str, Any], lab: Lab) -> None:
    Tenant.objects.filter(pk=team["tenant"].pk).update(repair=True)
    lab.call("PATCH", f"aws/users/{aws_user(lab, team['ids'][0])['id']}", {"title": "Emperor"})
    assert compare(team["tenant"]).drifts.get().repaired
    sync(team["tenant"])
    assert aws_user(lab, team["ids"][0])["title"] == "Clerk"


def test_nothing_is_repaired_while_a_run_is_in_progress(team: dict[str, Any], lab: Lab) -> None:
    lab.call("PATCH", f"aws/users/{aws_user(lab, team['ids'][0])['id']}", {"title": "Emperor"})
    run = compare(team["tenant"])
    lease = claim(team["tenant"].pk)
    assert lease is not None
    with pytest.raises(services.CannotRepair, match="busy"):
        services.repair_differences(tenant=team["tenant"], actor="jo")
    assert not run.drifts.get().repaired


def test_a_link_that_moved_since_is_not_forgotten(team: dict[str, Any], lab: Lab) -> None:
    lab.call("DELETE", f"aws/users/{aws_user(lab, team['ids'][0])['id']}")
    run = compare(team["tenant"])
    Link.objects.filter(object_id=team["ids"][0]).update(scim_id="another")
    assert repairing.mark(run) == 0
    assert Link.objects.get(object_id=team["ids"][0]).scim_id == "another"


def test_the_command_tells_what_differs_and_repairs(
    team: dict[str, Any], lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("verify", "acme", "--json")
    assert json.loads(capsys.readouterr().out)["differences"] == []
    lab.call("PATCH", f"aws/users/{aws_user(lab, team['ids'][0])['id']}", {"title": "Emperor"})
    with pytest.raises(SystemExit) as ended:
        call_command("verify", "acme")
    assert ended.value.code == 3
    assert 'title: written "Clerk", AWS holds "Emperor"' in capsys.readouterr().out
    with pytest.raises(SystemExit):
        call_command("verify", "acme", "--repair", "--json")
    report = json.loads(capsys.readouterr().out)
    assert report["repaired"] == 1
    assert report["differences"][0]["facts"] == {"title": {"written": "Clerk", "held": "Emperor"}}
    sync(team["tenant"])
    call_command("verify", "acme")
    assert "Nothing differs" in capsys.readouterr().out


def test_a_comparison_is_due_daily_and_after_a_failure_an_hour_later(team: dict[str, Any]) -> None:
    tenant = team["tenant"]
    tenant.refresh_from_db()
    assert not services.comparison_due(tenant)
    tenant.enabled = True
    assert services.comparison_due(tenant)
    Run.objects.create(tenant=tenant, number=900, kind=Run.Kind.VERIFY, trigger="schedule", state="failed")
    assert not services.comparison_due(tenant)
    Run.objects.filter(number=900).update(created_at="2026-01-01T00:00Z")
    assert services.comparison_due(tenant)
    tenant.verify_daily = False
    assert not services.comparison_due(tenant)


def test_a_membership_whose_answer_is_outstanding_is_no_difference(team: dict[str, Any], lab: Lab) -> None:
    group = aws_group(lab, team["name"])
    removed = aws_user(lab, team["ids"][3])["id"]
    MembershipLink.objects.filter(user__scim_id=removed).update(certain=False)
    lab.call("POST", f"aws/groups/{group['id']}/members", {"remove": [removed]})
    assert not Drift.objects.filter(run=compare(team["tenant"])).exists()
