"""How long each page takes over a large company with a long history.

`python3 run.py bench pages [--users 50000] [--groups 500] [--memberships 250000] [--operations 1000000] [--database sqlite|postgres]`: JSON,
for each page milliseconds at the median and at the 95th percentile and of the processor, questions to the database, bytes as they are and
compressed, and whether that is within its budget. AWS is taken to hold everybody already; nothing is written to it.
"""

import argparse

from rig import database, machine, publish, rig


def main() -> None:
    parser = argparse.ArgumentParser(prog="run.py bench pages", description=__doc__)
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--groups", type=int, default=500)
    parser.add_argument("--memberships", type=int, default=250_000)
    parser.add_argument("--operations", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=20, help="how often each page is asked for")
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--out", default="", help="also write the JSON there")
    options = parser.parse_args()
    company = ["--people", options.users, "--groups", options.groups, "--memberships", options.memberships]
    with database(options.database) as url, rig(*map(str, company), "--aws-tps", "0", database=url) as bench:
        bench.child("sync", "preview")
        bench.child("pretend")
        history = bench.child("live_through", str(options.operations))
        found = bench.child("pages", str(options.times))
    publish({"workload": vars(options), "machine": machine(), "history": history, **found}, options.out)


if __name__ == "__main__":
    main()
