"""AWS's attributes as a table, and the way from mapped values to SCIM bodies.

A *unit* is an attribute that is written as one: a simple path (`userName`, `name.familyName`), a whole list attribute
(`emails`, `phoneNumbers`, `addresses`, `roles`), or an enterprise attribute under its full URN. What AWS holds, what is
desired and what was last written are all `{unit: JSON value}`.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

USER_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MANAGER = f"{ENTERPRISE}:manager"

Units = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ScimAttribute:
    """One target of a mapping. Sources: AWS SCIM Developer Guide (CreateUser, limitations), Identity Store model."""

    path: str
    kind: Literal["string", "boolean", "reference"] = "string"
    required: bool = False
    # The list attribute of which AWS takes a single element.
    list_name: str | None = None
    unique: bool = False
    case_exact: bool = False
    max_length: int = 1024
    filterable: bool = False
    # AWS takes no white space of any kind in it.
    solid: bool = False


def _list_attributes() -> Iterable[ScimAttribute]:
    for name, kinds in {
        "emails": ("work", "home", "other"),
        "phoneNumbers": ("work", "mobile", "fax", "home", "other"),
    }.items():
        for kind in kinds:
            yield ScimAttribute(f'{name}[type eq "{kind}"].value', list_name=name, unique=name == "emails")
    parts = ("formatted", "streetAddress", "locality", "region", "postalCode", "country")
    for kind in ("work", "home", "other"):
        for part in parts:
            yield ScimAttribute(f'addresses[type eq "{kind}"].{part}', list_name="addresses")
    yield ScimAttribute('roles[type eq "work"].value', list_name="roles")


USER_ATTRIBUTES: tuple[ScimAttribute, ...] = (
    ScimAttribute("userName", required=True, unique=True, max_length=128, filterable=True, solid=True),
    ScimAttribute("externalId", unique=True, case_exact=True, max_length=256, filterable=True, solid=True),
    ScimAttribute("displayName", required=True),
    ScimAttribute("name.givenName", required=True),
    ScimAttribute("name.familyName", required=True),
    ScimAttribute("active", kind="boolean"),
    ScimAttribute("name.formatted"),
    ScimAttribute("name.middleName"),
    ScimAttribute("name.honorificPrefix"),
    ScimAttribute("name.honorificSuffix"),
    ScimAttribute("nickName"),
    ScimAttribute("profileUrl"),
    ScimAttribute("title"),
    ScimAttribute("userType"),
    ScimAttribute("preferredLanguage"),
    ScimAttribute("locale"),
    ScimAttribute("timezone"),
    *_list_attributes(),
    *(
        ScimAttribute(f"{ENTERPRISE}:{name}")
        for name in ("employeeNumber", "costCenter", "organization", "division", "department")
    ),
    ScimAttribute(MANAGER, kind="reference"),
)
GROUP_ATTRIBUTES: tuple[ScimAttribute, ...] = (
    ScimAttribute("displayName", required=True, unique=True, filterable=True),
    ScimAttribute("externalId", unique=True, case_exact=True, max_length=256, filterable=True, solid=True),
    ScimAttribute("members", kind="reference"),
)
ATTRIBUTES: Mapping[str, Mapping[str, ScimAttribute]] = {
    "user": {attribute.path: attribute for attribute in USER_ATTRIBUTES},
    "group": {attribute.path: attribute for attribute in GROUP_ATTRIBUTES},
}

LISTS = ("emails", "addresses", "phoneNumbers", "roles")
IN_LIST = re.compile(r'(?P<name>\w+)\[(?P<by>type|primary) eq "(?P<kind>\w+)"\]\.(?P<part>\w+)')
# Names that no user and no group may have (Identity Store API: CreateUser, CreateGroup).
RESERVED_NAMES = ("Administrator", "AWSAdministrators")
RESERVED_IN: Mapping[str, str] = {"user": "userName", "group": "displayName"}
# Without white space (Identity Store model: UserName, ExternalId).
NO_BLANKS = tuple({one.path for one in (*USER_ATTRIBUTES, *GROUP_ATTRIBUTES) if one.solid})
# PATCH may not remove these (Developer Guide, PatchUser).
NEVER_REMOVED = ("userName", "active")


def unit_of(target: str) -> str:
    found = IN_LIST.fullmatch(target)
    return found["name"] if found else target


def units(values: Mapping[str, Any]) -> dict[str, Any]:
    """Mapped values by target path, put together as units. Elements keep the order of the mapping rows."""
    result: dict[str, Any] = {}
    lists: dict[str, dict[str, dict[str, Any]]] = {}
    for target, value in values.items():
        found = IN_LIST.fullmatch(target)
        if not found:
            result[target] = value
            continue
        elements = lists.setdefault(found["name"], {})
        kind = "work" if found["by"] == "primary" else found["kind"]
        elements.setdefault(kind, {"type": kind})[found["part"]] = value
    for name, by_kind in lists.items():
        result[name] = _as_list(name, list(by_kind.values()))
    return result


def value_of(held: Units, target: str) -> Any:
    """The value of one target path within units; None where they hold none."""
    found = IN_LIST.fullmatch(target)
    if not found:
        return held.get(target)
    kind = "work" if found["by"] == "primary" else found["kind"]
    for element in held.get(found["name"]) or []:
        if element.get("type") == kind:
            return element.get(found["part"])
    return None


def _as_list(name: str, elements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """AWS wants the (only) e-mail to be primary."""
    if name == "emails":
        elements[0]["primary"] = True
    return elements


# What logs show in place of a value that an expression redacts, as Entra's do.
REDACTED = "[Redact]"


# Shorter texts stand in too many other words.
SHORTEST_SECRET = 4


def texts_of(desired: Units, names: Iterable[str]) -> list[str]:
    """The values of these units, the longest first."""
    found = [text for name in names for text in _texts_in(desired.get(name))]
    return sorted({text for text in found if len(text) >= SHORTEST_SECRET}, key=len, reverse=True)


def _texts_in(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for one in value for text in _texts_in(one)]
    if isinstance(value, Mapping):
        return [text for name, one in value.items() if name != "type" for text in _texts_in(one)]
    return [value] if isinstance(value, str) else []


def without(told: Any, texts: Sequence[str]) -> Any:
    """What a server told, without these texts wherever it quotes them."""
    if isinstance(told, Mapping):
        return {name: without(one, texts) for name, one in told.items()}
    if isinstance(told, list):
        return [without(one, texts) for one in told]
    if isinstance(told, str):
        for text in texts:
            told = told.replace(text, REDACTED)
    return told


def redacted(body: Any, units: Iterable[str]) -> Any:
    """A resource or a PatchOp as logs may show it: the values of these units are hidden."""
    hidden = set(units)
    if not hidden or not isinstance(body, Mapping):
        return body
    if isinstance(operations := body.get("Operations"), list):
        return {**body, "Operations": [_hidden_operation(one, hidden) for one in operations]}
    shown = {name: dict(value) if isinstance(value, Mapping) else value for name, value in body.items()}
    for unit in hidden:
        if _held(shown, unit) is not None:
            _place(shown, unit, REDACTED)
    return shown


def _hidden_operation(operation: Mapping[str, Any], hidden: set[str]) -> Mapping[str, Any]:
    return {**operation, "value": REDACTED} if operation.get("path") in hidden and "value" in operation else operation


def user_body(desired: Units) -> dict[str, Any]:
    body: dict[str, Any] = {"schemas": [USER_SCHEMA]}
    for unit, value in desired.items():
        _place(body, unit, value)
    if ENTERPRISE in body:
        body["schemas"] = [USER_SCHEMA, ENTERPRISE]
    return body


def group_body(desired: Units) -> dict[str, Any]:
    return {"schemas": [GROUP_SCHEMA], **desired}


def _place(body: dict[str, Any], unit: str, value: Any) -> None:
    if unit.startswith(f"{ENTERPRISE}:"):
        body.setdefault(ENTERPRISE, {})[unit.removeprefix(f"{ENTERPRISE}:")] = value
    elif unit.startswith("name."):
        body.setdefault("name", {})[unit.removeprefix("name.")] = value
    else:
        body[unit] = value


def patch_operations(before: Units, after: Units) -> list[dict[str, Any]]:
    """One operation per changed unit, always with a path: AWS refuses several attributes without (authentik#12321).

    `replace` also adds where the attribute is missing (RFC 7644 section 3.5.2.3).
    """
    changed = [
        {"op": "replace", "path": unit, "value": value}
        for unit, value in after.items()
        if unit not in before or before[unit] != value
    ]
    gone = [unit for unit in before if unit not in after and unit not in NEVER_REMOVED]
    return changed + [{"op": "remove", "path": unit} for unit in gone]


def units_held(resource: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The same units as read from a resource of the server; what it does not hold is left out."""
    held = {name: _held(resource, name) for name in names}
    return {name: value for name, value in held.items() if value is not None}


def same_text(one: Any, other: Any) -> bool:
    """Equal to a server that trims, composes and recases what it is sent."""
    return bool(plain_text(one) == plain_text(other))


def plain_text(value: Any) -> Any:
    """As AWS tells unique names and addresses apart: without spaces around them, composed, in any letter case."""
    return unicodedata.normalize("NFC", value).strip().casefold() if isinstance(value, str) else value


def _held(resource: Mapping[str, Any], unit: str) -> Any:
    if unit.startswith(f"{ENTERPRISE}:"):
        return (resource.get(ENTERPRISE) or {}).get(unit.removeprefix(f"{ENTERPRISE}:"))
    if unit.startswith("name."):
        return (resource.get("name") or {}).get(unit.removeprefix("name."))
    return resource.get(unit)
