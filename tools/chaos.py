"""`python3 run.py chaos [--tenants 4] [--people 40] [--lease 25] [--only NAME …] [--out FILE]`: the disturbances of docs/reliability.md,
replayed against real PostgreSQL, Redis, two workers, beat and web.

Before each one everybody in every tenant gets another job title; while the runs that write it go on, the disturbance comes. Then
every run has to be completed by itself, every person to have been written exactly once, AWS to hold the new title, and
nobody to have been told of an error.
"""

import argparse
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.rig import machine, publish
from tests.world.fleet import Fleet, fleet
from tests.world.lab import Lab
from tests.world.programs import until

OPEN = "SELECT 1 FROM sync_run WHERE finished_at IS NULL"
LONGEST = 180.0


def rolling(found: Fleet) -> None:
    """As an upgrade does it."""
    for name in ("runs0", "runs1"):
        found.processes[name].stop()
        found.worker(name)


def killed(found: Fleet) -> None:
    """One worker altogether, and of the other one a child."""
    found.processes["runs0"].kill()
    found.processes["runs1"].kill(found.processes["runs1"].pids()[-1])
    found.worker("runs0")


def broker_away(found: Fleet) -> None:
    found.redis.stop()
    time.sleep(20)
    found.redis.start()


def broker_forgets(found: Fleet) -> None:
    """Everything, with a second beat beside the first."""
    found.beat("beat2")
    with found.redis.client() as client:
        client.flushall()


def database_restarted(found: Fleet) -> None:
    found.database.control("restart", "-m", "fast")


def database_away(found: Fleet) -> None:
    found.database.control("stop", "-m", "fast")
    time.sleep(2)
    found.database.control("start")


def database_crashed(found: Fleet) -> None:
    found.database.control("stop", "-m", "immediate")
    time.sleep(9)
    found.database.control("start")


DISTURBANCES: dict[str, tuple[str, Callable[[Fleet], None]]] = {
    "rolling": ("each worker replaced by SIGTERM and a new one", rolling),
    "killed": ("kill -9 of one worker, and of a child of the other", killed),
    "broker-away": ("Redis away for 20 s", broker_away),
    "broker-forgets": ("FLUSHALL, and a second beat", broker_forgets),
    "database-restarted": ("PostgreSQL restarted at once (fast)", database_restarted),
    "database-away": ("PostgreSQL away for 2 s (fast)", database_away),
    "database-crashed": ("PostgreSQL crashed, away for 9 s (immediate)", database_crashed),
}


def main() -> int:
    options = arguments()
    company = ("--people", str(options.people), "--groups", "2", "--memberships", str(options.people))
    settings = {"LEASE_SECONDS": str(options.lease), "SCIM_RATE": "10", "INSECURE": "1"}
    labs = (*company, "--aws-tps", "0", "--aws-latency-ms", "50")
    with fleet(options.tenants, labs, **settings) as found:
        begin(found, options.tenants)
        rows = [replay(found, name) for name in options.only or DISTURBANCES]
        rows.append(nobody_works(found))
    failed = [row for row in rows if row["wrong"]]
    workload = {"tenants": options.tenants, "people": options.people, "lease_seconds": options.lease}
    publish({"workload": workload, "machine": machine(), "disturbances": rows}, options.out)
    return 1 if failed else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run.py chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tenants", type=int, default=4)
    parser.add_argument("--people", type=int, default=40, help="of each tenant")
    parser.add_argument("--lease", type=int, default=25, help="LEASE_SECONDS")
    parser.add_argument("--only", nargs="+", choices=DISTURBANCES, metavar="NAME", help=", ".join(DISTURBANCES))
    parser.add_argument("--out", default="")
    return parser.parse_args()


