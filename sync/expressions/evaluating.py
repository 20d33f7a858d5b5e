"""Tree and attributes -> value. Only the branch that is needed is evaluated in IIF, Switch and Coalesce."""

from collections.abc import Mapping
from datetime import UTC, datetime

from sync.expressions.errors import EvaluationError, Failure, gettext_noop, place
from sync.expressions.functions import FUNCTIONS, WORDS
from sync.expressions.limits import LIMITS, Limits
from sync.expressions.tree import Attribute, Call, Empty, Expression, Node, Number, Operation, Text, Word
from sync.expressions.values import IGNORE, Ignore, Result, Value, compare, size, text

TOO_MANY_STEPS = gettext_noop("This takes more than %(limit)d steps. Make the expression simpler.")
TOO_LARGE = gettext_noop(
    "The value on the way has more than %(limit)d characters. Make it shorter, with Left for example."
)


class Ignored(Exception):
    """The attribute is left alone, however deep in the expression that was decided."""


def evaluate(
    expression: Expression,
    attributes: Mapping[str, Value],
    *,
    now: datetime | None = None,
    limits: Limits = LIMITS,
) -> Result:
    """A missing attribute is null. Raises EvaluationError, with line and column, for unfit data."""
    evaluation = Evaluation(expression, attributes, now or datetime.now(UTC), limits)
    try:
        return evaluation.value(expression.root)
    except Ignored:
        return IGNORE


class Evaluation:
    def __init__(self, expression: Expression, attributes: Mapping[str, Value], now: datetime, limits: Limits) -> None:
        self.expression = expression
        self.attributes = attributes
        self.now = now
        self.limits = limits
        self.steps = 0

    def value(self, node: Node) -> Value:
        try:
            self.step()
            value = self.value_of(node)
            self.measure(size(value))
        except Failure as failure:
            line, column = place(self.expression.source, node.at)
            raise EvaluationError(failure.template, line, column, **failure.params) from failure
        return value

    def value_of(self, node: Node) -> Value:
        match node:
            case Text() | Number():
                return node.value
            case Attribute():
                return self.attributes.get(node.name)
            case Empty():
                return None
            case Word():
                return self.word(node)
            case Operation():
                return self.operation(node)
            case Call():
                return self.call(node)

    def word(self, node: Word) -> Value:
        meaning = WORDS[node.name.lower()].value
        if isinstance(meaning, Ignore):
            raise Ignored
        return meaning

    def operation(self, node: Operation) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        if node.operator == "&":
            self.measure(size(left) + size(right))
            return text(left) + text(right)
        return compare(node.operator, left, right)

    def call(self, node: Call) -> Value:
        function = FUNCTIONS[node.name.lower()]
        if function.lazy:
            return function.lazy(self, node.arguments)
        assert function.run is not None
        return function.run(*(self.value(argument) for argument in node.arguments))

    def ignore(self) -> None:
        raise Ignored

    def step(self, count: int = 1) -> None:
        self.steps += count
        if self.steps > self.limits.steps:
            raise Failure(TOO_MANY_STEPS, limit=self.limits.steps)

    def measure(self, characters: int) -> None:
        """Called before something large is built."""
        if characters > self.limits.output:
            raise Failure(TOO_LARGE, limit=self.limits.output)
