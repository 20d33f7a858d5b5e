"""`manage.py adopt TENANT [--list] [--all | NAME…] [--json]`: links people and groups with what AWS holds already."""

import json
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from sync.approvals import queries, services
from sync.approvals.queries import Proposal
from sync.management.commands.sync import finish, or_busy, sentence, summary, tenant_named
from sync.models import Run, Tenant
from sync.runs.requests import request_run

ACTOR = "command line"


class Command(BaseCommand):
    help = (
        "Links people and groups of Entra with the AWS objects that match them, then syncs. Without names, or with "
        "--list, it only lists the proposals. Names are display names, user principal names, names in AWS, or ids "
        "of either side; if one is not proposed, nothing is linked. Exit code 1 when the sync failed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="slug of the tenant")
        parser.add_argument("name", nargs="*", help="whom to link")
        parser.add_argument("--all", action="store_true", help="link everything that is proposed")
        parser.add_argument("--list", action="store_true", help="only list")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        found = queries.proposals(tenant, services.adoptable(tenant))
        if options["list"] or not (options["all"] or options["name"]):
            self.stdout.write(listed(found, as_json=options["json"]))
            return
        chosen = found if options["all"] else named(found, options["name"])
        if not chosen:
            raise CommandError("Nothing is proposed for linking.")
        run = finish(or_busy(lambda: link(tenant, chosen)))
        facts = {"linked": [as_facts(one) for one in chosen], "run": summary(run)}
        text = f"{len(chosen)} to be linked.\n{sentence(summary(run))}"
        self.stdout.write(json.dumps(facts, indent=2, ensure_ascii=False) if options["json"] else text)
        if run.state == Run.State.FAILED:
            raise SystemExit(1)


@transaction.atomic
def link(tenant: Tenant, chosen: Iterable[Proposal]) -> Run:
    for one in chosen:
        services.adopt_object(link=one.link, actor=ACTOR)
    return request_run(tenant=tenant, kind=Run.Kind.CHANGES, trigger=Run.Trigger.COMMAND, actor=ACTOR, enqueue=False)


def named(found: Iterable[Proposal], names: Iterable[str]) -> list[Proposal]:
    """Raises CommandError unless each name stands for exactly one."""
    rows = list(found)
    chosen, wrong = [], []
    for name in names:
        meant = [one for one in rows if name.strip().casefold() in called(one)]
        chosen += meant
        if len(meant) != 1:
            wrong.append(f"{name} ({'not proposed' if not meant else 'several'})")
    if wrong:
        raise CommandError(f"{', '.join(wrong)}. Nothing was linked.")
    return list({one.link.pk: one for one in chosen}.values())


def called(one: Proposal) -> set[str]:
    words = (one.name, one.login, one.link.object_id, one.link.match_scim_id, one.link.match_name)
    return {word.casefold() for word in words if word}


def as_facts(one: Proposal) -> dict[str, Any]:
    return {
        "type": one.link.object_type,
        "name": one.name,
        "user_principal_name": one.login or None,
        "entra_id": one.link.object_id,
        "aws_id": one.link.match_scim_id,
        "aws_name": one.link.match_name,
        "matched_by": one.link.match_attribute,
    }


def listed(found: list[Proposal], *, as_json: bool) -> str:
    rows = [as_facts(one) for one in found]
    if as_json:
        return json.dumps({"proposals": rows}, indent=2, ensure_ascii=False)
    lines = [
        f"{row['type']:5}  {row['name']} <{row['user_principal_name'] or row['entra_id']}>  =  "
        f"{row['aws_name']} ({row['aws_id']}), by {row['matched_by']}"
        for row in rows
    ]
    return "\n".join(lines) or "Nothing is proposed for linking."
