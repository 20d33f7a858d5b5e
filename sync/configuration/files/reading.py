"""A tenant's configuration as a JSON file for git (docs/configuration.md), read and checked.

The file says how things shall be: what it names is made so, sections that it leaves out stay as they are. The tenant
file (sync/tenants/file.py) has the same sections. Microsoft's schema becomes the same `Wanted` (microsoft.py).
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from sync.configuration import mappings as configurations
from sync.configuration.editing import facts_key, problem_sentence
from sync.configuration.files.section import FileProblem, NotImported, Section
from sync.graph.ids import is_guid
from sync.models import AttributeMapping, Configuration
from sync.models.configuration import every_group_action, every_user_action
from sync.rules import aws_fields, mapping_checks
from sync.rules.filter_checks import check_filter
from sync.rules.filters import OPERATORS, Clause, Filter
from sync.rules.rows import MappingRow, ObjectType
from sync.rules.wanted import Wanted, WantedAssignment, WantedFilter

FORMAT, VERSION = "lockstep-configuration", 1
# The file says "people", the rows say "user".
OBJECTS: dict[str, ObjectType] = {"people": "user", "groups": "group"}
KINDS = tuple(AttributeMapping.Kind.values)
APPLIES = {"always": "always", "only when created": "create"}
EMPTIES = {"clear": "clear", "keep": "keep"}
# Fields of a row -> names in the file.
FILE_NAMES = {"kind": "type", "apply": "when", "matching": "match", "when_empty": "if_emptied"}
ACTIONS = {"people": every_user_action, "groups": every_group_action}
FIRST_MATCH, LAST_MATCH = 1, 9
TITLE_LENGTH = 200
# More than anybody has; every row is compared with every other.
MOST_MAPPINGS, MOST_FILTERS = 500, 200


# --- Reading ---


def parse_configuration(document: Any, configuration: Configuration) -> Wanted:
    """`configuration`: what is there now; its rows may stay as they are. Raises NotImported with all that is wrong."""
    if not isinstance(document, dict):
        raise NotImported([FileProblem("", _("The file must hold one object in { }."))])
    problems: list[FileProblem] = []
    top = Section(document, "", problems)
    if top.text("format") not in {None, FORMAT}:
        top.wrong("format", _("must be “%(format)s”") % {"format": FORMAT})
    parse_version(top, VERSION)
    wanted = parse_sections(top, configuration)
    top.finish()
    if problems:
        raise NotImported(problems)
    return wanted


def parse_version(top: Section, known: int) -> None:
    if (version := top.number("version")) not in {None, known}:
        facts = {"version": version, "known": known}
        top.wrong("version", _("is %(version)s; this Lockstep reads version %(known)s") % facts)


def parse_sections(top: Section, configuration: Configuration | None) -> Wanted:
    """The sections that a configuration file and a tenant file have in common."""
    wanted = Wanted()
    _parse_mappings(top.section("mappings"), wanted, configuration)
    _parse_filters(top.section("filters"), wanted, configuration)
    _parse_assignments(top.rows("assignments"), wanted)
    _parse_settings(top.section("settings"), wanted)
    return wanted


def _parse_mappings(section: Section | None, wanted: Wanted, configuration: Configuration | None) -> None:
    if section is None:
        return
    for plural, object_type in OBJECTS.items():
        rows = section.rows(plural, most=MOST_MAPPINGS)
        if rows is not None:
            rules = [_parse_row(row, n) for n, row in enumerate(rows, start=1)]
            _check_rules(section, plural, rows, rules, passing(object_type, configuration))
            wanted.mappings[object_type] = rules
    section.finish()


def _parse_row(row: Section, position: int) -> MappingRow:
    kind = row.one_of("type", KINDS) or "direct"
    rule = MappingRow(
        target=row.text("target", required=True, most=200) or "",
        kind=kind,  # type: ignore[arg-type]
        source=row.text("source", strip=kind != "constant", most=10_000) or "",
        default=row.text("default", strip=False) or "",
        default_on_update=row.flag("default_on_update") or False,
        apply=APPLIES[row.one_of("when", APPLIES) or "always"],  # type: ignore[arg-type]
        matching=_parse_match(row),
        when_empty=EMPTIES[row.one_of("if_emptied", EMPTIES) or "clear"],  # type: ignore[arg-type]
        position=position,
    )
    row.finish()
    return mapping_checks.canonical(rule)


def _parse_match(row: Section) -> int | None:
    match = row.number("match")
    if match is not None and not FIRST_MATCH <= match <= LAST_MATCH:
        row.wrong("match", _("must be from %(first)d to %(last)d") % {"first": FIRST_MATCH, "last": LAST_MATCH})
        return None
    return match


def passing(object_type: str, configuration: Configuration | None) -> set[tuple[Any, ...]]:
    """Rows that are not asked again, as on the page: the template's, and those that stay what they are."""
    stay = configuration.mappings.filter(object_type=object_type) if configuration else []
    rules = [*configurations.template(object_type), *(row.rule() for row in stay)]
    return {facts_key(rule) for rule in rules}


