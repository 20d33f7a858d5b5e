"""Unique values as AWS compares them, short enough for an index.

AWS keeps userName, the e-mail address and externalId of users, and displayName and externalId of groups unique, without
regard to upper and lower case where the schema says so (Developer Guide, GetSchema: userName is not caseExact).
"""

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LONGEST = 200


@dataclass(frozen=True, slots=True)
class Keys:
    """Empty where the object has none."""

    name: str = ""
    email: str = ""
    external: str = ""


def keys_of(object_type: str, units: Mapping[str, Any]) -> Keys:
    if object_type == "group":
        return Keys(name=key(units.get("displayName")), external=key(units.get("externalId"), exact=True))
    emails = units.get("emails") or [{}]
    return Keys(key(units.get("userName")), key(emails[0].get("value")), key(units.get("externalId"), exact=True))


def key(value: Any, *, exact: bool = False) -> str:
    if not isinstance(value, str) or not value:
        return ""
    normal = unicodedata.normalize("NFC", value)
    folded = normal if exact else normal.casefold()
    return folded if len(folded) <= LONGEST else hashlib.sha256(folded.encode()).hexdigest()
