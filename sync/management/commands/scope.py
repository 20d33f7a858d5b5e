"""`manage.py scope TENANT`: shows who is in scope, and changes it: all people, the enterprise application, groups."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from sync.configuration import assignments
from sync.configuration.drafts import draft_or_current
from sync.configuration.settings import set_scope
from sync.graph.ids import plain_guid
from sync.management.base import Exit, TenantCommand
from sync.models import Assignment, Configuration, Tenant
from sync.rules import filter_words
from sync.rules.rows import ObjectType

OBJECT_TYPES: tuple[ObjectType, ...] = ("user", "group")


class Command(TenantCommand):
    help = "Shows who is in scope. With options: changes it in the draft. Preview and publish it with: draft TENANT."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        people = parser.add_mutually_exclusive_group()
        people.add_argument("--all-people", action="store_true", help="everybody in the directory")
        people.add_argument("--assigned-only", action="store_true", help="only assigned people and groups")
        app = parser.add_mutually_exclusive_group()
        app.add_argument("--mirror-app", metavar="ID", help="object id of the enterprise application to follow")
        app.add_argument("--no-mirror-app", action="store_true", help="follow no enterprise application")
        parser.add_argument("--nested", metavar="ID", action="append", default=[], help="include groups in this one")
        parser.add_argument("--not-nested", metavar="ID", action="append", default=[], help="its own members only")
        parser.add_argument(
            "--send-group", metavar="ID", action="append", default=[], help="send this assigned group to AWS too"
        )
        parser.add_argument(
            "--no-send-group", metavar="ID", action="append", default=[], help="only its people: not the group itself"
        )

    def handle_tenant(self, tenant: Tenant, options: dict[str, Any]) -> None:
        self._change(tenant, options)
        self._show(draft_or_current(tenant))

    @transaction.atomic
    def _change(self, tenant: Tenant, options: dict[str, Any]) -> None:
        """All or nothing."""
        configuration = draft_or_current(tenant)
        everybody = (configuration.everybody or options["all_people"]) and not options["assigned_only"]
        set_scope(actor=self.actor, tenant=tenant, everybody=everybody, mirrored_app=_app(configuration, options))
        for nested, ids in ((True, options["nested"]), (False, options["not_nested"])):
            for assignment in [_assigned_group(configuration, key) for key in ids]:
                assignments.set_nested(actor=self.actor, tenant=tenant, assignment=assignment, nested=nested)
        for send, ids in ((True, options["send_group"]), (False, options["no_send_group"])):
            for assignment in [_assigned_group(configuration, key) for key in ids]:
                assignments.set_send_group(actor=self.actor, tenant=tenant, assignment=assignment, send_group=send)

    def _show(self, configuration: Configuration) -> None:
        self.stdout.write("people: all" if configuration.everybody else "people: assigned")
        self.stdout.write(f"enterprise application: {configuration.mirrored_app or 'none'}")
        self.stdout.write(f"guests: {'left out' if configuration.leave_out_guests else 'like everybody else'}")
        for object_type in OBJECT_TYPES:
            rows = configuration.filters.filter(object_type=object_type)
            self.stdout.write(filter_words.sentence([row.rule() for row in rows], object_type))
        for row in configuration.assignments.all():
            facts = (("nested", row.nested), ("people only", not row.send_group), ("mirrored", row.mirrored))
            marks = [word for word, holds in facts if holds]
            self.stdout.write(" ".join([row.object_type, row.object_id, str(row), *marks]))


def _app(configuration: Configuration, options: dict[str, Any]) -> str:
    if options["no_mirror_app"]:
        return ""
    if options["mirror_app"] is None:
        return configuration.mirrored_app
    object_id = plain_guid(options["mirror_app"])
    if object_id is None:
        raise CommandError(
            f"{options['mirror_app']} is no object id of an enterprise application.", returncode=Exit.USAGE
        )
    return object_id


def _assigned_group(configuration: Configuration, key: str) -> Assignment:
    row = configuration.assignments.filter(object_type="group", object_id=key).first()
    if row is None:
        raise CommandError(f"No group with the id {key} is assigned.", returncode=Exit.USAGE)
    if row.mirrored:
        raise CommandError(
            f"{row} is assigned by the enterprise application that is followed. Assign the group itself first, then "
            "say how (configuration_import, or the page Assignments).",
            returncode=Exit.USAGE,
        )
    return row
