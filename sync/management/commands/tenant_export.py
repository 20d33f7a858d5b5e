"""`manage.py tenant_export SLUG`: a tenant as a JSON file, without its secrets (docs/tenant-file.md)."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sync.models import Tenant
from sync.tenants.file import export_tenant


class Command(BaseCommand):
    help = "Write a tenant as a JSON file, without its secrets."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the tenant's part of the URL")

    def handle(self, *args: Any, slug: str, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=slug).first()
        if tenant is None:
            known = ", ".join(Tenant.objects.values_list("slug", flat=True)) or "none"
            raise CommandError(f"There is no tenant “{slug}”. Known: {known}.")
        self.stdout.write(json.dumps(export_tenant(tenant), indent=2, ensure_ascii=False))
