"""One pass over everybody who may have changed: desired values, readiness, match, and the plan rows that follow.

Works in batches of a thousand: memory does not grow with the directory. The decisions themselves are pure and live in
mapping.py, readiness.py, matching.py and planning.py; here is only what they need to know, and where it goes.
"""

import datetime
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from sync.configuration.ruleset import Rules
from sync.db.batches import batches
from sync.engine.evaluation.batch import Batch, Decisions, known_of, links_of, want, written_members
from sync.engine.evaluation.candidates import Target
from sync.engine.evaluation.clashes import Clashes
from sync.engine.evaluation.group_members import GroupMembers
from sync.engine.evaluation.mapper import Mapper, groups_mapper, people_mapper
from sync.engine.evaluation.plan_store import PlanStore, Refusal, Subject
from sync.engine.evaluation.taken_values import TakenValues
from sync.engine.guard.guard import Guard
from sync.engine.scope.deciding import ScopePass
from sync.engine.scope.nesting import assigned_groups_listing, groups_inside
from sync.engine.work import due_links, groups_in_scope, held_objects, users_to_look_at
from sync.models import (
    DirectoryGroup,
    DirectoryUser,
    Link,
    MembershipLink,
    Origin,
    Run,
    Snapshot,
)
from sync.rules import acceptance, mapping
from sync.rules.changes import (
    MANAGER,
    Change,
    Known,
    Stage,
    is_new,
    permitted,
    plan_group,
    plan_user,
    plan_user_out_of_scope,
    remove_members,
)
from sync.rules.matching import Match, Verdict
from sync.rules.unique_keys import Keys, keys_of
from sync.runs import checkpoints
from sync.runs.lease import Watch
from sync.scim import resource
from sync.scim.client import ScimClient

# Up to here one filter request per object is cheaper than listing what AWS holds.
FEW = 20
# Members of so many groups are in memory together.
GROUPS_AT_ONCE = 50


