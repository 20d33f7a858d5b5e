"""The mapping language of Entra provisioning: `Join(" ", [givenName], [surname])`.

`parse` once, `evaluate` per object. Pure: an expression can read the given attributes and nothing else.
"""

from sync.expressions import checking
from sync.expressions.errors import EvaluationError, ExpressionError
from sync.expressions.evaluating import evaluate
from sync.expressions.formatting import format  # noqa: A004
from sync.expressions.functions import FUNCTIONS, Function
from sync.expressions.limits import LIMITS, Limits
from sync.expressions.parsing import parse_tree
from sync.expressions.tree import Expression
from sync.expressions.values import IGNORE, Ignore, Result, Value

__all__ = [
    "FUNCTIONS",
    "IGNORE",
    "LIMITS",
    "EvaluationError",
    "Expression",
    "ExpressionError",
    "Function",
    "Ignore",
    "Limits",
    "Result",
    "Value",
    "check",
    "evaluate",
    "format",
    "parse",
]


def parse(source: str, limits: Limits = LIMITS) -> Expression:
    """Raises ExpressionError, with line and column, for what could not be evaluated for any object."""
    expression = parse_tree(source, limits)
    for problem in checking.problems(expression):
        raise problem
    return expression


def check(source: str, limits: Limits = LIMITS) -> list[ExpressionError]:
    """Everything that is wrong, in the order it is written; a syntax error comes alone."""
    try:
        return list(checking.problems(parse_tree(source, limits)))
    except ExpressionError as error:
        return [error]
