"""What a refusal means. AWS's text is often the generic sentence: then the body that we sent decides.

Sources: AWS user guide (troubleshooting; SCIM logging with CloudTrail); Identity Store API model for patterns.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sync.scim.resource import ATTRIBUTES, ENTERPRISE, LISTS, NO_BLANKS, RESERVED_IN, RESERVED_NAMES, ScimAttribute

LIST_LIMIT = re.compile(r"List attributes? (\w+) (?:exceeds )?allowed limit", re.IGNORECASE)
CONSTRAINT = re.compile(r"Value at '([^']+)' failed to satisfy constraint: Member must (.*?)(?:;|$)")
MISSING = {
    "name.familyName": "missing-family-name",
    "name.givenName": "missing-given-name",
    "displayName": "missing-display-name",
    "userName": "missing-user-name",
}
# Space characters that AWS takes elsewhere: its pattern lists tab, newline, return, space, U+00A0, U+3000.
BLANKS = "\t\n\r \u00a0\u3000"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`code`: see sync/problems/catalogue.py. `attribute`: the path that it is about, where one is known."""

    code: str
    attribute: str | None = None


def diagnose(method: str, path: str, status: int | None, detail: str, body: Any) -> Diagnosis:
    """`body`: the JSON that was sent: a resource (POST) or a PatchOp (PATCH)."""
    by_status = {
        401: "token-refused",
        403: "token-refused",
        404: "not-found-link",
        409: "already-exists",
        429: "throttled",
    }
    if status in by_status:
        return Diagnosis(by_status[status])
    if status is None or status >= 500:
        return Diagnosis("aws-down")
    kind = "group" if "/Groups" in path or path.startswith("Groups") else "user"
    return _from_text(detail) or _from_body(kind, method, body) or Diagnosis("rejected")


def _from_text(detail: str) -> Diagnosis | None:
    if found := LIST_LIMIT.search(detail):
        name = found[1]
        return Diagnosis("too-many-values", "emails" if name == "email" else name)
    if "list attributes only allow single item" in detail:
        # Older, and still what CloudTrail shows (AWS user guide, troubleshooting).
        return Diagnosis("too-many-values")
    if "Replacing group memberships" in detail:
        return Diagnosis("members-replace", "members")
    if found := CONSTRAINT.search(detail):
        return _constraint(found[1].replace("User.", "User:"), detail)
    return None


def _constraint(attribute: str, detail: str) -> Diagnosis:
    if "length greater than or equal to 1" in detail:
        return Diagnosis(MISSING.get(attribute, "empty-value"), attribute)
    if "length less than or equal" in detail:
        return Diagnosis("too-long", attribute)
    return Diagnosis("bad-characters", attribute)


def _from_body(kind: str, method: str, body: Any) -> Diagnosis | None:
    if not isinstance(body, Mapping):
        return None
    values = _flat(body) if method == "POST" else _patched(body)
    for check in (_too_many, _missing(kind, method), _characters(kind), _length(kind), _reserved(kind)):
        if found := check(values):
            return found
    return None


def _flat(body: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in body.items():
        if name in ("name", ENTERPRISE) and isinstance(value, Mapping):
            separator = "." if name == "name" else ":"
            flat |= {f"{name}{separator}{part}": item for part, item in value.items()}
        else:
            flat[name] = value
    return flat


def _patched(body: Mapping[str, Any]) -> dict[str, Any]:
    return {item.get("path", ""): item.get("value") for item in body.get("Operations", [])}


def _too_many(values: Mapping[str, Any]) -> Diagnosis | None:
    return next(
        (
            Diagnosis("too-many-values", name)
            for name in LISTS
            if isinstance(values.get(name), list) and len(values[name]) > 1
        ),
        None,
    )


Check = Callable[[Mapping[str, Any]], Diagnosis | None]


def _missing(kind: str, method: str) -> Check:
    required = [path for path, attribute in ATTRIBUTES[kind].items() if attribute.required]

    def check(values: Mapping[str, Any]) -> Diagnosis | None:
        for path in required:
            sent_empty = path in values and not values[path]
            if sent_empty or (method == "POST" and path not in values):
                return Diagnosis(MISSING[path], path)
        return None

    return check


def _characters(kind: str) -> Check:
    return _first_string(kind, lambda attribute, text: not acceptable(attribute, text), "bad-characters")


def _length(kind: str) -> Check:
    return _first_string(kind, lambda attribute, text: len(text) > attribute.max_length, "too-long")


def _reserved(kind: str) -> Check:
    name = RESERVED_IN[kind]
    return lambda values: Diagnosis("reserved-name", name) if values.get(name) in RESERVED_NAMES else None


def acceptable(attribute: ScimAttribute, text: str) -> bool:
    r"""AWS's pattern: [\p{L}\p{M}\p{S}\p{N}\p{P}], and blanks except in the user name and the external id."""
    blanks = "" if attribute.path in NO_BLANKS else BLANKS
    return all(unicodedata.category(char)[0] in "LMSNP" or char in blanks for char in text)


def _first_string(kind: str, wrong: Callable[[ScimAttribute, str], bool], code: str) -> Check:
    def check(values: Mapping[str, Any]) -> Diagnosis | None:
        for path, text in _strings(values):
            attribute = ATTRIBUTES[kind].get(path) or ScimAttribute(path)
            if wrong(attribute, text):
                return Diagnosis(code, path)
        return None

    return check


def _strings(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = [(path, value) for path, value in values.items() if isinstance(value, str)]
    for name in LISTS:
        for element in values.get(name) or []:
            found += [
                (f'{name}[type eq "{element.get("type")}"].{part}', text)
                for part, text in element.items()
                if isinstance(text, str)
            ]
    return found
