"""`manage.py adopt TENANT [--list] [--all | NAME…] [--json]`: links people and groups with what AWS holds already."""

from collections.abc import Iterable
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from sync.approvals import queries, services
from sync.approvals.queries import Proposal
from sync.management.base import Exit, Report, ReportCommand
from sync.management.runs import finish_run, run_exit_code, run_facts, run_in_words, unless_busy
from sync.models import Run, Tenant
from sync.runs.requests import request_run


class Command(ReportCommand):
    help = (
        "Links people and groups of Entra with the AWS objects that match them, then syncs. Without names, or with "
        "--list, it only lists the proposals. Names are display names, user principal names, names in AWS, or ids "
        "of either side; if one is not proposed, nothing is linked. The AWS id stays, with the permission sets and "
        "assignments that hang on it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", nargs="*", help="whom to link")
        parser.add_argument("--all", action="store_true", help="link everything that is proposed")
        parser.add_argument("--list", action="store_true", help="only list")

    def report(self, tenant: Tenant, options: dict[str, Any]) -> Report:
        found = queries.proposals(tenant, services.adoptable(tenant))
        if options["list"] or not (options["all"] or options["name"]):
            return {"proposals": [proposal_facts(one) for one in found]}
        chosen = found if options["all"] else proposals_named(found, options["name"])
        if not chosen:
            raise CommandError("Nothing is proposed for linking.")
        run = finish_run(unless_busy(lambda: self.link(tenant, chosen)))
        return {"linked": [proposal_facts(one) for one in chosen], "run": run_facts(run)}

    @transaction.atomic
    def link(self, tenant: Tenant, chosen: Iterable[Proposal]) -> Run:
        for one in chosen:
            services.adopt_object(link=one.link, actor=self.actor)
        return request_run(
            tenant=tenant, kind=Run.Kind.CHANGES, trigger=Run.Trigger.COMMAND, actor=self.actor, enqueue=False
        )

    def in_words(self, report: Report) -> str:
        if "run" in report:
            return f"{len(report['linked'])} to be linked.\n{run_in_words(report['run'])}"
        lines = [
            f"{row['type']:5}  {row['name']} <{row['user_principal_name'] or row['entra_id']}>  =  "
            f"{row['aws_name']} ({row['aws_id']}), by {row['matched_by']}. {row['problem']}"
            for row in report["proposals"]
        ]
        return "\n".join(lines) or "Nothing is proposed for linking."

    def exit_code(self, report: Report) -> Exit:
        return run_exit_code(report["run"]) if "run" in report else Exit.DONE


def proposals_named(found: Iterable[Proposal], names: Iterable[str]) -> list[Proposal]:
    """Raises CommandError unless each name means exactly one."""
    rows = list(found)
    chosen, wrong = [], []
    for name in names:
        meant = [one for one in rows if name.strip().casefold() in proposal_names(one)]
        chosen += meant
        if len(meant) != 1:
            wrong.append(f"{name} ({'not proposed' if not meant else 'several'})")
    if wrong:
        raise CommandError(f"{', '.join(wrong)}. Nothing was linked.", returncode=Exit.USAGE)
    return list({one.link.pk: one for one in chosen}.values())


def proposal_names(one: Proposal) -> set[str]:
    names = (one.name, one.login, one.link.object_id, one.link.match_scim_id, one.link.match_name)
    return {name.casefold() for name in names if name}


def proposal_facts(one: Proposal) -> Report:
    return {
        "type": one.link.object_type,
        "name": one.name,
        "user_principal_name": one.login or None,
        "entra_id": one.link.object_id,
        "aws_id": one.link.match_scim_id,
        "aws_name": one.link.match_name,
        "matched_by": one.link.match_attribute,
        "code": one.code,
        "problem": str(one.problem.title),
    }
