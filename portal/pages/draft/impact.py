"""An impact preview in words: tabs, rows, patterns of change, checks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.access.request import HttpRequest, whole_number
from portal.frame.paging import Pager, query_with
from portal.words import aws_fields
from portal.words.changes import Because
from portal.words.operations import field_changes
from sync.models import DirectoryUser, Operation, Result, Run, Tenant
from sync.preview.queries.previews import (
    KEEPABLE,
    people_changed,
    planned,
    planned_pattern,
    planned_people,
    split_causes,
    staying_people,
)
from sync.problems.catalogue import PROBLEMS, SCOPE_REASONS

Words = str | Promise
Shown = TypeVar("Shown", Operation, DirectoryUser)
PAGE = 50
# More than this is not paged through: the export has it.
MOST_CHANGES = 5000
FIRST = 500
WRITING = ("people", "groups", "memberships", "removals", "finish", "compare")

NOT_PUBLISHED: Mapping[str, Words] = {
    "nothing-changed": gettext_lazy("Everything is published already. There is nothing to publish."),
    "no-preview": gettext_lazy("This preview is not one of the draft. Preview again."),
    "stale": gettext_lazy("The draft changed after this preview, or it is older than 60 minutes. Preview again."),
    "blocked": gettext_lazy("Something would go wrong because of this draft. See the checks marked in red."),
    "not-seen": gettext_lazy("Tick what you have seen before you publish."),
}
PATTERNS: Mapping[str, Words] = {
    "filled": gettext_lazy("Was empty, gets a value"),
    "emptied": gettext_lazy("Becomes empty"),
    "trimmed": gettext_lazy("Spaces at the ends removed"),
    "spaces": gettext_lazy("Spaces changed"),
    "case": gettext_lazy("Upper and lower case changed"),
    "other": gettext_lazy("Another value"),
}


@dataclass(frozen=True, slots=True)
class Tab:
    key: str
    label: Words
    count: int
    note: Words = ""


LOSE = gettext_lazy("New sign-in stops at once. Sessions already open can last up to 13 hours in AWS accounts.")
DELETED = gettext_lazy("Deleted people come back as new users. Their account assignments in AWS point at the old id.")
REFUSED = gettext_lazy("Nothing would be sent for them.")
NOT_THE_DRAFT = gettext_lazy("Nothing in the draft: it is so under the published version too")
STAY = gettext_lazy("They have access to AWS and keep it; nothing of them would be written.")


def tabs(found: Run) -> list[Tab]:
    people, members = found.impact["people"], found.impact["members"]
    memberships = members["add"] + members["remove"]
    last = [Tab("refused", _("Cannot be written"), people["refused"], REFUSED)] if people["refused"] else []
    return [
        Tab("lose", _("People who lose access"), people["lose"], LOSE),
        Tab("updated", _("Updated"), people["updated"]),
        Tab("created", _("Created"), people["created"]),
        Tab("deleted", _("Deleted"), people["deleted"], DELETED),
        Tab("groups", _("Groups and members"), found.impact["groups"] + memberships),
        *last,
        Tab("stay", _("Stay as they are"), people["stay"], STAY),
    ]


# The gravest first: what somebody sees without choosing.
GRAVEST = ("deleted", "lose", "refused", "created", "updated", "groups")


def chosen_tab(found: Sequence[Tab], wish: str) -> Tab:
    by_key = {tab.key: tab for tab in found}
    if wish in by_key:
        return by_key[wish]
    return next((by_key[key] for key in GRAVEST if key in by_key and by_key[key].count), found[0])


def people_who_stay(found: Run) -> QuerySet[DirectoryUser]:
    return staying_people(found).order_by("display_name", "pk")


def rows_of(found: Run, tab: str, field: str = "", pattern: str = "") -> QuerySet[Operation]:
    return _rows_of(found, tab, field, pattern).order_by("display_name", "pk")


def _rows_of(found: Run, tab: str, field: str, pattern: str) -> QuerySet[Operation]:
    if tab == "refused":
        return found.operations.filter(result__in=(Result.FAILED, Result.SKIPPED))
    if tab == "groups":
        return planned(found).exclude(object_type="user")
    if field and pattern in PATTERNS:
        return planned_pattern(found, field, pattern)
    return planned_people(found, tab)


@dataclass(frozen=True, slots=True)
class Page(Generic[Shown]):
    """`first` and `last` count from one; `beyond`: rows that no page shows."""

    rows: list[Shown]
    number: int
    total: int
    pages: int
    beyond: int

    @property
    def first(self) -> int:
        return (self.number - 1) * PAGE + 1

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1

    def pager(self, request: HttpRequest) -> Pager:
        previous = query_with(request, page=self.number - 1) if self.number > 1 else ""
        following = query_with(request, page=self.number + 1) if self.number < self.pages else ""
        return Pager.numbered(previous, following, (self.first, self.last, self.total))


def impact_rows(rows: QuerySet[Shown], wish: str) -> Page[Shown]:
    total = rows.count()
    shown = FIRST if total > MOST_CHANGES else total
    pages = max(1, -(-shown // PAGE))
    number = min(max(1, whole_number(wish) or 1), pages)
    first = (number - 1) * PAGE
    return Page(list(rows[first : min(first + PAGE, shown)]), number, total, pages, total - shown)


@dataclass(frozen=True, slots=True)
class Row:
    """`changes`: fields with before, after and because; `keep`: an edit of the draft would keep this person;
    `why_not`: why none would."""

    operation: Operation
    because: list[dict[str, str]]
    changes: list[dict[str, Any]]
    keep: bool
    why_not: Words
    problem: Words


def impact_row(tenant: Tenant, one: Operation, because: Because) -> Row:
    _keys, reasons = split_causes(one.causes)
    reason = reasons[0] if reasons else ""
    changes = [
        change
        | {"field": aws_fields.short_path(change["field"]), "because": because.of(one.causes, unit=change["field"])}
        for change in field_changes(one.changes)
    ]
    problem = PROBLEMS[one.problem].title if one.problem in PROBLEMS else ""
    return Row(
        operation=one,
        because=because.of(one.causes, otherwise=NOT_THE_DRAFT) if problem else because.of(one.causes),
        changes=changes,
        keep=reason in KEEPABLE,
        why_not=SCOPE_REASONS.get(reason, "") if reason not in KEEPABLE else "",
        problem=problem,
    )


SEGMENTS = ("created", "updated", "lose", "deleted")


def segments(found: Run) -> list[dict[str, Any]]:
    """Shares of those who change, for the bar: x and width of 1000."""
    people, total = found.impact["people"], people_changed(found)
    at, drawn = 0.0, []
    for key in SEGMENTS:
        width = 1000 * people[key] / total if total else 0
        drawn.append({"key": key, "x": round(at), "width": max(2, round(width) - 3) if width else 0})
        at += width
    return drawn


def folds_of(found: Run, because: Because) -> list[dict[str, Any]]:
    """Updates by field and pattern."""
    return [
        {
            "unit": fold["unit"],
            "field": aws_fields.short_path(fold["unit"]),
            "pattern": fold["pattern"],
            "words": fold_words(fold),
            "n": fold["n"],
            "examples": fold["examples"],
            "rest": fold["n"] - len(fold["examples"]),
            "because": because.of(fold["causes"], unit=fold["unit"]),
        }
        for fold in found.impact["folds"]
    ]


def fold_words(fold: Mapping[str, Any]) -> str:
    same = fold["after"]
    if fold["pattern"] == "filled" and same is not None and fold["n"] > 1:
        return _('Empty becomes "%(value)s"') % {"value": same}
    if fold["pattern"] == "other" and same is not None and fold["n"] > 1:
        return _('All become "%(value)s"') % {"value": same}
    return str(PATTERNS[fold["pattern"]])


def phases_without_writing(rows: Iterable[dict[str, object]]) -> list[dict[str, object]]:
    return [row for row in rows if row["key"] not in WRITING]
