"""Microsoft's schema -> our rows, filters and actions, with a report of what became of each part.

Unknown keys are passed over: Microsoft adds new ones. What the file cannot say (what happens when a source becomes
empty, defaults on updates) has its usual value here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sync import expressions
from sync.configuration.files.ms_schema import forms, names
from sync.configuration.files.ms_schema.forms import NotASchema
from sync.configuration.files.ms_schema.reports import Problem, ReportLine, ReportNote
from sync.expressions.errors import ExpressionError, gettext_noop
from sync.expressions.parsing import parse_tree
from sync.expressions.tree import Text
from sync.rules import aws_fields, mapping_checks
from sync.rules.filter_checks import check
from sync.rules.filters import MOST_CLAUSES, Clause, operator_named
from sync.rules.rows import Apply, Kind, MappingProblem, ObjectType, expression_problem
from sync.rules.rows import MappingRow as Rule
from sync.rules.template import DEFAULT_GROUP_MAPPINGS, DEFAULT_USER_MAPPINGS, NOT_FOR_AWS
from sync.rules.wanted import WantedFilter

Json = Mapping[str, Any]
NO_OBJECTS = gettext_noop("The schema has no rule that takes users or groups out of Entra.")
DIRECT = {"Attribute": "direct", "Constant": "constant", "Function": "expression"}
MATCHING_PROBLEMS = {"matching-unfilterable", "constant-matching", "matching-random"}
LAST_MATCH = 9
UNTITLED = gettext_noop("Filter %(n)d")


class LeftOut(Exception):
    def __init__(self, code: str, **params: str | int) -> None:
        super().__init__(code)
        self.note = ReportNote(code, params)


class Wrong(LeftOut):
    """Our own checks would refuse it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__("problem")
        self.note = ReportNote("problem", problem=problem)


@dataclass(slots=True)
class Read:
    """By object type, as sync/rules/wanted.py has it; an object type that the schema does not have is missing."""

    mappings: dict[str, list[Rule]] = field(default_factory=dict)
    filters: dict[str, list[WantedFilter]] = field(default_factory=dict)
    actions: dict[str, list[str]] = field(default_factory=dict)
    report: list[ReportLine] = field(default_factory=list)


def read(document: Any) -> Read:
    """Of any form in which a schema is exported. Raises NotASchema."""
    schema = forms.as_graph_has_it(document)
    found = Read()
    for rule in sorted(_objects(schema, "synchronizationRules"), key=_priority):
        _read_rule(rule, found)
    if not found.actions:
        raise NotASchema(NO_OBJECTS)
    return found


def _priority(rule: Json) -> int:
    found = rule.get("priority")
    return found if isinstance(found, int) else 0


def _read_rule(rule: Json, found: Read) -> None:
    name = _text(rule, "name") or "?"
    if any(_objects(rule.get(kind), of) for kind, of in FILTERED_BY):
        found.report.append(ReportLine("", "rule", name, "left_out", [ReportNote("rule-filter")]))
    for one in _objects(rule, "objectMappings"):
        title = _text(one, "name") or name
        if _text(rule, "targetDirectoryName") == names.SOURCE_DIRECTORY:
            found.report.append(ReportLine("", "rule", title, "left_out", [ReportNote("direction")]))
        else:
            _read_objects(one, title, found)


# A rule may be narrowed by these (Graph, groupFilter and containerFilter).
FILTERED_BY = (("groupFilter", "includedGroups"), ("containerFilter", "includedContainers"))


def _read_objects(one: Json, title: str, found: Read) -> None:
    source = _text(one, "sourceObjectName")
    object_type = names.OBJECTS_WRITTEN.get(source.lower())
    if object_type is None or object_type in found.actions:
        note = ReportNote("second-object") if object_type else ReportNote("object", {"object": source or "?"})
        found.report.append(ReportLine(object_type or "", "rule", title, "left_out", [note]))
        return
    _read_actions(one, object_type, found)
    _read_filters(one.get("scope"), object_type, found)
    _read_mappings(one, object_type, found)


