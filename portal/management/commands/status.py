"""`manage.py status [--json]`: every tenant in a line, and whether somebody works."""

from typing import Any

from portal.words.status import TenantStatus, statuses
from sync.health.queries.presence import absence, processes
from sync.management.base import Exit, InstallationCommand, Report
from sync.models import Run, Tenant


class Command(InstallationCommand):
    help = "Says how every tenant stands, and which processes live."

    def report(self) -> Report:
        return {
            "missing": absence() or None,
            "processes": [
                {"name": one.name, "role": one.role, "queues": one.queues, "slots": one.slots, "lives": one.lives}
                for one in processes()
            ],
            "tenants": [tenant_facts(one) for one in statuses(list(Tenant.objects.all()))],
        }

    def in_words(self, report: Report) -> str:
        lines = [line_of(facts) for facts in report["tenants"]] or ["There is no tenant yet."]
        return "\n".join([*([report["missing"]] if report["missing"] else []), *lines])

    def exit_code(self, report: Report) -> Exit:
        bad = [one for one in report["tenants"] if one["overdue_since"] or one["provisioning"] == "quarantined"]
        return Exit.FOUND if report["missing"] or bad else Exit.DONE


def tenant_facts(status: TenantStatus) -> Report:
    """Moments are ISO 8601."""
    next_run_at, overdue_since = status.tenant.next_run_at, status.overdue_since
    resume_at = status.tenant.resume_at
    return {
        "tenant": status.tenant.slug,
        "provisioning": status.provisioning,
        "resume_at": resume_at.isoformat() if resume_at else None,
        "pause_reason": status.tenant.pause_reason or None,
        "people_in_aws": status.people_in_aws,
        "people_in_scope": status.people_in_scope,
        "problems": status.problems,
        "last_run": run_facts(status.last_run) if status.last_run else None,
        "next_run_at": next_run_at.isoformat() if next_run_at else None,
        "overdue_since": overdue_since.isoformat() if overdue_since else None,
    }


def run_facts(run: Run) -> dict[str, Any]:
    ended = run.finished_at.isoformat() if run.finished_at else None
    return {
        "run": run.number,
        "kind": run.kind,
        "state": run.state,
        "finished_at": ended,
        "problem": run.problem or None,
    }


def line_of(facts: Report) -> str:
    last = facts["last_run"]
    parts = [
        f"{facts['tenant']}: {state_of(facts)}",
        f"{facts['people_in_aws']} of {facts['people_in_scope']} people in AWS",
        f"{facts['problems']} problems",
        f"run {last['run']} {last['state'].replace('_', ' ')}" if last else "no run yet",
        *([f"overdue since {facts['overdue_since']}"] if facts["overdue_since"] else []),
    ]
    return ", ".join(parts)


def state_of(facts: Report) -> str:
    until = f" until {facts['resume_at']}" if facts["resume_at"] else ""
    return f"{facts['provisioning'].replace('_', ' ')}{until}"
