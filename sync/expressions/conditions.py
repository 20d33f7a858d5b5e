"""Conditions, comparisons and keys that are surely a mistake, told when a mapping is saved: mostly because they come out
the same for every object.

They are no part of `parse`: an expression that was saved before goes on being evaluated.
"""

from collections.abc import Iterable, Iterator

from sync.expressions.errors import gettext_noop
from sync.expressions.functions import FUNCTIONS, WORDS
from sync.expressions.possible import KindOf, Possibilities, is_signal
from sync.expressions.table import Complaint, Facts
from sync.expressions.tree import AttributeNode, Call, Node, OperatorNode, Word, children, walk
from sync.expressions.values import Value, is_empty, text

SAME_COMPARISON = gettext_noop("This comparison comes out the same for everybody.")
NEVER_GIVES = gettext_noop("%(what)s never gives “%(value)s”. This comparison comes out the same for everybody.")
GIVES_OTHERS = gettext_noop(
    "%(what)s gives %(values)s, never “%(value)s”. This comparison comes out the same for everybody."
)
FROM_ZERO = gettext_noop("%(what)s gives whole numbers from 0. This comparison comes out the same for everybody.")
BESIDE_NOTHING = gettext_noop("Nothing is greater or less than an empty text. Ask with IsPresent or IsNullOrEmpty.")
DATES_AS_TEXTS = gettext_noop(
    "%(what)s gives a date as text, 7/2/2021 3:33:38 PM, of which the greater one is not the later one. "
    "Compare the number that DateDiff gives."
)
SAME_CONDITION = gettext_noop(
    "This condition comes out the same for everybody, so IIF always gives the same one of its two values. "
    "Write a comparison, or ask with a function such as IsPresent."
)
SAME_ANSWER = gettext_noop("%(what)s comes out the same for everybody here.")
KEY_NEVER_GIVEN = gettext_noop("%(what)s never gives “%(value)s”, so this key is never taken.")
KEY_NOT_AMONG = gettext_noop("%(what)s gives %(values)s, never “%(value)s”, so this key is never taken.")
NO_CONDITION = gettext_noop(
    "%(what)s is not true or false, so it is no condition. "
    "Ask IsPresent(%(what)s) whether there is a value, or compare it."
)
# Microsoft: IgnoreFlowIfNullOrEmpty "is a flow control wrapper, not a boolean condition".
ASKED = gettext_noop(
    "%(what)s decides whether the field is written; it cannot be asked or compared. "
    "Put it around the whole, IgnoreFlowIfNullOrEmpty(IIF(…)), or ask with IsPresent."
)
PASSED_OVER = gettext_noop(
    "%(function)s passes over empty values by itself. With %(what)s inside, the whole field stays as it is in AWS "
    "whenever this one value is empty."
)

# Arguments that a function judges instead of passing them on, and those of which it passes over the empty ones.
JUDGED: dict[str, tuple[slice, ...]] = {"iif": (slice(1),), "switch": (slice(1), slice(2, None, 2))}
PASSES_OVER = {"coalesce": slice(-1), "join": slice(1, None)}
IGNORE_FLOW = "ignoreflowifnullorempty"
SHOWN = 4  # values that a sentence lists


def complaints(root: Node, kind_of: KindOf) -> list[Complaint]:
    """Of a tree that `checking` has nothing against; one for each place, in the order they are written."""
    found = {complaint[0]: complaint for complaint in reversed(of_node(root, Possibilities(kind_of)))}
    return sorted(found.values(), key=lambda complaint: complaint[0])


def of_node(node: Node, known: Possibilities) -> list[Complaint]:
    """Of what always comes out the same the innermost part is told, not all that is built on it."""
    by_child = [of_node(child, known) for child in children(node)]
    inside = [complaint for found in by_child for complaint in found]
    if isinstance(node, Call):
        lost = [*asked(judged(node)), *passed_over(node)]
        inside += [*lost, *dead_keys(node, known)]
        inside += [] if not by_child or by_child[0] or lost else always_the_same(node, known)
    elif isinstance(node, OperatorNode) and node.operator != "&":
        inside += asked(children(node))
        inside += [] if inside else [*same_comparison(node, known), *dates_as_texts(node)][:1]
    return inside


