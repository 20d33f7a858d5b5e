"""`manage.py versions TENANT [--show N] [--compare N M] [--restore N] [--json]`: what was published, and going back."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sync.configuration import drafts, versions
from sync.configuration.items import contents, differences
from sync.management.commands.draft import ACTOR, change, change_line
from sync.management.commands.sync import tenant_named
from sync.models import Configuration, Tenant


class Command(BaseCommand):
    help = "Lists the published versions, newest first; shows or compares some; restores one as a draft."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="slug of the tenant")
        deed = parser.add_mutually_exclusive_group()
        deed.add_argument("--show", type=int, metavar="N", help="what version N changed")
        deed.add_argument("--compare", type=int, nargs=2, metavar=("N", "M"), help="what differs from N to M")
        deed.add_argument("--restore", type=int, metavar="N", help="make a draft that equals version N")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        if options["show"]:
            report = shown(numbered(tenant, options["show"]))
        elif options["compare"]:
            old, new = (numbered(tenant, number) for number in options["compare"])
            report = {"before": old.number, "after": new.number, "changes": compared(old, new)}
        elif options["restore"]:
            report = restored(tenant, numbered(tenant, options["restore"]))
        else:
            report = {"versions": [facts(one) for one in tenant.configurations.published().order_by("-number")]}
        self.stdout.write(json.dumps(report, indent=2, ensure_ascii=False) if options["json"] else words(report))


def numbered(tenant: Tenant, number: int) -> Configuration:
    found = tenant.configurations.filter(number=number).first()
    if found is None:
        raise CommandError(f"There is no version {number}.")
    return found


def facts(version: Configuration) -> dict[str, Any]:
    return {
        "number": version.number,
        "published_at": version.published_at.isoformat() if version.published_at else None,
        "by": version.published_by or None,
        "comment": version.comment or None,
        "changes": len(version.differs),
    }


def compared(old: Configuration, new: Configuration) -> list[dict[str, Any]]:
    return [change(one) for one in differences(contents(old), contents(new))]


def shown(version: Configuration) -> dict[str, Any]:
    return facts(version) | {"changes": compared(version.based_on, version) if version.based_on else []}


def restored(tenant: Tenant, version: Configuration) -> dict[str, Any]:
    try:
        versions.restore_version(tenant=tenant, actor=ACTOR, version=version)
    except versions.DraftInTheWay:
        raise CommandError("There is a draft with changes. Publish or discard it first.") from None
    return {"restored": version.number, "changes": [change(one) for one in drafts.changes(tenant)]}


def words(report: dict[str, Any]) -> str:
    if "versions" in report:
        return "\n".join(line(one) for one in report["versions"]) or "No version is published yet."
    lines = [change_line(one) for one in report["changes"]] or ["Nothing differs."]
    if "restored" in report:
        lines.append(f"The draft equals version {report['restored']}. Preview it, then publish it.")
    return "\n".join(lines)


def line(one: dict[str, Any]) -> str:
    return f"{one['number']:4}  {one['published_at']}  {one['by'] or '-'}  {one['changes']} changes  {one['comment'] or ''}".rstrip()
