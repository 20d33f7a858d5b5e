"""What a person can make happen from the console's page: everything that a script can, one press at a time."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.lab.callers import person
from tests.world.company import group_of, hire
from tests.world.lab import Lab

pytestmark = pytest.mark.company(5, groups=1, memberships=2)


def page(lab: Lab, pick: str = "") -> str:
    """`pick`: the id of whose buttons are shown."""
    return lab.session.get(lab.facts["console"], params={"pick": pick}, timeout=20).text


def press(lab: Lab, action: str, **fields: str) -> str:
    """One button of the page, if it is there; what the page says then."""
    forms = re.findall(
        rf'<form method="post" action="/actions/{action}"[^>]*>(.*?)</form>', page(lab, fields.get("id", "")), re.DOTALL
    )
    hidden = fields.get("id") or ""
    assert [form for form in forms if hidden in form], action
    answer = lab.session.post(f"{lab.facts['console']}actions/{action}", data=fields, timeout=20, allow_redirects=False)
    assert answer.status_code == 303
    return parse_qs(urlsplit(answer.headers["Location"]).query)["message"][0]


def aws_user(lab: Lab, name: str, **more: Any) -> str:
    return str(lab.call("POST", "aws/users", person(name, **more))["id"])


def held_user(lab: Lab, user_id: str) -> dict[str, Any]:
    return next(user for user in lab.aws()["users"] if user["id"] == user_id)


def ask_aws(lab: Lab, path: str = "Users?count=1") -> requests.Response:
    headers = {"Authorization": f"Bearer {lab.facts['scim_token']}"}
    return lab.session.get(lab.facts["scim_endpoint"] + path, headers=headers, verify=lab.facts["ca_file"], timeout=20)


# Entra


def test_an_account_is_blocked_and_allowed_again(lab: Lab) -> None:
    ada = hire(lab, "Ada Byron")["id"]
    press(lab, "block", id=ada)
    assert lab.entra_user(ada)["accountEnabled"] is False
    press(lab, "block", id=ada)
    assert lab.entra_user(ada)["accountEnabled"] is True


def test_a_group_made_anew_has_its_name_and_members_and_another_id(lab: Lab) -> None:
    ada = hire(lab, "Ada Byron")
    old = group_of(lab, "Engines anew", [ada])["id"]
    assert "another object id" in press(lab, "remake_group", id=old)
    new = lab.entra_group("Engines anew")
    assert new["id"] != old
    assert [member["id"] for member in new["members"]] == [ada["id"]]
    assert old not in lab.call("GET", "entra/ids")["groups"]


def test_a_person_who_came_again_has_the_old_names_and_groups_and_another_id(lab: Lab) -> None:
    group = group_of(lab, "Engines again")
    old = hire(lab, "Ada Again", group, department="Engines")
    press(lab, "remake", id=old["id"])
    (member,) = lab.entra_group("Engines again")["members"]
    new = lab.entra_user(member["id"])
    assert new["id"] != old["id"]
    kept = ("userPrincipalName", "displayName", "department")
    assert [new[name] for name in kept] == [old[name] for name in kept]
    assert old["id"] not in lab.call("GET", "entra/ids")["users"]


def test_two_hundred_are_hired_at_once_and_nobody_is_called_as_another(lab: Lab) -> None:
    group = group_of(lab, "Engines grown")["id"]
    assert press(lab, "hire_many", group=group) == "200 people were hired into the group."
    members = {member["id"] for member in lab.entra_group("Engines grown")["members"]}
    users = [user for user in lab.call("GET", "entra/state")["users"] if user["id"] in members]
    assert len({user["displayName"] for user in users}) == len({user["userPrincipalName"] for user in users}) == 200


def test_a_reorganised_team_has_a_new_lead_and_every_other_one_is_gone(lab: Lab) -> None:
    team = group_of(lab, "Engines divided", [hire(lab, f"Cog {n} Wheel") for n in range(5)])
    press(lab, "reorganise", group=team["id"])
    left = [member["id"] for member in lab.entra_group("Engines divided")["members"]]
    assert len(left) == 3
    managers = {lab.entra_user(key)["manager"] for key in left} - {None}
    assert managers <= set(left)
    assert len(managers) == 1
    assert press(lab, "reorganise", group=group_of(lab, "Nobody's")["id"]).startswith("Not done: A team needs")


def test_back_to_start_brings_the_first_company_back_and_whoever_reads_changes_reads_it_anew(lab: Lab) -> None:
    lab.call("POST", "faults", {"part": "aws", "kind": "status", "status": 500, "times": -1})
    before = lab.call("GET", "connection")
    first = lab.call("GET", "entra/ids")["users"][0]
    lab.call("POST", f"entra/users/{first}/purge")
    newcomer = hire(lab, "Ada Newcomer")["id"]
    press(lab, "back_to_start")
    people = lab.call("GET", "entra/ids")["users"]
    assert (first in people, newcomer in people) == (True, False)
    assert lab.aws()["users"] == lab.call("GET", "faults") == []
    assert lab.call("GET", "connection") == before


# Faults, as the page's switches


def test_a_fault_is_switched_on_counted_and_switched_off(lab: Lab) -> None:
    assert press(lab, "switch_fault", name="token-refused") == "AWS refuses the token: on."
    assert "1 of 8 is on." in page(lab)
    assert ask_aws(lab).status_code == 401
    press(lab, "switch_fault", name="token-refused")
    assert "0 of 8 are on." in page(lab)
    assert ask_aws(lab).status_code == 200
    assert press(lab, "switch_fault", name="nothing").startswith("Not done")


@pytest.mark.parametrize(
    ("name", "path", "status"),
    [("double", "Users", 409), ("lost-write", "Users", 201), ("throttled", "Users", 201)],
)
def test_a_fault_of_one_request_is_off_once_it_has_fired(lab: Lab, name: str, path: str, status: int) -> None:
    press(lab, "switch_fault", name=name)
    headers = {"Authorization": f"Bearer {lab.facts['scim_token']}"}
    url = lab.facts["scim_endpoint"] + path
    answer = lab.session.post(url, json=person("ada"), headers=headers, verify=lab.facts["ca_file"], timeout=20)
    assert answer.status_code == status
    assert len(lab.aws()["users"]) == (name == "throttled")
    assert (f"{0 if name != 'throttled' else 1} of 8" in page(lab)) is True


def test_all_off_ends_every_fault(lab: Lab) -> None:
    for name in ("silent", "graph-throttled", "delta-reset", "graph-denied"):
        press(lab, "switch_fault", name=name)
    assert "4 of 8 are on." in page(lab)
    press(lab, "release_all")
    assert lab.call("GET", "faults") == []


# Days


@pytest.mark.company(5, groups=1, memberships=2, pass_time='["true"]')
def test_thirty_days_empty_the_recycle_bin_and_make_the_token_older(lab: Lab) -> None:
    leaver, other = hire(lab, "Lea Leaver")["id"], hire(lab, "Ole Other")["id"]
    token = lab.aws()["tokens"][0]["expires"]
    press(lab, "leave", id=leaver)
    press(lab, "pass_time", days="1")
    press(lab, "leave", id=other)
    assert press(lab, "pass_time", days="29") == "29 days passed, here and in Lockstep."
    bin_ = {user["id"] for user in lab.call("GET", "entra/state")["users"] if user["deleted"]}
    assert (leaver in bin_, other in bin_) == (False, True)
    assert token - lab.aws()["tokens"][0]["expires"] == pytest.approx(30 * 24 * 3600)


@pytest.mark.company(5, groups=1, memberships=2, pass_time='["sh", "-c", "echo A run is under way. >&2; exit 1"]')
def test_no_day_passes_here_when_the_product_refuses(lab: Lab) -> None:
    token = lab.aws()["tokens"][0]["expires"]
    assert press(lab, "pass_time", days="1") == "Not done: A run is under way."
    assert lab.aws()["tokens"][0]["expires"] == token


def test_days_pass_only_where_the_product_takes_part(lab: Lab) -> None:
    assert "pass_time" not in page(lab)
    answer = lab.session.post(f"{lab.facts['console']}actions/pass_time", data={"days": "1"}, timeout=20)
    assert "in the demo alone" in unescape(answer.text)


# AWS by hand


def test_a_user_of_aws_is_renamed_disabled_and_given_another_external_id(lab: Lab) -> None:
    ada = aws_user(lab, "ada", externalId="e1")
    press(lab, "rename_aws_user", id=ada, name="Ada King")
    press(lab, "disable_aws_user", id=ada)
    press(lab, "set_aws_user_external_id", id=ada, name="e2")
    held = held_user(lab, ada)
    assert (held["displayName"], held["active"], held["externalId"]) == ("Ada King", False, "e2")
    press(lab, "disable_aws_user", id=ada)
    press(lab, "set_aws_user_external_id", id=ada, name="")
    held = held_user(lab, ada)
    assert held["active"] is True
    assert "externalId" not in held


def test_a_user_of_aws_is_put_into_a_group_taken_out_and_deleted(lab: Lab) -> None:
    ada = aws_user(lab, "ada")
    press(lab, "create_aws_group", name="By hand")
    group = lab.aws()["groups"][0]["id"]
    press(lab, "add_aws_member", id=ada, group=group)
    assert lab.aws()["groups"][0]["members"] == [ada]
    press(lab, "remove_aws_member", id=ada, group=group)
    assert lab.aws()["groups"][0]["members"] == []
    press(lab, "delete_aws_user", id=ada)
    assert lab.aws()["users"] == []


def test_a_group_of_aws_is_renamed_given_another_external_id_made_anew_and_deleted(lab: Lab) -> None:
    old = lab.call("POST", "aws/groups", {"displayName": "Old"})["id"]
    press(lab, "rename_aws_group", id=old, name="New")
    press(lab, "set_aws_group_external_id", id=old, name="x")
    assert lab.aws()["groups"] == [{"id": old, "displayName": "New", "externalId": "x", "members": []}]
    press(lab, "remake_aws_group", id=old)
    (group,) = lab.aws()["groups"]
    assert (group["displayName"], group["externalId"], group["id"] == old) == ("New", None, False)
    press(lab, "delete_aws_group", id=group["id"])
    assert lab.aws()["groups"] == []


def test_what_aws_would_not_take_is_refused_in_words(lab: Lab) -> None:
    ada = aws_user(lab, "ada", externalId="e1")
    aws_user(lab, "bob", externalId="e2")
    assert press(lab, "set_aws_user_external_id", id=ada, name="e2").startswith("Not done: Refused")
    assert held_user(lab, ada)["externalId"] == "e1"


# How the services behave


def test_any_number_can_be_set_for_what_others_take_and_how_long_answers_need(lab: Lab) -> None:
    press(lab, "set_switch", name="others", value="6")
    press(lab, "set_switch", name="retry_after", value="7")
    press(lab, "set_switch", name="answer_ms", value="150")
    shown = lab.call("GET", "aws/switches")
    assert [shown[name]["value"] for name in ("others", "retry_after", "answer_ms")] == ["6", "7", "150"]
    assert 'type="number" min="0" value="150" aria-label="answer_ms"' in page(lab)
    assert ask_aws(lab).elapsed.total_seconds() >= 0.15
    assert press(lab, "set_switch", name="others", value="many").startswith("Not done")


@pytest.mark.company(5, groups=1, memberships=2, aws_tps=20)
def test_what_others_take_of_the_quota_is_missing(lab: Lab) -> None:
    """With 19 of 20 taken one request a second is left, and a 429 asks for the wait that is set."""
    press(lab, "set_switch", name="others", value="19")
    press(lab, "set_switch", name="retry_after", value="40")
    answers = [ask_aws(lab) for _ in range(4)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) >= 2
    assert {answer.headers["Retry-After"] for answer in refused} == {"40"}


def test_graph_is_made_to_misbehave(lab: Lab) -> None:
    press(lab, "set_graph_switch", name="limited_info", value="true")
    press(lab, "set_graph_switch", name="lag", value="2")
    press(lab, "set_graph_switch", name="expiry", value="404")
    press(lab, "set_graph_switch", name="drop_members_of", value='{"g": 1}')
    shown = lab.call("GET", "graph/switches")
    found = {name: shown[name]["value"] for name in ("limited_info", "lag", "expiry", "drop_members_of")}
    assert found == {"limited_info": True, "lag": 2, "expiry": "404", "drop_members_of": {"g": 1}}
    assert unescape(page(lab)).count('value="{"g": 1}"') == 1
    assert press(lab, "set_graph_switch", name="lag", value="many").startswith("Not done")


@pytest.mark.company(5, groups=1, memberships=2, aws_speed=100)
def test_a_fast_aws_answers_as_much_sooner(lab: Lab) -> None:
    press(lab, "set_switch", name="answer_ms", value="6000")
    assert 0.06 <= ask_aws(lab).elapsed.total_seconds() < 6
