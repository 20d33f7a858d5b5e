""".NET's custom date and time format strings, in its invariant culture (Microsoft, "Custom date and time format strings").

Reading builds a pattern of our own from the format; what the admin wrote never reaches `re` unescaped.
"""

import calendar
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from sync.expressions.errors import Failure, gettext_noop

DAYS, MONTHS = list(calendar.day_name), list(calendar.month_name)[1:]
# A single letter is a standard format: https://learn.microsoft.com/dotnet/standard/base-types/standard-date-and-time-format-strings
STANDARD = {
    "d": "MM/dd/yyyy",
    "D": "dddd, dd MMMM yyyy",
    "f": "dddd, dd MMMM yyyy HH:mm",
    "F": "dddd, dd MMMM yyyy HH:mm:ss",
    "g": "MM/dd/yyyy HH:mm",
    "G": "MM/dd/yyyy HH:mm:ss",
    "m": "MMMM dd",
    "M": "MMMM dd",
    "o": "yyyy-MM-ddTHH:mm:ss.fffffffK",
    "O": "yyyy-MM-ddTHH:mm:ss.fffffffK",
    "r": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "R": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "s": "yyyy-MM-ddTHH:mm:ss",
    "t": "HH:mm",
    "T": "HH:mm:ss",
    "u": "yyyy-MM-dd HH:mm:ssZ",
    "U": "dddd, dd MMMM yyyy HH:mm:ss",
    "y": "yyyy MMMM",
    "Y": "yyyy MMMM",
}
PART = re.compile(
    r"""(?P<quoted>'[^']*'|"[^"]*")|(?P<escaped>\\.)|(?P<custom>%?(?:d+|f+|F+|g+|h+|H+|K|m+|M+|s+|t+|y+|z+))|(?P<literal>.)""",
    re.DOTALL,
)
LONGEST = {"d": 4, "f": 7, "F": 7, "g": 2, "h": 2, "H": 2, "K": 1, "m": 2, "M": 4, "s": 2, "t": 2, "y": 5, "z": 3}
STYLES = {
    "allowleadingwhite": "l",
    "allowtrailingwhite": "t",
    "allowinnerwhite": "i",
    "allowwhitespaces": "lti",
    "none": "",
    "roundtripkind": "",
    "adjusttouniversal": "",
    "assumeuniversal": "",
    "assumelocal": "",
    "nocurrentdatedefault": "",
}

NO_STYLE = gettext_noop("“%(name)s” is not a date style. Expected AllowWhiteSpaces, AssumeUniversal and the like.")
UNFIT = gettext_noop("“%(value)s” is not a date in the form %(format)s.")
BAD_FORMAT = gettext_noop("“%(format)s” is not a date format: %(part)s has no meaning in it.")
TOO_LONG = gettext_noop("A date format has at most %(limit)d characters.")
LIMIT = 200


def changed(source: str, styles: str, given: str, wanted: str, today: datetime) -> str:
    """Raises Failure when the source is not written in the given format."""
    return written(read(source, given, spaces_allowed(styles), today), wanted)


def spaces_allowed(styles: str) -> str:
    """Where blanks may stand: l leading, t trailing, i inner. Everything is UTC here, so zone styles change nothing."""
    if not styles.strip():
        return "lt"
    names = [name.strip() for name in styles.split(",")]
    for name in names:
        if name.lower() not in STYLES:
            raise Failure(NO_STYLE, name=name[:40])
    return "".join(STYLES[name.lower()] for name in names)


@lru_cache(256)
def parts(layout: str) -> tuple[tuple[str, str], ...]:
    """Kind and text of each part: "text" to take literally, else a letter of the format with its repetitions."""
    if len(layout) > LIMIT:
        raise Failure(TOO_LONG, limit=LIMIT)
    found = PART.finditer(STANDARD.get(layout, layout))
    return tuple(part for match in found for part in part_of(match, layout))


def part_of(match: re.Match[str], layout: str) -> Iterator[tuple[str, str]]:
    found = match[0]
    if match["quoted"]:
        yield "text", found[1:-1]
    elif match["escaped"]:
        yield "text", found[1:]
    elif match["literal"]:
        if found in "'\"\\%":
            raise Failure(BAD_FORMAT, format=layout[:60], part=found)
        yield "text", found
    else:
        letters = found.removeprefix("%")
        if len(letters) > LONGEST[letters[0]] and letters[0] not in "dgMhHmstyz":
            raise Failure(BAD_FORMAT, format=layout[:60], part=letters)
        yield letters[0], letters[: LONGEST[letters[0]]]


# --- Writing --------------------------------------------------------------------------------------


def written(moment: datetime, layout: str) -> str:
    """`moment` is in UTC."""
    return "".join(text if kind == "text" else WRITERS[kind](moment, len(text)) for kind, text in parts(layout))


def padded(value: int, length: int) -> str:
    return str(value).zfill(length)


def day(moment: datetime, length: int) -> str:
    name = DAYS[moment.weekday()]
    return padded(moment.day, length) if length < 3 else name[:3] if length == 3 else name


def month(moment: datetime, length: int) -> str:
    name = MONTHS[moment.month - 1]
    return padded(moment.month, length) if length < 3 else name[:3] if length == 3 else name


def year(moment: datetime, length: int) -> str:
    return padded(moment.year % 100 if length < 3 else moment.year, length)


def fraction(moment: datetime, length: int) -> str:
    return f"{moment.microsecond:06}0"[:length]


def half(moment: datetime, length: int) -> str:
    return ("AM" if moment.hour < 12 else "PM")[:length]


