"""Unique values as AWS compares them: what clashes there is equal here, and short enough for an indexed column."""

import hashlib
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

LONGEST = 200


class Keys(NamedTuple):
    """Empty where the object has no such value."""

    name: str = ""
    email: str = ""
    external: str = ""


def keys_of(object_type: str, units: Mapping[str, Any]) -> Keys:
    """`units`: see sync/scim/resource.py. A unit that is null is unknown or goes away: it claims nothing."""
    name = units.get("userName" if object_type == "user" else "displayName")
    emails = units.get("emails") or [{}]
    return Keys(key(name), key(emails[0].get("value")), exact_key(units.get("externalId")))


def key(value: Any) -> str:
    """AWS tells no letter cases apart in names and e-mail addresses (user guide, troubleshooting)."""
    if not isinstance(value, str):
        return ""
    # Folding may undo a composition (Unicode section 3.13, D145).
    return _short(unicodedata.normalize("NFC", unicodedata.normalize("NFC", value).casefold()))


def exact_key(value: Any) -> str:
    """An externalId is case exact (RFC 7643 section 3.1): `a1` and `A1` are two people."""
    return _short(value) if isinstance(value, str) else ""


# How each part of Keys is made, for whoever asks about a single value.
KEY_OF: Mapping[str, Callable[[Any], str]] = {"name": key, "email": key, "external": exact_key}


def same_value(attribute: str, one: Any, other: Any) -> bool:
    """Of an attribute that objects are matched on; nothing equals nothing else."""
    how = exact_key if attribute == "externalId" else key
    return bool(how(one)) and how(one) == how(other)


def _short(value: str) -> str:
    return value if len(value) <= LONGEST else hashlib.sha256(value.encode()).hexdigest()
