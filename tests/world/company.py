"""What happens in the company (Entra ID) and how Graph tells it, and what AWS holds and was asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.world.lab import Lab

Json = dict[str, Any]
# Of a company with `groups=6`.
TEAMS = [f"Team {n:04}" for n in range(1, 7)]


def hire(lab: Lab, name: str, *groups: Json, **facts: Any) -> Json:
    """`facts`: Graph's properties, and `manager`."""
    body = {"displayName": name, "groups": [group["id"] for group in groups], **facts}
    person: Json = lab.call("POST", "entra/hire", body)
    return person


def people(lab: Lab, count: int, word: str = "Per") -> list[Json]:
    return [hire(lab, f"{word} {n} Son") for n in range(count)]


def leave(lab: Lab, *people: Json) -> None:
    for one in people:
        lab.call("POST", f"entra/users/{one['id']}/leave")


def change(lab: Lab, person: Json, **facts: Any) -> None:
    lab.call("PATCH", f"entra/users/{person['id']}", facts)


def group_of(lab: Lab, name: str, members: Iterable[Json] = ()) -> Json:
    """`members`: people or groups."""
    group: Json = lab.call("POST", "entra/groups", {"displayName": name, "members": [one["id"] for one in members]})
    return group


def change_members(lab: Lab, group: Json, **changes: list[str]) -> None:
    """`add` and `remove`: ids."""
    lab.call("POST", f"entra/groups/{group['id']}/members", changes)


def switch(lab: Lab, **values: Any) -> None:
    """How Graph behaves."""
    lab.call("POST", "graph/switches", values)


def fault(lab: Lab, kind: str, match: str, **facts: Any) -> None:
    lab.call("POST", "faults", {"part": "graph", "kind": kind, "match": match, "times": -1, **facts})


def graph_requests(lab: Lab, path: str = "") -> list[dict[str, Any]]:
    ledger = lab.call("GET", "graph/ledger")
    return [request for request in ledger if request["part"] == "graph" and path in request["path"]]


def names(lab: Lab) -> set[str]:
    return {user["userName"] for user in lab.aws()["users"]}


def active(lab: Lab) -> set[str]:
    """Entra's ids of those who may sign in."""
    return {user["externalId"] for user in lab.aws()["users"] if user["active"]}


def aws_group(lab: Lab, name: str) -> Json:
    return next(group for group in lab.aws()["groups"] if group["displayName"] == name)


def aws_user(lab: Lab, external_id: str) -> Json:
    return next(user for user in lab.aws()["users"] if user.get("externalId") == external_id)


@dataclass(frozen=True)
class Picture:
    """Who has what in AWS."""

    active: frozenset[str]
    members: dict[str, frozenset[str]]


def picture(lab: Lab) -> Picture:
    """By Entra ids; groups by name."""
    state = lab.aws()
    ids = {user["id"]: user.get("externalId", user["userName"]) for user in state["users"]}
    active = frozenset(ids[user["id"]] for user in state["users"] if user["active"])
    members = {group["displayName"]: frozenset(ids[key] for key in group["members"]) for group in state["groups"]}
    return Picture(active, members)


def lost(before: Picture, after: Picture) -> list[str]:
    """What somebody had before and has no more."""
    people = [f"{key} is disabled" for key in before.active - after.active]
    return people + [
        f"{key} left {name}" for name, had in before.members.items() for key in had - after.members.get(name, set())
    ]


def writes(lab: Lab) -> list[dict[str, Any]]:
    return [request for request in lab.requests() if request["method"] != "GET"]
