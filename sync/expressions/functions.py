"""The one table of functions: evaluator, checks, help and docs/expressions.md derive from it.

Behaviour: Microsoft, "Reference for writing expressions for attribute mappings"; edges that page leaves open
follow its sister pages (Connect sync, cloud sync). Null in gives null out where nothing else is said.
"""

import base64
import secrets
import string
import unicodedata
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sync.expressions import dates
from sync.expressions.errors import Failure, gettext_noop
from sync.expressions.tree import Empty, Node
from sync.expressions.values import (
    IGNORE,
    Ignore,
    Value,
    is_empty,
    many,
    text,
    truth,
    whole,
)


class Evaluation(Protocol):
    """What a lazy function may ask for (see `evaluating`)."""

    @property
    def now(self) -> datetime: ...
    def value(self, node: Node) -> Value: ...
    def ignore(self) -> None: ...
    def measure(self, characters: int) -> None: ...


Run = Callable[..., Value]
Lazy = Callable[[Evaluation, Sequence[Node]], Value]


@dataclass(frozen=True)
class Function:
    name: str
    parameters: tuple[str, ...]  # a "?" at the end: may be left out
    repeats: tuple[str, ...]  # one or more times, after the parameters
    summary: str
    example: str
    gives: str  # for the sample person of `docs`, as JSON; "" where it is never the same
    run: Run | None
    lazy: Lazy | None
    steady: bool  # False: another value each time

    @property
    def signature(self) -> str:
        names = [f"[{name[:-1]}]" if name.endswith("?") else name for name in self.parameters]
        if self.repeats:
            names += [f"{name}1" for name in self.repeats] + ["…"]
        return f"{self.name}({', '.join(names)})"

    @property
    def least(self) -> int:
        needed = [place for place, name in enumerate(self.parameters, 1) if not name.endswith("?")]
        if self.repeats:
            return len(self.parameters) + len(self.repeats)
        return max(needed, default=0)

    @property
    def most(self) -> int | None:
        return None if self.repeats else len(self.parameters)

    def parameter(self, place: int) -> str:
        """Name of the argument at a place from 0, with its "?"."""
        if place < len(self.parameters):
            return self.parameters[place]
        turn, which = divmod(place - len(self.parameters), len(self.repeats))
        return f"{self.repeats[which]}{turn + 1}"


FUNCTIONS: dict[str, Function] = {}  # by lower-case name


def function(
    parameters: str, summary: str, example: str, gives: str, *, repeats: str = "", steady: bool = True
) -> Callable[[Run], Run]:
    """Enters an implementation that takes its arguments' values; left-out ones are None."""

    def enter(run: Run) -> Run:
        add(
            Function(
                title(run),
                tuple(parameters.split()),
                tuple(repeats.split()),
                summary,
                example,
                gives,
                run,
                None,
                steady,
            )
        )
        return run

    return enter


def lazy_function(
    parameters: str, summary: str, example: str, gives: str, *, repeats: str = ""
) -> Callable[[Lazy], Lazy]:
    """Enters an implementation that evaluates its own arguments."""

    def enter(lazy: Lazy) -> Lazy:
        add(
            Function(
                title(lazy),
                tuple(parameters.split()),
                tuple(repeats.split()),
                summary,
                example,
                gives,
                None,
                lazy,
                True,
            )
        )
        return lazy

    return enter


NAMES = {"c_bool": "CBool", "c_date": "CDate", "c_str": "CStr", "iif": "IIF", "p_case": "PCase"}
NAMES |= {
    "convert_to_base64": "ConvertToBase64",
    "convert_to_utf8_hex": "ConvertToUTF8Hex",
    "in_str": "InStr",
}


def title(run: Callable[..., object]) -> str:
    stem = run.__name__.rstrip("_")
    return NAMES.get(stem) or "".join(word.capitalize() for word in stem.split("_"))


def add(entry: Function) -> None:
    FUNCTIONS[entry.name.lower()] = entry


def each(change: Callable[[str], str], value: Value) -> Value:
    """The change on one text, or on every value of a list; null stays null."""
    if isinstance(value, list):
        return [change(one) for one in value]
    return None if value is None else change(text(value))


# --- Choosing -------------------------------------------------------------------------------------


@lazy_function(
    "condition valueIfTrue valueIfFalse",
    gettext_noop("One of two values. The condition compares with =, <>, >, >=, < or <=, or gives true or false."),
    'IIF([country] = "Germany", "DE", "other")',
    '"DE"',
)
def iif(evaluation: Evaluation, arguments: Sequence[Node]) -> Value:
    condition, if_true, if_false = arguments
    return evaluation.value(if_true if truth(evaluation.value(condition)) else if_false)


