"""`manage.py versions TENANT [--show N] [--compare N M] [--restore N] [--json]`: what was published, and going back."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from sync.configuration import drafts, versions
from sync.configuration.items import contents, differences
from sync.management.base import Exit, Report, ReportCommand
from sync.management.differences import difference_facts, difference_line
from sync.models import Configuration, Tenant


class Command(ReportCommand):
    help = "Lists the published versions, newest first; shows or compares some; restores one as a draft."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--show", type=int, metavar="N", help="what version N changed")
        which.add_argument("--compare", type=int, nargs=2, metavar=("N", "M"), help="what differs from N to M")
        which.add_argument("--restore", type=int, metavar="N", help="make a draft that equals version N")

    def report(self, tenant: Tenant, options: dict[str, Any]) -> Report:
        if options["show"]:
            version = version_numbered(tenant, options["show"])
            changes = facts_between(version.based_on, version) if version.based_on else []
            return version_facts(version) | {"changes": changes}
        if options["compare"]:
            old, new = (version_numbered(tenant, number) for number in options["compare"])
            return {"before": old.number, "after": new.number, "changes": facts_between(old, new)}
        if options["restore"]:
            return self.restore(tenant, version_numbered(tenant, options["restore"]))
        return {"versions": [version_facts(one) for one in tenant.configurations.published().order_by("-number")]}

    def restore(self, tenant: Tenant, version: Configuration) -> Report:
        try:
            versions.restore_version(tenant=tenant, actor=self.actor, version=version)
        except versions.DraftInTheWay:
            raise CommandError("There is a draft with changes. Publish or discard it first.") from None
        return {"restored": version.number, "changes": [difference_facts(one) for one in drafts.changes(tenant)]}

    def in_words(self, report: Report) -> str:
        if "versions" in report:
            return "\n".join(version_line(one) for one in report["versions"]) or "No version is published yet."
        lines = [difference_line(one) for one in report["changes"]] or ["Nothing differs."]
        if "restored" in report:
            lines.append(f"The draft equals version {report['restored']}. Preview it, then publish it.")
        return "\n".join(lines)


def version_numbered(tenant: Tenant, number: int) -> Configuration:
    found = tenant.configurations.filter(number=number).first()
    if found is None:
        raise CommandError(f"There is no version {number}.", returncode=Exit.USAGE)
    return found


def version_facts(version: Configuration) -> Report:
    return {
        "number": version.number,
        "published_at": version.published_at.isoformat() if version.published_at else None,
        "by": version.published_by or None,
        "comment": version.comment or None,
        "changes": len(version.differs),
    }


def facts_between(old: Configuration, new: Configuration) -> list[Report]:
    return [difference_facts(one) for one in differences(contents(old), contents(new))]


def version_line(one: Report) -> str:
    return f"{one['number']:4}  {one['published_at']}  {one['by'] or '-'}  {one['changes']} changes  {one['comment'] or ''}".rstrip()
