"""`manage.py approve TENANT [HOLD] --all | --only NAME… | --keep NAME… | --shrinkage`: decides what is held."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from sync.approvals import queries, services
from sync.management.base import Exit, Report, ReportCommand
from sync.management.requests import request_facts, request_in_words
from sync.management.runs import finish_run, run_exit_code, run_facts, run_in_words, unless_busy
from sync.models import ChangeRequest, HeldChange, Hold, Run, Tenant
from sync.runs.requests import request_run


@dataclass(slots=True)
class Decided:
    """The run that carries out what is approved, how many changes are, and how many are kept as they are. `waits`: what
    the person behind the command may have caused, which waits for its delay."""

    run: Run | None = None
    approved: int = 0
    kept: int = 0
    waits: list[ChangeRequest] = field(default_factory=list)


class Command(ReportCommand):
    help = (
        "Decides on held changes and runs the sync that carries the approved ones out. Names are display names, user "
        "principal names or Entra ids; if one is not held, nothing is decided. --keep with --all keeps those and "
        "approves the rest."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("hold", nargs="?", type=int, help="number of one hold, as `holds` lists it; else all")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--all", action="store_true", help="approve everything that waits")
        which.add_argument("--only", nargs="+", metavar="NAME", default=[], help="approve these; the rest waits on")
        which.add_argument("--shrinkage", action="store_true", help="take a reading that shrank as it is, read anew")
        parser.add_argument("--keep", nargs="+", metavar="NAME", default=[], help="keep these as they are in AWS")
        parser.add_argument("--comment", default="", help="why; goes into the audit log")

    def report(self, tenant: Tenant, options: dict[str, Any]) -> Report:
        decide = self.accept_reading if options["shrinkage"] else self.decide_changes
        decided = unless_busy(lambda: decide(tenant, options))
        return {
            "approved": decided.approved,
            "kept": decided.kept,
            "waits": [request_facts(one) for one in decided.waits],
            "run": run_facts(finish_run(decided.run)) if decided.run else None,
        }

    def in_words(self, report: Report) -> str:
        lines = [f"{report['approved']} approved, {report['kept']} kept."]
        lines += [request_in_words(one) for one in report["waits"]]
        return "\n".join([*lines, *([run_in_words(report["run"])] if report["run"] else [])])

    def exit_code(self, report: Report) -> Exit:
        if report["waits"]:
            return Exit.FOUND
        return run_exit_code(report["run"]) if report["run"] else Exit.DONE

    @transaction.atomic
    def accept_reading(self, tenant: Tenant, _options: dict[str, Any]) -> Decided:
        if queries.shrunken(tenant) is None:
            raise CommandError("No reading that shrank waits for a decision.")
        services.accept_shrunk_reading(tenant=tenant, actor=self.actor)
        run = request_run(
            tenant=tenant, kind=Run.Kind.FULL, trigger=Run.Trigger.APPROVAL, actor=self.actor, enqueue=False
        )
        return Decided(run)

    @transaction.atomic
    def decide_changes(self, tenant: Tenant, options: dict[str, Any]) -> Decided:
        """All or nothing."""
        hold = hold_numbered(tenant, options["hold"]) if options["hold"] else None
        keep = changes_named(tenant, options["keep"], hold)
        approve = changes_named(tenant, options["only"], hold)
        if options["all"]:
            waiting = HeldChange.objects.waiting().filter(tenant=tenant).select_related("hold")
            approve = list(waiting.filter(hold=hold) if hold else waiting)
        kept = {change.pk for change in keep}
        approve = [change for change in approve if change.pk not in kept]
        if not approve and not keep:
            raise CommandError("Nothing to decide: nothing waits, or neither --all, --only nor --keep was given.")
        decided = Decided(kept=len(keep))
        for one in {change.hold for change in [*approve, *keep]}:
            ids = ids_within(one, approve)
            found = self.decide_one(one, ids, ids_within(one, keep), options["comment"])
            if isinstance(found, ChangeRequest):
                decided.waits.append(found)
            else:
                decided.approved += len(ids)
                decided.run = found or decided.run
        return decided

    def decide_one(self, hold: Hold, approve: list[int], keep: list[int], comment: str) -> Run | ChangeRequest | None:
        try:
            return services.decide_hold(
                hold=hold, actor=self.actor, approve=approve, keep=keep, comment=comment, enqueue=False
            )
        except services.OwnChange as error:
            text = "A change of the configuration causes these removals, so a person has to approve them, on the page Approvals"
            raise CommandError(f"{text}: {', '.join(error.others)}. Nothing was decided.") from error


def ids_within(hold: Hold, changes: Sequence[HeldChange]) -> list[int]:
    return [change.pk for change in changes if change.hold_id == hold.pk]


def hold_numbered(tenant: Tenant, number: int) -> Hold:
    found = queries.open_holds(tenant).filter(pk=number).first()
    if found is None:
        numbers = ", ".join(str(hold.pk) for hold in queries.open_holds(tenant)) or "none"
        raise CommandError(f"No open hold {number}. Open: {numbers}.", returncode=Exit.USAGE)
    return found


def changes_named(tenant: Tenant, names: Sequence[str], hold: Hold | None) -> list[HeldChange]:
    try:
        return queries.named(tenant, names, hold)
    except queries.UnknownNames as error:
        parts = [f"Not held: {', '.join(error.unknown)}." if error.unknown else ""]
        parts += [f"Held several times, give the Entra id: {', '.join(error.several)}." if error.several else ""]
        text = " ".join(part for part in [*parts, "Nothing was decided."] if part)
        raise CommandError(text, returncode=Exit.USAGE) from error
