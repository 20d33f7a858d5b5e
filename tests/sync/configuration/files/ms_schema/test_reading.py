"""Microsoft's schema: what is taken over, what changes on the way, what is left out, and that each is said."""

import copy
from contextlib import suppress
from typing import Any

import pytest

from sync.configuration.files import ms_schema
from sync.configuration.files.ms_schema import NotASchema, Read
from sync.rules.rows import MappingRow
from tests.world.mangling import mangles
from tests.world.ms_schema import SAMPLE, attribute, constant, function, only, row

pytestmark = pytest.mark.pure

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def rule(found: Read, target: str) -> MappingRow:
    return next(one for one in found.mappings["user"] if one.target == target)


def said(found: Read, name: str) -> tuple[str, str]:
    """Outcome and reasons of one line of the report."""
    [line] = [line for line in found.report if line.name == name and line.object_type != "group"]
    return line.outcome, " ".join(note.sentence for note in line.notes)


def test_every_attribute_mapping_and_filter_has_a_line() -> None:
    found = ms_schema.read(SAMPLE)
    [wanted] = SAMPLE["synchronizationRules"]
    for one, kind in zip(wanted["objectMappings"], ("user", "group"), strict=True):
        lines = [line for line in found.report if line.object_type == kind]
        assert len([line for line in lines if line.part == "mapping"]) == len(one["attributeMappings"])
        assert len([line for line in lines if line.part == "filter"]) == len(one["scope"]["groups"])
        assert [line.part for line in lines].count("actions") == 1


def test_the_kinds_of_sources_become_ours() -> None:
    found = ms_schema.read(SAMPLE)
    assert (rule(found, "userName").kind, rule(found, "userName").matching) == ("direct", 1)
    assert (rule(found, "timezone").kind, rule(found, "timezone").source) == ("constant", "Europe/Berlin")
    assert rule(found, "name.formatted").source == 'Join(" ", [givenName], [surname])'
    assert rule(found, f"{ENTERPRISE}:manager").kind == "reference"
    assert rule(found, "title").default == "Colleague"
    assert rule(found, "locale").apply == "create"


def test_filters_and_actions_become_ours() -> None:
    found = ms_schema.read(SAMPLE)
    engineers, partners = found.filters["user"]
    assert engineers.title == "Engineers"
    assert engineers.clauses[0] == {
        "attribute": "department", "operator": "EQUALS", "value": "Engineering", "ignore_case": False,
    }  # fmt: skip
    assert engineers.clauses[1]["operator"] == "IS TRUE"
    assert partners.clauses[0]["value"] == ".*@partner\\.example$"
    assert found.actions == {"user": ["create", "update", "disable", "delete"], "group": ["create", "update"]}


@pytest.mark.parametrize(
    ("name", "outcome", "reason"),
    [
        ("userName", "taken", ""),
        ("locale", "changed", "ObjectAddOnly"),
        ("name.familyName", "changed", "Coalesce"),
        ('addresses[type eq "work"].formatted', "changed", "Formatted"),
        ('emails[type eq "work"].value', "changed", "FlowAlways"),
        ('phoneNumbers[type eq "mobile"].value', "left_out", "single item in phoneNumbers"),
        (f"{ENTERPRISE}:organization", "left_out", "AttributeAddOnly"),
        (f"{ENTERPRISE}:division", "left_out", "several values"),
        ('roles[primary eq "True"].value', "left_out", "no app roles"),
        ("urn:ietf:params:scim:schemas:extension:Contoso:2.0:User:badge", "left_out", "no such field"),
        ("profileUrl", "left_out", "no function Prepend"),
        ("userType", "left_out", "passwordProfile.password"),
    ],
)
def test_the_report_says_what_became_of_a_mapping_and_why(name: str, outcome: str, reason: str) -> None:
    found, why = said(ms_schema.read(SAMPLE), name)
    assert found == outcome
    assert reason in why


