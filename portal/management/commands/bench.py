"""`bench sync|scale|preview|impact|attack|fleet|notifications|pages …`: the benchmarks under bench/, each in a process of its own with a fresh lab and database."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

BENCHMARKS = ("sync", "scale", "preview", "impact", "attack", "fleet", "notifications", "pages")
NAMES = ", ".join(BENCHMARKS)


class Command(BaseCommand):
    help = f"Runs a benchmark: {NAMES}. Its own options follow its name; --help after the name lists them."

    def run_from_argv(self, argv: list[str]) -> None:
        """The benchmark reads its own options."""
        asked = argv[2] if len(argv) > 2 else ""
        if asked in ("-h", "--help"):
            self.stdout.write(str(self.help))
            return
        if asked not in BENCHMARKS:
            self.stderr.write(f"Name a benchmark: {NAMES}.")
            raise SystemExit(2)
        script = settings.BASE_DIR / "bench" / f"{asked}.py"
        os.execv(sys.executable, [sys.executable, str(script), *argv[3:]])

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError("Call it from the command line: python3 run.py bench sync.")
