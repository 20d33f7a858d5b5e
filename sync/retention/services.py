"""The nightly pruning, in slices of short transactions; the day's size of the database, and what SQLite counts."""

import time

import structlog
from django.db import connection
from django.utils import timezone

from sync.models import Backup, DatabaseSize, Pruning
from sync.retention import queries
from sync.retention.kinds import KINDS, Kind

log = structlog.get_logger(__name__)

# Entries of each index, as SQLite's manual advises ("Approximate ANALYZE For Large Databases").
LOOKED_AT = 1000
# What is left after this goes the next night: nobody waits for the thread of the quick worker that long.
LONGEST_SECONDS = 3600


def prune(seconds: float = LONGEST_SECONDS) -> dict[str, int]:
    """Rows that went, by kind. Called again after it was broken off, it goes on; two at a time do no harm."""
    until = time.monotonic() + seconds
    removed = {kind.name: _prune(kind, until) for kind in KINDS}
    measure()
    count_for_sqlite()
    return removed


def _prune(kind: Kind, until: float) -> int:
    cutoff = queries.cutoff_of(kind)
    if cutoff is None:
        return 0
    began, removed, unfinished = time.monotonic(), 0, False
    for rows in kind.remove(cutoff):
        removed += rows
        if unfinished := time.monotonic() > until:
            break
    facts = {"at": timezone.now(), "removed": removed, "unfinished": unfinished}
    Pruning.objects.update_or_create(kind=kind.name, defaults=facts)
    if removed or unfinished:
        seconds = round(time.monotonic() - began, 1)
        log.info("pruned", kind=kind.name, rows=removed, unfinished=unfinished, seconds=seconds)
    return removed


def note_backup(size: int = 0) -> None:
    """The newest alone is asked for."""
    made = Backup.objects.create(bytes=size)
    Backup.objects.exclude(pk=made.pk).delete()


def count_for_sqlite() -> None:
    """What SQLite chooses an index by: without it, it takes every table for a small one. Of each index a part is enough.
    PostgreSQL's autovacuum does the same by itself."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA analysis_limit = {LOOKED_AT}")
            cursor.execute("ANALYZE")


def measure() -> None:
    """The day's last measurement counts."""
    DatabaseSize.objects.update_or_create(day=timezone.now().date(), defaults={"bytes": queries.size_now()})
