"""`manage.py configuration_import TENANT FILE`: a configuration file, or Microsoft's schema, into the draft.

With `--application ID` the schema is read from Entra.
"""

import shlex
from typing import Any

from django.core.management.base import CommandError, CommandParser

from sync.configuration.drafts import draft_or_current
from sync.configuration.files import microsoft
from sync.configuration.files.applying import planned_changes, put_into_draft
from sync.configuration.files.microsoft import CannotRead, Incoming, SeveralJobs
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
        parser.add_argument("file", nargs="?", help="path of the file, or - for standard input")
        parser.add_argument(
            "--application", help="read the schema of this enterprise application, by its object ID or application ID"
        )
        parser.add_argument("--job", default="", help="ID of its provisioning job, where there are several")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")

    def handle_tenant(self, tenant: Tenant, options: dict[str, Any]) -> None:
        if bool(options["file"]) == bool(options["application"]):
            raise CommandError("Name a file, or an enterprise application with --application.")
        incoming, dry_run = read(tenant, options), options["dry_run"]
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


def read(tenant: Tenant, options: dict[str, Any]) -> Incoming:
    configuration = draft_or_current(tenant)
    what = options["file"] or options["application"]
    try:
        if options["file"]:
            return microsoft.read_text(read_input(options["file"]), configuration)
        return microsoft.read_schema(
            microsoft.fetch(tenant, options["application"], options["job"], patient=True), configuration
        )
    except NotImported as error:
        raise CommandError(f"{what} was not imported. Nothing was changed.\n{error}") from error
    except SeveralJobs as error:
        jobs = "\n".join(f"--job {shlex.quote(one.id)}  {one.template} {one.state}" for one in error.jobs)
        raise CommandError(f"{error}\n{jobs}") from error
    except CannotRead as error:
        raise CommandError(str(error)) from error


def moved_line(one: Difference) -> str:
    """`mapping:user:title: source jobTitle -> displayName`: the key, and the facts that differ."""
    if one.before is None or one.after is None:
        return f"{one.key} {one.item.name}: {'added' if one.before is None else 'removed'}"
    before, after = one.before.facts, one.after.facts
    moved = [f"{name} {before.get(name)} -> {after.get(name)}" for name in one.fields]
    return f"{one.key}: {', '.join(moved)}"
