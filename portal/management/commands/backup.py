"""`manage.py backup FILE [--keys NEW_FILE] | --noted`: the database into a file, while the product runs."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from portal.deployment.backup import whole
from sync import audit
from sync.management.base import Exit, ReportingCommand
from sync.retention import services


class Command(ReportingCommand):
    help = (
        "Backs up the database into a file, and the key ring, without which it opens no credential, into another one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", help="a new file, or - for standard output")
        parser.add_argument("--keys", metavar="NEW_FILE", help="write the key ring into this file: keep it elsewhere")
        parser.add_argument(
            "--noted", action="store_true", help="another tool made one just now: System health counts it"
        )

    def carry_out(self, options: dict[str, Any]) -> None:
        if bool(options["file"]) == options["noted"]:
            raise CommandError("Name a new file, or - for standard output; or say --noted.", returncode=Exit.USAGE)
        with _new_file(Path(options["keys"])) if options["keys"] else nullcontext() as keys:
            size = 0 if options["noted"] else self.write(options["file"])
            if keys:
                keys.write(f"{settings.SEAL_KEYS}\n".encode())
        services.note_backup(size)
        audit.record(self.actor, "installation.backup", None, None, {"file": options["file"], "bytes": size})

    def write(self, name: str) -> int:
        if name == "-":
            whole.make(sys.stdout.buffer)
            return 0
        path = Path(name)
        with _new_file(path) as file:
            whole.make(file)
        self.stdout.write(
            f"{path}: {path.stat().st_size / 2**20:,.1f} MB. The key ring is not in it: keep SEAL_KEYS elsewhere."
        )
        return path.stat().st_size


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    """Gone again when something failed meanwhile, so that the same call can be made once more."""
    try:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as error:
        raise CommandError(f"{path} cannot be made: {error.strerror}.", returncode=Exit.USAGE) from error
    try:
        with file:
            yield file
    except BaseException:
        path.unlink()
        raise
