"""A configuration as a file: everything or nothing, the difference alone, and out again as it came in."""

import copy
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from sync.configuration import drafts, mappings, versions
from sync.configuration.drafts import draft_or_current
from sync.configuration.files import json_text, microsoft, reading
from sync.configuration.files.applying import planned_changes, put_into_draft
from sync.configuration.files.section import NotImported
from sync.configuration.files.writing import as_document, export_configuration
from sync.configuration.items import contents
from sync.models import Assignment, AuditEntry, Configuration, Tenant
from sync.rules import aws_fields
from sync.rules.wanted import Wanted, WantedFilter
from sync.tenants import services
from tests.world.configured import CONFIGURATIONS
from tests.world.examples import share
from tests.world.mangling import mangles
from tests.world.ms_schema import SAMPLE, attribute, only, row

JO = "jo@acme.example"
GROUP = "aaaaaaaa-1111-4111-8111-111111111111"
PERSON = "bbbbbbbb-2222-4222-8222-222222222222"
FILE: dict[str, Any] = {
    "format": "lockstep-configuration",
    "version": 1,
    "mappings": {
        "people": [
            {"target": "userName", "type": "direct", "source": "userPrincipalName", "match": 1},
            {"target": "displayName", "type": "direct", "source": "displayName"},
            {"target": "name.givenName", "type": "expression", "source": 'coalesce([givenName], "-")'},
            {"target": "name.familyName", "type": "direct", "source": "surname", "default": "-", "default_on_update": True},
            {"target": "locale", "type": "constant", "source": " en ", "when": "only when created", "if_emptied": "keep"},
            {"target": "nickName", "type": "none", "default": "x"},
        ],
        "groups": [{"target": "displayName", "type": "direct", "source": "displayName", "match": 1}],
    },
    "filters": {
        "people": [
            {
                "title": "Engineers",
                "clauses": [
                    {"attribute": "department", "operator": "EQUALS", "value": "Engineering", "ignore_case": True},
                    {"attribute": "accountEnabled", "operator": "IS TRUE"},
                ],
            }
        ],
        "groups": [],
    },
    "assignments": [
        {"type": "group", "id": GROUP, "name": "AWS-Admins", "nested": True, "send_group": False},
        {"type": "user", "id": PERSON, "name": "Mira Holt", "detail": "mira@acme.example"},
    ],
    "settings": {
        "everybody": False,
        "mirrored_app": "",
        "leave_out_guests": True,
        "guest_user_name": "mail",
        "actions": {"people": ["create", "update", "disable"], "groups": ["create", "update", "delete"]},
    },
}  # fmt: skip


def bring(tenant: Tenant, document: Any) -> list[str]:
    """Keys of what changed."""
    wanted = reading.parse_configuration(document, draft_or_current(tenant))
    return [one.key for one in put_into_draft(tenant=tenant, actor=JO, wanted=wanted)]


def facts(tenant: Tenant) -> Any:
    """What is configured, whatever the filters' uids are."""
    items = contents(draft_or_current(tenant)).values()
    return sorted((item.kind, item.object_type, item.name, json.dumps(item.facts, sort_keys=True)) for item in items)


# --- Without a database ---


@pytest.mark.pure
@given(CONFIGURATIONS)
@hypothesis_settings(max_examples=share(0.5))
def test_every_configuration_comes_in_as_it_went_out(wanted: Wanted) -> None:
    text = json.dumps(as_document(wanted), ensure_ascii=False)
    assert reading.parse_configuration(json_text.read(text), None) == wanted


@pytest.mark.pure
def test_the_example_of_the_documentation_is_such_a_file() -> None:
    text = (Path(__file__).parents[4] / "docs" / "configuration.md").read_text()
    found = json.loads(text.partition("```json\n")[2].partition("```")[0])
    assert as_document(reading.parse_configuration(found, None)) == found


# --- Into the draft ---


@pytest.mark.django_db
@given(CONFIGURATIONS)
@hypothesis_settings(max_examples=share(0.1))
def test_what_is_configured_comes_in_again_through_either_file_without_a_change(tenant: Tenant, wanted: Wanted) -> None:
    put_into_draft(tenant=tenant, actor=JO, wanted=wanted)
    assert planned_changes(tenant, wanted) == []
    assert bring(tenant, export_configuration(draft_or_current(tenant))) == []
    schema, report = microsoft.export_schema(draft_or_current(tenant))
    lost = {f"setting:{line.object_type}_actions" for line in report if line.part == "actions" and line.notes}
    assert set(bring_schema(tenant, schema)) <= lost


