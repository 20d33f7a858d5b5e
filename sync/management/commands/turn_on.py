"""`manage.py turn_on TENANT [--json]`: provisioning on; the first run begins as soon as a worker takes it."""

from typing import Any

from django.core.management.base import CommandError

from sync.management.base import Exit, Report, ReportCommand
from sync.models import Tenant
from sync.tenants.services import CannotTurnOn, turn_on_tenant

REASONS = {
    "entra-not-tested": "the Entra half has not passed a test since it was changed (test_connection)",
    "aws-not-tested": "the AWS half has not passed a test since it was changed (test_connection)",
    "restored": "the database was restored from a backup, and AWS was not compared with it since (verify)",
    "no-preview": "there is no fresh preview to say yes to (sync --preview)",
}


class Command(ReportCommand):
    help = "Turns provisioning on. Turning on from a fresh preview says yes to what it lists."

    def report(self, tenant: Tenant, options: dict[str, Any]) -> Report:
        if tenant.enabled:
            return {"tenant": tenant.slug, "enabled": True, "changed": False, "run": None}
        run = turn_on(tenant, self.actor)
        return {"tenant": tenant.slug, "enabled": True, "changed": True, "run": run}

    def in_words(self, report: Report) -> str:
        if not report["changed"]:
            return f"{report['tenant']} is on already."
        return f"{report['tenant']} is on. Run {report['run']} begins as soon as a worker takes it."


def turn_on(tenant: Tenant, actor: str) -> int:
    """The number of the first run. Raises CommandError."""
    try:
        return turn_on_tenant(tenant=tenant, actor=actor).number
    except CannotTurnOn as error:
        why = "; ".join(REASONS[reason] for reason in error.reasons)
        raise CommandError(f"{tenant.slug} cannot be turned on: {why}.", returncode=Exit.FAILED) from error
