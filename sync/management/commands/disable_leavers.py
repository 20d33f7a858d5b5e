"""`manage.py disable_leavers TENANT`: makes the draft disable in AWS whoever leaves."""

from typing import Any

from sync.configuration.drafts import changes
from sync.configuration.leavers import disable_leavers
from sync.management.base import TenantCommand
from sync.models import Tenant


class Command(TenantCommand):
    help = (
        "Takes active from IsSoftDeleted in the draft, and turns Disable on, so that whoever is blocked in Entra, deleted "
        "there or taken out of scope is disabled in AWS. Preview and publish it with: draft TENANT."
    )

    def handle_tenant(self, tenant: Tenant, options: dict[str, Any]) -> None:
        disable_leavers(actor=self.actor, tenant=tenant)
        waits = " Publish the draft to let runs use it." if changes(tenant) else ""
        self.stdout.write(f"{tenant.slug}: whoever leaves is disabled in AWS.{waits}")
