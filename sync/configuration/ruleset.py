"""A configuration as the engine uses it, read once per run."""

from collections.abc import Iterable
from collections.abc import Mapping as Map
from dataclasses import dataclass
from typing import Any

from sync.models import (
    AttributeMapping,
    Configuration,
    ScopingFilter,
    Tenant,
)
from sync.models.configuration import every_group_action, every_user_action
from sync.rules import filters, mapping
from sync.rules.rows import GuestName, MappingRow, ObjectType, graph_select
from sync.rules.scope import Gate, Scope, decide_group
from sync.scim.resource import unit_of

OPEN_GATE = Gate()


@dataclass(frozen=True, slots=True)
class Rules:
    """The configuration as the engine uses it, read once per run."""

    users: tuple[MappingRow, ...]
    groups: tuple[MappingRow, ...]
    assigned_users: frozenset[str]
    assigned_groups: frozenset[str]
    changed_at: Any
    # Assigned groups that bring the members of the groups inside them too.
    nested: frozenset[str] = frozenset()
    # Assigned groups that go to AWS themselves; the others only bring their people.
    sent_groups: frozenset[str] = frozenset()
    everybody: bool = False
    mirrored_app: str = ""
    # What assigned people, and assigned groups, have to pass.
    people_gate: Gate = OPEN_GATE
    group_gate: Gate = OPEN_GATE
    guest_user_name: GuestName = "invited"
    # What may be done to people and groups in AWS.
    user_actions: frozenset[str] = frozenset(every_user_action())
    group_actions: frozenset[str] = frozenset(every_group_action())

    @classmethod
    def of(cls, configuration: Configuration, mappings: Iterable[AttributeMapping] | None = None) -> "Rules":
        """Three queries, however much it holds. `mappings`: () where only scope is asked for, one less."""
        rows = list(AttributeMapping.objects.filter(configuration=configuration) if mappings is None else mappings)
        assigned = list(configuration.assignments.all())
        filtered = list(ScopingFilter.objects.filter(configuration=configuration))
        groups = [one for one in assigned if one.object_type == "group"]
        return cls(
            users=tuple(row.rule() for row in rows if row.object_type == "user"),
            groups=tuple(row.rule() for row in rows if row.object_type == "group"),
            assigned_users=frozenset(one.object_id for one in assigned if one.object_type == "user"),
            assigned_groups=frozenset(one.object_id for one in groups),
            changed_at=configuration.changed_at,
            nested=frozenset(one.object_id for one in groups if one.nested),
            sent_groups=frozenset(one.object_id for one in groups if one.send_group),
            everybody=configuration.everybody,
            mirrored_app=configuration.mirrored_app,
            people_gate=Gate(_compiled(filtered, "user"), configuration.leave_out_guests),
            group_gate=Gate(_compiled(filtered, "group")),
            guest_user_name=configuration.guest_user_name,  # type: ignore[arg-type]
            user_actions=frozenset(configuration.user_actions),
            group_actions=frozenset(configuration.group_actions),
        )

    def selects(self, object_type: ObjectType) -> list[str]:
        """The Graph properties that mappings and filters read."""
        rows, gate = (self.users, self.people_gate) if object_type == "user" else (self.groups, self.group_gate)
        filtered = filters.names_read(one.filter for one in gate.filters)
        return graph_select(rows, object_type, filtered)

    def redacted_properties(self, object_type: ObjectType) -> set[str]:
        """The Graph properties whose values an expression redacts."""
        rows = self.users if object_type == "user" else self.groups
        redacting = [one for one in mapping.compile_mappings(rows) if one.redacted]
        return {attribute.selects for one in redacting for attribute in one.inputs.values()}

    def scope_of_group(self, object_id: str, properties: Map[str, Any], *, deleted: bool) -> Scope:
        return decide_group(
            assigned=object_id in self.assigned_groups,
            sent=object_id in self.sent_groups,
            deleted=deleted,
            stopped=self.group_gate.stops(properties),
        )


def filters_of(configuration: Configuration, object_type: ObjectType) -> tuple[filters.CompiledFilter, ...]:
    return _compiled(ScopingFilter.objects.filter(configuration=configuration), object_type)


def _compiled(rows: Iterable[ScopingFilter], object_type: ObjectType) -> tuple[filters.CompiledFilter, ...]:
    return filters.compiled([row.rule() for row in rows if row.object_type == object_type], object_type)


def selected(configuration: Configuration) -> tuple[list[str], list[str]]:
    """What a round reads of users and of groups for the rules of a run, for those of the next one, and for the draft.

    A preview of the draft then needs no round of its own, and what is published meanwhile takes nothing away.
    """
    tenant = configuration.tenant
    used = (configuration, tenant.configurations.current(), tenant.configurations.draft())
    rules = [Rules.of(one) for one in dict.fromkeys(used) if one is not None]
    users = [name for one in rules for name in one.selects("user")]
    groups = [name for one in rules for name in one.selects("group")]
    return list(dict.fromkeys(users)), list(dict.fromkeys(groups))


def redacted_units(tenant: Tenant) -> dict[str, frozenset[str]]:
    """By object type: what the expressions in force redact."""
    rows = AttributeMapping.objects.filter(configuration=tenant.configurations.current(), source__icontains="redact")
    rules = {row: mapping.compiled(row.rule()) for row in rows}
    return {
        object_type: frozenset(
            unit_of(row.target) for row, rule in rules.items() if rule.redacted and row.object_type == object_type
        )
        for object_type in ("user", "group")
    }
