"""The rows of a mapping page: what each field gets, what the draft changes about it, and what AWS says to it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils import timezone
from django.utils.translation import gettext as _

from portal.pages.mappings.examples import ExamplePerson
from portal.words.aws_fields import field_label, short_path
from portal.words.changes import shown_source
from sync.configuration.editing import problem_sentence
from sync.configuration.items import Difference, mapping_key
from sync.models import AttributeMapping, Configuration
from sync.problems.catalogue import PROBLEMS
from sync.rules import acceptance, aws_fields, mapping, mapping_checks, template
from sync.rules.rows import MappingProblem, MappingRow, ObjectType
from sync.scim.resource import REDACTED

# Facts of a row that a cell of the table shows.
CELLS = ("kind", "source", "default", "apply", "matching", "when_empty", "default_on_update")
REFUSING = ("bad-characters", "too-long", "reserved-name")


@dataclass(slots=True)
class Gets:
    """What one rule makes of one person. `value` None: nothing is sent."""

    person: ExamplePerson
    value: str | None = None
    from_default: bool = False
    hidden: bool = False
    # The value is left as AWS has it.
    kept: bool = False
    error: str = ""
    inputs: list[tuple[str, str | None]] = field(default_factory=list)
    findings: Sequence[acceptance.AcceptanceFinding] = ()

    @property
    def length(self) -> int:
        return len(self.value or "")

    @property
    def shown(self) -> str | None:
        return REDACTED if self.hidden and self.value is not None else self.value

    @property
    def certain(self) -> acceptance.AcceptanceFinding | None:
        return next((one for one in self.findings if one.certain), None)

    @property
    def verdict(self) -> str:
        """In words: what AWS says to it."""
        if not self.findings:
            return ""
        return str(PROBLEMS[self.findings[0].code].title)


@dataclass(slots=True)
class MappingLine:
    """One row of the table. `state`: "", new, changed or removed."""

    row: AttributeMapping
    required: bool
    state: str = ""
    # The published row, and what of it the draft changes, in words by name.
    before: AttributeMapping | None = None
    was: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    gets: Gets | None = None
    got: Gets | None = None
    first: bool = False
    last: bool = False

    @property
    def key(self) -> str:
        """The same for every copy of the row: what htmx finds the focus by."""
        return slug(self.row.target)

    @property
    def short(self) -> str:
        return short_path(self.row.target)

    @property
    def label(self) -> str:
        return field_label(self.row.target)

    @property
    def source(self) -> str:
        return shown_source(self.row.kind, self.row.source)

    @property
    def was_empty(self) -> str:
        """What the published row says about an empty source."""
        return ", ".join(self.was[name] for name in ("default", "default_on_update", "when_empty") if name in self.was)

    @property
    def undo_key(self) -> str:
        return mapping_key(self.row.object_type, self.row.target)

    @property
    def moved_value(self) -> bool:
        """The draft gives the person another value than the published rules do."""
        return bool(self.gets and self.got and self.gets.shown != self.got.shown)


def slug(target: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", short_path(target)).strip("-")


# --- Lines ----------------------------------------------------------------------------------------


def mapping_lines(
    rows: Sequence[AttributeMapping],
    changes: Iterable[Difference],
    object_type: ObjectType,
    example: ExamplePerson | None,
    configuration: Configuration,
) -> list[MappingLine]:
    """Required fields first, then matching ones, then the rest; rows that the draft removes stay, to be undone."""
    required = aws_fields.required_targets(object_type)
    changed = {one.key: one for one in changes if one.item.kind == "mapping" and one.item.object_type == object_type}
    lines = [MappingLine(row, row.target in required) for row in rows]
    lines += [MappingLine(_row_of(one), False, "removed") for one in changed.values() if one.after is None]
    for line in lines:
        _mark_change(line, changed.get(line.undo_key))
    _warn(lines, object_type)
    if example and example.source is not None:
        _show_values(lines, example, configuration.guest_user_name)
    lines.sort(key=lambda line: (not line.required, line.row.matching or 99, line.row.position))
    _mark_ends(lines)
    return lines


def _row_of(change: Difference) -> AttributeMapping:
    """The removed row as it was, not to be saved."""
    assert change.before is not None
    facts = {name: value for name, value in change.before.facts.items() if name != "from_template"}
    return AttributeMapping(object_type=change.before.object_type, position=10_000, **facts)


def _mark_change(line: MappingLine, change: Difference | None) -> None:
    if change is None or change.after is None:
        return
    line.state = "changed" if change.before else "new"
    if change.before:
        line.before = _row_of(change)
        line.was = {name: fact_in_words(line.before, name) for name in change.fields if name in CELLS}
        if "kind" in line.was:
            line.was["source"] = fact_in_words(line.before, "source")


def fact_in_words(row: AttributeMapping, name: str) -> str:
    """One fact of a row as the table shows it."""
    if name == "source":
        return shown_source(row.kind, row.source) or _("nothing")
    if name == "default_on_update":
        return _("also on updates") if row.default_on_update else _("only when created")
    words = {"kind": row.get_kind_display, "apply": row.get_apply_display, "when_empty": row.get_when_empty_display}
    if name in words:
        return words[name]()
    return str(getattr(row, name) or _("nothing"))


def _warn(lines: Sequence[MappingLine], object_type: ObjectType) -> None:
    """Rows of the template stay even where AWS would refuse their result; the table says so."""
    rules = {line.row.target: line.row.rule() for line in lines if line.state != "removed"}
    for line in lines:
        if line.state != "removed":
            others = [rule for target, rule in rules.items() if target != line.row.target]
            found = mapping_checks.check_mapping(rules[line.row.target], others, object_type)
            line.warnings = [warning(problem) for problem in found]


def warning(problem: MappingProblem) -> str:
    if problem.code == "one-list-value":
        return _("AWS takes one item in %(list)s. It refuses a person with two.") % problem.params
    return problem_sentence(problem)


def _show_values(lines: Iterable[MappingLine], example: ExamplePerson, guest_user_name: str) -> None:
    for line in lines:
        object_type: ObjectType = line.row.object_type  # type: ignore[assignment]
        if line.state == "removed":
            line.got = gets(line.row.rule(), example, object_type, guest_user_name)
            line.gets = Gets(example)
            continue
        line.gets = gets(line.row.rule(), example, object_type, guest_user_name)
        if line.before:
            line.got = gets(line.before.rule(), example, object_type, guest_user_name)


def _mark_ends(lines: Sequence[MappingLine]) -> None:
    """Which of the matching rows cannot go further up or down."""
    matching = sorted((line for line in lines if line.row.matching), key=lambda line: line.row.matching or 0)
    if matching:
        matching[0].first = matching[-1].last = True


# --- One rule, one person -------------------------------------------------------------------------


def gets(rule: MappingRow, person: ExamplePerson, object_type: ObjectType, guest_user_name: str) -> Gets:
    """As if the person were new and assigned: the page asks what they would get, not whether they come."""
    found = Gets(person)
    if person.source is None:
        return found
    around = mapping.MappingContext(timezone.now(), guest_user_name)  # type: ignore[arg-type]
    present = person.source.get("accountEnabled") is not False
    [compiled] = mapping.compile_mappings([rule])
    trace = mapping.trace_of(compiled, person.source, present, creating=True, around=around)
    found.value, found.from_default, found.hidden = value_in_words(trace.value), trace.from_default, trace.redacted
    found.kept = trace.untouched and trace.value is None and trace.problem is None
    found.error = problem_sentence(trace.problem) if trace.problem else ""
    found.inputs = [(name, value_in_words(value)) for name, value in trace.inputs.items()]
    if not trace.problem and rule.kind != "reference":
        found.findings = acceptance.check_value(object_type, rule.target, found.value)
    return found


def value_in_words(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def sample_problems(found: Iterable[Gets], rule: MappingRow) -> list[MappingProblem]:
    """Values of real people that AWS certainly refuses: the row is not saved with them."""
    return [
        _sample_problem(one, finding, rule) for one in found if (finding := one.certain) and finding.code in REFUSING
    ]


def _sample_problem(one: Gets, finding: acceptance.AcceptanceFinding, rule: MappingRow) -> MappingProblem:
    facts: dict[str, str | int] = {"target": rule.target, "name": one.person.name}
    place = "source" if rule.kind != "none" else "default"
    if finding.code == "too-long":
        limit = aws_fields.LENGTHS.get(rule.target, aws_fields.LENGTH)
        return MappingProblem("value-too-long", facts | {"length": one.length, "limit": limit}, place)
    shown = REDACTED if one.hidden else acceptance.visible(one.value or "").replace(" ", "␣")
    return MappingProblem("value-refused", facts | {"value": shown}, place)


def doubts(found: Iterable[Gets]) -> list[str]:
    """Values of real people that AWS may refuse: reported, and saved all the same."""
    return [
        problem_sentence(
            MappingProblem("value-doubtful", {"value": acceptance.visible(one.shown or ""), "name": one.person.name})
        )
        for one in found
        if any(finding.code == "maybe-refused-characters" for finding in one.findings)
    ]


def unmapped(rows: Iterable[AttributeMapping], object_type: ObjectType) -> list[dict[str, str]]:
    mapped = {row.target for row in rows}
    targets = [target for target in aws_fields.TARGETS[object_type] if target not in mapped]
    return [{"target": one, "short": short_path(one), "label": field_label(one)} for one in targets]


def recommended_edits(rows: Sequence[AttributeMapping]) -> list[str]:
    """What the button would do, one sentence per row; empty when nothing is left to do."""
    kept: Mapping[str, MappingRow] = {
        rule.target: rule for rule in template.recommended_for_aws(row.rule() for row in rows)
    }
    gone = [row for row in rows if row.target not in kept]
    moved = [row for row in rows if row.target in kept and kept[row.target].source != row.source]
    return [
        *(_("Remove %(field)s.") % {"field": field_label(row.target) or row.target} for row in gone),
        *(
            _("Take %(field)s from %(source)s, which never changes, instead of %(old)s.")
            % {"field": field_label(row.target), "source": kept[row.target].source, "old": row.source}
            for row in moved
        ),
    ]
