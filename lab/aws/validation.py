"""What AWS takes as a user or a group. Patterns and lengths: Identity Store API model; rules: SCIM Developer Guide."""

import unicodedata
from typing import Any

from lab.aws.errors import invalid

CORE_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
CORE_GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

BLANK = r"[\p{L}\p{M}\p{S}\p{N}\p{P}\t\n\r \u00A0\u3000]+"
SOLID = r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+"
BLANKS = "\t\n\r \u00a0\u3000"
RESERVED = ("Administrator", "AWSAdministrators")

STRINGS = ("userName", "displayName", "nickName", "profileUrl", "title", "userType", "preferredLanguage", "locale", "timezone", "externalId")  # fmt: skip
NAME_PARTS = ("formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix")
LISTS: dict[str, tuple[str, ...]] = {
    "emails": ("value", "type", "primary"),
    "addresses": ("formatted", "streetAddress", "locality", "region", "postalCode", "country", "type", "primary"),
    "phoneNumbers": ("value", "type", "primary"),
    "roles": ("value", "type", "primary"),
}
ENTERPRISE_PARTS = ("employeeNumber", "costCenter", "organization", "division", "department", "manager")
SERVER_SIDE = ("id", "meta", "schemas")
USER_KEYS = {*STRINGS, "name", "active", *LISTS, ENTERPRISE, *SERVER_SIDE}
GROUP_KEYS = {"displayName", "externalId", "members", *SERVER_SIDE}
LIMITS = {"userName": 128, "externalId": 256}


def validated_user(resource: dict[str, Any], switches: dict[str, str]) -> dict[str, Any]:
    """The user as AWS stores it. Raises ScimRefusal."""
    valid = _supported(resource, USER_KEYS, switches)
    if "groups" in resource:
        raise invalid("Attribute groups is not supported in the request.")
    problems = (
        _string_problems(valid, STRINGS)
        + _missing_problems(valid)
        + _name_problems(valid)
        + _enterprise_problems(valid, switches)
    )
    _raise(problems)
    for name, parts in LISTS.items():
        if name in valid:
            valid[name] = _validated_list(name, valid[name], parts, switches)
    valid["active"] = _boolean("active", valid.get("active", True))
    if valid["userName"] in RESERVED:
        raise invalid(f"The userName {valid['userName']} is reserved.")
    return _normalised(valid) if switches["normalise"] == "on" else valid


def _normalised(valid: dict[str, Any]) -> dict[str, Any]:
    valid["userName"] = _normal(valid["userName"])
    for email in valid.get("emails", []):
        email["value"] = _normal(email["value"])
    return valid


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip()).lower()


def validated_group(resource: dict[str, Any], switches: dict[str, str]) -> dict[str, Any]:
    valid = _supported(resource, GROUP_KEYS, switches)
    missing = [] if valid.get("displayName") is not None else [_too_short("displayName", BLANK)]
    _raise(missing + _string_problems(valid, ("displayName", "externalId")))
    if valid["displayName"] in RESERVED:
        raise invalid(f"The displayName {valid['displayName']} is reserved.")
    valid.pop("members", None)
    return valid


def _supported(resource: dict[str, Any], keys: set[str], switches: dict[str, str]) -> dict[str, Any]:
    unknown = [key for key in resource if key not in keys]
    if unknown and switches["unsupported_attributes"] == "reject":
        raise invalid(f"Attribute {unknown[0]} is not supported.")
    return {key: value for key, value in resource.items() if key in keys and key not in SERVER_SIDE}


def _missing_problems(resource: dict[str, Any]) -> list[str]:
    found = []
    if resource.get("userName") is None:
        found.append(_too_short("userName", SOLID))
    if resource.get("displayName") is None:
        found.append(_too_short("displayName", BLANK))
    name = resource.get("name") if isinstance(resource.get("name"), dict) else {}
    for part in ("givenName", "familyName"):
        if (name or {}).get(part) is None:
            found.append(_too_short(f"name.{part}", BLANK))
    return found


def _name_problems(resource: dict[str, Any]) -> list[str]:
    name = resource.get("name")
    if not isinstance(name, dict):
        return []
    unknown = [part for part in name if part not in NAME_PARTS]
    if unknown:
        raise invalid(f"Attribute name.{unknown[0]} is not supported.")
    return _string_problems({f"name.{part}": value for part, value in name.items()}, [f"name.{part}" for part in name])


