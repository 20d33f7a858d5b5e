"""Graph as it misbehaves on demand: rounds, lists, links, tokens; and the calls that change the company for it."""

import itertools
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.callers import GraphCaller
from tests.world.lab import Lab

pytestmark = pytest.mark.company(60, groups=6, memberships=120)

USERS = "/users/delta?$select=displayName,accountEnabled,userType"
GROUPS = "/groups/delta?$select=displayName,members"
EVENTUAL = {"ConsistencyLevel": "eventual"}


@pytest.fixture
def graph(lab: Lab) -> Iterator[GraphCaller]:
    caller = GraphCaller(lab)
    yield caller
    caller.session.close()
    lab.call("DELETE", "graph/switches")


def switch(lab: Lab, **values: Any) -> None:
    lab.call("POST", "graph/switches", values)


def ids(items: list[Any]) -> list[str]:
    return [item["id"] for item in items]


def members(items: list[Any], group_id: str) -> list[Any]:
    return [entry for item in items if item["id"] == group_id for entry in item.get("members@delta", [])]


def held(lab: Lab, group: dict[str, Any]) -> set[str]:
    return {member["id"] for member in lab.entra_group(group["displayName"])["members"]}


def a_group(lab: Lab) -> dict[str, Any]:
    return lab.entra_group("Team 0002")


# Rounds


def test_switches_show_their_meaning_and_refuse_nonsense(lab: Lab, graph: GraphCaller) -> None:
    switch(lab, page_size=7)
    shown = lab.call("GET", "graph/switches")
    assert (shown["page_size"]["value"], shown["page_size"]["default"]) == (7, 200)
    for wrong in ({"nothing": 1}, {"shuffle": 3}, {"page_size": "x"}):
        answer = lab.session.post(f"{lab.facts['console']}api/graph/switches", json=wrong, timeout=10)
        assert answer.status_code == 400
    lab.call("DELETE", "graph/switches")
    assert lab.call("GET", "graph/switches")["page_size"]["value"] == 200


def test_pages_and_portions_have_the_size_that_is_set(lab: Lab, graph: GraphCaller) -> None:
    switch(lab, page_size=25, portion=15)
    assert [len(page) for page in graph.pages(USERS)[0]] == [25, 25, 10]
    pages = graph.pages(GROUPS)[0]
    assert all(sum(len(group.get("members@delta", [])) for group in page) <= 15 for page in pages)
    items = [group for page in pages for group in page]
    group = a_group(lab)
    assert Counter(ids(items))[group["id"]] >= 2
    assert {entry["id"] for entry in members(items, group["id"])} == held(lab, group)


def test_a_round_in_any_order_tells_the_same(lab: Lab, graph: GraphCaller) -> None:
    plain, plain_groups = graph.items(USERS)[0], graph.items(GROUPS)[0]
    switch(lab, shuffle=True, portion=7)
    shuffled, groups = graph.items(USERS)[0], graph.items(GROUPS)[0]
    assert ids(plain) != ids(shuffled)
    assert sorted(ids(plain)) == sorted(ids(shuffled))
    group = a_group(lab)["id"]
    assert len(members(groups, group)) == 20
    assert {e["id"] for e in members(groups, group)} == {e["id"] for e in members(plain_groups, group)}
    scattered = [key for key, _same in itertools.groupby(ids(groups))]
    assert len(scattered) > len(set(scattered))


def test_objects_come_several_times(lab: Lab, graph: GraphCaller) -> None:
    switch(lab, duplicates=2)
    assert set(Counter(ids(graph.items(USERS)[0])).values()) == {3}


def test_a_later_round_tells_the_one_before_again(lab: Lab, graph: GraphCaller) -> None:
    link = graph.items(USERS)[1]
    first = lab.call("POST", "entra/hire", {"displayName": "Replay One"})["id"]
    items, link = graph.items(link)
    assert ids(items) == [first]
    second = lab.call("POST", "entra/hire", {"displayName": "Replay Two"})["id"]
    switch(lab, replay=True)
    assert ids(graph.items(link)[0]) == [first, second]
    switch(lab, replay=False)
    assert ids(graph.items(link)[0]) == [second]


