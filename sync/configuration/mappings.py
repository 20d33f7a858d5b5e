"""Mappings, which Entra value lands in which AWS field: edits of the draft.

A form sends what it showed (`seen`, see editing.revision): when somebody else has changed that meanwhile, the write is
refused with EditConflict and nothing is lost.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sync.configuration import drafts
from sync.configuration.current import add_default_mappings
from sync.configuration.drafts import editing
from sync.configuration.editing import EditConflict, Refused, facts_key, mapping_facts, revision
from sync.configuration.items import MAPPING_FIELDS, mapping_key
from sync.models import AttributeMapping, Configuration, Tenant
from sync.rules import acceptance, aws_fields, mapping_checks
from sync.rules.rows import MappingProblem, MappingRow
from sync.rules.template import DEFAULT_GROUP_MAPPINGS, DEFAULT_USER_MAPPINGS, recommended_for_aws


def save_mapping(
    *,
    actor: str,
    tenant: Tenant,
    object_type: str,
    rule: MappingRow,
    row: AttributeMapping | None = None,
    seen: str | None = None,
) -> AttributeMapping:
    """Adds a row, or changes `row`. Raises Refused, EditConflict; a row saved unchanged stays what it was."""
    rule = mapping_checks.canonical(rule)
    with editing(tenant, actor) as edit:
        row = _own_mapping(edit.draft, object_type, row, seen)
        before = mapping_facts(row.rule()) if row else None
        if before == mapping_facts(rule) and row:
            return row
        others = edit.draft.mappings.filter(object_type=object_type)
        others = others.exclude(pk=row.pk) if row else others
        if problems := mapping_checks.check_mapping(rule, [other.rule() for other in others], object_type):
            raise Refused(problems)
        if row is None:
            position = _next_position(edit.draft, object_type)
            row = AttributeMapping(configuration=edit.draft, object_type=object_type, position=position)
        _fill(row, rule, from_template=False)
        row.save()
        keys = {mapping_key(object_type, name) for name in (row.target, *_target(before))}
        edit.note(keys, "mapping.change" if before else "mapping.add", row, before, mapping_facts(rule))
        return row


def _own_mapping(
    draft: Configuration, object_type: str, row: AttributeMapping | None, seen: str | None
) -> AttributeMapping | None:
    """The draft's own row for one that a page showed, as it is now."""
    if row is None:
        return None
    found = draft.mappings.filter(object_type=object_type, target=row.target).first()
    if found is None or (seen is not None and seen != revision(found)):
        raise EditConflict(found)
    return found


def _target(facts: dict[str, Any] | None) -> list[str]:
    return [facts["target"]] if facts else []


def move_matching(*, actor: str, tenant: Tenant, object_type: str, target: str, up: bool) -> None:
    """One place earlier or later in the order in which the matching fields are tried; numbers become 1, 2, 3 …"""
    with editing(tenant, actor) as edit:
        matching = edit.draft.mappings.filter(object_type=object_type, matching__isnull=False)
        rows = list(matching.order_by("matching", "position"))
        place = next((place for place, row in enumerate(rows) if row.target == target), None)
        if place is None or not 0 <= (other := place - 1 if up else place + 1) < len(rows):
            return
        before = {row.target: row.matching for row in rows}
        rows[place], rows[other] = rows[other], rows[place]
        changed = [row for number, row in enumerate(rows, start=1) if _numbered(row, number)]
        keys = [mapping_key(object_type, row.target) for row in changed]
        edit.note(keys, "mapping.order", tenant, before, {row.target: row.matching for row in rows})


def _numbered(row: AttributeMapping, number: int) -> bool:
    """Whether the number is another one than before."""
    if row.matching == number:
        return False
    row.matching = number
    row.save(update_fields=["matching"])
    return True