def _enterprise_problems(resource: dict[str, Any], switches: dict[str, str]) -> list[str]:
    extension = resource.get(ENTERPRISE)
    if extension is None:
        return []
    if not isinstance(extension, dict):
        raise invalid(f"Attribute {ENTERPRISE} must be an object.")
    extension = _supported(extension, set(ENTERPRISE_PARTS), switches)
    if "manager" in extension:
        extension["manager"] = _validated_manager(extension["manager"])
    resource[ENTERPRISE] = extension
    flat = {f"{ENTERPRISE}.{key}": value for key, value in extension.items() if key != "manager"}
    if "manager" in extension:
        flat[f"{ENTERPRISE}.manager.value"] = extension["manager"]["value"]
    return _string_problems(flat, list(flat))


def _validated_manager(manager: Any) -> dict[str, Any]:
    """Only `value` is stored; `$ref` is taken and not echoed; `displayName` is refused."""
    if isinstance(manager, str):
        manager = {"value": manager}
    if not isinstance(manager, dict) or "displayName" in manager or "value" not in manager:
        raise invalid(f"Attribute {ENTERPRISE}.manager must hold value only.")
    return {"value": manager["value"]}


def _validated_list(name: str, elements: Any, parts: tuple[str, ...], switches: dict[str, str]) -> list[dict[str, Any]]:
    if not isinstance(elements, list) or not all(isinstance(element, dict) for element in elements):
        raise invalid(f"Attribute {name} must be a list of objects.")
    if len(elements) > 1:
        raise invalid(f"List attribute {name} exceeds allowed limit of 1")
    if not elements:
        raise invalid(
            f"Value at '{name}' failed to satisfy constraint: Member must have length greater than or equal to 1"
        )
    element = _supported_element(name, elements[0], parts, switches)
    if "primary" in element:
        element["primary"] = _boolean(f"{name}.primary", element["primary"])
    if name == "emails" and element.get("primary") is not True:
        raise invalid("The email must be marked as primary.")
    strings = {f"{name}.{key}": value for key, value in element.items() if key != "primary"}
    _raise(_string_problems(strings, list(strings)))
    return [element]


def _supported_element(
    name: str, element: dict[str, Any], parts: tuple[str, ...], switches: dict[str, str]
) -> dict[str, Any]:
    unknown = [key for key in element if key not in parts]
    if unknown and switches["unsupported_attributes"] == "reject":
        raise invalid(f"Attribute {name}.{unknown[0]} is not supported.")
    return {key: value for key, value in element.items() if key in parts}


def _string_problems(values: dict[str, Any], names: Any) -> list[str]:
    found = []
    for name in names:
        value = values.get(name)
        if name not in values:
            continue
        found += _value_problems(name, value)
    return found


def _value_problems(name: str, value: Any) -> list[str]:
    solid = name in ("userName", "externalId")
    pattern, limit = (SOLID if solid else BLANK), LIMITS.get(name, 1024)
    if not isinstance(value, str):
        return [f"Value at '{name}' failed to satisfy constraint: Member must be a string"]
    if not value:
        return [_too_short(name, pattern)]
    if len(value) > limit:
        return [
            f"Value at '{name}' failed to satisfy constraint: Member must have length less than or equal to {limit}"
        ]
    if not matches(value, solid):
        return [
            f"Value at '{name}' failed to satisfy constraint: Member must satisfy regular expression pattern: {pattern}"
        ]
    return []


def matches(value: str, solid: bool) -> bool:
    return all(unicodedata.category(char)[0] in "LMSNP" or (not solid and char in BLANKS) for char in value)


def _too_short(name: str, pattern: str) -> str:
    """Two clauses of one problem, as AWS's CloudTrail prints them for an empty value."""
    return (
        f"Value at '{name}' failed to satisfy constraint: Member must have length greater than or equal to 1; "
        f"Value at '{name}' failed to satisfy constraint: Member must satisfy regular expression pattern: {pattern}"
    )


def _raise(problems: list[str]) -> None:
    if problems:
        text = "; ".join(problems)
        raise invalid(f"{text.count('Value at')} validation errors detected: {text}")


def _boolean(name: str, value: Any) -> bool:
    """AWS's own PATCH example sends the string "false": both forms are taken."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise invalid(f"Value at '{name}' failed to satisfy constraint: Member must be a boolean")