# --- Actions ---


def _read_actions(one: Json, object_type: ObjectType, found: Read) -> None:
    flows = _flows(one.get("flowTypes"))
    enabled = one.get("enabled") is not False
    actions = [action for flow in flows for action in names.ALLOWS[object_type][flow]] if enabled else []
    notes = [] if enabled else [ReportNote("groups-off" if object_type == "group" else "people-off")]
    found.actions[object_type] = actions
    found.report.append(ReportLine(object_type, "actions", ", ".join(flows), "changed" if notes else "taken", notes))


def _flows(written: Any) -> list[str]:
    """`"Add, Update, Delete"`, or the number of these flags; all of them when the file does not say."""
    if isinstance(written, int) and not isinstance(written, bool):
        return [name for name, bit in names.FLOWS.items() if written & bit]
    if not isinstance(written, str):
        return list(names.FLOWS)
    given = {word.strip().lower() for word in written.split(",")}
    return [name for name in names.FLOWS if name.lower() in given]


# --- Attribute mappings ---


def _read_mappings(one: Json, object_type: ObjectType, found: Read) -> None:
    """A second phone number stands behind the others, so that it is the one that is left out."""
    attributes = one.get("attributeMappings")
    written = list(enumerate(attributes if isinstance(attributes, list) else [], start=1))
    written.sort(key=lambda pair: isinstance(pair[1], dict) and _text(pair[1], "targetAttributeName") in LATER)
    kept: list[Rule] = []
    lines: list[tuple[int, ReportLine]] = []
    for position, attribute in written:
        rule, line = _read_mapping(attribute, object_type, kept)
        lines.append((position, line))
        if rule is not None:
            kept.append(replace(rule, position=position))
    kept.sort(key=lambda rule: rule.position)
    found.mappings[object_type] = [replace(rule, position=n) for n, rule in enumerate(kept, start=1)]
    found.report += [line for _position, line in sorted(lines, key=lambda pair: pair[0])]


LATER = frozenset(NOT_FOR_AWS)


def _read_mapping(attribute: Any, object_type: ObjectType, kept: Sequence[Rule]) -> tuple[Rule | None, ReportLine]:
    name = _text(attribute, "targetAttributeName") if isinstance(attribute, dict) else ""
    try:
        if not isinstance(attribute, dict):
            raise LeftOut("not-a-mapping")
        rule, notes = _rule(attribute, name, object_type)
        rule, more = _settled(rule, object_type, kept)
    except LeftOut as why:
        return None, ReportLine(object_type, "mapping", name or "?", "left_out", [why.note])
    notes += more
    return rule, ReportLine(object_type, "mapping", rule.target, "changed" if notes else "taken", notes)


def _rule(attribute: Json, written: str, object_type: ObjectType) -> tuple[Rule, list[ReportNote]]:
    target, notes = _target(written, object_type)
    apply, flow_notes = _flow(attribute)
    kind, source, source_notes = _source(attribute.get("source"), target, object_type)
    matching, matching_notes = _matching(attribute.get("matchingPriority"))
    rule = Rule(
        target=target,
        kind=kind,
        source=source,
        default=_text(attribute, "defaultValue"),
        apply=apply,
        matching=matching,
    )
    return rule, [*notes, *flow_notes, *source_notes, *matching_notes]


def _matching(priority: Any) -> tuple[int | None, list[ReportNote]]:
    """0 stands for no matching (Graph, attributeMapping)."""
    if not isinstance(priority, int) or isinstance(priority, bool) or priority < 1:
        return None, []
    late = priority > LAST_MATCH
    return min(priority, LAST_MATCH), [
        ReportNote("matching-order", {"priority": priority, "place": LAST_MATCH})
    ] if late else []


