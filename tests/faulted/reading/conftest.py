"""A small plain company (36 people in 6 teams of 12) that AWS holds, and a Graph that can be told to misbehave."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sync.graph import client
from sync.models import Run, Tenant
from sync.runs.requests import request_run
from sync.worker import execution
from tests.lab_process import Lab
from tests.sync.engine.conftest import assign, sync, wired

__all__ = ["wired"]

COMPANY = ("--people", "36", "--groups", "6", "--memberships", "72", "--aws-tps", "0")
TEAMS = [f"Team {n:04}" for n in range(1, 7)]


@pytest.fixture(scope="module")
def lab_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("lab"), *COMPANY) as lab:
        yield lab


@pytest.fixture
def lab(lab_process: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """AWS is empty and Graph behaves at the start; rounds have several pages, and nobody waits long between tries."""
    monkeypatch.setattr(client, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(client, "LONGEST_WAIT", 0.02)
    behave(lab_process)
    lab_process.call("DELETE", "aws/users")
    lab_process.forget_requests()
    yield lab_process
    behave(lab_process)


def behave(lab: Lab) -> None:
    lab.call("DELETE", "faults")
    lab.call("DELETE", "graph/switches")
    switch(lab, page_size=10, portion=15)


def switch(lab: Lab, **values: Any) -> None:
    lab.call("POST", "graph/switches", values)


def fault(lab: Lab, kind: str, match: str, **facts: Any) -> None:
    lab.call("POST", "faults", {"part": "graph", "kind": kind, "match": match, "times": -1, **facts})


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


@pytest.fixture
def settled(wired: Tenant, lab: Lab) -> Tenant:
    """All six teams are in AWS."""
    assign(wired, *(lab.entra_group(name) for name in TEAMS))
    sync(wired)
    assert len(picture(lab).active) >= 36
    lab.forget_requests()
    lab.call("DELETE", "graph/ledger")
    return wired


def attempt(tenant: Tenant, kind: str = Run.Kind.CHANGES) -> Run:
    """A run that may fail."""
    tenant.refresh_from_db()
    run = request_run(tenant=tenant, kind=kind, trigger=Run.Trigger.COMMAND, enqueue=False, confirmed=True)
    finished = execution.execute_run(run.pk)
    assert finished is not None
    return finished


def hire(lab: Lab, name: str, *teams: dict[str, Any]) -> dict[str, Any]:
    person: dict[str, Any] = lab.call(
        "POST", "entra/hire", {"displayName": name, "groups": [team["id"] for team in teams]}
    )
    return person


def change_members(lab: Lab, team: dict[str, Any], **changes: list[str]) -> None:
    lab.call("POST", f"entra/groups/{team['id']}/members", changes)


def new_team(lab: Lab, name: str, members: list[str]) -> dict[str, Any]:
    group: dict[str, Any] = lab.call("POST", "entra/groups", {"displayName": name, "members": members})
    return group


def graph_requests(lab: Lab, path: str = "") -> list[dict[str, Any]]:
    ledger = lab.call("GET", "graph/ledger")
    return [request for request in ledger if request["part"] == "graph" and path in request["path"]]
