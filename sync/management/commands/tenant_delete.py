"""`manage.py tenant_delete TENANT --confirm TENANT [--json]`: what pages call the danger zone."""

from typing import Any

from django.core.management import CommandError, CommandParser

from sync.management.base import Exit, Report, ReportCommand
from sync.models import Tenant
from sync.tenants.queries import stays_in_aws
from sync.tenants.services import CannotDelete, delete_tenant

REASONS = {
    "on": "Provisioning is on. Turn it off first: turn_off {0}",
    "running": "A run is in progress. Wait until it has ended, or stop it: turn_off {0}",
}

LEFT = "Microsoft could not be told to send no more change notifications: it stops by itself at {0}; nobody heeds them."


class Command(ReportCommand):
    help = "Deletes a tenant with its secrets, settings and logs. What it has in AWS stays there; the audit log stays."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--confirm", metavar="TENANT", default="", help="the same name again")

    def report(self, tenant: Tenant, options: dict[str, Any]) -> Report:
        if options["confirm"] != tenant.slug:
            raise CommandError(f"Nothing was deleted. To delete it: --confirm {tenant.slug}", returncode=Exit.USAGE)
        slug, stays = tenant.slug, stays_in_aws(tenant)
        try:
            left_until = delete_tenant(tenant=tenant, actor=self.actor)
        except CannotDelete as error:
            raise CommandError(REASONS[error.reason].format(slug)) from error
        return {
            "tenant": slug,
            "deleted": True,
            "stays_in_aws": stays,
            "notifications_until": left_until and left_until.isoformat(),
        }

    def in_words(self, report: Report) -> str:
        stays = report["stays_in_aws"]
        said = f"{report['tenant']} is deleted. In AWS stay {stays['people']} people and {stays['groups']} groups."
        until = report["notifications_until"]
        return f"{said} {LEFT.format(until)}" if until else said
