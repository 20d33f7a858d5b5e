"""What scope filters do to those who are assigned, looked up in the mirror: counts, names, one person clause by clause.

The rules are those of the draft (or of what a form holds), beside those of the published version. One pass over the
assigned people answers everything that a page asks: properties are streamed, memory does not grow with the directory.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from sync.configuration.drafts import draft_or_current
from sync.configuration.ruleset import Rules
from sync.engine.reading.tracked import parts
from sync.engine.scope import nesting
from sync.expressions import Value
from sync.models import (
    Assignment,
    Configuration,
    DirectoryGroup,
    DirectoryUser,
    Tenant,
)
from sync.preview.queries.assignment_effects import members_of
from sync.problems.catalogue import scope_words
from sync.rules import scope
from sync.rules.filters import Filter, FilterVerdict, compiled, judge, text_of
from sync.rules.rows import ObjectType
from sync.rules.scope import Gate, Reason

CHUNK = 2000
A_GROUP: Mapping[str, scope.Path] = {"": ("",)}
SUGGESTED = 30
FOUND = 8
MODELS: Mapping[ObjectType, type[DirectoryUser] | type[DirectoryGroup]] = {
    "user": DirectoryUser,
    "group": DirectoryGroup,
}


def attributes_read(tenant: Tenant, object_type: ObjectType) -> list[str]:
    """Properties that the last round read; none before the first one."""
    users, groups, _asker = parts(tenant.tracked_select)
    return users if object_type == "user" else groups


@dataclass(frozen=True, slots=True)
class One:
    """An assigned person or group: whether in scope now (by the draft) and before (by the version).

    `assigned` and `stopped` are by the draft; `held` tells of each filter which of its clauses hold, `values` of what.
    """

    object_id: str
    properties: Mapping[str, Any]
    assigned: bool
    stopped: Reason | None
    now: bool
    before: bool
    held: Sequence[Sequence[bool]]
    values: Sequence[Sequence[Value]]

    @property
    def name(self) -> str:
        return str(self.properties.get("displayName") or self.detail or self.object_id)

    @property
    def detail(self) -> str:
        return str(self.properties.get("userPrincipalName") or "")

    @property
    def passed(self) -> bool:
        return self.assigned and self.stopped is None

    @property
    def guest(self) -> bool:
        return self.assigned and scope.is_guest(self.properties)

    @property
    def disabled(self) -> bool:
        return self.assigned and self.properties.get("accountEnabled") is False

    def passes_filter(self, number: int) -> bool:
        return bool(self.held[number]) and all(self.held[number])


@dataclass(slots=True)
class FilterCounts:
    """`clauses` by number of the filter and of the clause; `empty` and `values` by attribute, as the filters name it."""

    total: int = 0
    passing: int = 0
    come_in: int = 0
    drop_out: int = 0
    guests: int = 0
    disabled: int = 0
    filters: Counter[int] = field(default_factory=Counter)
    clauses: Counter[tuple[int, int]] = field(default_factory=Counter)
    empty: Counter[str] = field(default_factory=Counter)
    values: dict[str, Counter[str]] = field(default_factory=dict)

    def suggestions(self, attribute: str) -> list[tuple[str, int]]:
        return self.values.get(attribute, Counter()).most_common(SUGGESTED)


@dataclass(frozen=True, slots=True)
class Test:
    """One person or group under both sets of rules."""

    row: DirectoryUser | DirectoryGroup
    passed: bool
    words: str
    verdicts: Sequence[FilterVerdict]
    # By the version; empty without one.
    before: str


class FilterEffects:
    """The rules that a page shows, over the mirror. `filters`: those of a form instead of the draft's."""

    def __init__(self, tenant: Tenant, object_type: ObjectType, filters: Sequence[Filter] | None = None) -> None:
        self.tenant = tenant
        self.object_type = object_type
        self.configuration = draft_or_current(tenant)
        self.rules = Rules.of(self.configuration)
        if filters is not None:
            self.rules = with_filters(self.rules, object_type, filters)
        # What the draft is compared with: nothing before a version is published.
        self.version = self.configuration if self.configuration.number else self.configuration.based_on
        self.old = Rules.of(self.version) if self.version else self.rules
        self.gate, self.old_gate = gate_of(self.rules, object_type), gate_of(self.old, object_type)

    # Who is asked

    @cached_property
    def assigned(self) -> frozenset[str]:
        return self._ids(self.configuration, self.rules)

    @cached_property
    def assigned_before(self) -> frozenset[str]:
        if self.version is None or _assignments(self.rules) == _assignments(self.old):
            return self.assigned
        return self._ids(self.version, self.old)

    def _ids(self, configuration: Configuration, rules: Rules) -> frozenset[str]:
        return frozenset(self._brought(configuration, rules).values_list("object_id", flat=True))

    def _brought(self, configuration: Configuration, rules: Rules) -> QuerySet[Any]:
        rows = MODELS[self.object_type].objects.filter(tenant=self.tenant, deleted="")
        if self.object_type == "user" and rules.everybody:
            return rows
        return rows.filter(self._assigned_in(configuration, rules))

    def _assigned_in(self, configuration: Configuration, rules: Rules) -> Q:
        chosen = Assignment.objects.filter(configuration=configuration, object_type=self.object_type)
        if self.object_type == "group":
            return Q(object_id__in=chosen.filter(send_group=True).values("object_id"))
        directly = Q(object_id__in=chosen.values("object_id"))
        return directly | Q(object_id__in=members_of(self.tenant, nesting.groups_of(self.tenant, rules)))

    def _everyone(self) -> QuerySet[Any]:
        """Whoever is assigned by either side."""
        rows = self._brought(self.configuration, self.rules)
        if self.version is None or self.assigned_before <= self.assigned:
            return rows
        return rows | self._brought(self.version, self.old)

    def everyone(self) -> Iterator[One]:
        return self._each(self._everyone())

    def by_name(self) -> Iterator[One]:
        return self._each(self._everyone().order_by(Lower("display_name"), "pk"))

    def _each(self, rows: QuerySet[Any]) -> Iterator[One]:
        found = rows.values_list("object_id", "properties")
        for object_id, properties in found.iterator(chunk_size=CHUNK):
            yield self.one(object_id, properties)

    def one(self, object_id: str, properties: Mapping[str, Any]) -> One:
        values = [[rule.value(properties) for rule in one.rules] for one in self.gate.filters]
        held = [
            [rule.holds(value) for rule, value in zip(one.rules, found, strict=True)]
            for one, found in zip(self.gate.filters, values, strict=True)
        ]
        passes = not held or any(clauses and all(clauses) for clauses in held)
        assigned, stopped = object_id in self.assigned, self.gate.reason(properties, passes=passes)
        now = self._decided(object_id, properties, self.rules, assigned, stopped).in_scope
        before = now
        if self.version is not None:
            assigned_before, stopped_before = object_id in self.assigned_before, self.old_gate.stops(properties)
            before = self._decided(object_id, properties, self.old, assigned_before, stopped_before).in_scope
        return One(object_id, properties, assigned, stopped, now, before, held, values)

    def _decided(
        self, object_id: str, properties: Mapping[str, Any], rules: Rules, assigned: bool, stopped: Reason | None
    ) -> scope.Scope:
        if self.object_type == "group":
            return rules.scope_of_group(object_id, properties, deleted=False)
        enabled = properties.get("accountEnabled") is not False
        # Which group it is does not matter here.
        paths = A_GROUP if assigned and not rules.everybody else {}
        person = scope.Person(object_id, enabled, deleted=False, paths=paths, stopped=stopped)
        return scope.decide(person, rules.assigned_users, everybody=rules.everybody)

    # What the page shows

    @property
    def read(self) -> bool:
        """A round has read the directory."""
        return bool(self.tenant.tracked_select)

    def unread(self) -> list[str]:
        """Attributes of the filters that no round has read yet: nothing can be said about them."""
        known = attributes_read(self.tenant, self.object_type)
        rules = [rule for one in self.gate.filters for rule in one.rules]
        missing = [rule.attribute.name for rule in rules if rule.attribute and rule.attribute.selects not in known]
        return list(dict.fromkeys(missing))

    def counts(self) -> FilterCounts:
        counts = FilterCounts()
        places = {
            rule.clause.attribute: (number, index)
            for number, one in enumerate(self.gate.filters)
            for index, rule in enumerate(one.rules)
            if rule.attribute
        }
        counts.values = {name: Counter() for name in places}
        for one in self.everyone():
            counts.come_in += one.now and not one.before
            counts.drop_out += one.before and not one.now
            if one.assigned:
                self._count(counts, one, places)
        return counts

    def _count(self, counts: FilterCounts, one: One, places: Mapping[str, tuple[int, int]]) -> None:
        counts.total += 1
        counts.passing += one.passed
        counts.guests += one.guest
        counts.disabled += one.disabled
        for number, clauses in enumerate(one.held):
            counts.filters[number] += one.passes_filter(number)
            for index, holds in enumerate(clauses):
                counts.clauses[number, index] += holds
        for name, (number, index) in places.items():
            text = text_of(one.values[number][index])
            if text:
                counts.values[name][text] += 1
            else:
                counts.empty[name] += 1

    def test(self, object_id: str) -> Test | None:
        row = MODELS[self.object_type].objects.filter(tenant=self.tenant, object_id=object_id).first()
        if row is None:
            return None
        now = self._scope_of(row, self.rules, self.assigned, self.gate)
        before = self._scope_of(row, self.old, self.assigned_before, self.old_gate) if self.version else None
        titles, old_titles = _titles(self.gate), _titles(self.old_gate)
        return Test(
            row,
            now.in_scope,
            scope_words(now.reason, titles),
            judge(self.gate.filters, row.properties),
            "" if before is None else self._before_in_words(row, before, old_titles),
        )

    def _scope_of(
        self, row: DirectoryUser | DirectoryGroup, rules: Rules, assigned: frozenset[str], gate: Gate
    ) -> scope.Scope:
        if row.deleted:
            return scope.Scope(False, Reason.DELETED)
        stopped = gate.stops(row.properties)
        return self._decided(row.object_id, row.properties, rules, row.object_id in assigned, stopped)

    def _before_in_words(self, row: DirectoryUser | DirectoryGroup, before: scope.Scope, titles: Sequence[str]) -> str:
        number = self.version.number if self.version else 0
        by = next((one.filter.title for one in self.old_gate.filters if one.passes(row.properties)), "")
        if before.in_scope and by:
            return _("Passes in version %(n)s by %(filter)s.") % {"n": number, "filter": by}
        if before.in_scope:
            return _("In scope in version %(n)s.") % {"n": number}
        words = scope_words(before.reason, titles)
        return _("Not in scope in version %(n)s: %(reason)s.") % {"n": number, "reason": words}


