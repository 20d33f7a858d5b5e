"""Tree -> source, as it is saved: names as the table spells them, one blank after a comma."""

from sync.expressions.functions import FUNCTIONS, WORDS
from sync.expressions.tree import Attribute, Call, Empty, Node, Number, Operation, Text, Word


def spelled(node: Node) -> str:
    match node:
        case Text():
            return quoted(node.value)
        case Number():
            return node.spelling
        case Attribute():
            return f"[{node.name}]"
        case Word():
            return WORDS[node.name.lower()].name
        case Empty():
            return ""
        case Operation():
            return f"{spelled(node.left)} {node.operator} {spelled(node.right)}"
        case Call():
            return f"{FUNCTIONS[node.name.lower()].name}({', '.join(map(spelled, node.arguments))})"


def quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
