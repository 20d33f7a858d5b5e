"""Who is assigned: edits of the draft."""

from collections.abc import Iterable, Sequence

from sync.configuration.drafts import Edit, editing
from sync.configuration.items import ASSIGNMENT_FIELDS, assignment_key, facts_of
from sync.db.batches import chunks
from sync.directory.live import Found
from sync.models import Assignment, Configuration, Tenant
from sync.rules.wanted import WantedAssignment


def assign_objects(*, actor: str, tenant: Tenant, chosen: Iterable[Found]) -> list[Assignment]:
    """Assigns what is not assigned yet, and returns those."""
    with editing(tenant, actor) as edit:
        have = set(edit.draft.assignments.values_list("object_type", "object_id"))
        new = {(one.object_type, one.object_id): one for one in chosen}
        rows = [_assignment(edit.draft, actor, one) for key, one in new.items() if key not in have]
        Assignment.objects.bulk_create(rows, batch_size=500)
        for row in rows:
            edit.note(key_of(row), "assignment.add", row, None, _named(row))
        return rows


def unassign_object(*, actor: str, tenant: Tenant, assignment: Assignment) -> None:
    unassign_objects(actor=actor, tenant=tenant, keys=[(assignment.object_type, assignment.object_id)])


def unassign_objects(*, actor: str, tenant: Tenant, keys: Iterable[tuple[str, str]]) -> list[Assignment]:
    """`keys`: object type and object id. Returns those that were assigned."""
    wanted = set(keys)
    with editing(tenant, actor) as edit:
        rows = [row for row in edit.draft.assignments.all() if (row.object_type, row.object_id) in wanted]
        for row in rows:
            edit.note(key_of(row), "assignment.remove", row, _named(row), None)
        for part in chunks(rows, 500):
            edit.draft.assignments.filter(pk__in=[row.pk for row in part]).delete()
        return rows


class Followed(Exception):
    """The assignment is the enterprise application's: what goes with it is decided there."""


def set_nested(*, actor: str, tenant: Tenant, assignment: Assignment, nested: bool) -> None:
    """Whether an assigned group stands for the members of the groups inside it too. Raises Followed."""
    _set_of_group(actor, tenant, assignment, "nested", nested)


def set_send_group(*, actor: str, tenant: Tenant, assignment: Assignment, send_group: bool) -> None:
    """Whether an assigned group goes to AWS itself, or only its people do. Raises Followed."""
    _set_of_group(actor, tenant, assignment, "send_group", send_group)


def _set_of_group(actor: str, tenant: Tenant, assignment: Assignment, name: str, value: bool) -> None:
    """Of the draft's own row for one that a page showed."""
    with editing(tenant, actor) as edit:
        row = edit.draft.assignments.filter(object_type=assignment.object_type, object_id=assignment.object_id).first()
        if row is None or row.object_type != "group" or getattr(row, name) == value:
            return
        if row.mirrored:
            raise Followed
        edit.note(key_of(row), f"assignment.{name}", row, {name: not value}, {name: value})
        setattr(row, name, value)
        row.save(update_fields=[name])


def replace_assignments(*, actor: str, tenant: Tenant, wanted: Sequence[WantedAssignment]) -> None:
    """Makes the assignments exactly these; what an enterprise application assigned stays, unless it is wanted itself.

    Who stays keeps the name that was read from Entra.
    """
    with editing(tenant, actor) as edit:
        rows = {(row.object_type, row.object_id): row for row in edit.draft.assignments.all()}
        keys = {one.key for one in wanted}
        gone = [row for key, row in rows.items() if key not in keys and not row.mirrored]
        for row in gone:
            edit.note(key_of(row), "assignment.remove", row, _named(row), None)
        edit.draft.assignments.filter(pk__in=[row.pk for row in gone]).delete()
        for one in wanted:
            _settle(edit, rows.get(one.key), one)


def _settle(edit: Edit, row: Assignment | None, wanted: WantedAssignment) -> None:
    if row is None:
        found = Found(wanted.object_type, wanted.object_id, wanted.name, wanted.detail, "")
        row = _assignment(edit.draft, edit.actor, found, nested=wanted.nested, send_group=wanted.send_group)
        row.save()
        edit.note(key_of(row), "assignment.add", row, None, _named(row))
        return
    before = {"mirrored": row.mirrored, **facts_of(row, ASSIGNMENT_FIELDS)}
    after = {"mirrored": False, "nested": wanted.nested, "send_group": wanted.send_group}
    if before != after:
        for name, value in after.items():
            setattr(row, name, value)
        row.save(update_fields=list(after))
        edit.note(key_of(row), "assignment.change", row, before, after)


def key_of(row: Assignment) -> str:
    return assignment_key(row.object_type, row.object_id)


def _assignment(configuration: Configuration, actor: str, one: Found, **facts: bool) -> Assignment:
    """`facts`: any of items.ASSIGNMENT_FIELDS."""
    return Assignment(
        configuration=configuration,
        object_type=one.object_type,
        object_id=one.object_id,
        display_name=one.name[:256],
        detail=(one.detail or one.kind)[:256],
        created_by=actor,
        **facts,
    )


def _named(row: Assignment) -> dict[str, str]:
    return {"name": row.display_name, "id": row.object_id}
