"""Run the checks of one half, one after the other, and say after each what is known by now."""

import time
from collections.abc import Iterable, Iterator
from typing import Any

from sync.connection.checks.aws import AwsHalf
from sync.connection.checks.entra import EntraHalf
from sync.connection.checks.finding import CheckFinding
from sync.connection.checks.outcomes import OUTCOMES
from sync.connection.checks.table import BY_ID, ConnectionCheck, checks_of
from sync.models import Half, Tenant

Row = dict[str, Any]
FINAL = ("passed", "warning", "failed", "skipped")


def waiting(half: str) -> list[Row]:
    return [{"id": check.id, "state": "waiting"} for check in checks_of(half)]


def run(tenant: Tenant, half: str, *, second: bool = False) -> Iterator[list[Row]]:
    """All rows, each time that one of them changed: before a check and after it. `second`: with the second credential."""
    stored = AwsHalf(tenant) if half == Half.AWS else EntraHalf(tenant)
    if second:
        tenant.second_credentials.get(half=half).exchange(stored.connection)
    rows = waiting(half)
    for place, check in enumerate(checks_of(half)):
        blocker = _blocker(check, rows)
        if blocker:
            rows[place] = {"id": check.id, "state": "skipped", "because": blocker}
            yield rows
            continue
        rows[place] = {"id": check.id, "state": "checking", "started": time.time()}
        yield rows
        rows[place] = _carried_out(check, stored)
        yield rows


def _blocker(check: ConnectionCheck, rows: Iterable[Row]) -> str:
    """The failed check that this one depends on, through others or not; "" when there is none."""
    found = {row["id"]: row for row in rows}
    for need in check.needs:
        row = found[need]
        if row["state"] == "failed":
            return need
        if row["state"] == "skipped":
            return str(row["because"])
    return ""


def _carried_out(check: ConnectionCheck, stored: AwsHalf | EntraHalf) -> Row:
    began = time.monotonic()
    finding = check.function(stored)
    milliseconds = round((time.monotonic() - began) * 1000)
    return {"id": check.id, "state": _state(finding), "milliseconds": milliseconds, **_kept(finding)}


def _state(finding: CheckFinding) -> str:
    return OUTCOMES[finding.code].state if finding.code else "passed"


def _kept(finding: CheckFinding) -> Row:
    return {key: value for key, value in vars(finding).items() if value}


def broken_off(rows: Iterable[Row]) -> list[Row]:
    """What remains of a test whose check raised an error that nobody foresaw."""
    states = {"checking": {"state": "failed", "code": "check-broke"}, "waiting": {"state": "skipped"}}
    return [{**row, **states.get(row["state"], {})} for row in rows]


def all_passed(rows: Iterable[Row]) -> bool:
    """Warnings pass."""
    return all(row["state"] in ("passed", "warning") for row in rows)


def half_works(rows: Iterable[Row]) -> bool:
    return all_passed(row for row in rows if BY_ID[row["id"]].gates)


def fact(rows: Iterable[Row], name: str) -> str:
    """The first fact of this name that a check found, or ""."""
    return next((str(row["facts"][name]) for row in rows if name in row.get("facts", {})), "")
