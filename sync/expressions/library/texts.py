"""Joining and cutting."""

from collections.abc import Sequence

from sync.expressions.errors import Failure, gettext_noop
from sync.expressions.library.letters import lowered
from sync.expressions.table import Code, Surroundings, function
from sync.expressions.values import Value, each, is_empty, many, text, whole


@function(
    "Append source suffix",
    gettext_noop("The suffix put behind the text."),
    'Append([mailNickname], "-aws")',
    '"adele-aws"',
    notes=gettext_noop("Null counts as the empty text."),
    null=False,
)
def append(source: Value, suffix: Value) -> Value:
    return text(source) + text(suffix)


@function(
    "Join separator",
    gettext_noop("The texts with the separator between them."),
    'Join(" ", [givenName], [surname])',
    '"Adele Vance"',
    repeats="source?",
    notes=gettext_noop("Null and empty ones are left out; lists give all their values."),
    lazy=True,
    null=False,
)
def join(evaluation: Surroundings, arguments: Sequence[Code]) -> Value:
    separator = text(arguments[0](evaluation))
    parts = [part for argument in arguments[1:] for part in many(argument(evaluation)) if part]
    evaluation.measure(sum(map(len, parts)) + len(parts) * len(separator))
    return separator.join(parts)


@function(
    "Left string numChars",
    gettext_noop("The first characters of the text."),
    "Left([surname], 3)",
    '"Van"',
    notes=gettext_noop("Null gives the empty text; a negative number gives the whole text."),
    idempotent=True,
    null=False,
)
def left(source: Value, count: Value) -> Value:
    characters = whole(count)
    return text(source) if characters < 0 else text(source)[:characters]


@function(
    "Len String",
    gettext_noop("How many characters the text or the number has."),
    "Len([surname])",
    "5",
    notes=gettext_noop("0 for null and for the empty text; several values are an error."),
    result="count",
)
def len_(source: Value) -> Value:
    return len(text(source))


def cut(value: Value, start: Value, length: Value) -> Value:
    """The image of Mid: longer than `length` is only a text that ends before `start`."""
    if start is None or length is None or whole(length) < 0 or whole(start) < 1:
        return value
    return text(value)[: max(whole(length), whole(start) - 1)] if whole(length) else ""


@function(
    "Mid source start length",
    gettext_noop("Characters from the middle of the text. The first one has the number 1."),
    "Mid([surname], 2, 3)",
    '"anc"',
    notes=gettext_noop(
        "Null or a length of 0 gives the empty text. A negative length, and a start before the first or behind the "
        "last character, give the whole text."
    ),
    null=False,
    image=cut,
)
def mid(source: Value, start: Value, length: Value) -> Value:
    found, first, count = text(source), whole(start), whole(length)
    if count == 0:
        return ""
    if count < 0 or not 1 <= first <= len(found):
        return found
    return found[first - 1 : first - 1 + count]


@function(
    "Word string wordNumber delimiters",
    gettext_noop("One word of the text, from 1. Any of the delimiters' characters ends a word."),
    'Word([displayName], 2, " ")',
    '"Vance"',
    notes=gettext_noop("Null, and a word that is not there, give the empty text."),
    null=False,
)
def word(source: Value, number: Value, delimiters: Value) -> Value:
    wanted = 0 if number is None else whole(number)
    words = words_of(text(source), set(text(delimiters)))
    return words[wanted - 1] if 1 <= wanted <= len(words) else ""


def words_of(source: str, ends: set[str]) -> list[str]:
    if not ends:
        return [source] if source else []
    first, *others = ends
    for end in others:
        source = source.replace(end, first)
    return [found for found in source.split(first) if found]


NO_DELIMITER = gettext_noop("Split needs a delimiter that is not empty.")


@function(
    "Split source delimiter",
    gettext_noop("A list of the texts between the delimiters, without spaces around them."),
    'Split("a, b", ",")',
    '["a", "b"]',
    notes=gettext_noop("Null gives null."),
    result="list",
)
def split(source: Value, delimiter: Value) -> Value:
    between = text(delimiter)
    if not between:
        raise Failure(NO_DELIMITER)
    return None if source is None else [part.strip() for part in text(source).split(between)]


@function(
    "StripSpaces source",
    gettext_noop("The text without spaces. Tabs and other blanks stay."),
    "StripSpaces([displayName])",
    '"AdeleVance"',
    notes=gettext_noop("Works on every value of a list."),
    idempotent=True,
)
def strip_spaces(source: Value) -> Value:
    return each(lambda found: found.replace(" ", ""), source)


@function(
    "Trim value",
    gettext_noop("The text without blanks around it."),
    'Trim(" Sales ")',
    '"Sales"',
    notes=gettext_noop("Works on every value of a list."),
    idempotent=True,
)
def trim(value: Value) -> Value:
    return each(str.strip, value)


TEXT_COMPARE = ("vbtextcompare", "1")


@function(
    "InStr value1 value2 start? compareType?",
    gettext_noop("Where value2 begins in value1, counted from 1; 0 when it is not there."),
    'InStr([mail], "@")',
    "6",
    notes=gettext_noop("compareType is vbBinaryCompare, or vbTextCompare to ignore upper and lower case."),
    result="count",
)
def in_str(value1: Value, value2: Value, start: Value = None, compare_type: Value = None) -> Value:
    inside, wanted = text(value1), text(value2)
    if text(compare_type).lower() in TEXT_COMPARE:
        inside, wanted = lowered(inside), lowered(wanted)
    first = 1 if start is None else max(whole(start), 1)
    return inside.find(wanted, first - 1) + 1


@function(
    "DNComponent dn number",
    gettext_noop("The value of one part of a distinguished name, from 1."),
    'DNComponent("cn=Joe,ou=Sales,dc=acme", 2)',
    '"Sales"',
    notes=gettext_noop("Null gives null; a part that is not there gives the empty text."),
)
def dn_component(dn: Value, number: Value) -> Value:
    if is_empty(dn):
        return None
    parts, wanted = dn_parts(text(dn)), whole(number)
    return parts[wanted - 1].partition("=")[2].strip() if 1 <= wanted <= len(parts) else ""


def dn_parts(dn: str) -> list[str]:
    r"""RFC 4514: a backslash takes the next character along, so `\\,` does not end a part."""
    parts, escaped = [""], False
    for one in dn:
        if one == "," and not escaped:
            parts.append("")
        elif one != "\\" or escaped:
            parts[-1] += one
        escaped = one == "\\" and not escaped
    return parts
