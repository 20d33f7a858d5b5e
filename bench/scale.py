"""A large directory from import to stored plan, and an unchanged run over it.

`python3 run.py bench scale [--users 100000] [--groups 1000] [--memberships 1000000] [--database sqlite|postgres]`: JSON.
The lab's own time stands apart (`lab_seconds`). Nothing is written to AWS: the unchanged run follows a preview whose
watermark is moved by hand.
"""

import argparse

from rig import database, machine, publish, rig


def main() -> None:
    parser = argparse.ArgumentParser(prog="run.py bench scale", description=__doc__)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--groups", type=int, default=1_000)
    parser.add_argument("--memberships", type=int, default=1_000_000)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--out", default="", help="also write the JSON there")
    options = parser.parse_args()
    company = ["--people", options.users, "--groups", options.groups, "--memberships", options.memberships]
    with database(options.database) as url, rig(*map(str, company), "--aws-tps", "0", database=url) as bench:
        plan = bench.measured("sync", "preview")
        bench.child("settle")
        unchanged = bench.measured("sync")
    publish({"workload": vars(options), "machine": machine(), "plan": plan, "unchanged": unchanged}, options.out)


if __name__ == "__main__":
    main()
