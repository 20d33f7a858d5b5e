"""The made-up company at its smallest useful size: everybody odd, nested groups, guests, and groups that differ."""

from typing import Any

import pytest

from tests.world.lab import Lab

pytestmark = pytest.mark.company(60)

ODD = {
    "no-last-name", "no-first-name", "no-mail", "non-latin", "arabic", "combining", "zero-width", "very-long",
    "apostrophe", "two-phones", "twin-one", "twin-two", "disabled",
}  # fmt: skip


@pytest.fixture(scope="module")
def users(lab_process: Lab) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = lab_process.call("GET", "entra/state")["users"]
    return found


@pytest.fixture(scope="module")
def groups(lab_process: Lab) -> dict[str, dict[str, Any]]:
    return {group["displayName"]: group for group in lab_process.call("GET", "entra/state")["groups"]}


def members(group: dict[str, Any], kind: str = "user") -> set[str]:
    return {member["id"] for member in group["members"] if member["type"] == kind}


def test_sixty_people_have_everybody_odd_among_them(users: list[Any], groups: dict[str, Any]) -> None:
    assert len(users) == 60
    odd = {user["id"] for user in users if user["userPrincipalName"].partition("@")[0] in ODD}
    assert len(odd) == len(ODD)
    assert members(groups["Awkward-Cast"]) == odd
    assert sum(user["userType"] == "Guest" for user in users) == 8
    assert any(user.get("mobilePhone") and user["businessPhones"] for user in users)
    assert any(user.get("faxNumber") for user in users)


def test_groups_nest_and_two_hold_each_other(groups: dict[str, Any]) -> None:
    nested = [("AWS-Admins", "Security team"), ("Engineering team", "Support team"), ("Project 30", "Project 31")]
    for outer, inner in [*nested, ("Project 31", "Project 30")]:
        assert members(groups[outer], "group") == {groups[inner]["id"]}


def test_each_kind_of_group_is_there(groups: dict[str, Any]) -> None:
    assert (len(members(groups["AWS-Developers"])), len(members(groups["AWS-Admins"]))) == (24, 6)
    dynamic = [group for group in groups.values() if "DynamicMembership" in group["groupTypes"]]
    assert len(dynamic) == 8
    assert all(group["members"] for group in groups.values())
    assert sum("Unified" in group["groupTypes"] for group in groups.values()) == 8


def test_groups_of_a_small_company_differ(groups: dict[str, Any]) -> None:
    everybody = members(groups["All-Hands"])
    others = [group for name, group in groups.items() if name.startswith(("Large", "Project")) or name.endswith("team")]
    assert all(members(group) < everybody for group in others)
    assert len({frozenset(members(group)) for group in others}) == len(others)
