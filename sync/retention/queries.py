"""What goes next, what went last, and how the database grows."""

import datetime
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.utils import timezone

from sync.models import Backup, DatabaseSize, Pruning
from sync.retention.kinds import KINDS, Kind

# Growth is that of the last week, or of as much of it as is known.
LOOKED_BACK = datetime.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Due:
    """`days`: 0 keeps them for ever. `rows`: how many would go now."""

    kind: Kind
    days: int
    rows: int
    last: Pruning | None


def due() -> list[Due]:
    last = {row.kind: row for row in Pruning.objects.all()}
    return [Due(kind, days_of(kind), due_rows(kind), last.get(kind.name)) for kind in KINDS]


def days_of(kind: Kind) -> int:
    return int(getattr(settings, kind.setting))


def cutoff_of(kind: Kind) -> datetime.datetime | None:
    """None: for ever."""
    days = days_of(kind)
    return timezone.now() - datetime.timedelta(days=days) if days else None


def due_rows(kind: Kind) -> int:
    cutoff = cutoff_of(kind)
    return kind.count(cutoff) if cutoff else 0


def last_pruned() -> datetime.datetime | None:
    return Pruning.objects.order_by("-at").values_list("at", flat=True).first()


def last_backup() -> datetime.datetime | None:
    return Backup.objects.values_list("at", flat=True).first()


# SQLite keeps the pages of removed rows for the next ones: they do not count.
SIZE = {
    "postgresql": "SELECT pg_database_size(current_database())",
    "sqlite": """
        SELECT (page_count - freelist_count) * page_size
        FROM pragma_page_count, pragma_freelist_count, pragma_page_size
    """,
}


def size_now() -> int:
    """In bytes."""
    with connection.cursor() as cursor:
        cursor.execute(SIZE[connection.vendor])
        return int(cursor.fetchone()[0])


def growth() -> int | None:
    """Bytes a day; None before the second day."""
    rows = list(DatabaseSize.objects.order_by("-day")[: LOOKED_BACK.days + 1])
    known = [row for row in rows if rows[0].day - row.day <= LOOKED_BACK]
    if len(known) < 2:
        return None
    newest, oldest = known[0], known[-1]
    return (newest.bytes - oldest.bytes) // (newest.day - oldest.day).days
