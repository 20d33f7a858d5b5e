"""Names of Microsoft's file against ours: fields, attributes, operators, actions."""

from collections.abc import Callable

from sync.expressions.tokens import tokens
from sync.rules.aws_fields import LIST_PATH, PARTS, TARGETS
from sync.rules.entra_attributes import source_attribute
from sync.rules.rows import ObjectType

OBJECTS: dict[ObjectType, str] = {"user": "User", "group": "Group"}
OBJECTS_WRITTEN = {theirs.lower(): ours for ours, theirs in OBJECTS.items()}
SOURCE_DIRECTORY = "Azure Active Directory"
# The connector of an application without a gallery template; AWS's gallery name is not documented.
TARGET_DIRECTORY = "customappsso"
TARGET_OBJECTS = {
    "user": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    "group": "urn:ietf:params:scim:schemas:core:2.0:Group",
}
# flowTypes of an object mapping, and what they allow here (Entra disables with an update of `active`).
FLOWS = {"Add": 1, "Update": 2, "Delete": 4}
ALLOWS: dict[str, dict[str, tuple[str, ...]]] = {
    "user": {"Add": ("create",), "Update": ("update", "disable"), "Delete": ("delete",)},
    "group": {"Add": ("create",), "Update": ("update",), "Delete": ("delete",)},
}


def target(written: str, object_type: str) -> str | None:
    """The field as we spell it; SCIM names are case-insensitive (RFC 7643 section 2.1)."""
    item = LIST_PATH.fullmatch(written)
    if item and object_type == "user":
        return _list_target(item["list"], item["type"], item["part"])
    known = {name.lower(): name for name in TARGETS[object_type]}
    return known.get(written.lower())


def _list_target(name: str, kind: str, part: str) -> str | None:
    lists = {known.lower(): known for known in PARTS}
    found = lists.get(name.lower())
    parts = {known.lower(): known for known in PARTS[found]} if found else {}
    return f'{found}[type eq "{kind}"].{parts[part.lower()]}' if part.lower() in parts else None


def attribute(written: str, object_type: str) -> str:
    """As the portal shows it; a name that nobody knows stays as it is written."""
    found = source_attribute(written, object_type)
    return found.name if found else written


def with_attributes(source: str, rename: Callable[[str], str]) -> str:
    """An expression with its attributes renamed, everything else as it is laid out."""
    written, at = [], 0
    for token in tokens(source):
        if token.kind == "attribute":
            written += [source[at : token.at], f"[{rename(token.text[1:-1].strip())}]"]
            at = token.at + len(token.text)
    return "".join([*written, source[at:]])


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