def _check_rules(
    section: Section, plural: str, rows: list[Section], rules: list[MappingRow], passes: set[tuple[Any, ...]]
) -> None:
    object_type = OBJECTS[plural]
    for row, rule in zip(rows, rules, strict=True):
        others = [other for other in rules if other is not rule]
        twice = any(other.target == rule.target for other in others)
        if not rule.target or (facts_key(rule) in passes and not twice):
            continue
        for problem in mapping_checks.check_mapping(rule, others, object_type):
            row.wrong(FILE_NAMES.get(problem.field, problem.field), problem_sentence(problem))
    if missing := aws_fields.required_targets(object_type) - {rule.target for rule in rules}:
        section.wrong(plural, _("lacks what AWS requires: %(fields)s") % {"fields": ", ".join(sorted(missing))})


def _parse_filters(section: Section | None, wanted: Wanted, configuration: Configuration | None) -> None:
    if section is None:
        return
    for plural, object_type in OBJECTS.items():
        rows = section.rows(plural, most=MOST_FILTERS)
        if rows is not None:
            passes = _passing_clauses(object_type, configuration)
            wanted.filters[object_type] = [_parse_filter(row, object_type, passes) for row in rows]
    section.finish()


def _passing_clauses(object_type: str, configuration: Configuration | None) -> list[list[Any]]:
    """Filters that stay what they are are not asked again."""
    return [row.clauses for row in configuration.filters.filter(object_type=object_type)] if configuration else []


def _parse_filter(row: Section, object_type: ObjectType, passes: list[list[Any]]) -> WantedFilter:
    title = row.text("title", most=TITLE_LENGTH) or ""
    rows = row.rows("clauses") or []
    clauses = [_parse_clause(one) for one in rows]
    found = WantedFilter(title, [clause.row() for clause in clauses])
    if found.clauses not in passes or not title:
        for problem in check_filter(Filter(title, tuple(clauses)), object_type):
            place = rows[problem.index] if problem.index is not None else row
            place.wrong(problem.field or "clauses", problem.sentence(_))
    row.finish()
    return found


def _parse_clause(row: Section) -> Clause:
    clause = Clause(
        attribute=row.text("attribute", most=200) or "",
        operator=row.one_of("operator", OPERATORS) or "",
        value=row.text("value", strip=False) or "",
        ignore_case=row.flag("ignore_case") or False,
    )
    row.finish()
    return clause


def _parse_assignments(rows: list[Section] | None, wanted: Wanted) -> None:
    if rows is None:
        return
    wanted.assignments, seen = [], set[tuple[str, str]]()
    for row in rows:
        found = _parse_assignment(row)
        if found.key in seen:
            row.wrong("id", _("stands twice in the list"))
        seen.add(found.key)
        wanted.assignments.append(found)


def _parse_assignment(row: Section) -> WantedAssignment:
    object_type = row.one_of("type", ["group", "user"]) or "group"
    object_id = (row.text("id", required=True) or "").lower()
    row.check("id", object_id, _is_object_id)
    nested, send_group = row.flag("nested"), row.flag("send_group")
    if object_type == "user" and (nested is not None or send_group is not None):
        row.wrong("nested" if nested is not None else "send_group", _("is for groups only"))
    found = WantedAssignment(
        object_type,
        object_id,
        (row.text("name") or "")[:256],
        (row.text("detail") or "")[:256],
        nested or False,
        True if send_group is None else send_group,
    )
    row.finish()
    return found


def _is_object_id(value: str) -> None:
    if not is_guid(value):
        raise ValidationError(_("must be the object ID of Entra: 32 hexadecimal digits in five groups"))


def _parse_settings(section: Section | None, wanted: Wanted) -> None:
    if section is None:
        return
    mirrored_app = section.text("mirrored_app")
    section.check("mirrored_app", (mirrored_app or "").lower(), _is_object_id)
    found: dict[str, Any] = {
        "everybody": section.flag("everybody"),
        "mirrored_app": mirrored_app.lower() if mirrored_app is not None else None,
        "leave_out_guests": section.flag("leave_out_guests"),
        "guest_user_name": section.one_of("guest_user_name", Configuration.GuestName.values),
        **_parse_actions(section.section("actions")),
    }
    wanted.settings = {name: value for name, value in found.items() if value is not None}
    section.finish()


def _parse_actions(section: Section | None) -> dict[str, list[str] | None]:
    if section is None:
        return {}
    found = {f"{OBJECTS[plural]}_actions": _actions(section, plural) for plural in ACTIONS}
    section.finish()
    return found


def _actions(section: Section, plural: str) -> list[str] | None:
    chosen, known = section.texts(plural), ACTIONS[plural]()
    if chosen is None:
        return None
    for action in chosen:
        if action not in known:
            words = {"value": action, "all": ", ".join(known)}
            section.wrong(plural, _("holds “%(value)s”; takes: %(all)s") % words)
    return [action for action in known if action in chosen]


# --- Comparing, and putting into the draft ---


# --- Writing ---
