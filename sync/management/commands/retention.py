"""`manage.py retention [--prune] [--json]`: what is kept for how long, and what would go now."""

from typing import Any

from django.core.management.base import CommandParser

from sync.management.base import Report, ReportingCommand, add_json_option
from sync.retention import queries, services


class Command(ReportingCommand):
    help = "Says what is kept for how long, how many rows would go now, and how fast the database grows."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--prune", action="store_true", help="remove it now; every night that happens by itself")
        add_json_option(parser)

    def carry_out(self, options: dict[str, Any]) -> None:
        removed = services.prune(float("inf")) if options["prune"] else {}
        self.print_report(report(removed), options)

    def in_words(self, report: Report) -> str:
        lines = [line_of(row) for row in report["kinds"]]
        growth = report["bytes_a_day"]
        grows = f", and grows by {in_megabytes(growth)} a day" if growth is not None else ""
        return "\n".join([*lines, f"The database has {in_megabytes(report['bytes'])}{grows}."])


def report(removed: dict[str, int]) -> Report:
    return {
        "kinds": [
            {
                "kind": row.kind.name,
                "title": str(row.kind.title),
                "setting": row.kind.setting,
                "days": row.days or None,
                "rows_due": row.rows,
                "rows_removed": removed.get(row.kind.name),
            }
            for row in queries.due()
        ],
        "bytes": queries.size_now(),
        "bytes_a_day": queries.growth(),
    }


def line_of(row: Report) -> str:
    kept = f"{row['days']} days" if row["days"] else "for ever"
    gone = f"{row['rows_removed']:,} gone, " if row["rows_removed"] is not None else ""
    return f"{row['title']}: {kept} ({row['setting']}); {gone}{row['rows_due']:,} would go now"


def in_megabytes(size: int) -> str:
    return f"{size / 2**20:,.1f} MB"
