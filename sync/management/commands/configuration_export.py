"""`manage.py configuration_export TENANT`: the configuration as a JSON file for git (docs/configuration.md)."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sync.configuration.files import microsoft as microsoft_files
from sync.configuration.files.ms_schema import ReportLine
from sync.configuration.files.writing import export_configuration
from sync.models import Configuration, Tenant


class Command(BaseCommand):
    help = "Write what is configured as a JSON file: mappings, filters, assignments and settings."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Django's own --version, which prints Django's, gives way to ours."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", metavar="tenant", help="the tenant's part of the URL")
        parser.add_argument("--version", type=int, help="a published version; without it, what runs use")
        parser.add_argument("--draft", action="store_true", help="what is edited and not published yet")
        parser.add_argument("--microsoft", action="store_true", help="as Microsoft's synchronization schema")

    def handle(self, *args: Any, slug: str, version: int | None, draft: bool, microsoft: bool, **options: Any) -> None:
        configuration = chosen(tenant_of(slug), version, draft)
        document, report = exported(configuration, microsoft)
        self.stdout.write(json.dumps(document, indent=2, ensure_ascii=False))
        for line in report:
            if line.outcome != "taken":
                self.stderr.write(report_line(line))


def exported(configuration: Configuration, microsoft: bool) -> tuple[dict[str, Any], list[ReportLine]]:
    return microsoft_files.export_schema(configuration) if microsoft else (export_configuration(configuration), [])


def tenant_of(slug: str) -> Tenant:
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        known = ", ".join(Tenant.objects.values_list("slug", flat=True)) or "none"
        raise CommandError(f"There is no tenant “{slug}”. Known: {known}.")
    return tenant


def chosen(tenant: Tenant, version: int | None, draft: bool) -> Configuration:
    if version is not None and draft:
        raise CommandError("Give --version or --draft, not both.")
    if version is None and not draft:
        return tenant.configurations.current()
    found = tenant.configurations.filter(number=version).first()
    if found is None:
        raise CommandError(f"There is no version {version}." if version is not None else "There is no draft.")
    return found


def report_line(line: ReportLine) -> str:
    """`user name.givenName: left out. AWS has no such field.`"""
    reasons = " ".join(microsoft_files.note_sentence(note) for note in line.notes)
    outcome = {"taken": "taken over", "changed": "taken over with a change", "left_out": "left out"}[line.outcome]
    return f"{line.object_type} {line.part} {line.name}: {outcome}. {reasons}".strip()
