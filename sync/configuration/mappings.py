"""Edits of the draft: which Entra value lands in which AWS field, who passes, and who is assigned.

Every write locks the draft (making it when there is none), notes who changed what and leaves an audit entry, all in one
transaction. A form brings what it showed (`seen`, see `revision`): when somebody else has changed that meanwhile, the
write is refused with Conflict and nothing is lost.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import JSONField, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from sync import audit
from sync.configuration.drafts import edited, editing
from sync.configuration.items import (
    ASSIGNMENT_FIELDS,
    FILTER_FIELDS,
    MAPPING_FIELDS,
    assignment_key,
    facts_of,
    filter_key,
    mapping_key,
    setting_key,
)
from sync.db.batches import chunks
from sync.directory.live import Found
from sync.models import (
    Assignment,
    AttributeMapping,
    Configuration,
    ScopingFilter,
    Tenant,
)
from sync.rules import aws_fields, mapping_checks, messages
from sync.rules.rows import MappingProblem, MappingRow
from sync.rules.template import DEFAULT_GROUP_MAPPINGS, DEFAULT_USER_MAPPINGS, recommended_for_aws
from sync.rules.wanted import WantedAssignment, WantedFilter
from sync.tenants.services import add_default_mappings, configuration_of


class Refused(Exception):
    """A mapping that must not be saved, or removed; `problems` says why, by field of the row."""

    def __init__(self, problems: Sequence[MappingProblem]) -> None:
        super().__init__("; ".join(problem.sentence for problem in problems))
        self.problems = problems


class EditConflict(Exception):
    """Somebody else changed the same thing meanwhile. `now`: as it stands; None: it is gone."""

    def __init__(self, now: AttributeMapping | ScopingFilter | None) -> None:
        super().__init__("changed meanwhile")
        self.now = now


def revision(row: AttributeMapping | ScopingFilter | None) -> str:
    """What a form showed, in short; "" for something new."""
    if row is None:
        return ""
    names = MAPPING_FIELDS if isinstance(row, AttributeMapping) else FILTER_FIELDS
    facts = json.dumps(facts_of(row, names), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


def sentence(problem: MappingProblem) -> str:
    """What is wrong, in the reader's language; an expression's own message is translated first."""
    params = dict(problem.params)
    if problem.cause is not None:
        params["message"] = _(problem.cause.template) % problem.cause.params
    return _(messages.MESSAGES[problem.code]) % params


@transaction.atomic
def save_mapping(
    *,
    actor: str,
    tenant: Tenant,
    object_type: str,
    rule: MappingRow,
    row: AttributeMapping | None = None,
    seen: str | None = None,
) -> AttributeMapping:
    """Adds a row, or changes `row`. Raises Refused, Conflict; a row saved unchanged stays what it was."""
    configuration = editing(tenant, actor)
    rule = mapping_checks.canonical(rule)
    row = _own_mapping(configuration, object_type, row, seen)
    before = _facts(row.rule()) if row else None
    if before == _facts(rule) and row:
        return row
    others = configuration.mappings.filter(object_type=object_type)
    others = others.exclude(pk=row.pk) if row else others
    if problems := mapping_checks.check_mapping(rule, [other.rule() for other in others], object_type):
        raise Refused(problems)
    if row is None:
        position = _next_position(configuration, object_type)
        row = AttributeMapping(configuration=configuration, object_type=object_type, position=position)
    _fill(row, rule, from_template=False)
    row.save()
    edited(configuration, [mapping_key(object_type, name) for name in {row.target, *_target(before)}], actor)
    audit.record(actor, "mapping.change" if before else "mapping.add", row, before, _facts(rule))
    return row


def _own_mapping(
    draft: Configuration, object_type: str, row: AttributeMapping | None, seen: str | None
) -> AttributeMapping | None:
    """The draft's own row for one that a page showed, as it stands now."""
    if row is None:
        return None
    found = draft.mappings.filter(object_type=object_type, target=row.target).first()
    if found is None or (seen is not None and seen != revision(found)):
        raise EditConflict(found)
    return found


def _target(facts: dict[str, Any] | None) -> list[str]:
    return [facts["target"]] if facts else []


@transaction.atomic
def move_matching(*, actor: str, tenant: Tenant, object_type: str, target: str, up: bool) -> None:
    """One place earlier or later in the order in which the matching fields are tried; numbers become 1, 2, 3 …"""
    configuration = editing(tenant, actor)
    rows = list(
        configuration.mappings.filter(object_type=object_type, matching__isnull=False).order_by("matching", "position")
    )
    place = next((place for place, row in enumerate(rows) if row.target == target), None)
    if place is None or not 0 <= (other := place - 1 if up else place + 1) < len(rows):
        return
    before = {row.target: row.matching for row in rows}
    rows[place], rows[other] = rows[other], rows[place]
    changed = [row for number, row in enumerate(rows, start=1) if _numbered(row, number)]
    edited(configuration, [mapping_key(object_type, row.target) for row in changed], actor)
    audit.record(actor, "mapping.order", tenant, before, {row.target: row.matching for row in rows})


