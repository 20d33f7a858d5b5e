"""Whether the audit log is what was written: every entry, its place, and the end (sync/audit/chain.py)."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import NoneType
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from sync.audit import chain
from sync.audit.lines import line_of
from sync.models import AuditEntry, AuditHead

# What can be wrong, in words of the command and the page.
MEANINGS = {
    "changed": _("Entry %(position)s is not what was signed: it was changed, or written by somebody else."),
    "moved": _("Entry %(position)s is not in the place that it was chained at."),
    "missing": _("Entry %(position)s is gone."),
    "cut-off": _("The newest entries are gone: %(detail)s."),
    "beyond": _("Entry %(position)s stands after the end of the chain."),
    "outside": _("A row was never chained, and no key of the ring signed it (%(detail)s)."),
    "head": _("The end of the chain is not signed by us: it was changed, put back or taken away."),
    "key": _("The key %(detail)s is not in SEAL_KEYS, or another key bears its name."),
    "shipped": _("A line is not what the table has (%(detail)s)."),
    "not-shipped": _("Lines that the table has were never shipped: %(detail)s."),
    "ahead": _("More is marked as shipped than there is: somebody else wrote the mark."),
}
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Finding:
    """`code`: of MEANINGS. `position`: in the chain; None where there is none."""

    code: str
    position: int | None = None
    detail: str = ""

    @property
    def sentence(self) -> str:
        return str(MEANINGS[self.code]) % {"position": self.position, "detail": self.detail}


@dataclass
class Report:
    """`waiting`: entries that the chain takes in with the next one. `findings`: the first SHOWN of `found`."""

    entries: int = 0
    since: datetime | None = None
    last_hash: str = ""
    waiting: int = 0
    found: int = 0
    findings: list[Finding] = field(default_factory=list)

    def note(self, finding: Finding) -> None:
        self.found += 1
        if len(self.findings) < SHOWN:
            self.findings.append(finding)


def verify() -> Report:
    """Reads all entries, without a lock: what is written meanwhile counts from the next time on."""
    report = Report()
    head = AuditHead.objects.filter(pk=chain.HEAD).first() or AuditHead(pk=chain.HEAD)
    walk = _Walk(report)
    for entry in chained(head.position):
        walk.step(entry)
    _check_end(report, head, walk)
    for entry in _beyond_the_end():
        report.note(Finding("beyond", entry.position))
    for entry in AuditEntry.objects.filter(position=None).order_by("pk"):
        if chain.is_genuine(entry):
            report.waiting += 1
        else:
            report.note(Finding("outside", detail=f"row {entry.pk}"))
    return report


def _beyond_the_end() -> QuerySet[AuditEntry]:
    """In one statement with the end: it moves on meanwhile."""
    end = Subquery(AuditHead.objects.filter(pk=chain.HEAD).values("position"))
    return AuditEntry.objects.filter(position__gt=Coalesce(end, 0)).order_by("position")


def chained(until: int) -> Iterator[AuditEntry]:
    entries: QuerySet[AuditEntry] = AuditEntry.objects.filter(position__lte=until).order_by("position")
    return entries.iterator(chunk_size=1000)


class _Walk:
    """From the first entry to the last. After a gap the chain goes on from what the next one says."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.position = 0
        self.hash = ""
        self.signed: Counter[tuple[str, bool]] = Counter()

    def step(self, entry: AuditEntry) -> None:
        self.report.entries += 1
        self.report.since = self.report.since or entry.at
        position = entry.position or 0
        for gone in range(self.position + 1, min(position, self.position + 1 + SHOWN)):
            self.report.note(Finding("missing", gone))
        follows = position == self.position + 1
        self._check(entry, self.hash if follows else None)
        self.position, self.hash = position, entry.chain_hash

    def _check(self, entry: AuditEntry, before: str | None) -> None:
        """`before`: the hash up to here; None after a gap."""
        genuine = chain.is_genuine(entry)
        if genuine is not None:
            self.signed[entry.key, genuine] += 1
        linked = before is None or chain.link(before, entry) == entry.chain_hash
        if genuine is False or (genuine is None and not linked):
            self.report.note(Finding("changed", entry.position))
        elif not linked:
            self.report.note(Finding("moved", entry.position))


def _check_end(report: Report, head: AuditHead, walk: _Walk) -> None:
    report.last_hash = walk.hash
    for key in {key for key, _genuine in walk.signed}:
        if not walk.signed[key, True]:
            report.note(Finding("key", detail=key))
    genuine = chain.head_is_genuine(head) if head.mac else None
    if not head.mac:
        # Before the first entry there is none.
        if report.entries or head.position or AuditEntry.objects.exclude(position=None).exists():
            report.note(Finding("head"))
    elif genuine is None:
        report.note(Finding("key", detail=head.key))
    elif not genuine:
        report.note(Finding("head"))
    if walk.position < head.position:
        report.note(Finding("cut-off", detail=f"{walk.position + 1} to {head.position}"))
    elif genuine and walk.hash != head.chain_hash:
        report.note(Finding("head"))
    if head.shipped > head.position:
        report.note(Finding("ahead"))


def compare(report: Report, lines: Iterable[str]) -> set[int]:
    """Lines of the log (sync/audit/lines.py), in any order, against the table. Gives back the positions that they name."""
    positions: set[int | None] = set()
    for text in filter(None, (line.strip() for line in lines)):
        shipped = _read(text)
        entry = AuditEntry.objects.filter(uid=shipped["uid"]).first() if shipped else None
        if shipped is None:
            report.note(Finding("shipped", detail=f"not a line of ours: {text[:60]}"))
            continue
        if entry is None or line_of(entry) != shipped:
            report.note(Finding("shipped", shipped.get("position"), detail=shipped["uid"]))
        positions.add(shipped.get("position"))
    return {position for position in positions if position is not None}


def compare_shipped(report: Report, lines: Iterable[str]) -> None:
    """All that arrived, from some line on: of what is marked as shipped after that none is missing.

    The mark is not signed: whoever may write to the database can set it forward, so that lines are passed over."""
    arrived = compare(report, lines)
    marked = AuditHead.objects.filter(pk=chain.HEAD).values_list("shipped", flat=True).first() or 0
    sent = AuditEntry.objects.filter(position__gte=min(arrived, default=1), position__lte=marked).order_by("position")
    places = sent.values_list("position", flat=True)
    missing = [position for position in places if position and position not in arrived]
    if missing:
        report.note(Finding("not-shipped", missing[0], detail=_ranges(missing)))


def _ranges(numbers: Sequence[int]) -> str:
    """1, 4 to 7."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    shown = [str(first) if first == last else f"{first} to {last}" for first, last in runs[:SHOWN]]
    return ", ".join([*shown, *(["…"] if len(runs) > SHOWN else [])])


def _read(text: str) -> dict[str, Any] | None:
    """None: it names no entry and no place of one."""
    try:
        found = json.loads(text)
        UUID(found["uid"])
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return None
    return found if type(found.get("position")) in (int, NoneType) else None
