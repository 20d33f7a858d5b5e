"""`manage.py holds TENANT [--json]`: what waits for a person."""

from typing import Any

from sync.approvals import queries, services
from sync.management.base import Exit, Report, ReportCommand
from sync.management.requests import request_facts, request_in_words
from sync.models import HeldChange, Hold, Tenant, Word
from sync.standings import queries as standings


class Command(ReportCommand):
    help = "Lists what is held and waits for a decision, by name."

    def report(self, tenant: Tenant, _options: dict[str, Any]) -> Report:
        """`held`: how many people and groups stand so; `holds` with their changes; the plan and the reading that wait
        (run numbers), `proposals`: how many links; `requests`: what waits for a second person; `waiting`: how many
        decisions that makes."""
        decisions = services.decisions(tenant)
        waiting = decisions.waiting
        return {
            "held": {kind: counts[Word.HELD] for kind, counts in standings.counts_by_kind(tenant).items()},
            "holds": [held_facts(tenant, hold) for hold in queries.open_holds(tenant)],
            "plan": waiting.plan.number if waiting.plan else None,
            "shrunken": waiting.shrunken.number if waiting.shrunken else None,
            "proposals": len(services.adoptable(tenant)),
            "requests": [request_facts(one) for one in tenant.change_requests.waiting()],
            "waiting": decisions.count,
        }

    def in_words(self, report: Report) -> str:
        people, groups = report["held"]["user"], report["held"]["group"]
        lines = [f"{people} people and {groups} groups are held."] if people or groups else []
        for hold in report["holds"]:
            lines.append(f"{hold['id']}  {hold['title']} (limit {hold['limit']}, run {hold['run']})")
            lines += [f"    {one['decision']:8}  {one['action']:13}  {held_in_words(one)}" for one in hold["changes"]]
        if report["plan"]:
            lines.append(f"The plan of run {report['plan']} waits for approval: sync --confirm")
        if report["shrunken"]:
            lines.append(f"The reading of run {report['shrunken']} shrank: approve --shrinkage takes it as it is")
        if report["proposals"]:
            lines.append(f"{report['proposals']} to be linked: adopt --list")
        lines += [request_in_words(one) for one in report["requests"]]
        return "\n".join(lines) or "Nothing is held."

    def exit_code(self, report: Report) -> Exit:
        return Exit.FOUND if report["waiting"] else Exit.DONE


def held_facts(tenant: Tenant, hold: Hold) -> Report:
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


def held_in_words(change: Report) -> str:
    parts = [change["name"], f"<{change['user_principal_name']}>" if change["user_principal_name"] else ""]
    parts += [f"in {change['group']}" if change["group"] else "", f"({change['cause']})" if change["cause"] else ""]
    return " ".join(part for part in parts if part)
