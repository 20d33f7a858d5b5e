"""`manage.py draft TENANT [--preview] [--publish --comment …] [--discard] [--json]`: what is not published yet."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from sync.configuration import drafts, versions
from sync.management.base import Exit, Report, ReportCommand
from sync.management.differences import difference_facts, difference_line
from sync.management.requests import request_facts, request_in_words
from sync.management.runs import finish_run, problem_in_words, run_exit_code, unless_busy
from sync.models import ChangeRequest, Operation, Run, Tenant
from sync.preview import services
from sync.preview.queries.previews import newest_preview
from sync.preview.services import NotPublished, publish_draft

# So many people are named; --json names all.
NAMED = 20
WHY_NOT = {
    "nothing-changed": "Everything is published.",
    "no-preview": "Preview the draft first: draft TENANT --preview.",
    "stale": "The draft changed after its preview, or the preview is older than 60 minutes. Preview again.",
    "blocked": "Something would go wrong because of this draft: see its checks.",
    "not-seen": "Something asks to be seen: name it with --seen.",
}


class Command(ReportCommand):
    help = (
        "Shows what the draft would change. --preview lists everybody whom it concerns and writes nothing; --publish makes "
        "it the next version, after a fresh preview; --discard drops it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--preview", action="store_true", help="read Entra and plan under the draft")
        which.add_argument("--publish", action="store_true", help="make the draft the next version")
        which.add_argument("--discard", action="store_true", help="drop the draft")
        parser.add_argument("--comment", default="", help="why; goes into the audit log")
        parser.add_argument(
            "--seen", metavar="CHECK", action="append", default=[], help="a check of the preview that you have seen"
        )

    def report(self, tenant: Tenant, options: dict[str, Any]) -> Report:
        if options["preview"]:
            return self.preview(tenant)
        if options["publish"]:
            return self.publish(tenant, options["comment"], options["seen"])
        report: Report = {"changes": [difference_facts(one) for one in drafts.changes(tenant)]}
        if options["discard"]:
            versions.discard_draft(tenant=tenant, actor=self.actor)
            report["discarded"] = bool(report["changes"])
        return report

    def preview(self, tenant: Tenant) -> Report:
        try:
            run = unless_busy(
                lambda: services.request_preview(
                    tenant=tenant, actor=self.actor, trigger=Run.Trigger.COMMAND, enqueue=False
                )
            )
        except services.NothingToPreview:
            raise CommandError(WHY_NOT["nothing-changed"]) from None
        return preview_facts(finish_run(run))

    def publish(self, tenant: Tenant, comment: str, seen: list[str]) -> Report:
        newest = newest_preview(tenant, tenant.configurations.draft())
        try:
            version = publish_draft(tenant=tenant, actor=self.actor, preview=newest, comment=comment, seen=seen)
        except NotPublished as error:
            checks = newest.impact.get("checks", []) if newest else []
            return {"missing": error.reasons, "checks": [check for check in checks if check["level"] != "good"]}
        if isinstance(version, ChangeRequest):
            return {"waits": request_facts(version)}
        return {"published": version.number, "comment": version.comment}

    def in_words(self, report: Report) -> str:
        if "impact" in report:
            return "\n".join(preview_lines(report))
        if "missing" in report:
            checks = [
                f"  {one['level']:9}  {one['code']}: {one['n']} (limit {one['limit']})" for one in report["checks"]
            ]
            return "\n".join([*(WHY_NOT[reason] for reason in report["missing"]), *checks])
        if "waits" in report:
            return request_in_words(report["waits"])
        if "published" in report:
            return f"Version {report['published']} is published. The next run will use it."
        lines = [difference_line(one) for one in report["changes"]] or [WHY_NOT["nothing-changed"]]
        return "\n".join([*lines, *(["The draft is discarded."] if report.get("discarded") else [])])

    def exit_code(self, report: Report) -> Exit:
        if "impact" in report:
            return run_exit_code(report)
        if report.get("waits"):
            return Exit.FOUND
        return Exit.FAILED if report.get("missing") else Exit.DONE


def preview_facts(run: Run) -> Report:
    """`lose`: everybody whose access ends."""
    gone = run.operations.filter(object_type="user", action__in=("disable", "delete"))
    return {
        "run": run.number,
        "state": run.state,
        "problem": run.problem or None,
        "impact": run.impact,
        "lose": [loss_facts(one) for one in gone.order_by("display_name", "pk")],
    }


def loss_facts(one: Operation) -> Report:
    facts = {"name": one.display_name, "user_principal_name": one.detail_name or None, "id": one.object_id}
    return facts | {"action": one.action, "because_of": one.causes}


def preview_lines(report: Report) -> list[str]:
    if report["problem"]:
        return [f"Run {report['run']} {report['state']}: {problem_in_words(report['problem'])}"]
    if not report["impact"]:
        return [f"Run {report['run']} {report['state']}: there is nothing to show."]
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
