"""What can be said about an expression before any data is seen: names, how many arguments, patterns."""

from collections.abc import Iterator

from sync.expressions.errors import ExpressionError, gettext_noop, place
from sync.expressions.functions import FUNCTIONS, UNAVAILABLE_NAMES, WORDS, why_unavailable
from sync.expressions.table import Complaint, Facts, Function
from sync.expressions.tree import Call, Empty, Node, Word, walk

UNKNOWN_FUNCTION = gettext_noop("There is no function %(name)s. Take one from the list of functions.")
UNKNOWN_WORD = gettext_noop("“%(name)s” has no meaning here. Text goes between quotes, attributes between [ and ].")
TOO_FEW = gettext_noop("%(name)s needs at least %(count)d values: %(signature)s.")
TOO_MANY = gettext_noop("%(name)s takes at most %(count)d values: %(signature)s.")
IN_PAIRS = gettext_noop("%(name)s needs a value for every key: %(signature)s.")
LEFT_OUT = gettext_noop("%(name)s needs its argument %(parameter)s: %(signature)s.")
NOT_INSIDE = gettext_noop("%(name)s cannot stand inside another function. Make it the outermost one.")


def problems(root: Node, source: str) -> Iterator[ExpressionError]:
    for node in walk(root):
        if isinstance(node, Call | Word):
            for complaint in complaints(node, node is root, source):
                yield problem(complaint, source)


def problem(complaint: Complaint, source: str) -> ExpressionError:
    at, template, params = complaint
    line, column = place(source, at)
    return ExpressionError(template, line, column, **params)


def complaints(node: Call | Word, outermost: bool, source: str) -> Iterator[Complaint]:
    known = FUNCTIONS if isinstance(node, Call) else WORDS
    if node.name.lower() not in known:
        yield unknown(node)
    elif isinstance(node, Call):
        function = FUNCTIONS[node.name.lower()]
        if function.top and not outermost:
            yield node.at, NOT_INSIDE, {"name": function.name}
        counted = list(arity(function, node))
        yield from counted
        if function.check and not counted:
            yield from function.check(node, source)


def unknown(node: Call | Word) -> Complaint:
    name = UNAVAILABLE_NAMES.get(node.name.lower())
    if name and isinstance(node, Call):
        return node.at, *why_unavailable(name)
    return node.at, UNKNOWN_FUNCTION if isinstance(node, Call) else UNKNOWN_WORD, {"name": node.name[:40]}


def arity(function: Function, call: Call) -> Iterator[Complaint]:
    facts: Facts = {"name": function.name, "signature": function.signature}
    given = len(call.arguments)
    if given < function.least:
        yield call.at, TOO_FEW, {**facts, "count": function.least}
    elif function.most is not None and given > function.most:
        yield call.at, TOO_MANY, {**facts, "count": function.most}
    elif function.repeats and (given - len(function.parameters)) % len(function.repeats):
        yield call.at, IN_PAIRS, facts
    else:
        yield from left_out(function, call, facts)


def left_out(function: Function, call: Call, facts: Facts) -> Iterator[Complaint]:
    for position, argument in enumerate(call.arguments):
        parameter = function.parameter(position)
        if isinstance(argument, Empty) and not parameter.endswith("?"):
            yield argument.at, LEFT_OUT, {**facts, "parameter": parameter}
