"""Why a plan row of a rehearsal is there: which changes of the draft cause it."""

from collections.abc import Collection, Mapping
from typing import Any

from sync.configuration.items import setting_key
from sync.configuration.ruleset import Rules
from sync.engine.evaluation.judgement import DISABLE_OFF, judge
from sync.engine.evaluation.mapper import Mapper, groups_mapper, people_mapper
from sync.engine.evaluation.notes import ObjectRow
from sync.engine.evaluation.plan_store import PlanStore, Refusal, Subject
from sync.engine.evaluation.taken_values import NobodyHas
from sync.engine.rehearsal import impact
from sync.engine.rehearsal.causes import Causes, Keys, reason_key
from sync.engine.work import groups_in_scope
from sync.models import DirectoryUser, Operation, Run
from sync.rules.changes import MANAGER, Change
from sync.rules.scope import Scope
from sync.scim import resource


class Reasons:
    """Compares `today`, the rules that runs use now, with `then`, those of the draft."""

    def __init__(self, run: Run, causes: Causes, today: Rules, then: Rules, now: Any) -> None:
        self.causes = causes
        self.mappers_today = {"user": people_mapper(today, now), "group": groups_mapper(today, now)}
        self.mappers_then = {"user": people_mapper(then, now), "group": groups_mapper(then, now)}
        self.groups_today = groups_in_scope(run.tenant, today)
        self.groups_then = groups_in_scope(run.tenant, then)
        # By person who comes or goes with the draft: the changes that do it. By person whom AWS holds: why outside.
        self.moved: dict[str, Keys] = {}
        self.outside: dict[str, str] = {}
        # Of the batch in hand: the mirror's rows, by object id.
        self.rows: dict[str, ObjectRow] = {}

    def note_scope(self, object_id: str, before: Scope, after: Scope, *, held: bool) -> None:
        if keys := self.causes.of_person(object_id, before, after):
            self.moved[object_id] = keys
        if held and not after.in_scope:
            self.outside[object_id] = after.reason

    def because(self, subject: Subject, change: Change) -> Keys:
        key = subject.object_id
        if change.action.endswith("_member"):
            people = (self.moved.get(member, ()) for member in change.changes["members"])
            return self.causes.of_members(self._of_group(key), people)
        own = self.moved.get(key, ()) if subject.object_type == "user" else self._of_group(key)
        if change.action in ("disable", "delete") and key in self.outside:
            return (*(own or self._of_values(subject, change.desired)), reason_key(self.outside[key]))
        return own or self._of_values(subject, change.desired) or self._of_actions(subject)

    def _of_group(self, object_id: str) -> Keys:
        moves = (object_id in self.groups_then) != (object_id in self.groups_today)
        return self.causes.of_group(object_id, moves=moves)

    def defaulted(self, subject: Subject, change: Change) -> set[str]:
        """Units of the change that get a default value."""
        row = self.rows.get(subject.object_id)
        if row is None or change.action.endswith("_member"):
            return set()
        mapper = self.mappers_then[subject.object_type]
        return mapper.defaulted(row.properties, creating=not subject.link.scim_id)

    def because_refused(self, subject: Subject, refusal: Refusal) -> Keys:
        """A mapping of the draft, when the field in question has another value (or another error) through it."""
        if refusal.problem == "create-off":
            return self._of_actions(subject)
        own = self.moved.get(subject.object_id, ())
        if refusal.problem == DISABLE_OFF.problem:
            return (*own, *self._of_actions(subject))
        unit = resource.unit_of(refusal.attribute) if refusal.attribute else ""
        mappings = self.causes.units[subject.object_type].get(unit, ())
        if not mappings or subject.object_id not in self.rows:
            return own
        old, new = (self._units(subject, mapper) for mapper in (self.mappers_today, self.mappers_then))
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

    def _units(self, subject: Subject, mappers: Mapping[str, Mapper]) -> tuple[dict[str, Any], list[str]]:
        """What the object would have under those rules, and the fields that cannot be worked out."""
        row, mapper = self.rows[subject.object_id], mappers[subject.object_type]
        manager = row.manager_id if isinstance(row, DirectoryUser) else ""
        judged = judge(row, subject.link, mapper, NobodyHas(), manager=manager)
        return judged.desired, [trace.target for trace in judged.mapped.problems]


class RehearsedPlan(PlanStore):
    """Plan rows that name the changes of the draft behind them."""

    def __init__(self, run: Run, reasons: Reasons) -> None:
        super().__init__(run)
        self.reasons = reasons

    def _row(
        self, subject: Subject, change: Change, sources: Mapping[str, str], redacted: Collection[str]
    ) -> Operation:
        row = super()._row(subject, change, sources, redacted)
        defaulted = self.reasons.defaulted(subject, change)
        row.changes |= {
            unit: impact.explained(one, from_default=unit in defaulted) for unit, one in row.unit_changes.items()
        }
        row.causes = list(self.reasons.because(subject, change))
        return row

    def _refused(self, subject: Subject, refusal: Refusal) -> Operation:
        row = super()._refused(subject, refusal)
        row.causes = list(self.reasons.because_refused(subject, refusal))
        return row
