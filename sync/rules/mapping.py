"""Source object -> the value of each AWS attribute, with a trace of which rule gave which value.

Pure: no Django, no database. `compile_mappings` once per configuration, then `map_object` per object;
`check_mapping` says before a row is saved what would go wrong. Sentences stand in MESSAGES, for translation.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sync import expressions
from sync.expressions import IGNORE, IGNORE_OBJECT, Expression, ExpressionError, Result, Value
from sync.expressions.errors import Failure
from sync.expressions.values import is_empty, text
from sync.rules.aws_fields import (
    BOOLEANS,
)
from sync.rules.entra_attributes import SourceAttribute, source_attribute
from sync.rules.rows import GuestName, MappingProblem, MappingRow, expression_problem

# --- What AWS takes: read from the one table of its attributes (sync/scim/resource.py) ------------


# --- Where values come from -----------------------------------------------------------------------


# --- One object -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class CompiledMapping:
    """A row made ready: its expression parsed, its attributes found. `problem` when that failed."""

    row: MappingRow
    inputs: Mapping[str, SourceAttribute] = field(default_factory=dict)
    expression: Expression | None = None
    problem: MappingProblem | None = None

    @property
    def redacted(self) -> bool:
        return self.expression is not None and self.expression.redacted

    @property
    def unique(self) -> bool:
        return self.expression is not None and self.expression.unique


@dataclass(frozen=True)
class Trace:
    """How one attribute got its value. `inputs`: what was read, by the names in the row, as it came."""

    target: str
    source: str
    inputs: Mapping[str, Value]
    value: str | bool | None = None
    problem: MappingProblem | None = None
    from_default: bool = False
    untouched: bool = False
    # What counts as untouched is only the default that was written when the object was created.
    only_default: str | bool | None = None
    # Pages and logs do not show the value.
    redacted: bool = False


@dataclass(frozen=True)
class MappingContext:
    """What a rule sees beside the object. `taken`: whether somebody else in AWS has this value of this target."""

    now: datetime | None = None
    guest_user_name: GuestName = "invited"
    taken: Callable[[str, str], bool] = lambda _target, _value: False


NO_CONTEXT = MappingContext()


@dataclass(frozen=True)
class Mapped:
    """One object's result. `references` holds Entra object ids; the trace has one entry per row."""

    values: dict[str, str | bool]
    references: dict[str, str]
    trace: tuple[Trace, ...]

    @property
    def problems(self) -> tuple[Trace, ...]:
        return tuple(trace for trace in self.trace if trace.problem)

    @property
    def ignored(self) -> bool:
        """A rule says that nothing of this object is to be written."""
        return any(trace.problem and trace.problem.code == "object-ignored" for trace in self.trace)

    @property
    def untouched(self) -> tuple[Trace, ...]:
        """Targets to leave as they are in AWS; a value there is for whoever has none in AWS."""
        return tuple(trace for trace in self.trace if trace.untouched)


def compile_mappings(mappings: Iterable[MappingRow]) -> tuple[CompiledMapping, ...]:
    """Never raises: what is wrong with a row shows in the trace of every object."""
    return tuple(compiled(row) for row in mappings)


def compiled(row: MappingRow) -> CompiledMapping:
    if row.kind in ("constant", "none"):
        return CompiledMapping(row)
    try:
        expression = expressions.parse(row.source) if row.kind == "expression" else None
    except ExpressionError as error:
        return CompiledMapping(row, problem=expression_problem(error))
    names = expression.attributes if expression else (row.source,)
    found = {name: source_attribute(name) for name in names}
    missing = [name for name, attribute in found.items() if attribute is None]
    problem = MappingProblem("unknown-source", {"source": missing[0]}, "source") if missing else None
    return CompiledMapping(row, {name: one for name, one in found.items() if one}, expression, problem)


def map_object(
    compiled: Sequence[CompiledMapping],
    graph_object: Mapping[str, Any],
    *,
    present: bool,
    creating: bool,
    around: MappingContext = NO_CONTEXT,
) -> Mapped:
    """`graph_object`: properties as Microsoft Graph v1.0 names them; `manager` is an id or {"id": …}.

    `present`: in scope, not deleted and enabled. `creating`: defaults and create-only rows count.
    """
    trace = tuple(trace_of(rule, graph_object, present, creating, around) for rule in compiled)
    values: dict[str, str | bool] = {}
    references: dict[str, str] = {}
    for rule, one in zip(compiled, trace, strict=True):
        if rule.row.kind == "reference" and isinstance(one.value, str):
            references[one.target] = one.value
        elif one.value is not None:
            values[one.target] = one.value
    return Mapped(values, references, trace)


def trace_of(
    rule: CompiledMapping,
    graph_object: Mapping[str, Any],
    present: bool,
    creating: bool,
    around: MappingContext = NO_CONTEXT,
) -> Trace:
    inputs = inputs_of(rule, graph_object, around, present=present)
    return trace_of_inputs(rule, inputs, creating=creating, around=around)


