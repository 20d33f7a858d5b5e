"""kill -9 at every named step of a run: nothing twice, no write without its entry, the same end as without a kill."""

import os
import signal
from collections import Counter
from typing import Any

import pytest
from django.db import connections

from sync.configuration import mappings
from sync.models import Operation, Result, Run, Tenant
from sync.runs import checkpoints
from sync.runs.requests import request_run
from sync.tenants import services
from sync.worker import execution
from tests.world.examples import by_night
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, connect, sync

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.process,
    pytest.mark.company(5, groups=1, memberships=2),
]

WRITES = ("POST", "PATCH", "DELETE")
# Without these the learning run would have learned nothing.
EXPECTED = {
    "lease claimed", "run begun", "token got", "page applied", "snapshot sealed", "plan batch stored", "plan stored",
    "intent committed", "before send", "after answer", "result committed", "watermark moved", "run ended", "notified",
    "lease released",
}  # fmt: skip
# What is passed again and again while AWS is written: killed the first and the second time.
TWICE = {"plan batch stored", "intent committed", "before send", "after answer", "result committed"}

Json = dict[str, Any]


class World:
    """A tenant of its own, in the middle of a story: half of it is written, a run for the rest is asked for."""

    def __init__(self, lab: Lab, number: int) -> None:
        self.lab = lab
        self.prefix = f"k{number:03}"
        lab.begin_anew()
        self.tenant = services.create_tenant(actor=ACTOR, name=self.prefix)
        connect(self.tenant, lab)
        mappings.apply_recommended(actor=ACTOR, tenant=self.tenant)
        self.people = [self.hire(n) for n in range(4)]
        self.old = self.group("old", self.people)
        assign(self.tenant, self.old)
        sync(self.tenant)
        self.change()
        lab.forget_requests()
        self.run = request_run(
            tenant=self.tenant, kind=Run.Kind.CHANGES, trigger=Run.Trigger.COMMAND, enqueue=False, confirmed=True
        )

    def hire(self, number: int) -> Json:
        person: Json = self.lab.call("POST", "entra/hire", {"displayName": f"{self.prefix} Person{number}"})
        return person

    def group(self, name: str, people: list[Json]) -> Json:
        facts = {"displayName": f"{self.prefix}-{name}", "members": [one["id"] for one in people]}
        group: Json = self.lab.call("POST", "entra/groups", facts)
        return group

    def change(self) -> None:
        """Every kind of write: creates, an update, a disable, a rename, members in and out."""
        joining = [self.hire(n) for n in (4, 5)]
        assign(self.tenant, self.group("new", [*joining, self.people[0]]))
        self.lab.call("PATCH", f"entra/users/{self.people[0]['id']}", {"jobTitle": "Chief"})
        self.lab.call("POST", f"entra/users/{self.people[1]['id']}/leave")
        self.lab.call("PATCH", f"entra/groups/{self.old['id']}", {"displayName": f"{self.prefix}-renamed"})
        change = {"add": [joining[0]["id"]], "remove": [self.people[0]["id"]]}
        self.lab.call("POST", f"entra/groups/{self.old['id']}/members", change)

    def state(self) -> tuple[set[Any], dict[str, list[str]]]:
        """What AWS holds, without what differs from one world to the next."""
        told = self.lab.aws()
        names = {user["id"]: user["displayName"].removeprefix(self.prefix) for user in told["users"]}
        people = {(names[user["id"]], user.get("title"), user["active"]) for user in told["users"]}
        groups = {
            group["displayName"].removeprefix(self.prefix): sorted(names[member] for member in group["members"])
            for group in told["groups"]
        }
        return people, groups


def killed(run: Run, step: str, occurrence: int) -> bool:
    """Carries the run out in a process that dies by SIGKILL when it passes the step for the n-th time."""
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        passed: Counter[str] = Counter()

        def listen(name: str) -> None:
            passed[name] += 1
            if name == step and passed[name] == occurrence:
                os.kill(os.getpid(), signal.SIGKILL)

        checkpoints.listeners.append(listen)
        execution.execute_run(run.pk)
        os._exit(0)
    _pid, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def learn(run: Run) -> Counter[str]:
    passed: Counter[str] = Counter()

    def listen(name: str) -> None:
        passed[name] += 1

    checkpoints.listeners.append(listen)
    try:
        execution.execute_run(run.pk)
    finally:
        checkpoints.listeners.remove(listen)
    return passed


def test_a_kill_at_any_step_changes_nothing_in_the_end(db: None, lab: Lab) -> None:
    reference = World(lab, 0)
    learned = learn(reference.run)
    assert learned.keys() >= EXPECTED
    expected = reference.state()
    reference.run.refresh_from_db()
    points = [(step, n) for step, times in learned.items() for n in (1, 2) if n <= times and (n == 1 or step in TWICE)]
    for number, (step, occurrence) in enumerate(points if by_night() else points[::3], 1):
        world = World(lab, number)
        assert killed(world.run, step, occurrence), f"{step} ({occurrence}) was not passed"
        # The lease of the dead runs out.
        Tenant.objects.filter(pk=world.tenant.pk).update(lease_expires_at=None)
        execution.execute_run(world.run.pk)
        world.run.refresh_from_db()
        where = f"killed at {step} ({occurrence})"
        assert world.run.state == Run.State.COMPLETED, (where, world.run.problem, world.run.problem_detail)
        assert world.state() == expected, where
        assert written(world.run) == written(reference.run), where
        nothing_twice_and_nothing_unlogged(world, where)


def written(run: Run) -> dict[str, int]:
    """What it counts, but for those who stay as they are: after a kill at its end they are not looked at again."""
    return {name: count for name, count in run.counts.items() if name != "no_change"}


def nothing_twice_and_nothing_unlogged(world: World, where: str) -> None:
    logged = set(Operation.objects.filter(tenant=world.tenant).values_list("scim_id", flat=True))
    made: Counter[str] = Counter()
    for entry in world.lab.requests():
        if entry["method"] not in WRITES or not entry["applied"]:
            continue
        if entry["method"] == "POST":
            made[entry["request"]["displayName"]] += 1
        scim_id = entry["response"]["id"] if entry["method"] == "POST" else entry["path"].rpartition("/")[2]
        assert scim_id in logged, (where, entry)
    assert set(made.values()) <= {1}, (where, made)
    open_rows = Operation.objects.filter(tenant=world.tenant, result__in=(Result.PLANNED, Result.SENT))
    assert not open_rows.exists(), where