def what(node: Node) -> str:
    match node:
        case Call():
            return FUNCTIONS[node.name.lower()].name
        case AttributeNode():
            return f"[{node.name}]"
        case Word():
            return WORDS[node.name.lower()].name
    return ""


# --- What decides about the whole field -----------------------------------------------------------


def judged(node: Call) -> Iterator[Node]:
    name = node.name.lower()
    if FUNCTIONS[name].result in ("boolean", "count"):
        yield from node.arguments
    for part in JUDGED.get(name, ()):
        yield from node.arguments[part]


def asked(arguments: Iterable[Node]) -> Iterator[Complaint]:
    for one in (one for argument in arguments for one in walk(argument)):
        if is_ignoring(one):
            yield one.at, ASKED, {"what": what(one)}


def passed_over(node: Call) -> Iterator[Complaint]:
    for one in node.arguments[PASSES_OVER.get(node.name.lower(), slice(0))]:
        if is_ignoring(one):
            yield one.at, PASSED_OVER, {"function": what(node), "what": what(one)}


def is_ignoring(node: Node) -> bool:
    return is_signal(node) or (isinstance(node, Call) and node.name.lower() == IGNORE_FLOW)


# --- What comes out the same for everybody --------------------------------------------------------


def always_the_same(node: Call, known: Possibilities) -> Iterator[Complaint]:
    name, first = node.name.lower(), node.arguments[0]
    if name in ("iif", "not") and isinstance(first, AttributeNode) and known.kind_of(first.name) == "text":
        yield first.at, NO_CONDITION, {"what": what(first)}
    elif name == "iif" and len(known.truths(first)) == 1:
        yield first.at, SAME_CONDITION, {}
    elif FUNCTIONS[name].result == "boolean" and len(known.values(node) or ()) == 1 and reads_attributes(node):
        yield node.at, SAME_ANSWER, {"what": what(node)}


def reads_attributes(node: Node) -> bool:
    return any(isinstance(one, AttributeNode) for one in walk(node))


def same_comparison(node: OperatorNode, known: Possibilities) -> Iterator[Complaint]:
    if len(known.answers(node)) == 1:
        reasons = (reason(node, one, other, known) for one, other in (children(node), children(node)[::-1]))
        yield node.at, *next(filter(None, reasons), (SAME_COMPARISON, {}))


def dates_as_texts(node: OperatorNode) -> Iterator[Complaint]:
    for one in children(node):
        is_date = isinstance(one, Call) and FUNCTIONS[one.name.lower()].result == "date"
        if is_date and node.operator not in ("=", "<>"):
            yield node.at, DATES_AS_TEXTS, {"what": what(one)}


def reason(node: OperatorNode, one: Node, other: Node, known: Possibilities) -> tuple[str, Facts] | None:
    """Why comparing one side with the other, a constant, is in vain."""
    constants = known.values(other) or ()
    if len(constants) != 1 or not what(one):
        return None
    if node.operator in ("=", "<>"):
        constant = constants[0]
        return None if known.can_be(one, constant) else never(one, constant, known, NEVER_GIVES, GIVES_OTHERS)
    if is_empty(constants[0]):
        return BESIDE_NOTHING, {}
    is_count = isinstance(one, Call) and FUNCTIONS[one.name.lower()].result == "count"
    return (FROM_ZERO, {"what": what(one)}) if is_count else None


def dead_keys(node: Call, known: Possibilities) -> Iterator[Complaint]:
    if node.name.lower() != "switch" or not what(node.arguments[0]):
        return
    for key in node.arguments[2::2]:
        values = known.values(key) or ()
        if len(values) == 1 and not known.can_be(node.arguments[0], values[0], as_text=True):
            yield key.at, *never(node.arguments[0], values[0], known, KEY_NEVER_GIVEN, KEY_NOT_AMONG)


def never(node: Node, value: Value, known: Possibilities, template: str, with_values: str) -> tuple[str, Facts]:
    facts = {"what": what(node), "value": text(value)[:40]}
    values = known.values(node)
    if values is None or len(values) > SHOWN:
        return template, facts
    shown = sorted({text(one)[:40] for one in values if not is_empty(one)})
    return with_values, {**facts, "values": ", ".join(f"“{one}”" for one in shown)}