class Evaluation:
    """The pass over people and groups of one run. `since`: the snapshot up to which they were evaluated."""

    def __init__(
        self, run: Run, snapshot: Snapshot, rules: Rules, client: ScimClient, *, since: int, watch: Watch
    ) -> None:
        self.run = run
        self.tenant = run.tenant
        self.snapshot = snapshot
        self.client = client
        self.rules = rules
        self.since = since
        self.watch = watch
        self.now = timezone.now()
        self.people = people_mapper(rules, self.now)
        self.groups = groups_mapper(rules, self.now)
        self.with_members = any(rule.target == "members" for rule in rules.groups)
        self.groups_in_scope = groups_in_scope(self.tenant, rules)
        self.active_when_gone = self._active_when_gone()
        self.store = PlanStore(run)
        self.taken = {object_type: TakenValues(run.tenant, object_type) for object_type in ("user", "group")}
        self.seen = 0
        # Held changes that the plan still wants, whatever was decided about them.
        self.still_wanted: set[tuple[str, str, str]] = set()

    def _active_when_gone(self) -> Any:
        return self.people.map({"id": "", "userPrincipalName": ""}, present=False, creating=False).values.get("active")

    def _save(self, batch: Batch, mapper: Mapper) -> None:
        with transaction.atomic():
            batch.save_links(self.tenant)
            self.store.add(batch.planned, mapper.sources, mapper.redacted)
            self.store.refuse(batch.refused)
        checkpoints.passed("plan batch stored")

    def _decided(self, batch: Batch, subject: Subject, changes: Iterable[Change]) -> None:
        """Into the batch, under what a person decided about the same deed on the same object."""
        for change in changes:
            decision = batch.decisions.of(change.action, subject.object_id)
            if decision:
                self.still_wanted.add((change.action, subject.object_id, ""))
            if decision != "kept":
                decided = replace(change, approved=decision == "approved", held=decision == "waiting")
                batch.planned.append((subject, decided))

    def decide_scope(self) -> dict[str, int]:
        """How many are in scope, and how many known people are not."""
        return ScopePass(self.tenant, self.snapshot, self.rules, self.since, self.watch).decide()

    def settle_clashes(self, object_type: str) -> None:
        Clashes(self.run, object_type).settle()

    def weigh(self, guard: Guard) -> None:
        """What the plan means for people is only worked out for the preview of a draft."""

    def unchanged(self) -> int:
        """Of those looked at."""
        touched = self.run.operations.filter(object_type__in=("user", "group"))
        return max(0, self.seen - touched.values("object_type", "object_id").distinct().count())

    # People

    def plan_people(self, rows: QuerySet[DirectoryUser] | None = None) -> None:
        looked_at = users_to_look_at(self.tenant, self.since) if rows is None else rows
        target = self._target("user", looked_at)
        for users in batches(looked_at):
            self.watch.safe_point()
            self.seen += len(users)
            self._know_scope(users)
            ids = [user.object_id for user in users]
            batch = Batch(links_of(self.tenant, "user", ids), Decisions(self.tenant, ids))
            managers = self._managers([user for user in users if user.in_scope])
            for user in users:
                self._plan_person(user, batch, target, managers)
            self._save(batch, self.people)

    def _know_scope(self, users: Sequence[DirectoryUser]) -> None:
        """It stands on the rows since the scope pass."""

    def _target(self, object_type: str, rows: QuerySet[Any]) -> Target:
        many = self._newcomers(object_type, rows) > FEW
        mapper = self.people if object_type == "user" else self.groups
        return Target(self.tenant, self.client, object_type, mapper.matching, many=many)

    def _newcomers(self, object_type: str, rows: QuerySet[Any]) -> int:
        """How many of those in scope have no link yet."""
        linked = Link.objects.filter(
            tenant=self.tenant, object_type=object_type, object_id=OuterRef("object_id")
        ).exclude(scim_id="")
        inside = rows.filter(in_scope=True) if object_type == "user" else rows
        return inside.exclude(Exists(linked)).count()

    def _managers(self, users: Sequence[DirectoryUser]) -> set[str]:
        """Managers whom AWS holds, or whom this run is going to create."""
        ids = {user.manager_id for user in users if user.manager_id}
        linked = Link.objects.filter(tenant=self.tenant, object_type="user", object_id__in=ids).exclude(scim_id="")
        return {*linked.values_list("object_id", flat=True), *self._coming(ids)}

    def _coming(self, ids: Collection[str]) -> Iterable[str]:
        """Those of them who are looked at and in scope."""
        looked_at = users_to_look_at(self.tenant, self.since)
        return looked_at.filter(object_id__in=ids, in_scope=True).values_list("object_id", flat=True)

    def _plan_person(self, user: DirectoryUser, batch: Batch, target: Target, managers: set[str]) -> None:
        if not user.in_scope:
            self._plan_leaver(user, batch)
            return
        link = batch.link(self.tenant, "user", user.object_id)
        subject = Subject(link, str(user), user.user_principal_name)
        properties = user.properties | ({"manager": user.manager_id} if user.manager_id in managers else {})
        taken = self.taken["user"].by_others(user.object_id)
        mapped = self.people.map(properties, present=True, creating=not link.scim_id, taken=taken)
        if mapped.problems:
            batch.refused.append((subject, unmapped(mapped)))
            return
        desired = self.people.desired(mapped, link.written if link.scim_id else {})
        for unit, manager in mapped.references.items():
            desired[unit] = {"value": manager}
        want(link, keys_of("user", desired))
        finding = self._judge_readiness(link, acceptance.check_user(desired))
        changes = self._person_changes(subject, mapped, desired, target, batch, ready=finding is None)
        changes = self._permitted(subject, changes, self.rules.user_actions, batch)
        if changes and finding is not None:
            batch.refused.append((subject, not_ready(finding)))
            return
        self._decided(batch, subject, changes)
        if not changes:
            self._rest(link)

    def _permitted(
        self, subject: Subject, changes: Sequence[Change], actions: Collection[str], batch: Batch
    ) -> list[Change]:
        """Whoever would be created but may not be is in the log as skipped, and takes no name from anybody."""
        if is_new(changes) and "create" not in actions:
            want(subject.link, Keys())
            batch.refused.append((subject, Refusal("create-off", skipped=True)))
            return []
        return permitted(changes, actions)

    def _plan_leaver(self, user: DirectoryUser, batch: Batch) -> None:
        """Nobody goes because of a reading that is not sane."""
        link = batch.links.get(user.object_id)
        if link is None:
            return
        want(link, Keys())
        if self.snapshot.suspect:
            return
        delete = self._grace_is_over(user, link)
        changes = plan_user_out_of_scope(known_of(link), self.active_when_gone, delete=delete)
        changes = permitted(changes, self.rules.user_actions)
        self._decided(batch, Subject(link, str(user), user.user_principal_name), changes)

    def _rest(self, link: Link) -> None:
        """Nothing is to be done: the next run need not look again."""
        if link.retry_at is not None and link.retry_at <= self.now and link.scim_id and not link.failures:
            link.retry_at = None

    def _grace_is_over(self, user: DirectoryUser, link: Link) -> bool:
        """Only somebody purged from the directory is ever deleted; the run that is due looks again."""
        if user.deleted != "purged" or not link.disabled_at or not self.tenant.delete_after_days:
            return False
        due = link.disabled_at + datetime.timedelta(days=self.tenant.delete_after_days)
        if due > self.now:
            link.retry_at = due
        return due <= self.now

    def _judge_readiness(
        self, link: Link, findings: Sequence[acceptance.AcceptanceFinding]
    ) -> acceptance.AcceptanceFinding | None:
        certain = next((finding for finding in findings if finding.certain), None)
        code, attribute = (certain.code, certain.attribute) if certain else ("", "")
        if (code, attribute) != (link.ready_code, link.ready_attribute) or link.ready_at is None:
            link.ready_code, link.ready_attribute, link.ready_at = code, attribute, self.now
        return certain

    def _person_changes(
        self,
        subject: Subject,
        mapped: mapping.Mapped,
        desired: dict[str, Any],
        target: Target,
        batch: Batch,
        *,
        ready: bool,
    ) -> list[Change]:
        if subject.link.scim_id or not ready:
            return plan_user(known_of(subject.link), desired)
        found = self._match(subject, desired, target, batch)
        if found is None:
            return []
        if found.resource is None:
            return plan_user(Known(), desired)
        held = resource.units_held(found.resource, desired)
        # What the rules leave alone stays as this object of AWS has it.
        desired = desired | self.people.desired(mapped, held)
        return plan_user(Known(found.resource["id"]), desired, held)

    def _match(self, subject: Subject, desired: Mapping[str, Any], target: Target, batch: Batch) -> Match | None:
        """None when the object is left as it is; the reason stands on the link and in the log."""
        link = subject.link
        found = target.match(link, desired)
        held = found.resource or {}
        name = str(held.get("userName") or held.get("displayName") or "")
        link.match_code, link.match_attribute, link.match_at = found.verdict.value, found.attribute, self.now
        link.match_scim_id, link.match_name = str(held.get("id", "")), name
        if found.verdict in (Verdict.UNMATCHED, Verdict.MATCHED):
            link.origin = Origin.CREATED
            if found.resource is not None:
                link.origin = Origin.HAND if link.adopt_scim_id else Origin.RULE
            return found
        skipped = found.verdict is Verdict.LEFT_ALONE
        refusal = Refusal(found.verdict.value, found.attribute, name, skipped=skipped)
        batch.refused.append((subject, refusal))
        return None

    # Groups

    def plan_groups(self, rows: QuerySet[DirectoryGroup] | None = None) -> None:
        looked_at = self._groups_to_look_at() if rows is None else rows
        target = self._target("group", looked_at)
        for groups in batches(looked_at, GROUPS_AT_ONCE):
            self.watch.safe_point()
            self.seen += len(groups)
            ids = [group.object_id for group in groups]
            batch = Batch(links_of(self.tenant, "group", ids), Decisions(self.tenant, ids))
            members = self._members_of(ids, batch.links.values())
            for group in groups:
                self._plan_group(group, batch, target, members)
            self._save(batch, self.groups)
        if rows is None:
            self._plan_groups_out_of_scope()

    def _members_of(self, ids: Collection[str], links: Iterable[Link]) -> "GroupMembers":
        return GroupMembers(self.run, links, groups_inside(self.tenant, ids))

    def _groups_to_look_at(self) -> QuerySet[DirectoryGroup]:
        """Assigned groups that go to AWS and changed, or list somebody who did."""
        people = users_to_look_at(self.tenant, self.since).values("object_id")
        listing = assigned_groups_listing(self.tenant, people)
        due, held = due_links(self.tenant, "group").values("object_id"), held_objects(self.tenant).values("object_id")
        changed = Q(changed_snapshot__gt=self.since) | Q(object_id__in=listing)
        return DirectoryGroup.objects.filter(
            changed | Q(object_id__in=due) | Q(object_id__in=held),
            tenant=self.tenant,
            deleted="",
            object_id__in=self.groups_in_scope,
        )

    def _plan_group(self, group: DirectoryGroup, batch: Batch, target: Target, members: "GroupMembers") -> None:
        link = batch.link(self.tenant, "group", group.object_id)
        subject = Subject(link, str(group))
        taken = self.taken["group"].by_others(group.object_id)
        mapped = self.groups.map(group.properties, present=True, creating=not link.scim_id, taken=taken)
        if mapped.problems:
            batch.refused.append((subject, unmapped(mapped)))
            return
        desired = self.groups.desired(mapped, link.written if link.scim_id else {})
        want(link, keys_of("group", desired))
        finding = self._judge_readiness(link, acceptance.check_group(desired))
        known, found = known_of(link), None
        if not link.scim_id and finding is None:
            matched = self._match(subject, desired, target, batch)
            if matched is None:
                return
            if matched.resource is not None:
                known = Known(matched.resource["id"])
                found = resource.units_held(matched.resource, desired)
                desired = self.groups.desired(mapped, found)
        written = members.written[group.object_id]
        certain = {member for member, sure in written.items() if sure}
        wanted = members.wanted(group.object_id) if self.with_members else []
        changes = plan_group(known, desired, wanted, certain, found)
        changes = self._permitted(subject, changes, self.rules.group_actions, batch)
        if changes and finding is not None:
            batch.refused.append((subject, not_ready(finding)))
            return
        self._decided(batch, subject, changes)
        if self.snapshot.suspect or group.members_unsure:
            self.still_wanted |= batch.decisions.keys_of(group.object_id)
            return
        self._remove_members(batch, subject, written.keys() - members.listed(group.object_id))

    def _remove_members(self, batch: Batch, subject: Subject, members: Iterable[str]) -> None:
        """Approved ones in requests of their own: the guard does not count them."""
        by_decision: dict[str, list[str]] = defaultdict(list)
        for member in sorted(members):
            decision = batch.decisions.of("remove_member", subject.object_id, member)
            if decision:
                self.still_wanted.add(("remove_member", subject.object_id, member))
            by_decision[decision].append(member)
        changes = [
            *remove_members(by_decision["approved"], approved=True),
            *remove_members(by_decision["waiting"], held=True),
            *remove_members(by_decision[""]),
        ]
        allowed = permitted(changes, self.rules.group_actions)
        batch.planned += [(subject, change) for change in allowed]

    def _plan_groups_out_of_scope(self) -> None:
        """A group that leaves scope is emptied and kept: its permissions in AWS hang on its id."""
        if self.snapshot.suspect:
            return
        current = DirectoryGroup.objects.filter(
            tenant=self.tenant, deleted="", object_id__in=self.groups_in_scope
        ).values("object_id")
        ours = Link.objects.filter(tenant=self.tenant, object_type="group").exclude(scim_id="")
        filled = Exists(MembershipLink.objects.filter(group=OuterRef("pk")))
        for link in ours.exclude(object_id__in=current).filter(filled | ~Q(wanted_name="") | self._deletable()):
            self.plan_group_out_of_scope(link)

    def plan_group_out_of_scope(self, link: Link) -> None:
        group = DirectoryGroup.objects.filter(tenant=self.tenant, object_id=link.object_id).first()
        batch = Batch({link.object_id: link}, Decisions(self.tenant, [link.object_id]))
        want(link, Keys())
        subject = Subject(link, str(group or link.object_id))
        members = written_members(link)
        self._remove_members(batch, subject, members)
        if not members and self.tenant.delete_groups and group is not None and group.deleted == "purged":
            delete = Change(Stage.REMOVALS, "delete", link.scim_id)
            self._decided(batch, subject, permitted([delete], self.rules.group_actions))
        self._save(batch, self.groups)

    def _deletable(self) -> Exists:
        purged = DirectoryGroup.objects.filter(tenant=self.tenant, object_id=OuterRef("object_id"), deleted="purged")
        return Exists(purged if self.tenant.delete_groups else purged.none())


def unmapped(mapped: mapping.Mapped) -> Refusal:
    problem = mapped.problems[0]
    if mapped.ignored:
        return Refusal("ignored-by-rule", problem.target, skipped=True)
    return Refusal("expression-error", problem.target, str(problem.problem))


def not_ready(finding: acceptance.AcceptanceFinding) -> Refusal:
    """AWS would certainly refuse it: its own words are quoted, nothing is sent."""
    return Refusal(finding.code, finding.attribute, acceptance.aws_words(finding), skipped=True)


__all__ = ["MANAGER", "Evaluation"]
