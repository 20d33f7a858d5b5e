"""`manage.py readiness TENANT [--json]`: whom AWS would refuse, without asking it."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sync.management.commands.sync import known_slugs
from sync.models import ReadinessCheck, Tenant
from sync.readiness.queries import Affected, Failing, failing
from sync.readiness.services import check_now

ACTOR = "command line"
NOT_READY = 3


class Command(BaseCommand):
    help = "Checks everybody in scope against AWS's rules. Exit code 0: all ready, 3: somebody is not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="slug of the tenant")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"No tenant {options['tenant']!r}. Known: {', '.join(known_slugs()) or 'none yet'}.")
        check = check_now(tenant, actor=ACTOR)
        found = failing(check)
        report = summary(check, found)
        self.stdout.write(json.dumps(report, indent=2, ensure_ascii=False) if options["json"] else words(report))
        if any(one.certain for one in found):
            raise SystemExit(NOT_READY)


def summary(check: ReadinessCheck, found: list[Failing]) -> dict[str, Any]:
    """`objects` counts all, `affected` names the first hundred."""
    return {
        "people": check.people,
        "people_ready": check.people_ready,
        "groups": check.groups,
        "groups_ready": check.groups_ready,
        "unread": check.unread,
        "checks": [
            {
                "code": one.code,
                "outcome": one.outcome,
                "title": str(one.problem.title),
                "remedy": str(one.problem.remedy),
                "objects": one.objects,
                "ready_if_settled": one.alone,
                "mappings": [{"target": cause.row.target, "proposal": cause.proposal} for cause in one.causes],
                "affected": [person(who) for who in one.affected],
            }
            for one in found
        ],
    }


def person(who: Affected) -> dict[str, str]:
    return {
        "object": who.object_type,
        "entra_id": who.object_id,
        "name": who.name,
        "user_principal_name": who.detail,
        "attribute": who.attribute,
        "value": who.value,
    }


def words(report: dict[str, Any]) -> str:
    lines = [f"{report['people_ready']} of {report['people']} people ready."]
    lines[0] += f" {report['groups_ready']} of {report['groups']} groups ready."
    for check in report["checks"]:
        lines.append(f"{check['objects']} x {check['title']} ({check['outcome']}). {check['remedy']}")
        lines += [
            f"  {who['name']} {who['user_principal_name']} {who['attribute']} {who['value']}".rstrip()
            for who in check["affected"][:10]
        ]
    return "\n".join(lines)