@lazy_function(
    "source defaultValue?",
    gettext_noop('The value after the first key equal to the source, else the default. An empty source equals "".'),
    'Switch([state], "Elsewhere", "BE", "Berlin", "BY", "Bavaria")',
    '"Berlin"',
    repeats="key value",
)
def switch(evaluation: Evaluation, arguments: Sequence[Node]) -> Value:
    source = evaluation.value(arguments[0])
    for key, value in zip(arguments[2::2], arguments[3::2], strict=True):
        if text(source) == text(evaluation.value(key)):
            return evaluation.value(value)
    return evaluation.value(arguments[1])


@lazy_function(
    "",
    gettext_noop("The first value that is not null. An empty text counts as a value."),
    'Coalesce([mail], [userPrincipalName], "none")',
    '"adele@acme.example"',
    repeats="source",
)
def coalesce(evaluation: Evaluation, arguments: Sequence[Node]) -> Value:
    for argument in arguments:
        value = evaluation.value(argument)
        if value is not None:
            return value
    return None


@lazy_function(
    "expression",
    gettext_noop("The value; where it is null or empty, the attribute in AWS stays as it is."),
    "IgnoreFlowIfNullOrEmpty([department])",
    '"Sales"',
)
def ignore_flow_if_null_or_empty(evaluation: Evaluation, arguments: Sequence[Node]) -> Value:
    value = evaluation.value(arguments[0])
    if is_empty(value):
        evaluation.ignore()
    return value


# --- Asking ---------------------------------------------------------------------------------------


@function(
    "expression",
    gettext_noop("True when there is no value. An empty text is a value."),
    "IsNull([fax])",
    "true",
)
def is_null(value: Value) -> Value:
    return value is None


@function(
    "expression",
    gettext_noop("True when there is no value or an empty text."),
    "IsNullOrEmpty([fax])",
    "true",
)
def is_null_or_empty(value: Value) -> Value:
    return is_empty(value)


@function("expression", gettext_noop("True when there is a value that is not empty."), "IsPresent([mail])", "true")
def is_present(value: Value) -> Value:
    return not is_empty(value)


@function("expression", gettext_noop("True when the value is a text."), "IsString([mail])", "true")
def is_string(value: Value) -> Value:
    return isinstance(value, str)


@function("source", gettext_noop('"False" for "True"; "True" for anything else.'), 'Not("True")', '"False"')
def not_(source: Value) -> Value:
    return "False" if text(source) == "True" else "True"


@function(
    "expression",
    gettext_noop("True for true and for numbers other than 0, else false."),
    "CBool([state] = [city])",
    "false",
)
def c_bool(value: Value) -> Value:
    return truth(value)


# --- Joining and cutting --------------------------------------------------------------------------


@function(
    "source suffix",
    gettext_noop("The suffix put behind the text."),
    'Append([mailNickname], "-aws")',
    '"adele-aws"',
)
def append(source: Value, suffix: Value) -> Value:
    return text(source) + text(suffix)


@lazy_function(
    "separator",
    gettext_noop("The texts with the separator between them. Empty ones are left out; lists give all their values."),
    'Join(" ", [givenName], [surname])',
    '"Adele Vance"',
    repeats="source",
)
def join(evaluation: Evaluation, arguments: Sequence[Node]) -> Value:
    separator = text(evaluation.value(arguments[0]))
    parts = [part for argument in arguments[1:] for part in many(evaluation.value(argument)) if part]
    evaluation.measure(sum(len(part) + len(separator) for part in parts))
    return separator.join(parts)


@function("string numChars", gettext_noop("The first characters of the text."), "Left([surname], 3)", '"Van"')
def left(source: Value, count: Value) -> Value:
    characters = whole(count)
    return text(source) if characters < 0 else text(source)[:characters]


@function(
    "source start length",
    gettext_noop("Characters from the middle of the text. The first one has the number 1."),
    "Mid([surname], 2, 3)",
    '"anc"',
)
def mid(source: Value, start: Value, length: Value) -> Value:
    found, first, count = text(source), whole(start), whole(length)
    if count < 0 or first <= 0 or first > len(found):
        return found if count else ""
    return found[first - 1 : first - 1 + count]


