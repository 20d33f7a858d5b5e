"""The 14 operators of Entra's scoping filters (Microsoft, "Attribute-based application provisioning with scoping
filters"), and what a filter says about itself."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.rules.filter_checks import anchored, check, check_filter, unanchored
from sync.rules.filter_words import sentence
from sync.rules.filters import OPERATORS, Clause, Filter, attributes, compiled, judge, passes

PHONE = "extension_0123456789abcdef0123456789abcdef_value"


def holds(operator: str, value: object, operand: str = "", *, ignore_case: bool = False) -> bool:
    """A clause on an attribute that may hold anything: a directory extension."""
    one = Filter("Any", (Clause(PHONE, operator, operand, ignore_case),))
    return passes(compiled([one], "user"), {} if value is None else {PHONE: value})


def test_there_are_fourteen_operators() -> None:
    assert list(OPERATORS) == [
        "EQUALS", "NOT EQUALS", "IS TRUE", "IS FALSE", "IS NULL", "IS NOT NULL", "REGEX MATCH", "NOT REGEX MATCH",
        "GREATER_THAN", "GREATER_THAN_OR_EQUALS", "Includes", "ENDS_WITH", "&", "!&",
    ]  # fmt: skip


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("value", [None, "", []])
def test_an_empty_attribute_passes_only_the_question_for_emptiness(operator: str, value: object) -> None:
    assert holds(operator, value, "1") is (operator == "IS NULL")


@pytest.mark.parametrize(
    ("operator", "value", "operand", "expected"),
    [
        ("EQUALS", "Engineering", "Engineering", True),
        ("EQUALS", "engineering", "Engineering", False),
        ("EQUALS", "Engineering ", "Engineering", False),
        ("EQUALS", 7, "7", True),
        ("EQUALS", True, "True", True),
        ("NOT EQUALS", "Sales", "Engineering", True),
        ("NOT EQUALS", "Engineering", "Engineering", False),
        ("NOT EQUALS", "engineering", "Engineering", True),
        ("IS TRUE", True, "", True),
        ("IS TRUE", False, "", False),
        ("IS TRUE", "True", "", False),
        ("IS FALSE", False, "", True),
        ("IS FALSE", True, "", False),
        ("IS NULL", "a", "", False),
        ("IS NULL", False, "", False),
        ("IS NOT NULL", "a", "", True),
        ("IS NOT NULL", False, "", True),
        ("REGEX MATCH", "42", "([1-9][0-9])", True),
        ("REGEX MATCH", "4", "([1-9][0-9])", False),
        # Anywhere in the text, as Regex.IsMatch.
        ("REGEX MATCH", "1420", "([1-9][0-9])", True),
        ("REGEX MATCH", "1420", "^[1-9][0-9]$", False),
        ("REGEX MATCH", "jo@domain.com", r".*\@domain.com", True),
        ("REGEX MATCH", "JO@DOMAIN.COM", r".*\@domain.com", False),
        ("REGEX MATCH", "a", "(not closed", False),
        ("NOT REGEX MATCH", "jo@other.com", r".*\@domain.com", True),
        ("NOT REGEX MATCH", "jo@domain.com", r".*\@domain.com", False),
        ("NOT REGEX MATCH", "a", "(not closed", False),
        ("GREATER_THAN", 5, "4", True),
        ("GREATER_THAN", 5, "5", False),
        ("GREATER_THAN", "10", "9", True),
        ("GREATER_THAN", "ten", "9", False),
        ("GREATER_THAN", -1, "0", False),
        ("GREATER_THAN", 5, "-1", False),
        ("GREATER_THAN", True, "0", False),
        ("GREATER_THAN", 5.5, "5", False),
        ("GREATER_THAN_OR_EQUALS", 5, "5", True),
        ("GREATER_THAN_OR_EQUALS", 4, "5", False),
        ("GREATER_THAN_OR_EQUALS", 5, "five", False),
        ("Includes", "North Sales", "Sales", True),
        ("Includes", "North sales", "Sales", False),
        ("Includes", "Sales", "North Sales", False),
        ("ENDS_WITH", "jo@contractor.acme.example", "@contractor.acme.example", True),
        ("ENDS_WITH", "jo@Contractor.acme.example", "@contractor.acme.example", False),
        ("ENDS_WITH", "@contractor.acme.example.org", "@contractor.acme.example", False),
        ("&", "Sales", "Sales, Marketing", True),
        ("&", "Design", "Sales, Marketing", False),
        ("&", 6, "2", True),
        ("&", 4, "2", False),
        ("!&", "Design", "Sales, Marketing", True),
        ("!&", "Sales", "Sales, Marketing", False),
        ("!&", 4, "2", True),
    ],
)
def test_an_operator(operator: str, value: object, operand: str, expected: bool) -> None:
    assert holds(operator, value, operand) is expected


@pytest.mark.parametrize(
    ("operator", "value", "operand", "expected"),
    [
        ("EQUALS", "ENGINEERING", "Engineering", True),
        ("NOT EQUALS", "ENGINEERING", "Engineering", False),
        ("REGEX MATCH", "JO@DOMAIN.COM", r"@domain\.com$", True),
        ("NOT REGEX MATCH", "JO@DOMAIN.COM", r"@domain\.com$", False),
        ("Includes", "North SALES", "sales", True),
        ("ENDS_WITH", "jo@ACME.EXAMPLE", "@acme.example", True),
        ("&", "SALES", "Sales, Marketing", True),
        ("!&", "SALES", "Sales, Marketing", False),
        ("EQUALS", "ÄRZTE", "Ärzte", True),
    ],
)
def test_upper_and_lower_case_can_be_ignored(operator: str, value: str, operand: str, expected: bool) -> None:
    assert holds(operator, value, operand, ignore_case=True) is expected


@pytest.mark.parametrize("operator", [name for name in OPERATORS if name not in ("IS NULL", "IS NOT NULL")])
def test_several_values_are_never_compared(operator: str) -> None:
    assert holds(operator, ["a", "b"], "a") is False


def test_clauses_are_joined_by_and_filters_by_or() -> None:
    engineers = Filter(
        "Engineers", (Clause("department", "EQUALS", "Engineering"), Clause("accountEnabled", "IS TRUE"))
    )
    contractors = Filter("Contractors", (Clause("userPrincipalName", "ENDS_WITH", "@contractor.acme.example"),))
    both = compiled([engineers, contractors], "user")
    assert passes(both, {"department": "Engineering", "accountEnabled": True})
    assert not passes(both, {"department": "Engineering", "accountEnabled": False})
    assert passes(both, {"userPrincipalName": "jo@contractor.acme.example"})
    assert not passes(both, {})
    assert passes((), {})


def test_a_filter_without_clauses_or_with_unknown_parts_lets_nobody_pass() -> None:
    for clauses in ((), (Clause("department", "LIKE", "a"),), (Clause("noSuchThing", "IS NULL"),)):
        assert not passes(compiled([Filter("Odd", clauses)], "user"), {"department": "a"})


def test_values_are_read_as_mappings_read_them() -> None:
    one = Filter("Odd", (Clause("costCenter", "EQUALS", "R1"), Clause("mobile", "IS NOT NULL")))
    person = {"employeeOrgData": {"costCenter": "R1"}, "mobilePhone": "+49"}
    assert passes(compiled([one], "user"), person)
    guest = Filter("Theirs", (Clause("userPrincipalName", "ENDS_WITH", "@contoso.com"),))
    assert passes(compiled([guest], "user"), {"userPrincipalName": "sam_contoso.com#EXT#@acme.onmicrosoft.com"})


def test_a_verdict_tells_the_actual_value_of_every_clause() -> None:
    one = Filter("Engineers", (Clause("department", "EQUALS", "Engineering"), Clause("accountEnabled", "IS TRUE")))
    [verdict] = judge(compiled([one], "user"), {"department": "Field Engineering", "accountEnabled": True})
    assert [(finding.actual, finding.passed) for finding in verdict.findings] == [
        ("Field Engineering", False),
        (True, True),
    ]
    assert not verdict.passed


@pytest.mark.parametrize(
    ("clause", "field", "code"),
    [
        (Clause("", "EQUALS", "a"), "attribute", "attribute-missing"),
        (Clause("noSuchThing", "EQUALS", "a"), "attribute", "unknown-attribute"),
        (Clause("otherMails", "EQUALS", "a"), "attribute", "several-values"),
        (Clause("businessPhones", "EQUALS", "a"), "attribute", "several-values"),
        (Clause("manager", "EQUALS", "a"), "attribute", "reference"),
        (Clause("userType", "EQUALS", "Guest"), "attribute", "user-type"),
        (Clause("employeeHireDate", "EQUALS", "2020"), "attribute", "date"),
        (Clause("createdDateTime", "IS NULL"), "attribute", "date"),
        (Clause("IsSoftDeleted", "IS TRUE"), "attribute", "computed"),
        (Clause("department", "LIKE", "a"), "operator", "unknown-operator"),
        (Clause("accountEnabled", "EQUALS", "True"), "operator", "not-for-true-or-false"),
        (Clause("department", "IS TRUE"), "operator", "only-for-true-or-false"),
        (Clause("department", "EQUALS"), "value", "value-missing"),
        (Clause("employeeId", "GREATER_THAN", "ten"), "value", "number-expected"),
        (Clause("employeeId", "GREATER_THAN_OR_EQUALS", "-1"), "value", "number-expected"),
        (Clause("department", "EQUALS", "a" * 1025), "value", "too-long"),
        (Clause("department", "REGEX MATCH", "(a"), "value", "pattern"),
    ],
)
def test_what_is_wrong_with_a_clause_is_said_at_its_field(clause: Clause, field: str, code: str) -> None:
    [problem] = check([Clause("department", "EQUALS", "a"), clause])
    assert (problem.index, problem.field, problem.code) == (1, field, code)
    assert problem.sentence()


def test_groups_have_attributes_of_their_own() -> None:
    assert check([Clause("securityEnabled", "IS TRUE"), Clause("description", "Includes", "a")], "group") == []
    assert [problem.code for problem in check([Clause("members", "IS NULL")], "group")] == ["reference"]
    assert [problem.code for problem in check([Clause("department", "IS NULL")], "group")] == ["unknown-attribute"]


@pytest.mark.parametrize("ignore_case", [False, True])
def test_a_pattern_error_counts_from_what_was_written(ignore_case: bool) -> None:
    [problem] = check([Clause("department", "REGEX MATCH", "ab(?=c)", ignore_case)])
    assert problem.sentence().startswith("Character 3 of the pattern: (?= looks around")


def test_a_filter_needs_a_title_and_a_clause() -> None:
    assert [problem.code for problem in check_filter(Filter(" ", ()))] == ["no-title", "no-clauses"]
    many = Filter("Many", (Clause("department", "IS NULL"),) * 51)
    assert [problem.code for problem in check_filter(many)] == ["too-many-clauses"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("^a$", True), (r"\Aa\z", True), ("(?i)^a$", True), ("^(a|b)$", True), ("^[|]$", True), (r"^a\|b$", True),
        ("a", False), ("^a", False), ("a$", False), ("^a|b$", False), (r"^a\$", False), ("", False),
    ],
)  # fmt: skip
def test_a_pattern_that_may_stand_anywhere_is_told_from_an_anchored_one(pattern: str, expected: bool) -> None:
    assert anchored(pattern) is expected
    warned = unanchored(Clause("department", "REGEX MATCH", pattern))
    assert warned is (bool(pattern) and not expected)


def test_the_rules_are_one_english_sentence() -> None:
    engineers = Filter(
        "Engineers", (Clause("department", "EQUALS", "Engineering"), Clause("accountEnabled", "IS TRUE"))
    )
    contractors = Filter("Contractors", (Clause("userPrincipalName", "ENDS_WITH", "@contractor.acme.example"),))
    assert sentence([engineers, contractors]) == (
        "A person passes if (department is Engineering and account is enabled) "
        "or (user principal name ends with @contractor.acme.example)."
    )
    assert sentence([contractors]) == "A person passes if user principal name ends with @contractor.acme.example."
    assert sentence([]) == "No filters. Everyone who is assigned is in scope."
    assert sentence([Filter("All", (Clause("mail", "IS NULL"),))], "group") == (
        "A group passes if e-mail address is empty."
    )


def test_the_sentence_is_put_together_from_translated_parts() -> None:
    seen: list[str] = []

    def translate(text: str) -> str:
        seen.append(text)
        return text

    sentence([Filter("One", (Clause("department", "EQUALS", "a"), Clause("mail", "IS NULL")))], "user", translate)
    assert {"A person passes if %(rules)s.", "Department", "is", "is empty", "and", "E-mail address"} <= set(seen)


NAMES = [*(one.name for one in attributes("user")), "members", "", "noSuchThing", PHONE, "userType"]
CLAUSES = st.builds(
    Clause,
    st.sampled_from(NAMES) | st.text(max_size=30),
    st.sampled_from(list(OPERATORS)) | st.text(max_size=10),
    st.text(max_size=40),
    st.booleans(),
)
FILTERS = st.builds(Filter, st.text(max_size=20), st.lists(CLAUSES, max_size=4).map(tuple), st.just(""))
VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.lists(st.text(max_size=5), max_size=3)


@given(st.lists(FILTERS, max_size=3), st.dictionaries(st.sampled_from([*NAMES, "mobilePhone"]), VALUES, max_size=6))
def test_whatever_is_stored_it_is_described_kept_and_judged(filters: list[Filter], person: dict[str, Any]) -> None:
    assert sentence(filters)
    for one in filters:
        assert Filter.of(one.title, [clause.row() for clause in one.clauses], one.uid) == one
        for problem in check_filter(one):
            assert problem.sentence()
    ready = compiled(filters, "user")
    verdicts = judge(ready, person)
    assert passes(ready, person) is (not filters or any(verdict.passed for verdict in verdicts))
