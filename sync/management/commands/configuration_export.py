"""`manage.py configuration_export TENANT`: the configuration as a JSON file for git (docs/configuration.md)."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from sync.configuration.files import microsoft as microsoft_files
from sync.configuration.files.ms_schema import ReportLine
from sync.configuration.files.writing import export_configuration
from sync.management.base import Exit, TenantCommand, to_json
from sync.management.differences import report_line
from sync.models import Configuration, Tenant


class Command(TenantCommand):
    help = "Write what is configured as a JSON file: mappings, filters, assignments and settings."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Django's own --version, which prints Django's, gives way to ours."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--version", type=int, help="a published version; without it, what runs use")
        parser.add_argument("--draft", action="store_true", help="what is edited and not published yet")
        parser.add_argument("--microsoft", action="store_true", help="as Microsoft's synchronization schema")

    def handle_tenant(self, tenant: Tenant, options: dict[str, Any]) -> None:
        configuration = configuration_asked_for(tenant, options["version"], options["draft"])
        document, report = exported(configuration, options["microsoft"])
        self.stdout.write(to_json(document))
        for line in report:
            if line.outcome != "taken":
                self.stderr.write(report_line(line))


def exported(configuration: Configuration, microsoft: bool) -> tuple[dict[str, Any], list[ReportLine]]:
    return microsoft_files.export_schema(configuration) if microsoft else (export_configuration(configuration), [])


def configuration_asked_for(tenant: Tenant, version: int | None, draft: bool) -> Configuration:
    if version is not None and draft:
        raise CommandError("Give --version or --draft, not both.", returncode=Exit.USAGE)
    if version is None and not draft:
        return tenant.configurations.current()
    found = tenant.configurations.filter(number=version).first()
    if found is None:
        text = f"There is no version {version}." if version is not None else "There is no draft."
        raise CommandError(text, returncode=Exit.USAGE)
    return found