def begin(found: Fleet, tenants: int) -> None:
    """Everybody is in AWS, and provisioning is on."""
    found.anew("chaos")
    groups = [lab.call("GET", "entra/ids")["groups"] for lab in found.labs]
    found.step("prepare", tenants_wanted=tenants, groups=groups, interval=1440)
    found.quick()
    for name in ("runs0", "runs1"):
        found.worker(name)
    found.beat()
    found.step("ask", kind="full", confirmed=True)
    until(lambda: not found.rows(OPEN), LONGEST)
    found.step("turn_on")
    found.step("wait_a_day")


def replay(found: Fleet, name: str) -> dict[str, Any]:
    words, disturb = DISTURBANCES[name]
    print(f"{name}: {words}", file=sys.stderr, flush=True)
    people = {lab: retitle(lab, name) for lab in found.labs}
    last = found.rows("SELECT MAX(id) FROM sync_run")[0][0]
    traces = len(tracebacks(found))
    found.step("ask", kind="changes")
    until(lambda: any(patches(lab) for lab in found.labs))
    began = time.monotonic()
    disturb(found)
    disturbed = time.monotonic() - began
    until(lambda: is_over(found), LONGEST)
    seconds = time.monotonic() - began
    if "beat2" in found.processes:
        found.processes.pop("beat2").stop()
    states = Counter(row[0] for row in found.rows("SELECT state FROM sync_run WHERE id > %s", last))
    again = found.rows("SELECT 1 FROM sync_run WHERE id > %s AND attempts > 1", last)
    return {
        "name": name,
        "disturbance": words,
        "disturbed_seconds": round(disturbed, 1),
        "over_after_seconds": round(seconds, 1),
        "runs": dict(states),
        "resumed": len(again),
        "wrong": [*wrong(found, people, name, states), *tracebacks(found)[traces:]],
    }


def is_over(found: Fleet) -> bool:
    return not found.rows(OPEN)


def retitle(lab: Lab, title: str) -> list[str]:
    """Everybody's object id."""
    people: list[str] = lab.call("GET", "entra/ids")["users"]
    for key in people:
        lab.call("PATCH", f"entra/users/{key}", {"jobTitle": title})
    lab.forget_requests()
    return people


def patches(lab: Lab) -> list[dict[str, Any]]:
    return [entry for entry in lab.requests() if entry["method"] == "PATCH" and "/Users/" in entry["path"]]


def wrong(found: Fleet, people: dict[Lab, list[str]], title: str, states: Counter[str]) -> list[str]:
    """In words; nothing where all is well."""
    problems = [f"{n} runs {state}" for state, n in states.items() if state != "completed"]
    for number, (lab, ids) in enumerate(people.items()):
        written = Counter(entry["path"] for entry in patches(lab))
        held = [user for user in lab.aws()["users"] if user.get("title") == title]
        if twice := sum(n > 1 for n in written.values()):
            problems.append(f"tenant {number}: {twice} people were written twice")
        if len(held) != len(ids):
            problems.append(f"tenant {number}: AWS holds the new title of {len(held)} of {len(ids)}")
    if told := found.rows("SELECT subject FROM sync_delivery"):
        problems.append(f"told of an error: {told[0][0]}")
    return problems


def tracebacks(found: Fleet) -> list[str]:
    """Nothing of all this is a fault of ours."""
    return [f"traceback in a log: {line[:200]}" for line in found.log_lines() if "Traceback" in line]


def nobody_works(found: Fleet) -> dict[str, Any]:
    """All workers and beat off: the web server says so from outside."""
    address = found.web()
    until(lambda: answer(f"{address}/healthz"))
    before = answer(f"{address}/readyz")
    for name in [name for name in found.processes if name != "web"]:
        found.processes.pop(name).stop()
    said = answer(f"{address}/readyz")
    wrong = [] if "No worker is running" in said and "running" not in before else [f"before {before!r}, then {said!r}"]
    return {
        "name": "nobody-works",
        "disturbance": "all workers and beat off",
        "said": said.splitlines(),
        "wrong": wrong,
    }


def answer(address: str) -> str:
    try:
        with urllib.request.urlopen(address, timeout=5) as found:  # noqa: S310 - of this machine
            return str(found.read().decode())
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