def offset(_moment: datetime, length: int) -> str:
    return {1: "+0", 2: "+00", 3: "+00:00"}[length]


WRITERS: dict[str, Callable[[datetime, int], str]] = {
    "d": day,
    "M": month,
    "y": year,
    "f": fraction,
    "F": lambda moment, length: fraction(moment, length).rstrip("0"),
    "g": lambda moment, length: "A.D.",
    "h": lambda moment, length: padded(moment.hour % 12 or 12, length),
    "H": lambda moment, length: padded(moment.hour, length),
    "m": lambda moment, length: padded(moment.minute, length),
    "s": lambda moment, length: padded(moment.second, length),
    "t": half,
    "z": offset,
    "K": lambda moment, length: "Z",
}


# --- Reading --------------------------------------------------------------------------------------

# Letter and repetitions -> what to read; a name in the pattern is the letter, or the letter with 3 for words.
TWO = {1: r"\d{1,2}", 2: r"\d{2}"}
SHORT_DAYS, LONG_DAYS = "|".join(name[:3] for name in DAYS), "|".join(DAYS)
SHORT_MONTHS, LONG_MONTHS = "|".join(name[:3] for name in MONTHS), "|".join(MONTHS)
READERS: dict[str, dict[int, str]] = {
    "d": {**TWO, 3: SHORT_DAYS, 4: LONG_DAYS},
    "M": {**TWO, 3: SHORT_MONTHS, 4: LONG_MONTHS},
    "y": {1: r"\d{1,2}", 2: r"\d{2}", 3: r"\d{3,4}", 4: r"\d{4}", 5: r"\d{5}"},
    **dict.fromkeys("hHms", TWO),
    "f": {length: rf"\d{{{length}}}" for length in range(1, 8)},
    "F": {length: rf"\d{{0,{length}}}" for length in range(1, 8)},
    "g": dict.fromkeys((1, 2), r"A\.?D\.?"),
    "t": {1: "[AP]", 2: "[AP]M"},
    "z": {1: r"[+-]\d{1,2}", 2: r"[+-]\d{2}", 3: r"[+-]\d{1,2}:?\d{2}"},
    "K": {1: r"Z|[+-]\d{2}:\d{2}|"},
}


@lru_cache(256)
def reader(layout: str, spaces: str) -> re.Pattern[str]:
    """Groups are named by the letter and its place: the same letter may come twice."""
    pieces = [piece(place, kind, text) for place, (kind, text) in enumerate(parts(layout))]
    blank = r"\s*" if "i" in spaces else ""
    leading, trailing = (r"\s*" if where in spaces else "" for where in "lt")
    return re.compile(leading + blank.join(pieces) + trailing, re.IGNORECASE | re.ASCII)


def piece(place: int, kind: str, text: str) -> str:
    if kind == "text":
        return re.escape(text)
    word = "w" if kind in "dM" and len(text) > 2 else ""
    return f"(?P<{kind}{word}{place}>{READERS[kind][len(text)]})"


def read(source: str, layout: str, spaces: str, today: datetime) -> datetime:
    found = reader(layout, spaces).fullmatch(source)
    facts: dict[str, str] = {}
    for name, value in found.groupdict().items() if found else ():
        key = name.rstrip("0123456789")
        if facts.setdefault(key, value).lower() != value.lower():
            found = None  # the same part twice, and not the same
    moment = moment_of(facts, today) if found else None
    if moment is None:
        raise Failure(UNFIT, value=source[:40], format=layout[:60])
    return moment


def moment_of(facts: dict[str, str], today: datetime) -> datetime | None:
    try:
        hour = hour_of(facts)
        minute, second = int(facts.get("m", 0)), int(facts.get("s", 0))
        moment = datetime(*date_of(facts, today), hour, minute, second, tzinfo=UTC)
        moment += timedelta(microseconds=int((facts.get("f") or facts.get("F") or "0").ljust(7, "0")) // 10)
        if not DAYS[moment.weekday()].lower().startswith(facts.get("dw", "").lower()):
            return None
        return moment - offset_of(facts.get("z") or facts.get("K") or "Z")
    except (ValueError, OverflowError):
        return None


def date_of(facts: dict[str, str], today: datetime) -> tuple[int, int, int]:
    """A time alone is one of today; a date without its year is one of this year (DateTime.ParseExact)."""
    if not facts.keys() & {"y", "M", "Mw", "d"}:
        return today.year, today.month, today.day
    return year_of(facts, today), month_of(facts), int(facts.get("d", 1))


def hour_of(facts: dict[str, str]) -> int:
    if "h" not in facts:
        return int(facts.get("H", 0))
    hour = int(facts["h"])
    if not 1 <= hour <= 12:
        raise ValueError
    return hour % 12 + (12 if facts.get("t", "A")[0] in "pP" else 0)


def year_of(facts: dict[str, str], today: datetime) -> int:
    """Two digits mean 1950 to 2049, the invariant culture's window."""
    if "y" not in facts:
        return today.year
    value = int(facts["y"])
    return value if len(facts["y"]) > 2 else value + (1900 if value > 49 else 2000)


def month_of(facts: dict[str, str]) -> int:
    if "Mw" in facts:
        return [name[:3].lower() for name in MONTHS].index(facts["Mw"][:3].lower()) + 1
    return int(facts.get("M", 1))


def offset_of(source: str) -> timedelta:
    if source in ("Z", "z"):
        return timedelta()
    digits = source[1:].replace(":", "")
    hours, minutes = (digits, "0") if len(digits) < 3 else (digits[:-2], digits[-2:])
    moved = timedelta(hours=int(hours), minutes=int(minutes))
    return -moved if source[0] == "-" else moved
