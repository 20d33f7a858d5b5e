"""`manage.py configuration_import TENANT FILE`: a configuration file, or Microsoft's schema, into the draft."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sync.configuration.drafts import draft_or_current
from sync.configuration.files import microsoft
from sync.configuration.files.applying import planned_changes, put_into_draft
from sync.configuration.files.section import NotImported
from sync.configuration.items import Difference
from sync.configuration.leavers import leavers_problems_with
from sync.management.commands.configuration_export import report_line, tenant_of
from sync.management.commands.disable_leavers import leavers_line


class Command(BaseCommand):
    help = "Put a configuration file, or Microsoft's synchronization schema, into the draft. All or nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", metavar="tenant", help="the tenant's part of the URL")
        parser.add_argument("file", help="path of the file, or - for standard input")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
        parser.add_argument("--actor", default="configuration_import", help="who stands in the audit log")

    def handle(self, *args: Any, slug: str, file: str, dry_run: bool, actor: str, **options: Any) -> None:
        tenant = tenant_of(slug)
        try:
            incoming = microsoft.read_text(_read(file), draft_or_current(tenant))
        except NotImported as error:
            raise CommandError(f"{file} was not imported. Nothing was changed.\n{error}") from error
        for line in incoming.report:
            self.stdout.write(report_line(line))
        for problem in leavers_problems_with(tenant, incoming.wanted):
            self.stdout.write(leavers_line(tenant, problem))
        if dry_run:
            changed = planned_changes(tenant, incoming.wanted)
        else:
            changed = put_into_draft(tenant=tenant, actor=actor, wanted=incoming.wanted)
        for one in changed:
            self.stdout.write(_line(one))
        deed = "would change" if dry_run else "changed in the draft:"
        self.stdout.write(f"{tenant.slug}: {deed} {len(changed)}" if changed else f"{tenant.slug}: nothing to change")


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error


def _line(one: Difference) -> str:
    """`mapping:user:title: source jobTitle -> displayName`: the key, and the facts that differ."""
    if one.before is None or one.after is None:
        return f"{one.key} {one.item.name}: {'added' if one.before is None else 'removed'}"
    before, after = one.before.facts, one.after.facts
    moved = [f"{name} {before.get(name)} -> {after.get(name)}" for name in one.fields]
    return f"{one.key}: {', '.join(moved)}"
