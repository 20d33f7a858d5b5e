"""`manage.py turn_off TENANT [--until TIME [--reason TEXT]] [--json]`: provisioning off, or paused until then; a run in
progress stops at the next safe point."""

import datetime
import zoneinfo
from typing import Any

from django.core.management.base import CommandError, CommandParser

from sync.management.base import Exit, Report, ReportCommand
from sync.models import Tenant
from sync.models.tenant import PAUSE_REASON_LENGTH
from sync.tenants.queries import LONGEST_PAUSE
from sync.tenants.services import CannotPause, pause_tenant, turn_off_tenant

REASONS = {
    "off": "it is off already, and would be on then",
    "past": "that time is over",
    "too-long": f"a pause has {LONGEST_PAUSE.days} days at the most",
    "long-reason": f"a reason has {PAUSE_REASON_LENGTH} letters at the most",
}


class Command(ReportCommand):
    help = "Turns provisioning off. Nothing is removed from AWS; leavers keep what they have there."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--until", type=datetime.datetime.fromisoformat, help="pause: on again then; 2026-11-24T07:00"
        )
        parser.add_argument("--reason", default="", help="why it is paused")

    def report(self, tenant: Tenant, options: dict[str, Any]) -> Report:
        if options["until"]:
            return self.pause(tenant, in_zone_of(tenant, options["until"]), options["reason"])
        changed = tenant.enabled or tenant.paused
        turn_off_tenant(tenant=tenant, actor=self.actor)
        return {"tenant": tenant.slug, "enabled": False, "changed": changed, "resume_at": None}

    def pause(self, tenant: Tenant, until: datetime.datetime, reason: str) -> Report:
        try:
            pause_tenant(tenant=tenant, actor=self.actor, until=until, reason=reason)
        except CannotPause as error:
            why = REASONS[error.reason]
            raise CommandError(f"{tenant.slug} cannot be paused: {why}.", returncode=Exit.FAILED) from error
        return {"tenant": tenant.slug, "enabled": False, "changed": True, "resume_at": until.isoformat()}

    def in_words(self, report: Report) -> str:
        if report["resume_at"]:
            return f"{report['tenant']} is paused until {report['resume_at']}. What is in AWS stays as it is."
        return f"{report['tenant']} is off{'' if report['changed'] else ' already'}. What is in AWS stays as it is."


def in_zone_of(tenant: Tenant, moment: datetime.datetime) -> datetime.datetime:
    """Without an offset it is meant in the tenant's zone."""
    return moment if moment.tzinfo else moment.replace(tzinfo=zoneinfo.ZoneInfo(tenant.time_zone))
