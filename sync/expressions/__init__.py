"""The mapping language of Entra provisioning: `Join(" ", [givenName], [surname])`.

`parse` once, `evaluate` per object. Pure: an expression can read the given attributes and nothing else.
"""

from sync.expressions import checking, conditions
from sync.expressions.errors import EvaluationError, ExpressionError
from sync.expressions.functions import FUNCTIONS, Function
from sync.expressions.interpreter import Expression, compiled, evaluate, format  # noqa: A004
from sync.expressions.limits import LIMITS, ExpressionLimits
from sync.expressions.parsing import parse_tree
from sync.expressions.possible import AttributeKind, KindOf
from sync.expressions.values import IGNORE, IGNORE_OBJECT, Ignore, Result, Value

__all__ = [
    "FUNCTIONS",
    "IGNORE",
    "IGNORE_OBJECT",
    "LIMITS",
    "AttributeKind",
    "EvaluationError",
    "Expression",
    "ExpressionError",
    "ExpressionLimits",
    "Function",
    "Ignore",
    "Result",
    "Value",
    "check",
    "evaluate",
    "format",
    "parse",
]


def parse(source: str, limits: ExpressionLimits = LIMITS) -> Expression:
    """Raises ExpressionError, with line and column, for what could not be evaluated for any object."""
    root = parse_tree(source, limits)
    for problem in checking.problems(root, source):
        raise problem
    return Expression(source, root, compiled(root, source))


def anything(_name: str) -> AttributeKind:
    return "anything"


def check(source: str, limits: ExpressionLimits = LIMITS, *, kind_of: KindOf = anything) -> list[ExpressionError]:
    """Everything that is wrong, in the order it is written; a syntax error comes alone.

    Conditions that come out the same for everybody are wrong too, though `parse` takes them: they are told when an
    expression is saved. `kind_of`: what an attribute can hold.
    """
    try:
        root = parse_tree(source, limits)
    except ExpressionError as error:
        return [error]
    return list(checking.problems(root, source)) or [
        checking.problem(complaint, source) for complaint in conditions.complaints(root, kind_of)
    ]
