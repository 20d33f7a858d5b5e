"""First, unchanged, verify and one-change runs, and a first run against an endpoint that allows 20 requests a second.

`python3 run.py bench sync [--users 1000] [--groups 50] [--memberships 5000] [--latency-ms 20] [--out FILE]`: one JSON object.
"""

import argparse
from typing import Any

from rig import Rig, database, machine, publish, rig

LIMIT, RATE = 20, 19


def main() -> None:
    options = arguments()
    with database(options.database) as url, rig(*company(options), "--aws-tps", "0", database=url) as bench:
        result = unlimited(bench)
    with (
        database(options.database) as url,
        rig(*small(options), "--aws-tps", str(LIMIT), rate=RATE, database=url) as bench,
    ):
        result["limited"] = limited(bench)
    publish({"workload": vars(options), "machine": machine(), **result}, options.out)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py bench sync", description=__doc__)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--groups", type=int, default=50)
    parser.add_argument("--memberships", type=int, default=5000)
    parser.add_argument("--latency-ms", type=float, default=20)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--out", default="", help="also write the JSON there")
    return parser.parse_args()


def company(options: argparse.Namespace) -> list[str]:
    return lab_options(options.users, options.groups, options.memberships, options.latency_ms)


def small(options: argparse.Namespace) -> list[str]:
    """A third of the users: at 20 a second the whole would take most of a minute for the same answer."""
    return lab_options(options.users // 3, options.groups // 5 or 1, options.memberships // 5, options.latency_ms)


def lab_options(users: int, groups: int, memberships: int, latency: float) -> list[str]:
    return [
        *("--people", str(users), "--groups", str(groups), "--memberships", str(memberships)),
        *("--aws-latency-ms", str(latency)),
    ]


def unlimited(bench: Rig) -> dict[str, Any]:
    first = bench.measured("sync")
    asked = max(1, first["scim_requests"])
    first["cpu_ms_per_request"] = round(1000 * first["cpu_seconds"] / asked, 2)
    first["export_cpu_ms_per_request"] = round(1000 * first["export_cpu_seconds"] / asked, 2)
    unchanged = bench.measured("sync")
    verify = bench.measured("sync", "verify")
    person = bench.lab.call("GET", "entra/ids")["users"][0]
    bench.lab.call("PATCH", f"entra/users/{person}", {"jobTitle": "Astronaut"})
    return {"first": first, "unchanged": unchanged, "verify": verify, "one_change": bench.measured("sync")}


def limited(bench: Rig) -> dict[str, Any]:
    """`used_share`: of the set rate, from the first write to the last as the lab received them."""
    found = bench.measured("sync")
    times = [request["at"] for request in bench.lab.requests() if request["method"] != "GET"]
    rate = (len(times) - 1) / (times[-1] - times[0])
    return found | {"set_rate": RATE, "rate": round(rate, 2), "used_share": round(rate / RATE, 3)}


if __name__ == "__main__":
    main()
