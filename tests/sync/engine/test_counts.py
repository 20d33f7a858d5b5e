"""What a run sends, counted in the lab's ledger."""

import pytest

from sync.models import Link, Run, Tenant
from tests.world.company import aws_group, aws_user, hire, names, writes
from tests.world.lab import Lab
from tests.world.tenant import assign, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(60)]


def test_a_first_run_brings_exactly_the_assigned_people_and_groups(wired: Tenant, lab: Lab) -> None:
    group = lab.entra_group("AWS-Developers")
    assign(wired, group)
    run = sync(wired)
    assert run.state == Run.State.COMPLETED
    expected = {lab.entra_user(member["id"])["userPrincipalName"] for member in group["members"]}
    assert names(lab) == expected
    held = aws_group(lab, "AWS-Developers")
    assert len(held["members"]) == len(expected) == run.counts["created"] - 1


def test_a_second_run_on_unchanged_data_writes_nothing(wired: Tenant, lab: Lab) -> None:
    assign(wired, lab.entra_group("AWS-Developers"), lab.entra_group("AWS-Admins"))
    sync(wired)
    lab.forget_requests()
    for kind in (Run.Kind.CHANGES, Run.Kind.FULL):
        run = sync(wired, kind)
        assert run.planned == 0
        assert writes(lab) == []
        # A full one reads AWS back.
        assert bool(lab.requests()) is (kind == Run.Kind.FULL)


def test_no_change_counts_nobody_whom_aws_does_not_hold(wired: Tenant, lab: Lab) -> None:
    group, refused = lab.entra_group("AWS-Developers"), hire(lab, "Nolast", surname="", givenName="")
    assign(wired, group, refused)
    preview, first, second = sync(wired, Run.Kind.PREVIEW), sync(wired), sync(wired, Run.Kind.FULL)
    assert (preview.counts["no_change"], first.counts["no_change"]) == (0, 0)
    assert second.counts["no_change"] == len(group["members"]) + 1
    lab.call("PATCH", f"entra/users/{group['members'][0]['id']}", {"jobTitle": "Counted anew"})
    assert sync(wired, Run.Kind.FULL).counts["no_change"] == len(group["members"])


def test_a_changed_title_sends_exactly_one_patch(wired: Tenant, lab: Lab) -> None:
    group = lab.entra_group("AWS-Developers")
    assign(wired, group)
    sync(wired)
    lab.forget_requests()
    person = group["members"][0]["id"]
    lab.call("PATCH", f"entra/users/{person}", {"jobTitle": "Astronaut"})
    sync(wired)
    [request] = lab.requests()
    assert request["method"] == "PATCH"
    assert request["request"]["Operations"] == [{"op": "replace", "path": "title", "value": "Astronaut"}]
    assert aws_user(lab, person)["title"] == "Astronaut"


def test_a_cleared_title_is_removed_in_aws(wired: Tenant, lab: Lab) -> None:
    person = hire(lab, "Cleo Clear", jobTitle="Clerk")
    assign(wired, person)
    sync(wired)
    lab.call("PATCH", f"entra/users/{person['id']}", {"jobTitle": None})
    sync(wired)
    assert "title" not in aws_user(lab, person["id"])


def test_a_leaver_is_disabled_and_kept(wired: Tenant, lab: Lab) -> None:
    person = hire(lab, "Lea Ver")
    assign(wired, person)
    sync(wired)
    lab.forget_requests()
    lab.call("POST", f"entra/users/{person['id']}/leave")
    run = sync(wired)
    [request] = lab.requests()
    assert request["request"]["Operations"] == [{"op": "replace", "path": "active", "value": False}]
    assert aws_user(lab, person["id"])["active"] is False
    assert run.counts["disabled"] == 1


@pytest.mark.parametrize("change", [{"accountEnabled": False}])
def test_blocked_sign_in_disables_and_coming_back_enables(wired: Tenant, lab: Lab, change: dict[str, bool]) -> None:
    person = hire(lab, "Bea Locked")
    assign(wired, person)
    sync(wired)
    lab.call("PATCH", f"entra/users/{person['id']}", change)
    sync(wired)
    assert aws_user(lab, person["id"])["active"] is False
    lab.call("PATCH", f"entra/users/{person['id']}", {"accountEnabled": True})
    run = sync(wired)
    assert aws_user(lab, person["id"])["active"] is True
    assert run.counts["enabled"] == 1


