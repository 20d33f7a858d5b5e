"""What becomes of somebody who leaves, by the mapping of `active`. Pure: no Django, no database.

A leaver is disabled where that mapping gives false for the person's own properties in their state of then. Microsoft
leaves it to the mapping as well (How provisioning works, deprovisioning): without one, nothing is sent.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from sync.expressions.tree import NumberNode, Text, walk
from sync.expressions.values import Value
from sync.rules import mapping
from sync.rules.entra_attributes import SourceAttribute
from sync.rules.mapping import NO_CONTEXT, CompiledMapping, MappingContext, Trace
from sync.rules.rows import MappingProblem, MappingRow
from sync.rules.template import DEFAULT_USER_MAPPINGS

TARGET = "active"
# Disables in each of the three states.
DISABLING = next(row for row in DEFAULT_USER_MAPPINGS if row.target == TARGET)
# Made-up values of other attributes, in so many combinations.
MOST_PROBES = 1000


class Leaving(StrEnum):
    """How somebody leaves. DELETED: in Entra's recycle bin, or purged from it."""

    BLOCKED = "blocked"
    OUT_OF_SCOPE = "out-of-scope"
    DELETED = "deleted"


# IsSoftDeleted is true in all three (Microsoft, Customize attribute mappings). A deleted account cannot sign in.
GONE: Mapping[str, Value] = {"IsSoftDeleted": "True"}
STATES: Mapping[Leaving, Mapping[str, Value]] = {
    Leaving.BLOCKED: {**GONE, "accountEnabled": False},
    Leaving.OUT_OF_SCOPE: GONE,
    Leaving.DELETED: {**GONE, "accountEnabled": False},
}


def active_rule(rules: Iterable[CompiledMapping]) -> CompiledMapping | None:
    return next((rule for rule in rules if rule.row.target == TARGET), None)


def active_trace(
    rule: CompiledMapping, properties: Mapping[str, Any], how: Leaving, around: MappingContext = NO_CONTEXT
) -> Trace:
    """How a leaver's `active` gets its value."""
    return _traced(rule, mapping.inputs_of(rule, properties, around, present=False), how, around)


def _traced(rule: CompiledMapping, inputs: Mapping[str, Value], how: Leaving, around: MappingContext) -> Trace:
    state = STATES[how]
    now = {name: state.get(one.name, inputs[name]) for name, one in rule.inputs.items()}
    return mapping.trace_of_inputs(rule, now, creating=False, around=around)


def disables(trace: Trace) -> bool:
    """What is left untouched stays as AWS has it."""
    return trace.value is False and not trace.untouched


def staying(
    rule: CompiledMapping | None, properties: Mapping[str, Any], around: MappingContext = NO_CONTEXT
) -> tuple[Leaving, ...]:
    """How somebody in scope could leave and stay active in AWS."""
    if rule is None:
        return tuple(Leaving)
    return _staying(rule, mapping.inputs_of(rule, properties, around, present=False), around)


def _staying(rule: CompiledMapping, inputs: Mapping[str, Value], around: MappingContext) -> tuple[Leaving, ...]:
    return tuple(how for how in Leaving if not disables(_traced(rule, inputs, how, around)))


def leavers_problem(
    rows: Iterable[MappingRow], people: Iterable[Mapping[str, Any]] = (), around: MappingContext = NO_CONTEXT
) -> MappingProblem | None:
    """Who would stay active in AWS under these rows. `people`: of Microsoft Graph, to try them on beside made-up ones."""
    rule = active_rule(mapping.compile_mappings(row for row in rows if row.target == TARGET))
    if rule is None:
        return MappingProblem("leavers-stay")
    inputs = (mapping.inputs_of(rule, one, around, present=False) for one in people)
    found = {_staying(rule, one, around) for one in itertools.chain(_made_up(rule), inputs)}
    if found == {()}:
        return None
    if found == {tuple(Leaving)}:
        return MappingProblem("leavers-stay", field="source")
    if found == {(Leaving.OUT_OF_SCOPE,)}:
        return MappingProblem("unassigned-stay", field="source")
    return MappingProblem("some-leavers-stay", field="source")


def _made_up(rule: CompiledMapping) -> Iterator[Mapping[str, Value]]:
    """People for whom conditions on other attributes hold: with each value that the expression names."""
    others = {name: one for name, one in rule.inputs.items() if one.name not in ("accountEnabled", "IsSoftDeleted")}
    candidates = [_candidates(one, _named_values(rule)) for one in others.values()]
    usual = {name: True if one.name == "accountEnabled" else "False" for name, one in rule.inputs.items()}
    for values in itertools.islice(itertools.product(*candidates), MOST_PROBES):
        yield usual | dict(zip(others, values, strict=True))


def _named_values(rule: CompiledMapping) -> list[str]:
    if rule.expression is None:
        return []
    nodes = walk(rule.expression.root)
    return list(dict.fromkeys(str(node.value) for node in nodes if isinstance(node, Text | NumberNode)))


def _candidates(attribute: SourceAttribute, named: Sequence[str]) -> list[Value]:
    if attribute.type == "boolean":
        return [True, False, None]
    if attribute.type == "list":
        return [None, *([value] for value in named)]
    return [None, "?", *named]
