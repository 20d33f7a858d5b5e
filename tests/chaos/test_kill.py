"""Worker child and parent killed (-9) at three named points: nobody is lost, nobody is made twice, work goes on."""

import os
import signal
import sqlite3
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.world.prepared import NewState
from tests.world.programs import until
from tests.world.up import Up

# A death at each step of a run: tests/chaos/test_every_step.py. Here the lease and the broker are those of `up`.
pytestmark = [pytest.mark.process, pytest.mark.nightly]

PEOPLE = 5
# The lease of the product is 25 s; a short one makes the same story quick to tell.
LEASE_SECONDS = 4

START = """
from sync.configuration import assignments, mappings, versions
from sync.directory.live import Found
from sync.models import Run, Tenant
from sync.runs.requests import request_run
tenant = Tenant.objects.get(slug="rehearsal")
if {first}:
    mappings.apply_recommended(actor="chaos", tenant=tenant)
    for row in tenant.configurations.get().assignments.all():
        assignments.unassign_object(actor="chaos", tenant=tenant, assignment=row)
assignments.assign_objects(actor="chaos", tenant=tenant, chosen=[Found("group", "{group}", "{name}", "", "")])
if not {first}:
    versions.make_version(tenant.configurations.draft(), actor="chaos")
print(request_run(tenant=tenant, kind=Run.Kind.CHANGES, trigger=Run.Trigger.PERSON, actor="chaos", confirmed=True).pk)
"""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, new_state: NewState) -> Iterator[Up]:
    with Up(new_state(tmp_path_factory.mktemp("chaos") / "var"), "--demo", LEASE_SECONDS=str(LEASE_SECONDS)) as running:
        yield running


@pytest.mark.parametrize("victim", ["child", "parent"])
@pytest.mark.parametrize("point", ["reading", "sent", "answered"])
def test_a_killed_worker_costs_nothing_but_time(up: Up, point: str, victim: str) -> None:
    group, people = hire_a_group(up)
    fault = up.lab("POST", "faults", FAULTS[point])
    run = start_run(up, group)
    until(lambda: fired(up, fault["id"]))
    with database_locked(up) if point == "answered" else nothing():
        if point == "answered":
            up.lab("POST", f"faults/{fault['id']}/release")
            until(lambda: up.lab("GET", "aws/ledger")[-1]["answered"])
        kill(up, victim)
        killed_at = time.monotonic()
    up.lab("DELETE", "faults")
    until(lambda: state_of(up, run) in ("completed", "failed"), 90)
    assert state_of(up, run) == "completed"
    assert time.monotonic() - killed_at < 60
    everything_arrived_once(up, group, people)


FAULTS: dict[str, dict[str, Any]] = {
    "reading": {"part": "graph", "kind": "hold_before", "match": "groups/delta"},
    # Applied by AWS, the answer never comes.
    "sent": {"part": "aws", "kind": "hold_after", "match": "POST .*/Users"},
    # The answer comes, the result cannot be committed.
    "answered": {"part": "aws", "kind": "hold_before", "match": "POST .*/Users"},
}


def hire_a_group(up: Up) -> tuple[dict[str, Any], set[str]]:
    name = f"Chaos-{uuid.uuid4().hex[:8]}"
    people = [up.lab("POST", "entra/hire", {"displayName": f"{name} {n}"}) for n in range(PEOPLE)]
    group = up.lab("POST", "entra/groups", {"displayName": name, "members": [one["id"] for one in people]})
    up.lab("DELETE", "aws/ledger")
    return group, {one["userPrincipalName"] for one in people}


def start_run(up: Up, group: dict[str, Any]) -> int:
    first = not up.lab("GET", "aws/state")["users"]
    code = START.format(first=first, group=group["id"], name=group["displayName"])
    return int(up.manage("shell", "-c", code).split()[-1])


def fired(up: Up, fault_id: int) -> bool:
    return any(fault["id"] == fault_id and fault["fired"] for fault in up.lab("GET", "faults"))


def kill(up: Up, victim: str) -> None:
    """The worker's pool processes are children of its main process."""
    parent, *pool = up.pids("worker --hostname runs@")
    for pid in pool if victim == "child" else [parent]:
        os.kill(pid, signal.SIGKILL)


class nothing:  # noqa: N801 - reads as a word where it is used
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


class database_locked:  # noqa: N801
    """Nobody else can write while the block runs."""

    def __init__(self, up: Up) -> None:
        self.path = up.state / "lockstep.sqlite3"

    def __enter__(self) -> None:
        self.connection = sqlite3.connect(self.path, isolation_level=None, timeout=20)
        self.connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, *_: object) -> None:
        self.connection.execute("ROLLBACK")
        self.connection.close()


def state_of(up: Up, run: int) -> str:
    connection = sqlite3.connect(f"file:{up.state / 'lockstep.sqlite3'}?mode=ro", uri=True, timeout=20)
    try:
        [state] = connection.execute("SELECT state FROM sync_run WHERE id = ?", (run,)).fetchone()
        return str(state)
    finally:
        connection.close()


def everything_arrived_once(up: Up, group: dict[str, Any], people: set[str]) -> None:
    state = up.lab("GET", "aws/state")
    names = {user["id"]: user["userName"] for user in state["users"]}
    held = next(found for found in state["groups"] if found["displayName"] == group["displayName"])
    assert {names[member] for member in held["members"]} == people
    made: Counter[str] = Counter()
    for entry in up.lab("GET", "aws/ledger"):
        if entry["method"] == "POST" and entry["applied"]:
            made[entry["request"].get("userName") or entry["request"]["displayName"]] += 1
    assert set(made.values()) <= {1}
