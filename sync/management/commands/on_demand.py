"""`manage.py on_demand TENANT OBJECT… [--group] [--write] [--json]`: people or a group now, step by step."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sync.directory import live
from sync.management.commands.sync import known_slugs
from sync.models import Demand, DemandObject, ObjectType, Tenant
from sync.on_demand import services
from sync.problems.catalogue import PROBLEMS, scope_words
from sync.worker import execution

MARKS = {"done": "✓", "failed": "✕", "skipped": "–"}
BAD = ("failed", "will_retry")


class Command(BaseCommand):
    help = (
        "Provisions one to fifty people or one group now and prints every step. Without --write it only shows what "
        "would happen. Exit code 1 when something failed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="slug of the tenant")
        parser.add_argument("object", nargs="+", help="object id, user principal name or exact name")
        parser.add_argument("--group", action="store_true", help="the object is a group")
        parser.add_argument("--write", action="store_true", help="write to AWS, not only show what would happen")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"No tenant {options['tenant']!r}. Known: {', '.join(known_slugs()) or 'none yet'}.")
        demand = carry_out(tenant, options)
        report = summary(demand)
        self.stdout.write(json.dumps(report, indent=2, ensure_ascii=False) if options["json"] else in_words(report))
        if demand.state == Demand.State.FAILED or any(one["result"] in BAD for one in report["objects"]):
            raise SystemExit(1)


def carry_out(tenant: Tenant, options: dict[str, Any]) -> Demand:
    """While another run is in progress its worker carries the demand out; the row stays either way."""
    kind = ObjectType.GROUP if options["group"] else ObjectType.USER
    try:
        found = services.resolve_names(tenant, options["object"], kind.value)
        demand = services.request_demand(
            tenant=tenant, actor="command", objects=found, dry_run=not options["write"], enqueue=False
        )
    except services.NotFoundByName as error:
        raise CommandError(
            f"Unknown: {', '.join(error.unknown) or '–'}. Several: {', '.join(error.ambiguous) or '–'}."
        ) from error
    except services.CannotDemand as error:
        if error.code == "token-refused":
            raise CommandError(str(PROBLEMS[error.code].meaning) + " " + str(PROBLEMS[error.code].remedy)) from None
        raise CommandError(f"Name one to {services.MOST_PEOPLE} people, or one group with --group.") from None
    except live.UNREADABLE as error:
        raise CommandError(f"Entra cannot be read: {error}") from error
    assert demand.run is not None
    execution.execute_run(demand.run.pk)
    demand.refresh_from_db()
    if demand.state == Demand.State.WAITING:
        raise CommandError(f"Demand {demand.pk} waits: the run in progress takes it up between two requests.")
    return demand


def summary(demand: Demand) -> dict[str, Any]:
    """Steps as in DemandObject.steps."""
    return {
        "demand": demand.pk,
        "run": demand.run.number if demand.run else None,
        "dry_run": demand.dry_run,
        "state": demand.state,
        "problem": demand.problem or None,
        "objects": [_object(row) for row in demand.objects_asked.all()],
    }


def _object(row: DemandObject) -> dict[str, Any]:
    facts = {"type": row.object_type, "id": row.object_id, "name": row.display_name}
    return facts | {"result": row.result, "steps": row.steps}


def in_words(report: dict[str, Any]) -> str:
    lines = []
    for one in report["objects"]:
        lines.append(f"{one['name'] or one['id']}: {one['result'].replace('_', ' ') or 'not reached'}")
        lines += [
            f"  {MARKS[step['state']]} {DemandObject.Step(step['step']).label}{_fact(step)}" for step in one["steps"]
        ]
    if report["problem"]:
        problem = PROBLEMS[report["problem"]]
        lines.append(f"{problem.title}. {problem.meaning} {problem.remedy}")
    return "\n".join(lines)


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
