"""Desired values of one object type by the rules, and which mapping stands behind each."""

import datetime
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.configuration.ruleset import Rules
from sync.rules import leavers, mapping
from sync.rules.changes import (
    matching_attributes,
)
from sync.rules.leavers import Leaving
from sync.rules.rows import GuestName, MappingRow
from sync.rules.unique_keys import same_value
from sync.scim import resource

Taken = Callable[[str, str], bool]


def nobody_has(_target: str, _value: str) -> bool:
    return False


@dataclass(slots=True)
class Mapper:
    """Desired units of one object type, and which mapping stands behind each."""

    rules: Sequence[MappingRow]
    guest_user_name: GuestName = "invited"
    now: datetime.datetime | None = None
    compiled: Sequence[mapping.CompiledMapping] = field(init=False)
    targets: Sequence[str] = field(init=False)
    sources: Mapping[str, str] = field(init=False)
    matching: Sequence[str] = field(init=False)
    # The one row that decides about leavers.
    active: mapping.CompiledMapping | None = field(init=False)
    # Units whose values logs must not show, and those of which the first free value is chosen.
    redacted: frozenset[str] = field(init=False)
    unique: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.compiled = mapping.compile_mappings(self.rules)
        self.active = leavers.active_rule(self.compiled)
        self.targets = [rule.target for rule in self.rules]
        sources: dict[str, list[str]] = defaultdict(list)
        for rule in self.rules:
            sources[resource.unit_of(rule.target)].append(rule.source)
        self.sources = {unit: ", ".join(names) for unit, names in sources.items()}
        self.matching = matching_attributes([(rule.target, rule.matching) for rule in self.rules])
        self.redacted = frozenset(resource.unit_of(rule.row.target) for rule in self.compiled if rule.redacted)
        self.unique = frozenset(resource.unit_of(rule.row.target) for rule in self.compiled if rule.unique)

    def map(
        self, properties: Mapping[str, Any], *, present: bool, creating: bool, taken: Taken = nobody_has
    ) -> mapping.Mapped:
        return mapping.map_object(
            self.compiled, properties, present=present, creating=creating, around=self._around(taken)
        )

    def _around(self, taken: Taken = nobody_has) -> mapping.MappingContext:
        return mapping.MappingContext(self.now, self.guest_user_name, taken)

    def active_of_leaver(self, properties: Mapping[str, Any], how: Leaving) -> mapping.Trace | None:
        """None without a mapping of `active`."""
        return leavers.active_trace(self.active, properties, how, self._around()) if self.active else None

    def staying(self, properties: Mapping[str, Any]) -> tuple[Leaving, ...]:
        """How somebody in scope could leave and stay active in AWS."""
        return leavers.staying(self.active, properties, self._around())

    def defaulted(self, properties: Mapping[str, Any], *, creating: bool) -> set[str]:
        """Units that get a default value."""
        if not any(rule.default for rule in self.rules):
            return set()
        mapped = self.map(properties, present=True, creating=creating)
        return {resource.unit_of(trace.target) for trace in mapped.trace if trace.from_default}

    def would_match(self, properties: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
        """Whether an object of AWS is the one that matching finds; a value that is matched on is never chosen as free."""
        values = self.map(properties, present=True, creating=True).values
        return any(same_value(name, held.get(name), values.get(name)) for name in self.matching)

    def desired(self, mapped: mapping.Mapped, written: Mapping[str, Any]) -> dict[str, Any]:
        """Units to have. What the rules leave untouched stays as it was written, or as AWS was found."""
        kept = {trace.target: _kept(trace, written) for trace in mapped.untouched} if written else {}
        kept = {target: value for target, value in kept.items() if value is not None}
        if not kept:
            return resource.units(mapped.values)
        values = {target: kept.get(target, mapped.values.get(target)) for target in self.targets}
        return resource.units({target: value for target, value in values.items() if value is not None})


def _kept(trace: mapping.Trace, written: Mapping[str, Any]) -> Any:
    """What AWS holds of a target that the rules leave alone; a default that is no longer there is not kept."""
    value = resource.value_of(written, trace.target)
    return value if trace.only_default in (None, value) else None


def people_mapper(rules: Rules, now: datetime.datetime) -> Mapper:
    return Mapper(rules.users, rules.guest_user_name, now)


def groups_mapper(rules: Rules, now: datetime.datetime) -> Mapper:
    """Members have a pass of their own."""
    return Mapper([rule for rule in rules.groups if rule.target != "members"], now=now)
