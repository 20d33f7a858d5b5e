"""`manage.py restore FILE | --noted`: a backup into an empty database; nothing is written to AWS before a comparison."""

import sys
from contextlib import closing
from pathlib import Path
from typing import IO, Any

from django.contrib.sessions.models import Session
from django.core.management.base import CommandError, CommandParser

from portal.deployment.backup import whole
from portal.deployment.backup.archive import BadArchive
from sync.management.base import Exit, ReportingCommand
from sync.models import Tenant
from sync.tenants.services import note_restored


class Command(ReportingCommand):
    help = (
        "Puts a backup back into an empty database. Provisioning is off then, and a tenant can be turned on after a comparison "
        "with AWS (verify)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", help="a backup, or - for standard input")
        parser.add_argument(
            "--noted", action="store_true", help="another tool restored it just now: do what follows from it"
        )

    def carry_out(self, options: dict[str, Any]) -> None:
        if bool(options["file"]) == options["noted"]:
            raise CommandError("Name a backup, or - for standard input; or say --noted.", returncode=Exit.USAGE)
        if options["noted"]:
            self.note("")
            return
        with closing(_opened(options["file"])) as file:
            try:
                self.restore(file)
            except (BadArchive, whole.CannotRestore) as error:
                raise CommandError(f"Nothing was restored. {error}", returncode=Exit.FAILED) from error

    def restore(self, file: IO[bytes]) -> None:
        made_at = whole.restore(file)
        self.stdout.write(f"Restored what was backed up at {made_at}.")
        self.note(made_at)

    def note(self, made_at: str) -> None:
        note_restored(actor=self.actor, made_at=made_at)
        # One that somebody ended since must not come back.
        Session.objects.all().delete()
        names = ", ".join(Tenant.objects.values_list("slug", flat=True)) or "none"
        self.stdout.write(
            f"Provisioning is off in every tenant: {names}.\n"
            "For each of them: verify TENANT, look at what only AWS holds, sync TENANT --preview, then turn_on TENANT; "
            "or resume_all for those that were on."
        )


def _opened(name: str) -> IO[bytes]:
    try:
        return sys.stdin.buffer if name == "-" else Path(name).open("rb")
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.", returncode=Exit.USAGE) from error
