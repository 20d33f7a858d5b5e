"""A .NET pattern read part by part and written for RE2 (github.com/google/re2/wiki/Syntax).

What RE2 takes in another sense is written in its own terms; what it has not is refused, with place and reason.
Nothing is handed over as it stands. .NET: Microsoft, "Regular expression language - quick reference".
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sync.expressions.characters import CATEGORIES, Characters, character, shorthand
from sync.expressions.errors import gettext_noop

DEPTH = 50  # groups in groups
REPEATS = 1000  # RE2's own limit

LOOKAROUND = gettext_noop("%(part)s looks around without taking, which patterns here cannot do. Put it into a group.")
BACKREFERENCE = gettext_noop("%(part)s repeats what a group found, which patterns here cannot do.")
CONDITION = gettext_noop("%(part)s is a condition, which patterns here cannot have. Write the alternatives with |.")
ATOMIC = gettext_noop("%(part)s is an atomic group, which is not needed here: nothing is tried twice. Write (?:…).")
BALANCING = gettext_noop("%(part)s is a balancing group, which patterns here cannot have.")
BOUNDARY = gettext_noop(
    "%(part)s, the edge of a word, cannot be told for all letters. Write what stands there, such as ^, $, \\s or \\W."
)
CONTIGUOUS = gettext_noop("%(part)s, the end of the last match, is not available. Begin the pattern with ^.")
BLOCK = gettext_noop("%(part)s is not a category known here. Expected one such as L, Lu, Nd or P.")
ESCAPE = gettext_noop("%(part)s has no meaning in a .NET pattern.")
UNFINISHED = gettext_noop("The pattern ends within %(part)s.")
NOT_CLOSED = gettext_noop("This %(part)s is not closed.")
NOT_OPENED = gettext_noop("There is no ( for this ).")
NOTHING_TO_REPEAT = gettext_noop("%(part)s has nothing to repeat.")
REPEATED_TWICE = gettext_noop("%(part)s repeats what is repeated already. Put that into (?:…).")
TOO_OFTEN = gettext_noop("%(part)s repeats more than %(limit)d times.")
BACKWARDS = gettext_noop("%(part)s goes backwards.")
SET_IN_RANGE = gettext_noop("%(part)s cannot be the end of a range.")
POSIX = gettext_noop("%(part)s has no meaning in a .NET pattern. Write \\p{L}, \\d or \\w.")
SUBTRACTION_LAST = gettext_noop("A subtraction has to be the last thing in its brackets.")
SUBTRACTION_CASE = gettext_noop("A subtraction cannot be combined with the option i. Write both cases.")
UNKNOWN_GROUP = gettext_noop("%(part)s begins no group known in .NET.")
GROUP_NAME = gettext_noop("%(part)s is no name for a group: letters, digits and _, with a letter first.")
SURROGATE = gettext_noop("%(part)s is half a character. Write both halves, or the character itself.")
TOO_DEEP = gettext_noop("More than %(limit)d groups are inside each other.")
MIXED_LINES = gettext_noop(
    "%(part)s means the end of the text, but another part of the pattern looks at lines. Write \\z for the text."
)


# Parts of a .NET pattern that RE2 cannot do, as help pages list them.
NOT_IN_RE2 = (
    *("(?=…)", "(?!…)", "(?<=…)", "(?<!…)", "(?>…)", "(?(…)…)", "(?<a-b>…)"),
    *(r"\1", r"\k<name>", r"\b", r"\B", r"\G", r"\p{IsGreek}"),
)


class PatternError(Exception):
    """`at`: the offset in the pattern; `template` and `params` make the sentence."""

    def __init__(self, template: str, at: int, **params: str | int) -> None:
        self.template = template
        self.at = at
        self.params = params
        super().__init__(template % params if params else template)


@dataclass(frozen=True)
class Translation:
    """`groups`: the names of RE2's groups from 1, "" for those without. `ends`: asks for the end before a last newline."""

    source: str
    groups: tuple[str, ...]
    ends: bool


