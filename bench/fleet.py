"""Many tenants on one machine: how long they wait, how late they start, and what they cost, over numbers of worker processes.

`python3 run.py bench fleet [--tenants 20] [--people 50] [--workers 1 2 4] [--labs 10] [--seconds 90] [--out FILE]`: PostgreSQL and
Redis as Debian ships them, workers of two slots, one beat, one worker of the quick queue. For each number of workers, in an
empty installation: first runs of all tenants at once; full runs without change, all at once; then a schedule of every
minute, without change.

Tenants share labs by turns (one lab a tenant, up to --labs): whoever comes second links what the first one made.
"""

import argparse
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.rig import machine, publish
from tests.world.fleet import Fleet, Process, fleet
from tests.world.programs import until

SLOTS, INTERVAL = 2, 1
LONGEST = 3600.0


def main() -> None:
    options = arguments()
    labs = min(options.tenants, options.labs)
    company = ("--people", str(options.people), "--groups", "3", "--memberships", str(3 * options.people))
    quota = ("--aws-tps", "0", "--aws-latency-ms", str(options.latency_ms))
    with fleet(labs, (*company, *quota), SCIM_RATE="18", LOG_LEVEL="WARNING", INSECURE="1") as found:
        rounds = [measured(found, workers, options) for workers in options.workers]
    facts = vars(options) | {"labs": labs, "slots_a_worker": SLOTS, "database": "postgresql", "broker": "redis"}
    publish(
        {"workload": {k: v for k, v in facts.items() if k != "out"}, "machine": machine(), "rounds": rounds},
        options.out,
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tenants", type=int, default=20)
    parser.add_argument("--people", type=int, default=50, help="of each tenant")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4], help="worker processes, of two slots each")
    parser.add_argument("--labs", type=int, default=10)
    parser.add_argument("--latency-ms", type=float, default=20.0, help="of each answer of AWS")
    parser.add_argument("--seconds", type=float, default=90.0, help="of the schedule of every minute")
    parser.add_argument("--out", default="")
    return parser.parse_args()


def measured(found: Fleet, workers: int, options: argparse.Namespace) -> dict[str, Any]:
    found.anew(f"fleet{workers}")
    groups = [lab.call("GET", "entra/ids")["groups"] for lab in found.labs]
    found.step("prepare", tenants_wanted=options.tenants, groups=groups, interval=INTERVAL)
    found.quick()
    running = [found.worker(f"runs{n}", SLOTS) for n in range(workers)]
    until(lambda: len(found.rows("SELECT 1 FROM sync_heartbeat")) > workers, 120)
    first = all_at_once(found, running, "full", confirmed=True)
    unchanged = all_at_once(found, running, "full")
    found.beat()
    schedule = scheduled(found, running, options.seconds)
    memory = sum(worker.memory_mb() for worker in running)
    found.stop_all()
    return {
        "workers": workers,
        "slots": workers * SLOTS,
        "first_runs": first,
        "full_runs_without_change": unchanged,
        "every_minute": schedule,
        "memory_mb": memory,
    }


def all_at_once(found: Fleet, running: list[Process], kind: str, **facts: Any) -> dict[str, Any]:
    last = found.rows("SELECT COALESCE(MAX(id), 0) FROM sync_run")[0][0]
    with costs(found, running) as cost:
        found.step("ask", kind=kind, **facts)
        until(lambda: not found.rows("SELECT 1 FROM sync_run WHERE finished_at IS NULL"), LONGEST)
    ended = found.rows(
        "SELECT EXTRACT(EPOCH FROM started_at - created_at), EXTRACT(EPOCH FROM finished_at - started_at), state "
        "FROM sync_run WHERE id > %s",
        last,
    )
    waits, seconds = [float(row[0]) for row in ended], [float(row[1]) for row in ended]
    span = found.rows(
        "SELECT EXTRACT(EPOCH FROM MAX(finished_at) - MIN(created_at)) FROM sync_run WHERE id > %s", last
    )[0][0]
    return {
        "runs": len(ended),
        "states": states([row[2] for row in ended]),
        "wall_seconds": round(float(span), 2),
        "wait": spread(waits),
        "run": spread(seconds),
        **cost,
    }


def scheduled(found: Fleet, running: list[Process], seconds: float) -> dict[str, Any]:
    """Lateness: how long after its minute was over a run began."""
    last = found.rows("SELECT COALESCE(MAX(id), 0) FROM sync_run")[0][0]
    with costs(found, running) as cost:
        found.step("turn_on")
        time.sleep(seconds)
    found.step("turn_off")
    until(lambda: not found.rows("SELECT 1 FROM sync_run WHERE finished_at IS NULL"), LONGEST)
    ended = found.rows(
        "SELECT EXTRACT(EPOCH FROM started_at - LAG(started_at) OVER (PARTITION BY tenant_id ORDER BY id)), "
        "EXTRACT(EPOCH FROM started_at - created_at), EXTRACT(EPOCH FROM finished_at - started_at), state "
        "FROM sync_run WHERE id > %s",
        last,
    )
    late = [max(0.0, float(gap) - 60 * INTERVAL) for gap, *_rest in ended if gap is not None]
    return {
        "runs": len(ended),
        "states": states([row[3] for row in ended]),
        "late": spread(late),
        "wait": spread([float(row[1]) for row in ended]),
        "run": spread([float(row[2]) for row in ended]),
        **cost,
    }


@contextmanager
def costs(found: Fleet, running: list[Process]) -> Iterator[dict[str, Any]]:
    """Processor seconds of all workers, the most connections at a time, the machine's load meanwhile."""
    cost: dict[str, Any] = {}
    connections, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(0.5):
            connections.append(len(found.rows("SELECT 1 FROM pg_stat_activity WHERE datname = current_database()")) - 1)

    watcher = threading.Thread(target=look)
    before, began = sum(worker.cpu_seconds() for worker in running), time.monotonic()
    watcher.start()
    try:
        yield cost
    finally:
        over.set()
        watcher.join()
    cost["cpu_seconds"] = round(sum(worker.cpu_seconds() for worker in running) - before, 2)
    cost["seconds"] = round(time.monotonic() - began, 2)
    cost["connections"] = max(connections)
    cost["load"] = round(float(Path("/proc/loadavg").read_text().split()[0]), 1)


def spread(values: list[float]) -> dict[str, float | None]:
    if not values:
        return {"median": None, "p95": None, "max": None}
    ordered = sorted(values)
    figures = {
        "median": statistics.median(ordered),
        "p95": ordered[round(0.95 * (len(ordered) - 1))],
        "max": ordered[-1],
    }
    return {name: round(value, 2) for name, value in figures.items()}


def states(found: list[str]) -> dict[str, int]:
    return {state: found.count(state) for state in sorted(set(found))}


if __name__ == "__main__":
    main()
