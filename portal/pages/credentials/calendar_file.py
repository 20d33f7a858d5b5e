"""End dates as an iCalendar file (RFC 5545): a day each, with alarms before it."""

import datetime
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from sync.connection.endings import CredentialEnd

# Of the days at which mails go out, those that a person wants in a calendar.
ALARMS = (30, 14, 7, 1)
LONGEST_LINE = 75


def calendar(ends: Iterable[CredentialEnd], now: datetime.datetime) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Lockstep//Credentials//EN", "CALSCALE:GREGORIAN"]
    lines += [line for end in ends if end.ends_on for line in _event(end, end.ends_on, now)]
    return "".join(f"{_folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def _event(end: CredentialEnd, day: datetime.date, now: datetime.datetime) -> Iterator[str]:
    title = _("%(tenant)s: the credential of %(side)s ends") % {"tenant": end.tenant.name, "side": end.half.label}
    url = settings.PUBLIC_URL + reverse("credential_renewal", args=[end.tenant.slug, end.half])
    # One that was replaced is another event.
    identity = (
        f"{end.tenant.pk}-{end.half}-{day:%Y%m%d}-{end.second or 'current'}@{settings.PUBLIC_URL.split('//')[-1]}"
    )
    yield "BEGIN:VEVENT"
    yield f"UID:{_escaped(identity)}"
    yield f"DTSTAMP:{now:%Y%m%dT%H%M%SZ}"
    yield f"DTSTART;VALUE=DATE:{day:%Y%m%d}"
    yield f"SUMMARY:{_escaped(title)}"
    yield f"DESCRIPTION:{_escaped(f'{end.kind} …{end.hint}'.strip() if end.hint else str(end.kind))}"
    yield f"URL:{url}"
    for days in ALARMS:
        yield from (
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            f"DESCRIPTION:{_escaped(title)}",
            f"TRIGGER:-P{days}D",
            "END:VALARM",
        )
    yield "END:VEVENT"


def _escaped(text: str) -> str:
    """Section 3.3.11; a control character has no way to be written."""
    plain = "".join(" " if ord(letter) < 32 else letter for letter in text)
    return plain.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")


def _folded(line: str) -> str:
    """Section 3.1: at most 75 octets a line, never within a character."""
    parts, length = [""], 0
    for letter in line:
        size = len(letter.encode())
        if length + size > LONGEST_LINE:
            parts.append(" ")
            length = 1
        parts[-1] += letter
        length += size
    return "\r\n".join(parts)
