"""A tenant's configuration as a JSON file for git (docs/configuration.md): read, compared, put into the draft, written.

The file says how things shall be: what it names is made so, sections that it leaves out stay as they are. The tenant
file (files.py) has the same sections. Microsoft's schema becomes the same `Wanted` (microsoft_files.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from sync.configuration import assignments
from sync.configuration import mappings as configurations
from sync.configuration.drafts import draft_or_current
from sync.configuration.editing import facts_key, problem_sentence
from sync.configuration.files.section import FileProblem, NotImported, Section
from sync.configuration.filters import replace_filters
from sync.configuration.items import (
    ASSIGNMENT_FIELDS,
    MAPPING_FIELDS,
    SETTINGS,
    Difference,
    Item,
    assignment_key,
    contents,
    differences,
    facts_of,
    filter_key,
    mapping_key,
    setting_key,
)
from sync.configuration.settings import set_settings
from sync.graph.ids import is_guid
from sync.models import AttributeMapping, Configuration, ScopingFilter, Tenant
from sync.models.configuration import every_group_action, every_user_action, new_uid
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
# The wanted filters with their uids, by object type.
Named = dict[str, list[tuple[str, WantedFilter]]]


# --- Reading ---


def parse(document: Any, configuration: Configuration) -> Wanted:
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


def planned(tenant: Tenant, wanted: Wanted) -> list[Difference]:
    """What the import would change of what pages show now."""
    current = draft_or_current(tenant)
    return differences(contents(current), _contents_with(current, wanted, _named(current, wanted)))


@transaction.atomic
def put_into_draft(*, tenant: Tenant, actor: str, wanted: Wanted) -> list[Difference]:
    """Makes the draft as wanted, and returns what that changed; with nothing to change no draft begins."""
    current = draft_or_current(tenant)
    named = _named(current, wanted)
    changed = differences(contents(current), _contents_with(current, wanted, named))
    touched = {(one.item.kind, one.item.object_type) for one in changed}
    for object_type, rules in wanted.mappings.items():
        if ("mapping", object_type) in touched:
            configurations.replace_mappings(actor=actor, tenant=tenant, object_type=object_type, rules=rules)
    for object_type, filters in named.items():
        if ("filter", object_type) in touched:
            replace_filters(actor=actor, tenant=tenant, object_type=object_type, filters=filters)
    if any(kind == "assignment" for kind, _object_type in touched):
        assignments.replace_assignments(actor=actor, tenant=tenant, wanted=wanted.assignments or [])
    if any(kind == "setting" for kind, _object_type in touched):
        set_settings(actor=actor, tenant=tenant, **wanted.settings)
    return changed


def _contents_with(current: Configuration, wanted: Wanted, named: Named) -> dict[str, Item]:
    """The contents as they would be."""
    items = [item for item in contents(current).values() if not _is_replaced(item, wanted)]
    for object_type, rules in wanted.mappings.items():
        items += _mapping_items(object_type, rules)
    for object_type, filters in named.items():
        items += [_filter_item(object_type, uid, one) for uid, one in filters]
    items += [_assignment_item(one) for one in wanted.assignments or []]
    items += [_setting_item(current, name, value) for name, value in wanted.settings.items()]
    return {item.key: item for item in items}


def _is_replaced(item: Item, wanted: Wanted) -> bool:
    if item.kind == "mapping":
        return item.object_type in wanted.mappings
    if item.kind == "filter":
        return item.object_type in wanted.filters
    if item.kind == "assignment":
        return wanted.assignments is not None
    return item.key in {setting_key(name) for name in wanted.settings}


def _mapping_items(object_type: str, rules: Iterable[MappingRow]) -> list[Item]:
    items = []
    for rule in rules:
        facts = facts_of(rule, MAPPING_FIELDS)
        items.append(Item(mapping_key(object_type, rule.target), "mapping", object_type, rule.target, facts))
    return items


def _filter_item(object_type: str, uid: str, one: WantedFilter) -> Item:
    facts = {"object_type": object_type, "title": one.title, "clauses": list(one.clauses)}
    return Item(filter_key(uid), "filter", object_type, one.title, facts)


def _assignment_item(one: WantedAssignment) -> Item:
    facts = {name: getattr(one, name) for name in ASSIGNMENT_FIELDS}
    name = one.name or one.object_id
    return Item(assignment_key(*one.key), "assignment", one.object_type, name, facts)


def _setting_item(current: Configuration, name: str, value: Any) -> Item:
    label = str(current._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    return Item(setting_key(name), "setting", "", label, {"value": value})


def _named(current: Configuration, wanted: Wanted) -> Named:
    return {kind: _with_uids(current, kind, filters) for kind, filters in wanted.filters.items()}


def _with_uids(
    current: Configuration, object_type: str, filters: Sequence[WantedFilter]
) -> list[tuple[str, WantedFilter]]:
    """Which filter of now each one is: by its title, else by its clauses; a new uid for what is new."""
    left = list(current.filters.filter(object_type=object_type))
    found: dict[int, ScopingFilter] = {}
    for same in (_same_title, _same_clauses):
        for n, one in enumerate(filters):
            row = next((row for row in left if n not in found and same(row, one)), None)
            if row is not None:
                found[n] = row
                left.remove(row)
    return [(found[n].uid if n in found else new_uid(), one) for n, one in enumerate(filters)]


def _same_title(row: ScopingFilter, one: WantedFilter) -> bool:
    return row.title == one.title


def _same_clauses(row: ScopingFilter, one: WantedFilter) -> bool:
    return list(row.clauses) == list(one.clauses)


# --- Writing ---


def export(configuration: Configuration) -> dict[str, Any]:
    """The file; importing it again changes nothing."""
    return document(wanted_of(configuration))


def document(wanted: Wanted) -> dict[str, Any]:
    return {"format": FORMAT, "version": VERSION, **sections(wanted)}


def sections(wanted: Wanted) -> dict[str, Any]:
    """What is wanted, section by section; what it leaves to stay is not there."""
    found: dict[str, Any] = {
        "mappings": {plural: [_row(rule) for rule in rules] for plural, rules in _by_plural(wanted.mappings)},
        "filters": {plural: [_filter_row(one) for one in found] for plural, found in _by_plural(wanted.filters)},
    }
    found = {name: section for name, section in found.items() if section}
    if wanted.assignments is not None:
        found["assignments"] = [_assignment_row(one) for one in wanted.assignments]
    return found | ({"settings": _settings(wanted.settings)} if wanted.settings else {})


def _by_plural(by_type: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(plural, by_type[object_type]) for plural, object_type in OBJECTS.items() if object_type in by_type]


def wanted_of(configuration: Configuration) -> Wanted:
    """All that is configured; what an enterprise application brought is not decided here and stays out."""
    mappings, filters = configuration.mappings, configuration.filters
    assigned = configuration.assignments.filter(mirrored=False).order_by("object_type", "display_name", "object_id")
    return Wanted(
        mappings={kind: [row.rule() for row in mappings.filter(object_type=kind)] for kind in OBJECTS.values()},
        filters={
            kind: [WantedFilter(row.title, row.clauses) for row in filters.filter(object_type=kind)]
            for kind in OBJECTS.values()
        },
        assignments=[
            WantedAssignment(
                row.object_type, row.object_id, row.display_name, row.detail, row.nested, row.send_group
            )
            for row in assigned
        ],
        settings={name: getattr(configuration, name) for name in SETTINGS},
    )  # fmt: skip


def _row(rule: MappingRow) -> dict[str, Any]:
    return given(
        target=rule.target,
        type=rule.kind,
        source=rule.source,
        default=rule.default,
        default_on_update=rule.default_on_update or None,
        match=rule.matching,
        when="" if rule.apply == "always" else "only when created",
        if_emptied="" if rule.when_empty == "clear" else "keep",
    )


def _filter_row(one: WantedFilter) -> dict[str, Any]:
    return {"title": one.title, "clauses": [_clause_row(clause) for clause in one.clauses]}


def _clause_row(clause: Mapping[str, Any]) -> dict[str, Any]:
    return given(
        attribute=clause["attribute"],
        operator=clause["operator"],
        value=clause.get("value", ""),
        ignore_case=clause.get("ignore_case") or None,
    )


def _assignment_row(one: WantedAssignment) -> dict[str, Any]:
    """Only groups say whether they are nested and sent; the usual is left out."""
    return given(
        type=one.object_type,
        id=one.object_id,
        name=one.name,
        detail=one.detail,
        nested=one.nested or None,
        send_group=None if one.send_group or one.object_type == "user" else False,
    )


def _settings(values: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in values.items() if not name.endswith("_actions")}
    actions = {
        plural: values[f"{object_type}_actions"]
        for plural, object_type in OBJECTS.items()
        if f"{object_type}_actions" in values
    }
    return {**plain, "actions": actions} if actions else plain


def given(**facts: Any) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value not in (None, "")}
