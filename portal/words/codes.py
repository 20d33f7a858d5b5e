"""Every code that the product can print, with what it means: read from the tables that say it where it is met."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sync.connection.checks.outcomes import OUTCOMES
from sync.problems.catalogue import PROBLEMS, SCOPE_HELP, SCOPE_REASONS
from sync.rules import filter_checks, messages

FACT = re.compile(r"%\((\w+)\)[sd]")


class Area(TextChoices):
    """Where a code is met. One code may have a meaning in more than one of them."""

    PROBLEM = "problem", _("Runs, people and logs")
    CHECK = "check", _("Test connection")
    MAPPING = "mapping", _("Mappings")
    FILTER = "filter", _("Scoping filters")
    SCOPE = "scope", _("Scope")


@dataclass(frozen=True, slots=True)
class Entry:
    """One meaning of a code: what happened, why, and what to do in order."""

    code: str
    area: Area
    title: str
    meaning: str
    steps: tuple[str, ...]

    def matches(self, text: str) -> bool:
        """All words of the text, in any order."""
        whole = " ".join((self.code, self.title, self.meaning, *self.steps)).casefold()
        return all(word in whole for word in text.casefold().split())


def entries(*, answered: bool = False) -> list[Entry]:
    """`answered`: AWS refused something; otherwise it may only be foreseen by its rules."""
    return [*_problems(answered), *_checks(), *_mappings(), *_filters(), *_scope()]


def entries_of(code: str, *, answered: bool = False) -> list[Entry]:
    return [entry for entry in entries(answered=answered) if entry.code == code]


def _problems(answered: bool) -> Iterator[Entry]:
    for code, words in PROBLEMS.items():
        yield _entry(code, Area.PROBLEM, words.title, words.told(answered=answered), [words.remedy])


def _checks() -> Iterator[Entry]:
    for code, words in OUTCOMES.items():
        yield _entry(code, Area.CHECK, words.title, words.meaning, words.steps)


def _mappings() -> Iterator[Entry]:
    for code, sentence in messages.MESSAGES.items():
        yield _of_form(code, Area.MAPPING, sentence)


def _filters() -> Iterator[Entry]:
    for code, sentence in filter_checks.MESSAGES.items():
        yield _of_form(code, Area.FILTER, sentence)


def _scope() -> Iterator[Entry]:
    for code, words in SCOPE_HELP.items():
        yield _entry(code, Area.SCOPE, SCOPE_REASONS[code], words.meaning, [words.remedy] if words.remedy else [])


def _of_form(code: str, area: Area, sentence: str) -> Entry:
    """What stands at a field is one text: its first sentence says what is wrong, the rest why and what to do."""
    title, _dot, rest = gettext(sentence).partition(". ")
    return _entry(code, area, title, rest, [])


def _entry(
    code: str, area: Area, title: str | Promise, meaning: str | Promise, steps: Iterable[str | Promise]
) -> Entry:
    return Entry(code, area, without_facts(title), without_facts(meaning), tuple(map(without_facts, steps)))


def without_facts(sentence: str | Promise) -> str:
    """Each fact by its name, in brackets: here nobody fills it."""
    return FACT.sub(lambda found: f"‹{found[1].replace('_', ' ')}›", str(sentence)).replace("%%", "%")