def test_empty_pages_stand_between(lab: Lab, graph: GraphCaller) -> None:
    switch(lab, page_size=40, empty_pages=2)
    sizes = [len(page) for page in graph.pages(USERS)[0]]
    assert sizes[1:3] == [0, 0]
    assert sum(size > 0 for size in sizes) == 2


@pytest.mark.parametrize(("kind", "links"), [("same", 1), ("empty", 20)])
def test_a_round_never_ends(lab: Lab, graph: GraphCaller, kind: str, links: int) -> None:
    switch(lab, endless=kind)
    url, seen = USERS, set()
    for _ in range(20):
        url = graph.get(url)[1]["@odata.nextLink"]
        seen.add(url)
    assert len(seen) == links


@pytest.mark.parametrize("name", ["next", "delta"])
def test_a_link_leads_to_another_host(lab: Lab, graph: GraphCaller, name: str) -> None:
    switch(lab, foreign_link=name, page_size=40)
    page = graph.get(USERS)[1]
    if name == "delta":
        page = graph.get(page["@odata.nextLink"])[1]
    assert page[f"@odata.{name}Link"].startswith(lab.facts["elsewhere"])


def test_the_delta_link_is_lost(lab: Lab, graph: GraphCaller) -> None:
    switch(lab, lose_delta_link=True)
    page = graph.get(USERS)[1]
    assert not [key for key in page if key.endswith("Link")]


def test_a_next_link_is_gone(lab: Lab, graph: GraphCaller) -> None:
    switch(lab, page_size=40)
    link = graph.get(USERS)[1]["@odata.nextLink"]
    switch(lab, dead_next_links=True)
    status, body = graph.get(link)
    assert (status, body["error"]["code"]) == (404, "Request_ResourceNotFound")


def test_rounds_end_before_their_time(lab: Lab, graph: GraphCaller) -> None:
    group = a_group(lab)
    keep = {"page_size": 4, "drop_users_after": 2, "drop_groups_after": 1, "drop_members_of": {group["id"]: 3}}
    switch(lab, **keep)
    users, link = graph.items(USERS)
    assert (len(users), bool(link)) == (8, True)
    groups, link = graph.items(GROUPS)
    assert (len(groups), bool(link)) == (4, True)
    assert len(members(groups, group["id"])) == 3
    assert len(graph.items(f"/groups/{group['id']}/members?$top=2")[0]) == 3


def test_lists_end_before_their_time(lab: Lab, graph: GraphCaller) -> None:
    switch(lab, drop_list_after=12)
    assert len(graph.items("/users?$top=5")[0]) == 12
    assert len(graph.items("/groups?$top=5")[0]) == 6
    assert graph.get("/users?$count=true&$top=1", **EVENTUAL)[1]["@odata.count"] >= 60


def test_removals_of_strangers(lab: Lab, graph: GraphCaller) -> None:
    switch(lab, unknown_removals=2)
    group = a_group(lab)
    entries = members(graph.items(GROUPS)[0], group["id"])
    gone = {entry["id"] for entry in entries if "@removed" in entry}
    assert len(gone) == 2
    assert not gone & held(lab, group)
    assert len(entries) == 22


def test_members_with_limited_information(lab: Lab, graph: GraphCaller) -> None:
    url = f"/groups/{a_group(lab)['id']}/members?$select=id,displayName"
    assert all(
        set(item) == {"@odata.type", "id", "displayName"} and item["displayName"] for item in graph.items(url)[0]
    )
    switch(lab, limited_info=True)
    assert {item["displayName"] for item in graph.items(url)[0]} == {None}
    assert all(item["id"] and item["@odata.type"] == "#microsoft.graph.user" for item in graph.items(url)[0])


