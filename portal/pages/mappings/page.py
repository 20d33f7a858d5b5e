"""What the pages of mappings share: the draft that they show, the chosen person, a rule tried on real people."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.access.request import HttpRequest
from portal.access.rights import can
from portal.access.roles import Right
from portal.frame.render import redirect_to, render_page
from portal.pages.mappings import examples, table
from portal.pages.mappings.examples import ExamplePerson
from portal.pages.mappings.forms import GroupActionsForm, MappingForm, PeopleActionsForm
from sync.configuration import drafts
from sync.configuration.editing import problem_sentence
from sync.configuration.items import setting_key
from sync.configuration.leavers import leavers_problems
from sync.directory import attributes as source_attributes
from sync.models import AttributeMapping, Configuration, Tenant
from sync.rules import entra_attributes, mapping, mapping_checks
from sync.rules.leavers import TARGET as LEAVERS_FIELD
from sync.rules.rows import MappingRow, ObjectType, graph_select

# Settings below the table, by the object type of its rows.
SETTINGS: dict[ObjectType, tuple[str, ...]] = {"user": ("user_actions", "guest_user_name"), "group": ("group_actions",)}


@dataclass
class MappingPage:
    """One request to a page of mappings. What it reads of the draft it reads once."""

    request: HttpRequest
    tenant: Tenant
    object_type: ObjectType

    @property
    def of_people(self) -> bool:
        return self.object_type == "user"

    @cached_property
    def configuration(self) -> Configuration:
        return drafts.draft_or_current(self.tenant)

    @cached_property
    def all_rows(self) -> list[AttributeMapping]:
        return list(self.configuration.mappings.all())

    @property
    def rows(self) -> list[AttributeMapping]:
        return [row for row in self.all_rows if row.object_type == self.object_type]

    def row(self, target: str) -> AttributeMapping | None:
        return next((row for row in self.rows if row.target == target), None)

    def url(self, name: str, *args: str) -> str:
        """Of another page of these mappings. The chosen person goes along: a pasted link shows the same values."""
        return self.with_person(reverse(name, args=[self.tenant.slug, self.object_type, *args]))

    def with_person(self, url: str) -> str:
        person = examples.person_of(self.request)
        return f"{url}?{urlencode({'person': person})}" if person else url

    def example(self, rules: Sequence[MappingRow]) -> ExamplePerson | None:
        """The person who is shown, with what `rules` read; groups have none."""
        return (
            examples.chosen_person(self.request, self.tenant, graph_select(rules, "user")) if self.of_people else None
        )

    def actions_form(self, data: Any = None) -> PeopleActionsForm | GroupActionsForm:
        form_class = PeopleActionsForm if self.of_people else GroupActionsForm
        initial = {name: getattr(self.configuration, name) for name in SETTINGS[self.object_type]}
        return form_class(data, initial=initial)

    def about_leavers(self, target: str = LEAVERS_FIELD) -> list[str]:
        """Who stays active in AWS under the mappings of people, as far as `target` decides it."""
        if not self.of_people or target != LEAVERS_FIELD:
            return []
        return [problem_sentence(problem) for problem in leavers_problems(self.configuration)]

    def to_table(self, message: str, focus_on: str = "") -> HttpResponse:
        """After an edit. Under htmx the table takes the row's place as a whole: one edit may settle another row's warning."""
        if not self.request.htmx:
            messages.success(self.request, message)
            return redirect_to(self.request, self.url("mappings"))
        context = table_context(replace(self), focus_on) | {"said": message}
        response = render_page(self.request, "mappings/list.html", context, partial="saved")
        response["HX-Retarget"], response["HX-Reswap"] = "#mappings", "innerHTML"
        return response


def table_context(here: MappingPage, focus_on: str = "") -> dict[str, Any]:
    """Of the list: the table, the people beside it, the actions below."""
    configuration, changes = here.configuration, drafts.changes(here.tenant)
    example = here.example([row.rule() for row in here.rows])
    cast = examples.pinned(here.request, here.tenant) if here.of_people else []
    lines = table.mapping_lines(here.rows, changes, here.object_type, example, configuration)
    settings = {setting_key(name) for name in SETTINGS[here.object_type]}
    return {
        "tenant": here.tenant,
        "object_type": here.object_type,
        "title": _("People") if here.of_people else _("Groups"),
        "configuration": configuration,
        # Until the first version the draft is what runs use.
        "published": configuration.number is not None or configuration.based_on_id is not None,
        "counts": {kind: sum(row.object_type == kind for row in here.all_rows) for kind in ("user", "group")},
        "lines": lines,
        "moves": sum(bool(line.row.matching) for line in lines) > 1,
        "unmapped": table.unmapped(here.rows, here.object_type),
        "recommended": table.recommended_edits(here.rows) if here.of_people else [],
        "leavers": here.about_leavers(),
        "example": example,
        "example_pinned": example is not None and example.object_id in {one.object_id for one in cast},
        "cast": cast,
        "keep": here.with_person(""),
        "focus_on": focus_on,
        "may_edit": can(here.request.user, here.tenant, Right.CONFIGURE),
        "actions": here.actions_form(),
        "actions_changed": any(one.key in settings for one in changes),
    }


def tried(here: MappingPage, form: MappingForm) -> dict[str, Any]:
    """`wrong`: what keeps the rule from being tried at all."""
    if not form.is_valid():
        return {"wrong": [str(error) for errors in form.errors.values() for error in errors]}
    rule = form.rule()
    problems = mapping_checks.source_problems(rule, here.object_type)
    if wrong := [problem_sentence(problem) for problem in problems if problem.code in ("expression", "unknown-source")]:
        return {"wrong": wrong}
    found = gets_of(here, rule, everyone(here, [rule]))
    return {"wrong": [], "gets": next(iter(found), None), "others": found[1:]}


def everyone(here: MappingPage, rules: Sequence[MappingRow]) -> list[ExamplePerson]:
    """The person who is shown first, then the cast."""
    if not here.of_people:
        return []
    # Of the chosen person always the same is read, which is remembered while somebody types.
    example = here.example([*every_source("user"), *rules])
    pinned = examples.pinned(here.request, here.tenant)
    cast = [one for one in pinned if example is None or one.object_id != example.object_id]
    others = examples.with_values(here.tenant, cast, graph_select(rules, "user"))
    return [*([example] if example else []), *others]


def gets_of(here: MappingPage, rule: MappingRow, people: Sequence[ExamplePerson]) -> list[table.Gets]:
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