def test_a_group_rename_is_one_patch_and_keeps_the_id(wired: Tenant, lab: Lab) -> None:
    people = [hire(lab, f"Ren {n} Amed")["id"] for n in range(2)]
    group = lab.call("POST", "entra/groups", {"displayName": "Before", "members": people})
    assign(wired, group)
    sync(wired)
    before = aws_group(lab, "Before")
    lab.forget_requests()
    lab.call("PATCH", f"entra/groups/{group['id']}", {"displayName": "After"})
    sync(wired)
    [request] = lab.requests()
    assert (request["method"], request["status"]) == ("PATCH", 204)
    assert aws_group(lab, "After")["id"] == before["id"]
    assert aws_group(lab, "After")["members"] == before["members"]


@pytest.mark.company(500)
def test_a_group_of_250_arrives_in_requests_of_at_most_a_hundred_changes(wired: Tenant, lab: Lab) -> None:
    everybody = lab.entra_group("All-Hands")
    people = [lab.entra_user(member["id"]) for member in everybody["members"][:0]]
    members = [member["id"] for member in everybody["members"]]
    enabled = {user["id"] for user in lab.call("GET", "entra/state")["users"] if user["accountEnabled"]}
    chosen = [member for member in members if member in enabled][:250]
    group = lab.call("POST", "entra/groups", {"displayName": "Exactly-250", "members": chosen})
    assign(wired, group, *people)
    sync(wired)
    assert len(aws_group(lab, "Exactly-250")["members"]) == 250
    requests = [request for request in lab.requests() if "/Groups" in request["path"] and request["method"] != "GET"]
    sizes = [len(request["request"].get("members", [])) or request["operations"] for request in requests]
    # Many are in flight: which of the later ones arrives first is nobody's promise.
    assert sizes[0] == 100
    assert sorted(sizes) == [50, 100, 100]


def test_members_are_added_and_removed_one_by_one(wired: Tenant, lab: Lab) -> None:
    people = [hire(lab, f"Mem {n} Ber")["id"] for n in range(4)]
    group = lab.call("POST", "entra/groups", {"displayName": "Moving", "members": people[:3]})
    assign(wired, group, *({"id": person, "displayName": "x", "userPrincipalName": "x"} for person in people))
    sync(wired)
    lab.call("POST", f"entra/groups/{group['id']}/members", {"add": [people[3]], "remove": [people[0]]})
    run = sync(wired)
    ids = dict(Link.objects.filter(object_id__in=people).values_list("object_id", "scim_id"))
    assert aws_group(lab, "Moving")["members"] == sorted(ids[person] for person in people[1:])
    assert (run.counts["added"], run.counts["removed"]) == (1, 1)


def test_a_group_that_leaves_scope_is_emptied_and_kept(wired: Tenant, lab: Lab) -> None:
    people = [hire(lab, f"Emp {n} Tied")["id"] for n in range(2)]
    group = lab.call("POST", "entra/groups", {"displayName": "Leaving", "members": people})
    assign(wired, group)
    sync(wired)
    lab.call("DELETE", f"entra/groups/{group['id']}")
    sync(wired)
    assert aws_group(lab, "Leaving")["members"] == []
    assert all(not aws_user(lab, person)["active"] for person in people)


def test_memberships_of_a_disabled_person_are_compared_again_on_return(wired: Tenant, lab: Lab) -> None:
    person = hire(lab, "Ret Urning")["id"]
    other = hire(lab, "Sta Ying")["id"]
    group = lab.call("POST", "entra/groups", {"displayName": "Returns", "members": [person, other]})
    second = lab.call("POST", "entra/groups", {"displayName": "Returns-Too", "members": [other]})
    assign(wired, group, second)
    sync(wired)
    lab.call("POST", f"entra/users/{person}/leave")
    sync(wired)
    lab.call("POST", f"entra/groups/{second['id']}/members", {"add": [person]})
    lab.call("POST", f"entra/users/{person}/restore")
    sync(wired)
    scim_id = aws_user(lab, person)["id"]
    assert aws_user(lab, person)["active"] is True
    assert scim_id in aws_group(lab, "Returns")["members"]
    assert scim_id in aws_group(lab, "Returns-Too")["members"]
