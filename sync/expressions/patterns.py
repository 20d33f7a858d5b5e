"""Patterns that admins write, run by RE2: time grows with the text alone, whatever the pattern is.

Characters are whole ones (code points), as RE2 counts; .NET counts UTF-16 halves.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from sync.expressions.characters import INNER_NEWLINE
from sync.expressions.dotnet import PatternError, translated
from sync.expressions.errors import gettext_noop

TOO_LARGE = gettext_noop("The pattern is too large: it repeats or lists too much.")
MEMORY = 16 << 20  # of one pattern, at most
SIZE = 100_000  # instructions of the compiled pattern

Span = tuple[int, int]
Step = Callable[[int], None]


@lru_cache(128)
def compiled(source: str) -> "Pattern":
    """Raises PatternError. Kept: the same pattern runs for every object."""
    translation = translated(source)
    options = re2.Options()
    options.max_mem = MEMORY
    options.log_errors = False
    try:
        program = re2.compile(translation.source, options)
    except re2.error as error:
        raise PatternError(TOO_LARGE, 0) from error
    if program.programsize > SIZE:
        raise PatternError(TOO_LARGE, 0)
    return Pattern(program, translation.groups, translation.ends)


@dataclass(frozen=True)
class Pattern:
    program: Any
    groups: tuple[str, ...]  # names of RE2's groups from 1, "" for those without
    ends: bool

    def matches(self, text: str, step: Step) -> Iterator["PatternMatch"]:
        """From left to right; `step` is told what each costs."""
        seen = self.prepared(text)
        rest, weight = len(text), 64 + self.program.programsize
        step(1 + rest * weight // COST)
        for found in self.program.finditer(seen):
            yield PatternMatch(self, text, found.span(), found)
            step(1 + (rest - found.end()) * weight // COST)

    def is_in(self, text: str) -> bool:
        """Anywhere in the text, as Regex.IsMatch has it."""
        return self.program.search(self.prepared(text)) is not None

    def prepared(self, text: str) -> str:
        """Of the same length. Halves of characters cannot be written in UTF-8; the stand-in must stand for itself."""
        if self.ends and "\n" in text[:-1]:
            text = text[:-1].replace(INNER, "\ufdd1").replace("\n", INNER) + text[-1]
        return text if text.isascii() else text.translate(UNSEEN | ({} if self.ends else {INNER_NEWLINE: 0xFDD1}))

    @property
    def cost(self) -> int:
        """Steps of making it ready."""
        return 1 + int(self.program.programsize) // 64

    def numbers(self, name: str) -> list[int]:
        """RE2's numbers of a .NET group: those without a name come first, then each name in its order."""
        if not name.isdecimal():
            return [place for place, known in enumerate(self.groups, 1) if known == name]
        if int(name) == 0:
            return [0]
        unnamed = [[place] for place, known in enumerate(self.groups, 1) if not known]
        named = [self.numbers(known) for known in dict.fromkeys(filter(None, self.groups))]
        return ([*unnamed, *named][int(name) - 1 : int(name)] or [[]])[0]

    @property
    def last(self) -> str:
        """The number of the last group."""
        return str(self.groups.count("") + len({name for name in self.groups if name}))


INNER = chr(INNER_NEWLINE)
UNSEEN = dict.fromkeys(range(0xD800, 0xE000), 0xFFFD)
COST = 64_000


@dataclass(frozen=True)
class PatternMatch:
    pattern: Pattern
    text: str
    span: Span
    found: Any

    def span_of(self, name: str) -> Span | None:
        """Of the last capture, where a name stands for several groups; None when it took no part."""
        spans = [self.found.span(number) for number in self.pattern.numbers(name)]
        return max((span for span in spans if span[0] >= 0), key=lambda span: span[1], default=None)

    def group(self, name: str) -> str:
        span = self.span_of(name)
        return self.text[span[0] : span[1]] if span else ""


# --- Replacement (Microsoft, "Substitutions in regular expressions") -------------------------------

SUBSTITUTION = re2.compile(r"\$(?:(\$)|(&)|(`)|(')|(\+)|(_)|([0-9]{1,9})|\{(\w{1,100})\})")


def expanded(replacement: str, match: PatternMatch) -> str:
    """What is not a group of the pattern stays as it is written."""
    if "$" not in replacement:
        return replacement
    written, at = [], 0
    for found in SUBSTITUTION.finditer(replacement):
        written += [replacement[at : found.start()], substituted(found, match)]
        at = found.end()
    return "".join([*written, replacement[at:]])


def substituted(found: Any, match: PatternMatch) -> str:
    start, end = match.span
    name = found[7] or found[8]
    if name:
        return match.group(name) if match.pattern.numbers(name) else str(found[0])
    return {
        "$$": "$",
        "$&": match.text[start:end],
        "$`": match.text[:start],
        "$'": match.text[end:],
        "$+": match.group(match.pattern.last),
        "$_": match.text,
    }[found[0]]