def test_a_share_is_left_out_and_the_count_tells(lab: Lab, graph: GraphCaller) -> None:
    whole = len(graph.items(USERS)[0])
    group = a_group(lab)["id"]
    switch(lab, shrink_users=0.5, shrink_groups=0.5, shrink_members=0.5)
    users = graph.items(USERS)[0]
    assert 0 < len(users) < whole
    assert sorted(ids(graph.items("/users?$top=20")[0])) == sorted(ids(users))
    assert 0 < len(graph.items(GROUPS)[0]) < 6
    assert 0 < len(graph.items(f"/groups/{group}/members")[0]) < 20
    count = "/users?$count=true&$top=1"
    assert graph.get(count, **EVENTUAL)[1]["@odata.count"] == whole
    switch(lab, shrink_count=True)
    assert graph.get(count, **EVENTUAL)[1]["@odata.count"] == len(users)
    assert graph.get("/groups?$count=true&$top=1", **EVENTUAL)[1]["@odata.count"] < 6


def test_all_left_out_is_an_empty_answer_with_a_link(lab: Lab, graph: GraphCaller) -> None:
    switch(lab, shrink_users=1.0)
    page = graph.get(USERS)[1]
    assert page["value"] == []
    assert "@odata.deltaLink" in page


def test_changes_are_told_late(lab: Lab, graph: GraphCaller) -> None:
    group = a_group(lab)
    link, group_link = graph.items(USERS)[1], graph.items(GROUPS)[1]
    person = lab.call("POST", "entra/hire", {"displayName": "Late Comer", "groups": [group["id"]]})["id"]
    switch(lab, lag=2)
    items, link = graph.items(link)
    assert items == []
    assert graph.items(group_link)[0] == []
    assert person not in {entry["id"] for entry in members(graph.items(GROUPS)[0], group["id"])}
    switch(lab, lag=0)
    assert ids(graph.items(link)[0]) == [person]
    assert [entry["id"] for entry in members(graph.items(group_link)[0], group["id"])] == [person]
    lab.call("POST", f"entra/groups/{group['id']}/members", {"remove": [person]})


def test_a_removed_member_shows_in_a_full_round_only(lab: Lab, graph: GraphCaller) -> None:
    group = a_group(lab)
    link = graph.items(GROUPS)[1]
    gone = min(held(lab, group))
    lab.call("POST", f"entra/groups/{group['id']}/members", {"remove": [gone]})
    switch(lab, silent_member_removal=True)
    assert members(graph.items(link)[0], group["id"]) == []
    assert gone not in {entry["id"] for entry in members(graph.items(GROUPS)[0], group["id"])}
    switch(lab, silent_member_removal=False)
    assert members(graph.items(link)[0], group["id"])[0]["@removed"] == {"reason": "deleted"}
    lab.call("POST", f"entra/groups/{group['id']}/members", {"add": [gone]})


@pytest.mark.parametrize(
    ("expiry", "status", "code"),
    [("410", 410, "resyncRequired"), ("400", 400, "Request_UnsupportedQuery"), ("404", 404, "syncStateNotFound")],
)
def test_a_token_of_long_ago_is_dead(lab: Lab, graph: GraphCaller, expiry: str, status: int, code: str) -> None:
    link = graph.items(USERS)[1]
    switch(lab, days_passed=6, expiry=expiry)
    assert graph.get(link)[0] == 200
    switch(lab, days_passed=8)
    answer = graph.send(link)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.headers.get("Location", "").endswith("$deltatoken=") == (status == 410)
    assert graph.get(graph.items(USERS)[1])[0] == 200


# Other relations


def test_members_of_other_kinds(lab: Lab, graph: GraphCaller) -> None:
    device = lab.call("POST", "entra/others", {"kind": "device", "displayName": "Laptop"})["id"]
    app = lab.call("POST", "entra/others", {"kind": "servicePrincipal", "displayName": "Robot"})["id"]
    group = lab.call("POST", "entra/groups", {"displayName": "Mixed", "members": [device, app]})["id"]
    kinds = {"#microsoft.graph.device": device, "#microsoft.graph.servicePrincipal": app}
    assert {e["@odata.type"]: e["id"] for e in members(graph.items(GROUPS)[0], group)} == kinds
    shown = graph.items(f"/groups/{group}/members")[0]
    assert {item["@odata.type"]: item["id"] for item in shown} == kinds
    assert {item["displayName"] for item in shown} == {"Laptop", "Robot"}
    assert graph.items(f"/groups/{group}/members/microsoft.graph.user")[0] == []
    lab.call("DELETE", f"entra/groups/{group}")


