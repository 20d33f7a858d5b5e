"""Cases of the language in a file: a JSON list of {"id", "expr", "input", "expected", "clock"}.

`expected` is the value as JSON, or "<IGNORE>" where the attribute is left alone; `clock`, if any, is what Now() gives.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sync.expressions import Expression, ExpressionError, evaluate, parse
from sync.expressions.values import Ignore, Result, from_json

SHOWN: dict[Ignore, str] = {Ignore.ATTRIBUTE: "<IGNORE>", Ignore.OBJECT: "<IGNORE OBJECT>"}


@dataclass(frozen=True)
class VectorDifference:
    id: str
    expression: str
    expected: Any
    got: Any


def outcome(expression: Expression, given: Mapping[str, Any], clock: str | None) -> Any:
    """As JSON. Raises EvaluationError."""
    attributes = {name: from_json(value) for name, value in given.items()}
    return as_json(evaluate(expression, attributes, now=datetime.fromisoformat(clock) if clock else None))


def as_json(result: Result) -> Any:
    return SHOWN[result] if isinstance(result, Ignore) else result


def differences(vectors: Iterable[Mapping[str, Any]]) -> Iterator[VectorDifference]:
    for vector in vectors:
        got = result_of(vector)
        expected = vector["expected"]
        if (type(got), got) != (type(expected), expected):
            yield VectorDifference(str(vector["id"]), vector["expr"], expected, got)


def result_of(vector: Mapping[str, Any]) -> Any:
    try:
        return outcome(parse(vector["expr"]), vector.get("input", {}), vector.get("clock"))
    except ExpressionError as error:
        return f"error: {error}"
