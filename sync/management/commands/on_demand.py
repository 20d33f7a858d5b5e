"""`manage.py on_demand TENANT OBJECT… [--group] [--write] [--draft] [--json]`: people or a group now, step by step."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from sync.directory import live
from sync.management.base import Exit, Report, ReportCommand
from sync.management.runs import problem_in_words
from sync.models import Demand, DemandObject, ObjectType, Tenant
from sync.on_demand import services
from sync.problems.catalogue import PROBLEMS, scope_words
from sync.worker import execution

MARKS = {"done": "✓", "failed": "✕", "skipped": "–"}
BAD = ("failed", "will_retry")
OF_DRAFTS = {"no-draft": "There is no draft.", "draft-writes": "By the draft nothing is written: leave --write out."}


class Command(ReportCommand):
    help = (
        "Provisions one to fifty people or one group now and prints every step. Without --write it only shows what "
        "would happen."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("object", nargs="+", help="object id, user principal name or exact name")
        parser.add_argument("--group", action="store_true", help="the object is a group")
        parser.add_argument("--write", action="store_true", help="write to AWS, not only show what would happen")
        parser.add_argument("--draft", action="store_true", help="by the draft's rules, which only shows")

    def report(self, tenant: Tenant, options: dict[str, Any]) -> Report:
        """Steps as in DemandObject.steps."""
        demand = finish_demand(self.request(tenant, options))
        return {
            "demand": demand.pk,
            "run": demand.run.number if demand.run else None,
            "dry_run": demand.dry_run,
            "draft": demand.drafted,
            "state": demand.state,
            "problem": demand.problem or None,
            "objects": [object_facts(row) for row in demand.objects_asked.all()],
        }

    def request(self, tenant: Tenant, options: dict[str, Any]) -> Demand:
        kind = ObjectType.GROUP if options["group"] else ObjectType.USER
        try:
            found = services.resolve_names(tenant, options["object"], kind.value, patient=True)
            rules = {"dry_run": not options["write"], "drafted": options["draft"]}
            return services.request_demand(tenant=tenant, actor=self.actor, objects=found, enqueue=False, **rules)
        except services.NotFoundByName as error:
            text = f"Unknown: {', '.join(error.unknown) or '–'}. Several: {', '.join(error.ambiguous) or '–'}."
            raise CommandError(text, returncode=Exit.USAGE) from error
        except services.CannotDemand as error:
            if error.code in PROBLEMS:
                raise CommandError(f"{PROBLEMS[error.code].meaning} {PROBLEMS[error.code].remedy}") from None
            usual = f"Name one to {services.MOST_PEOPLE} people, or one group with --group."
            raise CommandError(OF_DRAFTS.get(error.code, usual), returncode=Exit.USAGE) from None
        except live.UNREADABLE as error:
            raise CommandError(f"Entra cannot be read: {error}") from error

    def in_words(self, report: Report) -> str:
        lines = []
        for one in report["objects"]:
            lines.append(f"{one['name'] or one['id']}: {one['result'].replace('_', ' ') or 'not reached'}")
            lines += [
                f"  {MARKS[step['state']]} {DemandObject.Step(step['step']).label}{_fact(step)}"
                for step in one["steps"]
            ]
        if report["problem"]:
            lines.append(problem_in_words(report["problem"]))
        return "\n".join(lines)

    def exit_code(self, report: Report) -> Exit:
        failed = report["state"] == Demand.State.FAILED or any(one["result"] in BAD for one in report["objects"])
        return Exit.FAILED if failed else Exit.DONE


def finish_demand(demand: Demand) -> Demand:
    """While another run is in progress its worker carries the demand out; the row stays either way."""
    assert demand.run is not None
    execution.execute_run(demand.run.pk)
    demand.refresh_from_db()
    if demand.state == Demand.State.WAITING:
        raise CommandError(f"Demand {demand.pk} waits: the run in progress takes it up between two requests.")
    return demand


def object_facts(row: DemandObject) -> Report:
    facts = {"type": row.object_type, "id": row.object_id, "name": row.display_name}
    return facts | {"result": row.result, "steps": row.steps}


def _fact(step: dict[str, Any]) -> str:
    """What matters most about a step, in a few words."""
    facts = step["facts"]
    if code := facts.get("problem"):
        problem = PROBLEMS.get(code, PROBLEMS["rejected"])
        return f": {problem.title}. {problem.remedy}"
    if step["step"] == "scope":
        reason = scope_words(facts["reason"], [one["title"] for one in facts.get("filters", [])])
        return f": {reason}" + (f" ({' > '.join(facts['path'])})" if facts.get("path") else "")
    if facts.get("operations"):
        return ": " + "; ".join(_operation(one) for one in facts["operations"])
    if "properties" in facts:
        return f": {len(facts['properties'])} properties"
    return f": {facts['how']}" if "how" in facts else f": {facts['why']}" if "why" in facts else ""


def _operation(one: dict[str, Any]) -> str:
    fields = ", ".join(name.rpartition(":")[2] for name in one["changes"])
    outcome = f" -> {one['result']}" if one["result"] not in ("planned", "sent") else ""
    request = f" (request {one['request_id']})" if one["request_id"] else ""
    return f"{one['action']} {fields}{outcome}{request}"
