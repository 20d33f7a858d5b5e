"""AWS's fields: one table from which pages, checks and files derive (AWS SCIM Developer Guide)."""

import re

from sync.scim.resource import ATTRIBUTES, IN_LIST, LISTS

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:"


def offered(target: str) -> bool:
    """List items may have any type; pages offer the one that the template uses."""
    item = IN_LIST.fullmatch(target)
    return item is None or item["kind"] == "work"


TARGETS: dict[str, tuple[str, ...]] = {
    object_type: tuple(target for target in table if offered(target)) for object_type, table in ATTRIBUTES.items()
}

REQUIRED: dict[str, frozenset[str]] = {
    object_type: frozenset(one.path for one in table.values() if one.required)
    for object_type, table in ATTRIBUTES.items()
}

FILTERABLE: dict[str, tuple[str, ...]] = {
    object_type: tuple(one.path for one in table.values() if one.filterable)
    for object_type, table in ATTRIBUTES.items()
}

EVERY_TARGET = [one for table in ATTRIBUTES.values() for one in table.values()]

BOOLEANS = frozenset(one.path for one in EVERY_TARGET if one.kind == "boolean")

REFERENCES = frozenset(one.path for one in EVERY_TARGET if one.kind == "reference")

LENGTHS = {one.path: one.max_length for one in EVERY_TARGET}

LENGTH = max(LENGTHS.values())

# Parts of the items of AWS's lists. Lists take one item: two rows may share a list only where they fill the same item.
PARTS = {
    name: {path.rpartition(".")[2] for path in ATTRIBUTES["user"] if path.startswith(f"{name}[")} for name in LISTS
}

LIST_PATH = re.compile(r'(?P<list>[A-Za-z]+)\[type eq "(?P<type>[A-Za-z]+)"\]\.(?P<part>[A-Za-z]+)')


def required_targets(object_type: str) -> frozenset[str]:
    return REQUIRED[object_type]


def is_target(target: str, object_type: str) -> bool:
    """Whether AWS has the attribute; list items may have any type: `phoneNumbers[type eq "home"].value`."""
    item = LIST_PATH.fullmatch(target)
    if item and object_type == "user":
        return item["part"] in PARTS.get(item["list"], ())
    return target in TARGETS[object_type]


def item_of(target: str) -> tuple[str, str] | None:
    """List and type that a target writes to: ("phoneNumbers", "work"); None for everything else."""
    found = LIST_PATH.fullmatch(target)
    return (found["list"], found["type"]) if found else None


def same_list(target: str, other: str) -> bool:
    """Whether both write to the same list, but to different items of it."""
    mine, theirs = item_of(target), item_of(other)
    return mine is not None and theirs is not None and mine[0] == theirs[0] and mine != theirs
