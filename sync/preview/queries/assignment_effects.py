"""Whom assignments bring: the people of each assigned group, and who would leave AWS without it.

Asked of the mirror for the rules of any configuration, a draft too. One pass over the memberships, person by person,
so that neither queries nor memory grow with their number.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import Count, Q, QuerySet, prefetch_related_objects

from sync.configuration.ruleset import Rules
from sync.engine.scope import nesting
from sync.models import (
    Assignment,
    Configuration,
    DirectoryGroup,
    DirectoryMembership,
    DirectoryUser,
    ObjectType,
    Tenant,
)
from sync.rules.scope import Reason

# (object type, object id) of an assignment.
Key = tuple[str, str]
# Why somebody stays who is assigned himself, or because all people are in scope.
HIMSELF: Key = ("user", "")
EVERYBODY: Key = ("", "")


@dataclass(slots=True)
class AssignmentCounts:
    """People of one assigned group. `effective`: with the groups inside it; `only`: those who would leave without it."""

    direct: int = 0
    effective: int = 0
    only: int = 0


@dataclass(slots=True)
class Departure:
    """What happens to the people of some assignments when these go. `staying`: how many, by what keeps them."""

    leaving: set[str] = field(default_factory=set)
    staying: Counter[Key] = field(default_factory=Counter)


class AssignmentEffects:
    """The assignments of one configuration over the mirror of its tenant."""

    def __init__(self, configuration: Configuration) -> None:
        self.tenant: Tenant = configuration.tenant
        prefetch_related_objects([configuration], "assignments")
        self.rules = Rules.of(configuration, mappings=())
        self.configuration = configuration

    @cached_property
    def assignments(self) -> Sequence[Assignment]:
        return list(self.configuration.assignments.all())

    @cached_property
    def groups(self) -> Mapping[str, str]:
        """Names of the assigned groups, by object id."""
        return {row.object_id: str(row) for row in self.assignments if row.object_type == ObjectType.GROUP}

    @cached_property
    def closure(self) -> nesting.Closure:
        return nesting.closure_of(self.tenant, self.rules)

    @cached_property
    def above(self) -> Mapping[str, set[str]]:
        """By group: the assigned groups that it belongs to."""
        found: dict[str, set[str]] = defaultdict(set)
        for root, inner in self.closure:
            found[inner].add(root)
        return found

    def inside(self, roots: Collection[str]) -> set[str]:
        """The groups that these assigned ones stand for, themselves among them."""
        return {inner for root, inner in self.closure if root in roots}

    def counts(self) -> dict[str, AssignmentCounts]:
        found = {group_id: AssignmentCounts() for group_id in self.groups}
        comes = self._people(DirectoryUser.objects.filter(tenant=self.tenant, deleted=""))
        for person, listing in self._listings(self._rows()):
            if person not in comes:
                continue
            roots = self._roots(listing)
            for group_id in found.keys() & listing & self.above.keys():
                found[group_id].direct += 1
            for root in roots:
                found[root].effective += 1
            if (
                len(roots) == 1
                and comes[person]
                and person not in self.rules.assigned_users
                and not self.rules.everybody
            ):
                found[next(iter(roots))].only += 1
        return found

    def departure(self, going: Collection[Key]) -> Departure:
        """Only of people whom these assignments let into AWS: the others cannot leave it."""
        groups = {object_id for object_type, object_id in going if object_type == ObjectType.GROUP}
        users = {
            object_id for object_type, object_id in going if object_type == ObjectType.USER
        } & self.rules.assigned_users
        comes = self._people(self.people_of(going))
        concerned = self._rows_of(Q(member_id__in=self._members_of(groups)) | Q(member_id__in=users))
        listings = {key: set[str]() for key in users} | dict(self._listings(concerned))
        found = Departure()
        for person in listings.keys() & {one for one, may in comes.items() if may}:
            kept_by = self._kept_by(
                person, self._roots(listings[person]) - groups, person in self.rules.assigned_users - users
            )
            if kept_by is None:
                found.leaving.add(person)
            else:
                found.staying[kept_by] += 1
        return found

    def _kept_by(self, person: str, roots: set[str], himself: bool) -> Key | None:
        """The plainest of several, and the same one every time."""
        if self.rules.everybody:
            return EVERYBODY
        if himself:
            return HIMSELF
        return (ObjectType.GROUP.value, min(roots, key=lambda root: (self.groups[root], root))) if roots else None

    def also_through(self, people: Collection[str]) -> dict[str, list[str]]:
        """By person: the assigned groups that bring them, by name."""
        return {
            person: sorted(self._roots(listing), key=lambda root: self.groups[root])
            for person, listing in self._listings(self._rows_of(Q(member_id__in=people)))
        }

    def people_of(self, going: Collection[Key]) -> QuerySet[DirectoryUser]:
        """Everybody whom these assignments bring."""
        groups = {object_id for object_type, object_id in going if object_type == ObjectType.GROUP}
        users = {object_id for object_type, object_id in going if object_type == ObjectType.USER}
        people = DirectoryUser.objects.filter(tenant=self.tenant, deleted="")
        return people.filter(Q(object_id__in=self._members_of(groups)) | Q(object_id__in=users))

    def _members_of(self, roots: Collection[str]) -> QuerySet[DirectoryMembership, str]:
        return members_of(self.tenant, self.inside(roots))

    def _roots(self, listing: Collection[str]) -> set[str]:
        return {root for group_id in listing for root in self.above.get(group_id, ())}

    def _rows(self) -> QuerySet[DirectoryMembership]:
        """Memberships of assigned groups and of those inside them."""
        assigned = list(self.above)
        return DirectoryMembership.objects.filter(
            tenant=self.tenant, member_type=DirectoryMembership.USER, group_id__in=assigned
        )

    def _rows_of(self, people: Q) -> QuerySet[DirectoryMembership]:
        """All that lists these people: with the groups in the query too SQLite looks up every pair of both."""
        return DirectoryMembership.objects.filter(people, tenant=self.tenant, member_type=DirectoryMembership.USER)

    def _listings(self, rows: QuerySet[DirectoryMembership]) -> Iterator[tuple[str, set[str]]]:
        """By person: the groups that list them."""
        pairs = rows.order_by("member_id").values_list("member_id", "group_id").iterator(chunk_size=5000)
        for person, listed in groupby(pairs, key=itemgetter(0)):
            yield person, {group_id for _person, group_id in listed}

    def keeps_out(self, properties: Mapping[str, Any]) -> Reason | None:
        """Why somebody with these properties is not in scope, however they are assigned; None: nothing is in the way."""
        blocked = Reason.ACCOUNT_DISABLED if properties.get("accountEnabled") is False else None
        return self.rules.people_gate.stops(properties) or blocked

    def _people(self, people: QuerySet[DirectoryUser]) -> dict[str, bool]:
        """By object id: whether an assignment lets them into AWS. Properties are read only where filters need them."""
        gate = self.rules.people_gate
        if gate.filters or gate.leave_out_guests:
            rows = people.values_list("object_id", "properties").iterator(chunk_size=5000)
            return {object_id: self.keeps_out(properties) is None for object_id, properties in rows}
        enabled = people.values_list("object_id", "properties__accountEnabled").iterator(chunk_size=5000)
        return {object_id: value is not False for object_id, value in enabled}


def nested_groups(tenant: Tenant, roots: Collection[str]) -> dict[str, set[str]]:
    """The groups directly inside each group that can be reached from `roots`."""
    return nesting.nesting(tenant, roots)


def members_of(tenant: Tenant, groups: Collection[str]) -> QuerySet[DirectoryMembership, str]:
    """Object ids of the people whom any of these groups lists."""
    rows = DirectoryMembership.objects.filter(
        tenant=tenant, member_type=DirectoryMembership.USER, group_id__in=list(groups)
    )
    return rows.values_list("member_id", flat=True)


def people_in(tenant: Tenant, groups: Collection[str]) -> QuerySet[DirectoryUser]:
    """Those who are in the directory, of any of these groups."""
    return DirectoryUser.objects.filter(tenant=tenant, deleted="", object_id__in=members_of(tenant, groups))


def known_counts(tenant: Tenant, groups: Collection[str]) -> dict[str, int]:
    """As `direct_counts`, with 0, and without groups of which the mirror does not have all members."""
    known = DirectoryGroup.objects.filter(tenant=tenant, object_id__in=list(groups), deleted="", members_unsure=False)
    counts = direct_counts(tenant, groups) if groups else {}
    return {key: counts.get(key, 0) for key in known.values_list("object_id", flat=True)}


def direct_counts(tenant: Tenant, groups: Collection[str]) -> dict[str, int]:
    """People whom each of these groups lists itself."""
    gone = DirectoryUser.objects.filter(tenant=tenant).exclude(deleted="").values("object_id")
    rows = DirectoryMembership.objects.filter(
        tenant=tenant, member_type=DirectoryMembership.USER, group_id__in=list(groups)
    ).exclude(member_id__in=gone)
    return dict(rows.values("group_id").annotate(n=Count("pk")).order_by().values_list("group_id", "n"))


@dataclass(frozen=True, slots=True)
class Branch:
    """A line of a tree of groups. `loop`: it stands above itself already; `again`: it was told further up."""

    group_id: str
    depth: int
    loop: bool = False
    again: bool = False


def tree(root: str, inside: Mapping[str, Collection[str]], names: Mapping[str, str]) -> list[Branch]:
    """Each group is opened once, so that cycles and shared groups end."""
    lines: list[Branch] = []
    opened: set[str] = set()
    todo: list[tuple[str, tuple[str, ...]]] = [(root, ())]
    while todo:
        group_id, way = todo.pop()
        loop, again = group_id in way, group_id in opened
        lines.append(Branch(group_id, len(way), loop, again and not loop))
        if again:
            continue
        opened.add(group_id)
        children = sorted(inside.get(group_id, ()), key=lambda child: (names.get(child, ""), child), reverse=True)
        todo += [(child, (*way, group_id)) for child in children]
    return lines
