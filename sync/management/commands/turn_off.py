"""`manage.py turn_off TENANT [--json]`: provisioning off; a run in progress stops at the next safe point."""

from typing import Any

from sync.management.base import Report, ReportCommand
from sync.models import Tenant
from sync.tenants.services import turn_off_tenant


class Command(ReportCommand):
    help = "Turns provisioning off. Nothing is removed from AWS; leavers keep what they have there."

    def report(self, tenant: Tenant, options: dict[str, Any]) -> Report:
        changed = tenant.enabled
        turn_off_tenant(tenant=tenant, actor=self.actor)
        return {"tenant": tenant.slug, "enabled": False, "changed": changed}

    def in_words(self, report: Report) -> str:
        return f"{report['tenant']} is off{'' if report['changed'] else ' already'}. What is in AWS stays as it is."
