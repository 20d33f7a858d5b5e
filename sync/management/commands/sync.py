"""`manage.py sync TENANT [--full] [--preview] [--confirm] [--json]`: one run, here and now, without the broker."""

from typing import Any

from django.core.management.base import CommandParser

from sync.configuration import drafts
from sync.management.base import Exit, Report, ReportCommand
from sync.management.runs import finish_run, run_exit_code, run_facts, run_in_words, unless_busy
from sync.models import Run, Tenant
from sync.runs.requests import request_run


class Command(ReportCommand):
    help = "Runs one sync of a tenant and prints what came of it."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--full", action="store_true", help="read everybody again, not only changes")
        parser.add_argument("--preview", action="store_true", help="stop before anything is written")
        parser.add_argument(
            "--confirm",
            action="store_true",
            help="approve the people it creates and the names it changes; removals stay under their limits",
        )

    def report(self, tenant: Tenant, options: dict[str, Any]) -> Report:
        """`draft`: how many of its changes the run did not follow; a --confirm does not publish them."""
        run = unless_busy(
            lambda: request_run(
                tenant=tenant,
                kind=kind_asked_for(options),
                trigger=Run.Trigger.COMMAND,
                actor=self.actor,
                enqueue=False,
                confirmed=options["confirm"],
            )
        )
        return run_facts(finish_run(run)) | {"draft": len(drafts.differs(tenant))}

    def in_words(self, report: Report) -> str:
        draft = f"A draft with {report['draft']} changes is not published: the run did not follow it (draft, draft --publish)."
        return "\n".join([run_in_words(report), *([draft] if report["draft"] else [])])

    def exit_code(self, report: Report) -> Exit:
        return run_exit_code(report)


def kind_asked_for(options: dict[str, Any]) -> Run.Kind:
    if options["preview"]:
        return Run.Kind.PREVIEW
    return Run.Kind.FULL if options["full"] else Run.Kind.CHANGES
