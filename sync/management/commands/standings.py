"""`manage.py standings TENANT [--check] [--json]`: how everybody stands, and whether what is stored is what the facts say."""

from typing import Any

from django.core.management.base import CommandParser

from sync.management.base import Exit, Report, ReportCommand
from sync.models import Tenant, Word
from sync.standings import queries
from sync.standings.queries import Cause


class Command(ReportCommand):
    help = "Counts people and groups by how they stand."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--check", action="store_true", help="derive all anew and print what is stored differently")

    def report(self, tenant: Tenant, options: dict[str, Any]) -> Report:
        """`differences`: None without --check."""
        compared = queries.compared(tenant)
        found = queries.differences(tenant) if options["check"] else None
        return {
            "compared_at": compared.compared_at.isoformat() if compared and compared.compared_at else None,
            **queries.counts_by_kind(tenant),
            "causes": [cause_facts(cause) for cause in queries.causes(tenant)],
            "differences": None if found is None else [one.facts() for one in found],
        }

    def in_words(self, report: Report) -> str:
        if report["differences"] is not None:
            lines = [difference_in_words(one) for one in report["differences"]]
            return "\n".join(lines) or "Every standing is what the facts say."
        lines = [f"{'People':>10} {'Groups':>10}"]
        lines += [f"{report['user'][word]:>10} {report['group'][word]:>10}  {word.label}" for word in Word]
        lines += [cause_in_words(cause) for cause in report["causes"]]
        return "\n".join(lines)

    def exit_code(self, report: Report) -> Exit:
        return Exit.FOUND if report["differences"] else Exit.DONE


def cause_facts(cause: Cause) -> Report:
    return {
        "object": cause.kind,
        "word": cause.word.value,
        "code": cause.code,
        "attribute": cause.attribute or None,
        "objects": cause.count,
        "since": cause.since.isoformat(),
        "next_try": cause.next_try.isoformat() if cause.next_try else None,
        "names": list(cause.names),
    }


def cause_in_words(cause: Report) -> str:
    names = ", ".join(cause["names"]) + (" …" if len(cause["names"]) < cause["objects"] else "")
    about = " ".join(filter(None, (cause["code"], cause["attribute"])))
    return f"{Word(cause['word']).label}, {about}: {cause['objects']} since {cause['since']}: {names}"


def difference_in_words(one: Report) -> str:
    differing = ", ".join(f"{name} {old!r}, by the facts {new!r}" for name, (old, new) in one["fields"].items())
    return f"{one['object']} {one['name']} ({one['entra_id'] or one['aws_id']}): {differing}"
