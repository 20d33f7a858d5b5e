"""The whole log is checked every night, and whenever somebody asks. What came of it is an entry, and a line of the log if it is bad:
that one is out of reach of whoever has the database."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from sync import audit
from sync.audit.chain import is_genuine
from sync.audit.verification import Report, verify
from sync.models import AuditEntry

log = structlog.get_logger(__name__)

VERB, NIGHTLY = "audit.check", "nightly check"


@dataclass(frozen=True, slots=True)
class Checked:
    """`found`: how much was not as it was written."""

    at: datetime
    entries: int
    found: int


def check(actor: str) -> Report:
    report = verify()
    audit.record(actor, VERB, None, None, {"entries": report.entries, "found": report.found})
    if report.found:
        codes = sorted({one.code for one in report.findings})
        log.error("audit log is not as it was written", entries=report.entries, found=report.found, codes=codes)
    return report


def last_check() -> Checked | None:
    """One that nobody made up."""
    entry = AuditEntry.objects.filter(verb=VERB).order_by("-pk").first()
    if entry is None or not is_genuine(entry):
        return None
    facts = entry.after or {}
    return Checked(entry.at, facts.get("entries", 0), facts.get("found", 0))