def _target(written: str, object_type: ObjectType) -> tuple[str, list[ReportNote]]:
    target = names.target(written, object_type)
    if not written:
        raise LeftOut("no-target")
    if target is None:
        raise LeftOut("roles" if written.lower().startswith("roles") else "unknown-target")
    return target, [] if target == written else [ReportNote("target-spelled", {"written": written, "name": target})]


def _flow(attribute: Json) -> tuple[Apply, list[ReportNote]]:
    notes = [ReportNote("flow-always")] if _text(attribute, "flowBehavior") == "FlowAlways" else []
    match _text(attribute, "flowType") or "Always":
        case "Always":
            return "always", notes
        case "ObjectAddOnly":
            return "create", [*notes, ReportNote("only-when-created")]
        case "MultiValueAddOnly" | "ValueAddOnly" | "AttributeAddOnly" as flow:
            raise LeftOut("flow-type", flow=flow)
        case flow:
            raise LeftOut("unknown-flow", flow=flow[:40])


def _source(source: Any, target: str, object_type: ObjectType) -> tuple[Kind, str, list[ReportNote]]:
    if not isinstance(source, dict):
        return "none", "", [ReportNote("source-none")]
    match _text(source, "type"):
        case "Attribute":
            written = _attribute_name(source)
            name = names.attribute(written, object_type)
            notes = [] if name == written else [ReportNote("source-renamed", {"written": written, "name": name})]
            return "reference" if target in aws_fields.REFERENCES else "direct", name, notes
        case "Constant":
            return "constant", _constant(source), []
        case "Function":
            return "expression", *_expression(source, object_type)
        case other:
            raise LeftOut("source-type", type=other[:40])


def _attribute_name(source: Json) -> str:
    """`[mail]`, as the expression has it; the name alone in files that leave the expression out."""
    written = _text(source, "expression").strip()
    return written[1:-1].strip() if written.startswith("[") and written.endswith("]") else _text(source, "name")


def _constant(source: Json) -> str:
    written = _text(source, "expression")
    try:
        tree = parse_tree(written)
    except ExpressionError:
        return written or _text(source, "name")
    return tree.value if isinstance(tree, Text) else written


def _expression(source: Json, object_type: ObjectType) -> tuple[str, list[ReportNote]]:
    """Parsed and checked here; what is wrong with it is said in the words of the editor."""
    written = _text(source, "expression").strip()
    if not written:
        raise LeftOut("no-expression")
    if wrong := expressions.check(written):
        raise Wrong(expression_problem(wrong[0]))
    renamed = names.with_attributes(written, lambda name: names.attribute(name, object_type))
    spelled = mapping_checks.canonical(Rule("", "expression", renamed)).source
    return spelled, [] if spelled == written else [ReportNote("expression-spelled", {"source": spelled})]


def _settled(rule: Rule, object_type: ObjectType, kept: Sequence[Rule]) -> tuple[Rule, list[ReportNote]]:
    """The row as our own checks take it. Raises LeftOut."""
    notes: list[ReportNote] = []
    for problem in mapping_checks.check_mapping(rule, kept, object_type):
        if problem.code in MATCHING_PROBLEMS:
            rule = replace(rule, matching=None)
            notes.append(ReportNote("matching-dropped", problem=problem))
        elif problem.code == "matching-taken":
            rule, note = _later(rule, kept, problem)
            notes.append(note)
        elif problem.code == "random":
            rule = replace(rule, apply="create")
            notes.append(ReportNote("random-create"))
        elif problem.code == "duplicate-target":
            raise LeftOut("duplicate-target")
        elif problem.code == "one-list-value":
            if not _is_templates_own(rule, object_type, kept):
                raise LeftOut("second-item", **problem.params)
        else:
            raise Wrong(problem)
    return rule, notes


