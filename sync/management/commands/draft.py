"""`manage.py draft TENANT [--preview] [--publish --comment …] [--discard] [--json]`: what is not published yet."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sync.configuration import drafts, versions
from sync.configuration.items import Difference
from sync.management.commands.sync import finish, tenant_named
from sync.models import Operation, Run, Tenant
from sync.preview import services
from sync.preview.queries.previews import newest_preview
from sync.preview.services import NotPublished, publish_draft
from sync.problems.catalogue import PROBLEMS

ACTOR = "command line"
NAMED = 20
WHY_NOT = {
    "nothing-changed": "Everything is published.",
    "no-preview": "Preview the draft first: draft TENANT --preview.",
    "stale": "The draft changed after its preview, or the preview is older than 60 minutes. Preview again.",
    "blocked": "Something would go wrong because of this draft: see its checks.",
    "not-seen": "Something asks to be seen: name it with --seen.",
}


class Command(BaseCommand):
    help = (
        "Shows what the draft would change. --preview lists everybody whom it concerns and writes nothing; --publish makes "
        "it the next version, after a fresh preview; --discard drops it. Exit code 1 when that was not possible."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", help="slug of the tenant")
        deed = parser.add_mutually_exclusive_group()
        deed.add_argument("--preview", action="store_true", help="read Entra and plan under the draft")
        deed.add_argument("--publish", action="store_true", help="make the draft the next version")
        deed.add_argument("--discard", action="store_true", help="drop the draft")
        parser.add_argument("--comment", default="", help="why; goes into the audit log")
        parser.add_argument(
            "--seen", metavar="CHECK", action="append", default=[], help="a check of the preview that you have seen"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = tenant_named(options["tenant"])
        if options["preview"]:
            report = preview(tenant)
        elif options["publish"]:
            report = publish(tenant, options["comment"], options["seen"])
        else:
            report = {"changes": [change(one) for one in drafts.changes(tenant)]}
        if options["discard"]:
            versions.discard_draft(tenant=tenant, actor=ACTOR)
            report["discarded"] = bool(report["changes"])
        self.stdout.write(json.dumps(report, indent=2, ensure_ascii=False) if options["json"] else words(report))
        if report.get("problem") or report.get("missing"):
            raise SystemExit(1)


def change(one: Difference) -> dict[str, Any]:
    facts = [dict(side.facts) if side else None for side in (one.before, one.after)]
    return {"key": one.key, "name": one.item.name, "before": facts[0], "after": facts[1]}


def preview(tenant: Tenant) -> dict[str, Any]:
    try:
        run = services.request_preview(tenant=tenant, actor=ACTOR, trigger=Run.Trigger.COMMAND, enqueue=False)
    except services.NothingToPreview:
        raise CommandError(WHY_NOT["nothing-changed"]) from None
    run = finish(run)
    gone = run.operations.filter(object_type="user", action__in=("disable", "delete"))
    return {
        "run": run.number,
        "state": run.state,
        "problem": run.problem or None,
        "impact": run.impact,
        "lose": [person(one) for one in gone.order_by("display_name", "pk")],
    }


def person(one: Operation) -> dict[str, Any]:
    facts = {"name": one.display_name, "user_principal_name": one.detail_name or None, "id": one.object_id}
    return facts | {"action": one.action, "because_of": one.causes}


def publish(tenant: Tenant, comment: str, seen: list[str]) -> dict[str, Any]:
    newest = newest_preview(tenant, tenant.configurations.draft())
    try:
        version = publish_draft(tenant=tenant, actor=ACTOR, preview=newest, comment=comment, seen=seen)
    except NotPublished as error:
        checks = newest.impact.get("checks", []) if newest else []
        return {"missing": error.reasons, "checks": [check for check in checks if check["level"] != "good"]}
    return {"published": version.number, "comment": version.comment}


def words(report: dict[str, Any]) -> str:
    if "impact" in report:
        return "\n".join(preview_lines(report))
    if "missing" in report:
        checks = [f"  {one['level']:9}  {one['code']}: {one['n']} (limit {one['limit']})" for one in report["checks"]]
        return "\n".join([*(WHY_NOT[reason] for reason in report["missing"]), *checks])
    if "published" in report:
        return f"Version {report['published']} is published. The next run will use it."
    lines = [change_line(one) for one in report["changes"]] or [WHY_NOT["nothing-changed"]]
    return "\n".join([*lines, *(["The draft is discarded."] if report.get("discarded") else [])])


def change_line(one: dict[str, Any]) -> str:
    if one["before"] is None or one["after"] is None:
        return f"{'+' if one['before'] is None else '-'} {one['key']}  {one['name']}"
    moved = [name for name, value in one["after"].items() if one["before"].get(name) != value]
    return f"~ {one['key']}  " + ", ".join(
        f"{name}: {one['before'].get(name)!r} -> {one['after'][name]!r}" for name in moved
    )


def preview_lines(report: dict[str, Any]) -> list[str]:
    if report["problem"]:
        problem = PROBLEMS[report["problem"]]
        return [f"Run {report['run']} {report['state']}: {problem.title}. {problem.meaning} {problem.remedy}"]
    people = report["impact"]["people"]
    changed = sum(people[key] for key in ("created", "updated", "lose", "deleted"))
    lines = [
        f"Run {report['run']}: {changed} people would change. {people['created']} would be created, {people['updated']} "
        f"updated, {people['lose']} lose access, {people['deleted']} deleted. {people['stay']} stay as they are."
    ]
    lines += [f"  {check['level']:9}  {check['code']}: {check['n']}" for check in report["impact"]["checks"]]
    lines += [f"  {one['action']:8}  {one['name']} <{one['user_principal_name']}>" for one in report["lose"][:NAMED]]
    rest = len(report["lose"]) - NAMED
    return lines + ([f"  and {rest} more: --json lists them all"] if rest > 0 else [])
