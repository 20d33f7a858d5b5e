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


def from_the_sdk(found: Any) -> Any:
    """As `Get-MgServicePrincipalSynchronizationJobSchema | ConvertTo-Json -Depth 20` writes it."""
    if isinstance(found, list):
        return [from_the_sdk(one) for one in found]
    if isinstance(found, dict):
        named = {name[:1].upper() + name[1:]: from_the_sdk(one) for name, one in found.items()}
        return {"AdditionalProperties": {}, **named}
    return found


def annotated(found: Any) -> Any:
    """As Graph Explorer shows it, with what `odata.metadata=full` adds."""
    if isinstance(found, list):
        return [annotated(one) for one in found]
    if isinstance(found, dict):
        told = {f"{name}@odata.type": "#Collection" for name, one in found.items() if isinstance(one, list)}
        return {"@odata.type": "#microsoft.graph.x", **told} | {name: annotated(one) for name, one in found.items()}
    return found


def cut_off(found: Any, depth: int) -> Any:
    """As ConvertTo-Json writes what lies deeper than `depth` levels."""
    if isinstance(found, list):
        return [cut_off(one, depth - 1) for one in found] if depth >= 0 else " ".join(map(in_words, found))
    if isinstance(found, dict):
        return {name: cut_off(one, depth - 1) for name, one in found.items()} if depth >= 0 else in_words(found)
    return found


def in_words(found: Any) -> str:
    return "System.Collections.Hashtable" if isinstance(found, dict) else str(found)


def collapsed(found: Any) -> Any:
    """Lists of one as their element, where the element is an object."""
    if isinstance(found, list):
        alone = len(found) == 1 and isinstance(found[0], dict)
        return collapsed(found[0]) if alone else [collapsed(one) for one in found]
    return {name: collapsed(one) for name, one in found.items()} if isinstance(found, dict) else found


def counted(found: Any) -> Any:
    """Lists as Windows PowerShell 5.1 writes those that were made in a script."""
    if isinstance(found, list):
        return {"value": [counted(one) for one in found], "Count": len(found)}
    return {name: counted(one) for name, one in found.items()} if isinstance(found, dict) else found


class GraphWithJobs:
    """Graph, as far as it is asked for the schema of one of these jobs."""

    def __init__(self, *jobs: str) -> None:
        self.jobs = jobs

    def synchronization_jobs(self, _principal: str) -> list[dict[str, Any]]:
        return [{"id": one, "templateId": "customappsso", "schedule": {"state": "Active"}} for one in self.jobs]

    def synchronization_schema(self, _principal: str, job: str) -> dict[str, Any]:
        return only(row("title", constant(job)))