def test_whose_member_a_user_is(lab: Lab, graph: GraphCaller) -> None:
    user = lab.call("POST", "entra/hire", {"displayName": "Member Of"})["id"]
    inner = lab.call("POST", "entra/groups", {"displayName": "Inner", "members": [user]})["id"]
    outer = lab.call("POST", "entra/groups", {"displayName": "Outer", "members": [inner]})["id"]
    role = lab.call("POST", "entra/others", {"kind": "directoryRole", "displayName": "Reader", "members": [user]})["id"]
    pages = graph.pages(f"/users/{user}/memberOf?$top=1")[0]
    assert {page[0]["id"]: page[0]["@odata.type"] for page in pages} == {
        inner: "#microsoft.graph.group",
        role: "#microsoft.graph.directoryRole",
    }
    assert set(ids(graph.items(f"/users/{user}/transitiveMemberOf")[0])) == {inner, outer, role}
    assert set(ids(graph.items(f"/users/{user}/transitiveMemberOf/microsoft.graph.group")[0])) == {inner, outer}
    for group in (inner, outer):
        lab.call("DELETE", f"entra/groups/{group}")


def test_assignments_come_in_pages_with_every_role_and_kind(lab: Lab, graph: GraphCaller) -> None:
    url = f"/servicePrincipals/{lab.facts['service_principal_id']}/appRoleAssignedTo"
    user = lab.entra_group("Team 0001")["members"][0]["id"]
    robot = lab.call("POST", "entra/others", {"kind": "servicePrincipal", "displayName": "Bot"})["id"]
    role = "18d14569-c3bd-439b-9a66-3a2aee01d14f"
    add = [{"principalId": user}, {"principalId": user, "appRoleId": role}, {"principalId": robot}]
    made = lab.call("POST", "entra/assignments", {"add": add})
    pages = graph.pages(f"{url}?$top=4")[0]
    assert [len(page) for page in pages] == [4, 4, 1]
    found = [item for page in pages for item in page]
    assert [item["appRoleId"] for item in found if item["principalId"] == user][1] == role
    assert {item["principalType"] for item in found} == {"Group", "User", "ServicePrincipal"}
    lab.call("POST", "entra/assignments", {"remove": [made[1]["id"], robot]})
    left = graph.items(url)[0]
    assert [item["principalId"] for item in left].count(user) == 1
    assert len(left) == 7
    everybody = lab.call("GET", "entra/state")["users"]
    added = lab.call("POST", "entra/assignments", {"add": [{"principalId": one["id"]} for one in everybody] * 2})
    assert [len(page) for page in graph.pages(url)[0]] == [100, len(added) + 7 - 100]
    lab.call("POST", "entra/assignments", {"remove": [one["id"] for one in added]})


def test_faults_meet_the_assignments_alone(lab: Lab, graph: GraphCaller) -> None:
    fault = {"part": "graph", "kind": "status", "status": 403, "match": "appRoleAssignedTo", "times": -1}
    lab.call("POST", "faults", fault)
    assert graph.send(f"/servicePrincipals/{lab.facts['service_principal_id']}/appRoleAssignedTo").status_code == 403
    assert graph.send("/users?$top=1").status_code == 200
    lab.call("DELETE", "faults")


