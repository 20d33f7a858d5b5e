"""`manage.py pass_time DAYS`: in the demo alone, stored dates move back, so that grace periods and end dates can be rehearsed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.access.demo import is_only_the_lab
from sync.rehearsal.services import CannotPass, let_days_pass


class Command(BaseCommand):
    help = "In the demo: lets days pass. Refuses anywhere else."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("days", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_only_the_lab():
            raise CommandError("Days pass in the demo alone, while nothing but the lab is connected.")
        try:
            let_days_pass(options["days"])
        except CannotPass as error:
            raise CommandError(str(error)) from error
