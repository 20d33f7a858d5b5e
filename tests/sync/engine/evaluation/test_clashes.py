"""Unique values that change hands in one plan: C24, C25, C28, and who must wait."""

import itertools
from typing import Any

import pytest
from django.utils import timezone

from sync.approvals import services
from sync.configuration.settings import set_settings
from sync.models import HeldChange, Hold, Link, Operation, Result, Run, Tenant
from sync.standings.services import refresh_all
from sync.worker.execution import execute_run
from tests.world.company import active, aws_user, change_members, group_of, hire, leave, names, people, writes
from tests.world.examples import nightly
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, sync

pytestmark = pytest.mark.django_db(transaction=True)

ORDERS = list(itertools.permutations(range(4)))


def rename(lab: Lab, person: dict[str, Any], name: str) -> None:
    lab.call("PATCH", f"entra/users/{person['id']}", {"userPrincipalName": name, "mail": name})


@pytest.mark.fault("C24")
@pytest.mark.both
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


def swap(lab: Lab, first: dict[str, Any], second: dict[str, Any]) -> None:
    rename(lab, first, "away@contoso.example")
    rename(lab, second, first["userPrincipalName"])
    rename(lab, first, second["userPrincipalName"])


def swapped(lab: Lab, first: dict[str, Any], second: dict[str, Any]) -> bool:
    held = [aws_user(lab, one["id"])["userName"] for one in (first, second)]
    return held == [second["userPrincipalName"], first["userPrincipalName"]]


def test_a_swap_of_which_aws_took_the_first_step_and_never_said_so_is_finished(wired: Tenant, lab: Lab) -> None:
    first, second = people(lab, 2)
    assign(wired, first, second)
    sync(wired)
    swap(lab, first, second)
    lab.call("POST", "faults", {"part": "aws", "kind": "drop_after", "match": "PATCH", "times": 5})
    assert sync(wired).counts["will_retry"] == 1
    lab.call("DELETE", "faults")
    Link.objects.update(retry_at=timezone.now())
    refresh_all(wired)
    assert "failed" not in sync(wired).counts
    assert swapped(lab, first, second)


def test_what_a_comparison_finds_held_is_free_for_others(wired: Tenant, lab: Lab) -> None:
    """Somebody renamed the first by hand in AWS, before the two swapped their names in Entra."""
    first, second = people(lab, 2)
    assign(wired, first, second)
    sync(wired)
    hand = {"userName": "by-hand", "emails": [{"type": "work", "value": "by-hand@contoso.example", "primary": True}]}
    lab.call("PATCH", f"aws/users/{aws_user(lab, first['id'])['id']}", hand)
    swap(lab, first, second)
    Tenant.objects.update(repair=True)
    sync(wired, Run.Kind.VERIFY)
    lab.forget_requests()
    assert "failed" not in sync(wired).counts
    assert swapped(lab, first, second)
    assert all(request["status"] == 200 for request in lab.requests())


@pytest.mark.fault("C25")
@pytest.mark.both
@pytest.mark.parametrize("order", [*ORDERS[3::12], *nightly(*((one,) for one in ORDERS[1::5]))])
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
@pytest.mark.both
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
    refused = Operation.objects.get(run=run, problem="group-made-anew")
    assert (refused.object_id, refused.error) == (new["id"], f"Anew ({before})")
    assert [group["id"] for group in lab.aws()["groups"]] == [before]
    [proposal] = services.adoptable(wired)
    services.adopt_object(link=proposal, actor=ACTOR)
    sync(wired)
    [group] = lab.aws()["groups"]
    assert (group["id"], group["externalId"], len(group["members"])) == (before, new["id"], 2)
    lab.forget_requests()
    sync(wired, "full")
    assert writes(lab) == []


# Names of leavers: only of those who are disabled


