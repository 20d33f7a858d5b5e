"""The notes of a rehearsal: scope stays in memory, and rows of their own stand in for the links (Rehearsed)."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from sync.configuration.ruleset import Rules
from sync.db.batches import batches
from sync.db.bulk import insert_rows
from sync.engine.evaluation.batch import Batch
from sync.engine.evaluation.clashes import Clashes
from sync.engine.evaluation.group_members import GroupMembers
from sync.engine.evaluation.judgement import DISABLE_OFF, STAYS
from sync.engine.evaluation.mapper import Mapper
from sync.engine.evaluation.notes import ObjectRow, unlinked
from sync.engine.evaluation.plan_store import Refusal
from sync.engine.evaluation.taken_values import TakenValues, having
from sync.engine.guard.guard import Guard
from sync.engine.rehearsal import impact
from sync.engine.rehearsal.reasons import Reasons, RehearsedPlan
from sync.engine.scope import nesting
from sync.engine.scope.deciding import Deciding
from sync.engine.work import users_to_look_at
from sync.models import DirectoryUser, Link, Rehearsed, Run, Snapshot
from sync.runs.lease import Watch

# Of leavers whom AWS holds active.
KEEPS_ACCESS = (STAYS.problem, DISABLE_OFF.problem)


class StandIns:
    """Looks at everybody. `today`: the rules that runs use now, which tell what the draft changes."""

    def __init__(
        self, run: Run, snapshot: Snapshot, *, rules: Rules, today: Rules, reasons: Reasons, watch: Watch
    ) -> None:
        self.run = run
        self.tenant = run.tenant
        self.snapshot = snapshot
        self.watch = watch
        self.reasons = reasons
        closure = nesting.closure_of(self.tenant, rules)
        self.inside: dict[str, set[str]] = {}
        for assigned_id, group_id in closure:
            self.inside.setdefault(assigned_id, set()).add(group_id)
        self.deciding = deciding_under(run, rules, closure)
        self.deciding_today = deciding_under(run, today, nesting.closure_of(self.tenant, today))
        self.plan = RehearsedPlan(run, reasons)
        self.taken = {object_type: RehearsedValues(run, object_type) for object_type in ("user", "group")}
        self.in_scope: set[str] = set()
        self.still_wanted: set[tuple[str, str, str]] = set()
        self.people_unlinked = 0
        self.leavers = 0
        self.disables, self.renames = ("disable" in rules.user_actions), ("update" in rules.user_actions)

    # Scope

    def decide_scope(self) -> dict[str, int]:
        known = 0
        for users in batches(users_to_look_at(self.tenant, 0)):
            self.watch.safe_point()
            self._decide_batch(users)
            known += sum(not user.deleted for user in users)
        return {"in": len(self.in_scope), "out": known - len(self.in_scope)}

    def _decide_batch(self, users: Sequence[DirectoryUser]) -> None:
        after = self.deciding.scopes(users)
        before = self.deciding_today.scopes(users) if self.reasons.causes.of_scope else after
        linked = self._linked([user.object_id for user in users])
        for user, old, new in zip(users, before, after, strict=True):
            held = user.object_id in linked
            self.reasons.note_scope(user.object_id, old, new, held=held)
            if new.in_scope:
                self.in_scope.add(user.object_id)
                self.people_unlinked += not held

    def _linked(self, ids: Collection[str]) -> set[str]:
        links = Link.objects.filter(tenant=self.tenant, object_type="user", object_id__in=ids).exclude(scim_id="")
        return set(links.values_list("object_id", flat=True))

    def know_scope(self, users: Sequence[DirectoryUser]) -> None:
        for user in users:
            user.in_scope = user.object_id in self.in_scope

    def newcomers(self, object_type: str, rows: QuerySet[Any]) -> int:
        return self.people_unlinked if object_type == "user" else unlinked(self.tenant, object_type, rows)

    def coming(self, ids: Collection[str]) -> set[str]:
        return self.in_scope.intersection(ids)

    def members(self, ids: Collection[str], links: Iterable[Link]) -> GroupMembers:
        return RehearsedMembers(self.run, links, {key: self.inside.get(key, {key}) for key in ids}, self.snapshot)

    # The plan

    def store(self, rows: Sequence[ObjectRow], batch: Batch, mapper: Mapper) -> None:
        """The plan alone, and what stands in for the links."""
        self.reasons.rows = {row.object_id: row for row in rows}
        with transaction.atomic():
            insert_rows([Rehearsed.of(self.run, link) for link in batch.links.values()])
            self.plan.add(batch.planned, mapper.sources, mapper.redacted)
            self.plan.refuse(batch.refused)
        users = [row for row in rows if isinstance(row, DirectoryUser)]
        left = {subject.object_id for subject, one in batch.refused if one.problem in KEEPS_ACCESS}
        self.leavers += len(left) + sum(self._would_stay(user, mapper) for user in users)

    def _would_stay(self, user: DirectoryUser, mapper: Mapper) -> bool:
        """Whether somebody in scope could leave and be active in AWS all the same."""
        return user.in_scope and (not self.disables or bool(mapper.staying(user.properties)))

    def settle_clashes(self, object_type: str) -> None:
        self._stand_in_for_the_rest(object_type)
        RehearsedClashes(self.run, object_type, renames=self.renames).settle()

    def _stand_in_for_the_rest(self, object_type: str) -> None:
        """Links that the pass did not look at hold their values too."""
        seen = Rehearsed.objects.filter(run=self.run, object_type=object_type, object_id=OuterRef("object_id"))
        links = Link.objects.filter(~Exists(seen), tenant=self.tenant, object_type=object_type)
        for part in batches(links):
            insert_rows([Rehearsed.of(self.run, link) for link in part])

    def settle_held(self, object_type: str) -> None:
        """A preview holds nothing."""

    def forget_refusals(self, object_type: str, inside: QuerySet[Any, Any]) -> None:
        """Links stay as they are."""

    def weigh(self, guard: Guard) -> None:
        self.run.impact = impact.weigh(
            self.run, guard, stay=self.unchanged(), suspect=self.snapshot.suspect, leavers=self.leavers
        )
        self.run.save(update_fields=["impact"])

    def unchanged(self) -> int:
        return impact.staying(self.run).count()


def deciding_under(run: Run, rules: Rules, closure: nesting.Closure) -> Deciding:
    return Deciding(run.tenant, rules, ((group_id, path) for (_assigned, group_id), path in closure.items()))


class RehearsedClashes(Clashes):
    """The same over what stands in for the links: the preview of a draft leaves those as they are."""

    def _links(self) -> QuerySet[Any]:
        return Rehearsed.objects.filter(run=self.run, object_type=self.object_type)

    def _note(self, object_id: str, refusal: Refusal) -> bool:
        return False

    def _note_successor(self, object_id: str, unit: str, holder: Link) -> None:
        """Only a run that writes asks a person for it."""


class RehearsedValues(TakenValues):
    """For a rehearsal: what stands in for a link counts instead of it."""

    def __init__(self, run: Run, object_type: str) -> None:
        super().__init__(run.tenant, object_type)
        self.rehearsed = Rehearsed.objects.filter(run=run, object_type=object_type)
        same = self.rehearsed.filter(object_id=OuterRef("object_id"))
        self.links = self.links.filter(~Exists(same))

    def _others_have(self, object_id: str, column: str, wanted: str) -> bool:
        rehearsed = having(self.rehearsed, column, wanted).exclude(object_id=object_id)
        return rehearsed.exists() or super()._others_have(object_id, column, wanted)


class RehearsedMembers(GroupMembers):
    def _people(self) -> QuerySet[Any]:
        return Rehearsed.objects.filter(run=self.run)
