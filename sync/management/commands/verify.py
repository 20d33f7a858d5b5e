"""`manage.py verify TENANT [--repair] [--json]`: one comparison with AWS, here and now, without the broker."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from sync.approvals.services import adoptable
from sync.drift import services
from sync.drift.services import CannotRepair
from sync.management.base import Exit, Report, ReportCommand
from sync.management.runs import finish_run, problem_in_words, run_exit_code, run_seconds, unless_busy
from sync.models import Drift, Run, Tenant, Word
from sync.standings import queries as standings


class Command(ReportCommand):
    help = "Compares AWS with what was last written there."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--repair", action="store_true", help="let the next sync write anew what differs")

    def report(self, tenant: Tenant, options: dict[str, Any]) -> Report:
        run = finish_run(
            unless_busy(
                lambda: services.request_comparison(
                    tenant=tenant, actor=self.actor, trigger=Run.Trigger.COMMAND, enqueue=False
                )
            )
        )
        facts = comparison_facts(run) | {"repaired": self.repair(tenant, run) if options["repair"] else None}
        return facts | {"standings": standings.compared_counts(tenant)}

    def repair(self, tenant: Tenant, run: Run) -> int:
        """0 where nothing may be concluded from the comparison."""
        if run.state == Run.State.FAILED or run.suspect:
            return 0
        try:
            return services.repair_differences(tenant=tenant, actor=self.actor)
        except CannotRepair as error:
            raise CommandError(f"Not repaired: {error}.") from error

    def in_words(self, report: Report) -> str:
        lines = [drift_line(row) for row in report["differences"]]
        if report["problem"]:
            lines.append(problem_in_words(report["problem"]))
        elif report["state"] == Run.State.CANCELLED:
            lines.append("The comparison was cancelled: it says nothing about the rest.")
        elif not lines:
            lines.append("AWS holds what was written. Nothing differs.")
        if report["left_alone"]:
            names = "; ".join(", ".join(filter(None, (row["name"], row["member"]))) for row in report["left_alone"])
            lines.append(f"{len(report['left_alone'])} left alone, by rule or by somebody: {names}")
        lines.append(", ".join(f"{Word(word).label}: {n}" for word, n in report["standings"].items()))
        if report["repaired"]:
            lines.append(f"{report['repaired']} will be written anew by the next sync.")
        return "\n".join(lines)

    def exit_code(self, report: Report) -> Exit:
        if report["problem"]:
            return Exit.FAILED
        return Exit.FOUND if report["differences"] else run_exit_code(report)


def comparison_facts(run: Run) -> Report:
    """Of this comparison. `differences`: every row but those that are left alone, by the never-touch list or by somebody."""
    links = {link.match_scim_id for link in adoptable(run.tenant)}
    found = [] if run.state == Run.State.FAILED else run.drifts.all().iterator()
    rows = [drift_facts(drift, adoptable=drift.scim_id in links) for drift in found]
    return {
        "run": run.number,
        "state": run.state,
        "problem": run.problem or run.suspect or None,
        "counts": run.counts,
        "scim_requests": run.scim_requests,
        "seconds": run_seconds(run),
        "differences": [row for row in rows if not row["left_alone"]],
        "left_alone": [row for row in rows if row["left_alone"]],
    }


def drift_facts(drift: Drift, *, adoptable: bool) -> Report:
    """`adoptable`: the command adopt proposes the same."""
    proposed = {"entra_id": drift.proposed_id, "by": drift.proposed_by, "adoptable": adoptable}
    return {
        "kind": drift.kind,
        "object": drift.object_type,
        "name": drift.name,
        "entra_id": drift.object_id or None,
        "aws_id": drift.scim_id,
        "member": (drift.member_name or drift.member_scim_id) or None,
        "facts": {name: fact for name, fact in drift.facts.items() if name != "left_alone"},
        "left_alone": drift.left_alone or bool(drift.facts.get("left_alone")),
        "proposed": proposed if drift.proposed_id else None,
        "repaired": drift.repaired,
    }


def drift_line(row: Report) -> str:
    kind = Drift.Kind(row["kind"])
    text = f"{kind.label}: {row['name'] or row['aws_id']}"
    if kind is Drift.Kind.DIFFERS:
        return text + "".join(
            f"\n  {unit}: written {json.dumps(fact['written'], ensure_ascii=False)}, AWS holds {json.dumps(fact['held'], ensure_ascii=False)}"
            for unit, fact in row["facts"].items()
        )
    if row["member"]:
        return f"{text}, {row['member']}"
    if not row["proposed"]:
        return text
    linking = f"; to link them: adopt TENANT {row['aws_id']}" if row["proposed"]["adoptable"] else ""
    return f"{text} (perhaps {row['proposed']['entra_id']}, by {row['proposed']['by']}{linking})"
