"""What a file would change, and its contents put into the draft."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from sync.configuration import assignments
from sync.configuration import mappings as configurations
from sync.configuration.drafts import draft_or_current
from sync.configuration.filters import replace_filters
from sync.configuration.items import (
    ASSIGNMENT_FIELDS,
    MAPPING_FIELDS,
    Difference,
    Item,
    assignment_key,
    contents,
    differences,
    facts_of,
    filter_key,
    mapping_key,
    setting_key,
)
from sync.configuration.settings import set_settings
from sync.models import Configuration, ScopingFilter, Tenant
from sync.models.configuration import new_uid
from sync.rules.rows import MappingRow
from sync.rules.wanted import Wanted, WantedAssignment, WantedFilter

# The wanted filters with their uids, by object type.
Named = dict[str, list[tuple[str, WantedFilter]]]


def planned_changes(tenant: Tenant, wanted: Wanted) -> list[Difference]:
    """What the import would change of what pages show now."""
    current = draft_or_current(tenant)
    return differences(contents(current), _contents_with(current, wanted, _named(current, wanted)))


@transaction.atomic
def put_into_draft(*, tenant: Tenant, actor: str, wanted: Wanted) -> list[Difference]:
    """Makes the draft as wanted, and returns what that changed; with nothing to change no draft begins."""
    current = draft_or_current(tenant)
    named = _named(current, wanted)
    changed = differences(contents(current), _contents_with(current, wanted, named))
    touched = {(one.item.kind, one.item.object_type) for one in changed}
    for object_type, rules in wanted.mappings.items():
        if ("mapping", object_type) in touched:
            configurations.replace_mappings(actor=actor, tenant=tenant, object_type=object_type, rules=rules)
    for object_type, filters in named.items():
        if ("filter", object_type) in touched:
            replace_filters(actor=actor, tenant=tenant, object_type=object_type, filters=filters)
    if any(kind == "assignment" for kind, _object_type in touched):
        assignments.replace_assignments(actor=actor, tenant=tenant, wanted=wanted.assignments or [])
    if any(kind == "setting" for kind, _object_type in touched):
        set_settings(actor=actor, tenant=tenant, **wanted.settings)
    return changed


def _contents_with(current: Configuration, wanted: Wanted, named: Named) -> dict[str, Item]:
    """The contents as they would be."""
    items = [item for item in contents(current).values() if not _is_replaced(item, wanted)]
    for object_type, rules in wanted.mappings.items():
        items += _mapping_items(object_type, rules)
    for object_type, filters in named.items():
        items += [_filter_item(object_type, uid, one) for uid, one in filters]
    items += [_assignment_item(one) for one in wanted.assignments or []]
    items += [_setting_item(current, name, value) for name, value in wanted.settings.items()]
    return {item.key: item for item in items}


def _is_replaced(item: Item, wanted: Wanted) -> bool:
    if item.kind == "mapping":
        return item.object_type in wanted.mappings
    if item.kind == "filter":
        return item.object_type in wanted.filters
    if item.kind == "assignment":
        return wanted.assignments is not None
    return item.key in {setting_key(name) for name in wanted.settings}


def _mapping_items(object_type: str, rules: Iterable[MappingRow]) -> list[Item]:
    items = []
    for rule in rules:
        facts = facts_of(rule, MAPPING_FIELDS)
        items.append(Item(mapping_key(object_type, rule.target), "mapping", object_type, rule.target, facts))
    return items


def _filter_item(object_type: str, uid: str, one: WantedFilter) -> Item:
    facts = {"object_type": object_type, "title": one.title, "clauses": list(one.clauses)}
    return Item(filter_key(uid), "filter", object_type, one.title, facts)


def _assignment_item(one: WantedAssignment) -> Item:
    facts = {name: getattr(one, name) for name in ASSIGNMENT_FIELDS}
    name = one.name or one.object_id
    return Item(assignment_key(*one.key), "assignment", one.object_type, name, facts)


def _setting_item(current: Configuration, name: str, value: Any) -> Item:
    label = str(current._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    return Item(setting_key(name), "setting", "", label, {"value": value})


def _named(current: Configuration, wanted: Wanted) -> Named:
    return {kind: _with_uids(current, kind, filters) for kind, filters in wanted.filters.items()}


def _with_uids(
    current: Configuration, object_type: str, filters: Sequence[WantedFilter]
) -> list[tuple[str, WantedFilter]]:
    """Which filter of now each one is: by its title, else by its clauses; a new uid for what is new."""
    left = list(current.filters.filter(object_type=object_type))
    found: dict[int, ScopingFilter] = {}
    for same in (_same_title, _same_clauses):
        for n, one in enumerate(filters):
            row = next((row for row in left if n not in found and same(row, one)), None)
            if row is not None:
                found[n] = row
                left.remove(row)
    return [(found[n].uid if n in found else new_uid(), one) for n, one in enumerate(filters)]


def _same_title(row: ScopingFilter, one: WantedFilter) -> bool:
    return row.title == one.title


def _same_clauses(row: ScopingFilter, one: WantedFilter) -> bool:
    return list(row.clauses) == list(one.clauses)
