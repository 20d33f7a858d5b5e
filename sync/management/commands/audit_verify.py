"""`manage.py audit_verify [--lines FILE] [--shipped FILE] [--json]`: whether anybody changed the audit log."""

from typing import Any

from django.core.management.base import CommandParser

from sync.audit import verification
from sync.audit.verification import Report
from sync.management.base import Exit, ReportingCommand, read_input, to_json


class Command(ReportingCommand):
    help = (
        "Checks every entry of the audit log, its place, and the end of the chain. Ends with 3 when anything was changed, "
        "removed, inserted, moved or cut off, or when another key signed. One thing the database alone cannot show: that "
        "somebody who owns it put an older end of the chain back and deleted all after it. --shipped does."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        lines = parser.add_mutually_exclusive_group()
        lines.add_argument("--lines", metavar="FILE", help="any lines to compare, exported too; - reads standard input")
        lines.add_argument(
            "--shipped",
            metavar="FILE",
            help="all lines that arrived at AUDIT_SHIP_TO, or the newest file of them: none may be missing either",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def carry_out(self, options: dict[str, Any]) -> None:
        report = verification.verify()
        if options["lines"]:
            verification.compare(report, lines_of(options["lines"]))
        if options["shipped"]:
            verification.compare_shipped(report, lines_of(options["shipped"]))
        self.stdout.write(to_json(facts_of(report)) if options["json"] else in_words(report))
        if report.found:
            raise SystemExit(Exit.FOUND)


def lines_of(file: str) -> list[str]:
    return read_input(file).decode(errors="replace").split("\n")


def facts_of(report: Report) -> dict[str, Any]:
    """`waiting`: entries that are not chained yet. `findings`: the first ones of `found`."""
    return {
        "entries": report.entries,
        "since": report.since.isoformat() if report.since else None,
        "last_hash": report.last_hash,
        "waiting": report.waiting,
        "found": report.found,
        "findings": [
            {"code": one.code, "position": one.position, "detail": one.detail, "sentence": one.sentence}
            for one in report.findings
        ],
    }


def in_words(report: Report) -> str:
    lines = [finding.sentence for finding in report.findings]
    if report.found > len(lines):
        lines.append(f"… and {report.found - len(lines)} more.")
    since = f" since {report.since:%Y-%m-%d %H:%M} UTC" if report.since else ""
    state = "NOT as they were written" if report.found else f"unbroken{since}, the last is {report.last_hash or 'none'}"
    return "\n".join([*lines, f"{report.entries} entries: {state}."])
