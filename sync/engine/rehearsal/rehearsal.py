"""The preview of a draft: the same pass as a run's under the draft's rules, of which only the plan is kept.

A run notes scope on the mirror, and verdicts and wanted values on the links. A rehearsal decides with the same functions
and notes nothing there: scope stays in memory, and what stands in for the links goes when the run ends (Rehearsed).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from sync.configuration.items import contents, differences, digest, setting_key
from sync.configuration.ruleset import Rules
from sync.db.batches import batches
from sync.db.bulk import insert_rows
from sync.engine.evaluation.batch import Batch
from sync.engine.evaluation.candidates import Target
from sync.engine.evaluation.evaluation import Evaluation
from sync.engine.evaluation.group_members import GroupMembers
from sync.engine.evaluation.mapper import Mapper, groups_mapper, people_mapper
from sync.engine.evaluation.plan_store import PlanStore, Refusal, Subject
from sync.engine.guard.guard import Guard
from sync.engine.rehearsal import impact
from sync.engine.rehearsal.causes import Causes, Keys, reason_key
from sync.engine.rehearsal.stand_ins import RehearsedClashes, RehearsedMembers, RehearsedValues
from sync.engine.scope import nesting
from sync.engine.scope.deciding import Deciding
from sync.engine.work import groups_in_scope, users_to_look_at
from sync.models import Configuration, DirectoryGroup, DirectoryUser, Link, Operation, Rehearsed, Run, Snapshot
from sync.rules.changes import MANAGER, Change
from sync.runs.lease import Cancelled, Watch
from sync.scim import resource
from sync.scim.client import ScimClient


def draft_of(run: Run) -> Configuration | None:
    """What a draft's preview follows; None for other runs, and when the draft is discarded meanwhile."""
    return run.tenant.configurations.filter(run=run).first() if run.drafted else None


def rehearsal(run: Run, snapshot: Snapshot, client: ScimClient, watch: Watch) -> "Rehearsal":
    """Under the draft's lock: its rules and its digest belong together. Raises Cancelled when it is discarded."""
    Rehearsed.objects.filter(run=run).delete()
    with transaction.atomic():
        draft = run.tenant.configurations.select_for_update().filter(run=run).first()
        if draft is None:
            raise Cancelled
        current = run.tenant.configurations.current()
        run.configuration_digest = digest(draft)
        run.save(update_fields=["configuration_digest"])
        causes = Causes(differences(contents(current), contents(draft)))
        rules, today = Rules.of(draft), Rules.of(current)
    return Rehearsal(run, snapshot, rules, client, today=today, causes=causes, watch=watch)


