"""Whatever form a schema was exported in, the same is read; what is no schema, or not all of it, is named."""

import copy
import json
from typing import Any

import pytest

from sync.configuration.files import ms_schema
from sync.configuration.files.ms_schema import NotASchema
from tests.world.ms_schema import (
    SAMPLE,
    annotated,
    attribute,
    collapsed,
    constant,
    counted,
    cut_off,
    from_the_sdk,
    function,
    only,
    row,
)

pytestmark = pytest.mark.pure

JOB = {"id": "aws.0", "templateId": "aWSSingleSignon", "schedule": {"state": "Active"}, "status": {"code": "Active"}}
CONTEXT = "https://graph.microsoft.com/v1.0/$metadata#servicePrincipals('x')/synchronization/jobs"
ENUMS = {"Attribute": 0, "Constant": 1, "Function": 2, "Always": 0, "ObjectAddOnly": 1, "AttributeAddOnly": 4}


def numbered(found: Any) -> Any:
    """Words of enumerations as numbers: ConvertTo-Json without -EnumsAsStrings."""
    if isinstance(found, list):
        return [numbered(one) for one in found]
    if isinstance(found, dict):
        return {
            name: ENUMS.get(one, one) if name in ("type", "flowType") and isinstance(one, str) else numbered(one)
            for name, one in found.items()
        }
    return found


FORMS: dict[str, Any] = {
    "the PowerShell SDK's": from_the_sdk(SAMPLE),
    "in lower case": json.loads(json.dumps(SAMPLE), object_pairs_hook=lambda pairs: {a.lower(): b for a, b in pairs}),
    "Graph Explorer's": {"@odata.context": CONTEXT, **annotated(SAMPLE)},
    "in a list that Graph answers with": {"@odata.context": CONTEXT, "value": [SAMPLE]},
    "alone under value": {"value": SAMPLE},
    "a bare list of one": [SAMPLE],
    "in its job": {**JOB, "schema": SAMPLE},
    "in a list of jobs": {"value": [{**JOB, "schema": SAMPLE}]},
    "in the SDK's job": from_the_sdk({**JOB, "schema": SAMPLE}),
    "in the answer of a batch": {"responses": [{"id": "1", "status": 200, "body": SAMPLE}]},
    "lists of one collapsed": collapsed(SAMPLE),
    "lists with a count": counted(SAMPLE),
    "words as numbers": numbered(SAMPLE),
}


def everything(document: Any) -> tuple[Any, ...]:
    """What is read of it, and what is said about it."""
    found = ms_schema.read(document)
    said = [
        (line.object_type, line.part, line.name, line.outcome, [note.sentence for note in line.notes])
        for line in found.report
    ]
    return found.mappings, found.filters, found.actions, said


@pytest.mark.parametrize("form", FORMS)
def test_the_same_is_read_of_every_form(form: str) -> None:
    assert ms_schema.is_of_graph(FORMS[form])
    assert everything(FORMS[form]) == everything(SAMPLE)


def test_what_the_sdk_did_not_know_is_among_additional_properties() -> None:
    schema = only(
        {"AdditionalProperties": {"flowType": "ObjectAddOnly", "targetAttributeName": "title"}, "Source": constant("x")}
    )
    [title] = ms_schema.read(schema).mappings["user"]
    assert (title.target, title.source, title.apply) == ("title", "x", "create")


def test_a_name_in_two_spellings_is_refused() -> None:
    schema = only(row("title", attribute("jobTitle"), TargetAttributeName="locale"))
    with pytest.raises(
        NotASchema, match="“targetAttributeName” stands twice in one object, as targetAttributeName, Targ"
    ):
        ms_schema.read(schema)


@pytest.mark.parametrize("written", [SAMPLE, from_the_sdk(SAMPLE)], ids=["Invoke-MgGraphRequest", "the cmdlet"])
@pytest.mark.parametrize("depth", range(1, 10))
def test_a_file_that_was_cut_off_is_told(written: dict[str, Any], depth: int) -> None:
    file = cut_off(written, depth)
    assert ms_schema.is_of_graph(file)
    with pytest.raises(NotASchema, match=r"was cut off when it was exported.* ConvertTo-Json -Depth 20"):
        ms_schema.read(file)


def test_what_is_cut_off_and_not_read_does_not_matter() -> None:
    assert everything(cut_off(SAMPLE, 11)) == everything(SAMPLE)


@pytest.mark.parametrize("text", ["System.Collections.Hashtable", "@{Expression=[mail]; Name=mail}", ""])
def test_a_source_that_was_cut_off_is_not_taken_for_none(text: str) -> None:
    with pytest.raises(NotASchema, match="“source” is"):
        ms_schema.read(only(row("title", text)))


def test_a_value_that_was_cut_off_is_not_taken_for_one_value() -> None:
    scope = {"groups": [{"name": "x", "clauses": [{"targetOperand": {"values": "Sales Marketing"}}]}]}
    with pytest.raises(NotASchema, match="“values” is “Sales Marketing” in place of its content"):
        ms_schema.read(only(row("title", attribute("jobTitle")), scope=scope))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (JOB, r"provisioning jobs, not a schema.*/synchronization/jobs/aws\.0/schema"),
        ({"@odata.context": CONTEXT, "value": [JOB]}, r"provisioning jobs, not a schema.*jobs/aws\.0/schema"),
        ([JOB, JOB], "provisioning jobs, not a schema"),
        (from_the_sdk({**JOB, "schema": {"synchronizationRules": None, "directories": None}}), "provisioning jobs"),
        ({"appId": "x", "displayName": "AWS", "id": "y"}, "describes an application, not a schema"),
        ({"error": {"code": "Authorization_RequestDenied", "message": "No."}}, "Authorization_RequestDenied. No."),
        ({"@odata.context": CONTEXT, "value": []}, "answer is empty"),
        (SAMPLE["synchronizationRules"][0], "only a part of a schema: it begins at “objectMappings”"),
        (SAMPLE["synchronizationRules"], "it begins at “objectMappings”"),
        (SAMPLE["synchronizationRules"][0]["objectMappings"][0], "it begins at “attributeMappings”"),
        ([row("title", function("Trim([jobTitle])"))], "it begins at “targetAttributeName”"),
        ({"id": "x", "version": "1", "directories": SAMPLE["directories"]}, "it begins at “directories”"),
        ({"value": [{**SAMPLE, "id": "a"}, {**SAMPLE, "id": "b"}]}, "holds 2 schemas: a, b"),
        ({"synchronizationRules": []}, "no rule that takes users or groups"),
    ],
)
def test_what_is_no_schema_is_named_with_what_to_do(document: Any, said: str) -> None:
    assert ms_schema.is_of_graph(document)
    with pytest.raises(NotASchema, match=said):
        ms_schema.read(copy.deepcopy(document))


@pytest.mark.parametrize("document", [{}, [], "x", None, {"mappings": {}}, {"error": "x"}, {"value": "x"}])
def test_anything_else_is_not_taken_for_microsofts(document: Any) -> None:
    assert not ms_schema.is_of_graph(document)
    with pytest.raises(NotASchema, match="no “synchronizationRules”"):
        ms_schema.read(document)
