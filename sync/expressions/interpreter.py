"""Tree -> code -> value. Compiled once; IIF, Switch and Coalesce run only the branch that is needed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from random import Random, SystemRandom

from sync.expressions.errors import EvaluationError, Failure, gettext_noop, place
from sync.expressions.formatting import canonical
from sync.expressions.functions import FUNCTIONS, WORDS
from sync.expressions.limits import LIMITS, ExpressionLimits
from sync.expressions.table import Code, Lazy, Run, Surroundings, left_out
from sync.expressions.tree import AttributeNode, Call, Empty, Node, NumberNode, OperatorNode, Text, Word, walk
from sync.expressions.values import Ignore, Result, Value, compare, text

TOO_MANY_STEPS = gettext_noop("This takes more than %(limit)d steps. Make the expression simpler.")
TOO_LARGE = gettext_noop(
    "The value on the way has more than %(limit)d characters. Make it shorter, with Left for example."
)
CHARACTERS_PER_STEP = 50
RANDOM = SystemRandom()


@dataclass(frozen=True)
class Expression:
    """Two are equal when they mean the same, whatever the spacing. `code` is what `evaluate` runs."""

    source: str = field(compare=False)
    root: Node
    code: Code = field(compare=False, repr=False)

    @cached_property
    def attributes(self) -> tuple[str, ...]:
        """Names between square brackets, each once, in the order they are written."""
        return tuple(dict.fromkeys(node.name for node in walk(self.root) if isinstance(node, AttributeNode)))

    @cached_property
    def functions(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(node.name for node in walk(self.root) if isinstance(node, Call)))

    @cached_property
    def redacted(self) -> bool:
        """Whether logs have to show [Redact] instead of the value."""
        return self._calls("Redact")

    @cached_property
    def unique(self) -> bool:
        """Whether the value depends on what AWS holds (SelectUniqueValue)."""
        return self._calls("SelectUniqueValue")

    def _calls(self, function: str) -> bool:
        return any(name.lower() == function.lower() for name in self.functions)


def format(expression: Expression) -> str:  # noqa: A001 - the word for it
    """As it is saved: canonical names, the admin's own layout."""
    return canonical(expression.source)


class Ignored(Exception):
    """The attribute or the object is left alone, however deep in the expression that was decided."""

    def __init__(self, what: Ignore) -> None:
        self.what = what
        super().__init__(what.value)


def nobody_has(_value: str) -> bool:
    return False


def evaluate(
    expression: Expression,
    attributes: Mapping[str, Value],
    *,
    now: datetime | None = None,
    random: Random = RANDOM,
    taken: Callable[[str], bool] = nobody_has,
    limits: ExpressionLimits = LIMITS,
) -> Result:
    """`attributes`: all of the object's, not only changed ones; a missing one is null.

    `taken`: whether somebody in AWS has the value already (SelectUniqueValue).
    Raises EvaluationError, with line and column, for unfit data.
    """
    evaluation = Interpreter(attributes, now or datetime.now(UTC), random, taken, limits)
    try:
        return expression.code(evaluation)
    except Ignored as ignored:
        return ignored.what


class Interpreter:
    __slots__ = ("_attributes", "_limits", "now", "random", "steps", "taken")

    def __init__(
        self,
        attributes: Mapping[str, Value],
        now: datetime,
        random: Random,
        taken: Callable[[str], bool],
        limits: ExpressionLimits,
    ) -> None:
        self._attributes = attributes
        self._limits = limits
        self.now = now
        self.random = random
        self.taken = taken
        self.steps = 0

    def attribute(self, name: str) -> Value:
        """An attribute without values is null, as one that is not there."""
        value = self._attributes.get(name)
        if value is None or value == []:
            return None
        self.charge(value)
        return value

    def ignore(self, what: Ignore) -> None:
        raise Ignored(what)

    def charge(self, value: Value) -> None:
        """Long values cost more, so that the number of steps bounds the time."""
        if isinstance(value, str):
            length = len(value)
        elif isinstance(value, list):
            length = sum(map(len, value)) + len(value) * CHARACTERS_PER_STEP
        else:
            return
        if length > CHARACTERS_PER_STEP:
            self.measure(length)
            self.step(length // CHARACTERS_PER_STEP)

    def step(self, count: int) -> None:
        self.steps += count
        if self.steps > self._limits.steps:
            raise Failure(TOO_MANY_STEPS, limit=self._limits.steps)

    def measure(self, characters: int) -> None:
        """Called before something large is built."""
        if characters > self._limits.output:
            raise Failure(TOO_LARGE, limit=self._limits.output)


# --- Tree -> code ---------------------------------------------------------------------------------


def compiled(root: Node, source: str) -> Code:
    """Of a tree that `checking` has nothing against."""
    return placed(code_of(root, source), root, source) if isinstance(root, AttributeNode) else code_of(root, source)


def code_of(node: Node, source: str) -> Code:
    match node:
        case Text() | NumberNode():
            return constant(node.value)
        case Empty():
            return left_out
        case Word():
            return word(WORDS[node.name.lower()].value)
        case AttributeNode():
            return attribute(node.name)
        case OperatorNode():
            return placed(operation(node, source), node, source)
        case Call():
            return placed(call(node, source), node, source)


def constant(value: Value) -> Code:
    return lambda _evaluation: value


def attribute(name: str) -> Code:
    return lambda evaluation: evaluation.attribute(name)


def word(meaning: Value | Ignore) -> Code:
    if not isinstance(meaning, Ignore):
        return constant(meaning)

    def ignored(evaluation: Surroundings) -> Value:
        evaluation.ignore(meaning)
        return None

    return ignored


def operation(node: OperatorNode, source: str) -> Code:
    left, right = code_of(node.left, source), code_of(node.right, source)
    work = joined if node.operator == "&" else partial(compare, node.operator)
    return eager(work, (left, right))


def joined(left: Value, right: Value) -> Value:
    return text(left) + text(right)


def call(node: Call, source: str) -> Code:
    function = FUNCTIONS[node.name.lower()]
    arguments = tuple(code_of(argument, source) for argument in node.arguments)
    if function.lazy:
        return lazy(function.lazy, arguments)
    assert function.run is not None
    return eager(function.run, arguments)


def eager(run: Run, arguments: tuple[Code, ...]) -> Code:
    cost = 1 + len(arguments)

    def code(evaluation: Surroundings) -> Value:
        evaluation.step(cost)
        value = run(*[argument(evaluation) for argument in arguments])
        evaluation.charge(value)
        return value

    return code


def lazy(run: Lazy, arguments: tuple[Code, ...]) -> Code:
    cost = 1 + len(arguments)

    def code(evaluation: Surroundings) -> Value:
        evaluation.step(cost)
        value = run(evaluation, arguments)
        evaluation.charge(value)
        return value

    return code


def placed(code: Code, node: Node, source: str) -> Code:
    """A failure is told with the place of the innermost function that met it."""

    def with_place(evaluation: Surroundings) -> Value:
        try:
            return code(evaluation)
        except Failure as failure:
            line, column = place(source, node.at)
            raise EvaluationError(failure.template, line, column, **failure.params) from failure

    return with_place
