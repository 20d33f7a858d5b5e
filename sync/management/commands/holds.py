"""`manage.py holds TENANT [--json]`: what waits for a person."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sync.approvals import queries, services
from sync.management.commands.sync import tenant_named
from sync.models import HeldChange, Hold, Tenant

WAITS = 3


class Command(BaseCommand):
    help = "Lists what is held and waits for a decision, by name. Exit code 0: nothing waits, 3: something does."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="slug of the tenant")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        report = summary(tenant)
        self.stdout.write(json.dumps(report, indent=2, ensure_ascii=False) if options["json"] else words(report))
        if services.waiting_decisions(tenant):
            raise SystemExit(WAITS)


def summary(tenant: Tenant) -> dict[str, Any]:
    """`holds` with their changes, the plan and the reading that wait (run numbers), `proposals`: how many links."""
    plan, shrunken = queries.waiting_plan(tenant), queries.shrunken(tenant)
    return {
        "holds": [_hold(tenant, hold) for hold in queries.open_holds(tenant)],
        "plan": plan.number if plan else None,
        "shrunken": shrunken.number if shrunken else None,
        "proposals": len(services.adoptable(tenant)),
    }


def _hold(tenant: Tenant, hold: Hold) -> dict[str, Any]:
    rows = queries.held_of(tenant, HeldChange.objects.open().filter(hold=hold))
    return {
        "id": hold.pk,
        "kind": hold.kind,
        "title": hold.get_kind_display(),
        "run": hold.run.number,
        "since": hold.opened_at.isoformat(),
        "limit": hold.facts.get("limit"),
        "changes": [
            {
                "action": row.change.action,
                "name": row.name,
                "user_principal_name": row.login or None,
                "id": row.subject_id,
                "group": row.group or None,
                "cause": row.change.cause or None,
                "decision": row.state,
            }
            for row in rows
        ],
    }


def words(report: dict[str, Any]) -> str:
    lines: list[str] = []
    for hold in report["holds"]:
        lines.append(f"{hold['id']}  {hold['title']} (limit {hold['limit']}, run {hold['run']})")
        lines += [f"    {one['decision']:8}  {one['action']:13}  {describe(one)}" for one in hold["changes"]]
    if report["plan"]:
        lines.append(f"The plan of run {report['plan']} waits for a yes: sync --confirm")
    if report["shrunken"]:
        lines.append(f"The reading of run {report['shrunken']} shrank: approve --shrinkage takes it as it is")
    if report["proposals"]:
        lines.append(f"{report['proposals']} to be linked: adopt --list")
    return "\n".join(lines) or "Nothing is held."


def describe(change: dict[str, Any]) -> str:
    parts = [change["name"], f"<{change['user_principal_name']}>" if change["user_principal_name"] else ""]
    parts += [f"in {change['group']}" if change["group"] else "", f"({change['cause']})" if change["cause"] else ""]
    return " ".join(part for part in parts if part)
