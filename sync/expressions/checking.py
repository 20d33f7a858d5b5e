"""What can be said about an expression before any data is seen: names, and how many arguments."""

from collections.abc import Iterator

from sync.expressions.errors import ExpressionError, gettext_noop, place
from sync.expressions.functions import FUNCTIONS, UNAVAILABLE, WORDS, Function
from sync.expressions.tree import Call, Empty, Expression, Node, Word, walk

UNKNOWN_FUNCTION = gettext_noop("There is no function %(name)s. Take one from the list of functions.")
NOT_AVAILABLE = gettext_noop("%(name)s is not available yet. Take another function.")
NO_PATTERNS = gettext_noop(
    "Replace with a regular expression is not available yet. Give oldValue and replacementValue instead."
)
REPLACE_WITH_WHAT = gettext_noop("Replace needs oldValue, and a replacementValue or a template.")
UNKNOWN_WORD = gettext_noop("“%(name)s” has no meaning here. Text goes between quotes, attributes between [ and ].")
TOO_FEW = gettext_noop("%(name)s needs at least %(count)d values: %(signature)s.")
TOO_MANY = gettext_noop("%(name)s takes at most %(count)d values: %(signature)s.")
IN_PAIRS = gettext_noop("%(name)s needs a value for every key: %(signature)s.")
LEFT_OUT = gettext_noop("%(name)s needs its argument %(parameter)s: %(signature)s.")


Complaint = tuple[Node, str, dict[str, str | int]]  # about which node, template, params


def problems(expression: Expression) -> Iterator[ExpressionError]:
    for node in walk(expression.root):
        if isinstance(node, Call | Word):
            for about, template, params in complaints(node):
                line, column = place(expression.source, about.at)
                yield ExpressionError(template, line, column, **params)


def complaints(node: Call | Word) -> Iterator[Complaint]:
    known = FUNCTIONS if isinstance(node, Call) else WORDS
    if node.name.lower() not in known:
        yield unknown(node)
    elif isinstance(node, Call):
        function = FUNCTIONS[node.name.lower()]
        yield from arity(function, node)
        if function.name == "Replace":
            yield from replace_forms(node)


def unknown(node: Call | Word) -> Complaint:
    for name in UNAVAILABLE:
        if name.lower() == node.name.lower():
            return node, NOT_AVAILABLE, {"name": name}
    return node, UNKNOWN_FUNCTION if isinstance(node, Call) else UNKNOWN_WORD, {"name": node.name[:40]}


def arity(function: Function, call: Call) -> Iterator[Complaint]:
    facts: dict[str, str | int] = {"name": function.name, "signature": function.signature}
    given = len(call.arguments)
    if given < function.least:
        yield call, TOO_FEW, {**facts, "count": function.least}
    elif function.most is not None and given > function.most:
        yield call, TOO_MANY, {**facts, "count": function.most}
    elif function.repeats and (given - len(function.parameters)) % len(function.repeats):
        yield call, IN_PAIRS, facts
    else:
        yield from left_out(function, call, facts)


def left_out(function: Function, call: Call, facts: dict[str, str | int]) -> Iterator[Complaint]:
    for position, argument in enumerate(call.arguments):
        parameter = function.parameter(position)
        if isinstance(argument, Empty) and not parameter.endswith("?"):
            yield argument, LEFT_OUT, {**facts, "parameter": parameter}


def replace_forms(call: Call) -> Iterator[Complaint]:
    given = [not isinstance(argument, Empty) for argument in call.arguments] + [False] * 7
    _, old, pattern, group, replacement, attribute, template = given[:7]
    if pattern or group or attribute:
        yield call, NO_PATTERNS, {}
    elif not old or not (replacement or template):
        yield call, REPLACE_WITH_WHAT, {}
