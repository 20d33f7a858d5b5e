"""What commands share: the tenant that they are about, who stands in the audit log, the report and the exit code."""

import json
import sys
from enum import IntEnum
from pathlib import Path
from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError

from sync import context
from sync.models import Tenant
from sync.runs.outages import explained

Report = dict[str, Any]


class Exit(IntEnum):
    DONE = 0
    FAILED = 1
    USAGE = 2
    FOUND = 3
    BUSY = 4


# docs/operations.md shows the same table.
EXIT_CODES = {
    Exit.DONE: "done",
    Exit.FAILED: "failed, cancelled, or not possible now",
    Exit.USAGE: "not understood: an option, or the name of a tenant or an object; nothing was done",
    Exit.FOUND: "something was found: problems, differences, decisions that wait, people or groups that are not ready",
    Exit.BUSY: "another run of the tenant is open; nothing was begun, try again when it is over",
}


class AuditedCommand(BaseCommand):
    """A command that changes what pages change too."""

    # What an installation must have. Other checks look at code, as the tests do, and load every page for it: more than
    # half of the time of a start.
    requires_system_checks: list[str] | tuple[str, ...] = (Tags.security,)
    # Who stands in the audit log.
    actor = "command line"

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        codes = "; ".join(f"{code.value} {meaning}" for code, meaning in EXIT_CODES.items())
        return super().create_parser(prog_name, subcommand, epilog=f"Exit codes: {codes}.", **kwargs)

    def execute(self, *args: Any, **options: Any) -> str | None:
        with context.of_command(self.actor):
            return super().execute(*args, **options)


class ReportingCommand(AuditedCommand):
    """With --json, standard output is one object whatever comes of it; a refusal's sentence goes to standard error either way."""

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._carry_out(options)
        except CommandError as error:
            if options.get("json"):
                self.stdout.write(to_json({"error": str(error), "exit_code": int(error.returncode)}))
            raise

    def _carry_out(self, options: dict[str, Any]) -> None:
        try:
            self.carry_out(options)
        except (DatabaseError, InterfaceError) as error:
            if sentence := explained(error):
                raise CommandError(sentence) from error
            raise

    def carry_out(self, options: dict[str, Any]) -> None:
        raise NotImplementedError

    def print_report(self, report: Report, options: dict[str, Any]) -> None:
        self.stdout.write(to_json(report) if options["json"] else self.in_words(report))
        if code := self.exit_code(report):
            raise SystemExit(code)

    def in_words(self, report: Report) -> str:
        raise NotImplementedError

    def exit_code(self, report: Report) -> Exit:
        return Exit.DONE


class TenantCommand(ReportingCommand):
    """A command about one tenant, in `handle_tenant`."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="the tenant's part of the URL: /t/<tenant>/")

    def carry_out(self, options: dict[str, Any]) -> None:
        self.handle_tenant(tenant_named(options["tenant"]), options)

    def handle_tenant(self, tenant: Tenant, options: dict[str, Any]) -> None:
        raise NotImplementedError


class ReportCommand(TenantCommand):
    """Prints what `report` returns: in words, or as JSON."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add_json_option(parser)

    def handle_tenant(self, tenant: Tenant, options: dict[str, Any]) -> None:
        self.print_report(self.report(tenant, options), options)

    def report(self, tenant: Tenant, options: dict[str, Any]) -> Report:
        raise NotImplementedError


class InstallationCommand(ReportingCommand):
    """The same for the whole installation."""

    def add_arguments(self, parser: CommandParser) -> None:
        add_json_option(parser)

    def carry_out(self, options: dict[str, Any]) -> None:
        self.print_report(self.report(), options)

    def report(self) -> Report:
        raise NotImplementedError


def add_json_option(parser: CommandParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def tenant_named(slug: str) -> Tenant:
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        known = ", ".join(Tenant.objects.values_list("slug", flat=True)) or "none yet"
        raise CommandError(f"There is no tenant {slug!r}. Known: {known}.", returncode=Exit.USAGE)
    return tenant


def to_json(report: Any) -> str:
    return json.dumps(report, indent=2, ensure_ascii=False)


def read_input(file: str) -> bytes:
    """A file, or standard input for "-"."""
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