def translated(pattern: str) -> Translation:
    """Raises PatternError."""
    reader = Reader(pattern)
    written = reader.alternatives()
    if reader.more:
        raise PatternError(NOT_OPENED, reader.at)
    if reader.text_end is not None and reader.by_line:
        part = r"\Z" if pattern[reader.text_end] == "\\" else "$"
        raise PatternError(MIXED_LINES, reader.text_end, part=part)
    return Translation(written, tuple(reader.groups), reader.text_end is not None)


QUANTIFIER = re.compile(r"[*+?]|\{(\d{1,9})(?:(,)(\d{1,9})?)?\}", re.ASCII)
NAME = re.compile(r"[^\W\d]\w*")
OPTIONS = re.compile(r"\(\?(?P<on>[imnsx]*)(?:-(?P<off>[imnsx]*))?(?P<end>[:)])", re.IGNORECASE)
SIMPLE = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "a": 7, "e": 27}
HEX = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})")
REFUSED_GROUPS = {
    "(?=": LOOKAROUND,
    "(?!": LOOKAROUND,
    "(?<=": LOOKAROUND,
    "(?<!": LOOKAROUND,
    "(?>": ATOMIC,
    "(?(": CONDITION,
}


class Reader:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.depth = 0
        self.options: frozenset[str] = frozenset()
        self.groups: list[str] = []
        self.text_end: int | None = None  # where `$` or `\Z` stands
        self.by_line = False  # whether `^` or `$` mean lines

    @property
    def more(self) -> bool:
        return self.at < len(self.pattern)

    def sees(self, text: str) -> bool:
        return self.pattern.startswith(text, self.at)

    def take(self) -> str:
        self.at += 1
        return self.pattern[self.at - 1]

    def refused(self, template: str, at: int, length: int = 0, **params: int) -> PatternError:
        part = self.pattern[at : at + length] if length else self.pattern[at : max(self.at, at + 1)]
        return PatternError(template, at, part=part[:20], **params)

    # Alternatives, repetition

    def alternatives(self) -> str:
        """Up to a closing parenthesis or the end. Options set within hold to the end of the group."""
        outside, written = self.options, []
        while self.more and not self.sees(")"):
            written.append(self.take() if self.sees("|") else self.repeated())
        self.options = outside
        return "".join(written)

    def repeated(self) -> str:
        if self.skipped():
            return ""
        start = self.at
        if QUANTIFIER.match(self.pattern, start):
            raise self.refused(NOTHING_TO_REPEAT, start, 1)
        written = self.atom()
        while self.more and self.skipped():
            pass
        return written + self.quantifier(written)

    def skipped(self) -> bool:
        """Comments, and with the option x blanks."""
        comment = self.sees("(?#") or ("x" in self.options and self.sees("#"))
        if comment:
            end = self.pattern.find(")" if self.sees("(") else "\n", self.at)
            if end < 0 and self.sees("("):
                raise self.refused(NOT_CLOSED, self.at, 3)
            self.at = len(self.pattern) if end < 0 else end + 1
        elif "x" in self.options and self.pattern[self.at] in " \t\n\r\f\v":
            self.at += 1
            return True
        return comment

    def quantifier(self, repeats: str) -> str:
        found = QUANTIFIER.match(self.pattern, self.at)
        if not found:
            return ""
        start, self.at = self.at, found.end()
        if not repeats:
            raise self.refused(NOTHING_TO_REPEAT, start)
        if max(int(found[1] or 0), int(found[3] or 0)) > REPEATS:
            raise self.refused(TOO_OFTEN, start, limit=REPEATS)
        if found[3] and int(found[3]) < int(found[1]):
            raise self.refused(BACKWARDS, start)
        lazy = self.take() if self.sees("?") else ""
        if again := QUANTIFIER.match(self.pattern, self.at):
            raise self.refused(REPEATED_TWICE, self.at, len(again[0]))
        return found[0] + lazy

    # One thing

    def atom(self) -> str:
        start = self.at
        if self.sees("("):
            return self.group()
        if self.sees("["):
            return self.cased(self.brackets().spelled())
        one = self.take()
        if one == "\\":
            return self.escaped(start)
        if one in "^$.":
            return self.sign(one, start)
        return self.literal(ord(one))

    def sign(self, one: str, start: int) -> str:
        lines = "m" in self.options
        if one == "^":
            self.by_line |= lines
            return "(?m:^)" if lines else r"\A"
        if one == "$":
            return self.end(start, lines=lines)
        return "(?s:.)" if "s" in self.options else Characters([(10, 10)], negated=True).spelled()

    def end(self, start: int, *, lines: bool) -> str:
        r"""`$` and `\Z` are true before a last newline too: `patterns` hides all others, so that (?m:$) is that."""
        if lines:
            self.by_line = True
        elif self.text_end is None:
            self.text_end = start
        return "(?m:$)"

    def literal(self, code: int) -> str:
        if 0xD800 <= code <= 0xDFFF:
            raise self.refused(SURROGATE, self.at - 1)
        if code == 10:
            return Characters([(10, 10)]).spelled()
        return self.cased(character(code))

    def cased(self, written: str) -> str:
        return f"(?i:{written})" if "i" in self.options else written

    # Groups

    def group(self) -> str:
        start = self.at
        for opening in sorted(REFUSED_GROUPS, key=len, reverse=True):
            if self.sees(opening):
                raise self.refused(REFUSED_GROUPS[opening], start, len(opening))
        if options := OPTIONS.match(self.pattern, start):
            return self.with_options(options)
        if not self.sees("(?"):
            self.at += 1
            return self.inside(start, "(?:" if "n" in self.options else self.captured(""))
        return self.inside(start, self.captured(self.name(start)))

    def with_options(self, found: re.Match[str]) -> str:
        """`(?i)` holds for the rest of the group, `(?i:…)` for what is inside."""
        start, self.at = self.at, found.end()
        outside = self.options
        self.options = (outside | set(found["on"].lower())) - set((found["off"] or "").lower())
        if found["end"] == ")":
            return ""
        written = self.inside(start, "(?:")
        self.options = outside
        return written

    def name(self, start: int) -> str:
        r"""`(?<name>` or `(?'name'`."""
        opening = self.pattern[start + 2 : start + 3]
        closing = {"<": ">", "'": "'"}.get(opening)
        if closing is None:
            raise self.refused(UNKNOWN_GROUP, start, 3)
        end = self.pattern.find(closing, start + 3)
        if end < 0:
            raise self.refused(NOT_CLOSED, start, 3)
        name, self.at = self.pattern[start + 3 : end], end + 1
        if "-" in name:
            raise self.refused(BALANCING, start)
        if not NAME.fullmatch(name):
            raise self.refused(GROUP_NAME, start + 3, max(len(name), 1))
        return name

    def captured(self, name: str) -> str:
        self.groups.append(name)
        return "("

    def inside(self, start: int, opening: str) -> str:
        self.depth += 1
        if self.depth > DEPTH:
            raise PatternError(TOO_DEEP, start, limit=DEPTH)
        written = self.alternatives()
        if not self.more:
            raise self.refused(NOT_CLOSED, start, 1)
        self.at += 1
        self.depth -= 1
        return f"{opening}{written})"

    # Escapes

    def escaped(self, start: int) -> str:
        if not self.more:
            raise self.refused(UNFINISHED, start, 1)
        one = self.pattern[self.at]
        if found := self.characters():
            return self.cased(found.spelled())
        anchors: dict[str, Callable[[], str]] = {
            "A": lambda: r"\A",
            "z": lambda: r"\z",
            "Z": lambda: self.end(start, lines=False),
        }
        if one in anchors:
            self.at += 1
            return anchors[one]()
        for letters, reason in (("bB", BOUNDARY), ("G", CONTIGUOUS), ("k123456789", BACKREFERENCE)):
            if one in letters:
                raise self.refused(reason, start, 2)
        return self.literal(self.code(start))

    def characters(self) -> Characters | None:
        r"""After a backslash: `\d`, `\W`, `\p{L}` and their like."""
        one = self.pattern[self.at]
        if one in "dDwWsS":
            self.at += 1
            return shorthand(one)
        return self.categories() if one in "pP" else None

    def categories(self) -> Characters:
        start = self.at - 1
        found = re.compile(r"([pP])\{([^}]*)\}").match(self.pattern, self.at)
        if not found or found[2] not in CATEGORIES:
            raise self.refused(BLOCK, start, len(found[0]) + 1 if found else 2)
        self.at = found.end()
        return Characters(names=[found[2]], negated=found[1] == "P")

    def code(self, start: int) -> int:
        """After a backslash: one character. `start` is where the backslash stands."""
        one = self.take()
        if one in SIMPLE:
            return SIMPLE[one]
        if found := HEX.match(self.pattern, self.at - 1):
            self.at = found.end()
            return self.paired(int(found[1] or found[2], 16), start)
        if one == "c" and self.more and "@" <= self.pattern[self.at].upper() <= "_":
            return ord(self.take().upper()) - 0x40
        if octal := re.compile(r"0[0-7]{0,2}").match(self.pattern, self.at - 1):
            self.at = octal.end()
            return int(octal[0], 8)
        if one.isalnum() or one == "_":
            raise self.refused(ESCAPE, start)
        return ord(one)

    def paired(self, code: int, start: int) -> int:
        r"""`\uD83D\uDE00` is one character here, two in .NET."""
        if not 0xD800 <= code <= 0xDFFF:
            return code
        low = re.compile(r"\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})").match(self.pattern, self.at)
        if code > 0xDBFF or low is None:
            raise self.refused(SURROGATE, start)
        self.at = low.end()
        return 0x10000 + ((code - 0xD800) << 10) + (int(low[1], 16) - 0xDC00)

    # Brackets

    def brackets(self) -> Characters:
        start = self.at
        self.at += 1
        found = Characters(negated=self.sees("^"))
        self.at += found.negated
        first = True
        while first or not self.sees("]"):
            if not self.more:
                raise self.refused(NOT_CLOSED, start, 1)
            if self.sees("-[") and not first:
                self.subtraction(found)
                break
            self.member(found)
            first = False
        if not self.more:
            raise self.refused(NOT_CLOSED, start, 1)
        self.at += 1
        return found

    def subtraction(self, found: Characters) -> None:
        start = self.at
        if "i" in self.options:
            raise self.refused(SUBTRACTION_CASE, start, 2)
        self.at += 1
        self.depth += 1
        if self.depth > DEPTH:
            raise PatternError(TOO_DEEP, start, limit=DEPTH)
        found.minus = self.brackets()
        self.depth -= 1
        if self.more and not self.sees("]"):
            raise PatternError(SUBTRACTION_LAST, start)

    def member(self, found: Characters) -> None:
        start = self.at
        low = self.bracketed()
        if isinstance(low, Characters):
            add(found, low)
            return
        high = low
        if self.sees("-") and self.pattern[self.at + 1 : self.at + 2] not in ("]", "[", ""):
            self.at += 1
            end = self.bracketed()
            if isinstance(end, Characters):
                raise self.refused(SET_IN_RANGE, start)
            high = end
        if high < low:
            raise self.refused(BACKWARDS, start)
        found.ranges.append((low, high))

    def bracketed(self) -> int | Characters:
        start, one = self.at, self.take()
        if one == "[" and self.sees(":"):
            raise self.refused(POSIX, start, 2)
        if one != "\\":
            return self.whole(ord(one), start)
        if not self.more:
            raise self.refused(UNFINISHED, start, 1)
        if found := self.characters():
            return found
        if self.sees("b"):
            self.at += 1
            return 8
        return self.code(start)

    def whole(self, code: int, start: int) -> int:
        if 0xD800 <= code <= 0xDFFF:
            raise self.refused(SURROGATE, start)
        return code


def add(found: Characters, more: Characters) -> None:
    """Into a union; a complement stays a set of its own."""
    if more.negated:
        found.others.append(more)
    else:
        found.ranges += more.ranges
        found.names += more.names
