"""Table B, what delta rounds may legally do: replays, any order, late news, soft deletes, restores, odd members."""

import datetime
import json
from typing import Any

import pytest
from django.utils import timezone

from sync.configuration import assignments
from sync.models import DirectoryMembership, DirectoryUser, Link, Run, Tenant
from tests.world.company import (
    aws_user,
    change_members,
    fault,
    graph_requests,
    group_of,
    hire,
    lost,
    picture,
    switch,
    writes,
)
from tests.world.examples import nightly
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(36, groups=6, memberships=72)]


def newest_is_full(tenant: Tenant) -> bool:
    return tenant.snapshots.order_by("-pk")[0].full


def age(tenant: Tenant, **fields: datetime.timedelta) -> None:
    now = timezone.now()
    Tenant.objects.filter(pk=tenant.pk).update(**{name: now - ago for name, ago in fields.items()})


@pytest.mark.fault("B12")
@pytest.mark.parametrize("flavour", ["410", *nightly("400", "404")])
def test_a_dead_token_leads_to_a_full_round_that_finds_who_left(settled: Tenant, lab: Lab, flavour: str) -> None:
    person = hire(lab, f"Lea Ves{flavour}", lab.entra_group("Team 0001"))
    sync(settled)
    before = picture(lab)
    lab.call("POST", f"entra/users/{person['id']}/leave")
    lab.call("POST", "entra/delta", {"expire_tokens": flavour})
    assert sync(settled).state == Run.State.COMPLETED
    assert newest_is_full(settled)
    assert lost(before, picture(lab)) == [f"{person['id']} is disabled"]


@pytest.mark.fault("B12")
def test_a_full_round_that_breaks_after_a_dead_token_removes_nobody(settled: Tenant, lab: Lab) -> None:
    before = picture(lab)
    switch(lab, drop_users_after=2)
    lab.call("POST", "entra/delta", {"expire_tokens": "410"})
    assert sync(settled).suspect == "source-shrunk"
    assert (writes(lab), picture(lab)) == ([], before)


@pytest.mark.fault("B13")
@pytest.mark.parametrize("flavour", ["410", *nightly("400", "404")])
def test_a_token_older_than_a_week_is_refused_and_everybody_is_read(settled: Tenant, lab: Lab, flavour: str) -> None:
    switch(lab, days_passed=8, expiry=flavour)
    assert sync(settled).state == Run.State.COMPLETED
    assert newest_is_full(settled)
    assert writes(lab) == []


@pytest.mark.fault("B13")
def test_links_are_not_used_until_they_are_refused(settled: Tenant, lab: Lab) -> None:
    age(settled, links_at=datetime.timedelta(days=6, hours=1))
    assert sync(settled).state == Run.State.COMPLETED
    assert newest_is_full(settled)
    assert all("deltatoken" not in request["query"] for request in graph_requests(lab, "delta"))


@pytest.mark.fault("B14")
@pytest.mark.parametrize("kind", [Run.Kind.FULL, Run.Kind.CHANGES])
def test_replays_duplicates_and_any_order_change_nothing(settled: Tenant, lab: Lab, kind: str) -> None:
    before = picture(lab)
    switch(lab, replay=True, duplicates=2, shuffle=True, portion=4, page_size=3)
    for _ in range(2):
        assert sync(settled, kind).planned == 0
    assert (writes(lab), picture(lab)) == ([], before)


@pytest.mark.fault("B14")
def test_the_last_word_on_a_member_counts(settled: Tenant, lab: Lab) -> None:
    team = lab.entra_group("Team 0002")
    member = team["members"][0]["id"]
    before = picture(lab)
    sync(settled)
    change_members(lab, team, remove=[member])
    change_members(lab, team, add=[member])
    switch(lab, replay=True)
    sync(settled)
    assert picture(lab) == before


@pytest.mark.fault("B15")
def test_a_change_that_is_told_late_arrives_late(settled: Tenant, lab: Lab) -> None:
    switch(lab, lag=1)
    person = settled.directory_users.order_by("pk")[0]
    lab.call("PATCH", f"entra/users/{person.object_id}", {"jobTitle": "Late"})
    sync(settled)
    assert aws_user(lab, person.object_id)["title"] != "Late"
    switch(lab, lag=0)
    sync(settled)
    assert aws_user(lab, person.object_id)["title"] == "Late"


