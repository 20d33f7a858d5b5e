"""The sample, and small schemas for one question each."""

import json
from pathlib import Path
from typing import Any

SAMPLE: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "samples" / "synchronization-schema.json").read_text(encoding="utf-8")
)


def row(target: str, source: Any, **facts: Any) -> dict[str, Any]:
    return {"targetAttributeName": target, "source": source, "flowType": "Always", "matchingPriority": 0, **facts}


def attribute(name: str) -> dict[str, Any]:
    return {"type": "Attribute", "name": name, "expression": f"[{name}]", "parameters": []}


def constant(value: str) -> dict[str, Any]:
    return {"type": "Constant", "name": value, "expression": json.dumps(value), "parameters": []}


def function(expression: str) -> dict[str, Any]:
    return {"type": "Function", "name": expression.partition("(")[0], "expression": expression, "parameters": []}


def only(*rows: Any, **facts: Any) -> dict[str, Any]:
    """A schema with these mappings of users."""
    users = {"name": "Users", "sourceObjectName": "User", "attributeMappings": list(rows), "scope": None, **facts}
    return {"synchronizationRules": [{"name": "USER_OUTBOUND_USER", "objectMappings": [users]}]}