def _numbered(row: AttributeMapping, number: int) -> bool:
    """Whether the number is another one than before."""
    if row.matching == number:
        return False
    row.matching = number
    row.save(update_fields=["matching"])
    return True


@transaction.atomic
def replace_mappings(*, actor: str, tenant: Tenant, object_type: str, rules: Sequence[MappingRow]) -> None:
    """Makes the rows of one kind of object exactly `rules`, which the caller has checked as a set."""
    configuration = editing(tenant, actor)
    rules = [mapping_checks.canonical(rule) for rule in rules]
    rows = {row.target: row for row in configuration.mappings.filter(object_type=object_type)}
    before = _sources(configuration, object_type)
    own = {facts_key(rule) for rule in template(object_type)}
    wanted = [rule.target for rule in rules]
    configuration.mappings.filter(object_type=object_type).exclude(target__in=wanted).delete()
    changed = [target for target in rows if target not in wanted]
    for position, rule in enumerate(rules, start=1):
        row = rows.get(rule.target) or AttributeMapping(configuration=configuration, object_type=object_type)
        if row.pk is None or facts_key(row.rule()) != facts_key(rule):
            changed.append(rule.target)
            _fill(row, rule, from_template=facts_key(rule) in own)
        row.position = position
        row.save()
    if changed:
        edited(configuration, [mapping_key(object_type, target) for target in changed], actor)
        audit.record(actor, "mapping.replace", tenant, before, _sources(configuration, object_type))


@transaction.atomic
def remove_mapping(*, actor: str, tenant: Tenant, row: AttributeMapping) -> None:
    """Raises Refused when AWS requires the field."""
    configuration = editing(tenant, actor)
    if row.target in aws_fields.required_targets(row.object_type):
        raise Refused([MappingProblem("required-row")])
    audit.record(actor, "mapping.remove", row, _facts(row.rule()), None)
    configuration.mappings.filter(object_type=row.object_type, target=row.target).delete()
    edited(configuration, [mapping_key(row.object_type, row.target)], actor)


@transaction.atomic
def reset_mappings(*, actor: str, tenant: Tenant, object_type: str) -> None:
    """Back to the template: every row goes, the template's come."""
    configuration = editing(tenant, actor)
    before = _sources(configuration, object_type)
    configuration.mappings.filter(object_type=object_type).delete()
    add_default_mappings(configuration, object_type)
    after = _sources(configuration, object_type)
    edited(configuration, [mapping_key(object_type, target) for target in before | after], actor)
    audit.record(actor, "mapping.reset", tenant, before, _sources(configuration, object_type))


@transaction.atomic
def apply_recommended(*, actor: str, tenant: Tenant) -> None:
    """The three edits that AWS needs on the template of people; every other row stays as it is."""
    configuration = editing(tenant, actor)
    rows = {row.target: row for row in configuration.mappings.filter(object_type="user")}
    before = _sources(configuration, "user")
    kept = {rule.target: rule for rule in recommended_for_aws(row.rule() for row in rows.values())}
    for target, row in rows.items():
        if target not in kept:
            row.delete()
        elif _facts(kept[target]) != _facts(row.rule()):
            row.kind, row.source, row.from_template = kept[target].kind, kept[target].source, False
            row.save()
    after = _sources(configuration, "user")
    moved = [target for target in before if before[target] != after.get(target)]
    edited(configuration, [mapping_key("user", target) for target in moved], actor)
    audit.record(actor, "mapping.recommended", tenant, before, _sources(configuration, "user"))


@transaction.atomic
def assign(*, actor: str, tenant: Tenant, chosen: Iterable[Found]) -> list[Assignment]:
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


def unassign(*, actor: str, tenant: Tenant, assignment: Assignment) -> None:
    unassign_all(actor=actor, tenant=tenant, keys=[(assignment.object_type, assignment.object_id)])


@transaction.atomic
def unassign_all(*, actor: str, tenant: Tenant, keys: Iterable[tuple[str, str]]) -> list[Assignment]:
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
def set_scope(*, actor: str, tenant: Tenant, everybody: bool, mirrored_app: str) -> None:
    """`mirrored_app`: object id of the enterprise application whose assignments are mirrored; empty: none.

    What came from another application goes; the next run brings those of this one.
    """
    set_settings(actor=actor, tenant=tenant, everybody=everybody, mirrored_app=mirrored_app)


