"""Members of some assigned groups: listed by Entra, to be in AWS, put there by us."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from sync.engine.evaluation.doubt import brought
from sync.models import (
    DirectoryMembership,
    Link,
    MembershipLink,
    Result,
    Run,
    Snapshot,
)


class GroupMembers:
    """Members of some assigned groups: whom Entra lists, who is to be in AWS, and whom we put there.

    `inside`: by assigned group, the groups that it stands for. `snapshot`: of the run.
    """

    def __init__(self, run: Run, links: Iterable[Link], inside: Mapping[str, set[str]], snapshot: Snapshot) -> None:
        self.run = run
        self.inside = inside
        self.written = self._written([link.pk for link in links if link.pk])
        may_come = brought(self._rows(self.inside), snapshot)
        self._wanted = self._by_group(may_come.filter(Exists(self._arriving())))
        self._listed = self._by_group(self._rows(self.written))

    def wanted(self, group_id: str) -> list[str]:
        """Members in scope whom AWS holds, or whom this run is going to create."""
        return sorted(self._members(self._wanted, group_id))

    def listed(self, group_id: str) -> set[str]:
        return self._members(self._listed, group_id)

    def _members(self, by_group: Mapping[str, set[str]], group_id: str) -> set[str]:
        return {member for inner in self.inside[group_id] for member in by_group.get(inner, ())}

    def _written(self, keys: Collection[int]) -> dict[str, dict[str, bool]]:
        """Entra ids of the people whom we put into each group, and whether AWS's answer was seen."""
        found: dict[str, dict[str, bool]] = defaultdict(dict)
        rows = MembershipLink.objects.filter(group__in=keys)
        for group_id, member, certain in rows.values_list("group__object_id", "user__object_id", "certain"):
            found[group_id][member] = certain
        return found

    def _rows(self, group_ids: Iterable[str]) -> QuerySet[DirectoryMembership]:
        inner = {inner for group_id in group_ids for inner in self.inside[group_id]}
        return DirectoryMembership.objects.filter(
            tenant=self.run.tenant, group_id__in=inner, member_type=DirectoryMembership.USER
        )

    def _arriving(self) -> QuerySet[Any]:
        """Links of people in scope (only they want a name) whom AWS holds or is about to."""
        coming = self.run.operations.filter(object_id=OuterRef("object_id"), action__in=("create", "link"))
        rows = self._people().filter(object_type="user", object_id=OuterRef("member_id")).exclude(wanted_name="")
        return rows.filter(~Q(scim_id="") | Exists(coming.exclude(result=Result.FAILED)))

    def _people(self) -> QuerySet[Any]:
        return Link.objects.filter(tenant=self.run.tenant)

    def _by_group(self, rows: QuerySet[DirectoryMembership]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for group_id, member in rows.values_list("group_id", "member_id"):
            found[group_id].add(member)
        return found
