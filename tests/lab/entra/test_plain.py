"""The plain company: as many people, teams and memberships as asked for, and nobody odd."""

from collections import Counter
from typing import Any

import pytest

from tests.world.lab import Lab

pytestmark = pytest.mark.company(300, groups=20, memberships=1500, aws_latency_ms=30)


@pytest.fixture(scope="module")
def state(lab_process: Lab) -> dict[str, Any]:
    found: dict[str, Any] = lab_process.call("GET", "entra/state")
    return found


def test_everybody_is_unique_and_has_one_phone(state: dict[str, Any]) -> None:
    assert len(state["users"]) == 300
    for name in ("userPrincipalName", "mail", "displayName"):
        assert len({user[name] for user in state["users"]}) == 300
    assert all(len(user["businessPhones"]) == 1 for user in state["users"])
    assert all(user[name] for user in state["users"] for name in ("givenName", "surname", "jobTitle", "department"))


def test_memberships_are_spread_evenly(state: dict[str, Any]) -> None:
    assert [group["displayName"] for group in state["groups"]] == [f"Team {n:04}" for n in range(1, 21)]
    assert {len(group["members"]) for group in state["groups"]} == {75}
    held = Counter(member["id"] for group in state["groups"] for member in group["members"])
    assert set(held.values()) == {5}


def test_teams_differ(state: dict[str, Any]) -> None:
    assert len({tuple(sorted(member["id"] for member in group["members"])) for group in state["groups"]}) == 20


def test_timings_tell_what_the_lab_took(lab: Lab) -> None:
    lab.call("DELETE", "timings")
    url = lab.facts["scim_endpoint"] + "ServiceProviderConfig"
    answer = lab.session.get(url, verify=lab.facts["ca_file"], timeout=10)
    assert answer.elapsed.total_seconds() >= 0.03
    timings = lab.call("GET", "timings")
    assert timings["aws_requests"] == 1
    assert 0 < timings["aws_seconds"] < 0.03
    assert 0 < timings["aws_cpu_seconds"] < 0.03
    assert timings["graph_requests"] == 0