@pytest.mark.fault("B15")
@pytest.mark.fault("B16")
def test_a_removal_that_no_round_tells_is_found_within_a_day(settled: Tenant, lab: Lab) -> None:
    team = lab.entra_group("Team 0003")
    member = team["members"][0]["id"]
    switch(lab, silent_member_removal=True)
    change_members(lab, team, remove=[member])
    sync(settled)
    assert member in picture(lab).members["Team 0003"]
    age(settled, full_read_at=datetime.timedelta(hours=25))
    run = sync(settled)
    assert (run.kind, newest_is_full(settled)) == (Run.Kind.CHANGES, True)
    assert member not in picture(lab).members["Team 0003"]
    change_members(lab, team, add=[member])


@pytest.mark.fault("B17")
@pytest.mark.parametrize("reason", ["changed", "deleted", "other"])
def test_whoever_is_deleted_is_disabled_and_not_deleted_at_once(settled: Tenant, lab: Lab, reason: str) -> None:
    person = hire(lab, f"Rea Son{reason}", lab.entra_group("Team 0001"))
    sync(settled)
    told_removed(lab, person["id"], {"reason": reason})
    sync(settled)
    assert aws_user(lab, person["id"])["active"] is False
    deleted = DirectoryUser.objects.get(object_id=person["id"]).deleted
    assert deleted == ("purged" if reason == "deleted" else "soft")


def told_removed(lab: Lab, object_id: str, removed: dict[str, Any]) -> None:
    link = f"{lab.facts['graph']}/v1.0/users/delta?$deltatoken=x"
    body = {"value": [{"id": object_id, "@removed": removed}], "@odata.deltaLink": link}
    fault(lab, "status", "users/delta", status=200, body=json.dumps(body), times=1)


@pytest.mark.fault("B17")
def test_absence_from_a_full_round_is_no_purge(settled: Tenant, lab: Lab) -> None:
    person = hire(lab, "Ab Sent", lab.entra_group("Team 0001"))
    sync(settled)
    lab.call("POST", f"entra/users/{person['id']}/leave")
    sync(settled, Run.Kind.FULL)
    assert DirectoryUser.objects.get(object_id=person["id"]).deleted == "soft"
    lab.call("POST", f"entra/users/{person['id']}/purge")
    sync(settled)
    assert DirectoryUser.objects.get(object_id=person["id"]).deleted == "purged"
    assert aws_user(lab, person["id"])["active"] is False


@pytest.mark.fault("B17")
def test_whoever_is_absent_for_longer_than_the_recycle_bin_keeps_is_purged(settled: Tenant, lab: Lab) -> None:
    person = hire(lab, "Long Gone", lab.entra_group("Team 0001"))
    sync(settled)
    lab.call("POST", f"entra/users/{person['id']}/purge")
    sync(settled, Run.Kind.FULL)
    rows = DirectoryUser.objects.filter(object_id=person["id"])
    assert rows.get().deleted == "soft"
    rows.update(scope_at=timezone.now() - datetime.timedelta(days=32))
    sync(settled, Run.Kind.FULL)
    assert rows.get().deleted == "purged"


@pytest.mark.fault("B17")
@pytest.mark.parametrize("binned", [True, False], ids=["after the recycle bin", "at once"])
def test_whoever_is_purged_leaves_the_groups_although_no_groups_round_says_so(
    settled: Tenant, lab: Lab, binned: bool
) -> None:
    """A sync over changes ends as a full one does."""
    person = hire(lab, "Pur Ged", lab.entra_group("Team 0001"), lab.entra_group("Team 0002"))
    sync(settled)
    before = picture(lab)
    if binned:
        lab.call("POST", f"entra/users/{person['id']}/leave")
        sync(settled)
        assert lost(before, picture(lab)) == [f"{person['id']} is disabled"]
    lab.call("POST", f"entra/users/{person['id']}/purge")
    sync(settled)
    assert not newest_is_full(settled)
    gone = picture(lab)
    assert person["id"] not in gone.active
    assert not any(person["id"] in members for members in gone.members.values())
    sync(settled, Run.Kind.FULL)
    assert picture(lab) == gone