class Rehearsal(Evaluation):
    """Looks at everybody. `today`: the rules that runs use now, which tell what the draft changes."""

    def __init__(
        self,
        run: Run,
        snapshot: Snapshot,
        rules: Rules,
        client: ScimClient,
        *,
        today: Rules,
        causes: Causes,
        watch: Watch,
    ) -> None:
        super().__init__(run, snapshot, rules, client, since=0, watch=watch)
        self.causes = causes
        closure = nesting.closure_of(self.tenant, rules)
        self.inside: dict[str, set[str]] = {}
        for assigned_id, group_id in closure:
            self.inside.setdefault(assigned_id, set()).add(group_id)
        self.deciding = _deciding(self, rules, closure)
        self.deciding_today = _deciding(self, today, nesting.closure_of(self.tenant, today))
        self.mappers_today = {"user": people_mapper(today, self.now), "group": groups_mapper(today, self.now)}
        self.groups_today = groups_in_scope(self.tenant, today)
        self.store = RehearsedStore(run, self)
        self.taken = {object_type: RehearsedValues(run, object_type) for object_type in ("user", "group")}
        self.in_scope: set[str] = set()
        # By person who comes or goes with the draft: the changes that do it. By person whom AWS holds: why outside.
        self.moved: dict[str, Keys] = {}
        self.outside: dict[str, str] = {}
        self.people_unlinked = 0
        self.stay = 0
        # Of the batch in hand: the mirror's rows, by object id.
        self.rows: dict[str, DirectoryUser | DirectoryGroup] = {}

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
        before = self.deciding_today.scopes(users) if self.causes.of_scope else after
        linked = self._linked([user.object_id for user in users])
        for user, old, new in zip(users, before, after, strict=True):
            key = user.object_id
            if keys := self.causes.of_person(key, old, new):
                self.moved[key] = keys
            if new.in_scope:
                self.in_scope.add(key)
                self.people_unlinked += key not in linked
            elif key in linked:
                self.outside[key] = new.reason

    def _linked(self, ids: Collection[str]) -> set[str]:
        links = Link.objects.filter(tenant=self.tenant, object_type="user", object_id__in=ids).exclude(scim_id="")
        return set(links.values_list("object_id", flat=True))

    def _know_scope(self, users: Sequence[DirectoryUser]) -> None:
        self.rows = {user.object_id: user for user in users}
        for user in users:
            user.in_scope = user.object_id in self.in_scope

    def _newcomers(self, object_type: str, rows: QuerySet[Any]) -> int:
        return self.people_unlinked if object_type == "user" else super()._newcomers(object_type, rows)

    def _coming(self, ids: Collection[str]) -> Iterable[str]:
        return self.in_scope.intersection(ids)

    # People and groups

    def _plan_person(self, user: DirectoryUser, batch: Batch, target: Target, managers: set[str]) -> None:
        before = len(batch.planned) + len(batch.refused)
        super()._plan_person(user, batch, target, managers)
        link = batch.links.get(user.object_id)
        in_view = user.in_scope or (link is not None and link.scim_id and link.active)
        self.stay += bool(in_view and before == len(batch.planned) + len(batch.refused))

    def _plan_group(self, group: DirectoryGroup, batch: Batch, target: Target, members: GroupMembers) -> None:
        self.rows[group.object_id] = group
        super()._plan_group(group, batch, target, members)

    def _members_of(self, ids: Collection[str], links: Iterable[Link]) -> GroupMembers:
        return RehearsedMembers(self.run, links, {key: self.inside.get(key, {key}) for key in ids})

    def _save(self, batch: Batch, mapper: Mapper) -> None:
        """The plan alone, and what stands in for the links."""
        with transaction.atomic():
            insert_rows([Rehearsed.of(self.run, link) for link in batch.links.values()])
            self.store.add(batch.planned, mapper.sources, mapper.redacted)
            self.store.refuse(batch.refused)

    def settle_clashes(self, object_type: str) -> None:
        self._stand_in_for_the_rest(object_type)
        RehearsedClashes(self.run, object_type).settle()

    def _stand_in_for_the_rest(self, object_type: str) -> None:
        """Links that the pass did not look at hold their values too."""
        seen = Rehearsed.objects.filter(run=self.run, object_type=object_type, object_id=OuterRef("object_id"))
        links = Link.objects.filter(~Exists(seen), tenant=self.tenant, object_type=object_type)
        for part in batches(links):
            insert_rows([Rehearsed.of(self.run, link) for link in part])

    def weigh(self, guard: Guard) -> None:
        self.run.impact = impact.weigh(self.run, guard, stay=self.stay, suspect=self.snapshot.suspect)
        self.run.save(update_fields=["impact"])

    def unchanged(self) -> int:
        return self.stay

    # Why

    def because(self, subject: Subject, change: Change) -> Keys:
        key = subject.object_id
        if change.action.endswith("_member"):
            people = (self.moved.get(member, ()) for member in change.changes["members"])
            return self.causes.of_members(self._of_group(key), people)
        own = self.moved.get(key, ()) if subject.object_type == "user" else self._of_group(key)
        if change.action in ("disable", "delete") and key in self.outside:
            return (*own, reason_key(self.outside[key]))
        return own or self._of_values(subject, change.desired) or self._of_actions(subject)

    def _of_group(self, object_id: str) -> Keys:
        moves = (object_id in self.groups_in_scope) != (object_id in self.groups_today)
        return self.causes.of_group(object_id, moves=moves)

    def because_refused(self, subject: Subject, refusal: Refusal) -> Keys:
        """A mapping of the draft, when the field in question has another value (or another error) through it."""
        if refusal.problem == "create-off":
            return self._of_actions(subject)
        own = self.moved.get(subject.object_id, ())
        unit = resource.unit_of(refusal.attribute) if refusal.attribute else ""
        mappings = self.causes.units[subject.object_type].get(unit, ())
        if not mappings or subject.object_id not in self.rows:
            return own
        old, new = (self._units(subject, mapper) for mapper in (self.mappers_today, self._mappers()))
        return own if old == new else (*own, *mappings)

    def _of_values(self, subject: Subject, desired: Mapping[str, Any]) -> Keys:
        if not self.causes.values or subject.object_id not in self.rows:
            return self._of_manager(subject, desired)
        old, _error = self._units(subject, self.mappers_today)
        return self.causes.of_units(subject.object_type, old, desired) or self._of_manager(subject, desired)

    def _of_actions(self, subject: Subject) -> Keys:
        """What may be done in AWS at all is a setting too."""
        return self.causes.known([setting_key(f"{subject.object_type}_actions")])

    def _of_manager(self, subject: Subject, desired: Mapping[str, Any]) -> Keys:
        """A manager who comes or goes with the draft."""
        user = self.rows.get(subject.object_id)
        if MANAGER not in desired or not isinstance(user, DirectoryUser):
            return ()
        return self.moved.get(user.manager_id, ())

    def _mappers(self) -> dict[str, Mapper]:
        return {"user": self.people, "group": self.groups}

    def _units(self, subject: Subject, mappers: Mapping[str, Mapper]) -> tuple[dict[str, Any], list[str]]:
        """What the object would have under those rules, and the fields that cannot be worked out."""
        row, link, mapper = self.rows[subject.object_id], subject.link, mappers[subject.object_type]
        managed = {"manager": row.manager_id} if isinstance(row, DirectoryUser) and row.manager_id else {}
        mapped = mapper.map(row.properties | managed, present=True, creating=not link.scim_id)
        units = mapper.desired(mapped, link.written if link.scim_id else {})
        units |= {unit: {"value": manager} for unit, manager in mapped.references.items()}
        return units, [trace.target for trace in mapped.problems]


class RehearsedStore(PlanStore):
    """Plan rows that name the changes of the draft behind them."""

    def __init__(self, run: Run, rehearsal: Rehearsal) -> None:
        super().__init__(run)
        self.rehearsal = rehearsal

    def _row(
        self, subject: Subject, change: Change, sources: Mapping[str, str], redacted: Collection[str]
    ) -> Operation:
        row = super()._row(subject, change, sources, redacted)
        row.changes = {unit: impact.with_pattern(value) for unit, value in row.changes.items()}
        row.causes = list(self.rehearsal.because(subject, change))
        return row

    def _refused(self, subject: Subject, refusal: Refusal) -> Operation:
        row = super()._refused(subject, refusal)
        row.causes = list(self.rehearsal.because_refused(subject, refusal))
        return row


def _deciding(rehearsal: Rehearsal, rules: Rules, closure: nesting.Closure) -> Deciding:
    return Deciding(rehearsal.tenant, rules, ((group_id, path) for (_assigned, group_id), path in closure.items()))
