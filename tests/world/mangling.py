"""A JSON document with one value of it replaced, by every kind of JSON value in turn."""

from collections.abc import Iterator
from typing import Any

VALUES = (None, 7, "x", [], {}, [None], True)


def mangles(document: Any) -> Iterator[Any]:
    for path in paths(document):
        for value in VALUES:
            yield replaced(document, path, value)


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in items:
        yield from paths(one, (*at, key))


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    found = document.copy()
    found[path[0]] = replaced(found[path[0]], path[1:], value) if len(path) > 1 else value
    return found
