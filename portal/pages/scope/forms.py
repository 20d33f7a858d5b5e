"""Scope filters: a card is a filter with its clauses, as it is saved or as somebody has just filled it in."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sync.configuration.editing import revision
from sync.models import ScopingFilter
from sync.rules import filter_checks, filters
from sync.rules.filter_checks import FilterProblem
from sync.rules.filters import Clause, Filter
from sync.rules.rows import ObjectType

NEW = "new"
# What is posted beyond the rows that a filter may have is not looked at.
MOST_ROWS = filters.MOST_CLAUSES + 1


class ScopeForm(forms.Form):
    """The two switches beside the filters."""

    people = forms.ChoiceField(
        label=gettext_lazy("Who is asked"),
        choices=[
            ("assigned", gettext_lazy("People who are assigned, themselves or by a group")),
            ("all", gettext_lazy("All people in the directory")),
        ],
        widget=forms.RadioSelect,
    )
    leave_out_guests = forms.BooleanField(
        label=gettext_lazy("Leave out guests"),
        required=False,
        help_text=gettext_lazy(
            "People who were invited from other directories stay outside, even when they are assigned."
        ),
    )

    def settings(self) -> dict[str, Any]:
        """As the configuration names them."""
        data = self.cleaned_data
        return {"everybody": data["people"] == "all", "leave_out_guests": data["leave_out_guests"]}


class ClauseForm(forms.Form):
    """One row of a card. sync/rules/filter_checks.py decides what is wrong with it."""

    attribute = forms.CharField(label=gettext_lazy("Attribute"), required=False, max_length=200)
    operator = forms.CharField(label=gettext_lazy("Comparison"), required=False, max_length=40)
    value = forms.CharField(label=gettext_lazy("Value"), required=False, strip=False, max_length=10_000)
    ignore_case = forms.BooleanField(label=gettext_lazy("Ignore upper and lower case"), required=False)

    def __init__(self, *args: Any, object_type: ObjectType, **options: Any) -> None:
        super().__init__(*args, **options)
        self.object_type = object_type

    def clause(self) -> Clause:
        """What is typed in the row, whether right or wrong."""
        texts = {name: str(self[name].value() or "") for name in ("attribute", "operator", "value")}
        known = filters.operator_named(texts["operator"])
        value = "" if known and known.takes == "nothing" else texts["value"]
        ignore_case = bool(self["ignore_case"].value()) and (known is None or known.cased)
        return Clause(texts["attribute"].strip(), known.name if known else texts["operator"], value, ignore_case)

    def add_problem(self, problem: FilterProblem) -> None:
        """At the input that it is about."""
        self.is_valid()
        if problem.field not in self.errors:
            self.add_error(problem.field or None, problem.sentence(_))


# In the order of a list to choose from: texts, true or false, empty or not, numbers.
CHOICES: Sequence[tuple[Any, Sequence[str]]] = (
    (
        gettext_lazy("Text"),
        ("EQUALS", "NOT EQUALS", "Includes", "ENDS_WITH", "REGEX MATCH", "NOT REGEX MATCH", "&", "!&"),
    ),
    (gettext_lazy("True or false"), ("IS TRUE", "IS FALSE")),
    (gettext_lazy("Empty or not"), ("IS NULL", "IS NOT NULL")),
    (gettext_lazy("Whole number"), ("GREATER_THAN", "GREATER_THAN_OR_EQUALS")),
)


def operator_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """In plain words, with Entra's own name."""
    return [
        (str(group), [(name, f"{_(filters.OPERATORS[name].words)} ({name})") for name in names])
        for group, names in CHOICES
    ]


class TitleForm(forms.Form):
    title = forms.CharField(label=gettext_lazy("Filter"), required=False, max_length=200)


class Card:
    """One filter as the page shows it. `key`: its uid, or NEW; `seen`: the revision that the page showed."""

    def __init__(
        self,
        key: str,
        object_type: ObjectType,
        title: TitleForm,
        rows: Sequence[ClauseForm],
        seen: str = "",
    ) -> None:
        self.key = key
        self.object_type = object_type
        self.title = title
        self.rows = list(rows)
        self.seen = seen

    @property
    def uid(self) -> str:
        return "" if self.key == NEW else self.key

    @classmethod
    def of(cls, row: ScopingFilter, object_type: ObjectType) -> "Card":
        return cls.filled(row.uid, object_type, row.rule(), revision(row))

    @classmethod
    def filled(cls, key: str, object_type: ObjectType, one: Filter, seen: str = "") -> "Card":
        rows = [
            ClauseForm(initial=clause.row(), prefix=f"{key}-{n}", object_type=object_type)
            for n, clause in enumerate(one.clauses)
        ]
        return cls(key, object_type, TitleForm(initial={"title": one.title}, prefix=key), rows, seen)

    @classmethod
    def posted(cls, key: str, object_type: ObjectType, data: QueryDict) -> "Card":
        numbers = [n for n in range(MOST_ROWS) if f"{key}-{n}-attribute" in data]
        rows = [ClauseForm(data, prefix=f"{key}-{n}", object_type=object_type) for n in numbers]
        return cls(key, object_type, TitleForm(data, prefix=key), rows, data.get(f"{key}-seen", ""))

    def filter(self) -> Filter:
        title = str(self.title["title"].value() or "").strip()
        return Filter(title, tuple(row.clause() for row in self.rows), self.uid)

    def check(self) -> bool:
        """Whether it can be saved; otherwise every problem is shown at its field."""
        for problem in filter_checks.check_filter(self.filter(), self.object_type):
            if problem.index is not None:
                self.rows[problem.index].add_problem(problem)
            else:
                self.title.add_error(problem.field or None, problem.sentence(_))
        self.title.is_valid()
        return not self.title.errors and not any(row.errors for row in self.rows)

    @property
    def problems(self) -> list[tuple[str, str]]:
        """(id of the input, what is wrong) for the summary."""
        forms_of_it: Iterable[forms.Form] = (self.title, *self.rows)
        return [
            (form[name].auto_id if name in form.fields else "", str(error))
            for form in forms_of_it
            if form.is_bound
            for name, errors in form.errors.items()
            for error in errors
        ]

    def with_clauses(self, clauses: Sequence[Clause]) -> "Card":
        """The same card with other clauses."""
        one = self.filter()
        return Card.filled(self.key, self.object_type, Filter(one.title, tuple(clauses), one.uid), self.seen)

    def anew(self, key: str, seen: str) -> "Card":
        """The same entries under another key, as if `seen` had been shown."""
        return Card.filled(key, self.object_type, self.filter(), seen)


def cards_posted(data: QueryDict, object_type: ObjectType) -> list[Card]:
    """All cards of the page, in its order."""
    keys = [key for key in dict.fromkeys(data.getlist("card")) if key == NEW or key.isalnum()]
    return [Card.posted(key, object_type, data) for key in keys]
