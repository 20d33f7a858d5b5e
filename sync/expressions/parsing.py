"""Tokens -> tree. The grammar of Microsoft's "functions for customizing application data", with `&`:

expression = joined [ ("=" | "<>" | ">" | ">=" | "<" | "<=") joined ]
joined     = value { "&" value }
value      = text | number | attribute | word | name "(" [ argument { "," argument } ] ")"
argument   = expression | nothing
"""

from collections.abc import Sequence

from sync.expressions.errors import ExpressionError, gettext_noop, place
from sync.expressions.limits import LIMITS, ExpressionLimits
from sync.expressions.tokens import Token, tokens, unquoted
from sync.expressions.tree import AttributeNode, Call, Empty, Node, NumberNode, OperatorNode, Text, Word

NOTHING = gettext_noop('The expression is empty. Expected a function such as Join(" ", [givenName], [surname]).')
TOO_LONG = gettext_noop("The expression has %(length)d characters; %(limit)d is the limit. Shorten it.")
TOO_DEEP = gettext_noop("More than %(limit)d functions are inside each other here. Use fewer.")
TOO_MANY = gettext_noop("The expression has more than %(limit)d parts. Shorten it.")
EXPECTED_VALUE = gettext_noop('Expected a function, an [attribute], "text" or a number, but found %(found)s.')
EXPECTED_NEXT = gettext_noop("Expected a comma or ) in %(function)s, but found %(found)s.")
EXPECTED_END = gettext_noop("Expected the end of the expression, but found %(found)s.")
NO_AND_OR = gettext_noop(
    "There is no %(word)s. For AND put a second IIF where the first is true, for OR where it is false."
)
EMPTY_NAME = gettext_noop("Expected the name of an attribute between [ and ].")

COMPARISONS = ("=", "<>", ">", ">=", "<", "<=")


def parse_tree(source: str, limits: ExpressionLimits = LIMITS) -> Node:
    """The tree of a syntactically right expression; `checking` looks at names and numbers of arguments."""
    if len(source) > limits.source:
        raise ExpressionError(TOO_LONG, length=len(source), limit=limits.source)
    return Parser(source, limits).whole()


class Parser:
    def __init__(self, source: str, limits: ExpressionLimits) -> None:
        self.source = source
        self.limits = limits
        self.tokens = list(tokens(source))
        self.next = 0
        self.nodes = 0
        self.depth = 0

    def whole(self) -> Node:
        if self.token.kind == "end":
            raise self.error(NOTHING)
        node = self.expression()
        if self.token.kind != "end":
            raise self.unexpected(EXPECTED_END)
        return node

    def expression(self) -> Node:
        left = self.joined()
        if self.token.text in COMPARISONS and self.token.kind == "operator":
            operator = self.take()
            return OperatorNode(operator.text, left, self.joined(), operator.at)
        return left

    def joined(self) -> Node:
        parts: list[Node] = [self.value()]
        places: list[int] = []
        while self.token.kind == "operator" and self.token.text == "&":
            places.append(self.take().at)
            parts.append(self.value())
        return joined(parts, places)

    def value(self) -> Node:
        self.count()
        token = self.token
        match token.kind:
            case "text":
                return Text(unquoted(self.take().text), token.at)
            case "number":
                return NumberNode(number_of(self.take().text), token.at)
            case "hex":
                return NumberNode(int(self.take().text[2:], 16), token.at)
            case "attribute":
                return self.attribute()
            case "name":
                return self.call_or_word()
        raise self.unexpected(EXPECTED_VALUE)

    def attribute(self) -> Node:
        name = self.token.text[1:-1].strip()
        if not name:
            raise self.error(EMPTY_NAME)
        return AttributeNode(name, self.take().at)

    def call_or_word(self) -> Node:
        name = self.take()
        if self.token.kind != "(":
            return Word(name.text, name.at)
        self.depth += 1
        if self.depth > self.limits.depth:
            raise self.error(TOO_DEEP, limit=self.limits.depth)
        self.take()
        arguments = self.arguments(name.text)
        self.depth -= 1
        return Call(name.text, arguments, name.at)

    def arguments(self, function: str) -> tuple[Node, ...]:
        """Up to and including the closing parenthesis."""
        if self.token.kind == ")":
            self.take()
            return ()
        found = [self.argument()]
        while self.token.kind == ",":
            self.take()
            found.append(self.argument())
        if self.token.kind != ")":
            raise self.unexpected(EXPECTED_NEXT, function=function)
        self.take()
        return tuple(found)

    def argument(self) -> Node:
        if self.token.kind in (",", ")"):
            self.count()
            return Empty(self.token.at)
        return self.expression()

    @property
    def token(self) -> Token:
        return self.tokens[self.next]

    def take(self) -> Token:
        self.next += 1
        return self.tokens[self.next - 1]

    def count(self) -> None:
        self.nodes += 1
        if self.nodes > self.limits.nodes:
            raise self.error(TOO_MANY, limit=self.limits.nodes)

    def unexpected(self, template: str, **params: str | int) -> ExpressionError:
        if self.token.text.upper() in ("AND", "OR"):
            return self.error(NO_AND_OR, word=self.token.text)
        found = self.token.text if self.token.kind != "end" else "the end"
        return self.error(template, found=found[:40], **params)

    def error(self, template: str, **params: str | int) -> ExpressionError:
        line, column = place(self.source, self.token.at)
        return ExpressionError(template, line, column, **params)


def joined(parts: Sequence[Node], places: Sequence[int]) -> Node:
    """With `&` at `places`, halves of halves: whoever walks the tree goes only a few steps deep."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    left, right = joined(parts[:half], places[: half - 1]), joined(parts[half:], places[half:])
    return OperatorNode("&", left, right, places[half - 1])


def number_of(text: str) -> int | float:
    return float(text) if "." in text else int(text)