def replace_mappings(*, actor: str, tenant: Tenant, object_type: str, rules: Sequence[MappingRow]) -> None:
    """Makes the rows of one kind of object exactly `rules`, which the caller has checked as a set."""
    rules = [mapping_checks.canonical(rule) for rule in rules]
    own = {facts_key(rule) for rule in template(object_type)}
    wanted = [rule.target for rule in rules]
    with editing(tenant, actor) as edit:
        draft = edit.draft
        rows = {row.target: row for row in draft.mappings.filter(object_type=object_type)}
        before = _sources(draft, object_type)
        draft.mappings.filter(object_type=object_type).exclude(target__in=wanted).delete()
        changed = [target for target in rows if target not in wanted]
        for position, rule in enumerate(rules, start=1):
            row = rows.get(rule.target) or AttributeMapping(configuration=draft, object_type=object_type)
            if row.pk is None or facts_key(row.rule()) != facts_key(rule):
                changed.append(rule.target)
                _fill(row, rule, from_template=facts_key(rule) in own)
            row.position = position
            row.save()
        if changed:
            keys = [mapping_key(object_type, target) for target in changed]
            edit.note(keys, "mapping.replace", tenant, before, _sources(draft, object_type))


def remove_mapping(*, actor: str, tenant: Tenant, row: AttributeMapping) -> None:
    """Raises Refused when AWS requires the field."""
    with editing(tenant, actor) as edit:
        if row.target in aws_fields.required_targets(row.object_type):
            raise Refused([MappingProblem("required-row")])
        edit.note(mapping_key(row.object_type, row.target), "mapping.remove", row, mapping_facts(row.rule()), None)
        edit.draft.mappings.filter(object_type=row.object_type, target=row.target).delete()


def reset_mappings(*, actor: str, tenant: Tenant, object_type: str) -> None:
    """Back to the template."""
    with editing(tenant, actor) as edit:
        before = _sources(edit.draft, object_type)
        edit.draft.mappings.filter(object_type=object_type).delete()
        add_default_mappings(edit.draft, object_type)
        after = _sources(edit.draft, object_type)
        keys = [mapping_key(object_type, target) for target in before | after]
        edit.note(keys, "mapping.reset", tenant, before, after)


def apply_recommended(*, actor: str, tenant: Tenant) -> None:
    """The three edits that AWS needs on the template of people; every other row stays as it is."""
    with editing(tenant, actor) as edit:
        rows = {row.target: row for row in edit.draft.mappings.filter(object_type="user")}
        before = _sources(edit.draft, "user")
        kept = {rule.target: rule for rule in recommended_for_aws(row.rule() for row in rows.values())}
        for target, row in rows.items():
            if target not in kept:
                row.delete()
            elif mapping_facts(kept[target]) != mapping_facts(row.rule()):
                row.kind, row.source, row.from_template = kept[target].kind, kept[target].source, False
                row.save()
        after = _sources(edit.draft, "user")
        keys = [mapping_key("user", target) for target in before if before[target] != after.get(target)]
        edit.note(keys, "mapping.recommended", tenant, before, after)


def map_default(*, actor: str, tenant: Tenant, object_type: str, target: str, code: str, attribute: str) -> bool:
    """Puts the expression that readiness proposes for a problem into the draft; False where it knows none.

    Raises Refused."""
    row = drafts.draft_or_current(tenant).mappings.filter(object_type=object_type, target=target).first()
    source = acceptance.proposal_for(code, attribute, row.rule()) if row else ""
    if row is None or not source:
        return False
    rule = replace(row.rule(), kind="expression", source=source)
    save_mapping(actor=actor, tenant=tenant, object_type=object_type, rule=rule, row=row)
    return True


def _next_position(configuration: Configuration, object_type: str) -> int:
    last = configuration.mappings.filter(object_type=object_type).order_by("-position").first()
    return last.position + 1 if last else 1


def _fill(row: AttributeMapping, rule: MappingRow, *, from_template: bool) -> None:
    for name in MAPPING_FIELDS:
        setattr(row, name, getattr(rule, name))
    row.from_template = from_template


def template(object_type: str) -> tuple[MappingRow, ...]:
    return DEFAULT_USER_MAPPINGS if object_type == "user" else DEFAULT_GROUP_MAPPINGS


def _sources(configuration: Configuration, object_type: str) -> dict[str, Any]:
    rows = configuration.mappings.filter(object_type=object_type)
    return dict(rows.values_list("target", "source"))
