"""Plan rows, stored as they come; the plan's hash rolls over them."""

import datetime
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.utils import timezone

from sync.models import Link, Operation, Result, Run
from sync.models.columns import Changes, UnitChange
from sync.rules.changes import Change
from sync.runs.log_rows import store
from sync.scim.resource import REDACTED

REFUSED_FIELDS = ("refused_code", "refused_attribute", "refused_words", "refused_since", "holder_name", "holder_id")


NOBODY = ("", "")


class Subject:
    """Whom an operation is about, in the log's words."""

    __slots__ = ("detail_name", "display_name", "link", "object_id", "object_type")

    def __init__(self, link: Link, display_name: str, detail_name: str = "") -> None:
        self.link = link
        self.object_type = link.object_type
        self.object_id = link.object_id
        self.display_name = display_name[:256]
        self.detail_name = detail_name[:256]


class PlanStore:
    """The rows of one run's plan. `hash` is the same whenever the same plan is made from the same facts."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.planned = 0
        self._digest = hashlib.sha256()

    @property
    def hash(self) -> str:
        return self._digest.hexdigest()

    def add(
        self, planned: Iterable[tuple[Subject, Change]], sources: Mapping[str, str], redacted: Collection[str] = ()
    ) -> None:
        """`sources` names the mapping behind each unit; the values of `redacted` units are hidden in the log."""
        rows = [self._row(subject, change, sources, redacted) for subject, change in planned]
        store(rows)
        self.planned += len(rows)

    def refuse(self, refused: Iterable[tuple[Subject, "Refusal"]]) -> None:
        """Decisions not to write: they stand in the log like failed requests."""
        rows = [self._refused(subject, refusal) for subject, refusal in refused]
        store(rows)

    def _row(
        self, subject: Subject, change: Change, sources: Mapping[str, str], redacted: Collection[str]
    ) -> Operation:
        changes: Changes = {
            unit: value if isinstance(value, list) else _shown(value, sources.get(unit, ""), hidden=unit in redacted)
            for unit, value in change.changes.items()
        }
        row = self._operation(subject, change.action)
        row.stage, row.wave = change.stage, change.wave
        row.scim_id = change.scim_id or subject.link.scim_id
        row.changes, row.desired = changes, dict(change.desired)
        row.moves_key, row.approved = change.moves_key, change.approved
        if change.takes_key:
            row.wanted_keys = _keys_in_short(subject.link)
        if change.held:
            row.result, row.finished_at = Result.HELD, timezone.now()
        if change.action.endswith("_member"):
            row.object_type, row.people = "membership", len(change.changes["members"])
        facts = [row.stage, row.object_type, row.object_id, row.action, row.scim_id, row.changes, row.desired]
        self._digest.update(json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode())
        return row

    def _refused(self, subject: Subject, refusal: "Refusal") -> Operation:
        row = self._operation(subject, "update" if subject.link.scim_id else "create")
        row.result = refusal.result
        row.problem, row.attribute, row.error = refusal.problem, refusal.attribute, refusal.error
        row.finished_at = timezone.now()
        return row

    def _operation(self, subject: Subject, action: str) -> Operation:
        return Operation(
            run=self.run,
            tenant_id=self.run.tenant_id,
            link=subject.link,
            object_type=subject.object_type,
            object_id=subject.object_id,
            display_name=subject.display_name,
            detail_name=subject.detail_name,
            action=action,
        )


def _keys_in_short(link: Link) -> str:
    keys = json.dumps([link.wanted_name, link.wanted_email, link.wanted_external], ensure_ascii=False)
    return hashlib.sha256(keys.encode()).hexdigest()[:32]


def _shown(change: Mapping[str, Any], source: str, *, hidden: bool) -> UnitChange:
    """Before and after of one unit; that something was or is to be there may be seen."""
    before, after = (REDACTED if hidden and change[side] is not None else change[side] for side in ("before", "after"))
    return {"before": before, "after": after, "mapping": source}


class Refusal:
    """Why an object is left as it is: a code of sync.problems.catalogue, the attribute, and the words to quote.

    `holder`: name and id of whoever stands in the way."""

    __slots__ = ("attribute", "error", "holder", "problem", "result")

    def __init__(
        self,
        problem: str,
        attribute: str = "",
        error: str = "",
        *,
        skipped: bool = False,
        holder: tuple[str, str] = NOBODY,
    ) -> None:
        self.problem = problem
        self.attribute = attribute
        self.error = error
        self.holder = holder
        self.result = Result.SKIPPED if skipped else Result.FAILED

    def stands_on(self, link: Link) -> bool:
        """Whether the object was left as it is for the same reason before."""
        return (link.refused_code, link.refused_attribute) == (self.problem, self.attribute)

    def note_on(self, link: Link, now: datetime.datetime) -> None:
        if not self.stands_on(link):
            link.refused_code, link.refused_attribute, link.refused_since = self.problem, self.attribute, now
        link.refused_words = self.error
        link.holder_name, link.holder_id = self.holder
