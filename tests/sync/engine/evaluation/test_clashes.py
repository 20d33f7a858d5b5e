"""Unique values that change hands in one plan: C24, C25, C28, and who must wait."""

import itertools
from typing import Any

import pytest

from sync.approvals import services
from sync.models import Operation, Tenant
from tests.world.company import aws_user, group_of, names, people
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both]


def rename(lab: Lab, person: dict[str, Any], name: str) -> None:
    lab.call("PATCH", f"entra/users/{person['id']}", {"userPrincipalName": name, "mail": name})


@pytest.mark.fault("C24")
def test_two_people_who_swap_their_names_keep_their_ids(wired: Tenant, lab: Lab) -> None:
    first, second = people(lab, 2)
    assign(wired, first, second)
    sync(wired)
    ids = [aws_user(lab, one["id"])["id"] for one in (first, second)]
    lab.forget_requests()
    # Entra, too, has to move one of them away first.
    rename(lab, first, "away@contoso.example")
    rename(lab, second, first["userPrincipalName"])
    rename(lab, first, second["userPrincipalName"])
    run = sync(wired)
    assert run.counts.get("failed", 0) == 0
    assert [aws_user(lab, one["id"])["id"] for one in (first, second)] == ids
    assert aws_user(lab, first["id"])["userName"] == second["userPrincipalName"]
    assert aws_user(lab, second["id"])["emails"][0]["value"] == first["userPrincipalName"]
    assert {request["method"] for request in lab.requests()} == {"PATCH"}
    assert all(request["status"] == 200 for request in lab.requests())
    lab.forget_requests()
    sync(wired)
    assert lab.requests() == []


@pytest.mark.fault("C25")
@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[1::5])
def test_any_permutation_of_names_is_carried_out_without_a_clash(
    wired: Tenant, lab: Lab, order: tuple[int, ...]
) -> None:
    some = people(lab, 4)
    assign(wired, *some)
    sync(wired)
    before = {one["id"]: aws_user(lab, one["id"])["id"] for one in some}
    for number, one in enumerate(some):
        rename(lab, one, f"away{number}@contoso.example")
    for one, taken in zip(some, order, strict=True):
        rename(lab, one, some[taken]["userPrincipalName"])
    lab.forget_requests()
    sync(wired)
    for one, taken in zip(some, order, strict=True):
        held = aws_user(lab, one["id"])
        assert (held["id"], held["userName"]) == (before[one["id"]], some[taken]["userPrincipalName"])
    assert all(request["status"] == 200 for request in lab.requests())


def test_a_chain_begins_at_the_end_that_is_free(wired: Tenant, lab: Lab) -> None:
    some = people(lab, 3)
    assign(wired, *some)
    sync(wired)
    rename(lab, some[2], "free@contoso.example")
    rename(lab, some[1], some[2]["userPrincipalName"])
    rename(lab, some[0], some[1]["userPrincipalName"])
    lab.forget_requests()
    run = sync(wired)
    assert run.counts["updated"] == 3
    assert [request["status"] for request in lab.requests()] == [200, 200, 200]


@pytest.mark.fault("C28")
def test_a_changed_address_is_an_update_of_the_same_user(wired: Tenant, lab: Lab) -> None:
    person, other = people(lab, 2)
    assign(wired, person, other)
    sync(wired)
    before = aws_user(lab, person["id"])["id"]
    rename(lab, person, "new@contoso.example")
    run = sync(wired)
    assert (run.counts["updated"], run.counts.get("created", 0)) == (1, 0)
    assert aws_user(lab, person["id"])["id"] == before
    assert "new@contoso.example" in names(lab)