@function(
    "string wordNumber delimiters",
    gettext_noop("One word of the text, from 1. Any of the delimiters' characters ends a word. No such word: empty."),
    'Word([displayName], 2, " ")',
    '"Vance"',
)
def word(source: Value, number: Value, delimiters: Value) -> Value:
    ends = set(text(delimiters))
    spaced = "".join("\0" if character in ends else character for character in text(source))
    words = [found for found in spaced.split("\0") if found]
    wanted = 0 if number is None else whole(number)
    return words[wanted - 1] if 1 <= wanted <= len(words) else ""


NO_DELIMITER = gettext_noop("Split needs a delimiter that is not empty.")


@function(
    "source delimiter",
    gettext_noop("A list of the texts between the delimiters, without spaces around them."),
    'Split("a, b", ",")',
    '["a", "b"]',
)
def split(source: Value, delimiter: Value) -> Value:
    if is_empty(delimiter):
        raise Failure(NO_DELIMITER)
    return None if source is None else [part.strip() for part in text(source).split(text(delimiter))]


@lazy_function(
    "source oldValue? regexPattern? regexGroupName? replacementValue? replacementAttributeName? template?",
    gettext_noop(
        "With oldValue and replacementValue: every oldValue in the text is replaced (case matters). "
        "With oldValue and template: every oldValue in the template becomes the source. "
        "Patterns are not available yet."
    ),
    'Replace([mail], "@acme.example", , , "", , )',
    '"adele"',
)
def replace(evaluation: Evaluation, arguments: Sequence[Node]) -> Value:
    given: list[Node] = [*arguments, *(Empty() for _ in range(7 - len(arguments)))]
    source, old, _, _, replacement, _, template = given
    value = evaluation.value(source)
    if value is None:
        return None
    if isinstance(template, Empty):
        return replaced(evaluation, text(value), old, text(evaluation.value(replacement)))
    return replaced(evaluation, text(evaluation.value(template)), old, text(value))


def replaced(evaluation: Evaluation, inside: str, old: Node, new: str) -> str:
    wanted = text(evaluation.value(old))
    if not wanted:
        return inside
    evaluation.measure(len(inside) + inside.count(wanted) * len(new))
    return inside.replace(wanted, new)


@function("source", gettext_noop("The text without spaces."), "StripSpaces([displayName])", '"AdeleVance"')
def strip_spaces(source: Value) -> Value:
    return each(lambda found: found.replace(" ", ""), source)


@function(
    "value",
    gettext_noop("The text, or every value of a list, without blanks around it."),
    'Trim(" Sales ")',
    '"Sales"',
)
def trim(value: Value) -> Value:
    return each(str.strip, value)


TEXT_COMPARE = "vbtextcompare"


@function(
    "value1 value2 start? compareType?",
    gettext_noop(
        "Where value2 begins in value1, counted from 1; 0 when it is not there. "
        "compareType is vbBinaryCompare, or vbTextCompare to ignore upper and lower case."
    ),
    'InStr([mail], "@")',
    "6",
)
def in_str(value1: Value, value2: Value, start: Value = None, compare_type: Value = None) -> Value:
    inside, wanted = text(value1), text(value2)
    if text(compare_type).lower() in (TEXT_COMPARE, "1"):
        inside, wanted = lowered(inside), lowered(wanted)
    first = 1 if start is None else max(whole(start), 1)
    return inside.find(wanted, first - 1) + 1


# --- Letters --------------------------------------------------------------------------------------

# .NET changes character by character: ß stays ß; dotted I and dotless i change only in Turkish and Azeri.
TURKISH = ("tr", "az", "tur", "aze")


def lowered(source: str, culture: str = "") -> str:
    if culture.lower().partition("-")[0] in TURKISH:
        source = source.replace("I", "ı").replace("İ", "i")
    return "".join(one.lower() if len(one.lower()) == 1 else one for one in source)


def raised(source: str, culture: str = "") -> str:
    if culture.lower().partition("-")[0] in TURKISH:
        source = source.replace("i", "İ")
    return "".join(one.upper() if len(one.upper()) == 1 and one != "ı" else one for one in source)


@function("source culture?", gettext_noop("The text in lower case."), "ToLower([surname])", '"vance"')
def to_lower(source: Value, culture: Value = None) -> Value:
    return each(lambda found: lowered(found, text(culture)), source)


@function("source culture?", gettext_noop("The text in upper case."), "ToUpper([surname])", '"VANCE"')
def to_upper(source: Value, culture: Value = None) -> Value:
    return each(lambda found: raised(found, text(culture)), source)


