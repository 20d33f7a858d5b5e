"""How long a change in Entra takes until AWS holds it: with Graph's change notifications, and without them at an interval of a minute.

`python3 run.py bench notifications [--changes 50] [--every 6] [--activations 10]`: starts the demo with all its processes, renames people
in the lab's Entra one after the other, and looks for the new names in its AWS; then lets somebody become a member of a group for a
while, as PIM does, and measures the way in and out. JSON: seconds at the median, the 95th percentile and the worst.
"""

import argparse
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rig import ROOT, machine, publish

from tests.world.programs import until
from tests.world.up import Up

LOOK, PATIENCE = 0.25, 300
TENANT, TEAM = "rehearsal", "AWS-Admins"
FORGET = (
    "from django.utils import timezone; from datetime import timedelta; from sync.models import GraphSubscription as G; "
    "G.objects.update(subscription_id='', next_at=timezone.now() + timedelta(days=9))"
)
ACTIVE = "from sync.models import GraphSubscription as G; print(sum(one.active for one in G.objects.all()))"
EVERY_MINUTE = "from sync.models import Tenant; Tenant.objects.update(interval=1)"


class Company:
    """The demo's Entra and AWS, by the lab's console."""

    def __init__(self, up: Up) -> None:
        self.call = up.lab

    def names(self) -> set[str]:
        return {user["displayName"] for user in self.call("GET", "aws/state")["users"]}

    def members(self, group: str) -> int:
        [found] = [one for one in self.call("GET", "aws/state")["groups"] if one["displayName"] == group]
        return len(found["members"])

    def team(self, name: str) -> Any:
        return next(one for one in self.call("GET", "entra/state")["groups"] if one["displayName"] == name)


def main() -> None:
    parser = argparse.ArgumentParser(prog="run.py bench notifications", description=__doc__)
    parser.add_argument("--changes", type=int, default=50)
    parser.add_argument("--every", type=float, default=6.0, help="seconds between two changes")
    parser.add_argument("--activations", type=int, default=10)
    parser.add_argument("--out", default="", help="also write the JSON there")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="lockstep-notifications-") as folder,
        Up(Path(folder) / "s", "--demo") as up,
    ):
        company = Company(up)
        people = turn_on(up, company, options.changes)
        found = {
            "with_notifications": renamed(company, people, options.every, "Told"),
            "activation_in": activated(company, people[0], options.activations, "add"),
            "activation_out": activated(company, people[0], options.activations, "remove"),
        }
        manage(up, "shell", "-c", FORGET)
        found["at_one_minute"] = renamed(company, people, options.every, "Untold")
    publish({"workload": vars(options), "machine": machine() | {"load": os.getloadavg()[1]}, **found}, options.out)


def manage(up: Up, *words: str) -> str:
    command = [sys.executable, "manage.py", *words]
    done = subprocess.run(command, cwd=ROOT, env=up.child_environment(), capture_output=True, text=True, check=False)
    assert done.returncode in (0, 3), done.stdout + done.stderr
    return done.stdout


def turn_on(up: Up, company: Company, count: int) -> list[Any]:
    """With everybody written, and people of whom the names are changed."""
    team, hire = company.team("AWS-Developers"), "entra/hire"
    people = [company.call("POST", hire, {"displayName": f"Bench {n}", "groups": [team["id"]]}) for n in range(count)]
    manage(up, "sync", TENANT, "--confirm")
    manage(up, "turn_on", TENANT)
    manage(up, "shell", "-c", EVERY_MINUTE)
    until(lambda: {one["displayName"] for one in people} <= company.names(), PATIENCE)
    until(lambda: manage(up, "shell", "-c", ACTIVE).strip().endswith("2"), PATIENCE)
    return people


def renamed(company: Company, people: list[Any], every: float, word: str) -> dict[str, float]:
    """One change after the other at a steady pace, whatever became of those before."""
    begun: dict[str, float] = {}
    took: dict[str, float] = {}
    start = time.monotonic()
    while len(took) < len(people):
        if len(begun) < len(people) and time.monotonic() >= start + every * len(begun):
            one = people[len(begun)]
            name = f"{word} {len(begun)}"
            begun[name] = time.monotonic()
            company.call("PATCH", f"entra/users/{one['id']}", {"displayName": name})
        took |= {name: time.monotonic() - begun[name] for name in company.names() & begun.keys() - took.keys()}
        assert time.monotonic() - start < every * len(people) + PATIENCE, "not all of it arrived"
        time.sleep(LOOK)
    return figures(list(took.values()))


def activated(company: Company, person: Any, times: int, change: str) -> dict[str, float]:
    """Seconds until AWS has one member more, or one less; the other way between is not measured."""
    team, took = company.team(TEAM), []
    back = {"add": "remove", "remove": "add"}[change]
    for _ in range(times):
        for way in (change, back) if change == "add" else (back, change):
            seconds = one_way(company, team, way, person["id"])
            took += [seconds] if way == change else []
    return figures(took)


def one_way(company: Company, team: Any, way: str, person: str) -> float:
    before, began = company.members(TEAM), time.monotonic()
    wanted: Callable[[], bool] = lambda: company.members(TEAM) == before + (1 if way == "add" else -1)  # noqa: E731
    company.call("POST", f"entra/groups/{team['id']}/members", {way: [person]})
    until(wanted, PATIENCE)
    return time.monotonic() - began


def figures(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    p95 = ordered[max(0, math.ceil(0.95 * len(ordered)) - 1)]
    found = {"median": statistics.median(ordered), "p95": p95, "worst": ordered[-1]}
    return {"count": len(ordered), **{name: round(value, 2) for name, value in found.items()}}


if __name__ == "__main__":
    main()
