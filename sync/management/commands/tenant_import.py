"""`manage.py tenant_import FILE`: makes a tenant as a JSON file says (docs/tenant-file.md)."""

import os
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from sync.configuration.drafts import draft_or_current
from sync.configuration.files import json_text
from sync.configuration.files.json_text import NotJson
from sync.configuration.files.section import NotImported
from sync.configuration.leavers import leavers_problems
from sync.management.base import AuditedCommand, read_input
from sync.management.differences import leavers_line
from sync.models import AuditEntry
from sync.tenants.file import import_tenant


class Command(AuditedCommand):
    help = "Make a tenant as a JSON file says. All or nothing; the same file again changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="path of the file, or - for standard input")
        parser.add_argument("--check", action="store_true", help="say what would change, and change nothing")

    def handle(self, *args: Any, file: str, check: bool, **options: Any) -> None:
        document = document_in(file)
        try:
            with transaction.atomic():
                tenant, changes = import_tenant(actor=self.actor, document=document, environment=os.environ)
                warnings = leavers_problems(draft_or_current(tenant))
                transaction.set_rollback(check)
        except NotImported as error:
            raise CommandError(f"{file} was not imported. Nothing was changed.\n{error}") from error
        for change in changes:
            self.stdout.write(entry_line(change))
        for problem in warnings:
            self.stdout.write(leavers_line(tenant, problem))
        outcome = f"{'would change' if check else 'changed'} {len(changes)}" if changes else "nothing to change"
        self.stdout.write(f"{tenant.slug}: {outcome}")


def document_in(file: str) -> Any:
    try:
        return json_text.read(read_input(file))
    except NotJson as error:
        raise CommandError(f"{file} was not imported. {error}") from error


def entry_line(change: AuditEntry) -> str:
    """`mapping.replace Acme: title jobTitle -> displayName`: what was done, and the values that moved."""
    before, after = change.before or {}, change.after or {}
    moved = [
        f"{key} {value_in_words(before.get(key))} -> {value_in_words(after.get(key))}" for key in {**before, **after}
    ]
    return f"{change.verb} {change.object_name}" + (f": {', '.join(moved)}" if moved else "")


def value_in_words(value: Any) -> str:
    return "nothing" if value in (None, "") else str(value)