# Microsoft lists these kinds of characters as the ones that end a word when no separators are given.
WORD_ENDS = {"Zs", "Zl", "Zp", "Cc", "Cf", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So"}


@function(
    "source wordSeparators?",
    gettext_noop("Every word with a capital first letter, the rest in lower case."),
    'PCase("adele VANCE")',
    '"Adele Vance"',
)
def p_case(source: Value, separators: Value = None) -> Value:
    ends = None if separators is None else set(text(separators))
    return each(lambda found: capitalised(found, ends), source)


def capitalised(source: str, ends: set[str] | None) -> str:
    letters, first = [], True
    for letter in lowered(source):
        letters.append(raised(letter) if first else letter)
        first = letter in ends if ends is not None else unicodedata.category(letter) in WORD_ENDS
    return "".join(letters)


# Letters that do not come apart into a base letter and marks. đ, ð, þ and ħ are not in Microsoft's table.
LETTERS = {"æ": "ae", "ø": "oe", "œ": "oe", "ß": "ss", "ł": "l", "ı": "i"}
LETTERS |= {"Æ": "AE", "Ø": "OE", "Œ": "OE", "ẞ": "SS", "Ł": "L"}


@function(
    "source",
    gettext_noop("Letters with marks become plain: ä a, é e, ø oe, ß ss."),
    'NormalizeDiacritics("Zoë")',
    '"Zoe"',
)
def normalize_diacritics(source: Value) -> Value:
    return each(plain, source)


def plain(source: str) -> str:
    letters: list[str] = []
    latin = False
    for letter in unicodedata.normalize("NFD", source):
        if unicodedata.combining(letter):
            if not latin:  # marks of other scripts make other letters: か and が
                letters.append(letter)
            continue
        latin = unicodedata.name(letter, "").startswith("LATIN")
        letters.append(LETTERS.get(letter, letter))
    return unicodedata.normalize("NFC", "".join(letters))


# --- Lists ----------------------------------------------------------------------------------------


@function("attribute", gettext_noop("How many values the attribute has."), "Count([otherMails])", "2")
def count(values: Value) -> Value:
    return len(many(values))


NO_ITEM = gettext_noop("There is no value number %(index)d: the attribute has %(count)d. The first one is number 1.")


@function(
    "attribute index",
    gettext_noop("One value of a list, from 1."),
    "Item([otherMails], 1)",
    '"adele@home.example"',
)
def item(values: Value, index: Value) -> Value:
    found, wanted = many(values), whole(index)
    if values is None:
        return None
    if not 1 <= wanted <= len(found):
        raise Failure(NO_ITEM, index=wanted, count=len(found))
    return found[wanted - 1]


@function(
    "attribute",
    gettext_noop("The list with every value once."),
    'RemoveDuplicates(Split("a,b,a", ","))',
    '["a", "b"]',
)
def remove_duplicates(values: Value) -> Value:
    return None if values is None else list(dict.fromkeys(many(values)))


# --- Numbers, codes, chance -----------------------------------------------------------------------


@function("value1 value2", gettext_noop("The bits that are set in both numbers."), "BitAnd(&HF, &HF7)", "7")
def bit_and(value1: Value, value2: Value) -> Value:
    return whole(value1) & whole(value2)


@function("value", gettext_noop("The value as text."), "CStr([accountEnabled])", '"True"')
def c_str(value: Value) -> Value:
    return None if value is None else text(value)


@function("source", gettext_noop("The text in Base64, from its UTF-16 form."), 'ConvertToBase64("Hi")', '"SABpAA=="')
def convert_to_base64(source: Value) -> Value:
    return each(lambda found: base64.b64encode(found.encode("utf-16-le", "surrogatepass")).decode(), source)


@function("source", gettext_noop("The UTF-8 form of the text in hexadecimal."), 'ConvertToUTF8Hex("Hi")', '"4869"')
def convert_to_utf8_hex(source: Value) -> Value:
    return each(lambda found: found.encode("utf-8", "surrogatepass").hex().upper(), source)


@function("", gettext_noop("A new random identifier, another one each time."), "Guid()", "", steady=False)
def guid() -> Value:
    return str(uuid.uuid4())


SPECIAL = "!#$%&()*+,-./:;<=>?@[]^_{|}~"
BAD_LENGTH = gettext_noop("RandomString can make 1 to 256 characters, and at least the sum of the minimums.")
NOTHING_LEFT = gettext_noop("RandomString has no characters left to choose from. Avoid fewer.")


@function(
    "Length MinimumNumbers MinimumSpecialCharacters MinimumCapital MinimumLowerCase CharactersToAvoid?",
    gettext_noop("A random text with at least so many characters of each kind, another one each time."),
    'RandomString(10, 2, 2, 2, 1, "?,")',
    "",
    steady=False,
)
def random_string(length: Value, *wishes: Value) -> Value:
    minimums = [max(whole(wish), 0) for wish in wishes[:4]]
    avoid = set(text(wishes[4])) if len(wishes) > 4 else set()
    total = whole(length)
    if not max(sum(minimums), 1) <= total <= 256:
        raise Failure(BAD_LENGTH)
    kinds = [string.digits, SPECIAL, string.ascii_uppercase, string.ascii_lowercase]
    pools = [[one for one in kind if one not in avoid] for kind in kinds]
    wanted = [pool for pool, minimum in zip(pools, minimums, strict=True) for _ in range(minimum)]
    anything = [one for pool, minimum in zip(pools, minimums, strict=True) if minimum for one in pool]
    wanted += [anything or pools[3]] * (total - len(wanted))
    return shuffled(wanted)


def shuffled(pools: list[list[str]]) -> str:
    if not all(pools):
        raise Failure(NOTHING_LEFT)
    characters = [secrets.choice(pool) for pool in pools]
    secrets.SystemRandom().shuffle(characters)
    return "".join(characters)


# --- Dates ----------------------------------------------------------------------------------------


@lazy_function("", gettext_noop("The moment, in UTC, as 7/2/2021 3:33:38 PM."), "Now()", '"11/23/2026 6:17:02 PM"')
def now(evaluation: Evaluation, _arguments: Sequence[Node]) -> Value:
    return dates.written(evaluation.now)


@function(
    "expression",
    gettext_noop("A date, in UTC, as 7/2/2021 3:33:38 PM, from the usual ways to write one."),
    'CDate("2009-06-15T01:45:30-07:00")',
    '"6/15/2009 8:45:30 AM"',
)
def c_date(expression: Value) -> Value:
    return each(lambda found: dates.written(dates.read(found)), expression)


@function(
    "interval value dateTime",
    gettext_noop("The date so much later. Intervals: yyyy year, m month, ww week, d day, h hour, n minute, s second."),
    'DateAdd("d", -10, CDate("2012-03-16"))',
    '"3/6/2012 12:00:00 AM"',
)
def date_add(interval: Value, value: Value, moment: Value) -> Value:
    return each(lambda found: dates.written(dates.add(text(interval), whole(value), dates.read(found))), moment)


@function(
    "interval date1 date2",
    gettext_noop("How often a new year, month, week (Sunday), day, hour, minute or second began from date1 to date2."),
    'DateDiff("h", CDate("2021-08-24"), CDate("2021-08-25"))',
    "24",
)
def date_diff(interval: Value, date1: Value, date2: Value) -> Value:
    if is_empty(date1) or is_empty(date2):
        return None
    return dates.difference(text(interval), dates.read(text(date1)), dates.read(text(date2)))


@function(
    "value",
    gettext_noop("The date of a Windows file time, which counts 100 nanoseconds since 1601."),
    "DateFromNum(129699324000000000)",
    '"1/1/2012 11:00:00 PM"',
)
def date_from_num(value: Value) -> Value:
    return None if is_empty(value) else dates.written(dates.from_file_time(whole(value)))


@function(
    "value",
    gettext_noop("A date as Windows file time, which counts 100 nanoseconds since 1601."),
    'NumFromDate("2012-01-01T23:00:00Z")',
    "129699324000000000",
)
def num_from_date(value: Value) -> Value:
    return None if is_empty(value) else dates.file_time(dates.read(text(value)))


# --- Bare words and what is not there -------------------------------------------------------------


@dataclass(frozen=True)
class Keyword:
    name: str
    value: Value | Ignore
    summary: str


WORDS: dict[str, Keyword] = {
    word.name.lower(): word
    for word in [
        Keyword("vbBinaryCompare", "vbBinaryCompare", gettext_noop("InStr: upper and lower case are different.")),
        Keyword("vbTextCompare", "vbTextCompare", gettext_noop("InStr: upper and lower case are the same.")),
        Keyword("IgnoreAttributeFlow", IGNORE, gettext_noop("The attribute in AWS stays as it is.")),
    ]
}

# Names of Microsoft's list that cannot be used here, so that the error can say more than "unknown".
UNAVAILABLE = (
    "AppRoleAssignmentsComplex",
    "AssertiveAppRoleAssignmentsComplex",
    "FormatDateTime",
    "IgnoreObjectFlow",
    "Redact",
    "SelectUniqueValue",
    "SingleAppRoleAssignment",
)
