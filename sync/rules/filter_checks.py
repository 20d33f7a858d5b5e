"""Whether a scoping filter may be saved."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from sync.expressions.dotnet import PatternError
from sync.expressions.errors import gettext_noop
from sync.expressions.patterns import compiled as compiled_pattern
from sync.rules import entra_attributes
from sync.rules.filters import (
    IGNORE_CASE,
    LONGEST_VALUE,
    MOST_CLAUSES,
    Clause,
    Filter,
    Operator,
    Translate,
    attribute_named,
    filterable,
    operator_named,
    pattern_of,
    whole_of,
)
from sync.rules.rows import ObjectType


@dataclass(frozen=True, slots=True)
class FilterProblem:
    """MESSAGES[code] with params, at a field of the filter or of its clause number `index` (0 first).

    `cause`: why a pattern cannot be read; its template is translated before it becomes `message`.
    """

    code: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    field: str = ""
    index: int | None = None
    cause: PatternError | None = None

    def sentence(self, translate: Translate = str) -> str:
        params = dict(self.params)
        if self.cause is not None:
            params["message"] = translate(self.cause.template) % self.cause.params
        return translate(MESSAGES[self.code]) % params


MESSAGES: dict[str, str] = {
    "no-title": gettext_noop("Enter a title. It says in logs why somebody is outside scope."),
    "no-clauses": gettext_noop("Add a clause. A filter without one lets nobody pass."),
    "too-many-clauses": gettext_noop("There are %(count)d clauses. Up to %(limit)d are possible."),
    "attribute-missing": gettext_noop("Choose the attribute to look at."),
    "unknown-attribute": gettext_noop(
        "Entra has no attribute “%(attribute)s” that can be read here. "
        "Choose one from the list; names of directory extensions begin with extension_."
    ),
    "several-values": gettext_noop("“%(attribute)s” can have several values. A filter looks at a single one."),
    "date": gettext_noop("“%(attribute)s” is a date. A filter cannot look at dates."),
    "reference": gettext_noop("“%(attribute)s” points to other objects. A filter cannot look at them."),
    "user-type": gettext_noop(
        "Entra does not filter by userType. To leave out guests, use the switch “Leave out guests”."
    ),
    "computed": gettext_noop("“%(attribute)s” follows from scope itself, so a filter cannot look at it."),
    "unknown-operator": gettext_noop("Choose how to compare."),
    "not-for-true-or-false": gettext_noop(
        "“%(attribute)s” is either true or false. Compare with “is true” or “is false”."
    ),
    "only-for-true-or-false": gettext_noop("“%(attribute)s” holds a text, so it is never true or false. Use “is”."),
    "value-missing": gettext_noop("Enter a value to compare with. For empty ones use “is empty”."),
    "number-expected": gettext_noop("Enter a whole number, 0 or more."),
    "too-long": gettext_noop("The value has %(length)d characters. Up to %(limit)d are possible."),
    "pattern": gettext_noop("Character %(position)d of the pattern: %(message)s"),
}


def check_filter(one: Filter, object_type: ObjectType = "user") -> list[FilterProblem]:
    problems = [] if one.title.strip() else [FilterProblem("no-title", field="title")]
    if not one.clauses:
        problems.append(FilterProblem("no-clauses"))
    if len(one.clauses) > MOST_CLAUSES:
        problems.append(FilterProblem("too-many-clauses", {"count": len(one.clauses), "limit": MOST_CLAUSES}))
    return [*problems, *check(one.clauses, object_type)]


def check(clauses: Iterable[Clause], object_type: ObjectType = "user") -> list[FilterProblem]:
    """What is wrong with the clauses; `index` tells which one."""
    return [problem for index, clause in enumerate(clauses) for problem in check_clause(clause, index, object_type)]


def check_clause(clause: Clause, index: int, object_type: ObjectType) -> list[FilterProblem]:
    operator = operator_named(clause.operator)
    problems = attribute_problems(clause, index, object_type)
    if operator is None:
        return [*problems, FilterProblem("unknown-operator", {}, "operator", index)]
    if not problems:
        problems = fitting_problems(clause, operator, index, object_type)
    return [*problems, *value_problems(clause, operator, index)]


def attribute_problems(clause: Clause, index: int, object_type: ObjectType) -> list[FilterProblem]:
    name = clause.attribute.strip()
    problem = partial(FilterProblem, field="attribute", index=index, params={"attribute": name})
    attribute = attribute_named(name, object_type)
    if attribute is None:
        return [problem("unknown-attribute" if name else "attribute-missing")]
    if filterable(attribute):
        return []
    codes = {"userType": "user-type", "IsSoftDeleted": "computed"}
    by_type = {"list": "several-values", "date": "date", "reference": "reference"}
    return [problem(codes.get(attribute.name) or by_type[attribute.type])]


def fitting_problems(clause: Clause, operator: Operator, index: int, object_type: ObjectType) -> list[FilterProblem]:
    """Whether the operator is for such an attribute; of a directory extension nobody knows the type beforehand."""
    attribute = attribute_named(clause.attribute, object_type)
    if (
        attribute is None
        or attribute.type in operator.of
        or entra_attributes.DIRECTORY_EXTENSION.fullmatch(attribute.name)
    ):
        return []
    code = "not-for-true-or-false" if attribute.type == "boolean" else "only-for-true-or-false"
    return [FilterProblem(code, {"attribute": clause.attribute}, "operator", index)]


def value_problems(clause: Clause, operator: Operator, index: int) -> list[FilterProblem]:
    problem = partial(FilterProblem, field="value", index=index)
    if operator.takes == "nothing":
        return []
    if not clause.value:
        return [problem("value-missing")]
    if len(clause.value) > LONGEST_VALUE:
        return [problem("too-long", params={"length": len(clause.value), "limit": LONGEST_VALUE})]
    if operator.takes == "number":
        return [] if whole_of(clause.value.strip()) is not None else [problem("number-expected")]
    return pattern_problems(clause, problem) if operator.takes == "pattern" else []


def pattern_problems(clause: Clause, problem: Callable[..., FilterProblem]) -> list[FilterProblem]:
    try:
        compiled_pattern(pattern_of(clause))
    except PatternError as error:
        place = error.at - (len(IGNORE_CASE) if clause.ignore_case else 0)
        return [problem("pattern", params={"position": max(0, place) + 1}, cause=error)]
    return []


# Pairs that take in what stands between them, and what is escaped.
SKIPPED = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|[()|]", re.DOTALL)


def anchored(pattern: str) -> bool:
    """Whether a pattern speaks of the whole text. Entra's own example, ([1-9][0-9]) for 10 to 99, needs that."""
    begins = re.match(r"(\(\?[a-z]+\))?(\^|\\A)", pattern) is not None
    ends = re.search(r"(?<!\\)(\\\\)*(\$|\\[zZ])$", pattern) is not None
    return begins and ends and not _alternatives(pattern)


def _alternatives(pattern: str) -> bool:
    """`^a|b$` is anchored at one end of each: a | outside of every parenthesis."""
    depth = 0
    for part in SKIPPED.findall(pattern):
        depth += {"(": 1, ")": -1}.get(part, 0)
        if part == "|" and depth == 0:
            return True
    return False


def unanchored(clause: Clause) -> bool:
    """A pattern that is looked for anywhere in the text, perhaps without meaning to."""
    operator = operator_named(clause.operator)
    return operator is not None and operator.takes == "pattern" and bool(clause.value) and not anchored(clause.value)
