"""Expressions as rows of a mapping: what is refused before saving, and what is left alone in AWS."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sync.engine.evaluation.mapper import Mapper
from sync.rules.aws_fields import BOOLEANS, FILTERABLE, LENGTHS, REQUIRED, TARGETS
from sync.rules.mapping import Mapped, MappingContext, compile_mappings, map_object
from sync.rules.mapping_checks import canonical, check_mapping
from sync.rules.rows import GuestName, MappingRow

pytestmark = pytest.mark.pure

ROW = MappingRow("title", "expression", 'Join(" ", [jobTitle], [department])')


def mapped(source: str, *, creating: bool = True, **properties: object) -> Mapped:
    rules = compile_mappings([replace(ROW, source=source, default="none")])
    return map_object(rules, properties, present=True, creating=creating)


def untouched(result: Mapped) -> set[str]:
    return {trace.target for trace in result.untouched}


def codes(row: MappingRow) -> list[tuple[str, str]]:
    return [(problem.code, problem.field) for problem in check_mapping(row, [])]


def test_a_pattern_takes_part() -> None:
    result = mapped(r'Replace([jobTitle], , "\\s+\\((?<level>.*)\\)", , " ${level}", , )', jobTitle="Engineer  (II)")
    assert result.values == {"title": "Engineer II"}


def test_a_pattern_that_cannot_be_run_is_refused_in_the_row() -> None:
    [problem] = check_mapping(replace(ROW, source='Replace([jobTitle], , "a(?=b)", , "", , )'), [])
    assert (problem.code, problem.field, problem.params["column"]) == ("expression", "source", 25)
    assert "looks around" in problem.sentence


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("IIF([department], [department], 2)", "[department] is not true or false"),
        ("IIF([employeeHireDate], 1, 2)", "[employeeHireDate] is not true or false"),
        ("Not([otherMails])", "[otherMails] is not true or false"),
        ('IIF([AccountEnabled] = "true", 1, 2)', "never “true”"),
        ("IIF([accountEnabled], 1, 2)", ""),
        ("IIF([extensionAttribute1], 1, 2)", ""),
        ("IIF([extension_0123456789abcdef0123456789abcdef_active], 1, 2)", ""),
        ('Switch([IsSoftDeleted], , "False", "True", "True", "False")', ""),
    ],
)
def test_a_condition_is_judged_by_what_the_attribute_can_hold(source: str, said: str) -> None:
    found = [str(problem) for problem in check_mapping(replace(ROW, source=source), [])]
    assert (found == []) == (said == "")
    assert said in "".join(found)


def test_an_ignored_attribute_stays_and_has_no_default() -> None:
    result = mapped("IgnoreFlowIfNullOrEmpty([jobTitle])")
    assert (result.values, untouched(result), result.problems) == ({}, {"title"}, ())


def test_an_ignored_object_is_not_written() -> None:
    result = mapped('IIF([jobTitle] = "", IgnoreObjectFlow, [jobTitle])')
    [trace] = result.problems
    assert trace.problem is not None
    assert trace.problem.code == "object-ignored"
    assert (result.values, untouched(result)) == ({}, {"title"})


def test_an_error_of_the_expression_is_the_problem_of_the_object() -> None:
    [trace] = mapped('Coalesce([jobTitle], Error("no title"))').problems
    assert trace.problem is not None
    assert "The expression says: no title" in trace.problem.sentence


@pytest.mark.parametrize("source", ["Guid()", "RandomString(9, 1, 1, 1, 1)", "SelectUniqueValue([mail], [jobTitle])"])
def test_what_gives_another_value_each_time_is_for_creation_only_and_not_to_match_on(source: str) -> None:
    assert codes(replace(ROW, source=source)) == [("random", "apply")]
    assert codes(replace(ROW, source=source, apply="create")) == []
    matching = MappingRow("externalId", "expression", source, apply="create", matching=1)
    assert codes(matching) == [("matching-random", "matching")]


def test_names_are_canonical_on_save_and_the_rest_is_as_it_was() -> None:
    assert canonical(replace(ROW, source='join(" ",\n [jobTitle])')).source == 'Join(" ",\n [jobTitle])'
    assert canonical(replace(ROW, source="jion(")).source == "jion("
    assert canonical(replace(ROW, kind="constant", source="join()")).source == "join()"


# What a row gives on create, on update, and once its source is empty


def only(row: MappingRow, *, creating: bool, **properties: object) -> tuple[object, bool]:
    """Value, and whether AWS's own is left."""
    [trace] = map_object(compile_mappings([row]), properties, present=True, creating=creating).trace
    return trace.value, trace.untouched


