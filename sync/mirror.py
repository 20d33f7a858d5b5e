"""What a run looks at: the published rules, and the rows of the mirror that may have changed since the last one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from sync import mapping
from sync.models import Assignment, AttributeMapping, Configuration, DirectoryUser, Link, Tenant
from sync.planning import Change

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Rules:
    """The configuration as the engine uses it, read once per run."""

    users: tuple[mapping.Mapping, ...]
    groups: tuple[mapping.Mapping, ...]
    assigned_users: frozenset[str]
    assigned_groups: frozenset[str]
    changed_at: Any

    @classmethod
    def of(cls, configuration: Configuration) -> "Rules":
        def rows(object_type: str) -> tuple[mapping.Mapping, ...]:
            found = AttributeMapping.objects.filter(configuration=configuration, object_type=object_type)
            return tuple(row.rule() for row in found)

        def ids(object_type: str) -> frozenset[str]:
            found = Assignment.objects.filter(configuration=configuration, object_type=object_type)
            return frozenset(found.values_list("object_id", flat=True))

        return cls(rows("user"), rows("group"), ids("user"), ids("group"), configuration.changed_at)


@dataclass(frozen=True, slots=True)
class Only:
    """A look at one person or one group instead of everybody who changed (on demand).

    With a person come the groups whose membership is compared for that person alone.
    """

    people: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    def part_of(self, changes: Iterable[Change]) -> list[Change]:
        """Of a group's changes those that are asked for: all of them, or the person's own membership."""
        if not self.people:
            return list(changes)
        own = [change for change in changes if change.action in ("add_member", "remove_member")]
        return [
            replace(change, changes={"members": [member]})
            for change in own
            for member in change.changes["members"]
            if member in self.people
        ]


def batches(rows: QuerySet[Any], size: int = BATCH) -> Iterator[list[Any]]:
    """By primary key: rows that change on the way are neither lost nor seen twice."""
    last = 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:size]):
        yield batch
        last = batch[-1].pk


def due_links(tenant: Tenant, object_type: str) -> QuerySet[Link]:
    return Link.objects.filter(tenant=tenant, object_type=object_type, retry_at__lte=timezone.now())


def users_to_look_at(tenant: Tenant, since: int, only: Only | None = None) -> QuerySet[DirectoryUser]:
    """Changed since the last finished run, or due for another try."""
    if only is not None:
        return DirectoryUser.objects.filter(tenant=tenant, object_id__in=only.people)
    due = due_links(tenant, "user").filter(object_id=OuterRef("object_id"))
    return DirectoryUser.objects.filter(Q(changed_snapshot__gt=since) | Exists(due), tenant=tenant)