def successors(lab: Lab, leavers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Newcomers under the names of people who are purged."""
    found = []
    for n, one in enumerate(leavers):
        leave(lab, one)
        lab.call("POST", f"entra/users/{one['id']}/purge")
        facts = {"displayName": f"Suc {n} Cessor", "userPrincipalName": one["userPrincipalName"]}
        found.append(lab.call("POST", "entra/hire", facts))
    return found


def allow(tenant: Tenant, **limits: int) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(free_names=True, limits=limits)
    tenant.refresh_from_db()


def approved(tenant: Tenant, hold: Hold, **decisions: Any) -> None:
    """The decision, and the run that carries it out."""
    run = services.decide_hold(hold=hold, actor=ACTOR, enqueue=False, **decisions)
    assert run is not None
    execute_run(run.pk)


@pytest.mark.both
def test_a_name_is_freed_together_with_the_disabling_in_one_plan(wired: Tenant, lab: Lab) -> None:
    allow(wired, people_at_least=10)
    old = people(lab, 2)
    assign(wired, *old)
    sync(wired)
    new = successors(lab, old)
    assign(wired, *new)
    run = sync(wired)
    assert (run.counts["disabled"], run.counts["created"]) == (2, 2)
    assert {aws_user(lab, one["id"])["userName"] for one in new} == {one["userPrincipalName"] for one in old}
    assert active(lab) == {one["id"] for one in new}


def test_a_leaver_whose_disabling_is_held_or_kept_keeps_the_name(wired: Tenant, lab: Lab) -> None:
    allow(wired, people_at_least=3, people_at_most=3)
    old = people(lab, 4)
    assign(wired, *old)
    sync(wired)
    for one in old:
        leave(lab, one)
    sync(wired)
    assert len(active(lab)) == 4
    kept = HeldChange.objects.get(object_id=old[0]["id"])
    services.decide_hold(hold=kept.hold, actor=ACTOR, keep=[kept.pk], enqueue=False)
    new = successors(lab, old)
    assign(wired, *new)
    run = sync(wired)
    assert names(lab) == {one["userPrincipalName"] for one in old}
    assert set(run.operations.filter(problem="taken-by-leaver").values_list("object_id", flat=True)) == {
        one["id"] for one in new
    }
    hold = kept.hold
    rest = list(HeldChange.objects.waiting().filter(hold=hold).values_list("pk", flat=True))
    approved(wired, hold, approve=rest)
    assert aws_user(lab, old[0]["id"])["userName"] == old[0]["userPrincipalName"]
    assert {aws_user(lab, one["id"])["userName"] for one in new[1:]} == {one["userPrincipalName"] for one in old[1:]}


def test_a_disabling_that_this_very_plan_puts_on_hold_frees_no_name(wired: Tenant, lab: Lab) -> None:
    allow(wired, people_at_least=3, people_at_most=3)
    old = people(lab, 6)
    assign(wired, *old)
    sync(wired)
    new = successors(lab, old)
    assign(wired, *new)
    lab.forget_requests()
    run = sync(wired)
    assert writes(lab) == []
    assert names(lab) == {one["userPrincipalName"] for one in old}
    assert run.operations.filter(problem="taken-by-leaver", result=Result.FAILED).count() == 6
    sync(wired)
    assert names(lab) == {one["userPrincipalName"] for one in old}


def test_renaming_leavers_is_counted_by_the_limit_of_changed_names(wired: Tenant, lab: Lab) -> None:
    allow(wired, people_at_least=10)
    old = people(lab, 6)
    team = group_of(lab, "Leavers", old)
    assign(wired, team)
    sync(wired)
    for one in old:
        leave(lab, one)
    sync(wired)
    assert active(lab) == set()
    allow(wired, people_at_least=3)
    # Nobody has seen a plan that lists them.
    change_members(lab, team, add=[one["id"] for one in successors(lab, old)])
    sync(wired, confirmed=False)
    assert names(lab) == {one["userPrincipalName"] for one in old}
    hold = Hold.objects.get(tenant=wired, closed_at=None, kind=Hold.Kind.KEYS)
    waiting = list(hold.changes.values_list("pk", flat=True))
    assert len(waiting) == 6
    approved(wired, hold, approve=waiting[1:], keep=waiting[:1])
    sync(wired, confirmed=False)
    assert len([name for name in names(lab) if name.startswith("moved-")]) == 5


def test_without_update_among_the_actions_no_leaver_is_renamed(wired: Tenant, lab: Lab) -> None:
    allow(wired, people_at_least=10)
    old = people(lab, 1)
    assign(wired, *old)
    sync(wired)
    set_settings(actor=ACTOR, tenant=wired, user_actions=["create", "disable"])
    new = successors(lab, old)
    assign(wired, *new)
    run = sync(wired)
    assert Operation.objects.get(run=run, problem="taken-by-leaver").object_id == new[0]["id"]
    assert names(lab) == {old[0]["userPrincipalName"]}


def test_a_group_that_was_never_made_and_is_deleted_frees_its_name(wired: Tenant, lab: Lab) -> None:
    one, two = group_of(lab, "Twins"), group_of(lab, "Twins")
    assign(wired, one, two)
    run = sync(wired)
    refused = Operation.objects.filter(run=run, problem="same-value")
    assert set(refused.values_list("error", flat=True)) == {"Twins"}
    lab.call("DELETE", f"entra/groups/{one['id']}")
    sync(wired)
    assert [group["externalId"] for group in lab.aws()["groups"]] == [two["id"]]
    assert not Link.objects.filter(object_id=one["id"]).exclude(wanted_name="").exists()


def test_what_left_scope_is_asked_about_no_more(wired: Tenant, lab: Lab) -> None:
    lab.call("POST", "aws/groups", {"displayName": "By hand"})
    group, person = group_of(lab, "By hand"), hire(lab, "By Hand")
    facts = {"userName": person["userPrincipalName"], "displayName": "x", "name": {"givenName": "x", "familyName": "x"}}
    lab.call("POST", "aws/users", facts)
    assign(wired, group, person)
    sync(wired)
    assert len(services.adoptable(wired)) == 2
    lab.call("DELETE", f"entra/groups/{group['id']}")
    leave(lab, person)
    sync(wired)
    assert services.adoptable(wired) == []
