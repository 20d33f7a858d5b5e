"""What comes out the same for everybody is told when a mapping is saved, with the reason; what does not is taken."""

import json
from pathlib import Path
from typing import Any

import pytest

from sync.expressions import AttributeKind, check, evaluate, parse

pytestmark = pytest.mark.pure

SAMPLES = Path(__file__).parents[2] / "samples" / "expressions.json"
DOCUMENTED: list[dict[str, Any]] = [
    vector for vector in json.loads(SAMPLES.read_text(encoding="utf-8")) if vector["tag"] == "doc"
]
KINDS: dict[str, AttributeKind] = {"accountEnabled": "boolean", "IsSoftDeleted": "boolean", "department": "text"}


def kind_of(name: str) -> AttributeKind:
    return KINDS.get(name, "anything")


def told(source: str) -> list[str]:
    return [error.message for error in check(source, kind_of=kind_of)]


# Microsoft, IIF, known limitations: "Unsupported" and "Supported".
UNSUPPORTED = 'IIF(IgnoreFlowIfNullOrEmpty([country]), [country], "Other")'
SUPPORTED = 'IgnoreFlowIfNullOrEmpty(IIF([country]="USA",[region],""))'


def test_microsofts_unsupported_condition_is_told_with_its_remedy_and_the_supported_one_is_not() -> None:
    [error] = check(UNSUPPORTED)
    assert (error.line, error.column) == (1, 5)
    assert "IgnoreFlowIfNullOrEmpty decides whether the field is written" in error.message
    assert "IgnoreFlowIfNullOrEmpty(IIF(…))" in error.message
    assert check(SUPPORTED) == []


def test_what_was_saved_before_goes_on_being_evaluated() -> None:
    assert evaluate(parse(UNSUPPORTED), {"country": "DE"}) == "Other"


@pytest.mark.parametrize(
    "source",
    [
        'IIF(IgnoreFlowIfNullOrEmpty([a]) = "DE", 1, 2)',
        "IIF(IsPresent(IgnoreFlowIfNullOrEmpty([a])), 1, 2)",
        'Switch(IgnoreFlowIfNullOrEmpty([a]), , "x", "y")',
        'Switch([a], , IgnoreFlowIfNullOrEmpty([b]), "y")',
        "Not(IgnoreFlowIfNullOrEmpty([a]))",
        "CBool(IgnoreFlowIfNullOrEmpty([a]))",
        "IIF(Len(IgnoreFlowIfNullOrEmpty([a])) > 3, 1, 2)",
        "IIF(IgnoreAttributeFlow, 1, 2)",
        'IIF(IIF([a] = "x", IgnoreObjectFlow, "True"), 1, 2)',
    ],
)
def test_what_decides_about_the_field_cannot_be_asked(source: str) -> None:
    [message] = told(source)
    assert "decides whether the field is written; it cannot be asked or compared" in message


@pytest.mark.parametrize(
    "source", ['Join(" ", IgnoreFlowIfNullOrEmpty([a]), [b])', "Coalesce(IgnoreAttributeFlow, [b])"]
)
def test_it_is_lost_where_empty_values_are_passed_over(source: str) -> None:
    [message] = told(source)
    assert f"{source.partition('(')[0]} passes over empty values by itself" in message


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        # Never true, always true
        ('IIF("yes", 1, 2)', "This condition comes out the same for everybody"),
        ('IIF("True", 1, 2)', "This condition comes out the same for everybody"),
        ("IIF(0, 1, 2)", "This condition comes out the same for everybody"),
        ("IIF(Now(), 1, 2)", "This condition comes out the same for everybody"),
        ('IIF(DateAdd("d", 1, CDate([a])), 1, 2)', "This condition comes out the same for everybody"),
        ('IIF(Split([a], ","), 1, 2)', "This condition comes out the same for everybody"),
        ('IIF(IIF([a] = "x", "yes", "no"), 1, 2)', "This condition comes out the same for everybody"),
        ('IIF(Switch([a], "no", "x", "yes"), 1, 2)', "This condition comes out the same for everybody"),
        ("IIF([department], [department], 2)", "Ask IsPresent([department]) whether there is a value"),
        # Functions of true and false, and attributes
        ('IIF(IsPresent([a]) = "true", 1, 2)', "IsPresent gives “False”, “True”, never “true”"),
        ("IIF(IsPresent([a]) = 1, 1, 2)", "never “1”"),
        ('IIF([accountEnabled] = "true", 1, 2)', "[accountEnabled] gives “False”, “True”, never “true”"),
        ('IIF([IsSoftDeleted] <> "1", 1, 2)', "[IsSoftDeleted] gives “False”, “True”, never “1”"),
        ('IIF(Redact(IsNull([a])) = "yes", 1, 2)', "Redact gives “False”, “True”, never “yes”"),
        ('IIF(IIF([a] = "x", "A", "B") = "C", 1, 2)', "IIF gives “A”, “B”, never “C”"),
        ('IIF(IsNull(Join(" ", [a], [b])), 1, 2)', "IsNull comes out the same for everybody here"),
        ("IIF(IsPresent(Count([a])), 1, 2)", "IsPresent comes out the same for everybody here"),
        ("IIF(IsNull([a] & [b]), 1, 2)", "IsNull comes out the same for everybody here"),
        ('Not(InStr([mail], "@"))', "Not comes out the same for everybody here"),
        ("Not([department])", "[department] is not true or false"),
        # What the other side never gives
        ('IIF(ToLower([a]) = "Germany", 1, 2)', "ToLower never gives “Germany”"),
        ('IIF("de" = ToUpper([a]), 1, 2)', "ToUpper never gives “de”"),
        ('IIF(PCase([a]) = "DE", 1, 2)', "PCase never gives “DE”"),
        ('IIF(StripSpaces([a]) = "a b", 1, 2)', "StripSpaces never gives “a b”"),
        ('IIF(Trim([a]) = " x", 1, 2)', "Trim never gives “ x”"),
        ('IIF(NormalizeDiacritics([a]) = "Zoë", 1, 2)', "NormalizeDiacritics never gives “Zoë”"),
        ('IIF(Left([a], 2) = "USA", 1, 2)', "Left never gives “USA”"),
        ('IIF(Mid([a], 1, 2) = "USA", 1, 2)', "Mid never gives “USA”"),
        ('IIF(CDate([a]) = "2026-11-23", 1, 2)', "CDate never gives “2026-11-23”"),
        ('IIF(Count([a]) = "two", 1, 2)', "Count never gives “two”"),
        ("IIF(Len([a]) = 2.5, 1, 2)", "Len never gives “2.5”"),
        ('IIF(InStr([a], "@") = -1, 1, 2)', "InStr never gives “-1”"),
        ('IIF(InStr([a], "@") < 0, 1, 2)', "InStr gives whole numbers from 0"),
        ("IIF(0 <= Len([a]), 1, 2)", "Len gives whole numbers from 0"),
        ('IIF(DateDiff("d", Now(), [a]) = "soon", 1, 2)', "DateDiff never gives “soon”"),
        # Whatever the object
        ('IIF([a] > "", 1, 2)', "Nothing is greater or less than an empty text"),
        ("IIF([a] = [a], 1, 2)", "This comparison comes out the same for everybody"),
        ('IIF("a" = "b", 1, 2)', "This comparison comes out the same for everybody"),
        ('CBool("1" = 1)', "This comparison comes out the same for everybody"),
        # Dates
        ("IIF(CDate([a]) > Now(), 1, 2)", "CDate gives a date as text"),
        ('IIF([a] <= DateAdd("d", 7, Now()), 1, 2)', "Compare the number that DateDiff gives"),
        # Keys
        ('Switch(IsPresent([a]), "x", "true", "y")', "IsPresent gives “False”, “True”, never “true”, so this key"),
        ('Switch([accountEnabled], , "true", "y")', "[accountEnabled] gives “False”, “True”, never “true”, so this"),
        ('Switch(ToLower([a]), , "DE", "x", "de", "y")', "ToLower never gives “DE”, so this key is never taken"),
        ('Switch(Count([a]), , "01", "x")', "Count never gives “01”, so this key is never taken"),
        ('Switch(Left([a], 2), , "USA", "x")', "Left never gives “USA”, so this key is never taken"),
    ],
)
def test_what_comes_out_the_same_for_everybody_is_told_with_the_reason(source: str, reason: str) -> None:
    [message] = told(source)
    assert reason in message


