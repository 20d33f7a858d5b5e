"""AWS's PATCH: RFC 7644 section 3.5.2 with the restrictions of PatchUser and PatchGroup (Developer Guide)."""

import copy
import re
from typing import Any

from lab.aws.errors import invalid
from lab.aws.validation import ENTERPRISE, LISTS, NAME_PARTS, STRINGS

MISSING_PATH = "Missing path in PATCH request"
ONE_ATTRIBUTE = 'Current PATCH support allows omitting "path" attribute only for Add and Replace operations modifying a single attribute.'
# PatchUser's list of modifiable attributes does not name roles.
USER_TOPS = {*STRINGS, "active", "name", "emails", "addresses", "phoneNumbers", ENTERPRISE}
FILTERED = re.compile(r'(?P<name>\w+)\[(?P<key>\w+) eq "?(?P<value>[^"\]]+)"?\](?:\.(?P<part>\w+))?')
MAX_MEMBERS = 100

Json = dict[str, Any]


def operations(body: Any) -> list[Json]:
    """The operations, their `op` in lower case: Entra writes Add, CloudTrail REPLACE."""
    if not isinstance(body, dict) or not isinstance(body.get("Operations"), list) or not body["Operations"]:
        raise invalid("Request is unparsable, syntactically incorrect, or violates schema.")
    return [_operation(item) for item in body["Operations"]]


def _operation(item: Any) -> Json:
    op = str(item.get("op", "")).lower() if isinstance(item, dict) else ""
    if op not in ("add", "replace", "remove"):
        raise invalid("Request is unparsable, syntactically incorrect, or violates schema.")
    if op == "remove" and not item.get("path"):
        raise invalid(MISSING_PATH)
    if op != "remove" and "value" not in item:
        raise invalid("Request is unparsable, syntactically incorrect, or violates schema.")
    return {"op": op, "path": item.get("path"), "value": item.get("value")}


def patch_user(user: Json, items: list[Json]) -> Json:
    """A patched copy, not yet validated."""
    for name in ("userName", "active"):
        if sum(item["path"] == name for item in items) > 1:
            raise invalid(f"Only one operation on {name} is allowed in a request.")
    user = copy.deepcopy(user)
    for item in items:
        path, value = _with_path(item)
        if item["op"] == "remove":
            _remove(user, path)
        else:
            _set(user, path, value, item["op"])
    return user


def _with_path(item: Json) -> tuple[str, Any]:
    """Without a path the value may modify a single attribute; an id beside it does not count."""
    if item["path"]:
        return str(item["path"]), item["value"]
    value = item["value"]
    names = [name for name in value if name not in ("id", "schemas")] if isinstance(value, dict) else []
    if len(names) != 1:
        raise invalid(ONE_ATTRIBUTE)
    return names[0], value[names[0]]


def _split(path: str) -> list[str]:
    """`urn:…:User:department` and `name.familyName` as keys from the outside in; AWS also prints the former with a dot."""
    if path.startswith(ENTERPRISE):
        rest = path[len(ENTERPRISE) :].lstrip(":.")
        return [ENTERPRISE, *rest.split(".")] if rest else [ENTERPRISE]
    return path.split(".")


def _remove(user: Json, path: str) -> None:
    if path in ("userName", "active"):
        raise invalid(f"Remove is not allowed on {path}.")
    if found := FILTERED.fullmatch(path):
        _remove_filtered(user, found)
        return
    *outer, last = _checked(_split(path))
    holder = user
    for key in outer:
        holder = holder.get(key) or {}
    holder.pop(last, None)
    if user.get(ENTERPRISE) == {}:
        del user[ENTERPRISE]


def _remove_filtered(user: Json, found: re.Match[str]) -> None:
    kept = []
    for element in user.get(found["name"]) or []:
        if str(element.get(found["key"])).lower() == found["value"].lower():
            if not found["part"]:
                continue
            element.pop(found["part"], None)
        kept.append(element)
    if kept:
        user[found["name"]] = kept
    else:
        user.pop(found["name"], None)


def _set(user: Json, path: str, value: Any, op: str) -> None:
    if found := FILTERED.fullmatch(path):
        _set_filtered(user, found, value)
        return
    keys = _checked(_split(path))
    if keys[0] in LISTS and len(keys) == 1:
        elements = value if isinstance(value, list) else [value]
        user[keys[0]] = [*(user.get(keys[0]) or []), *elements] if op == "add" else elements
        return
    holder = user
    for key in keys[:-1]:
        holder = holder.setdefault(key, {})
    if isinstance(holder.get(keys[-1]), dict) and isinstance(value, dict) and keys[-1] != "manager":
        holder[keys[-1]] |= value
    else:
        holder[keys[-1]] = value


def _checked(keys: list[str]) -> list[str]:
    """Attribute names are case-sensitive here, contrary to RFC 7643 (idp-scim-sync#30)."""
    known = keys[0] in USER_TOPS and not (keys[0] == "name" and len(keys) > 1 and keys[1] not in NAME_PARTS)
    if not known:
        raise invalid("Request is unparsable, syntactically incorrect, or violates schema.")
    return keys


def _set_filtered(user: Json, found: re.Match[str], value: Any) -> None:
    name, key, wanted, part = found["name"], found["key"], found["value"], found["part"]
    if name not in LISTS or name == "roles" or key not in LISTS[name]:
        raise invalid("Invalid Filter format")
    elements: list[Json] = user.setdefault(name, [])
    element = next((item for item in elements if str(item.get(key)).lower() == wanted.lower()), None)
    if element is None:
        element = {key: wanted}
        if name == "emails" and not elements:
            element["primary"] = True
        elements.append(element)
    if part:
        element[part] = value
    elif isinstance(value, dict):
        element |= value
    else:
        raise invalid("Request is unparsable, syntactically incorrect, or violates schema.")


def patch_group(group: Json, items: list[Json], replace_members: bool) -> tuple[Json, list[str], list[str], bool]:
    """A patched copy, not yet validated; member ids to add and to remove, and whether the list is replaced first."""
    group = copy.deepcopy(group)
    added: list[str] = []
    removed: list[str] = []
    replaced = False
    for item in items:
        filtered = FILTERED.fullmatch(str(item["path"] or ""))
        if filtered and filtered["name"] == "members" and filtered["key"] == "value" and item["op"] == "remove":
            removed.append(filtered["value"])
            continue
        path, value = _with_path(item)
        if path == "members":
            clears = item["op"] == "replace" or (item["op"] == "remove" and not value)
            if clears and not replace_members:
                raise invalid("Replacing group memberships is not supported")
            replaced = replaced or clears
            (removed if item["op"] == "remove" else added).extend(_member_ids(value or []))
        elif path in ("displayName", "externalId"):
            _set_group(group, path, item["op"], value)
        else:
            raise invalid("Request is unparsable, syntactically incorrect, or violates schema.")
    if len(added) + len(removed) > MAX_MEMBERS:
        raise invalid("Request is unparsable, syntactically incorrect, or violates schema.")
    return group, added, removed, replaced


def _set_group(group: Json, path: str, op: str, value: Any) -> None:
    if op == "remove":
        group.pop(path, None)
    else:
        group[path] = value


def _member_ids(value: Any) -> list[str]:
    elements = value if isinstance(value, list) else [value]
    if not all(isinstance(element, dict) and isinstance(element.get("value"), str) for element in elements):
        raise invalid("Request is unparsable, syntactically incorrect, or violates schema.")
    return [element["value"] for element in elements]