def test_two_newcomers_for_one_address_are_both_held_and_nobody_else(wired: Tenant, lab: Lab) -> None:
    some = people(lab, 3)
    for one in some[:2]:
        lab.call("PATCH", f"entra/users/{one['id']}", {"mail": "same@contoso.example"})
    assign(wired, *some)
    run = sync(wired)
    assert {row.object_id for row in Operation.objects.filter(run=run, problem="same-value")} == {
        one["id"] for one in some[:2]
    }
    assert len(names(lab)) == 1


def test_who_has_the_value_keeps_it(wired: Tenant, lab: Lab) -> None:
    first, second = people(lab, 2)
    assign(wired, first)
    sync(wired)
    lab.call("PATCH", f"entra/users/{second['id']}", {"mail": first["userPrincipalName"]})
    assign(wired, second)
    run = sync(wired)
    refused = Operation.objects.get(run=run, problem="same-value")
    assert (refused.object_id, refused.attribute) == (second["id"], "emails")
    assert aws_user(lab, first["id"])["emails"][0]["value"] == first["userPrincipalName"]


@pytest.mark.parametrize("free", [False, True])
def test_a_successor_gets_a_leavers_name_only_where_that_is_allowed(wired: Tenant, lab: Lab, free: bool) -> None:
    old = people(lab, 1)[0]
    assign(wired, old)
    sync(wired)
    before = aws_user(lab, old["id"])["id"]
    lab.call("POST", f"entra/users/{old['id']}/leave")
    sync(wired)
    lab.call("POST", f"entra/users/{old['id']}/purge")
    facts = {"displayName": "Suc Cessor", "userPrincipalName": old["userPrincipalName"]}
    new = lab.call("POST", "entra/hire", facts)
    Tenant.objects.filter(pk=wired.pk).update(free_names=free)
    assign(wired, new)
    run = sync(wired)
    assert aws_user(lab, old["id"])["id"] == before
    assert aws_user(lab, old["id"])["active"] is False
    if free:
        assert aws_user(lab, new["id"])["userName"] == old["userPrincipalName"]
        assert aws_user(lab, new["id"])["id"] != before
    else:
        assert Operation.objects.get(run=run, problem="taken-by-leaver").object_id == new["id"]
        assert len(lab.aws()["users"]) == 1


def test_groups_that_swap_names_keep_their_ids(wired: Tenant, lab: Lab) -> None:
    one, two = (lab.call("POST", "entra/groups", {"displayName": name, "members": []}) for name in ("One", "Two"))
    assign(wired, one, two)
    sync(wired)
    before = {group["externalId"]: group["id"] for group in lab.aws()["groups"]}
    lab.call("PATCH", f"entra/groups/{one['id']}", {"displayName": "Two"})
    lab.call("PATCH", f"entra/groups/{two['id']}", {"displayName": "One"})
    sync(wired)
    after = {group["externalId"]: (group["id"], group["displayName"]) for group in lab.aws()["groups"]}
    assert after == {one["id"]: (before[one["id"]], "Two"), two["id"]: (before[two["id"]], "One")}


@pytest.mark.fault("C29")
def test_a_group_made_anew_waits_and_can_go_on_as_the_old_one_in_aws(wired: Tenant, lab: Lab) -> None:
    some = people(lab, 3)
    old = group_of(lab, "Anew", some)
    assign(wired, old, *some)
    sync(wired)
    before = lab.aws()["groups"][0]["id"]
    lab.call("DELETE", f"entra/groups/{old['id']}")
    new = group_of(lab, "Anew", some[:2])
    assign(wired, new)
    run = sync(wired)
    assert Operation.objects.get(run=run, problem="taken-by-leaver").object_id == new["id"]
    assert [group["id"] for group in lab.aws()["groups"]] == [before]
    [proposal] = services.adoptable(wired)
    services.adopt_object(link=proposal, actor=ACTOR)
    sync(wired)
    [group] = lab.aws()["groups"]
    assert (group["id"], group["externalId"], len(group["members"])) == (before, new["id"], 2)
    lab.forget_requests()
    sync(wired, "full")
    assert lab.requests() == []
