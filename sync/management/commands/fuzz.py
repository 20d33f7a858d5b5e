"""`manage.py fuzz expressions`: a million random programs of the mapping language. Exit code 1 on a fault."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sync.expressions import fuzzing
from sync.expressions.limits import LIMITS


class Command(BaseCommand):
    help = "Searches for inputs that break a part of the product. Exit code 1 when one was found."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("part", choices=["expressions"])
        parser.add_argument("--programs", type=int, default=1_000_000)
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        report = fuzzing.run(options["programs"], options["seed"], self.tell if options["verbosity"] > 1 else quietly)
        counts = ", ".join(f"{count:,} {name}" for name, count in report.outcomes.most_common())
        self.stdout.write(f"{report.programs:,} programs (seed {options['seed']}): {counts}")
        self.stdout.write(f"most steps of a value {report.most_steps:,} of {LIMITS.steps:,}")
        self.stdout.write(f"slowest {report.slowest * 1000:.1f} ms: {report.slowest_program!r:.300}")
        for fault in report.faults[:20]:
            self.stderr.write(fault)
        if report.faults:
            raise SystemExit(1)

    def tell(self, done: int) -> None:
        self.stdout.write(f"{done:,} …")


def quietly(_done: int) -> None:
    """Nothing on the way."""
