"""What AWS holds against what was last written there, unit by unit. Pure; units: see sync/scim/resource.py."""

import unicodedata
from collections.abc import Collection, Mapping
from typing import Any

from sync.scim.resource import Units

# AWS may not give these back (Developer Guide, CreateUser: sent in its example, missing from the answer).
NOT_ECHOED = ("profileUrl",)
# Unique without regard to letter case, and kept in lower case by some stores: another case is no difference.
CASE_IGNORED = ("userName", "emails")


def differences(written: Units, held: Units, mapped: Collection[str]) -> dict[str, dict[str, Any]]:
    """`{"title": {"written": "Clerk", "held": "Chief"}}` of the mapped units.

    A null unit in `written` is unknown and is written anew anyway: it is not compared.
    """
    return {
        unit: {"written": written.get(unit), "held": held.get(unit)}
        for unit in mapped
        if unit in written or unit in held
        if not _settled(unit, written, held) and not same(unit, written.get(unit), held.get(unit))
    }


def _settled(unit: str, written: Units, held: Units) -> bool:
    unknown = unit in written and written[unit] is None
    return unknown or (unit in NOT_ECHOED and unit not in held)


def same(unit: str, written: Any, held: Any) -> bool:
    """Servers trim, compose (NFC) and add keys of their own to list elements; none of that is a difference."""
    if isinstance(written, list):
        elements = held if isinstance(held, list) else []
        pairs = zip(written, elements, strict=False)
        return len(written) == len(elements) and all(same(unit, ours, theirs) for ours, theirs in pairs)
    if isinstance(written, Mapping):
        return isinstance(held, Mapping) and all(same(unit, value, held.get(key)) for key, value in written.items())
    fold = unit in CASE_IGNORED
    return bool(normal(written, fold=fold) == normal(held, fold=fold))


def normal(value: Any, *, fold: bool = False) -> Any:
    """A flag may come as text (Developer Guide, PatchUser: "false"); an empty text is no value."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return value
    text = unicodedata.normalize("NFC", value).strip()
    if text in ("True", "False"):
        return text.lower()
    return (text.casefold() if fold else text) or None