@pytest.mark.django_db
def test_a_file_makes_the_draft_as_it_says(tenant: Tenant) -> None:
    published = versions.make_version(draft_or_current(tenant), actor=JO)
    changed = bring(tenant, FILE)
    draft = tenant.configurations.draft()
    assert draft is not None
    assert tenant.configurations.current() == published
    names = {row.target: row for row in draft.mappings.filter(object_type="user")}
    assert names["name.givenName"].source == 'Coalesce([givenName], "-")'
    assert (names["locale"].source, names["locale"].apply, names["locale"].when_empty) == (" en ", "create", "keep")
    assert (names["nickName"].kind, names["name.familyName"].default_on_update) == ("none", True)
    group, person = draft.assignments.order_by("object_type")
    assert (group.nested, group.send_group, person.detail) == (True, False, "mira@acme.example")
    assert [one.title for one in draft.filters.all()] == ["Engineers"]
    assert (draft.leave_out_guests, draft.guest_user_name, draft.user_actions[-1]) == (True, "mail", "disable")
    assert set(changed) == {one.key for one in drafts.changes(tenant)}
    assert set(draft.edits) == set(changed)


@pytest.mark.django_db
def test_what_goes_out_comes_in_again_and_begins_no_draft(tenant: Tenant) -> None:
    bring(tenant, FILE)
    versions.make_version(draft_or_current(tenant), actor=JO)
    before = AuditEntry.objects.count()
    assert bring(tenant, export_configuration(draft_or_current(tenant))) == []
    assert tenant.configurations.draft() is None
    assert AuditEntry.objects.count() == before


@pytest.mark.django_db
def test_a_file_of_one_tenant_makes_another_the_same(tenant: Tenant) -> None:
    bring(tenant, FILE)
    other = services.create_tenant(actor=JO, name="Other")
    bring(other, export_configuration(draft_or_current(tenant)))
    assert facts(other) == facts(tenant)
    assert export_configuration(draft_or_current(other)) == export_configuration(draft_or_current(tenant))


@pytest.mark.django_db
def test_the_templates_own_rows_come_in_although_aws_may_refuse_their_result(tenant: Tenant) -> None:
    document = export_configuration(draft_or_current(tenant))
    assert len([one for one in document["mappings"]["people"] if "phone" in one["target"]]) == 3
    bring(tenant, {"mappings": {"people": FILE["mappings"]["people"]}})
    bring(tenant, document)
    assert all(row.from_template for row in draft_or_current(tenant).mappings.all())


@pytest.mark.django_db
def test_a_row_that_stays_what_it_is_is_not_asked_again(tenant: Tenant) -> None:
    """Beside two rows of the template an edited third one can stand since an undo; a file must not be stuck on it."""
    odd = draft_or_current(tenant).mappings.get(target='phoneNumbers[type eq "work"].value')
    odd.kind, odd.source, odd.from_template = "expression", "Trim([telephoneNumber])", False
    odd.save()
    assert bring(tenant, export_configuration(draft_or_current(tenant))) == []


@pytest.mark.django_db
def test_sections_that_are_left_out_stay_as_they_are(tenant: Tenant) -> None:
    bring(tenant, FILE)
    before = facts(tenant)
    assert bring(tenant, {"settings": {"everybody": True}}) == ["setting:everybody"]
    assert bring(tenant, {"settings": {"everybody": False}, "filters": {}, "mappings": {}}) == ["setting:everybody"]
    assert facts(tenant) == before


@pytest.mark.django_db
def test_filters_are_known_by_title_or_clauses_and_keep_their_uid(tenant: Tenant) -> None:
    bring(tenant, FILE)
    uid = draft_or_current(tenant).filters.get().uid
    renamed = copy.deepcopy(FILE["filters"])
    renamed["people"][0]["title"] = "Builders"
    assert bring(tenant, {"filters": renamed}) == [f"filter:{uid}"]
    renamed["people"][0]["clauses"].pop()
    renamed["people"].append(renamed["people"][0] | {"title": "Second"})
    assert bring(tenant, {"filters": renamed})[0] == f"filter:{uid}"
    assert [one.title for one in draft_or_current(tenant).filters.all()] == ["Builders", "Second"]


