"""`manage.py readiness TENANT [--json]`: whom AWS would refuse, without asking it."""

from typing import Any

from sync.management.base import Exit, Report, ReportCommand
from sync.models import Tenant
from sync.readiness.queries import Affected, Failing, failing
from sync.readiness.services import check_now


class Command(ReportCommand):
    help = "Checks everybody in scope against AWS's rules."

    def report(self, tenant: Tenant, _options: dict[str, Any]) -> Report:
        check = check_now(tenant, actor=self.actor)
        return {
            "people": check.people,
            "people_ready": check.people_ready,
            "groups": check.groups,
            "groups_ready": check.groups_ready,
            "unread": check.unread,
            "checks": [check_facts(one) for one in failing(check)],
        }

    def in_words(self, report: Report) -> str:
        lines = [f"{report['people_ready']} of {report['people']} people ready."]
        lines[0] += f" {report['groups_ready']} of {report['groups']} groups ready."
        for check in report["checks"]:
            lines.append(f"{check['objects']} x {check['title']} ({check['outcome']}). {check['remedy']}")
            lines += [
                f"  {one['name']} {one['user_principal_name']} {one['attribute']} {one['value']}".rstrip()
                for one in check["affected"][:10]
            ]
        return "\n".join(lines)

    def exit_code(self, report: Report) -> Exit:
        refused = any(check["outcome"] == "refuses" for check in report["checks"])
        return Exit.FOUND if refused else Exit.DONE


def check_facts(one: Failing) -> Report:
    """`objects` counts all, `affected` names the first hundred."""
    return {
        "code": one.code,
        "outcome": one.outcome,
        "title": str(one.problem.title),
        "remedy": str(one.problem.remedy),
        "objects": one.objects,
        "ready_if_settled": one.alone,
        "mappings": [{"target": cause.row.target, "proposal": cause.proposal} for cause in one.causes],
        "affected": [affected_facts(affected) for affected in one.affected],
    }


def affected_facts(one: Affected) -> Report:
    return {
        "object": one.object_type,
        "entra_id": one.object_id,
        "name": one.name,
        "user_principal_name": one.detail,
        "attribute": one.attribute,
        "value": one.value,
    }
