"""What an operation changes, field by field."""

from collections.abc import Mapping
from typing import Any


def field_changes(changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields with their values before and after; whatever else is kept there, such as members, is left out."""
    return [{"field": name} | change for name, change in changes.items() if isinstance(change, dict)]
