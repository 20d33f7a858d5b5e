"""What an operation changes, field by field."""

from typing import Any

from sync.models import Operation


def field_changes(operation: Operation) -> list[dict[str, Any]]:
    rows = [(name, change) for name, change in operation.changes.items() if isinstance(change, dict)]
    return [{"field": name} | change for name, change in rows]
