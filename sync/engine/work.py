"""What a run looks at: the published rules, and the rows of the mirror that may have changed since the last one."""

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Map
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from django.db.models import Q, QuerySet
from django.utils import timezone

from sync.models import (
    Assignment,
    AttributeMapping,
    Configuration,
    DirectoryGroup,
    DirectoryUser,
    HeldChange,
    Link,
    ScopingFilter,
    Snapshot,
    Tenant,
)
from sync.models.configuration import every_group_action, every_user_action
from sync.rules import filters, mapping
from sync.rules.rows import GuestName, MappingRow, ObjectType, graph_select
from sync.rules.scope import Gate, Scope, decide_group
from sync.scim.resource import unit_of

BATCH = 1000
OPEN_GATE = Gate()
T = TypeVar("T")


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
    def of(cls, configuration: Configuration) -> "Rules":
        def rows(object_type: str) -> tuple[MappingRow, ...]:
            found = AttributeMapping.objects.filter(configuration=configuration, object_type=object_type)
            return tuple(row.rule() for row in found)

        def ids(object_type: str, **flags: bool) -> frozenset[str]:
            found = Assignment.objects.filter(configuration=configuration, object_type=object_type, **flags)
            return frozenset(found.values_list("object_id", flat=True))

        return cls(
            users=rows("user"),
            groups=rows("group"),
            assigned_users=ids("user"),
            assigned_groups=ids("group"),
            changed_at=configuration.changed_at,
            nested=ids("group", nested=True),
            sent_groups=ids("group", send_group=True),
            everybody=configuration.everybody,
            mirrored_app=configuration.mirrored_app,
            people_gate=Gate(filters_of(configuration, "user"), configuration.leave_out_guests),
            group_gate=Gate(filters_of(configuration, "group")),
            guest_user_name=configuration.guest_user_name,  # type: ignore[arg-type]
            user_actions=frozenset(configuration.user_actions),
            group_actions=frozenset(configuration.group_actions),
        )

    def selects(self, object_type: ObjectType) -> list[str]:
        """The Graph properties that mappings and filters read."""
        rows, gate = (self.users, self.people_gate) if object_type == "user" else (self.groups, self.group_gate)
        filtered = filters.names_read(one.filter for one in gate.filters)
        return graph_select(rows, object_type, filtered)

    def scope_of_group(self, object_id: str, properties: Map[str, Any], *, deleted: bool) -> Scope:
        return decide_group(
            assigned=object_id in self.assigned_groups,
            sent=object_id in self.sent_groups,
            deleted=deleted,
            stopped=self.group_gate.stops(properties),
        )


def filters_of(configuration: Configuration, object_type: ObjectType) -> tuple[filters.CompiledFilter, ...]:
    rows = ScopingFilter.objects.filter(configuration=configuration, object_type=object_type)
    return filters.compiled([row.rule() for row in rows], object_type)


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


def groups_in_scope(tenant: Tenant, rules: Rules) -> frozenset[str]:
    """Object ids of the assigned groups that go to AWS themselves."""
    if not rules.group_gate.filters:
        return rules.sent_groups
    rows = DirectoryGroup.objects.filter(tenant=tenant, deleted="", object_id__in=rules.sent_groups)
    found = rows.values_list("object_id", "properties").iterator(chunk_size=BATCH)
    return frozenset(key for key, properties in found if rules.scope_of_group(key, properties, deleted=False).in_scope)


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


def batches(rows: QuerySet[Any], size: int = BATCH) -> Iterator[list[Any]]:
    """By primary key: rows that change on the way are neither lost nor seen twice."""
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:size]):
        yield batch
        last = batch[-1].pk


def chunks(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    rest = iter(items)
    while part := tuple(islice(rest, size)):
        yield part


def touch(snapshot: Snapshot, users: Any, groups: Any) -> None:
    """Marks people and groups (object ids, or queries for them) as changed in this snapshot: the run looks at them."""
    for model, ids in ((DirectoryUser, users), (DirectoryGroup, groups)):
        rows = model.objects.filter(tenant=snapshot.tenant, changed_snapshot__lt=snapshot.pk, object_id__in=ids)
        rows.update(changed_snapshot=snapshot.pk)


def due_links(tenant: Tenant, object_type: str) -> QuerySet[Link]:
    return Link.objects.filter(tenant=tenant, object_type=object_type, retry_at__lte=timezone.now())


def held_objects(tenant: Tenant) -> QuerySet[HeldChange]:
    """What waits for a person is looked at in every run: it may no longer be wanted, or be approved by now."""
    return HeldChange.objects.open().filter(tenant=tenant)


def users_to_look_at(tenant: Tenant, since: int) -> QuerySet[DirectoryUser]:
    """Changed since the last finished run, due for another try, or held."""
    due, held = due_links(tenant, "user").values("object_id"), held_objects(tenant).values("object_id")
    # IN, not EXISTS: an index finds each of the three, and nobody else is looked at.
    look = Q(changed_snapshot__gt=since) | Q(object_id__in=due) | Q(object_id__in=held)
    return DirectoryUser.objects.filter(look, tenant=tenant)