@pytest.mark.django_db
def test_two_filters_of_one_title_stay_two(tenant: Tenant) -> None:
    clauses = FILE["filters"]["people"][0]["clauses"]
    twins = [{"title": "A", "clauses": clauses[:1]}, {"title": "A", "clauses": clauses[1:]}]
    bring(tenant, {"filters": {"people": twins}})
    assert bring(tenant, export_configuration(draft_or_current(tenant))) == []
    assert draft_or_current(tenant).filters.count() == 2


@pytest.mark.django_db
def test_what_the_application_brought_stays_out_of_files_and_is_not_taken_away(tenant: Tenant) -> None:
    configuration = draft_or_current(tenant)
    for object_id in (GROUP, PERSON):
        Assignment.objects.create(
            configuration=configuration, object_type="group", object_id=object_id, display_name="From Entra", mirrored=True
        )  # fmt: skip
    assert export_configuration(configuration)["assignments"] == []
    bring(tenant, {"assignments": [{"type": "group", "id": GROUP}]})
    mine, theirs = draft_or_current(tenant).assignments.order_by("mirrored")
    assert (mine.object_id, mine.mirrored, mine.display_name) == (GROUP, False, "From Entra")
    assert (theirs.object_id, theirs.mirrored) == (PERSON, True)
    bring(tenant, {"assignments": []})
    assert [one.object_id for one in draft_or_current(tenant).assignments.all()] == [PERSON]


@pytest.mark.django_db
def test_a_dry_look_changes_nothing_and_says_the_same(tenant: Tenant) -> None:
    versions.make_version(draft_or_current(tenant), actor=JO)
    wanted = reading.parse_configuration(FILE, draft_or_current(tenant))
    seen = [one.key for one in planned_changes(tenant, wanted) if not one.key.startswith("filter:")]
    assert tenant.configurations.draft() is None
    changed = put_into_draft(tenant=tenant, actor=JO, wanted=wanted)
    assert [one.key for one in changed if not one.key.startswith("filter:")] == seen


@pytest.mark.django_db
def test_many_assignments_are_few_queries(tenant: Tenant, django_assert_max_num_queries: Any) -> None:
    many = [{"type": "group", "id": f"aaaaaaaa-1111-4111-8111-{n:012}", "name": f"G{n}"} for n in range(100)]
    wanted = reading.parse_configuration({"assignments": many}, draft_or_current(tenant))
    with django_assert_max_num_queries(250):
        put_into_draft(tenant=tenant, actor=JO, wanted=wanted)
    with django_assert_max_num_queries(12):
        assert put_into_draft(tenant=tenant, actor=JO, wanted=wanted) == []


# --- What is refused ---


def with_people(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"mappings": {"people": [*FILE["mappings"]["people"][:4], *rows]}}


def with_clause(**clause: Any) -> dict[str, Any]:
    return {"filters": {"people": [{"title": "A", "clauses": [clause]}]}}


