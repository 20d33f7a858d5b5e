"""JSON that people bring: a file or a pasted text, bounded, and each name once. Pure; reading it executes nothing."""

import json
import math
import re
from typing import Any, NoReturn

from sync.expressions.errors import gettext_noop

LIMIT = 5 * 1024 * 1024
# A synchronization schema of Microsoft nests about fifteen deep; expressions inside add two for each call.
DEPTH = 200
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

TOO_LARGE = gettext_noop("The file is larger than %(megabytes)d MB.")
EMPTY = gettext_noop("The file is empty.")
NOT_TEXT = gettext_noop("The file is not text in UTF-8 or UTF-16. Save it as UTF-8.")
ARCHIVE = gettext_noop("This is an archive. Unpack it, and import the JSON file in it.")
WEB_PAGE = gettext_noop("This is a web page, not JSON. Where Entra shows the schema, select Download.")
CLIXML = gettext_noop("This is XML of PowerShell's Export-Clixml, not JSON. Export it with ConvertTo-Json -Depth 20.")
DISPLAYED = gettext_noop(
    "This is what PowerShell shows on the screen, not JSON. Export it with ConvertTo-Json -Depth 20."
)
SYNTAX = gettext_noop("This is not JSON: line %(line)d, column %(column)d: %(reason)s.")
TRAILING = gettext_noop("The JSON ends at line %(line)d, column %(column)d, but more text follows.")
TWICE = gettext_noop("“%(name)s” stands twice in one object. Which of them counts cannot be known.")
TOO_DEEP = gettext_noop("The JSON is nested deeper than %(depth)d levels.")
NUMBER = gettext_noop("“%(text)s” is not a number that can be stored.")
CHARACTER = gettext_noop("The JSON holds the character %(character)s, which cannot be stored.")


# What people bring in place of JSON, by how it begins.
TAKEN_FOR_JSON = (
    (re.compile(r"\s*<Objs\b"), CLIXML),
    (re.compile(r"\s*<(!doctype|html|head|body)\b", re.IGNORECASE), WEB_PAGE),
    (re.compile(r"\s*(@\{|[A-Za-z@.]+ +: |Name +Value\s+-)"), DISPLAYED),
)
ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf")


class NotJson(Exception):
    """`template` and `params`: the sentence, for translation."""

    def __init__(self, template: str, **params: str | int) -> None:
        super().__init__(template % params)
        self.template, self.params = template, params


def read(content: bytes | str) -> Any:
    """The document of a text in UTF-8 or UTF-16, with or without a byte order mark. Raises NotJson."""
    found = _document(_decoded(content))
    # A JSON text that was converted into JSON once more.
    if isinstance(found, str) and found.lstrip()[:1] in ("{", "["):
        found = _document(found)
    _check(found)
    return found


def _document(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number, parse_float=_finite, object_pairs_hook=_each_once)
    except json.JSONDecodeError as error:
        for beginning, template in TAKEN_FOR_JSON:
            if beginning.match(text):
                raise NotJson(template) from None
        template = TRAILING if error.msg == "Extra data" else SYNTAX
        raise NotJson(template, line=error.lineno, column=error.colno, reason=error.msg) from None
    except RecursionError:
        raise NotJson(TOO_DEEP, depth=DEPTH) from None
    except ValueError:
        # Python refuses integers of more than 4,300 digits.
        raise NotJson(NUMBER, text="…") from None


def _decoded(content: bytes | str) -> str:
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    if len(raw) > LIMIT:
        raise NotJson(TOO_LARGE, megabytes=LIMIT // 1024**2)
    if raw.startswith(ARCHIVES):
        raise NotJson(ARCHIVE)
    try:
        # A byte order mark may be ignored (RFC 8259 section 8.1). Windows PowerShell writes files in UTF-16.
        text = raw.decode("utf-8-sig" if isinstance(content, str) else json.detect_encoding(raw))
    except UnicodeDecodeError:
        raise NotJson(NOT_TEXT) from None
    if not text.strip():
        raise NotJson(EMPTY)
    return text


def _no_number(constant: str) -> NoReturn:
    """Python reads NaN and Infinity; RFC 8259 section 6 does not know them."""
    raise NotJson(NUMBER, text=constant)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotJson(NUMBER, text=text[:40])
    return number


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """RFC 8259 section 4: names should be unique; with two, programs differ on which one counts."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise NotJson(TWICE, name=name[:80])
        found[name] = value
    return found


def _check(document: Any) -> None:
    """Depth and characters, without recursion of our own."""
    waiting = [(document, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEPTH:
            raise NotJson(TOO_DEEP, depth=DEPTH)
        if isinstance(value, str):
            _check_characters(value)
        elif isinstance(value, dict):
            waiting += [(one, depth + 1) for pair in value.items() for one in pair]
        elif isinstance(value, list):
            waiting += [(one, depth + 1) for one in value]


def _check_characters(text: str) -> None:
    """NUL and half surrogates: JSON can escape them, PostgreSQL cannot store them."""
    if found := UNSTORABLE.search(text):
        raise NotJson(CHARACTER, character=f"U+{ord(found[0]):04X}")
