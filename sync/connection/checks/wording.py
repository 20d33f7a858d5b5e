"""Stored rows in words: one form of them for the page, the command and *Copy for support*."""

import datetime
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sync.connection.checks.finding import Fact
from sync.connection.checks.outcomes import OUTCOMES
from sync.connection.checks.table import BY_ID
from sync.models import EntraConnection
from sync.problems.languages import day

CredentialKind = EntraConnection.CredentialKind

# A check that takes longer says so.
SLOW_SECONDS = 10


@dataclass(frozen=True)
class Described:
    id: str
    label: str
    state: str
    note: str = ""
    milliseconds: int | None = None
    code: str = ""
    title: str = ""
    meaning: str = ""
    steps: tuple[str, ...] = ()
    edit: str = ""
    request: str = ""
    status: int | None = None
    answer: str = ""
    because: str = ""
    waiting_seconds: int = 0

    @property
    def for_support(self) -> str:
        came_back = f"{self.status or '–'} ({self.milliseconds} ms)\n{self.answer}"
        return f"{self.id} {self.label}: {self.state} [{self.code}]\n{self.request}\n{came_back}".strip()


def describe(row: dict[str, Any]) -> Described:
    check = BY_ID[row["id"]]
    facts = {name: _spoken(name, fact) for name, fact in row.get("facts", {}).items()}
    outcome = OUTCOMES.get(row.get("code", ""))
    kept = {key: row[key] for key in ("milliseconds", "code", "request", "status", "answer", "because") if key in row}
    words: dict[str, Any] = {}
    if outcome:
        words = {
            "title": _filled(outcome.title, facts),
            "meaning": _filled(outcome.meaning, facts),
            "steps": tuple(_filled(step, facts) for step in outcome.steps),
            "edit": outcome.edit,
        }
    note = _filled(check.note, facts) if row["state"] == "passed" else ""
    return Described(row["id"], str(check.label), row["state"], note, waiting_seconds=_waited(row), **kept, **words)


def _filled(sentence: str | Promise, facts: dict[str, str]) -> str:
    """The sentence with its facts; nothing when one is missing or empty, which happens to notes only."""
    try:
        return str(sentence) % facts
    except KeyError:
        return ""


def _spoken(name: str, fact: Fact) -> str:
    if name == "ends":
        return day(datetime.date.fromisoformat(str(fact)))
    if name == "kind" and fact in CredentialKind.values:
        return str(CredentialKind(fact).label)
    return str(intcomma(fact)) if isinstance(fact, int) else str(fact)


def _waited(row: dict[str, Any]) -> int:
    waited = int(time.time() - row["started"]) if row["state"] == "checking" else 0
    return waited if waited >= SLOW_SECONDS else 0


def summary(rows: Iterable[dict[str, Any]]) -> str:
    """ "11 passed, 1 warning, 1 failed, 6 skipped because check A3 failed" """
    rows = list(rows)
    counts = Counter(row["state"] for row in rows)
    parts = [
        _("%(count)s passed") % {"count": counts["passed"]},
        counts["warning"]
        and ngettext("%(count)s warning", "%(count)s warnings", counts["warning"]) % {"count": counts["warning"]},
        counts["failed"] and _("%(count)s failed") % {"count": counts["failed"]},
        *_skipped(rows),
    ]
    return ", ".join(str(part) for part in parts if part)


def _skipped(rows: list[dict[str, Any]]) -> list[str]:
    blockers = Counter(row.get("because", "") for row in rows if row["state"] == "skipped")
    return [
        _("%(count)s skipped because check %(id)s failed") % {"count": count, "id": blocker}
        for blocker, count in blockers.items()
        if blocker
    ]
