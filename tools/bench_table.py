"""Writes the README's table of measured runs: medians of bench/results/sync-*.json beside what peers were measured at,
and the large runs (scale-*.json, impact-*.json).

`python tools/bench_table.py` rewrites the part between the two marks; `--check` only says whether it is up to date.
"""

import json
import statistics
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"
DATABASES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
# Measured on 23 Nov 2026 with the same numbers of people, groups and memberships, and the same 20 ms per request, against
# a stub of AWS's documented limits: requests and seconds of a first run, then of one without change.
PEERS = (
    ("idp-scim-sync", "2,102", "28.2 s", "0", "0.32 s"),
    ("authentik (SCIM provider)", "6,051", "138 s", "5,051", "116 s"),
    ("ssosync", "16,052", "339 s", "1,061", "22.3 s"),
)


def main() -> int:
    readme = ROOT / "README.md"
    text = readme.read_text()
    wanted = with_table(text)
    if "--check" in sys.argv[1:]:
        return 0 if text == wanted else 1
    readme.write_text(wanted)
    return 0


def with_table(text: str) -> str:
    head, rest = text.split(BEGIN)
    _old, tail = rest.split(END)
    return f"{head}{BEGIN}\n{table(results('sync'))}\n\n{large(results('scale'), results('impact'))}\n{END}{tail}"


def results(bench: str) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(RESULTS.glob(f"{bench}-*.json"))]


def table(found: list[dict[str, Any]]) -> str:
    work = found[0]["workload"]
    lines = [
        f"{work['users']:,} people, {work['groups']} groups, {work['memberships']:,} memberships, {work['latency_ms']:g} ms per "
        f"request; medians of {len(found)} runs on {found[0]['machine']['cores']} cores ({found[0]['machine']['processor']}).",
        "",
        "| | first run: SCIM requests | first run | no change: SCIM requests | no change |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| **Lockstep** | "
        f"**{median(found, 'first', 'scim_requests'):,.0f}** | **{median(found, 'first', 'seconds'):.1f} s** | "
        f"**{median(found, 'unchanged', 'scim_requests'):,.0f}** | **{median(found, 'unchanged', 'seconds'):.2f} s** |",
        *(f"| {' | '.join(row)} |" for row in PEERS),
        "",
        f"Comparing everything with AWS (`verify`): {median(found, 'verify', 'scim_requests'):,.0f} requests, "
        f"{median(found, 'verify', 'seconds'):.1f} s. One changed attribute: "
        f"{median(found, 'one_change', 'scim_requests'):,.0f} request. "
        f"At AWS's 20 requests a second, set to {found[0]['limited']['set_rate']}: "
        f"{100 * median(found, 'limited', 'used_share'):.0f} % of the set rate used, "
        f"{median(found, 'limited', 'throttled'):.0f} answers 429. Peak memory {median(found, 'first', 'peak_mb'):.0f} MB, "
        f"CPU {median(found, 'first', 'cpu_ms_per_request'):.1f} ms per request, reading and planning included.",
    ]
    return "\n".join(lines)


def large(scales: list[dict[str, Any]], impacts: list[dict[str, Any]]) -> str:
    work = scales[0]["workload"]
    parts = [
        f"{one['plan']['seconds'] / 60:.1f} min and {one['plan']['peak_mb']} MB on {DATABASES[one['workload']['database']]} "
        f"(without change {one['unchanged']['seconds']:.1f} s)"
        for one in scales
    ]
    shown = impacts[0]
    return (
        f"{work['users']:,} people, {work['groups']:,} groups, {work['memberships']:,} memberships from reading to the stored plan: "
        f"{', '.join(parts)}. What a draft would do to {shown['workload']['users']:,} people: {shown['preview']['seconds']:.0f} s."
    )


def median(found: list[dict[str, Any]], run: str, name: str) -> float:
    return float(statistics.median(one[run][name] for one in found))


if __name__ == "__main__":
    sys.exit(main())
