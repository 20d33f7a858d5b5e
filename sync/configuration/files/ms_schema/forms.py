"""The forms in which a synchronization schema is exported, brought into the one of Microsoft Graph.

Graph's own JSON with or without annotations, alone, under `value` or in its job; the objects of the PowerShell SDK, with
capitals and AdditionalProperties; lists of one that became their element. What else of Graph it is, is named.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sync.expressions.errors import gettext_noop

Json = Mapping[str, Any]

NO_RULES = gettext_noop("The file has no “synchronizationRules”, so it is not a synchronization schema of Microsoft.")
SEVERAL = gettext_noop("The file holds %(count)d schemas: %(names)s. Keep the one of your provisioning job.")
CUT_OFF = gettext_noop(
    "The file was cut off when it was exported: “%(name)s” is “%(text)s” in place of its content. ConvertTo-Json writes "
    "two levels unless it is told otherwise. Export it again with ConvertTo-Json -Depth 20."
)
TWICE = gettext_noop("“%(name)s” stands twice in one object, as %(spellings)s. Which of them counts cannot be known.")
AN_ERROR = gettext_noop("This is an error of Microsoft Graph, not a schema: %(code)s. %(message)s")
A_JOB = gettext_noop(
    "This describes provisioning jobs, not a schema. Get the schema of the job: "
    "/servicePrincipals/<object ID>/synchronization/jobs/%(job)s/schema."
)
AN_APPLICATION = gettext_noop(
    "This describes an application, not a schema. Get the schema of its provisioning job: "
    "/servicePrincipals/<object ID>/synchronization/jobs/<job ID>/schema."
)
A_PART = gettext_noop("This is only a part of a schema: it begins at “%(name)s”. Export the schema as a whole.")
NOTHING = gettext_noop("Microsoft Graph's answer is empty: there is nothing in its “value”.")

# Where a schema can lie: lists that Graph answers with, a job, an answer of $batch.
WRAPPERS = ("value", "schema", "body", "responses")
LISTS = (
    *("synchronizationRules", "objectMappings", "attributeMappings", "groups", "clauses", "values"),
    *("inputFilterGroups", "categoryFilterGroups", "includedGroups", "includedContainers"),
)
OBJECTS = ("scope", "source", "targetOperand", "groupFilter", "containerFilter")
VALUES = (
    *("id", "name", "priority", "sourceDirectoryName", "targetDirectoryName", "enabled", "flowTypes"),
    *("sourceObjectName", "targetObjectName", "targetAttributeName", "defaultValue", "flowBehavior", "flowType"),
    *("matchingPriority", "type", "expression", "sourceOperandName", "operatorName"),
)
NAMES = {name.lower(): name for name in (*LISTS, *OBJECTS, *VALUES)}
# Words that ConvertTo-Json writes as numbers, by their place (Graph's metadata, EnumType).
WORDS = {
    "type": ("Attribute", "Constant", "Function"),
    "flowType": ("Always", "ObjectAddOnly", "MultiValueAddOnly", "ValueAddOnly", "AttributeAddOnly"),
    "flowBehavior": ("FlowWhenChanged", "FlowAlways"),
}
ADDITIONAL = "additionalproperties"


class NotASchema(Exception):
    """`template` and `params`: the sentence, for translation."""

    def __init__(self, template: str, **params: str | int) -> None:
        super().__init__(template % params)
        self.template, self.params = template, params


def is_of_graph(document: Any) -> bool:
    """A schema in any form, or something else that Graph gives."""
    return bool(list(_schemas(document))) or _other(document) is not None


def as_graph_has_it(document: Any) -> Json:
    """The schema with Graph's names, lists and words, and nothing that is not read. Raises NotASchema."""
    found = list(_schemas(document))
    if not found:
        raise _other(document) or NotASchema(NO_RULES)
    if len(found) > 1:
        ids = [str(_named(one).get("id") or "?")[:80] for one in found]
        raise NotASchema(SEVERAL, count=len(found), names=", ".join(ids[:5]))
    return _object(found[0])


# --- Finding it -----------------------------------------------------------------------------------


