"""What an admin waits for at each pause in typing: the preview of an expression for a real person and the cast of five.

`python3 run.py bench preview [--users 1000] [--requests 200] [--out FILE]`: one JSON object. Requests go through the
whole application in its own process, every one with another expression; the first ones, which fill caches, count too.
"""

import argparse

from rig import database, machine, publish, rig

BUDGET_MS = 250


def main() -> None:
    options = arguments()
    company = ("--people", str(options.users), "--groups", "20", "--memberships", str(3 * options.users))
    with database(options.database) as url, rig(*company, "--aws-tps", "0", database=url) as bench:
        bench.child("sync")
        found = bench.child("preview", str(options.requests))
    within = found["p95_ms"] <= BUDGET_MS
    publish(
        {"workload": vars(options), "machine": machine(), "budget_p95_ms": BUDGET_MS, "within": within, **found},
        options.out,
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py bench preview", description=__doc__)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--out", default="", help="also write the JSON there")
    return parser.parse_args()


if __name__ == "__main__":
    main()
