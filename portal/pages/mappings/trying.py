"""A rule tried on real people, and what the chosen person has in each attribute."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from portal.pages.mappings import examples, table
from portal.pages.mappings.examples import ExamplePerson
from portal.pages.mappings.forms import MappingForm
from portal.pages.mappings.page import MappingPage
from portal.pages.mappings.table import Gets
from sync.configuration.editing import problem_sentence
from sync.directory import attributes as source_attributes
from sync.rules import entra_attributes, mapping, mapping_checks
from sync.rules.rows import MappingRow, ObjectType, graph_select


def tried(here: MappingPage, form: MappingForm) -> dict[str, Any]:
    """`wrong`: what keeps the rule from being tried at all."""
    if not form.is_valid():
        return {"wrong": [str(error) for errors in form.errors.values() for error in errors]}
    rule = form.rule()
    problems = mapping_checks.source_problems(rule, here.object_type)
    if wrong := [problem_sentence(problem) for problem in problems if problem.code in ("expression", "unknown-source")]:
        return {"wrong": wrong}
    found = gets_of(here, rule, everyone(here, [rule]))
    has_chosen = bool(examples.person_of(here.request)) and here.of_people
    return {"wrong": [], "gets": found[0] if has_chosen else None, "others": found[1:] if has_chosen else found}


def everyone(here: MappingPage, rules: Sequence[MappingRow]) -> list[ExamplePerson]:
    """The chosen person first, then the cast."""
    if not here.of_people:
        return []
    # Of the chosen person always the same is read, which is remembered while somebody types.
    example = here.example([*every_source("user"), *rules])
    pinned = examples.pinned(here.request, here.tenant)
    cast = [one for one in pinned if example is None or one.object_id != example.object_id]
    others = examples.with_values(here.tenant, cast, graph_select(rules, "user"))
    return [*([example] if example else []), *others]


def gets_of(here: MappingPage, rule: MappingRow, people: Sequence[ExamplePerson]) -> list[Gets]:
    return [table.gets(rule, person, here.object_type, here.configuration.guest_user_name) for person in people]


def every_source(object_type: ObjectType) -> list[MappingRow]:
    """Rows that read every attribute of the table."""
    return [MappingRow("", "direct", source.name) for source in entra_attributes.SOURCES[object_type]]


def attribute_lines(
    known: Sequence[entra_attributes.SourceAttribute], example: ExamplePerson | None
) -> list[dict[str, str]]:
    """For the list under Source: name, what it is, its type, and what the chosen person has in it."""
    source = example.source if example else None
    return [
        {
            "name": one.name,
            "description": _described(one),
            "type": str(source_attributes.TYPES[one.type]),
            "value": (table.value_in_words(mapping.read(one, source, present=True)) or "") if source else "",
        }
        for one in known
    ]


def _described(source: entra_attributes.SourceAttribute) -> str:
    label = _(source.label)
    return f"{label}. {_(source.description)}" if source.description else label