def test_objects_by_their_ids(lab: Lab, graph: GraphCaller) -> None:
    user, gone = (lab.call("POST", "entra/hire", {"displayName": f"By Id {n}"})["id"] for n in range(2))
    lab.call("POST", f"entra/users/{gone}/leave")
    group = a_group(lab)["id"]
    body = {"ids": [user, user, gone, group, str(uuid.uuid4())]}
    found = graph.send("/directoryObjects/getByIds?$select=id,displayName", body).json()["value"]
    assert [(item["@odata.type"], item["id"]) for item in found] == [
        ("#microsoft.graph.user", user),
        ("#microsoft.graph.group", group),
    ]
    only = graph.send("/directoryObjects/getByIds", body | {"types": ["group"]}).json()["value"]
    assert ids(only) == [group]
    many = {"ids": [str(uuid.uuid4()) for _ in range(1001)]}
    assert graph.send("/directoryObjects/getByIds", many).status_code == 400


# The company


def test_a_user_leaves_comes_back_and_is_gone(lab: Lab, graph: GraphCaller) -> None:
    group = a_group(lab)["id"]
    user = lab.call("POST", "entra/hire", {"displayName": "To And Fro", "groups": [group]})
    link = graph.items(USERS)[1]
    for action, shown in (("leave", {"reason": "changed"}), ("restore", None), ("purge", {"reason": "deleted"})):
        lab.call("POST", f"entra/users/{user['id']}/{action}")
        items, link = graph.items(link)
        assert [item.get("@removed") for item in items] == [shown]
    again = lab.call(
        "POST", "entra/hire", {"userPrincipalName": user["userPrincipalName"], "displayName": "To And Fro"}
    )
    assert again["id"] != user["id"]
    assert graph.get(f"/users/{user['userPrincipalName']}")[1]["id"] == again["id"]
    assert graph.items(f"/users/{again['id']}/memberOf")[0] == []


def test_a_group_is_deleted_restored_and_purged(lab: Lab, graph: GraphCaller) -> None:
    member = lab.entra_group("Team 0001")["members"][0]["id"]
    unified = {"displayName": "Comms", "groupTypes": ["Unified"], "members": [member]}
    group = lab.call("POST", "entra/groups", unified)["id"]
    link = graph.items(GROUPS)[1]
    lab.call("DELETE", f"entra/groups/{group}")
    items, link = graph.items(link)
    assert items == [{"id": group, "@removed": {"reason": "changed"}}]
    lab.call("POST", f"entra/groups/{group}/restore")
    items, link = graph.items(link)
    assert ids(items) == [group]
    assert ids(graph.items(f"/groups/{group}/members")[0]) == [member]
    lab.call("POST", f"entra/groups/{group}/purge")
    assert graph.items(link)[0] == [{"id": group, "@removed": {"reason": "deleted"}}]
    assert lab.call("POST", "entra/groups", {"displayName": "Comms"})["id"] != group


def members_told(graph: GraphCaller, group: str) -> list[str]:
    """By a full round."""
    return [
        one["id"] for item in graph.items(GROUPS)[0] if item["id"] == group for one in item.get("members@delta", [])
    ]


def test_a_security_group_may_lie_in_the_bin_too(lab: Lab, graph: GraphCaller) -> None:
    group = lab.call("POST", "entra/groups", {"displayName": "Soft"})["id"]
    outer = lab.call("POST", "entra/groups", {"displayName": "Around", "members": [group]})["id"]
    link = graph.items(GROUPS)[1]
    lab.call("DELETE", f"entra/groups/{group}", {"soft": True})
    assert graph.items(link)[0] == [{"id": group, "@removed": {"reason": "changed"}}]
    # Nobody's member as long as it lies there.
    assert graph.items(f"/groups/{outer}/members")[0] == []
    assert members_told(graph, outer) == []
    lab.call("POST", f"entra/groups/{group}/restore")
    assert members_told(graph, outer) == [group]


def test_a_member_becomes_a_guest(lab: Lab, graph: GraphCaller) -> None:
    user = lab.call("POST", "entra/hire", {"displayName": "Soon Guest"})["id"]
    link = graph.items(USERS)[1]
    lab.call("PATCH", f"entra/users/{user}", {"userType": "Guest"})
    assert [(item["id"], item["userType"]) for item in graph.items(link)[0]] == [(user, "Guest")]