@pytest.mark.parametrize(
    "source",
    [
        'IIF([a] = "", "Other", [a])',
        'IIF(IsNullOrEmpty([a]), "Other", [a])',
        "IIF([a], 1, 2)",
        "IIF([accountEnabled], 1, 2)",
        'IIF([accountEnabled] = "True", 1, 2)',
        "IIF(IsNull([accountEnabled]), 1, 2)",
        'IIF(IIF([a] = "x", "True", "False"), 1, 2)',
        "IIF(Not(IsPresent([a])), 1, 2)",
        'Switch([IsSoftDeleted], , "False", "True", "True", "False")',
        'Switch(IsPresent([jobTitle]), "DefaultValue", "True", [jobTitle])',
        'Switch([country],[country],"","Other")',
        'Switch(ToLower([a]), "0", "true", "1", "false", "0")',
        'IIF(ToLower([a], [culture]) = "I", 1, 2)',
        'IIF(Mid([a], 4, 2) = "USA", 1, 2)',  # a text that ends before the start comes whole
        'IIF(Left([a], [n]) = "USA", 1, 2)',
        'IIF(Left([a], -1) = "USA", 1, 2)',
        'IIF(CDate([a]) = "11/23/2026 12:00:00 AM", 1, 2)',
        'IIF(DateDiff("d", Now(), [a]) = "", 1, 2)',
        "IIF(CDate([a]) = CDate([b]), 1, 2)",
        'IIF([employeeHireDate] > "2026-11-23", 1, 2)',
        'IIF(DateDiff("d", Now(), [a]) >= -1, 1, 2)',
        "IIF(Len([a]) < 1, 1, 2)",
        "IIF([a] <= [a], 1, 2)",  # false of nothing
        "IIF(Guid() = Guid(), 1, 2)",
        'IIF(IsNullOrEmpty(Join(" ", [a], [b])), 1, 2)',
        'IIF([a] = "x", IgnoreAttributeFlow, [a])',
        "ToLower(IgnoreFlowIfNullOrEmpty([a]))",
        "Coalesce([a], IgnoreAttributeFlow)",
        'CBool("1")',
    ],
)
def test_what_can_come_out_either_way_is_taken(source: str) -> None:
    assert told(source) == []


@pytest.mark.parametrize("vector", DOCUMENTED, ids=lambda vector: vector["id"])
def test_no_documented_expression_is_refused(vector: dict[str, Any]) -> None:
    assert told(vector["expr"]) == []


def test_each_place_is_told_once_in_the_order_they_are_written() -> None:
    source = 'IIF(IsPresent([a]) = "x", IIF("a", 1, 2), Switch(ToLower([b]), , "B", 1, "C", 2))'
    assert [error.column for error in check(source)] == sorted(
        {20, 31, source.index('"B"') + 1, source.index('"C"') + 1}
    )


def test_a_condition_is_told_only_once_the_expression_can_be_read() -> None:
    [message] = told('IIF("a", UCase([b]), 2)')
    assert "Entra Connect" in message
