"""`manage.py configuration_import TENANT FILE`: a configuration file, or Microsoft's schema, into the draft."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from sync.configuration.drafts import draft_or_current
from sync.configuration.files import microsoft
from sync.configuration.files.applying import planned_changes, put_into_draft
from sync.configuration.files.section import NotImported
from sync.configuration.items import Difference
from sync.configuration.leavers import leavers_problems_with
from sync.management.base import TenantCommand, read_input
from sync.management.differences import leavers_line, report_line
from sync.models import Tenant


class Command(TenantCommand):
    help = "Put a configuration file, or Microsoft's synchronization schema, into the draft. All or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", help="path of the file, or - for standard input")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")

    def handle_tenant(self, tenant: Tenant, options: dict[str, Any]) -> None:
        file, dry_run = options["file"], options["dry_run"]
        try:
            incoming = microsoft.read_text(read_input(file), draft_or_current(tenant))
        except NotImported as error:
            raise CommandError(f"{file} was not imported. Nothing was changed.\n{error}") from error
        for line in incoming.report:
            self.stdout.write(report_line(line))
        for problem in leavers_problems_with(tenant, incoming.wanted):
            self.stdout.write(leavers_line(tenant, problem))
        if dry_run:
            changed = planned_changes(tenant, incoming.wanted)
        else:
            changed = put_into_draft(tenant=tenant, actor=self.actor, wanted=incoming.wanted)
        for one in changed:
            self.stdout.write(moved_line(one))
        action = "would change" if dry_run else "changed in the draft:"
        self.stdout.write(f"{tenant.slug}: {action} {len(changed)}" if changed else f"{tenant.slug}: nothing to change")


def moved_line(one: Difference) -> str:
    """`mapping:user:title: source jobTitle -> displayName`: the key, and the facts that differ."""
    if one.before is None or one.after is None:
        return f"{one.key} {one.item.name}: {'added' if one.before is None else 'removed'}"
    before, after = one.before.facts, one.after.facts
    moved = [f"{name} {before.get(name)} -> {after.get(name)}" for name in one.fields]
    return f"{one.key}: {', '.join(moved)}"