def inputs_of(
    rule: CompiledMapping, graph_object: Mapping[str, Any], around: MappingContext, *, present: bool
) -> dict[str, Value]:
    return {name: read(one, graph_object, present, around.guest_user_name) for name, one in rule.inputs.items()}


def trace_of_inputs(
    rule: CompiledMapping, inputs: Mapping[str, Value], *, creating: bool, around: MappingContext
) -> Trace:
    row = rule.row
    trace = partial(Trace, row.target, row.source, inputs, redacted=rule.redacted)
    if rule.problem or (row.apply == "create" and not creating):
        return trace(problem=rule.problem, untouched=True)
    try:
        found = result(rule, inputs, around)
        if found is IGNORE_OBJECT:
            return trace(problem=MappingProblem("object-ignored", {}, "source"), untouched=True)
        value = None if found is IGNORE else fitting(row, found)
        default = fitting(row, row.default)
    except ExpressionError as error:
        return trace(problem=expression_problem(error), untouched=True)
    except Unfit as error:
        return trace(problem=error.problem, untouched=True)
    if row.kind == "none":
        return trace(value=default, from_default=default is not None, untouched=True)
    if value is not None or found is IGNORE:
        return trace(value=value, untouched=found is IGNORE)
    if default is not None and (creating or row.default_on_update):
        return trace(value=default, from_default=True)
    if row.when_empty == "keep":
        return trace(untouched=not creating)
    # A default was written when the object was created: an update must not take it away again.
    return trace(untouched=default is not None and not creating, only_default=default)


def result(rule: CompiledMapping, inputs: Mapping[str, Value], around: MappingContext) -> Result:
    if rule.expression:
        taken = partial(around.taken, rule.row.target)
        return expressions.evaluate(rule.expression, inputs, now=around.now, taken=taken)
    if rule.row.kind == "none":
        return None
    return rule.row.source if rule.row.kind == "constant" else inputs[rule.row.source]


class Unfit(Exception):
    def __init__(self, problem: MappingProblem) -> None:
        self.problem = problem
        super().__init__(problem.code)


def fitting(row: MappingRow, value: Value) -> str | bool | None:
    """As the target takes it; null, "" and [] become None (AWS refuses empty texts). Raises Unfit."""
    if is_empty(value) or row.target == "members":
        return None
    if row.target in BOOLEANS:
        return boolean(row, value)
    try:
        return text(value)
    except Failure as failure:
        raise Unfit(MappingProblem("several-values", {"target": row.target, **failure.params}, "source")) from failure


def boolean(row: MappingRow, value: Value) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in ("true", "false"):
        raise Unfit(MappingProblem("not-true-or-false", {"target": row.target, "value": str(value)[:80]}, "source"))
    return word == "true"


def read(
    attribute: SourceAttribute, graph_object: Mapping[str, Any], present: bool, guest_user_name: GuestName = "invited"
) -> Value:
    if attribute.name == "IsSoftDeleted":
        return "False" if present else "True"
    found: Any = graph_object
    for step in attribute.steps:
        found = inside(found, step)
    if attribute.name == "userPrincipalName" and isinstance(found, str):
        return guest_name(found, graph_object, guest_user_name) if is_invited(graph_object) else found
    return plain(found)


def is_invited(graph_object: Mapping[str, Any]) -> bool:
    name = graph_object.get("userPrincipalName")
    return graph_object.get("userType") == "Guest" or (isinstance(name, str) and "#EXT#" in name)


def guest_name(name: str, graph_object: Mapping[str, Any], source: GuestName) -> Value:
    """A guest without a mail has no name where the mail is to be the name: nothing else is put in its place."""
    if source == "mail":
        return plain(graph_object.get("mail"))
    return name if source == "original" else guest_address(name)


def inside(container: Any, step: str) -> Any:
    if isinstance(container, dict | Mapping):
        return container.get(step)
    if isinstance(container, list) and step.isdecimal():
        return container[int(step)] if int(step) < len(container) else None
    return None


def plain(found: Any) -> Value:
    """A value of the language from JSON; an object stands for its id."""
    if isinstance(found, dict):
        return plain(found.get("id"))
    if isinstance(found, list):
        return [str(one) for one in found if isinstance(one, str | int | float)]
    return found if isinstance(found, str | bool | int | float) else None


def guest_address(name: str) -> str:
    """`sam_contoso.com#EXT#@acme.onmicrosoft.com` -> `sam@contoso.com`, as Entra does for invited people.

    Domains have no underscore, so the last one stands for the @ (Microsoft, "How provisioning works": B2B).
    """
    before, mark, _tenant = name.partition("#EXT#")
    local, _underscore, domain = before.rpartition("_")
    return f"{local}@{domain}" if mark and local and domain else name


# --- Before a row is saved ------------------------------------------------------------------------
