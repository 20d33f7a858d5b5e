"""Scoping filters: rules by which assigned people and groups pass. Pure: no Django, no database.

All clauses of a filter must hold; with several filters one is enough (Microsoft, "Scoping users or groups to be
provisioned with scoping filters"). `compiled` once per configuration, then `judge` per object; `check_filter` says
before a filter is saved what would go wrong. Sentences stand in MESSAGES, OPERATORS and `sentence`, for translation.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sync.expressions.dotnet import PatternError
from sync.expressions.errors import gettext_noop
from sync.expressions.patterns import compiled as compiled_pattern
from sync.expressions.values import Value, is_empty
from sync.rules import entra_attributes, mapping
from sync.rules.entra_attributes import SourceAttribute
from sync.rules.rows import ObjectType

Takes = Literal["nothing", "text", "number", "pattern"]
Translate = Callable[[str], str]
LONGEST_VALUE = 1024
MOST_CLAUSES = 50
# Ignoring case is said in the pattern itself; errors count from what the admin wrote.
IGNORE_CASE = "(?i)"


@dataclass(frozen=True, slots=True)
class Clause:
    """`attribute` by its portal or Graph name, `operator` a key of OPERATORS. Entra always looks at case."""

    attribute: str
    operator: str
    value: str = ""
    ignore_case: bool = False

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Clause":
        """From the JSON of a ScopingFilter."""
        attribute, operator, value = (str(row.get(name) or "") for name in ("attribute", "operator", "value"))
        return cls(attribute, operator, value, bool(row.get("ignore_case")))

    def row(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Filter:
    title: str
    clauses: tuple[Clause, ...]
    uid: str = ""

    @classmethod
    def of(cls, title: str, rows: Iterable[Mapping[str, Any]], uid: str = "") -> "Filter":
        return cls(title, tuple(Clause.of(row) for row in rows), uid)


# --- The operators --------------------------------------------------------------------------------

# What is true of a value that is not empty, beside the clause's own value as `operand` made it ready.
Test = Callable[[Value, Any], bool]


@dataclass(frozen=True, slots=True)
class Operator:
    """`words` follow the attribute in a sentence. `when_empty`: what holds of an attribute without a value."""

    name: str
    words: str
    takes: Takes
    test: Test
    of: tuple[str, ...] = ("text",)
    when_empty: bool = False
    # The value counts as text, so upper and lower case can be ignored.
    cased: bool = False


WHOLE = re.compile(r"[0-9]{1,18}")


def text_of(value: Value) -> str | None:
    """None where there are several values: a list is never compared."""
    if isinstance(value, bool):
        return "True" if value else "False"
    return None if value is None or isinstance(value, list) else str(value)


def whole_of(value: Value) -> int | None:
    """A whole number that is not negative, as Entra wants it; texts of digits count."""
    text = None if isinstance(value, bool) else text_of(value)
    return int(text) if text is not None and WHOLE.fullmatch(text) else None


def on_texts(test: Callable[[str, str], bool]) -> Test:
    def tested(value: Value, operand: Any) -> bool:
        text = text_of(value)
        return text is not None and test(text, operand)

    return tested


def on_numbers(test: Callable[[int, int], bool]) -> Test:
    def tested(value: Value, operand: Any) -> bool:
        number = whole_of(value)
        return number is not None and operand is not None and test(number, operand)

    return tested


def found(value: Value, pattern: Any) -> bool | None:
    """None where nothing can be said."""
    text = text_of(value)
    if text is None or pattern is None:
        return None
    return bool(pattern.is_in(text))


def shares(text: str, operand: str) -> bool:
    """Entra's `&`: the attribute exists in the given value. Of two whole numbers: they have a bit in common."""
    one, other = whole_of(text), whole_of(operand)
    return bool(one & other) if one is not None and other is not None else text in operand


OPERATORS: dict[str, Operator] = {
    one.name: one
    for one in (
        Operator("EQUALS", gettext_noop("is"), "text", on_texts(lambda a, b: a == b), cased=True),
        Operator("NOT EQUALS", gettext_noop("is not"), "text", on_texts(lambda a, b: a != b), cased=True),
        Operator("IS TRUE", gettext_noop("is true"), "nothing", lambda a, _b: a is True, ("boolean",)),
        Operator("IS FALSE", gettext_noop("is false"), "nothing", lambda a, _b: a is False, ("boolean",)),
        Operator(
            "IS NULL",
            gettext_noop("is empty"),
            "nothing",
            lambda _a, _b: False,
            ("text", "boolean"),
            when_empty=True,
        ),
        Operator("IS NOT NULL", gettext_noop("is not empty"), "nothing", lambda _a, _b: True, ("text", "boolean")),
        Operator(
            "REGEX MATCH", gettext_noop("matches pattern"), "pattern", lambda a, b: found(a, b) is True, cased=True
        ),
        Operator(
            "NOT REGEX MATCH",
            gettext_noop("does not match pattern"),
            "pattern",
            lambda a, b: found(a, b) is False,
            cased=True,
        ),
        Operator("GREATER_THAN", gettext_noop("is greater than"), "number", on_numbers(lambda a, b: a > b)),
        Operator("GREATER_THAN_OR_EQUALS", gettext_noop("is at least"), "number", on_numbers(lambda a, b: a >= b)),
        Operator("Includes", gettext_noop("contains"), "text", on_texts(lambda a, b: b in a), cased=True),
        Operator("ENDS_WITH", gettext_noop("ends with"), "text", on_texts(lambda a, b: a.endswith(b)), cased=True),
        Operator("&", gettext_noop("occurs in"), "text", on_texts(shares), cased=True),
        Operator("!&", gettext_noop("does not occur in"), "text", on_texts(lambda a, b: not shares(a, b)), cased=True),
    )
}


