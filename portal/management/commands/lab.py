"""`manage.py lab …`: becomes the rehearsal lab; it is a program of its own that shares no code with the product."""

import os
import sys
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Runs the rehearsal lab; its options are those of `python -m lab`."
    requires_system_checks: list[str] = []

    def run_from_argv(self, argv: list[str]) -> NoReturn:
        arguments = argv[2:]
        if "--state" not in arguments:
            arguments = ["--state", str(settings.STATE_DIR / "lab"), *arguments]
        os.chdir(settings.BASE_DIR)
        os.execv(sys.executable, [sys.executable, "-m", "lab", *arguments])

    def handle(self, *args: Any, **options: Any) -> None:
        self.run_from_argv(["manage.py", "lab"])