BAD: list[tuple[Any, str]] = [
    ([], "must hold one object"),
    ({"format": "other"}, "format"),
    ({"version": 2}, "version: is 2; this Lockstep reads version 1"),
    ({"version": True}, "version: must be a whole number"),
    ({"mapping": {}}, "mapping: is not known; this place takes: assignments, filters, format, mappings"),
    ({"mappings": []}, "mappings: must be an object in { }"),
    ({"mappings": {"users": []}}, "mappings.users: is not known"),
    ({"mappings": {"people": {}}}, "mappings.people: must be a list in [ ]"),
    ({"mappings": {"people": [1]}}, "mappings.people[0]: must be an object"),
    ({"mappings": {"people": []}}, "mappings.people: lacks what AWS requires: displayName, name.familyName"),
    (with_people({"target": "title", "typ": "direct"}), "mappings.people[4].typ: is not known"),
    (with_people({"target": "title", "type": "magic", "source": "x"}), "mappings.people[4].type: is “magic”; must be one of"),
    (with_people({"target": "title", "source": 5}), "mappings.people[4].source: must be text in quotes"),
    (with_people({"target": "title", "source": "nosuch"}), "mappings.people[4].source: Entra has no attribute “nosuch”"),
    (with_people({"target": "title", "type": "expression", "source": "Join("}), "mappings.people[4].source: Line 1"),
    (with_people({"target": "shoeSize", "source": "mail"}), "mappings.people[4].target: AWS has no field"),
    (with_people({"target": "userName", "source": "mail"}), "mappings.people[4].target: “userName” already has a mapping"),
    (with_people({"target": "title", "source": "mail", "match": 1}), "mappings.people[4].match: AWS cannot be searched"),
    (with_people({"target": "externalId", "source": "mail", "match": 0}), "mappings.people[4].match: must be from 1 to 9"),
    (with_people({"target": "title", "source": "mail", "when": "never"}), "mappings.people[4].when"),
    (with_people({"target": "title", "source": "mail", "default": "x" * 1025}), "mappings.people[4].default"),
    (with_people({"target": "title", "source": "x" * 10_001}), "must have at most 10000 characters"),
    (with_people({"source": "mail"}), "mappings.people[4].target: is required"),
    ({"filters": {"people": [{"title": "", "clauses": []}]}}, "filters.people[0].title"),
    ({"filters": {"people": [{"title": "A"}]}}, "filters.people[0].clauses: Add a clause"),
    ({"filters": {"people": [{"title": "A" * 201, "clauses": []}]}}, "must have at most 200 characters"),
    (with_clause(operator="EQUALS", value="x"), "filters.people[0].clauses[0].attribute"),
    (with_clause(attribute="nosuch", operator="EQUALS", value="x"), "filters.people[0].clauses[0].attribute: Entra has no"),
    (with_clause(attribute="department", operator="LIKE", value="x"), "filters.people[0].clauses[0].operator: is “LIKE”"),
    (with_clause(attribute="department", operator="EQUALS"), "filters.people[0].clauses[0].value"),
    (with_clause(attribute="department", operator="REGEX MATCH", value="("), "filters.people[0].clauses[0].value: Character"),
    (with_clause(attribute="department", operator="EQUALS", value="x", not_=1), "filters.people[0].clauses[0].not_"),
    ({"filters": {"people": [{"title": "A", "clauses": []}] * 201}}, "filters.people: holds 201; at most 200 are possible"),
    ({"mappings": {"people": [{}] * 501}}, "mappings.people: holds 501; at most 500 are possible"),
    ({"assignments": {}}, "assignments: must be a list"),
    ({"assignments": [{"type": "robot", "id": GROUP}]}, "assignments[0].type: is “robot”"),
    ({"assignments": [{"type": "group", "id": "x"}]}, "assignments[0].id: must be the object ID of Entra"),
    ({"assignments": [{"type": "group", "id": "{" + GROUP + "}"}]}, "assignments[0].id"),
    ({"assignments": [{"type": "group", "id": GROUP}, {"type": "group", "id": GROUP.upper()}]}, "assignments[1].id: stands twice"),
    ({"assignments": [{"type": "user", "id": PERSON, "nested": True}]}, "assignments[0].nested: is for groups only"),
    ({"settings": {"everybody": "yes"}}, "settings.everybody: must be true or false"),
    ({"settings": {"mirrored_app": "x"}}, "settings.mirrored_app: must be the object ID"),
    ({"settings": {"guest_user_name": "x"}}, "settings.guest_user_name"),
    ({"settings": {"actions": {"people": ["fly"]}}}, "settings.actions.people: holds “fly”; takes: create, update, disable, delete"),
    ({"settings": {"actions": {"groups": ["disable"]}}}, "settings.actions.groups: holds “disable”"),
    ({"settings": {"token": "x"}}, "settings.token: is not known"),
]  # fmt: skip


@pytest.mark.pure
@pytest.mark.parametrize(("document", "said"), BAD)
def test_a_problem_is_named_with_its_place(document: Any, said: str) -> None:
    with pytest.raises(NotImported) as caught:
        reading.parse_configuration(document, None)
    assert said in str(caught.value)


