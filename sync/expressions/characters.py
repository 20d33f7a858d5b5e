"""Sets of characters in .NET's patterns, and how RE2 writes them.

Spelled by names of categories where RE2 can say it; worked out as ranges where it cannot (subtraction, `[\\W_]`).
"""

import sys
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

Range = tuple[int, int]
LAST = sys.maxunicode
NEWLINE = 0x0A
# A newline inside the text becomes this noncharacter where `$` has to tell it from the last one (see `patterns`).
INNER_NEWLINE = 0xFDD0
INNER = (INNER_NEWLINE, INNER_NEWLINE)

# C and Cn hold what is not assigned, which RE2 leaves out.
CATEGORIES = frozenset(
    (
        *("L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No"),
        *("P", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "S", "Sm", "Sc", "Sk", "So"),
        *("Z", "Zs", "Zl", "Zp", "Cc", "Cf", "Co"),
    )
)


@dataclass
class Characters:
    """`names` are general categories; `others` are sets that are not plain unions, such as the one of `\\W`."""

    ranges: list[Range] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    others: list["Characters"] = field(default_factory=list)
    negated: bool = False
    minus: "Characters | None" = None

    @property
    def plain(self) -> bool:
        return not self.others and self.minus is None

    def spelled(self) -> str:
        if not self.plain:
            return bracketed(spelled(self.members()), negated=False)
        inside = spelled(self.with_inner_newline()) + "".join(rf"\p{{{name}}}" for name in self.names)
        return bracketed(inside, negated=self.negated)

    def with_inner_newline(self) -> list[Range]:
        """What holds the newline holds its stand-in too. `Cc` is the only category with a newline in it."""
        holds = any(low <= NEWLINE <= high for low, high in self.ranges) or "Cc" in self.names
        return [*self.ranges, INNER] if holds else self.ranges

    def members(self) -> list[Range]:
        found = union([*self.ranges, *(one for name in self.names for one in category(name))])
        found = union([*found, *(one for other in self.others for one in other.members())])
        if self.negated:
            found = complement(found)
        if self.minus:
            found = complement(union([*complement(found), *self.minus.members()]))
        return [*found, INNER] if any(low <= NEWLINE <= high for low, high in found) else found


def spelled(ranges: Iterable[Range]) -> str:
    return "".join(character(low) if low == high else f"{character(low)}-{character(high)}" for low, high in ranges)


def bracketed(inside: str, *, negated: bool) -> str:
    if not inside:  # RE2 has no empty brackets: the set of nothing, and of everything
        inside, negated = r"\x{0}-\x{10FFFF}", not negated
    return f"[{'^' if negated else ''}{inside}]"


def character(code: int) -> str:
    found = chr(code)
    return found if found.isascii() and found.isalnum() else rf"\x{{{code:X}}}"


def union(ranges: Iterable[Range]) -> list[Range]:
    merged: list[Range] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return merged


def complement(ranges: Iterable[Range]) -> list[Range]:
    found, start = [], 0
    for low, high in union(ranges):
        if start < low:
            found.append((start, low - 1))
        start = high + 1
    return [*found, (start, LAST)] if start <= LAST else found


def category(name: str) -> list[Range]:
    """A general category, or all whose name begins with a letter."""
    return union(one for known, ranges in categories().items() if known.startswith(name) for one in ranges)


@lru_cache(1)
def categories() -> dict[str, list[Range]]:
    found: dict[str, list[Range]] = {}
    for name, low, high in runs():
        found.setdefault(name, []).append((low, high))
    return found


def runs() -> Iterator[tuple[str, int, int]]:
    start, current = 0, unicodedata.category("\0")
    for code in range(1, LAST + 1):
        name = unicodedata.category(chr(code))
        if name != current:
            yield current, start, code - 1
            start, current = code, name
    yield current, start, LAST


# .NET: \d is Nd, \w is L, Mn, Nd and Pc, \s is Z and the blanks among the controls
# (Microsoft, "Character classes in regular expressions"); RE2 knows their ASCII part only.
SHORTHANDS = {"d": (["Nd"], []), "w": (["L", "Mn", "Nd", "Pc"], []), "s": (["Z"], [(0x09, 0x0D), (0x85, 0x85)])}


def shorthand(letter: str) -> Characters:
    names, ranges = SHORTHANDS[letter.lower()]
    return Characters(list(ranges), list(names), negated=letter.isupper())