@pytest.mark.fault("B18")
@pytest.mark.parametrize(
    ("back", "between"),
    [
        *((Run.Kind.CHANGES, Run.Kind.FULL), (Run.Kind.FULL, Run.Kind.CHANGES)),
        *nightly((Run.Kind.CHANGES, Run.Kind.CHANGES), (Run.Kind.FULL, Run.Kind.FULL)),
    ],
)
def test_whoever_is_restored_is_the_same_user_in_the_same_groups(
    settled: Tenant, lab: Lab, between: str, back: str
) -> None:
    person = hire(lab, "Res Tored", lab.entra_group("Team 0001"), lab.entra_group("Team 0002"))
    sync(settled)
    before, scim_id = picture(lab), aws_user(lab, person["id"])["id"]
    lab.call("POST", f"entra/users/{person['id']}/leave")
    sync(settled, between)
    assert aws_user(lab, person["id"])["active"] is False
    lab.call("POST", f"entra/users/{person['id']}/restore")
    sync(settled, back)
    assert (picture(lab), aws_user(lab, person["id"])["id"]) == (before, scim_id)


@pytest.mark.fault("B19")
def test_a_successor_with_the_same_user_name_inherits_nothing(settled: Tenant, lab: Lab) -> None:
    first = hire(lab, "Suc Cessor", lab.entra_group("Team 0001"))
    sync(settled)
    held = aws_user(lab, first["id"])
    lab.call("POST", f"entra/users/{first['id']}/leave")
    facts = {"displayName": "Suc Cessor", "userPrincipalName": first["userPrincipalName"]}
    second = lab.call("POST", "entra/hire", facts | {"groups": [lab.entra_group("Team 0002")["id"]]})
    sync(settled)
    sync(settled, Run.Kind.FULL)
    assert (aws_user(lab, first["id"])["id"], aws_user(lab, first["id"])["active"]) == (held["id"], False)
    assert Link.objects.get(object_id=first["id"]).scim_id == held["id"]
    assert Link.objects.get(object_id=second["id"]).scim_id != held["id"]
    assert second["id"] not in picture(lab).members["Team 0001"]


@pytest.mark.fault("B20")
def test_a_person_who_becomes_a_guest_and_back_stays_the_same(settled: Tenant, lab: Lab) -> None:
    person = settled.directory_users.order_by("pk")[1]
    before = picture(lab)
    for kind in ("Guest", "Member", None):
        lab.call("PATCH", f"entra/users/{person.object_id}", {"userType": kind})
        assert sync(settled).state == Run.State.COMPLETED
        assert picture(lab) == before


@pytest.mark.fault("B21")
@pytest.mark.company(450, groups=1, memberships=450)
def test_a_large_group_comes_in_portions_and_goes_out_in_hundreds(wired: Tenant, lab: Lab) -> None:
    switch(lab, portion=70, shuffle=True)
    assign(wired, lab.entra_group("Team 0001"))
    assert sync(wired).state == Run.State.COMPLETED
    after = picture(lab)
    assert len(after.active) == 450
    assert after.members["Team 0001"] == after.active
    for request in writes(lab):
        body = request["request"] or {}
        changed = [one.get("value", []) for one in body.get("Operations", []) if one.get("path") == "members"]
        assert all(len(members) <= 100 for members in [body.get("members", []), *changed])


@pytest.mark.fault("B22")
def test_groups_that_hold_each_other_bring_everybody_once_when_nested_ones_are_included(
    wired: Tenant, lab: Lab
) -> None:
    inner_one, outer_one = hire(lab, "In Ner"), hire(lab, "Out Er")
    inner = group_of(lab, "Inner", [inner_one])
    outer = group_of(lab, "Outer", [outer_one, inner])
    change_members(lab, inner, add=[outer["id"]])
    assign(wired, outer)
    sync(wired)
    assert picture(lab).active == {outer_one["id"]}
    assignment = wired.configurations.get().assignments.get()
    assignments.set_nested(actor=ACTOR, tenant=wired, assignment=assignment, nested=True)
    sync(wired)
    assert picture(lab).active == {outer_one["id"], inner_one["id"]}
    user = DirectoryUser.objects.get(object_id=inner_one["id"])
    assert (user.scope_reason, user.scope_through) == ("through-nested-group", outer["id"])
    assert user.scope_path == [outer["id"], inner["id"]]
    assert sync(wired).planned == 0


