"""One pass over everybody who may have changed: desired values, readiness, match, and the plan rows that follow.

Works in batches of a thousand: memory does not grow with the directory. The decisions themselves are pure and live in
sync/rules; here is only what they need to know, and the order in which they are asked.
"""

import datetime
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.functional import cached_property

from sync.configuration.ruleset import Rules
from sync.db.batches import batches
from sync.engine.evaluation import doubt
from sync.engine.evaluation.batch import Batch, known_of, let_go, links_of, want, written_members
from sync.engine.evaluation.candidates import Target, can_be_asked
from sync.engine.evaluation.decisions import Decisions
from sync.engine.evaluation.group_members import GroupMembers
from sync.engine.evaluation.judgement import DISABLE_OFF, Judgement, judge, not_ready
from sync.engine.evaluation.mapper import groups_mapper, people_mapper
from sync.engine.evaluation.notes import Notes, ObjectRow
from sync.engine.evaluation.plan_store import Refusal, Subject
from sync.engine.scope.nesting import assigned_groups_listing
from sync.engine.work import due_links, groups_in_scope, held_objects, refused_links, users_to_look_at
from sync.models import DirectoryGroup, DirectoryUser, Link, MembershipLink, Origin, Run, Snapshot
from sync.rules import escrow
from sync.rules.acceptance import NameIdSource
from sync.rules.changes import (
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
from sync.rules.matching import Match, Verdict, holder_in_words, name_of
from sync.rules.unique_keys import Keys
from sync.runs.lease import Watch
from sync.scim import resource
from sync.scim.reads import Reads

# Up to here one filter request per object is cheaper than listing what AWS holds.
FEW = 20
# Members of so many groups are in memory together.
GROUPS_AT_ONCE = 50


class Evaluation:
    """The pass over people and groups of one run. `since`: the snapshot up to which they were evaluated.

    `matching` surrounds what is asked of AWS, for whoever measures it.
    """

    def __init__(
        self,
        run: Run,
        snapshot: Snapshot,
        rules: Rules,
        client: Reads,
        notes: Notes,
        *,
        since: int,
        watch: Watch,
        matching: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> None:
        self.run = run
        self.tenant = run.tenant
        self.snapshot = snapshot
        self.client = client
        self.rules = rules
        self.notes = notes
        self.since = since
        self.watch = watch
        self.matching = matching
        self.now = timezone.now()
        self.people = people_mapper(rules, self.now)
        self.groups = groups_mapper(rules, self.now)
        self.with_members = any(rule.target == "members" for rule in rules.groups)
        self.groups_in_scope = groups_in_scope(self.tenant, rules)
        # Held changes that the plan still wants, whatever was decided about them.
        self.still_wanted: set[tuple[str, str, str]] = set()

    def _decided(self, batch: Batch, subject: Subject, changes: Iterable[Change]) -> None:
        """Into the batch, under what a person decided about the same action on the same object."""
        for change in changes:
            decision = batch.decisions.of(change.action, subject.object_id)
            if decision:
                self.still_wanted.add((change.action, subject.object_id, ""))
            if decision != "kept":
                decided = replace(change, approved=decision == "approved", held=decision == "waiting")
                batch.planned.append((subject, decided))

    # People

    @cached_property
    def _looked_at(self) -> QuerySet[DirectoryUser]:
        """Those whom this pass looks at. To put the question together costs more than to ask it."""
        return users_to_look_at(self.tenant, self.since)

    def plan_people(self, rows: QuerySet[DirectoryUser] | None = None) -> None:
        looked_at = self._looked_at if rows is None else rows
        target = self._target("user", looked_at)
        for users in batches(looked_at):
            self.watch.safe_point()
            self.notes.know_scope(users)
            ids = [user.object_id for user in users]
            links = links_of(self.tenant, "user", ids)
            quiet = self._quiet(users, links) if rows is None else ()
            batch = Batch(links, Decisions(self.tenant, ids), quiet)
            managers = self.managers([user for user in users if user.in_scope])
            waiting = doubt.waiting(self.snapshot, [user for user in users if user.in_scope])
            for user in users:
                if user.object_id not in waiting or doubt.is_active(links.get(user.object_id)):
                    self._plan_person(user, batch, target, managers)
            self.notes.store(users, batch, self.people)

    def _quiet(self, rows: Iterable[ObjectRow], links: Mapping[str, Link]) -> set[str]:
        """Those who are looked at only because they were refused before."""
        if not self.since:
            return set()
        refused = {key for key, link in links.items() if link.refused_code}
        return {row.object_id for row in rows if row.changed_snapshot <= self.since} & refused

    def _target(self, object_type: str, rows: QuerySet[Any]) -> Target:
        newcomers = self.notes.newcomers(object_type, rows)
        mapper = self.people if object_type == "user" else self.groups
        listed_only = newcomers and not all(can_be_asked(object_type, unit) for unit in mapper.unique)
        many = newcomers > FEW or bool(listed_only)
        with self.matching():
            target = Target(self.tenant, self.client, object_type, mapper.matching, mapper.unique, many=many)
        self.notes.taken[object_type].unlinked = target.unlinked
        return target

    def managers(self, users: Iterable[DirectoryUser]) -> set[str]:
        """Their managers whom AWS holds, or whom this run is going to create: not those who were refused before.

        One failure does not count: somebody deleted in AWS by hand fails once, and is made anew by the next run."""
        ids = {user.manager_id for user in users if user.manager_id}
        links = Link.objects.filter(tenant=self.tenant, object_type="user", object_id__in=ids)
        refused = links.filter(~Q(refused_code="") | Q(failures__gt=1), scim_id="").values_list("object_id", flat=True)
        held = links.exclude(scim_id="").values_list("object_id", flat=True)
        return {*held, *self.notes.coming(ids).difference(refused)}

    def judge_person(
        self, user: DirectoryUser, link: Link, managers: Collection[str], name_id: NameIdSource | None = None
    ) -> Judgement:
        manager = user.manager_id if user.manager_id in managers else ""
        return judge(user, link, self.people, self.notes.taken["user"], manager=manager, name_id=name_id)

    def judge_group(self, group: DirectoryGroup, link: Link) -> Judgement:
        return judge(group, link, self.groups, self.notes.taken["group"])

    def _plan_person(self, user: DirectoryUser, batch: Batch, target: Target, managers: set[str]) -> None:
        if not user.in_scope:
            self._plan_leaver(user, batch)
            return
        link = batch.link(self.tenant, "user", user.object_id)
        subject = Subject(link, str(user), user.user_principal_name)
        judged = self.judge_person(user, link, managers)
        if judged.refusal:
            batch.refuse(subject, judged.refusal, self.now)
            return
        judged.note(link, self.now)
        changes = self._person_changes(subject, judged, target, batch)
        if self._take_up(batch, subject, judged, changes, self.rules.user_actions) == []:
            self._rest(link)

    def _take_up(
        self,
        batch: Batch,
        subject: Subject,
        judged: Judgement,
        changes: Sequence[Change],
        actions: Collection[str],
    ) -> list[Change] | None:
        """Into the batch, as far as settings permit; None where AWS would refuse it."""
        allowed = self._permitted(subject, changes, actions, batch)
        if allowed and judged.certain is not None:
            batch.refuse(subject, not_ready(judged.certain), self.now)
            return None
        self._decided(batch, subject, allowed)
        return allowed

    def _permitted(
        self, subject: Subject, changes: Sequence[Change], actions: Collection[str], batch: Batch
    ) -> list[Change]:
        """Whoever would be created but may not be is in the log as skipped, and takes no name from anybody."""
        if is_new(changes) and "create" not in actions:
            want(subject.link, Keys())
            batch.refuse(subject, Refusal("create-off", skipped=True), self.now)
            return []
        return permitted(changes, actions)

    def _plan_leaver(self, user: DirectoryUser, batch: Batch) -> None:
        """Nobody goes because of a reading that is not sane."""
        link = batch.links.get(user.object_id)
        if link is None:
            return
        let_go(link)
        if self.snapshot.suspect:
            return
        subject = Subject(link, str(user), user.user_principal_name)
        judged = self.judge_person(user, link, ())
        if judged.refusal:
            batch.refuse(subject, judged.refusal, self.now)
            return
        delete = self._grace_is_over(user, link)
        changes = plan_user_out_of_scope(known_of(link), disable=bool(judged.desired), delete=delete)
        allowed = permitted(changes, self.rules.user_actions)
        if changes and not allowed and not delete:
            batch.refuse(subject, DISABLE_OFF, self.now)
        self._decided(batch, subject, allowed)

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

    def _person_changes(self, subject: Subject, judged: Judgement, target: Target, batch: Batch) -> list[Change]:
        if subject.link.scim_id or judged.certain is not None:
            return plan_user(known_of(subject.link), judged.desired)
        found = self._match(subject, judged.desired, target, batch)
        if found is None:
            return []
        if found.resource is None:
            return plan_user(Known(), judged.desired)
        held = target.units_held(found.resource, judged.desired)
        # What the rules leave alone stays as this object of AWS has it.
        desired = judged.desired | self.people.desired(judged.mapped, held)
        return plan_user(Known(found.resource["id"]), desired, held)

    def _match(self, subject: Subject, desired: Mapping[str, Any], target: Target, batch: Batch) -> Match | None:
        """None when the object is left as it is; the reason stands on the link and in the log."""
        link = subject.link
        with self.matching():
            found = target.match(link, desired)
        held = found.resource or {}
        name = name_of(held)
        link.match_code, link.match_attribute, link.match_at = found.verdict.value, found.attribute, self.now
        link.match_scim_id, link.match_name = str(held.get("id", "")), name
        if found.verdict in (Verdict.UNMATCHED, Verdict.MATCHED):
            link.origin = Origin.CREATED
            if found.resource is not None:
                link.origin = Origin.HAND if link.adopt_scim_id else Origin.RULE
            return found
        skipped = found.verdict is Verdict.LEFT_ALONE
        words = holder_in_words(name, link.match_scim_id) if link.match_scim_id else ""
        holder = (name[:1024], link.match_scim_id)
        refusal = Refusal(found.verdict.value, found.attribute, words, skipped=skipped, holder=holder)
        batch.refuse(subject, refusal, self.now)
        link.retry_at = self.now + escrow.wait_after("unmatched", 0)
        return None

    # Groups

    def plan_groups(self, rows: QuerySet[DirectoryGroup] | None = None) -> None:
        looked_at = self._groups_to_look_at() if rows is None else rows
        target = self._target("group", looked_at)
        for groups in batches(looked_at, GROUPS_AT_ONCE):
            self.watch.safe_point()
            ids = [group.object_id for group in groups]
            links = links_of(self.tenant, "group", ids)
            quiet = self._quiet(groups, links) if rows is None else ()
            batch = Batch(links, Decisions(self.tenant, ids), quiet)
            members = self.notes.members(ids, batch.links.values())
            for group in groups:
                if not doubt.group_waits(self.snapshot, group, links.get(group.object_id)):
                    self._plan_group(group, batch, target, members)
            self.notes.store(groups, batch, self.groups)
        if rows is None:
            self._plan_groups_out_of_scope()

    def _groups_to_look_at(self) -> QuerySet[DirectoryGroup]:
        """Assigned groups that go to AWS and changed, or list somebody who did."""
        people = self._looked_at.values("object_id")
        listing = assigned_groups_listing(self.tenant, people)
        due, held = due_links(self.tenant, "group").values("object_id"), held_objects(self.tenant).values("object_id")
        refused = refused_links(self.tenant, "group").values("object_id")
        changed = Q(changed_snapshot__gt=self.since) | Q(object_id__in=listing)
        return DirectoryGroup.objects.filter(
            changed | Q(object_id__in=due) | Q(object_id__in=held) | Q(object_id__in=refused),
            tenant=self.tenant,
            deleted="",
            object_id__in=self.groups_in_scope,
        )

    def _plan_group(self, group: DirectoryGroup, batch: Batch, target: Target, members: GroupMembers) -> None:
        link = batch.link(self.tenant, "group", group.object_id)
        subject = Subject(link, str(group))
        judged = self.judge_group(group, link)
        if judged.refusal:
            batch.refuse(subject, judged.refusal, self.now)
            return
        judged.note(link, self.now)
        changes = self._group_changes(subject, judged, target, batch, members)
        if changes is None:
            return
        if self._take_up(batch, subject, judged, changes, self.rules.group_actions) is None:
            return
        if group.members_unsure:
            batch.refuse(subject, Refusal("members-unread", "members", skipped=True), self.now)
        if self.snapshot.suspect or group.members_unsure:
            self.still_wanted |= batch.decisions.keys_of(group.object_id)
            return
        self._remove_members(batch, subject, members.written[group.object_id].keys() - members.listed(group.object_id))

    def _group_changes(
        self, subject: Subject, judged: Judgement, target: Target, batch: Batch, members: GroupMembers
    ) -> list[Change] | None:
        """None when the group is left as it is."""
        known, found, desired = known_of(subject.link), None, judged.desired
        if not subject.link.scim_id and judged.certain is None:
            matched = self._match(subject, desired, target, batch)
            if matched is None:
                return None
            if matched.resource is not None:
                known = Known(matched.resource["id"])
                found = resource.units_held(matched.resource, desired)
                desired = self.groups.desired(judged.mapped, found)
        certain = {member for member, sure in members.written[subject.object_id].items() if sure}
        wanted = members.wanted(subject.object_id) if self.with_members else []
        return plan_group(known, desired, wanted, certain, found)

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
        self.notes.forget_refusals("group", current)
        known = Link.objects.filter(tenant=self.tenant, object_type="group").exclude(object_id__in=current)
        filled = Exists(MembershipLink.objects.filter(group=OuterRef("pk")))
        # Who was never made claims a name, or an AWS object, all the same.
        claims = ~Q(wanted_name="") | ~Q(wanted_external="") | Q(match_code__in=Link.PROPOSED, scim_id="")
        deletable = Q(self._deletable()) & ~Q(scim_id="")
        for link in known.filter(filled | claims | deletable):
            self.plan_group_out_of_scope(link)

    def plan_group_out_of_scope(self, link: Link) -> None:
        group = DirectoryGroup.objects.filter(tenant=self.tenant, object_id=link.object_id).first()
        batch = Batch({link.object_id: link}, Decisions(self.tenant, [link.object_id]))
        let_go(link)
        subject = Subject(link, str(group or link.object_id))
        members = written_members(link)
        self._remove_members(batch, subject, members)
        if (
            link.scim_id
            and not members
            and self.tenant.delete_groups
            and group is not None
            and group.deleted == "purged"
        ):
            delete = Change(Stage.REMOVALS, "delete", link.scim_id)
            self._decided(batch, subject, permitted([delete], self.rules.group_actions))
        self.notes.store([], batch, self.groups)

    def _deletable(self) -> Exists:
        purged = DirectoryGroup.objects.filter(tenant=self.tenant, object_id=OuterRef("object_id"), deleted="purged")
        return Exists(purged if self.tenant.delete_groups else purged.none())
