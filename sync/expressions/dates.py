"""Dates as the language passes them: text in UTC, `M/d/yyyy h:mm:ss tt`."""

import calendar
import re
from datetime import UTC, datetime, timedelta

from sync.expressions.errors import Failure, gettext_noop

NO_DATE = gettext_noop(
    "“%(value)s” is not a date. Write it as 2026-11-23, 2026-11-23T18:27:00Z or 11/23/2026 6:27:00 PM."
)
NO_INTERVAL = gettext_noop("“%(value)s” is not an interval. Expected yyyy, m, ww, d, h, n or s.")
OUT_OF_RANGE = gettext_noop("This date lies outside the years 1 to 9999.")

FILE_TIME_ZERO = datetime(1601, 1, 1, tzinfo=UTC)
# .NET reads a day with an offset and no time as midnight there; fromisoformat takes the offset for a time.
DAY_WITH_OFFSET = re.compile(r"(\d{4}-\d\d-\d\d)([+-]\d\d:\d\d)")
AMERICAN = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4})(?: +(\d{1,2}):(\d\d)(?::(\d\d))?(?: *([AP])M)?)?", re.ASCII | re.IGNORECASE
)


def written(moment: datetime) -> str:
    hour = moment.hour % 12 or 12
    half = "AM" if moment.hour < 12 else "PM"
    return f"{moment.month}/{moment.day}/{moment.year:04} {hour}:{moment:%M:%S} {half}"


def read(source: str) -> datetime:
    """In UTC; a date without an offset is taken for UTC."""
    wanted = source.strip()
    for reader in (american, day_with_offset, iso):
        moment = reader(wanted)
        if moment is not None:
            return in_utc(moment)
    raise Failure(NO_DATE, value=wanted[:40])


def day_with_offset(source: str) -> datetime | None:
    found = DAY_WITH_OFFSET.fullmatch(source)
    return iso(f"{found[1]}T00:00:00{found[2]}") if found else None


def iso(source: str) -> datetime | None:
    try:
        return datetime.fromisoformat(source)
    except ValueError:
        return None


def american(source: str) -> datetime | None:
    found = AMERICAN.fullmatch(source)
    if found is None:
        return None
    month, day, year, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    if found[7] and not 1 <= hour <= 12:
        return None
    if found[7]:
        hour = hour % 12 + (12 if found[7] in "pP" else 0)
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def in_utc(moment: datetime) -> datetime:
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise Failure(OUT_OF_RANGE) from error


SECONDS = {"ww": 604_800, "d": 86_400, "h": 3_600, "n": 60, "s": 1}
MONTHS = {"yyyy": 12, "m": 1}


def add(interval: str, count: int, moment: datetime) -> datetime:
    try:
        if interval in MONTHS:
            return add_months(count * MONTHS[interval], moment)
        return moment + timedelta(seconds=count * seconds_of(interval))
    except (OverflowError, ValueError) as error:
        raise Failure(OUT_OF_RANGE) from error


def add_months(count: int, moment: datetime) -> datetime:
    """31 January plus one month is the last day of February, as in Visual Basic."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + count, 12)
    if not 1 <= year <= 9999:
        raise OverflowError
    last = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


def difference(interval: str, first: datetime, second: datetime) -> int:
    """Boundaries crossed, as Visual Basic counts: 23:59 to 00:01 is a day, Saturday to Sunday a week."""
    if interval in MONTHS:
        per = MONTHS[interval]
        return months_of(second) // per - months_of(first) // per
    per = seconds_of(interval)
    # Ordinal 0, 31 December of the year 0, is a Sunday: weeks begin there by themselves.
    return seconds_since_zero(second) // per - seconds_since_zero(first) // per


def months_of(moment: datetime) -> int:
    return moment.year * 12 + moment.month - 1


def seconds_since_zero(moment: datetime) -> int:
    return moment.toordinal() * 86_400 + moment.hour * 3_600 + moment.minute * 60 + moment.second


def seconds_of(interval: str) -> int:
    if interval not in SECONDS:
        raise Failure(NO_INTERVAL, value=interval[:20])
    return SECONDS[interval]


def from_file_time(ticks: int) -> datetime:
    try:
        return FILE_TIME_ZERO + timedelta(microseconds=ticks // 10)
    except OverflowError as error:
        raise Failure(OUT_OF_RANGE) from error


def file_time(moment: datetime) -> int:
    return (moment - FILE_TIME_ZERO) // timedelta(microseconds=1) * 10