def _schemas(document: Any) -> Iterator[Json]:
    return (one for one in _objects(document) if _is_schema(one))


def _is_schema(one: Json) -> bool:
    """The SDK gives jobs a schema that is empty."""
    return _folded(one).get("synchronizationrules") is not None


def _objects(document: Any, depth: int = 6) -> Iterator[Json]:
    """The document and what lies in its wrappers, outside in."""
    if isinstance(document, dict):
        yield document
    inside: Sequence[Any] = document if isinstance(document, list) else ()
    if isinstance(document, dict) and not _is_schema(document):
        inside = [one for name, one in _folded(document).items() if name in WRAPPERS]
    for one in inside if depth else ():
        yield from _objects(one, depth - 1)


def _folded(found: Json) -> dict[str, Any]:
    return {name.lower(): one for name, one in found.items()}


# --- What else it is ------------------------------------------------------------------------------


def _other(document: Any) -> NotASchema | None:
    for one in _objects(document):
        names = _folded(one)
        for needed, explain in OTHERS:
            if needed <= names.keys():
                return explain(names)
    empty = isinstance(document, dict) and _folded(document).get("value") == []
    return NotASchema(NOTHING) if empty else None


def _an_error(names: Json) -> NotASchema | None:
    error = names["error"]
    if not isinstance(error, dict):
        return None
    return NotASchema(AN_ERROR, code=str(error.get("code"))[:80], message=str(error.get("message") or "")[:300])


def _part(name: str) -> Callable[[Json], NotASchema]:
    return lambda _names: NotASchema(A_PART, name=name)


OTHERS: Sequence[tuple[set[str], Callable[[Json], NotASchema | None]]] = (
    ({"error"}, _an_error),
    ({"templateid", "schedule"}, lambda names: NotASchema(A_JOB, job=str(names.get("id") or "<job ID>")[:80])),
    ({"appid", "displayname"}, lambda _names: NotASchema(AN_APPLICATION)),
    ({"objectmappings"}, _part("objectMappings")),
    ({"attributemappings"}, _part("attributeMappings")),
    ({"targetattributename"}, _part("targetAttributeName")),
    ({"directories"}, _part("directories")),
)


# --- Bringing it into Graph's form ----------------------------------------------------------------


def _object(found: Json) -> dict[str, Any]:
    return {name: _value(name, one) for name, one in _named(found).items()}


def _named(found: Json) -> dict[str, Any]:
    """By Graph's spelling of the names; what the SDK did not know at the time is among AdditionalProperties."""
    spelled: dict[str, str] = {}
    for written in found:
        name = NAMES.get(written.lower())
        if name in spelled:
            raise NotASchema(TWICE, name=name, spellings=f"{spelled[name]}, {written}")
        if name:
            spelled[name] = written
    more = _folded(found).get(ADDITIONAL)
    additional = _named(more) if isinstance(more, dict) else {}
    return additional | {name: found[written] for name, written in spelled.items()}


def _value(name: str, found: Any) -> Any:
    if name in LISTS:
        return [_element(name, one) for one in _as_list(name, found)]
    if name in OBJECTS:
        return _element(name, found)
    words = WORDS.get(name, ())
    known = isinstance(found, int) and not isinstance(found, bool) and 0 <= found < len(words)
    return words[found] if known else found


def _as_list(name: str, found: Any) -> Sequence[Any]:
    """Windows PowerShell writes some lists as {"value": […], "Count": 1}, and a list of one as its element."""
    if isinstance(found, dict) and set(_folded(found)) == {"value", "count"}:
        found = _folded(found)["value"]
    if isinstance(found, list):
        return found
    return [] if found is None else [_uncut(name, found)]


def _element(name: str, found: Any) -> Any:
    if isinstance(found, dict):
        return _object(found)
    return found if name == "values" else _uncut(name, found)


def _uncut(name: str, found: Any) -> Any:
    """In place of what lies too deep ConvertTo-Json writes its type or its members as one text."""
    if isinstance(found, str):
        raise NotASchema(CUT_OFF, name=name, text=found[:60])
    return found
