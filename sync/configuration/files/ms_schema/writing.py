"""Our rows, filters and actions -> Microsoft's schema. What the file cannot say is in the report."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sync import expressions
from sync.configuration.files.ms_schema import names
from sync.configuration.files.ms_schema.reports import ReportLine, ReportNote
from sync.expressions.tree import AttributeNode, Call, Empty, Node, NumberNode, OperatorNode, Text, walk
from sync.rules.aws_fields import BOOLEANS, REFERENCES, required_targets
from sync.rules.entra_attributes import source_attribute
from sync.rules.filters import OPERATORS
from sync.rules.rows import MappingRow as Rule
from sync.rules.rows import ObjectType
from sync.rules.wanted import Wanted, WantedFilter

Json = dict[str, Any]
RULE = "USER_OUTBOUND_USER"
OBJECT_NAMES: dict[ObjectType, str] = {
    "user": "Provision Microsoft Entra ID Users",
    "group": "Provision Microsoft Entra ID Groups",
}
TYPES = {"boolean": "Boolean", "reference": "Reference", "date": "DateTime"}


def write(wanted: Wanted) -> tuple[Json, list[ReportLine]]:
    """The schema, and what became of each mapping and filter on the way."""
    report: list[ReportLine] = []
    kinds = [kind for kind in names.OBJECTS if kind in wanted.mappings]
    rule = {
        "id": _id("rule"),
        "name": RULE,
        "priority": 1,
        "editable": True,
        "sourceDirectoryName": names.SOURCE_DIRECTORY,
        "targetDirectoryName": names.TARGET_DIRECTORY,
        "objectMappings": [_object_mapping(wanted, kind, report) for kind in kinds],
        "metadata": [],
    }
    directories = [_source_directory(wanted, kinds), _target_directory(wanted, kinds)]
    schema = {"id": _id("schema"), "version": "1", "synchronizationRules": [rule], "directories": directories}
    return schema, report


def _id(what: str) -> str:
    """The same each time, so that two files can be compared; Microsoft gives its own when the schema is saved."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://graph.microsoft.com/synchronization/{what}"))


def _object_mapping(wanted: Wanted, kind: ObjectType, report: list[ReportLine]) -> Json:
    actions = wanted.settings.get(f"{kind}_actions")
    flows = _flows(kind, actions, report)
    return {
        "name": OBJECT_NAMES[kind],
        "enabled": bool(flows),
        "flowTypes": ", ".join(flows or names.FLOWS),
        "sourceObjectName": names.OBJECTS[kind],
        "targetObjectName": names.TARGET_OBJECTS[kind],
        "scope": _scope(kind, wanted.filters.get(kind, []), report),
        "attributeMappings": [_attribute_mapping(kind, rule, report) for rule in wanted.mappings[kind]],
        "metadata": [],
    }


def _flows(kind: ObjectType, actions: Sequence[str] | None, report: list[ReportLine]) -> list[str]:
    """A flow is written when its first action is allowed: Update stands for disabling too."""
    if actions is None:
        return list(names.FLOWS)
    allowed = set(actions)
    flows = [flow for flow in names.FLOWS if names.ALLOWS[kind][flow][0] in allowed]
    said = {action for flow in flows for action in names.ALLOWS[kind][flow]}
    notes = [] if said == allowed else [ReportNote("disable-with-update")]
    report.append(ReportLine(kind, "actions", ", ".join(flows), "changed" if notes else "taken", notes))
    return flows


# --- Mappings ---


def _attribute_mapping(kind: ObjectType, rule: Rule, report: list[ReportLine]) -> Json:
    source, notes = _source(kind, rule)
    notes += [ReportNote("default-create-only")] if rule.default and rule.default_on_update else []
    notes += [ReportNote("keep-lost")] if rule.when_empty == "keep" else []
    report.append(ReportLine(kind, "mapping", rule.target, "changed" if notes else "taken", notes))
    return {
        "targetAttributeName": rule.target,
        "source": source,
        "defaultValue": rule.default or None,
        "exportMissingReferences": False,
        "flowBehavior": "FlowWhenChanged",
        "flowType": "ObjectAddOnly" if rule.apply == "create" else "Always",
        "matchingPriority": rule.matching or 0,
    }


def _source(kind: ObjectType, rule: Rule) -> tuple[Json | None, list[ReportNote]]:
    if rule.kind == "none":
        return None, [ReportNote("written-none")]
    if rule.kind == "constant":
        return _constant(rule.source), []
    if rule.kind == "expression":
        return _expression(kind, rule.source)
    name = names.attribute(rule.source, kind)
    notes = [] if name == rule.source else [ReportNote("source-renamed", {"written": rule.source, "name": name})]
    return _attribute(name), notes


def _expression(kind: ObjectType, source: str) -> tuple[Json, list[ReportNote]]:
    written = names.with_attributes(source, lambda name: names.attribute(name, kind))
    root = expressions.parse(written).root
    ampersand = any(isinstance(node, OperatorNode) and node.operator == "&" for node in walk(root))
    notes = [ReportNote("expression-spelled", {"source": written})] if written != source else []
    notes += [ReportNote("joined-by-ampersand")] if ampersand else []
    return {**_node(root), "expression": written, "type": "Function"}, notes