@pytest.mark.pure
def test_a_mangled_file_is_taken_or_refused_in_words_but_never_breaks_the_reader() -> None:
    for mangled in mangles(FILE):
        with suppress(NotImported):
            reading.parse_configuration(mangled, None)


@pytest.mark.django_db
def test_every_problem_is_listed_and_nothing_is_changed(tenant: Tenant) -> None:
    before = facts(tenant)
    document = copy.deepcopy(FILE)
    document["mappings"]["people"][2]["source"] = "Join("
    document["settings"]["everybody"] = 1
    document["assignments"][0]["id"] = "x"
    with pytest.raises(NotImported) as caught:
        bring(tenant, document)
    places = [problem.path for problem in caught.value.problems]
    assert places == ["mappings.people[2].source", "assignments[0].id", "settings.everybody"]
    assert facts(tenant) == before


# --- Microsoft's schema ---


def bring_schema(tenant: Tenant, schema: Any) -> list[str]:
    wanted = microsoft.read_text(json.dumps(schema), draft_or_current(tenant)).wanted
    return [one.key for one in put_into_draft(tenant=tenant, actor=JO, wanted=wanted)]


@pytest.mark.django_db
def test_filters_that_differ_by_case_alone_stay_each_as_it_is(tenant: Tenant) -> None:
    clause = {"attribute": "department", "operator": "EQUALS", "value": "sales"}
    filters = [WantedFilter("Sales", [{**clause, "ignore_case": ignored}]) for ignored in (False, True)]
    put_into_draft(tenant=tenant, actor=JO, wanted=Wanted(filters={"user": filters}))
    schema, _report = microsoft.export_schema(draft_or_current(tenant))
    assert bring_schema(tenant, schema) == []


@pytest.mark.django_db
def test_microsofts_schema_becomes_the_draft_and_comes_back_the_same(tenant: Tenant) -> None:
    bring_schema(tenant, SAMPLE)
    assert draft_or_current(tenant).mappings.get(target="locale").apply == "create"
    assert draft_or_current(tenant).filters.count() == 3
    assert draft_or_current(tenant).group_actions == ["create", "update"]
    schema, report = microsoft.export_schema(draft_or_current(tenant))
    assert {line.outcome for line in report} == {"taken"}
    assert bring_schema(tenant, schema) == []


@pytest.mark.django_db
def test_what_a_schema_cannot_say_stays_as_it_is(tenant: Tenant) -> None:
    bring(tenant, FILE)
    before = {row.target: row for row in draft_or_current(tenant).mappings.filter(object_type="user")}
    schema, _report = microsoft.export_schema(draft_or_current(tenant))
    assert [key for key in bring_schema(tenant, schema) if key.startswith("mapping:")] == []
    assert before["locale"].when_empty == "keep"
    assert draft_or_current(tenant).assignments.count() == 2
    assert draft_or_current(tenant).leave_out_guests is True


@pytest.mark.django_db
def test_a_row_that_aws_requires_stays_when_the_schema_has_none_that_can_be_taken(tenant: Tenant) -> None:
    mappings.apply_recommended(actor=JO, tenant=tenant)
    schema = only(row("userName", attribute("nosuch")), row("title", attribute("jobTitle")))
    found = microsoft.read_text(json.dumps(schema), draft_or_current(tenant))
    assert {one.target for one in found.wanted.mappings["user"]} == {"title", *aws_fields.required_targets("user")}
    words = {line.name: " ".join(map(microsoft.note_sentence, line.notes)) for line in found.report}
    assert "nosuch" in words["userName"]
    assert all("stays as it is" in words[name] for name in aws_fields.required_targets("user"))


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["", "{", '{"synchronizationRules": []}', "[]", "<html>"])
def test_a_text_of_neither_format_is_refused_in_words(tenant: Tenant, text: str) -> None:
    with pytest.raises(NotImported) as caught:
        microsoft.read_text(text, draft_or_current(tenant))
    assert str(caught.value)


@pytest.mark.django_db
def test_a_version_is_written_as_it_was(tenant: Tenant) -> None:
    first = versions.make_version(draft_or_current(tenant), actor=JO)
    bring(tenant, FILE)
    document = export_configuration(Configuration.objects.get(pk=first.pk))
    assert len(document["mappings"]["people"]) == 22
    assert document["assignments"] == []
