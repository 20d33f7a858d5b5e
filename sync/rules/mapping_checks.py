"""Whether a mapping row may be saved."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from sync import expressions
from sync.rules.aws_fields import (
    FILTERABLE,
    LENGTH,
    LENGTHS,
    REFERENCES,
    is_target,
    required_targets,
    same_list,
)
from sync.rules.entra_attributes import source_attribute
from sync.rules.rows import MappingProblem, MappingRow, expression_problem


def canonical(row: MappingRow) -> MappingRow:
    """As it is saved: the functions of an expression spelled as the language spells them."""
    if row.kind != "expression" or expressions.check(row.source):
        return row
    return replace(row, source=expressions.format(expressions.parse(row.source)))


def check_mapping(row: MappingRow, others: Iterable[MappingRow], object_type: str = "user") -> list[MappingProblem]:
    """What is wrong with a new or edited row beside the `others`. Not meant for the template's own rows."""
    others = list(others)
    return [
        *target_problems(row, others, object_type),
        *source_problems(row, object_type),
        *matching_problems(row, others, object_type),
        *length_problems(row),
    ]


def target_problems(row: MappingRow, others: Sequence[MappingRow], object_type: str) -> list[MappingProblem]:
    if not is_target(row.target, object_type):
        return [MappingProblem("unknown-target", {"target": row.target}, "target")]
    if any(other.target == row.target for other in others):
        return [MappingProblem("duplicate-target", {"target": row.target}, "target")]
    for other in others:
        if same_list(row.target, other.target):
            name = row.target.partition("[")[0]
            return [MappingProblem("one-list-value", {"list": name, "other": other.target}, "target")]
    return []


def source_problems(row: MappingRow, object_type: str) -> list[MappingProblem]:
    if row.kind == "none":
        return none_problems(row, object_type)
    if not row.source.strip():
        return [MappingProblem("source-empty", {}, "source")]
    if (row.kind == "reference") != (row.target in REFERENCES):
        return [reference_problem(row)]
    if row.kind == "expression":
        return expression_problems(row, object_type)
    return [] if row.kind == "constant" else attribute_problems(row, object_type)


def none_problems(row: MappingRow, object_type: str) -> list[MappingProblem]:
    """A field that AWS requires, or that is matched on, needs a source; a default alone is the same for everybody."""
    if row.target in required_targets(object_type) or row.matching is not None or row.target in REFERENCES:
        return [MappingProblem("source-needed", {"target": row.target}, "kind")]
    return []


def reference_problem(row: MappingRow) -> MappingProblem:
    if row.target in REFERENCES:
        source = "members" if row.target == "members" else "manager"
        return MappingProblem("reference-needed", {"target": row.target, "source": source}, "kind")
    return MappingProblem("not-a-reference", {"target": row.target}, "kind")


def attribute_problems(row: MappingRow, object_type: str) -> list[MappingProblem]:
    attribute = source_attribute(row.source, object_type)
    if attribute is None:
        return [MappingProblem("unknown-source", {"source": row.source}, "source")]
    if attribute.type == "list":
        return [MappingProblem("several-values-source", {"source": row.source}, "source")]
    if (attribute.type == "reference") != (row.kind == "reference"):
        return [reference_problem(row)]
    return []


def held_by(name: str, object_type: str) -> expressions.AttributeKind:
    """What can be said of an attribute's values; extension attributes are filled as everybody likes."""
    attribute = source_attribute(name, object_type)
    if attribute is None or attribute.name.startswith("extension"):
        return "anything"
    return "boolean" if attribute.type == "boolean" else "text"


def expression_problems(row: MappingRow, object_type: str) -> list[MappingProblem]:
    if wrong := expressions.check(row.source, kind_of=partial(held_by, object_type=object_type)):
        return [expression_problem(error) for error in wrong]
    expression = expressions.parse(row.source)
    unknown = [name for name in expression.attributes if not source_attribute(name, object_type)]
    random = [name for name in expression.functions if not expressions.FUNCTIONS[name.lower()].steady]
    return [
        *(MappingProblem("unknown-source", {"source": name}, "source") for name in unknown),
        *(MappingProblem("random", {"function": name}, "apply") for name in random if row.apply == "always"),
        *(
            MappingProblem("matching-random", {"function": name}, "matching")
            for name in random
            if row.matching is not None
        ),
    ]


def matching_problems(row: MappingRow, others: Sequence[MappingRow], object_type: str) -> list[MappingProblem]:
    if row.matching is None:
        return []
    filterable = FILTERABLE[object_type]
    if row.target not in filterable:
        facts = {"target": row.target, "filterable": ", ".join(filterable)}
        return [MappingProblem("matching-unfilterable", facts, "matching")]
    if row.kind == "constant":
        return [MappingProblem("constant-matching", {}, "matching")]
    same = [other.target for other in others if other.matching == row.matching]
    if not same:
        return []
    return [MappingProblem("matching-taken", {"other": same[0], "number": row.matching}, "matching")]


def length_problems(row: MappingRow) -> list[MappingProblem]:
    limit = LENGTHS.get(row.target, LENGTH)
    texts = {"source": row.source if row.kind == "constant" else "", "default": row.default}
    return [
        MappingProblem("too-long", {"target": row.target, "length": len(value), "limit": limit}, name)
        for name, value in texts.items()
        if len(value) > limit
    ]