def test_names_of_graph_become_those_of_the_portal() -> None:
    found = ms_schema.read(only(row("externalId", attribute("id")), row("title", function("Trim([officeLocation])"))))
    assert rule(found, "externalId").source == "objectId"
    assert rule(found, "title").source == "Trim([physicalDeliveryOfficeName])"
    assert said(found, "externalId") == ("changed", "The attribute “id” is called objectId here.")


def test_the_rows_of_the_template_stay_beside_each_other() -> None:
    phones = [
        row(f'phoneNumbers[type eq "{kind}"].value', attribute(name))
        for kind, name in (("work", "telephoneNumber"), ("mobile", "mobile"), ("fax", "facsimileTelephoneNumber"))
    ]
    found = ms_schema.read(only(*phones))
    assert len(found.mappings["user"]) == 3
    assert {line.outcome for line in found.report if line.part == "mapping"} == {"taken"}


def test_a_mobile_number_before_the_work_number_gives_way() -> None:
    found = ms_schema.read(
        only(
            row('phoneNumbers[type eq "mobile"].value', attribute("mobile")),
            row('phoneNumbers[type eq "work"].value', function("Trim([telephoneNumber])")),
        )
    )
    assert [one.target for one in found.mappings["user"]] == ['phoneNumbers[type eq "work"].value']


@pytest.mark.parametrize(
    ("one", "outcome", "reason"),
    [
        (row("title", attribute("jobTitle"), matchingPriority=2), "changed", "AWS cannot be searched by “title”"),
        (row("userName", constant("same"), matchingPriority=1), "changed", "A constant is the same for everybody"),
        (row("externalId", attribute("objectId"), matchingPriority=12), "changed", "is 9 instead of 12"),
        (row("title", function("Guid()")), "changed", "written only when created"),
        (row("title", function("Join(")), "left_out", "column"),
        (row("title", function("")), "left_out", "no expression"),
        (row("title", {"type": "Oracle", "name": "x"}), "left_out", "no type of source"),
        (row("title", None), "changed", "no source"),
        (row("title", constant("")), "left_out", "no source"),
        (row("title", attribute("jobTitle"), flowType="Sometimes"), "left_out", "Sometimes"),
        (row("title", attribute("jobTitle"), flowType="MultiValueAddOnly"), "left_out", "MultiValueAddOnly"),
        (row("", attribute("jobTitle")), "left_out", "names no field"),
        (row("title", constant("x" * 2000)), "left_out", "2000 characters"),
        (7, "left_out", "no attribute mapping"),
    ],
)
def test_each_odd_mapping_is_said(one: Any, outcome: str, reason: str) -> None:
    found = ms_schema.read(only(one))
    [line] = [line for line in found.report if line.part == "mapping"]
    assert line.outcome == outcome
    assert reason in " ".join(note.sentence for note in line.notes)


def test_two_fields_of_one_matching_priority_stand_one_after_the_other() -> None:
    found = ms_schema.read(
        only(
            row("userName", attribute("userPrincipalName"), matchingPriority=1),
            row("externalId", attribute("objectId"), matchingPriority=1),
        )
    )
    assert [one.matching for one in found.mappings["user"]] == [1, 2]
    assert said(found, "externalId") == ("changed", "Its place in matching is 2 instead of 1.")


def test_the_second_mapping_of_a_field_is_left_out() -> None:
    found = ms_schema.read(only(row("title", attribute("jobTitle")), row("Title", attribute("department"))))
    assert [one.source for one in found.mappings["user"]] == ["jobTitle"]
    assert [line.outcome for line in found.report if line.part == "mapping"] == ["taken", "left_out"]


