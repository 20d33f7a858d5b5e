"""The steps of one object as the page shows them, with what each found."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, cast

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext

from sync.models import (
    Demand,
    DemandObject,
    Operation,
    Result,
)
from sync.rules import filter_words, filters
from sync.rules.entra_attributes import source_attribute
from sync.rules.rows import ObjectType
from sync.scim.resource import REDACTED

# What an object's result is called after: the first of these that one of its operations came to.
WEIGHT = (
    Result.FAILED, Result.WILL_RETRY, Result.HELD, Result.CREATED, Result.LINKED, Result.DISABLED, Result.ENABLED,
    Result.DELETED, Result.UPDATED, Result.ADDED, Result.REMOVED, Result.SKIPPED,
)  # fmt: skip


class StepLog:
    """The steps of one object, saved as they happen."""

    def __init__(self, row: DemandObject, steps: Sequence[Any] = ()) -> None:
        self.row = row
        row.steps, row.result = list(steps), ""

    def done(self, step: str, **facts: Any) -> None:
        self._add(step, "done", facts)

    def failed(self, step: str, problem: str, **facts: Any) -> None:
        """`problem`: a code of sync.problems.catalogue."""
        self._add(step, "failed", {"problem": problem} | facts)

    def skipped(self, *steps: str, **facts: Any) -> None:
        for step in steps:
            self._add(step, "skipped", facts)

    def end(self, result: str) -> None:
        """Whatever was not reached is told as skipped."""
        reached = {step["step"] for step in self.row.steps}
        self.row.result = result
        self.row.steps += [_step(name, "skipped", {}) for name in DemandObject.Step.values if name not in reached]
        self._save()

    def _add(self, step: str, state: str, facts: Mapping[str, Any]) -> None:
        self.row.steps.append(_step(step, state, facts))
        self._save()

    @transaction.atomic
    def _save(self) -> None:
        self.row.save(update_fields=["steps", "result", "display_name"])
        Demand.objects.filter(pk=self.row.demand_id).update(sequence=F("sequence") + 1)


def _step(name: str, state: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {"step": name, "state": state, "facts": dict(facts), "at": timezone.now().isoformat()}


def properties(found: Mapping[str, Any], hidden: Collection[str]) -> dict[str, Any]:
    """What Entra holds, as a step keeps it: without the values of `hidden` properties."""
    filled = {key: value for key, value in found.items() if value is not None and not key.startswith("@")}
    return {key: REDACTED if key in hidden else value for key, value in filled.items()}


def verdict_facts(verdict: filters.FilterVerdict, object_type: str, hidden: Collection[str]) -> dict[str, Any]:
    """A filter's verdict as a step keeps it: without the values of `hidden` properties."""
    kind = cast(ObjectType, object_type)
    clauses = [
        {
            "clause": str(filter_words.phrase(one.clause, kind, gettext)),
            "actual": _actual(one, kind, hidden),
            "passed": one.passed,
        }
        for one in verdict.findings
    ]
    return {"title": verdict.filter.title, "clauses": clauses}


def _actual(found: filters.ClauseFinding, object_type: ObjectType, hidden: Collection[str]) -> str | None:
    attribute = source_attribute(found.clause.attribute, object_type)
    text = filters.text_of(found.actual)
    return REDACTED if text is not None and attribute and attribute.selects in hidden else text


def shown(operation: Operation) -> dict[str, Any]:
    """An operation as a step keeps it."""
    return {
        "id": operation.pk,
        "action": operation.action,
        "object_type": operation.object_type,
        "name": operation.display_name,
        "result": operation.result,
        "status": operation.status,
        "request_id": operation.request_id,
        "milliseconds": operation.milliseconds,
        "problem": operation.problem,
        "error": operation.error,
        "changes": operation.changes,
    }


def result_of(operations: Iterable[Operation]) -> str:
    results = {Result(operation.result) for operation in operations}
    return next((result for result in WEIGHT if result in results), "no_change")
