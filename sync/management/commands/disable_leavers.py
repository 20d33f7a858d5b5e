"""`manage.py disable_leavers TENANT`: makes the draft disable in AWS whoever leaves."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sync.configuration.drafts import changes
from sync.configuration.editing import problem_sentence
from sync.configuration.leavers import disable_leavers
from sync.management.commands.sync import tenant_named
from sync.models import Tenant
from sync.rules.rows import MappingProblem

ACTOR = "command line"


def leavers_line(tenant: Tenant, problem: MappingProblem) -> str:
    """What is wrong, and this command as its remedy."""
    return f"Warning: {problem_sentence(problem)} To mend it: disable_leavers {tenant.slug}"


class Command(BaseCommand):
    help = (
        "Takes active from IsSoftDeleted in the draft, and turns Disable on, so that whoever is blocked in Entra, deleted "
        "there or taken out of scope is disabled in AWS. Preview and publish it with: draft TENANT."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="slug of the tenant")
        parser.add_argument("--actor", default=ACTOR, help="who stands in the audit log")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        disable_leavers(actor=options["actor"], tenant=tenant)
        waits = " Publish the draft to let runs use it." if changes(tenant) else ""
        self.stdout.write(f"{tenant.slug}: whoever leaves is disabled in AWS.{waits}")