@transaction.atomic
def set_settings(*, actor: str, tenant: Tenant, **values: Any) -> None:
    """Any of differences.SETTINGS, by name."""
    configuration = editing(tenant, actor)
    before = {name: getattr(configuration, name) for name in values}
    changed = [name for name in values if before[name] != values[name]]
    if not changed:
        return
    if "mirrored_app" in changed:
        configuration.assignments.filter(mirrored=True).delete()
    for name in changed:
        setattr(configuration, name, values[name])
    configuration.clean_fields(exclude=_not_checked(changed))
    edited(configuration, [setting_key(name) for name in changed], actor)
    audit.record(actor, "scope.change", tenant, before, values)


def _not_checked(changed: Sequence[str]) -> set[str]:
    """What is set elsewhere, and lists: these may be empty (no action at all)."""
    fields = Configuration._meta.fields
    return {field.name for field in fields if field.name not in changed or isinstance(field, JSONField)}


@transaction.atomic
def save_filter(
    *,
    actor: str,
    tenant: Tenant,
    object_type: str,
    title: str,
    clauses: Sequence[dict[str, Any]],
    uid: str = "",
    seen: str | None = None,
) -> ScopingFilter:
    """Adds a filter, or changes the one with `uid`. The caller has checked the clauses. Raises Conflict."""
    draft = editing(tenant, actor)
    row = draft.filters.filter(uid=uid).first() if uid else None
    if uid and (row is None or (seen is not None and seen != revision(row))):
        raise EditConflict(row)
    before = facts_of(row, FILTER_FIELDS) if row else None
    if row is None:
        last = draft.filters.order_by("-position").first()
        row = ScopingFilter(configuration=draft, object_type=object_type, position=last.position + 1 if last else 1)
    row.title, row.clauses = title, list(clauses)
    after = facts_of(row, FILTER_FIELDS)
    if before == after:
        return row
    row.save()
    edited(draft, [filter_key(row.uid)], actor)
    audit.record(actor, "filter.change" if before else "filter.add", row, before, after)
    return row


@transaction.atomic
def remove_filter(*, actor: str, tenant: Tenant, uid: str) -> None:
    draft = editing(tenant, actor)
    row = draft.filters.filter(uid=uid).first()
    if row is None:
        return
    audit.record(actor, "filter.remove", row, facts_of(row, FILTER_FIELDS), None)
    row.delete()
    edited(draft, [filter_key(uid)], actor)


@transaction.atomic
def replace_filters(
    *, actor: str, tenant: Tenant, object_type: str, filters: Sequence[tuple[str, WantedFilter]]
) -> None:
    """Makes the filters of one kind of object exactly these, each with its uid, which the caller has checked."""
    draft = editing(tenant, actor)
    rows = {row.uid: row for row in draft.filters.filter(object_type=object_type)}
    before = {uid: facts_of(row, FILTER_FIELDS) for uid, row in rows.items()}
    draft.filters.filter(object_type=object_type).exclude(uid__in=[uid for uid, _wanted in filters]).delete()
    for position, (uid, wanted) in enumerate(filters, start=1):
        row = rows.get(uid) or ScopingFilter(configuration=draft, uid=uid, object_type=object_type)
        row.title, row.clauses, row.position = wanted.title, list(wanted.clauses), position
        row.save()
    after = {row.uid: facts_of(row, FILTER_FIELDS) for row in draft.filters.filter(object_type=object_type)}
    changed = [uid for uid in {**before, **after} if before.get(uid) != after.get(uid)]
    if changed:
        edited(draft, [filter_key(uid) for uid in changed], actor)
        audit.record(actor, "filter.replace", tenant, before, after)


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


def matching_changed(*, tenant: Tenant, actor: str) -> None:
    """A setting outside the configuration decides otherwise about who is linked with whom: the next run asks first."""
    configuration = configuration_of(tenant)
    now = timezone.now()
    Configuration.objects.filter(pk=configuration.pk).update(changed_at=now, scope_changed_at=now, changed_by=actor)


def _next_position(configuration: Configuration, object_type: str) -> int:
    last = configuration.mappings.filter(object_type=object_type).order_by("-position").first()
    return last.position + 1 if last else 1


def _fill(row: AttributeMapping, rule: MappingRow, *, from_template: bool) -> None:
    for name in MAPPING_FIELDS:
        setattr(row, name, getattr(rule, name))
    row.from_template = from_template


def _facts(rule: MappingRow) -> dict[str, Any]:
    return facts_of(rule, MAPPING_FIELDS)


def facts_key(rule: MappingRow) -> tuple[Any, ...]:
    """What makes two rows the same rule: everything but their place in the table."""
    return tuple(_facts(rule).values())


def template(object_type: str) -> tuple[MappingRow, ...]:
    return DEFAULT_USER_MAPPINGS if object_type == "user" else DEFAULT_GROUP_MAPPINGS


def _sources(configuration: Configuration, object_type: str) -> dict[str, Any]:
    rows = configuration.mappings.filter(object_type=object_type)
    return dict(rows.values_list("target", "source"))
