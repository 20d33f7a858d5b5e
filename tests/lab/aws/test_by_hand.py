"""AWS changed by hand, and its switches that make it forget, refuse or rewrite: over HTTPS against the lab's process."""

from typing import Any

import pytest
import requests

from tests.lab.callers import person
from tests.world.lab import Lab


def scim(lab: Lab, method: str, path: str, body: Any = None) -> requests.Response:
    headers = {"Authorization": f"Bearer {lab.facts['scim_token']}"}
    url = lab.facts["scim_endpoint"] + path
    return lab.session.request(method, url, json=body, headers=headers, verify=lab.facts["ca_file"], timeout=20)


def find(lab: Lab, query: str) -> list[Any]:
    found: list[Any] = scim(lab, "GET", query).json()["Resources"]
    return found


def refused(lab: Lab, method: str, path: str, body: Any) -> int:
    return lab.session.request(method, f"{lab.facts['console']}api/{path}", json=body, timeout=20).status_code


ADA = 'Users?filter=userName eq "ada@corp.example"'


def test_a_user_is_edited_by_hand(lab: Lab) -> None:
    user = scim(lab, "POST", "Users", person("ada", externalId="e1", title="Countess")).json()
    lab.call("PATCH", f"aws/users/{user['id']}", {"displayName": "Changed", "active": False, "title": None})
    found = scim(lab, "GET", f"Users/{user['id']}").json()
    assert (found["displayName"], found["active"], found["externalId"]) == ("Changed", False, "e1")
    assert "title" not in found
    assert [row["method"] for row in lab.requests()] == ["POST", "GET"]


def test_a_user_is_not_edited_into_nonsense(lab: Lab) -> None:
    ada, bob = (scim(lab, "POST", "Users", person(name)).json() for name in ("ada", "bob"))
    assert refused(lab, "PATCH", f"aws/users/{ada['id']}", {"userName": bob["userName"]}) == 409
    assert refused(lab, "PATCH", f"aws/users/{ada['id']}", {"userName": None}) == 400
    assert refused(lab, "PATCH", "aws/users/nobody", {"title": "x"}) == 404


def test_a_group_is_made_renamed_filled_and_deleted_by_hand(lab: Lab) -> None:
    ada, bob = (scim(lab, "POST", "Users", person(name)).json()["id"] for name in ("ada", "bob"))
    group = lab.call("POST", "aws/groups", {"displayName": "By hand", "members": [ada]})["id"]
    lab.call("PATCH", f"aws/groups/{group}", {"displayName": "Renamed", "externalId": "x"})
    lab.call("POST", f"aws/groups/{group}/members", {"add": [bob], "remove": [ada]})
    held = {"id": group, "displayName": "Renamed", "externalId": "x", "members": [bob]}
    assert lab.aws()["groups"] == [held]
    assert [one["id"] for one in find(lab, f'Groups?filter=members.value eq "{bob}"')] == [group]
    lab.call("DELETE", f"aws/groups/{group}")
    assert lab.aws()["groups"] == []


def test_a_group_is_made_anew_by_hand_under_another_id(lab: Lab) -> None:
    ada = scim(lab, "POST", "Users", person("ada")).json()["id"]
    old = lab.call("POST", "aws/groups", {"displayName": "By hand", "externalId": "x", "members": [ada]})["id"]
    new = lab.call("POST", f"aws/groups/{old}/remake")["id"]
    assert new != old
    assert lab.aws()["groups"] == [{"id": new, "displayName": "By hand", "externalId": None, "members": [ada]}]
    assert refused(lab, "POST", f"aws/groups/{old}/remake", None) == 404


def test_strangers_do_not_become_members_by_hand(lab: Lab) -> None:
    assert refused(lab, "POST", "aws/groups", {"displayName": "G", "members": ["nobody"]}) == 404
    assert lab.aws()["groups"] == []
    assert refused(lab, "POST", "aws/groups/none/members", {"add": []}) == 404
    assert refused(lab, "DELETE", "aws/groups/none", None) == 404


def test_look_ups_do_not_find_the_new_for_some_requests(lab: Lab) -> None:
    lab.call("POST", "aws/switches", {"stale_requests": 2})
    user = scim(lab, "POST", "Users", person("ada")).json()
    assert scim(lab, "GET", f"Users/{user['id']}").status_code == 200
    assert [len(find(lab, ADA)) for _ in range(3)] == [0, 0, 1]
    assert scim(lab, "POST", "Users", person("ada")).status_code == 409


def test_look_ups_do_not_find_the_new_for_some_time(lab: Lab) -> None:
    lab.call("POST", "aws/switches", {"stale_seconds": 3600})
    scim(lab, "POST", "Users", person("ada"))
    assert find(lab, ADA) == find(lab, ADA) == []
    assert len(find(lab, "Users")) == 1
    lab.call("DELETE", "aws/switches")
    assert len(find(lab, ADA)) == 1


def test_creates_above_the_quota_are_refused_and_updates_go_on(lab: Lab) -> None:
    lab.call("POST", "aws/switches", {"user_quota": 1, "group_quota": 1})
    ada = scim(lab, "POST", "Users", person("ada")).json()
    answer = scim(lab, "POST", "Users", person("bob"))
    assert (answer.status_code, answer.json()["detail"]) == (400, "The quota of 1 users is used up.")
    change = {"Operations": [{"op": "replace", "path": "active", "value": False}]}
    assert scim(lab, "PATCH", f"Users/{ada['id']}", change).status_code == 200
    assert scim(lab, "POST", "Groups", {"displayName": "One"}).status_code == 201
    assert scim(lab, "POST", "Groups", {"displayName": "Two"}).status_code == 400


def test_values_are_kept_in_another_form(lab: Lab) -> None:
    lab.call("POST", "aws/switches", {"normalise": "on"})
    body = person("x") | {"userName": "Zoe\u0308@Corp.example"}
    body["emails"][0]["value"] = " Zoe\u0308@Corp.example "
    stored = scim(lab, "POST", "Users", body).json()
    assert stored["userName"] == stored["emails"][0]["value"] == "zo\u00eb@corp.example"


def test_numbers_are_numbers(lab: Lab) -> None:
    assert refused(lab, "POST", "aws/switches", {"user_quota": "many"}) == 400
    assert lab.call("GET", "aws/switches")["user_quota"]["value"] == "0"


def test_the_page_offers_the_number_that_is_set(lab: Lab) -> None:
    lab.call("POST", "aws/switches", {"user_quota": 7})
    page = lab.session.get(lab.facts["console"], timeout=20).text
    assert '<input name="value" type="number" min="0" value="7" aria-label="user_quota">' in page


@pytest.mark.parametrize(("method", "switch"), [("PATCH", "false_404_writes"), ("GET", "false_404_reads")])
def test_aws_says_404_of_what_is_there_as_often_as_asked(lab: Lab, method: str, switch: str) -> None:
    user = scim(lab, "POST", "Users", person("ada")).json()["id"]
    body = {"Operations": [{"op": "replace", "path": "title", "value": "x"}]} if method == "PATCH" else None
    lab.call("POST", "aws/switches", {switch: "2"})
    assert [scim(lab, method, f"Users/{user}", body).status_code for _ in range(3)] == [404, 404, 200]
