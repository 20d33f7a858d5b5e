"""What an expression works with, and how one kind becomes another.

Text and number turn into each other (Microsoft prints both `Mid([x], "1", "1")` and `Join("", 1000, …)`);
true and false are the texts "True" and "False".
"""

import json
import math
import operator
import re
from collections.abc import Callable
from enum import Enum
from typing import Any, Final

from sync.expressions.errors import Failure, gettext_noop

Value = None | str | bool | int | float | list[str]


class Ignore(Enum):
    """Leave the attribute, or the whole object, as it is in the target: neither set nor cleared."""

    ATTRIBUTE = "attribute"
    OBJECT = "object"


IGNORE: Final = Ignore.ATTRIBUTE
IGNORE_OBJECT: Final = Ignore.OBJECT
Result = Value | Ignore

NUMBER = re.compile(r"\s*-?[0-9]{1,30}(\.[0-9]{1,30})?\s*")
ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}

SEVERAL = gettext_noop("There are %(count)d values where one text is expected. Pick one with Item, or use Join.")
NOT_A_NUMBER = gettext_noop("“%(value)s” is not a number.")
NOT_WHOLE = gettext_noop("%(value)s is not a whole number.")


def text(value: Value) -> str:
    """Null and an empty list become the empty text. Raises Failure on several values."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "True" if value else "False"
        case list():
            if len(value) > 1:
                raise Failure(SEVERAL, count=len(value))
            return value[0] if value else ""
    return str(int(value)) if math.isfinite(value) and value == int(value) else str(value)


def number(value: Value) -> int | float:
    if isinstance(value, int | float) and math.isfinite(value):
        return value
    written = text(value)
    if not NUMBER.fullmatch(written):
        raise Failure(NOT_A_NUMBER, value=written[:40])
    return float(written) if "." in written else int(written)


def whole(value: Value) -> int:
    found = number(value)
    if found != int(found):
        raise Failure(NOT_WHOLE, value=str(found))
    return int(found)


def is_numeric(value: Value) -> bool:
    if isinstance(value, str):
        return NUMBER.fullmatch(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool)


def each(change: Callable[[str], str], value: Value) -> Value:
    """The change on one text, or on every value of a list; null stays null."""
    if isinstance(value, list):
        return [change(one) for one in value]
    return None if value is None else change(text(value))


def each_filled(change: Callable[[str], str], value: Value) -> Value:
    """The same, where the empty text is null too: it is not a date."""
    return None if is_empty(value) else each(change, value)


def from_json(found: Any) -> Value:
    """A value of the language from JSON; objects, such as role assignments, are kept as JSON text."""
    if isinstance(found, list):
        return [text(from_json(one)) for one in found if one is not None]
    if isinstance(found, dict):
        return json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    return found if isinstance(found, str | bool | int | float) else None


def is_empty(value: Value) -> bool:
    """Null, the empty text, or no values."""
    return value is None or value == "" or value == []  # noqa: PLR1714 - a list is not hashable


def many(value: Value) -> list[str]:
    """As a list; null is an empty one."""
    if isinstance(value, list):
        return value
    return [] if value is None else [text(value)]


def truth(value: Value) -> bool:
    """True, "True" and numbers other than 0 are true; everything else is false."""
    if isinstance(value, str):
        return value.strip().lower() == "true" or (is_numeric(value) and number(value) != 0)
    return isinstance(value, int | float) and value != 0


def size(value: Value) -> int:
    """Characters, counting one for each value of a list."""
    if isinstance(value, list):
        return sum(len(one) + 1 for one in value)
    return len(value) if isinstance(value, str) else 1


def compare(sign: str, left: Value, right: Value) -> bool:
    """Null equals the empty text; numbers compare as numbers; for text, upper and lower case differ."""
    if sign in ("=", "<>"):
        return same(left, right) is (sign == "=")
    if is_empty(left) or is_empty(right):
        return False
    if is_numeric(left) and is_numeric(right):
        return ORDERS[sign](number(left), number(right))
    return ORDERS[sign](text(left), text(right))


def same(left: Value, right: Value) -> bool:
    numbers = [value for value in (left, right) if isinstance(value, int | float) and not isinstance(value, bool)]
    if numbers and is_numeric(left) and is_numeric(right):
        return number(left) == number(right)
    return text(left) == text(right)
