"""The impact preview of a draft, with a filter that half a company does not pass and a changed mapping.

`python3 run.py bench impact [--users 10000] [--groups 100] [--memberships 50000] [--database sqlite|postgres]`: JSON.
AWS is taken to hold everybody already: a preview of people whom it holds asks it nothing.
"""

import argparse

from rig import database, machine, publish, rig


def main() -> None:
    parser = argparse.ArgumentParser(prog="run.py bench impact", description=__doc__)
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--groups", type=int, default=100)
    parser.add_argument("--memberships", type=int, default=50_000)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--out", default="", help="also write the JSON there")
    options = parser.parse_args()
    company = ["--people", options.users, "--groups", options.groups, "--memberships", options.memberships]
    with database(options.database) as url, rig(*map(str, company), "--aws-tps", "0", database=url) as bench:
        bench.child("sync", "preview")
        bench.child("pretend")
        bench.child("draft")
        preview = bench.measured("impact")
    publish({"workload": vars(options), "machine": machine(), "preview": preview}, options.out)


if __name__ == "__main__":
    main()
