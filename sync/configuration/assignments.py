"""Who is assigned: edits of the draft."""

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import QuerySet

from sync import audit
from sync.configuration.drafts import edited, editing
from sync.configuration.items import (
    ASSIGNMENT_FIELDS,
    assignment_key,
    facts_of,
)
from sync.db.batches import chunks
from sync.directory.live import Found
from sync.models import (
    Assignment,
    Configuration,
    Tenant,
)
from sync.rules.wanted import WantedAssignment


@transaction.atomic
def assign_objects(*, actor: str, tenant: Tenant, chosen: Iterable[Found]) -> list[Assignment]:
    """Assigns what is not assigned yet, and returns those."""
    configuration = editing(tenant, actor)
    have = set(configuration.assignments.values_list("object_type", "object_id"))
    new = {(one.object_type, one.object_id): one for one in chosen}
    rows = [_assignment(configuration, actor, one) for key, one in new.items() if key not in have]
    if rows:
        Assignment.objects.bulk_create(rows, batch_size=500)
        audit.record_all(audit.entry(actor, "assignment.add", row, None, _named(row)) for row in rows)
        edited(configuration, [assignment_key(row.object_type, row.object_id) for row in rows], actor)
    return rows


def unassign_object(*, actor: str, tenant: Tenant, assignment: Assignment) -> None:
    unassign_objects(actor=actor, tenant=tenant, keys=[(assignment.object_type, assignment.object_id)])


@transaction.atomic
def unassign_objects(*, actor: str, tenant: Tenant, keys: Iterable[tuple[str, str]]) -> list[Assignment]:
    """`keys`: object type and object id. Returns those that were assigned."""
    configuration, wanted = editing(tenant, actor), set(keys)
    rows = [row for row in configuration.assignments.all() if (row.object_type, row.object_id) in wanted]
    if rows:
        audit.record_all([audit.entry(actor, "assignment.remove", row, _named(row), None) for row in rows])
        for part in chunks(rows, 500):
            configuration.assignments.filter(pk__in=[row.pk for row in part]).delete()
        edited(configuration, [assignment_key(row.object_type, row.object_id) for row in rows], actor)
    return rows


@transaction.atomic
def set_nested(*, actor: str, tenant: Tenant, assignment: Assignment, nested: bool) -> None:
    """Whether an assigned group brings the members of the groups inside it too."""
    _set_of_group(actor, tenant, assignment, "nested", nested)


@transaction.atomic
def set_send_group(*, actor: str, tenant: Tenant, assignment: Assignment, send_group: bool) -> None:
    """Whether an assigned group goes to AWS itself, or only brings its people."""
    _set_of_group(actor, tenant, assignment, "send_group", send_group)


def _set_of_group(actor: str, tenant: Tenant, assignment: Assignment, name: str, value: bool) -> None:
    configuration = editing(tenant, actor)
    row = _own_assignments(configuration, assignment).first()
    if row is None or row.object_type != "group" or getattr(row, name) == value:
        return
    audit.record(actor, f"assignment.{name}", row, {name: not value}, {name: value})
    setattr(row, name, value)
    row.save(update_fields=[name])
    edited(configuration, [assignment_key(row.object_type, row.object_id)], actor)


def _own_assignments(draft: Configuration, assignment: Assignment) -> QuerySet[Assignment]:
    """The draft's own row for one that a page showed."""
    return draft.assignments.filter(object_type=assignment.object_type, object_id=assignment.object_id)


@transaction.atomic
def replace_assignments(*, actor: str, tenant: Tenant, wanted: Sequence[WantedAssignment]) -> None:
    """Makes the assignments exactly these; what an enterprise application brought stays, unless it is wanted itself.

    Who stays keeps the name that was read from Entra.
    """
    draft = editing(tenant, actor)
    rows = {(row.object_type, row.object_id): row for row in draft.assignments.all()}
    keys = {one.key for one in wanted}
    gone = [row for key, row in rows.items() if key not in keys and not row.mirrored]
    for row in gone:
        audit.record(actor, "assignment.remove", row, _named(row), None)
    draft.assignments.filter(pk__in=[row.pk for row in gone]).delete()
    changed = [one.key for one in wanted if _settle(draft, rows.get(one.key), one, actor)]
    keys_changed = [*((row.object_type, row.object_id) for row in gone), *changed]
    if keys_changed:
        edited(draft, [assignment_key(*key) for key in keys_changed], actor)


def _settle(draft: Configuration, row: Assignment | None, wanted: WantedAssignment, actor: str) -> bool:
    """Whether the assignment had to be made or changed."""
    if row is None:
        found = Found(wanted.object_type, wanted.object_id, wanted.name, wanted.detail, "")
        row = _assignment(draft, actor, found, nested=wanted.nested, send_group=wanted.send_group)
        row.save()
        audit.record(actor, "assignment.add", row, None, _named(row))
        return True
    before = {"mirrored": row.mirrored, **facts_of(row, ASSIGNMENT_FIELDS)}
    after = {"mirrored": False, "nested": wanted.nested, "send_group": wanted.send_group}
    if before == after:
        return False
    for name, value in after.items():
        setattr(row, name, value)
    row.save(update_fields=list(after))
    audit.record(actor, "assignment.change", row, before, after)
    return True


def _assignment(configuration: Configuration, actor: str, one: Found, **facts: bool) -> Assignment:
    """`facts`: any of differences.ASSIGNMENT_FIELDS."""
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
