"""The parsed expression. `at` is the offset in the source; it does not take part in comparison."""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Text:
    value: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class NumberNode:
    value: int | float
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class AttributeNode:
    name: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Word:
    """A bare word such as vbTextCompare."""

    name: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Empty:
    """An argument that was left out: `Switch([x], , "a", "b")`. Not the same as an empty text."""

    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Call:
    name: str
    arguments: tuple["Node", ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class OperatorNode:
    """`=`, `<>`, `>`, `>=`, `<`, `<=` and `&`."""

    operator: str
    left: "Node"
    right: "Node"
    at: int = field(default=0, compare=False)


Node = Text | NumberNode | AttributeNode | Word | Empty | Call | OperatorNode


def children(node: Node) -> tuple[Node, ...]:
    if isinstance(node, OperatorNode):
        return node.left, node.right
    return node.arguments if isinstance(node, Call) else ()


def walk(node: Node) -> Iterator[Node]:
    """Every node, in the order they are written."""
    if isinstance(node, OperatorNode):
        yield from walk(node.left)
    yield node
    if isinstance(node, OperatorNode):
        yield from walk(node.right)
    if isinstance(node, Call):
        for argument in node.arguments:
            yield from walk(argument)