def _later(rule: Rule, kept: Sequence[Rule], problem: MappingProblem) -> tuple[Rule, ReportNote]:
    """The next free place in matching."""
    taken = {other.matching for other in kept}
    place = next((n for n in range(rule.matching or 1, LAST_MATCH + 1) if n not in taken), None)
    if place is None:
        return replace(rule, matching=None), ReportNote("matching-dropped", problem=problem)
    return replace(rule, matching=place), ReportNote("matching-order", {"priority": rule.matching or 0, "place": place})


def _is_templates_own(rule: Rule, object_type: ObjectType, kept: Sequence[Rule]) -> bool:
    """Rows of the template stay beside each other, with a warning, as they do on the page."""
    beside = [other for other in kept if aws_fields.same_list(rule.target, other.target)]
    return all(_in_template(one, object_type) for one in (rule, *beside))


def _in_template(rule: Rule, object_type: ObjectType) -> bool:
    template = DEFAULT_USER_MAPPINGS if object_type == "user" else DEFAULT_GROUP_MAPPINGS
    return any(replace(one, position=rule.position) == rule for one in template)


# --- Filters ---


def _read_filters(scope: Any, object_type: ObjectType, found: Read) -> None:
    """All filters of an object, or none of them: one of several left out would let others in, or nobody."""
    groups = _objects(scope, "groups")
    read = [_read_filter(group, n, object_type) for n, group in enumerate(groups, start=1)]
    lines = [line for _filter, line in read]
    if any(_objects(scope, kind) for kind in ("categoryFilterGroups", "inputFilterGroups")):
        lines.append(ReportLine(object_type, "filter", "?", "left_out", [ReportNote("filter-kind")]))
    if any(line.outcome == "left_out" for line in lines):
        found.report += [_kept(line) for line in lines]
        return
    found.filters[object_type] = [one for one, _line in read if one is not None]
    found.report += lines


def _kept(line: ReportLine) -> ReportLine:
    return replace(line, outcome="left_out", notes=[*line.notes, ReportNote("filter-kept")])


def _read_filter(group: Json, n: int, object_type: ObjectType) -> tuple[WantedFilter | None, ReportLine]:
    written = _text(group, "name").strip()[:200]
    title = written or UNTITLED % {"n": n}
    try:
        clauses = [_clause(clause, object_type) for clause in _objects(group, "clauses")]
        if not clauses:
            raise LeftOut("clause-empty")
        if len(clauses) > MOST_CLAUSES:
            raise LeftOut("clauses-many", count=len(clauses), limit=MOST_CLAUSES)
    except LeftOut as why:
        return None, ReportLine(object_type, "filter", title, "left_out", [why.note])
    outcome: Literal["taken", "changed"] = "taken" if written else "changed"
    notes = [] if written else [ReportNote("filter-untitled")]
    return WantedFilter(title, clauses), ReportLine(object_type, "filter", title, outcome, notes)


def _clause(clause: Json, object_type: ObjectType) -> dict[str, Any]:
    written, attribute = _text(clause, "operatorName"), _text(clause, "sourceOperandName")
    operator, values = operator_named(written), _values(clause.get("targetOperand"))
    if operator is None:
        raise LeftOut("clause-operator", operator=written[:40])
    takes = operator.takes != "nothing"
    if takes and len(values) > 1:
        raise LeftOut("clause-values", attribute=attribute[:80], operator=operator.name, count=len(values))
    value = values[0] if takes and values else ""
    found = Clause(names.attribute(attribute, object_type), operator.name, value)
    for problem in check([found], object_type):
        raise Wrong(problem)
    return found.row()


def _values(operand: Any) -> list[str]:
    found = operand.get("values") if isinstance(operand, dict) else None
    return [str(one) for one in found if one is not None] if isinstance(found, list) else []


# --- Taking the file apart ---


def _objects(container: Any, name: str) -> list[Json]:
    found = container.get(name) if isinstance(container, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _text(container: Json, name: str) -> str:
    found = container.get(name)
    return found if isinstance(found, str) else ""