DIRECT = MappingRow("title", "direct", "jobTitle")


@pytest.mark.parametrize(
    ("row", "creating", "expected"),
    [
        (DIRECT, False, (None, False)),
        (replace(DIRECT, when_empty="keep"), False, (None, True)),
        (replace(DIRECT, default="Clerk"), True, ("Clerk", False)),
        (replace(DIRECT, default="Clerk"), False, (None, True)),
        (replace(DIRECT, default="Clerk", default_on_update=True), False, ("Clerk", False)),
        (replace(DIRECT, apply="create"), False, (None, True)),
        (MappingRow("title", "none", ""), True, (None, True)),
        (MappingRow("title", "none", "", default="Clerk"), True, ("Clerk", True)),
        (MappingRow("title", "none", "", default="Clerk"), False, ("Clerk", True)),
        (MappingRow("title", "none", "", default="Clerk", apply="create"), False, (None, True)),
    ],
)
def test_an_empty_source(row: MappingRow, creating: bool, expected: tuple[object, bool]) -> None:
    assert only(row, creating=creating, jobTitle=None) == expected


@pytest.mark.parametrize(
    ("row", "written", "desired"),
    [
        # None: what AWS holds stays, whatever the default says; an empty field is filled.
        (MappingRow("title", "none", "", default="Clerk"), {"title": "Chief"}, {"title": "Chief"}),
        (MappingRow("title", "none", "", default="Clerk"), {"userName": "a"}, {"title": "Clerk"}),
        (MappingRow("title", "none", ""), {"title": "Chief"}, {"title": "Chief"}),
        # A default that was written on create stays; a value that came from Entra goes with it.
        (replace(DIRECT, default="Clerk"), {"title": "Clerk"}, {"title": "Clerk"}),
        (replace(DIRECT, default="Clerk"), {"title": "Chief"}, {}),
        (replace(DIRECT, default="Clerk", when_empty="keep"), {"title": "Chief"}, {"title": "Chief"}),
        (
            MappingRow('addresses[type eq "work"].country', "none", "", default="DE"),
            {"addresses": [{"type": "work", "country": "FR"}]},
            {"addresses": [{"type": "work", "country": "FR"}]},
        ),
    ],
)
def test_what_an_update_makes_of_an_empty_source(
    row: MappingRow, written: dict[str, object], desired: dict[str, object]
) -> None:
    mapper = Mapper([row])
    assert mapper.desired(mapper.map({"jobTitle": None}, present=True, creating=False), written) == desired


GUEST = {
    "userPrincipalName": "sam_contoso.com#EXT#@acme.onmicrosoft.com",
    "mail": "sam@mail.example",
    "userType": "Guest",
}


@pytest.mark.parametrize(
    ("source", "name"),
    [("invited", "sam@contoso.com"), ("original", GUEST["userPrincipalName"]), ("mail", "sam@mail.example")],
)
def test_a_guests_user_name_is_what_the_setting_says(source: GuestName, name: str) -> None:
    rules = compile_mappings([MappingRow("userName", "direct", "userPrincipalName")])
    around = MappingContext(guest_user_name=source)
    assert map_object(rules, GUEST, present=True, creating=True, around=around).values == {"userName": name}


def test_a_guest_without_mail_has_no_name_rather_than_another_one() -> None:
    rules = compile_mappings([MappingRow("userName", "direct", "userPrincipalName")])
    around = MappingContext(guest_user_name="mail")
    assert map_object(rules, GUEST | {"mail": None}, present=True, creating=True, around=around).values == {}


def test_a_member_is_no_guest() -> None:
    rules = compile_mappings([MappingRow("userName", "direct", "userPrincipalName")])
    member = {"userPrincipalName": "ada@acme.example", "mail": "other@acme.example", "userType": "Member"}
    around = MappingContext(guest_user_name="mail")
    assert map_object(rules, member, present=True, creating=True, around=around).values == {
        "userName": "ada@acme.example"
    }


