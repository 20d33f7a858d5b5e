"""One pass over everybody who may have changed: scope, desired values, match, and the plan rows that follow.

Works in batches of a thousand: memory does not grow with the directory. The decisions themselves are pure and live in
scoping.py, mapping.py, matching.py and planning.py; here is only what they need to know, and where it goes.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from sync import mapping, planning
from sync.matching import Match, Verdict, match
from sync.mirror import Only, Rules, batches, due_links, users_to_look_at
from sync.models import (
    DirectoryGroup,
    DirectoryMembership,
    DirectoryUser,
    Link,
    MembershipLink,
    Run,
    Snapshot,
    Tenant,
)
from sync.planning import MANAGER, Change, Known
from sync.recording import Subject, store_plan, store_refusal
from sync.scim import resource
from sync.scim.client import ScimClient

# Up to here one filter request per object is cheaper than listing what AWS holds.
FEW = 20


@dataclass(slots=True)
class Mapper:
    """Desired units of one object type, and which mapping stands behind each."""

    rules: Sequence[mapping.Mapping]
    compiled: Any = field(init=False)
    create_only: frozenset[str] = field(init=False)
    sources: Mapping[str, str] = field(init=False)
    matching: Sequence[str] = field(init=False)

    def __post_init__(self) -> None:
        self.compiled = mapping.compile_mappings(self.rules)
        self.create_only = frozenset(resource.unit_of(rule.target) for rule in self.rules if rule.apply == "create")
        sources: dict[str, list[str]] = defaultdict(list)
        for rule in self.rules:
            sources[resource.unit_of(rule.target)].append(rule.source)
        self.sources = {unit: ", ".join(names) for unit, names in sources.items()}
        self.matching = planning.matching_attributes([(rule.target, rule.matching) for rule in self.rules])

    def map(self, properties: Mapping[str, Any], *, present: bool, creating: bool) -> mapping.Mapped:
        return mapping.map_object(self.compiled, properties, present=present, creating=creating)

    def desired(self, mapped: mapping.Mapped, written: Mapping[str, Any]) -> dict[str, Any]:
        """Units to have. What is set only on creation stays as it was written."""
        units = resource.units(mapped.values)
        kept = {unit: written[unit] for unit in self.create_only & written.keys() if unit not in units}
        return units | kept


class Target:
    """What AWS holds that has no link: asked by filter while few objects need it, else listed once."""

    def __init__(self, tenant: Tenant, client: ScimClient, object_type: str, attributes: Sequence[str], many: bool):
        self.tenant = tenant
        self.client = client
        self.object_type = object_type
        self.index: dict[tuple[str, str], list[dict[str, Any]]] | None = self._list(attributes) if many else None

    def _list(self, attributes: Sequence[str]) -> dict[tuple[str, str], list[dict[str, Any]]]:
        index: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for found in self.client.list_users() if self.object_type == "user" else self.client.list_groups():
            for attribute in attributes:
                if value := found.get(attribute):
                    index[attribute, value.casefold()].append(found)
        return index

    def find(self, attribute: str, value: str) -> list[dict[str, Any]]:
        if self.index is not None:
            return self.index.get((attribute, value.casefold()), [])
        if self.object_type == "user":
            return self.client.find_users(attribute, value)
        return self.client.find_groups(attribute, value)

    def match(self, units: Mapping[str, Any], attributes: Sequence[str]) -> Match:
        """An object that is linked already belongs to somebody else, whatever its externalId says."""
        verdict = match(units, attributes, self.find)
        if verdict.resource is not None and self._linked(verdict.resource["id"]):
            return Match(Verdict.FOREIGN, verdict.resource, verdict.attribute)
        return verdict

    def _linked(self, scim_id: str) -> bool:
        return Link.objects.filter(tenant=self.tenant, object_type=self.object_type, scim_id=scim_id).exists()


def links_of(tenant: Tenant, object_type: str, object_ids: Iterable[str]) -> dict[str, Link]:
    rows = Link.objects.filter(tenant=tenant, object_type=object_type, object_id__in=list(object_ids))
    return {link.object_id: link for link in rows}


def ensure_links(tenant: Tenant, object_type: str, object_ids: Iterable[str]) -> dict[str, Link]:
    """A link row for each object, made where none exists."""
    wanted = list(object_ids)
    known = links_of(tenant, object_type, wanted)
    missing = [Link(tenant=tenant, object_type=object_type, object_id=key) for key in wanted if key not in known]
    if not missing:
        return known
    Link.objects.bulk_create(missing, batch_size=500)
    return links_of(tenant, object_type, wanted)


class Evaluation:
    """The pass over people and groups of one run."""

    def __init__(
        self,
        run: Run,
        snapshot: Snapshot,
        rules: Rules,
        client: ScimClient,
        since: int,
        *,
        only: Only | None = None,
    ) -> None:
        self.run = run
        self.tenant = run.tenant
        self.snapshot = snapshot
        self.rules = rules
        self.client = client
        self.since = since
        self.only = only
        self.people = Mapper(rules.users)
        self.groups = Mapper([rule for rule in rules.groups if rule.target != "members"])
        self.with_members = any(rule.target == "members" for rule in rules.groups)
        self.active_when_gone = self._active_when_gone()
        self.seen = self.planned = 0

    def _active_when_gone(self) -> Any:
        return self.people.map({"id": "", "userPrincipalName": ""}, present=False, creating=False).values.get("active")

    # People

    def plan_people(self) -> None:
        looked_at = users_to_look_at(self.tenant, self.since, self.only)
        target = self._target("user", looked_at.filter(in_scope=True))
        for batch in batches(looked_at):
            self.seen += len(batch)
            inside = [user for user in batch if user.in_scope]
            links = links_of(self.tenant, "user", [user.object_id for user in batch if not user.in_scope])
            links |= ensure_links(self.tenant, "user", [user.object_id for user in inside])
            managers = self._managers(inside)
            planned: list[tuple[Subject, Change]] = []
            for user in batch:
                if link := links.get(user.object_id):
                    subject = Subject(link, str(user), user.user_principal_name)
                    planned += [(subject, change) for change in self._plan_person(user, subject, target, managers)]
            self.planned += store_plan(self.run, planned, self.people.sources)

    def _target(self, object_type: str, rows: QuerySet[Any]) -> Target:
        linked = Link.objects.filter(
            tenant=self.tenant, object_type=object_type, object_id=OuterRef("object_id")
        ).exclude(scim_id="")
        many = rows.exclude(Exists(linked)).count() > FEW
        mapper = self.people if object_type == "user" else self.groups
        return Target(self.tenant, self.client, object_type, mapper.matching, many)

    def _managers(self, users: Sequence[DirectoryUser]) -> set[str]:
        """Managers whom AWS holds, or whom this run is going to create."""
        ids = {user.manager_id for user in users if user.manager_id}
        linked = Link.objects.filter(tenant=self.tenant, object_type="user", object_id__in=ids).exclude(scim_id="")
        coming = users_to_look_at(self.tenant, self.since, self.only).filter(object_id__in=ids, in_scope=True)
        return {*linked.values_list("object_id", flat=True), *coming.values_list("object_id", flat=True)}

    def _plan_person(
        self, user: DirectoryUser, subject: Subject, target: Target, managers: set[str]
    ) -> Sequence[Change]:
        known = known_of(subject.link)
        if not user.in_scope:
            return planning.plan_user_out_of_scope(known, self.active_when_gone)
        properties = user.properties | ({"manager": user.manager_id} if user.manager_id in managers else {})
        mapped = self.people.map(properties, present=True, creating=not known.scim_id)
        if mapped.problems:
            return self._refuse_mapping(subject, mapped)
        desired = self.people.desired(mapped, known.written)
        for unit, manager in mapped.references.items():
            desired[unit] = {"value": manager}
        if known.scim_id:
            return planning.plan_user(known, desired)
        return self._plan_unlinked(subject, desired, target)

    def _plan_unlinked(self, subject: Subject, desired: dict[str, Any], target: Target) -> Sequence[Change]:
        found = target.match(desired, self.people.matching)
        if found.verdict in (Verdict.TWO_MATCHES, Verdict.FOREIGN):
            return self._refuse_match(subject, found)
        if found.resource is None:
            return planning.plan_user(known_of(subject.link), desired)
        known = Known(found.resource["id"])
        return planning.plan_user(known, desired, resource.units_held(found.resource, desired))

    def _refuse_mapping(self, subject: Subject, mapped: mapping.Mapped) -> Sequence[Change]:
        problem = mapped.problems[0]
        store_refusal(self.run, subject, "expression-error", str(problem.problem), problem.target)
        return []

    def _refuse_match(self, subject: Subject, found: Match) -> Sequence[Change]:
        name = (found.resource or {}).get(found.attribute, "")
        code = "two-matches" if found.verdict is Verdict.TWO_MATCHES else "already-exists"
        store_refusal(self.run, subject, code, str(name), found.attribute)
        return []

    # Groups

    def plan_groups(self) -> None:
        looked_at = self._groups_to_look_at()
        target = self._target("group", looked_at)
        for batch in batches(looked_at):
            self.seen += len(batch)
            links = ensure_links(self.tenant, "group", [group.object_id for group in batch])
            for group in batch:
                subject = Subject(links[group.object_id], str(group))
                changes = self._plan_group(group, subject, target)
                planned = [(subject, change) for change in (self.only.part_of(changes) if self.only else changes)]
                self.planned += store_plan(self.run, planned, self.groups.sources)
        self._empty_groups_out_of_scope()

    def _groups_to_look_at(self) -> QuerySet[DirectoryGroup]:
        """Assigned groups that changed, or that list somebody who did."""
        if self.only is not None:
            ids = self.only.groups & self.rules.assigned_groups
            return DirectoryGroup.objects.filter(tenant=self.tenant, deleted="", object_id__in=ids)
        people = users_to_look_at(self.tenant, self.since).values("object_id")
        listing = DirectoryMembership.objects.filter(
            tenant=self.tenant, group_id=OuterRef("object_id"), member_id__in=people
        )
        due = due_links(self.tenant, "group").filter(object_id=OuterRef("object_id"))
        return DirectoryGroup.objects.filter(
            Q(changed_snapshot__gt=self.since) | Exists(listing) | Exists(due),
            tenant=self.tenant,
            deleted="",
            object_id__in=self.rules.assigned_groups,
        )

    def _plan_group(self, group: DirectoryGroup, subject: Subject, target: Target) -> Sequence[Change]:
        known = known_of(subject.link)
        mapped = self.groups.map(group.properties, present=True, creating=not known.scim_id)
        if mapped.problems:
            return self._refuse_mapping(subject, mapped)
        desired = self.groups.desired(mapped, known.written)
        found = None
        if not known.scim_id:
            matched = target.match(desired, self.groups.matching)
            if matched.verdict in (Verdict.TWO_MATCHES, Verdict.FOREIGN):
                return self._refuse_match(subject, matched)
            if matched.resource is not None:
                known = Known(matched.resource["id"])
                found = resource.units_held(matched.resource, desired)
        listed = self._listed(group.object_id)
        written = written_members(subject.link)
        certain = {member for member, sure in written.items() if sure}
        wanted = self._wanted(group.object_id) if self.with_members else []
        return [
            *planning.plan_group(known, desired, wanted, certain, found),
            *planning.remove_members(sorted(member for member in written if member not in listed)),
        ]

    def _listed(self, group_id: str) -> set[str]:
        rows = DirectoryMembership.objects.filter(tenant=self.tenant, group_id=group_id)
        return set(rows.values_list("member_id", flat=True))

    def _wanted(self, group_id: str) -> Iterable[str]:
        """Members in scope whom AWS holds, or whom this run is going to create."""
        linked = Link.objects.filter(tenant=self.tenant, object_type="user", object_id=OuterRef("member_id"))
        coming = self.run.operations.filter(
            object_type="user", object_id=OuterRef("member_id"), action__in=("create", "link")
        )
        inside = DirectoryUser.objects.filter(tenant=self.tenant, object_id=OuterRef("member_id"), in_scope=True)
        rows = DirectoryMembership.objects.filter(tenant=self.tenant, group_id=group_id)
        rows = rows.filter(Exists(inside)).filter(Exists(linked.exclude(scim_id="")) | Exists(coming))
        return rows.order_by("member_id").values_list("member_id", flat=True)

    def _empty_groups_out_of_scope(self) -> None:
        """A group that leaves scope is emptied and kept: its permissions in AWS hang on its id."""
        current = DirectoryGroup.objects.filter(
            tenant=self.tenant, deleted="", object_id__in=self.rules.assigned_groups
        ).values("object_id")
        held = MembershipLink.objects.filter(group=OuterRef("pk"))
        links = Link.objects.filter(Exists(held), tenant=self.tenant, object_type="group")
        if self.only is not None:
            links = links.filter(object_id__in=self.only.groups)
        for link in links.exclude(object_id__in=current):
            group = DirectoryGroup.objects.filter(tenant=self.tenant, object_id=link.object_id).first()
            subject = Subject(link, str(group or link.object_id))
            changes = planning.remove_members(sorted(written_members(link)))
            changes = self.only.part_of(changes) if self.only else changes
            self.planned += store_plan(self.run, [(subject, change) for change in changes], {})


def known_of(link: Link) -> Known:
    return Known(link.scim_id, link.written) if link.scim_id else Known()


def written_members(link: Link) -> dict[str, bool]:
    """Entra ids of the people whom we put into the group, and whether AWS's answer was seen."""
    return dict(link.member_links.values_list("user__object_id", "certain"))


__all__ = ["MANAGER", "Evaluation", "Rules"]
