"""`manage.py approve TENANT [HOLD] --all | --only NAME… | --keep NAME… | --shrinkage`: decides what is held."""

import json
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from sync.approvals import queries, services
from sync.management.commands.sync import finish, or_busy, sentence, summary, tenant_named
from sync.models import HeldChange, Hold, Run, Tenant
from sync.runs.requests import request_run

ACTOR = "command line"


class Command(BaseCommand):
    help = (
        "Decides on held changes and runs the sync that carries the approved ones out. Names are display names, user "
        "principal names or Entra ids; if one is not held, nothing is decided. --keep with --all keeps those and "
        "approves the rest. Exit code 1 when the sync failed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="slug of the tenant")
        parser.add_argument("hold", nargs="?", type=int, help="number of one hold, as `holds` lists it; else all")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--all", action="store_true", help="approve everything that waits")
        which.add_argument("--only", nargs="+", metavar="NAME", default=[], help="approve these; the rest waits on")
        which.add_argument("--shrinkage", action="store_true", help="take a reading that shrank as it is, read anew")
        parser.add_argument("--keep", nargs="+", metavar="NAME", default=[], help="keep these as they are in AWS")
        parser.add_argument("--comment", default="", help="why; goes into the audit log")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        shrunk = options["shrinkage"]
        run, decided = or_busy(lambda: accept_shrinkage(tenant) if shrunk else decide(tenant, options))
        finished = finish(run) if run else None
        self.stdout.write(report(finished, decided, as_json=options["json"]))
        if finished and finished.state == Run.State.FAILED:
            raise SystemExit(1)


@transaction.atomic
def accept_shrinkage(tenant: Tenant) -> tuple[Run | None, dict[str, int]]:
    if queries.shrunken(tenant) is None:
        raise CommandError("No reading that shrank waits for a decision.")
    services.accept_shrunk_reading(tenant=tenant, actor=ACTOR)
    run = request_run(tenant=tenant, kind=Run.Kind.FULL, trigger=Run.Trigger.APPROVAL, actor=ACTOR, enqueue=False)
    return run, {"approved": 0, "kept": 0}


@transaction.atomic
def decide(tenant: Tenant, options: dict[str, Any]) -> tuple[Run | None, dict[str, int]]:
    """All or nothing."""
    hold = hold_numbered(tenant, options["hold"]) if options["hold"] else None
    keep = named(tenant, options["keep"], hold)
    approve = named(tenant, options["only"], hold)
    if options["all"]:
        waiting = HeldChange.objects.waiting().filter(tenant=tenant).select_related("hold")
        approve = list(waiting.filter(hold=hold) if hold else waiting)
    kept = {change.pk for change in keep}
    approve = [change for change in approve if change.pk not in kept]
    if not approve and not keep:
        raise CommandError("Nothing to decide: nothing waits, or neither --all, --only nor --keep was given.")
    run = None
    for one in {change.hold for change in [*approve, *keep]}:
        run = (
            services.decide_hold(
                hold=one,
                actor=ACTOR,
                approve=ids(approve, one),
                keep=ids(keep, one),
                comment=options["comment"],
                enqueue=False,
            )
            or run
        )
    return run, {"approved": len(approve), "kept": len(keep)}


def ids(changes: Sequence[HeldChange], hold: Hold) -> list[int]:
    return [change.pk for change in changes if change.hold_id == hold.pk]


def hold_numbered(tenant: Tenant, number: int) -> Hold:
    found = queries.open_holds(tenant).filter(pk=number).first()
    if found is None:
        numbers = ", ".join(str(hold.pk) for hold in queries.open_holds(tenant)) or "none"
        raise CommandError(f"No open hold {number}. Open: {numbers}.")
    return found


def named(tenant: Tenant, names: Sequence[str], hold: Hold | None) -> list[HeldChange]:
    try:
        return queries.named(tenant, names, hold)
    except queries.UnknownNames as error:
        parts = [f"Not held: {', '.join(error.unknown)}." if error.unknown else ""]
        parts += [f"Held several times, give the Entra id: {', '.join(error.several)}." if error.several else ""]
        raise CommandError(" ".join(part for part in [*parts, "Nothing was decided."] if part)) from error


def report(run: Run | None, decided: dict[str, int], *, as_json: bool) -> str:
    facts = summary(run) if run else None
    if as_json:
        return json.dumps(decided | {"run": facts}, indent=2)
    words = f"{decided['approved']} approved, {decided['kept']} kept."
    return f"{words}\n{sentence(facts)}" if facts else words
