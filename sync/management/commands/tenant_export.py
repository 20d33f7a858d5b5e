"""`manage.py tenant_export TENANT`: a tenant as a JSON file, without its secrets (docs/tenant-file.md)."""

from typing import Any

from sync.management.base import TenantCommand, to_json
from sync.models import Tenant
from sync.tenants.file import export_tenant


class Command(TenantCommand):
    help = "Write a tenant as a JSON file, without its secrets."

    def handle_tenant(self, tenant: Tenant, _options: dict[str, Any]) -> None:
        self.stdout.write(to_json(export_tenant(tenant)))
