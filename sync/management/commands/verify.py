"""`manage.py verify TENANT [--repair] [--json]`: one comparison with AWS, here and now, without the broker."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sync.drift import services
from sync.drift.services import CannotRepair
from sync.management.commands.sync import finish, known_slugs, or_busy
from sync.models import Drift, Run, Tenant
from sync.problems.catalogue import PROBLEMS

ACTOR = "command line"
DIFFERENT = 3


class Command(BaseCommand):
    help = "Compares AWS with what was last written there. Exit code 0: equal, 3: differences, 4: another run is open, 1: it failed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="slug of the tenant")
        parser.add_argument("--repair", action="store_true", help="let the next sync write anew what differs")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"No tenant {options['tenant']!r}. Known: {', '.join(known_slugs()) or 'none yet'}.")
        run = carry_out(tenant)
        repaired = mended(tenant, run) if options["repair"] else None
        report = summary(run, repaired)
        self.stdout.write(json.dumps(report, indent=2, ensure_ascii=False) if options["json"] else words(report))
        if run.state == Run.State.FAILED or run.suspect:
            raise SystemExit(1)
        if report["differences"]:
            raise SystemExit(DIFFERENT)


def carry_out(tenant: Tenant) -> Run:
    return finish(
        or_busy(lambda: services.request_comparison(tenant=tenant, trigger=Run.Trigger.COMMAND, enqueue=False))
    )


def mended(tenant: Tenant, run: Run) -> int:
    """0 where nothing may be concluded from the comparison."""
    if run.state == Run.State.FAILED or run.suspect:
        return 0
    try:
        return services.repair_differences(tenant=tenant, actor=ACTOR)
    except CannotRepair as error:
        raise CommandError(f"Not repaired: {error}.") from error


def summary(run: Run, repaired: int | None) -> dict[str, Any]:
    """`differences`: every row but those that the never-touch list leaves alone."""
    rows = [] if run.state == Run.State.FAILED else [entry(drift) for drift in run.drifts.all().iterator()]
    return {
        "run": run.number,
        "state": run.state,
        "problem": run.problem or run.suspect or None,
        "counts": run.counts,
        "scim_requests": run.scim_requests,
        "seconds": round(run.duration.total_seconds(), 3) if run.duration else None,
        "differences": [row for row in rows if not row["left_alone"]],
        "left_alone": [row for row in rows if row["left_alone"]],
        "repaired": repaired,
    }


def entry(drift: Drift) -> dict[str, Any]:
    return {
        "kind": drift.kind,
        "object": drift.object_type,
        "name": drift.name,
        "entra_id": drift.object_id or None,
        "aws_id": drift.scim_id,
        "member": (drift.member_name or drift.member_scim_id) or None,
        "facts": {name: fact for name, fact in drift.facts.items() if name != "left_alone"},
        "left_alone": bool(drift.facts.get("left_alone")),
        "proposed": {"entra_id": drift.proposed_id, "by": drift.proposed_by} if drift.proposed_id else None,
        "repaired": drift.repaired,
    }


def words(report: dict[str, Any]) -> str:
    lines = [line(row) for row in report["differences"]]
    if report["problem"]:
        problem = PROBLEMS[report["problem"]]
        lines.append(f"{problem.title}. {problem.meaning} {problem.remedy}")
    elif not lines:
        lines.append("AWS holds what was written. Nothing differs.")
    if report["left_alone"]:
        lines.append(
            f"{len(report['left_alone'])} left alone by rule: {', '.join(n['name'] for n in report['left_alone'])}"
        )
    if report["repaired"]:
        lines.append(f"{report['repaired']} will be written anew by the next sync.")
    return "\n".join(lines)


def line(row: dict[str, Any]) -> str:
    kind = Drift.Kind(row["kind"])
    text = f"{kind.label}: {row['name'] or row['aws_id']}"
    if kind is Drift.Kind.DIFFERS:
        return text + "".join(
            f"\n  {unit}: written {json.dumps(fact['written'], ensure_ascii=False)}, AWS holds {json.dumps(fact['held'], ensure_ascii=False)}"
            for unit, fact in row["facts"].items()
        )
    if row["member"]:
        return f"{text}, {row['member']}"
    return text + (f" (perhaps {row['proposed']['entra_id']}, by {row['proposed']['by']})" if row["proposed"] else "")
