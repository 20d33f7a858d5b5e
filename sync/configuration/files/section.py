"""A JSON file while it is checked: typed values by name, and everything that is wrong with its place in the file."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


class FileProblem(NamedTuple):
    """What is wrong at which place of the file: path like `mappings.people[3].source`."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


class NotImported(Exception):
    """Nothing was changed; `problems` says why, all of it at once."""

    def __init__(self, problems: list[FileProblem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class Section:
    """One object of the file while it is read: hands out typed values, notes what is wrong and where."""

    def __init__(self, data: Mapping[str, Any], path: str, problems: list[FileProblem]) -> None:
        self.data, self.path, self.problems = dict(data), path, problems
        self.seen: set[str] = set()

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def wrong(self, key: str, reason: str) -> None:
        self.problems.append(FileProblem(self.at(key) if key else self.path, reason))

    def take(self, key: str, kind: type | tuple[type, ...], must: str) -> Any:
        """The value, or None when it is missing, null or of another type (which is noted)."""
        self.seen.add(key)
        value = self.data.get(key)
        # bool is an int in Python, but not in JSON.
        if value is None or (isinstance(value, kind) and not (kind is int and isinstance(value, bool))):
            return value
        self.wrong(key, must)
        return None

    def text(self, key: str, *, required: bool = False, strip: bool = True, most: int | None = None) -> str | None:
        """`most`: characters."""
        value = self.take(key, str, _("must be text in quotes"))
        if required and not value and self.at(key) not in {problem.path for problem in self.problems}:
            self.wrong(key, _("is required"))
        if value is not None and most is not None and len(value) > most:
            self.wrong(key, _("must have at most %(n)d characters") % {"n": most})
            return None
        return str(value).strip() if value is not None and strip else value

    def number(self, key: str) -> int | None:
        value: int | None = self.take(key, int, _("must be a whole number"))
        return value

    def flag(self, key: str) -> bool | None:
        value: bool | None = self.take(key, bool, _("must be true or false"))
        return value

    def day(self, key: str) -> date | None:
        text = self.text(key)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self.wrong(key, _("must be a date like 2026-11-23"))
            return None

    def one_of(self, key: str, allowed: Iterable[str]) -> str | None:
        value, choices = self.text(key), list(allowed)
        if value is None or value in choices:
            return value
        words = {"value": value, "all": ", ".join(choices)}
        self.wrong(key, _("is “%(value)s”; must be one of: %(all)s") % words)
        return None

    def texts(self, key: str) -> list[str] | None:
        values: list[Any] | None = self.take(key, list, _("must be a list in [ ]"))
        if values is not None and not all(isinstance(value, str) for value in values):
            self.wrong(key, _("must be a list of texts in quotes"))
            return None
        return values

    def section(self, key: str) -> "Section | None":
        value = self.take(key, dict, _("must be an object in { }"))
        return None if value is None else Section(value, self.at(key), self.problems)

    def rows(self, key: str, most: int | None = None) -> "list[Section] | None":
        """The objects of a list; `most`: how many it may hold."""
        values = self.take(key, list, _("must be a list in [ ]"))
        if values is None:
            return None
        if most is not None and len(values) > most:
            self.wrong(key, _("holds %(count)d; at most %(most)d are possible") % {"count": len(values), "most": most})
            return None
        good = [(n, value) for n, value in enumerate(values) if isinstance(value, dict)]
        for n in sorted(set(range(len(values))) - {n for n, _value in good}):
            self.wrong(f"{key}[{n}]", _("must be an object in { }"))
        return [Section(value, self.at(f"{key}[{n}]"), self.problems) for n, value in good]

    def finish(self) -> None:
        known = ", ".join(sorted(self.seen))
        for key in sorted(self.data.keys() - self.seen):
            self.wrong(key, _("is not known; this place takes: %(keys)s") % {"keys": known})

    def check(self, key: str, value: str, validator: Callable[[str], None]) -> None:
        """A validator of Django's on a value that is not empty."""
        if not value:
            return
        try:
            validator(value)
        except ValidationError as error:
            self.wrong(key, " ".join(error.messages))
