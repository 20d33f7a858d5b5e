"""Every entry of the table: its example gives what the help says, and its arguments are checked."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.expressions import FUNCTIONS, EvaluationError, ExpressionError, Function, evaluate, parse
from sync.expressions.docs import MOMENT, PERSON
from sync.expressions.functions import CONNECT, CONNECT_INSTEAD, UNAVAILABLE
from sync.expressions.values import Value

pytestmark = pytest.mark.pure

STEADY = [function for function in FUNCTIONS.values() if function.gives]
TAKES_SOME = [function for function in FUNCTIONS.values() if function.least]
LIMITED = [function for function in FUNCTIONS.values() if function.most is not None]


# Microsoft, "Reference for writing expressions for attribute mappings", list of functions (April 2026).
DOCUMENTED = (
    *("Append", "AppRoleAssignmentsComplex", "BitAnd", "CBool", "CDate", "Coalesce", "ConvertToBase64"),
    *("ConvertToUTF8Hex", "Count", "CStr", "DateAdd", "DateDiff", "DateFromNum", "DefaultDomain", "FormatDateTime"),
    *("Guid", "IgnoreFlowIfNullOrEmpty", "IIF", "InStr", "IsNull", "IsNullOrEmpty", "IsPresent", "IsString", "Item"),
    *("Join", "Left", "Len", "Mid", "NormalizeDiacritics", "Not", "Now", "NumFromDate", "PCase", "RandomString"),
    *("Redact", "RemoveDuplicates", "Replace", "SelectUniqueValue", "SingleAppRoleAssignment", "Split"),
    *("StripSpaces", "Switch", "ToLower", "ToUpper", "Word"),
)


def value(source: str, **attributes: Value) -> object:
    return evaluate(parse(source), attributes, now=MOMENT)


def test_every_documented_function_is_here_but_the_one_that_needs_the_domains_of_the_tenant() -> None:
    assert [name for name in DOCUMENTED if name.lower() not in FUNCTIONS] == ["DefaultDomain"]
    with pytest.raises(ExpressionError, match="domains of your Entra tenant, which are not read"):
        parse('Join("@", [mailNickname], DefaultDomain())')


def test_no_documented_function_is_said_to_belong_to_entra_connect() -> None:
    assert [name for name in DOCUMENTED if UNAVAILABLE.get(name) in (CONNECT, CONNECT_INSTEAD)] == []


@pytest.mark.parametrize(("name", "instead"), [("LCase", "ToLower"), ("RTrim", "Trim"), ("PadLeft", "Replace")])
def test_a_function_of_entra_connect_is_refused_with_the_one_that_does_it_here(name: str, instead: str) -> None:
    with pytest.raises(
        ExpressionError, match=f"{name} for Microsoft Entra Connect, not for provisioning. Take {instead}"
    ):
        parse(f"{name}([surname])")


@pytest.mark.parametrize("function", STEADY, ids=lambda function: function.name)
def test_the_example_gives_what_the_help_says(function: Function) -> None:
    assert evaluate(parse(function.example), PERSON, now=MOMENT) == json.loads(function.gives)


def test_only_what_is_random_has_no_result_in_the_help() -> None:
    assert {function.name for function in FUNCTIONS.values() if not function.gives} == {
        "Guid",
        "RandomString",
    }
    assert {function.name for function in FUNCTIONS.values() if not function.steady} == {
        "Guid",
        "RandomString",
        "SelectUniqueValue",
    }


@pytest.mark.parametrize("function", TAKES_SOME, ids=lambda function: function.name)
def test_too_few_arguments_are_refused_with_the_signature(function: Function) -> None:
    with pytest.raises(ExpressionError, match=re.escape(function.signature)):
        parse(f"{function.name}({', '.join(['[a]'] * (function.least - 1))})")


@pytest.mark.parametrize("function", LIMITED, ids=lambda function: function.name)
def test_too_many_arguments_are_refused_with_the_signature(function: Function) -> None:
    with pytest.raises(ExpressionError, match=re.escape(function.signature)):
        parse(f"{function.name}({', '.join(['[a]'] * ((function.most or 0) + 1))})")


def test_switch_needs_a_value_for_every_key() -> None:
    with pytest.raises(ExpressionError, match="Switch needs a value for every key"):
        parse('Switch([x], "default", "key", "value", "key without value")')


def test_replace_without_a_replacement_is_refused() -> None:
    with pytest.raises(ExpressionError, match="Replace needs oldValue"):
        parse('Replace([mail], "@contoso.com")')


def test_a_guid_is_lower_case_and_another_one_each_time() -> None:
    first, second = value("Guid()"), value("Guid()")
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", str(first))
    assert first != second


@pytest.mark.parametrize("attempt", range(20))
def test_a_random_text_keeps_its_minimums_and_avoids_what_it_is_told(attempt: int) -> None:
    made = str(value('RandomString(10, 2, 2, 2, 1, "?,")'))
    assert len(made) == 10
    assert sum(one.isdigit() for one in made) >= 2
    assert sum(one.isupper() for one in made) >= 2
    assert sum(one.islower() for one in made) >= 1
    assert sum(not one.isalnum() for one in made) >= 2
    assert not set(made) & set("?,")


@pytest.mark.parametrize("source", ["RandomString(257,0,0,0,0)", "RandomString(3,2,0,0,2)", "RandomString(0,0,0,0,0)"])
def test_a_random_text_of_impossible_length_is_refused(source: str) -> None:
    with pytest.raises(EvaluationError, match="1 to 256"):
        value(source)


def test_a_random_text_with_every_character_avoided_is_refused() -> None:
    with pytest.raises(EvaluationError, match="no characters left"):
        value('RandomString(2,2,0,0,0,"0123456789")')


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('Left("abc", "x")', "“x” is not a number"),
        ('Left("abc", 1.5)', "1.5 is not a whole number"),
        ("Item([many], 3)", "There is no value number 3"),
        ("Item([many], 0)", "There is no value number 0"),
        ("Append([many], [many])", "There are 2 values where one text is expected"),
        ("Len([many])", "There are 2 values where one text is expected"),
        ('Split("a", "")', "needs a delimiter"),
        ('Split("a", RemoveDuplicates(""))', "needs a delimiter"),
        ('ConvertFromBase64("?")', "is not Base64 of UTF-16-LE text"),
        ('ConvertFromBase64("YQ==", "latin")', "There is no encoding latin"),
        ('DNComponent("cn=x", "y")', "“y” is not a number"),
        ('FormatDateTime("2015-01-23", , "MM/dd/yyyy", "yyyy")', "not a date in the form MM/dd/yyyy"),
        ('FormatDateTime("2015-02-30", , "yyyy-MM-dd", "yyyy")', "not a date in the form"),
        ('FormatDateTime("13 PM", , "hh tt", "HH")', "not a date in the form"),
        ('FormatDateTime("Mon 23 Jan 2015", , "ddd d MMM yyyy", "yyyy")', "not a date in the form"),
        ('FormatDateTime(" 2015", "None", "yyyy", "yy")', "not a date in the form"),
        ('FormatDateTime("2015", "Sideways", "yyyy", "yy")', "“Sideways” is not a date style"),
        ('FormatDateTime("2015", , "yyyy%", "yy")', "% has no meaning in it"),
        ('FormatDateTime("2015", , "yyyy", "ffffffff")', "ffffffff has no meaning in it"),
        ('FormatDateTime("2015 2016", , "yyyy yyyy", "yy")', "not a date in the form"),
        ('CDate("13/1/2020")', "is not a date"),
        ('CDate("1/1/2020 13:00 PM")', "is not a date"),
        ('CDate("tomorrow")', "“tomorrow” is not a date"),
        ('DateAdd("fortnight", 1, "2026-01-01")', "“fortnight” is not an interval"),
        ('DateAdd("yyyy", 9000, "2026-01-01")', "outside the years"),
        ('DateAdd("d", 99999999999, "2026-01-01")', "outside the years"),
        ('CDate("0001-01-01T00:00:00+05:00")', "outside the years"),
        ("DateFromNum(999999999999999999999)", "outside the years"),
    ],
)
def test_data_that_does_not_fit_is_an_error_with_a_place(source: str, message: str) -> None:
    with pytest.raises(EvaluationError, match=message) as caught:
        value(source, many=["a", "b"])
    assert caught.value.line == 1
    assert caught.value.column >= 1


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('ToLower("STRASSE İI")', "strasse İi"),
        ('ToLower("I", "tr-TR")', "ı"),
        ('ToUpper("straße")', "STRAßE"),
        ('ToUpper("i", "tr-TR")', "İ"),
        ('NormalizeDiacritics("Łódź Ærø Straße Øre ŞĞIı")', "Lodz AEroe Strasse OEre SGIi"),
        ('NormalizeDiacritics("がぎ đðþħ")', "がぎ đðþħ"),
        ('PCase("JOHN\'S")', "John'S"),
        ('Trim(Split("a , b", ","))', ["a", "b"]),
        ('DateAdd("m", 1, "2027-01-31")', "2/28/2027 12:00:00 AM"),
        ('DateDiff("d", "2026-11-23 23:59", "2026-11-24 00:01")', 1),
        ('DateDiff("ww", "2026-11-21", "2026-11-22")', 1),  # a Saturday and the Sunday after it
        ('DateDiff("ww", "2026-11-22", "2026-11-28")', 0),
        ('DateDiff("ww", "2021-08-25T17:41:18Z", "2012-03-16T07:00:00Z")', -493),  # printed by Microsoft
    ],
)
def test_edges(source: str, expected: object) -> None:
    assert value(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        *("ToLower([x])", "Trim([x])", "PCase([x])", "CDate([x])", "CStr([x])", 'DateAdd("d", 1, [x])'),
        *('Split([x], ",")', 'Replace([x], "a", , , "b")', "Item([x], 1)", "RemoveDuplicates([x])"),
        'DateDiff("d", [x], "2026-01-01")',
    ],
)
def test_null_in_gives_null_out(source: str) -> None:
    assert value(source) is None


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 9))
def test_the_length_agrees_with_what_left_and_mid_cut(source: str, count: int) -> None:
    assert value("Len([x])", x=source) == len(source)
    assert value("Left([x], Len([x]))", x=source) == source
    assert value("Len(Left([x], [n]))", x=source, n=count) == min(count, len(source))
    assert value("Append(Left([x], 2), Mid([x], 3, Len([x])))", x=source + "...") == source + "..."