@pytest.mark.parametrize(
    ("group", "reason"),
    [
        ({"name": "x", "clauses": [clause]}, reason)
        for clause, reason in (
            ({"sourceOperandName": "department", "operatorName": "SOUNDS LIKE", "targetOperand": {"values": ["a"]}}, "SOUNDS LIKE"),
            ({"sourceOperandName": "nosuch", "operatorName": "EQUALS", "targetOperand": {"values": ["a"]}}, "nosuch"),
            ({"sourceOperandName": "userType", "operatorName": "EQUALS", "targetOperand": {"values": ["a"]}}, "userType"),
            ({"sourceOperandName": "department", "operatorName": "EQUALS", "targetOperand": {"values": ["a", "b"]}}, "2 values"),
            ({"sourceOperandName": "department", "operatorName": "EQUALS", "targetOperand": None}, "value"),
            ({"sourceOperandName": "department", "operatorName": "REGEX MATCH", "targetOperand": {"values": ["("]}}, "pattern"),
        )
    ]
    + [({"name": "x", "clauses": []}, "without clauses")],
)  # fmt: skip
def test_one_filter_that_cannot_be_taken_over_keeps_those_of_now(group: dict[str, Any], reason: str) -> None:
    """Half of a rule about who comes would let others in."""
    good = {"name": "good", "clauses": [{"sourceOperandName": "department", "operatorName": "equals", "targetOperand": {"values": ["a"]}}]}  # fmt: skip
    found = ms_schema.read(only(row("title", attribute("jobTitle")), scope={"groups": [good, group]}))
    assert "user" not in found.filters
    lines = [line for line in found.report if line.part == "filter"]
    assert [line.outcome for line in lines] == ["left_out", "left_out"]
    assert reason in lines[1].notes[0].sentence
    assert "those of now stay" in lines[0].notes[-1].sentence


def test_no_scope_means_no_filters() -> None:
    assert ms_schema.read(only(row("title", attribute("jobTitle")))).filters == {"user": []}


@pytest.mark.parametrize(
    ("facts", "actions"),
    [
        ({"flowTypes": "Add"}, ["create"]),
        ({"flowTypes": "add,DELETE"}, ["create", "delete"]),
        ({"flowTypes": 6}, ["update", "disable", "delete"]),
        ({"flowTypes": ""}, []),
        ({"flowTypes": None}, ["create", "update", "disable", "delete"]),
        ({"enabled": False}, []),
    ],
)
def test_target_object_actions(facts: dict[str, Any], actions: list[str]) -> None:
    assert ms_schema.read(only(row("title", attribute("jobTitle")), **facts)).actions["user"] == actions


def test_other_objects_and_the_way_back_are_left_out_and_said() -> None:
    schema = copy.deepcopy(SAMPLE)
    [rule] = schema["synchronizationRules"]
    rule["objectMappings"].append(rule["objectMappings"][0] | {"name": "Again"})
    rule["objectMappings"].append({"name": "Roles", "sourceObjectName": "Role", "attributeMappings": []})
    schema["synchronizationRules"].append(rule | {"name": "BACK", "targetDirectoryName": "Azure Active Directory"})
    lines = [line for line in ms_schema.read(schema).report if line.part == "rule"]
    assert [line.name for line in lines][:2] == ["Again", "Roles"]
    assert {line.outcome for line in lines} == {"left_out"}
    assert "leads into Entra" in lines[2].notes[0].sentence


def test_a_schema_inside_a_job_and_with_unknown_keys_is_read() -> None:
    assert ms_schema.read({"id": "job", "schema": SAMPLE | {"newKey": {"a": []}}}).mappings


@pytest.mark.parametrize(
    "document",
    [
        None, 1, "text", [], {}, {"synchronizationRules": None}, {"synchronizationRules": []}, {"synchronizationRules": [1, None]},
        {"synchronizationRules": [{"objectMappings": "x"}]}, {"schema": []}, {"synchronizationRules": [{"objectMappings": [{}]}]},
    ],
)  # fmt: skip
def test_what_is_no_schema_is_refused(document: Any) -> None:
    with pytest.raises(NotASchema):
        ms_schema.read(document)


def test_a_mangled_schema_never_breaks_the_reader() -> None:
    """Every value of a short sample replaced by every kind of JSON value, one at a time."""
    short = copy.deepcopy(SAMPLE)
    del short["directories"]
    for one in short["synchronizationRules"][0]["objectMappings"]:
        del one["attributeMappings"][2:]
    for mangled in mangles(short):
        with suppress(NotASchema):
            ms_schema.read(mangled)
