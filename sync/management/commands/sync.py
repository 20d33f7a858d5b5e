"""`manage.py sync TENANT [--full] [--preview] [--confirm] [--json]`: one run, here and now, without the broker."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sync.configuration import drafts
from sync.models import Run, Tenant
from sync.problems.catalogue import PROBLEMS
from sync.problems.grouping import problem_groups
from sync.runs.requests import RunInTheWay, request_run
from sync.worker import execution

T = TypeVar("T")
# Exit code: another run of the tenant is open.
BUSY = 4


class Command(BaseCommand):
    help = (
        "Runs one sync of a tenant and prints what came of it. Exit code 1: the run failed, 4: another run is open and "
        "nothing was begun."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="slug of the tenant")
        parser.add_argument("--full", action="store_true", help="read everybody again, not only changes")
        parser.add_argument("--preview", action="store_true", help="stop before anything is written")
        parser.add_argument(
            "--confirm",
            action="store_true",
            help="say yes to the people it creates and the names it changes; removals stay under their limits",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        run = carry_out(tenant, kind_of(options), confirmed=options["confirm"])
        report = summary(run) | {"draft": not_published(tenant)}
        self.stdout.write(json.dumps(report, indent=2) if options["json"] else sentence(report))
        if run.state == Run.State.FAILED:
            raise SystemExit(1)


def tenant_named(slug: str) -> Tenant:
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        raise CommandError(f"No tenant {slug!r}. Known: {', '.join(known_slugs()) or 'none yet'}.")
    return tenant


def known_slugs() -> list[str]:
    return list(Tenant.objects.values_list("slug", flat=True))


def not_published(tenant: Tenant) -> int:
    """How many changes of the draft the run did not follow: only publishing lets them count, a --confirm does not."""
    return len(drafts.differs(tenant))


def kind_of(options: dict[str, Any]) -> str:
    if options["preview"]:
        return Run.Kind.PREVIEW
    return Run.Kind.FULL if options["full"] else Run.Kind.CHANGES


def carry_out(tenant: Tenant, kind: str, *, confirmed: bool = False) -> Run:
    asked = or_busy(
        lambda: request_run(
            tenant=tenant,
            kind=kind,
            trigger=Run.Trigger.COMMAND,
            actor="command line" if confirmed else "",
            enqueue=False,
            confirmed=confirmed,
        )
    )
    return finish(asked)


def or_busy(request: Callable[[], T]) -> T:
    """What was asked for, and never another run that is open."""
    try:
        return request()
    except RunInTheWay as busy:
        raise CommandError(
            f"{in_the_way(busy.run)} Nothing was begun. Try again when it is over.", returncode=BUSY
        ) from busy


def in_the_way(run: Run) -> str:
    return f"Run {run.number} ({run.get_kind_display()}) is {run.get_state_display()}."


def finish(run: Run) -> Run:
    """Carries a run out, here and now."""
    finished = execution.execute_run(run.pk)
    if finished is None:
        run.refresh_from_db()
        raise CommandError(f"{in_the_way(run)} A worker is at it. Try again when it is over.", returncode=BUSY)
    return finished


def summary(run: Run) -> dict[str, Any]:
    """Shapes: counts by result, SCIM requests by HTTP method, seconds as a float."""
    return {
        "run": run.number,
        "kind": run.kind,
        "state": run.state,
        "planned": run.planned,
        "counts": run.counts,
        "scim_requests": run.scim_requests,
        "seconds": round(run.duration.total_seconds(), 3) if run.duration else None,
        "problem": run.problem or None,
        "suspect": run.suspect or None,
        "plan_hash": run.plan_hash or None,
        "problems": [
            {
                "code": group.code,
                "attribute": group.attribute or None,
                "title": str(group.problem.title),
                "remedy": str(group.problem.remedy),
                "objects": group.objects,
                "error": group.error,
                "mappings": [row.target for row in group.mappings],
            }
            for group in problem_groups(run)
        ],
    }


def sentence(report: dict[str, Any]) -> str:
    counts = ", ".join(f"{number} {name}" for name, number in report["counts"].items() if number) or "nothing to do"
    lines = [f"Run {report['run']} {report['state'].replace('_', ' ')}: {counts}."]
    if report["problem"]:
        problem = PROBLEMS[report["problem"]]
        lines.append(f"{problem.title}. {problem.meaning} {problem.remedy}")
    lines += [f"{group['objects']} x {group['title']}: {group['remedy']}" for group in report["problems"]]
    if report.get("draft"):
        lines.append(
            f"A draft with {report['draft']} changes is not published: the run did not follow it (draft, draft --publish)."
        )
    return "\n".join(lines)
