"""`test_connection TENANT`: the named checks of both halves, for scripts and for whoever has a shell only."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from sync.connection import services
from sync.connection.checks.wording import Described, describe, summary
from sync.management.base import Exit, Report, TenantCommand, to_json
from sync.models import ConnectionTest, Half, Tenant


class Command(TenantCommand):
    help = "Tests the connection of a tenant: signs in to Entra and AWS and reads; writes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--half", choices=list(Half.values), help="test only this half")
        parser.add_argument("--json", action="store_true", help="print one JSON document instead of sentences")

    def handle_tenant(self, tenant: Tenant, options: dict[str, Any]) -> None:
        halves = [options["half"]] if options["half"] else list(Half.values)
        tests = [self.test(tenant, half) for half in halves]
        if options["json"]:
            self.stdout.write(to_json([half_facts(test) for test in tests]))
        else:
            self.show_words(tests)
        if all(test.passed for test in tests):
            return
        if options["json"]:
            raise SystemExit(Exit.FAILED)
        raise CommandError("The connection test failed.")

    def test(self, tenant: Tenant, half: str) -> ConnectionTest:
        """Here and now: a shell needs no worker."""
        test = services.new_test(tenant=tenant, actor=self.actor, half=half)
        services.run_test(test.pk)
        test.refresh_from_db()
        return test

    def show_words(self, tests: list[ConnectionTest]) -> None:
        for test in tests:
            self.stdout.write(f"{test.get_half_display()}: {summary(test.checks)}")
            for row in test.checks:
                self.show_check(describe(row))

    def show_check(self, check: Described) -> None:
        self.stdout.write(f"  {check.id} {check.state:8} {check.label} {check.note}".rstrip())
        if check.title:
            self.stdout.write(f"       {check.title} {check.meaning}")
        for number, step in enumerate(check.steps, start=1):
            self.stdout.write(f"       {number}. {step}")


def half_facts(test: ConnectionTest) -> Report:
    return {"half": test.half, "passed": test.passed, "checks": [facts_known(describe(row)) for row in test.checks]}


def facts_known(check: Described) -> Report:
    return {key: value for key, value in vars(check).items() if value not in ("", None, ())}
