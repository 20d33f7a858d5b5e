"""What differs between two configurations: mappings, filters, assignments and settings, each under a key of its own.

A draft is listed, undone, digested and published by these differences. What an enterprise application brought is not
among them: it is mirrored, not decided here.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sync.models import Assignment, AttributeMapping, Configuration, ScopingFilter
from sync.rules import rows

Kind = Literal["mapping", "filter", "assignment", "setting"]
KINDS: tuple[Kind, ...] = ("mapping", "filter", "assignment", "setting")
MAPPING_FIELDS = rows.FIELDS
FILTER_FIELDS = ("object_type", "title", "clauses")
ASSIGNMENT_FIELDS = ("nested", "send_group")
SETTINGS = ("everybody", "mirrored_app", "leave_out_guests", "guest_user_name", "user_actions", "group_actions")
# These decide who comes and who is linked with whom: after a change of them a run starts from a preview.
SCOPE_SETTINGS = ("everybody", "mirrored_app", "leave_out_guests")
SCOPE_KEYS = frozenset(f"setting:{name}" for name in SCOPE_SETTINGS)
MATCHING_FIELDS = ("kind", "source", "default", "matching")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is configured. `facts` are what counts; `name` is for people."""

    key: str
    kind: Kind
    object_type: str
    name: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """`before` is None for what was added, `after` for what was removed."""

    key: str
    before: Item | None
    after: Item | None

    @property
    def item(self) -> Item:
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def fields(self) -> list[str]:
        """Names of the facts that differ."""
        old, new = (self.before.facts if self.before else {}), (self.after.facts if self.after else {})
        return [name for name in {**old, **new} if old.get(name) != new.get(name)]


def mapping_key(object_type: str, target: str) -> str:
    return f"mapping:{object_type}:{target}"


def filter_key(uid: str) -> str:
    return f"filter:{uid}"


def assignment_key(object_type: str, object_id: str) -> str:
    return f"assignment:{object_type}:{object_id}"


def setting_key(name: str) -> str:
    return f"setting:{name}"


def contents(configuration: Configuration) -> dict[str, Item]:
    """Everything that is configured, by key."""
    items = [
        *(_mapping(row) for row in configuration.mappings.all()),
        *(_filter(row) for row in configuration.filters.all()),
        *(_assignment(row) for row in configuration.assignments.filter(mirrored=False)),
        *(_setting(configuration, name) for name in SETTINGS),
    ]
    return {item.key: item for item in items}


def _mapping(row: AttributeMapping) -> Item:
    key = mapping_key(row.object_type, row.target)
    return Item(key, "mapping", row.object_type, row.target, facts_of(row, MAPPING_FIELDS))


def _filter(row: ScopingFilter) -> Item:
    return Item(filter_key(row.uid), "filter", row.object_type, row.title, facts_of(row, FILTER_FIELDS))


def _assignment(row: Assignment) -> Item:
    key = assignment_key(row.object_type, row.object_id)
    return Item(key, "assignment", row.object_type, str(row), facts_of(row, ASSIGNMENT_FIELDS))


def _setting(configuration: Configuration, name: str) -> Item:
    label = str(Configuration._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    return Item(setting_key(name), "setting", "", label, {"value": getattr(configuration, name)})


def facts_of(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def differences(old: Mapping[str, Item], new: Mapping[str, Item]) -> list[Difference]:
    """In the order of the contents: mappings, filters, assignments, settings."""
    found = [
        Difference(key, old.get(key), new.get(key)) for key in {**old, **new} if facts(old, key) != facts(new, key)
    ]
    return sorted(found, key=lambda one: KINDS.index(one.item.kind))


def facts(items: Mapping[str, Item], key: str) -> Mapping[str, Any] | None:
    return items[key].facts if key in items else None


def digest(configuration: Configuration) -> str:
    """The same for the same rules, whoever made them: a preview belongs to exactly this."""
    return _digest({key: item.facts for key, item in contents(configuration).items()})


def scope_digest(configuration: Configuration) -> str:
    """Of what decides who comes and who is linked with whom, alone."""
    return _digest({key: facts for key, item in contents(configuration).items() if (facts := _scope_facts(item))})


def _digest(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _scope_facts(item: Item) -> Mapping[str, Any] | None:
    if item.kind == "setting":
        return item.facts if item.key in SCOPE_KEYS else None
    if item.kind != "mapping":
        return item.facts
    return {name: item.facts[name] for name in MATCHING_FIELDS} if item.facts["matching"] is not None else None