def test_date_functions_see_the_clock_that_they_are_given() -> None:
    rules = compile_mappings([replace(ROW, source='FormatDateTime(Now(), , "M/d/yyyy h:mm:ss tt", "yyyy-MM-dd")')])
    around = MappingContext(now=datetime(2026, 11, 23, tzinfo=UTC))
    assert map_object(rules, {}, present=True, creating=True, around=around).values == {"title": "2026-11-23"}


def test_a_taken_value_is_passed_over() -> None:
    row = MappingRow("userName", "expression", 'SelectUniqueValue([mail], "second@acme.example")', apply="create")
    around = MappingContext(taken=lambda target, value: (target, value) == ("userName", "ada@acme.example"))
    found = map_object(
        compile_mappings([row]), {"mail": "ada@acme.example"}, present=True, creating=True, around=around
    )
    assert found.values == {"userName": "second@acme.example"}


def test_a_redacted_value_is_marked_and_sent() -> None:
    mapper = Mapper([replace(ROW, source="Redact([jobTitle])")])
    assert mapper.redacted == {"title"}
    assert mapper.map({"jobTitle": "Chief"}, present=True, creating=True).values == {"title": "Chief"}


# What is refused when a row is saved


WORK_PHONE, HOME_PHONE = ('phoneNumbers[type eq "work"].value', 'phoneNumbers[type eq "home"].value')


@pytest.mark.parametrize(
    ("row", "others", "expected"),
    [
        (MappingRow("userName", "direct", ""), [], ("source-empty", "source")),
        (MappingRow("userName", "none", ""), [], ("source-needed", "kind")),
        (MappingRow("title", "direct", "nobody"), [], ("unknown-source", "source")),
        (MappingRow("title", "direct", "jobTitle"), [DIRECT], ("duplicate-target", "target")),
        (MappingRow(HOME_PHONE, "direct", "mobile"), [MappingRow(WORK_PHONE, "direct", "telephoneNumber")], ("one-list-value", "target")),
        (MappingRow('emails[type eq "other"].value', "direct", "mail"), [MappingRow('emails[type eq "work"].value', "direct", "mail")], ("one-list-value", "target")),
        (MappingRow("title", "direct", "businessPhones"), [], ("several-values-source", "source")),
        (MappingRow("externalId", "constant", "x", matching=1), [], ("constant-matching", "matching")),
        (MappingRow("title", "direct", "jobTitle", matching=1), [], ("matching-unfilterable", "matching")),
        (MappingRow("externalId", "direct", "objectId", matching=1), [MappingRow("userName", "direct", "mail", matching=1)], ("matching-taken", "matching")),
        (MappingRow("title", "expression", "Jion([surname])"), [], ("expression", "source")),
        (MappingRow("title", "constant", "x" * 1025), [], ("too-long", "source")),
        (MappingRow("userName", "constant", "x" * 129), [], ("too-long", "source")),
        (MappingRow("title", "direct", "jobTitle", default="x" * 1025), [], ("too-long", "default")),
        (MappingRow("nonsense", "direct", "mail"), [], ("unknown-target", "target")),
        (MappingRow("manager", "direct", "mail"), [], ("unknown-target", "target")),
        (MappingRow("title", "direct", "extension_" + "0" * 32 + "_Badge"), [], None),
        (MappingRow("title", "direct", "Extension_" + "0" * 32 + "_Badge"), [], ("unknown-source", "source")),
        (MappingRow("externalId", "direct", "objectId", matching=2), [MappingRow("userName", "direct", "mail", matching=1)], None),
    ],
)  # fmt: skip
def test_what_a_row_is_refused_for(row: MappingRow, others: list[MappingRow], expected: tuple[str, str] | None) -> None:
    found = [(problem.code, problem.field) for problem in check_mapping(row, others)]
    assert found == ([expected] if expected else [])


def test_every_fact_about_aws_comes_from_one_table() -> None:
    assert REQUIRED["user"] == {"userName", "displayName", "name.givenName", "name.familyName"}
    assert FILTERABLE == {"user": ("userName", "externalId"), "group": ("displayName", "externalId")}
    assert {"active"} == BOOLEANS
    assert (LENGTHS["userName"], LENGTHS["externalId"], LENGTHS["title"]) == (128, 256, 1024)
    assert len(set(TARGETS["user"])) == len(TARGETS["user"]) == 32
