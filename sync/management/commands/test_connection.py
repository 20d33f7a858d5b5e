"""`test_connection TENANT`: the named checks of both halves, for scripts and for whoever has a shell only."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sync.connection import services
from sync.connection.checks.wording import Described, describe, summary
from sync.models import ConnectionTest, Half, Tenant

ACTOR = "command line"


class Command(BaseCommand):
    help = "Tests the connection of a tenant: signs in to Entra and AWS and reads; writes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name, as in its address: /t/<tenant>/")
        parser.add_argument("--half", choices=list(Half.values), help="test only this half")
        parser.add_argument("--json", action="store_true", help="print one JSON document instead of sentences")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            known = ", ".join(Tenant.objects.values_list("slug", flat=True)) or "none yet"
            raise CommandError(f"There is no tenant {options['tenant']!r}. Known tenants: {known}.")
        halves = [options["half"]] if options["half"] else list(Half.values)
        tests = [run_now(tenant, half) for half in halves]
        show = self.show_json if options["json"] else self.show_words
        show(tests)
        if not all(test.passed for test in tests):
            raise CommandError("The connection test failed.", returncode=1)

    def show_json(self, tests: list[ConnectionTest]) -> None:
        document = [
            {
                "half": test.half,
                "passed": test.passed,
                "checks": [as_json(describe(row)) for row in test.checks],
            }
            for test in tests
        ]
        self.stdout.write(json.dumps(document, indent=1, ensure_ascii=False))

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


def run_now(tenant: Tenant, half: str) -> ConnectionTest:
    """Here and now: a shell needs no worker."""
    test = services.new_test(tenant=tenant, actor=ACTOR, half=half)
    services.run_test(test.pk)
    test.refresh_from_db()
    return test


def as_json(check: Described) -> dict[str, Any]:
    return {key: value for key, value in vars(check).items() if value not in ("", None, ())}
