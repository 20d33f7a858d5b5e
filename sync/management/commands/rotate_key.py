"""`manage.py rotate_key [--forget KEY]`: seals what is stored with the first key of the ring, so that the others can go."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from sync.connection import rotation
from sync.management.base import AuditedCommand


class Command(AuditedCommand):
    help = (
        "Seals every stored secret with the first key of SEAL_KEYS, while the product runs; broken off, it goes on when called "
        "again. Then it says which keys nothing hangs on any more."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--forget", metavar="KEY", help="empty the secrets that hang on this key, which is lost")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["forget"]:
            for row in rotation.forget(options["forget"], actor=self.actor):
                self.stdout.write(f"emptied: {row.label}; enter it again")
        else:
            for row in rotation.rotate(actor=self.actor):
                self.stdout.write(f"{'sealed anew' if row.opens else 'CANNOT BE OPENED'}: {row.label}")
        self._report()

    def _report(self) -> None:
        uses = rotation.key_uses()
        for use in uses:
            place = "seals" if use.seals else "opens" if use.known else "is missing"
            self.stdout.write(f"key {use.key}: {place}, {len(use.rows)} secrets{self._advice(use)}")
        left = [row for use in uses if not use.seals for row in use.rows]
        if left:
            raise CommandError(
                f"{len(left)} secrets still hang on another key and cannot be opened. Put the key back, or enter them again."
            )

    def _advice(self, use: rotation.KeyUse) -> str:
        return "; its line can go" if use.known and not use.seals and not use.rows else ""
