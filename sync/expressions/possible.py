"""What a part of an expression can give, as far as that is certain before any data is seen."""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from math import prod
from typing import Literal

from sync.expressions import dates
from sync.expressions.errors import Failure
from sync.expressions.functions import FUNCTIONS, WORDS
from sync.expressions.table import Function
from sync.expressions.tree import AttributeNode, Call, Empty, Node, NumberNode, OperatorNode, Text, Word, walk
from sync.expressions.values import Ignore, Value, compare, is_empty, is_numeric, number, same, text, truth

# What an attribute can hold: true, false or nothing; text, which is no answer to a question; or anything.
AttributeKind = Literal["boolean", "text", "anything"]
KindOf = Callable[[str], AttributeKind]

MOST = 64  # combinations of values that are worked out
TRUE = ("True", "true", "TRUE", "1")  # whoever can give a true value can give one of these
# Of the functions that give one of their arguments, those that can be it; all of the others'.
RESULTS = {"iif": slice(1, None), "switch": slice(1, None, 2)}
ABOUT_EMPTINESS = ("isnull", "isnullorempty", "ispresent")


def results(node: Call) -> Sequence[Node]:
    """The arguments that the result is one of."""
    return node.arguments[RESULTS.get(node.name.lower(), slice(None))]


class Possibilities:
    """Of the parts of one tree. "Can be" is said of everything that is not certain."""

    def __init__(self, kind_of: KindOf) -> None:
        self.kind_of = kind_of
        self._found: dict[int, Sequence[Value] | None] = {}

    def values(self, node: Node) -> Sequence[Value] | None:
        """All values that the part can give; None where they cannot be listed."""
        if id(node) not in self._found:
            found = self._values(node) or []
            listed = 0 < len(found) <= MOST and not any(isinstance(one, list) for one in found)
            self._found[id(node)] = found if listed else None
        return self._found[id(node)]

    def _values(self, node: Node) -> Sequence[Value] | None:
        match node:
            case Text() | NumberNode():
                return [node.value]
            case Empty():
                return [None]
            case Word():
                meaning = WORDS[node.name.lower()].value
                return [] if isinstance(meaning, Ignore) else [meaning]
            case AttributeNode():
                return [True, False, None] if self.kind_of(node.name) == "boolean" else None
            case OperatorNode():
                return None if node.operator == "&" else list(self.answers(node))
            case Call():
                return self._of_call(node, FUNCTIONS[node.name.lower()])

    def _of_call(self, node: Call, function: Function) -> Sequence[Value] | None:
        if function.result == "argument":
            return self._of_arguments(node)
        given = self._given(node, function)
        if function.run and function.steady and all(one is not None for one in given):
            return each_once(worked_out(function.run, given))
        if node.name.lower() == "not" and not self.can_be(node.arguments[0], "True"):
            return ["True"]
        return [True, False] if function.result == "boolean" else None

    def _given(self, node: Call, function: Function) -> list[Sequence[Value] | None]:
        """The values of each argument; of a question about emptiness, one of each kind is enough."""
        if node.name.lower() in ABOUT_EMPTINESS:
            return [self.values(node.arguments[0]) or self._emptiness(node.arguments[0])]
        return [self.values(one) for one in node.arguments]

    def _of_arguments(self, node: Call) -> Sequence[Value] | None:
        found: list[Value] = []
        for one in results(node):
            # Nothing is given where the field, or the object, is left as it is.
            values = [] if is_signal(one) else self.values(one)
            if values is None:
                return None
            found += values
        if node.name.lower() == "ignoreflowifnullorempty":
            found = [one for one in found if not is_empty(one)]
        return each_once(found)

    def _emptiness(self, node: Node) -> list[Value]:
        return [
            *([None] if self.can_be_null(node) else []),
            *([""] if self.can_be(node, "") else []),
            "a value",
        ]

    def can_be_null(self, node: Node) -> bool:
        values = self.values(node)
        if values is not None:
            return None in values
        if not isinstance(node, Call):
            return not isinstance(node, OperatorNode)
        function = FUNCTIONS[node.name.lower()]
        return any(map(self.can_be_null, results(node))) if function.result == "argument" else function.null

    def can_be(self, node: Node, value: Value, *, as_text: bool = False) -> bool:
        """Equal in a comparison, or `as_text`, as keys of Switch have to be."""
        values = self.values(node)
        if values is not None:
            return any(text(one) == text(value) if as_text else same(one, value) for one in values)
        if not isinstance(node, Call):
            return True
        function = FUNCTIONS[node.name.lower()]
        if function.result == "argument":
            return any(self.can_be(one, value, as_text=as_text) for one in results(node) if not is_signal(one))
        if function.result in ("number", "count"):
            return function.null if is_empty(value) else is_whole(value, function.result == "count", as_text)
        if function.result == "date":
            return comes_back(as_date, value, ())
        return self._in_image(node, function, value)

    def _in_image(self, node: Call, function: Function, value: Value) -> bool:
        others = [self.values(one) for one in node.arguments[1:]]
        known = [one[0] if one and len(one) == 1 else None for one in others]
        image = function.image
        if function.idempotent and all(one and len(one) == 1 for one in others):
            image = function.run
        return image is None or comes_back(image, value, known)

    def truths(self, node: Node) -> set[bool]:
        """What the part can be as a condition."""
        values = self.values(node)
        if values is not None:
            return {truth(one) for one in values}
        result = FUNCTIONS[node.name.lower()].result if isinstance(node, Call) else "text"
        if isinstance(node, Call) and result == "argument":
            return set().union(*(self.truths(one) for one in results(node) if not is_signal(one)))
        can_be_true = result != "list" and any(self.can_be(node, one) for one in TRUE)
        return {True, False} if can_be_true else {False}

    def answers(self, node: OperatorNode) -> set[bool]:
        """What a comparison can come out as."""
        left, right = self.values(node.left), self.values(node.right)
        if left is not None and right is not None:
            return {compare(node.operator, one, other) for one, other in product(left, right)}
        if left is None and right is None:
            return same_on_both_sides(node)
        constants, other = (right, node.left) if left is None else (left, node.right)
        assert constants is not None
        if node.operator in ("=", "<>"):
            equal = any(self.can_be(other, one) for one in constants)
            return {True, False} if equal else {node.operator == "<>"}
        sign = node.operator if left is None else MIRRORED[node.operator]
        return set().union(*(self._ordered(other, sign, one) for one in constants))

    def _ordered(self, node: Node, sign: str, constant: Value) -> set[bool]:
        if is_empty(constant):
            return {False}
        is_count = isinstance(node, Call) and FUNCTIONS[node.name.lower()].result == "count"
        if is_count and is_numeric(constant):
            # From 0 upwards, so that 0 and a large number say it all.
            return {compare(sign, one, constant) for one in (0, abs(number(constant)) + 1)}
        return {True, False}


MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def is_signal(node: Node) -> bool:
    """A bare word that leaves the field, or the object, as it is."""
    return isinstance(node, Word) and isinstance(WORDS[node.name.lower()].value, Ignore)


def same_on_both_sides(node: OperatorNode) -> set[bool]:
    steady = all(FUNCTIONS[one.name.lower()].steady for one in walk(node.left) if isinstance(one, Call))
    if node.left != node.right or not steady or node.operator in ("<=", ">="):  # these are false of nothing
        return {True, False}
    return {node.operator == "="}


def each_once(values: Sequence[Value] | Iterator[Value]) -> list[Value]:
    """By kind too: True is not 1."""
    return list({(type(one), str(one)): one for one in values}.values())


def worked_out(run: Callable[..., Value], given: Sequence[Sequence[Value] | None]) -> Iterator[Value]:
    if prod(len(one or ()) for one in given) > MOST:
        return
    for arguments in product(*(one or () for one in given)):
        try:
            yield run(*arguments)
        except Failure:
            continue


def as_date(value: Value) -> Value:
    return dates.written(dates.read(text(value)))


def comes_back(image: Callable[..., Value], value: Value, others: Sequence[Value]) -> bool:
    try:
        return is_empty(value) or same(image(value, *others), value)
    except Failure:
        return False


def is_whole(value: Value, is_count: bool, as_text: bool) -> bool:
    if not is_numeric(value) or number(value) != int(number(value)) or (is_count and number(value) < 0):
        return False
    return not as_text or text(value) == str(int(number(value)))