def with_filters(rules: Rules, object_type: ObjectType, filters: Sequence[Filter]) -> Rules:
    gate = replace(gate_of(rules, object_type), filters=compiled(filters, object_type))
    return replace(rules, people_gate=gate) if object_type == "user" else replace(rules, group_gate=gate)


def gate_of(rules: Rules, object_type: ObjectType) -> Gate:
    return rules.people_gate if object_type == "user" else rules.group_gate


def search(tenant: Tenant, object_type: ObjectType, text: str) -> list[DirectoryUser | DirectoryGroup]:
    """In the mirror, by name or user principal name; nothing for less than two characters."""
    text = text.strip()
    if len(text) < 2:
        return []
    named = Q(display_name__icontains=text) | Q(object_id__iexact=text)
    if object_type == "user":
        named |= Q(user_principal_name__icontains=text)
    rows = MODELS[object_type].objects.filter(named, tenant=tenant, deleted="")
    return cast("list[DirectoryUser | DirectoryGroup]", list(rows.order_by("display_name", "pk")[:FOUND]))


def _titles(gate: Gate) -> list[str]:
    return [one.filter.title for one in gate.filters]


def _assignments(rules: Rules) -> tuple[Any, ...]:
    return rules.everybody, rules.assigned_users, rules.assigned_groups, rules.nested, rules.sent_groups
