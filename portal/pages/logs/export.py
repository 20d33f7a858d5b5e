"""The log as files: CSV with a row per changed field, or a JSON object per line."""

import datetime
import json
from collections.abc import Iterable, Iterator
from typing import Any

from portal.words.operations import field_changes
from sync.models import Operation

COLUMNS = (
    "time", "run", "object", "name", "user_principal_name", "entra_id", "aws_id", "action", "result", "reason", "field",
    "before", "after", "mapping", "status", "error", "request_id",
)  # fmt: skip


def csv_rows(operations: Iterable[Operation]) -> Iterator[list[object]]:
    for operation in operations:
        facts = facts_of(operation)
        changes = field_changes(operation.changes) or [{"field": "members" if operation.changes else ""}]
        for change in changes:
            row = facts | {name: change.get(name) for name in ("field", "before", "after", "mapping")}
            yield ["" if row[name] is None else row[name] for name in COLUMNS]


def json_lines(operations: Iterable[Operation]) -> Iterator[str]:
    for operation in operations:
        facts = facts_of(operation) | {"changes": operation.changes}
        facts |= {"request": operation.request or None, "answer": operation.answer or None}
        yield json.dumps(facts, ensure_ascii=False, default=str) + "\n"


def facts_of(operation: Operation) -> dict[str, Any]:
    return {
        "time": operation.moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "run": operation.run.number,
        "object": operation.object_type,
        "name": operation.display_name,
        "user_principal_name": operation.detail_name,
        "entra_id": operation.object_id,
        "aws_id": operation.scim_id,
        "action": operation.action,
        "result": operation.result,
        "reason": operation.problem,
        "status": operation.status,
        "error": operation.error,
        "request_id": operation.request_id,
    }