def nested_pair(wired: Tenant, lab: Lab, word: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    person = hire(lab, f"Nest Ed{word}")
    inner = group_of(lab, f"Inner {word}", [person])
    outer = group_of(lab, f"Outer {word}", [inner])
    assign(wired, outer)
    assignment = wired.configurations.get().assignments.get(object_id=outer["id"])
    assignments.set_nested(actor=ACTOR, tenant=wired, assignment=assignment, nested=True)
    sync(wired)
    assert person["id"] in picture(lab).active
    return outer, inner, person["id"]


@pytest.mark.fault("B22")
def test_members_of_nested_groups_stand_in_the_assigned_group(wired: Tenant, lab: Lab) -> None:
    outer, inner, person = nested_pair(wired, lab, "stand")
    assert picture(lab).members[outer["displayName"]] == {person}
    late = hire(lab, "Late Comer")
    change_members(lab, inner, add=[late["id"]])
    sync(wired)
    assert picture(lab).members[outer["displayName"]] == {person, late["id"]}
    change_members(lab, inner, remove=[late["id"]])
    sync(wired)
    assert picture(lab).members[outer["displayName"]] == {person}
    assert late["id"] not in picture(lab).active


@pytest.mark.fault("B22")
@pytest.mark.parametrize("how", ["taken out", "deleted"])
def test_a_nested_group_that_goes_takes_its_people_along(wired: Tenant, lab: Lab, how: str) -> None:
    outer, inner, person = nested_pair(wired, lab, how)
    if how == "deleted":
        lab.call("DELETE", f"entra/groups/{inner['id']}", {"soft": True})
    else:
        change_members(lab, outer, remove=[inner["id"]])
    sync(wired)
    assert person not in picture(lab).active
    if how == "deleted":
        lab.call("POST", f"entra/groups/{inner['id']}/restore")
        sync(wired)
        assert person in picture(lab).active


@pytest.mark.fault("B23")
def test_members_that_are_no_people_are_ignored(settled: Tenant, lab: Lab) -> None:
    team = lab.entra_group("Team 0004")
    others = [
        lab.call("POST", "entra/others", {"kind": kind, "displayName": kind})["id"]
        for kind in ("device", "servicePrincipal", "orgContact")
    ]
    before = picture(lab)
    change_members(lab, team, add=others)
    for kind in (Run.Kind.CHANGES, Run.Kind.FULL):
        assert sync(settled, kind).state == Run.State.COMPLETED
        assert (writes(lab), picture(lab)) == ([], before)
    assert DirectoryMembership.objects.filter(member_id__in=others).exclude(member_type="user").count() == 3
    change_members(lab, team, remove=others)


@pytest.mark.fault("B14")
@pytest.mark.parametrize("kind", [Run.Kind.FULL, Run.Kind.CHANGES])
def test_removals_of_members_whom_nobody_knows_are_ignored(settled: Tenant, lab: Lab, kind: str) -> None:
    before = picture(lab)
    switch(lab, unknown_removals=5)
    lab.call("PATCH", f"entra/groups/{lab.entra_group('Team 0005')['id']}", {"description": kind})
    assert sync(settled, kind).state == Run.State.COMPLETED
    assert picture(lab) == before


@pytest.mark.fault("B14")
def test_what_a_full_round_leaves_out_is_cleared_and_what_a_later_one_leaves_out_is_not(
    settled: Tenant, lab: Lab
) -> None:
    person = settled.directory_users.order_by("pk")[2]
    assert aws_user(lab, person.object_id)["title"]
    link = f"{lab.facts['graph']}/v1.0/users/delta?$deltatoken=x"
    body = {"value": [{"id": person.object_id, "accountEnabled": True}], "@odata.deltaLink": link}
    fault(lab, "status", "users/delta", status=200, body=json.dumps(body), times=1)
    sync(settled)
    assert aws_user(lab, person.object_id)["title"]
    lab.call("PATCH", f"entra/users/{person.object_id}", {"jobTitle": None})
    sync(settled, Run.Kind.FULL)
    assert "title" not in aws_user(lab, person.object_id)


def test_page_tokens_that_die_after_a_dead_delta_token_lead_to_one_more_round(settled: Tenant, lab: Lab) -> None:
    person = hire(lab, "Twi Cedead", lab.entra_group("Team 0001"))
    before = picture(lab)
    lab.call("POST", "entra/delta", {"expire_tokens": "410"})
    fault(lab, "status", "users/delta", status=410, match_query="skiptoken", times=1)
    run = sync(settled)
    assert run.state == Run.State.COMPLETED
    assert picture(lab).active == before.active | {person["id"]}
