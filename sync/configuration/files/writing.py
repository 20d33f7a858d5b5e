"""A configuration written as our file."""

from collections.abc import Mapping
from typing import Any

from sync.configuration.files.reading import FORMAT, OBJECTS, VERSION
from sync.configuration.items import (
    SETTINGS,
)
from sync.models import Configuration
from sync.rules.rows import MappingRow
from sync.rules.wanted import Wanted, WantedAssignment, WantedFilter


def export_configuration(configuration: Configuration) -> dict[str, Any]:
    """The file; importing it again changes nothing."""
    return as_document(wanted_of(configuration))


def as_document(wanted: Wanted) -> dict[str, Any]:
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
