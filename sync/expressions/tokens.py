"""Source text -> tokens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sync.expressions.errors import ExpressionError, gettext_noop, place

# A backslash takes the next character along: `"\\d"` and `"\d"` are both read, and `"\"` is not closed.
TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<text>"(?:[^"\\]|\\.)*+")
    | (?P<attribute>\[[^\]\[\n]*\])
    | (?P<hex>&[Hh][0-9A-Fa-f]{1,16}(?![0-9A-Za-z_]))
    | (?P<number>-?[0-9]{1,30}(?:\.[0-9]{1,30})?(?![0-9A-Za-z_.]))
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<operator><>|>=|<=|[=<>&])
    | (?P<mark>[(),])
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    kind: str  # text, attribute, hex, number, name, operator, one of "(" ")" ",", or end
    text: str
    at: int


def tokens(source: str) -> Iterator[Token]:
    at = 0
    while at < len(source):
        found = TOKEN.match(source, at)
        if found is None:
            raise unreadable(source, at)
        kind = found.lastgroup or ""
        if kind != "space":
            yield Token(found[0] if kind == "mark" else kind, found[0], at)
        at = found.end()
    yield Token("end", "", at)


def unquoted(literal: str) -> str:
    r"""`\"` is a quote and `\\` a backslash; any other escape stays as written (Microsoft prints `"\+("`)."""
    return re.sub(r'\\(["\\])', r"\1", literal[1:-1])


def offset_in_text(source: str, at: int, index: int) -> int:
    """Where in the source the character `index` of the text that begins `at` is written."""
    place = at + 1
    for _ in range(index):
        place += 2 if source[place : place + 2] in ('\\"', "\\\\") else 1
    return place


UNREADABLE = {
    '"': gettext_noop('This text is not closed. Expected a " at its end.'),
    "[": gettext_noop("This attribute name is not closed. Expected a ] after it."),
    "“": gettext_noop('Curly quotes cannot be read. Write straight ones: "text".'),
    "”": gettext_noop('Curly quotes cannot be read. Write straight ones: "text".'),
    "'": gettext_noop('Text goes between double quotes: "text".'),
}
BAD_NUMBER = gettext_noop("This is not a number. Expected digits, such as 12, -3 or 1.5.")
BAD_CHARACTER = gettext_noop(
    'The character %(character)s has no meaning here. Expected a function, an [attribute] or "text".'
)


def unreadable(source: str, at: int) -> ExpressionError:
    line, column = place(source, at)
    character = source[at]
    if character in UNREADABLE:
        return ExpressionError(UNREADABLE[character], line, column)
    if character.isdecimal() or re.match("-[0-9]", source[at : at + 2]):
        return ExpressionError(BAD_NUMBER, line, column)
    return ExpressionError(BAD_CHARACTER, line, column, character=character)