def _plainly(name: str) -> str:
    return re.sub(r"[\s_]+", " ", name).strip().upper()


OPERATORS_BY_NAME = {_plainly(name): operator for name, operator in OPERATORS.items()}


def operator_named(name: str) -> Operator | None:
    """As Entra writes it: its pages say Greater_Than, its schema GREATER_THAN, with spaces or underscores."""
    return OPERATORS_BY_NAME.get(_plainly(name))


# --- Attributes -----------------------------------------------------------------------------------

# Not to be filtered by in Entra (its known limitations), beside lists, dates and references.
NOT_FILTERABLE = ("userType", "IsSoftDeleted")


def attribute_named(name: str, object_type: ObjectType) -> SourceAttribute | None:
    return entra_attributes.source_attribute(name.strip(), object_type)


def filterable(attribute: SourceAttribute) -> bool:
    return attribute.type in ("text", "boolean") and attribute.name not in NOT_FILTERABLE


def attributes(object_type: ObjectType) -> list[SourceAttribute]:
    """What can be filtered by; directory extensions can be too, by their names."""
    return [one for one in entra_attributes.SOURCES[object_type] if filterable(one)]


def names_read(filters: Iterable[Filter]) -> list[str]:
    """Attribute names that the filters look at, each once."""
    return list(dict.fromkeys(clause.attribute for one in filters for clause in one.clauses))


# --- One object -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReadyClause:
    """A clause made ready. Without an operator or an attribute that are known it never holds."""

    clause: Clause
    attribute: SourceAttribute | None
    operator: Operator | None
    operand: Any = None

    def value(self, properties: Mapping[str, Any]) -> Value:
        """`properties`: as Microsoft Graph v1.0 names them."""
        return mapping.read(self.attribute, properties, True) if self.attribute else None

    def holds(self, value: Value) -> bool:
        if self.operator is None or self.attribute is None:
            return False
        if is_empty(value):
            return self.operator.when_empty
        return self.operator.test(self._folded(value), self.operand)

    def _folded(self, value: Value) -> Value:
        """Patterns ignore case by themselves."""
        folds = self.clause.ignore_case and self.operator is not None and self.operator.takes == "text"
        return value.casefold() if folds and isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class CompiledFilter:
    """A filter made ready."""

    filter: Filter
    rules: tuple[ReadyClause, ...]

    def passes(self, properties: Mapping[str, Any]) -> bool:
        """A filter without a clause says nothing: nobody passes by it."""
        return bool(self.rules) and all(rule.holds(rule.value(properties)) for rule in self.rules)


def compiled(filters: Iterable[Filter], object_type: ObjectType) -> tuple[CompiledFilter, ...]:
    """Never raises: a clause that cannot be understood does not hold."""
    return tuple(CompiledFilter(one, tuple(ready(clause, object_type) for clause in one.clauses)) for one in filters)


def ready(clause: Clause, object_type: ObjectType) -> ReadyClause:
    operator = operator_named(clause.operator)
    operand = operand_of(clause, operator) if operator else None
    return ReadyClause(clause, attribute_named(clause.attribute, object_type), operator, operand)


def operand_of(clause: Clause, operator: Operator) -> Any:
    """The clause's value as the operator takes it; None where it cannot be taken."""
    if operator.takes == "number":
        return whole_of(clause.value.strip())
    if operator.takes == "pattern":
        try:
            return compiled_pattern(pattern_of(clause))
        except PatternError:
            return None
    return clause.value.casefold() if clause.ignore_case else clause.value


def pattern_of(clause: Clause) -> str:
    return (IGNORE_CASE if clause.ignore_case else "") + clause.value


def passes(filters: Sequence[CompiledFilter], properties: Mapping[str, Any]) -> bool:
    """Without any filter everybody passes."""
    return not filters or any(one.passes(properties) for one in filters)


@dataclass(frozen=True, slots=True)
class ClauseFinding:
    """What a clause found: the value as Entra holds it, and whether the clause holds."""

    clause: Clause
    actual: Value
    passed: bool


@dataclass(frozen=True, slots=True)
class FilterVerdict:
    """One filter on one object, clause by clause."""

    filter: Filter
    findings: tuple[ClauseFinding, ...]

    @property
    def passed(self) -> bool:
        return bool(self.findings) and all(finding.passed for finding in self.findings)


def judge(filters: Sequence[CompiledFilter], properties: Mapping[str, Any]) -> list[FilterVerdict]:
    return [FilterVerdict(one.filter, tuple(finding_of(rule, properties) for rule in one.rules)) for one in filters]


def finding_of(rule: ReadyClause, properties: Mapping[str, Any]) -> ClauseFinding:
    value = rule.value(properties)
    return ClauseFinding(rule.clause, value, rule.holds(value))


# --- Before a filter is saved ---------------------------------------------------------------------


# --- In words -------------------------------------------------------------------------------------