def _attribute(name: str) -> Json:
    return {"type": "Attribute", "name": name, "expression": f"[{name}]", "parameters": []}


def _constant(value: str) -> Json:
    return {"type": "Constant", "name": value, "expression": names.quoted(value), "parameters": []}


def _node(node: Node) -> Json:
    """The tree that Graph keeps beside the text. Arguments that are left out have no entry (Graph, parseExpression)."""
    if isinstance(node, AttributeNode):
        return _attribute(node.name)
    if isinstance(node, Call):
        return {
            "type": "Function",
            "name": node.name,
            "expression": _text(node),
            "parameters": [
                {"key": _parameter(node.name, place), "value": _node(argument)}
                for place, argument in enumerate(node.arguments)
                if not isinstance(argument, Empty)
            ],
        }
    return _constant(_text(node)) if not isinstance(node, Text) else _constant(node.value)


def _parameter(function: str, place: int) -> str:
    """By our table's names; Microsoft's documentation prints other ones in places."""
    return expressions.FUNCTIONS[function.lower()].parameter(place).rstrip("?")


def _text(node: Node) -> str:
    match node:
        case Text(value=value):
            return names.quoted(value)
        case NumberNode(value=number):
            return str(number)
        case AttributeNode(name=name):
            return f"[{name}]"
        case Call(name=name, arguments=arguments):
            return f"{name}({', '.join(_text(one) for one in arguments)})"
        case OperatorNode(operator=operator, left=left, right=right):
            return f"{_text(left)} {operator} {_text(right)}"
        case Empty():
            return ""
        case word:
            return word.name


# --- Filters ---


def _scope(kind: ObjectType, filters: Sequence[WantedFilter], report: list[ReportLine]) -> Json | None:
    if not filters:
        return None
    groups = [_filter_group(kind, one, report) for one in filters]
    return {"groups": groups, "inputFilterGroups": [], "categoryFilterGroups": []}


def _filter_group(kind: ObjectType, one: WantedFilter, report: list[ReportLine]) -> Json:
    loses = any(clause.get("ignore_case") for clause in one.clauses)
    notes = [ReportNote("ignore-case-lost")] if loses else []
    report.append(ReportLine(kind, "filter", one.title, "changed" if notes else "taken", notes))
    return {"name": one.title, "clauses": [_clause(kind, clause) for clause in one.clauses]}


def _clause(kind: ObjectType, clause: Mapping[str, Any]) -> Json:
    operator = clause["operator"]
    return {
        "sourceOperandName": names.attribute(clause["attribute"], kind),
        "operatorName": operator,
        "targetOperand": {"values": [clause["value"]] if OPERATORS[operator].takes != "nothing" else []},
    }


# --- Directories: the attributes that the mappings name ---


def _source_directory(wanted: Wanted, kinds: Sequence[ObjectType]) -> Json:
    objects = [
        _object(names.OBJECTS[kind], [_source_definition(kind, one) for one in _read(wanted, kind)]) for kind in kinds
    ]
    return _directory(names.SOURCE_DIRECTORY, objects)


def _target_directory(wanted: Wanted, kinds: Sequence[ObjectType]) -> Json:
    return _directory(
        names.TARGET_DIRECTORY,
        [
            _object(names.TARGET_OBJECTS[kind], [_target_definition(kind, rule) for rule in wanted.mappings[kind]])
            for kind in kinds
        ],
    )


def _read(wanted: Wanted, kind: ObjectType) -> list[str]:
    """Attributes of Entra that mappings and filters read, each once."""
    found = [clause["attribute"] for one in wanted.filters.get(kind, []) for clause in one.clauses]
    for rule in wanted.mappings[kind]:
        if rule.kind == "expression":
            found += expressions.parse(rule.source).attributes
        elif rule.kind in ("direct", "reference"):
            found.append(rule.source)
    return sorted({names.attribute(name, kind) for name in found})


def _directory(name: str, objects: list[Json]) -> Json:
    return {"id": _id(name), "name": name, "readOnly": False, "version": "1", "objects": objects}


def _object(name: str, attributes: list[Json]) -> Json:
    return {"name": name, "attributes": attributes, "metadata": [], "supportedApis": []}


def _source_definition(kind: ObjectType, name: str) -> Json:
    attribute = source_attribute(name, kind)
    found = attribute.type if attribute else "text"
    refers = found == "reference"
    return _definition(
        name, TYPES.get(found, "String"), multivalued=found == "list" or name == "members", refers=refers
    )


def _target_definition(kind: ObjectType, rule: Rule) -> Json:
    refers = rule.target in REFERENCES
    type_ = "Reference" if refers else "Boolean" if rule.target in BOOLEANS else "String"
    required = rule.target in required_targets(kind)
    return _definition(rule.target, type_, multivalued=rule.target == "members", refers=refers, required=required)


def _definition(name: str, type_: str, *, multivalued: bool, refers: bool, required: bool = False) -> Json:
    return {
        "name": name,
        "type": type_,
        "anchor": name in ("objectId", "id"),
        "caseExact": False,
        "defaultValue": None,
        "flowNullValues": False,
        "multivalued": multivalued,
        "mutability": "ReadWrite",
        "required": required,
        "metadata": [],
        "apiExpressions": [],
        "referencedObjects": [{"referencedObjectName": "User", "referencedProperty": None}] if refers else [],
    }
