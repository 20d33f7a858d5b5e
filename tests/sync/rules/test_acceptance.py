"""AWS's rules, one by one, and that whoever passes them keeps to AWS's patterns and lengths."""

import unicodedata
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync import expressions
from sync.problems.catalogue import PROBLEMS
from sync.rules import aws_fields, mapping
from sync.rules.acceptance import (
    CHECKS,
    OUTCOMES,
    AcceptanceFinding,
    aws_words,
    check_group,
    check_name_id,
    check_user,
    proposal,
    visible,
)
from sync.rules.rows import MappingRow
from sync.scim.diagnosis import diagnose
from sync.scim.resource import ENTERPRISE, group_body, units, user_body

pytestmark = pytest.mark.pure

WORK_MAIL = 'emails[type eq "work"].value'
CITY = 'addresses[type eq "work"].locality'
ADELE: dict[str, Any] = {
    "userName": "adele@acme.example",
    "externalId": "6c1d0a52-0001",
    "displayName": "Adele Vance",
    "name.givenName": "Adele",
    "name.familyName": "Vance",
    "active": True,
    WORK_MAIL: "adele@acme.example",
    'phoneNumbers[type eq "work"].value': "+49 30 123",
    CITY: "Zürich",
    f"{ENTERPRISE}:department": "R&D",
}


def adele(**changes: Any) -> dict[str, Any]:
    return units(ADELE) | changes


def mapped(changes: Mapping[str, Any]) -> dict[str, Any]:
    """A value of None leaves the target out, as the mapping does."""
    return units({target: value for target, value in (ADELE | changes).items() if value is not None})


def codes(findings: tuple[AcceptanceFinding, ...]) -> list[tuple[str, str]]:
    return [(finding.code, finding.attribute) for finding in findings]


def test_nothing_is_wrong_with_a_complete_person_or_group() -> None:
    assert check_user(adele()) == ()
    assert check_group({"displayName": "AWS admins", "externalId": "6c1d0a52-0002"}) == ()


REFUSED = [
    ({"name.givenName": None}, "missing-given-name", "name.givenName"),
    ({"name.familyName": None}, "missing-family-name", "name.familyName"),
    ({"name.familyName": ""}, "missing-family-name", "name.familyName"),
    ({"displayName": None}, "missing-display-name", "displayName"),
    ({"userName": None}, "missing-user-name", "userName"),
    ({'phoneNumbers[type eq "mobile"].value': "+49 170 1"}, "too-many-values", "phoneNumbers"),
    ({'addresses[type eq "home"].locality': "Bern"}, "too-many-values", "addresses"),
    ({'emails[type eq "home"].value': "a@b.example"}, "too-many-values", "emails"),
    ({"userName": "adele vance"}, "bad-characters", "userName"),
    ({"userName": "adele\u00a0vance"}, "bad-characters", "userName"),
    ({"userName": "adele\tvance"}, "bad-characters", "userName"),
    ({"externalId": "6c1d 0001"}, "bad-characters", "externalId"),
    ({"displayName": "Adele\u200bVance"}, "bad-characters", "displayName"),
    ({"displayName": "Adele\u0007Vance"}, "bad-characters", "displayName"),
    ({"title": "Thin\u2009space"}, "bad-characters", "title"),
    ({"title": "Line\u2028separator"}, "bad-characters", "title"),
    ({"title": "Private\ue000use"}, "bad-characters", "title"),
    ({CITY: "Zero\ufeffwidth"}, "bad-characters", CITY),
    ({f"{ENTERPRISE}:department": "R\u0000D"}, "bad-characters", f"{ENTERPRISE}:department"),
    ({'roles[primary eq "True"].value': "a\u200db"}, "bad-characters", 'roles[type eq "work"].value'),
    ({"userName": "x" * 129}, "too-long", "userName"),
    ({"externalId": "x" * 257}, "too-long", "externalId"),
    ({"title": "x" * 1025}, "too-long", "title"),
    ({CITY: "x" * 1025}, "too-long", CITY),
    ({"title": ""}, "empty-value", "title"),
    ({"userName": "Administrator"}, "reserved-name", "userName"),
    ({"userName": "AWSAdministrators"}, "reserved-name", "userName"),
]


@pytest.mark.parametrize(("changes", "code", "attribute"), REFUSED)
def test_what_aws_refuses_is_found_under_its_code(changes: dict[str, Any], code: str, attribute: str) -> None:
    found = check_user(mapped(changes))
    assert codes(found) == [(code, attribute)]
    assert found[0].certain


@pytest.mark.parametrize(
    "changes",
    [
        {"userName": "x" * 128},
        {"externalId": "x" * 256},
        {"title": "x" * 1024},
        {"title": "😀" * 1024},
        {"userName": "zoë.o'neil+test@acme.example"},
        {"displayName": "王\u3000小明"},
        {"displayName": "Adele\u00a0Vance"},
        {"name.familyName": " "},
        {"userName": "administrators"},
        {"displayName": "Administrator"},
        {"profileUrl": "https://acme.example/adele"},
    ],
)
def test_what_aws_takes_is_left_alone(changes: dict[str, Any]) -> None:
    assert check_user(mapped(changes)) == ()


@pytest.mark.parametrize("char", ["\t", "\n", "\r", "<", ">", ";", ":", "%", "\U000e0fff"])
def test_characters_about_which_the_sources_disagree_are_not_certain(char: str) -> None:
    found = check_user(mapped({"title": f"a{char}b"}))
    assert codes(found) == [("maybe-refused-characters", "title")]
    assert not found[0].certain


def test_a_person_without_an_email_may_be_refused() -> None:
    found = check_user(mapped({WORK_MAIL: None}))
    assert (codes(found), found[0].certain) == ([("missing-mail", "emails")], False)


@pytest.mark.parametrize("emails", [[], [{"value": "a@b.example", "type": "work"}]])
def test_the_email_is_one_and_primary(emails: list[dict[str, Any]]) -> None:
    assert codes(check_user(adele(emails=emails))) == [("not-one-mail", "emails")]


def test_an_empty_list_is_an_empty_value() -> None:
    assert codes(check_user(adele(phoneNumbers=[]))) == [("empty-value", "phoneNumbers")]


def test_the_values_in_question_are_named() -> None:
    (found,) = check_user(mapped({'phoneNumbers[type eq "mobile"].value': "+49 170 1"}))
    assert found.value == "+49 30 123, +49 170 1"


def test_everything_wrong_is_found_worst_first() -> None:
    found = check_user(mapped({"title": "a<b", "userName": "a b" + "x" * 128, "name.givenName": None, WORK_MAIL: None}))
    assert [finding.code for finding in found] == [
        "missing-given-name",
        "bad-characters",
        "too-long",
        "missing-mail",
        "maybe-refused-characters",
    ]


@pytest.mark.parametrize(
    ("group", "code"),
    [
        ({"externalId": "1"}, "missing-display-name"),
        ({"displayName": "AWSAdministrators"}, "reserved-name"),
        ({"displayName": "a\u200bb"}, "bad-characters"),
        ({"displayName": "x" * 1025}, "too-long"),
        ({"displayName": "a", "externalId": "1 2"}, "bad-characters"),
        ({"displayName": "a", "externalId": ""}, "empty-value"),
        ({"displayName": "a: b"}, "maybe-refused-characters"),
    ],
)
def test_groups_are_checked_too(group: dict[str, Any], code: str) -> None:
    assert [finding.code for finding in check_group(group)] == [code]


# --- Whoever passes keeps to the model ---

TEXTS = st.text(max_size=40) | st.text(st.sampled_from("aé王 \t\u00a0\u3000\u200b\u0000😀:"), max_size=40)
LONG = st.integers(120, 1030).map(lambda length: "x" * length)
TARGETS = sorted(
    {*aws_fields.TARGETS["user"], 'phoneNumbers[type eq "mobile"].value', 'emails[type eq "home"].value'}
    - {"active", f"{ENTERPRISE}:manager"}
)
# The first draw of a text makes Hypothesis' table of Unicode, which may take seconds.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
BLANKS = "\t\n\r \u00a0\u3000"


def in_pattern(path: str, text: str) -> bool:
    """The pattern of the Identity Store model; unassigned characters are in doubt, so not certain."""
    solid = path in ("userName", "externalId")
    return all(
        unicodedata.category(char)[0] in "LMSNP" or unicodedata.category(char) == "Cn" or (char in BLANKS and not solid)
        for char in text
    )


@patient
@given(st.dictionaries(st.sampled_from(TARGETS), TEXTS | LONG, max_size=3))
def test_whoever_has_no_certain_finding_is_within_patterns_and_lengths(values: dict[str, str]) -> None:
    desired = units(ADELE | values)
    if any(finding.certain for finding in check_user(desired)):
        return
    for target, text in (ADELE | values).items():
        if isinstance(text, str):
            assert 1 <= len(text) <= aws_fields.LENGTHS.get(target, aws_fields.LENGTH), target
            assert in_pattern(target, text), target
    assert all(len(value) == 1 for value in desired.values() if isinstance(value, list))


@patient
@given(st.sampled_from(TARGETS), TEXTS)
def test_a_value_within_its_pattern_is_never_certain_to_be_refused(target: str, text: str) -> None:
    desired = units(ADELE | {target: text})
    if text and in_pattern(target, text) and all(len(one) == 1 for one in desired.values() if isinstance(one, list)):
        assert not [finding for finding in check_user(desired) if finding.certain]


# --- Sign-in ---

GUEST = {"userPrincipalName": "sam_contoso.com#EXT#@acme.onmicrosoft.com", "mail": "sam@contoso.com", "userType": "Guest"}  # fmt: skip


@pytest.mark.parametrize(
    ("user_name", "properties", "source", "code", "value"),
    [
        ("Adele@acme.example", {"userPrincipalName": "adele@acme.example"}, "userPrincipalName", "name-id-differs", "adele@acme.example"),
        ("adele@acme.example", {"userPrincipalName": "adele@acme.example", "mail": "a@b.c"}, "mail", "name-id-differs", "a@b.c"),
        ("adele@acme.example", {"userPrincipalName": "adele@acme.example"}, "mail", "name-id-empty", ""),
        ("adele@acme.example", {"mail": None}, "mail", "name-id-empty", ""),
        ("sam@contoso.com", GUEST, "userPrincipalName", "guest-name-id", GUEST["userPrincipalName"]),
        (GUEST["userPrincipalName"], GUEST, "userPrincipalName", "guest-name-id", GUEST["userPrincipalName"]),
        ("sam@contoso.com", GUEST | {"mail": "Sam@contoso.com"}, "mail", "name-id-differs", "Sam@contoso.com"),
    ],
)  # fmt: skip
def test_a_user_name_that_is_not_the_name_id_fails_at_sign_in(
    user_name: str, properties: dict[str, Any], source: Any, code: str, value: str
) -> None:
    assert check_name_id(user_name, properties, source) == (AcceptanceFinding(code, "userName", False, value),)


@pytest.mark.parametrize(
    ("user_name", "properties", "source"),
    [
        ("adele@acme.example", {"userPrincipalName": "adele@acme.example"}, "userPrincipalName"),
        ("sam@contoso.com", GUEST, "mail"),
        # A guest whose name was not made up by the invitation.
        ("sam@acme.example", {"userPrincipalName": "sam@acme.example", "userType": "Guest"}, "userPrincipalName"),
        # Somebody without a user name has another problem already.
        ("", {"userPrincipalName": "adele@acme.example"}, "userPrincipalName"),
    ],
)
def test_a_user_name_equal_to_the_name_id_signs_in(user_name: str, properties: dict[str, Any], source: Any) -> None:
    assert check_name_id(user_name, properties, source) == ()


# --- What is shown ---


@pytest.mark.parametrize(("changes", "code", "attribute"), REFUSED)
def test_the_words_quoted_are_read_as_the_same_problem(changes: dict[str, Any], code: str, attribute: str) -> None:
    desired = mapped(changes)
    found = diagnose("POST", "Users", 400, aws_words(check_user(desired)[0]), user_body(desired))
    assert found.code == code


def test_a_reserved_group_is_read_from_the_general_sentence() -> None:
    desired = {"displayName": "Administrator"}
    found = diagnose("POST", "Groups", 400, aws_words(check_group(desired)[0]), group_body(desired))
    assert (found.code, found.attribute) == ("reserved-name", "displayName")


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        (AcceptanceFinding("too-many-values", "phoneNumbers", True), "List attribute phoneNumbers exceeds allowed limit of 1"),
        (AcceptanceFinding("bad-characters", "userName", True), r"1 validation errors detected: Value at 'userName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\p{L}\p{M}\p{S}\p{N}\p{P}]+"),
        (AcceptanceFinding("too-long", "userName", True), "1 validation errors detected: Value at 'userName' failed to satisfy constraint: Member must have length less than or equal to 128"),
        (AcceptanceFinding("too-long", CITY, True), "1 validation errors detected: Value at 'addresses.locality' failed to satisfy constraint: Member must have length less than or equal to 1024"),
        (AcceptanceFinding("reserved-name", "userName", True), "Request is unparsable, syntactically incorrect, or violates schema."),
        (AcceptanceFinding("name-id-differs", "userName", False), ""),
        (AcceptanceFinding("maybe-refused-characters", "title", False), ""),
    ],
)  # fmt: skip
def test_the_refusal_is_quoted_in_the_words_of_aws(finding: AcceptanceFinding, words: str) -> None:
    assert aws_words(finding) == words


def test_an_empty_enterprise_value_is_quoted_with_both_clauses() -> None:
    words = aws_words(AcceptanceFinding("empty-value", f"{ENTERPRISE}:department", True))
    assert words.startswith("2 validation errors detected: ")
    assert words.count(f"Value at '{ENTERPRISE}.department' failed to satisfy constraint: ") == 2


def direct(target: str, source: str) -> MappingRow:
    return MappingRow(target, "direct", source)


@pytest.mark.parametrize(
    ("row", "person", "expression"),
    [
        (direct("name.familyName", "surname"), {"surname": None}, 'Coalesce([surname], "-")'),
        (direct("name.givenName", "givenName"), {}, 'Coalesce([givenName], "-")'),
        (direct("displayName", "displayName"), {"mailNickname": "adele"}, "Coalesce([displayName], [mailNickname])"),
        (direct("userName", "mail"), {"userPrincipalName": "a@b.c"}, "Coalesce([mail], [userPrincipalName])"),
        (direct(WORK_MAIL, "mail"), {"userPrincipalName": "a@b.c"}, "Coalesce([mail], [userPrincipalName])"),
        (direct("userName", "userPrincipalName"), {"userPrincipalName": "a b@c.d"}, 'Replace([userPrincipalName], " ", , , "", , )'),
        (direct("userName", "userPrincipalName"), {"userPrincipalName": "x" * 129}, "Left([userPrincipalName], 128)"),
        (MappingRow("title", "expression", "ToUpper([jobTitle])"), {"jobTitle": "x" * 1025}, "Left(ToUpper([jobTitle]), 1024)"),
    ],
)  # fmt: skip
def test_the_proposed_expression_makes_the_person_ready(
    row: MappingRow, person: dict[str, Any], expression: str
) -> None:
    def findings(one: MappingRow) -> tuple[AcceptanceFinding, ...]:
        found = mapping.map_object(mapping.compile_mappings([one]), person, present=True, creating=True)
        assert not found.problems
        return check_user(mapped({row.target: None} | found.values))

    (finding,) = findings(row)
    assert proposal(finding, row) == expression
    assert findings(MappingRow(row.target, "expression", expression)) == ()


@pytest.mark.parametrize(
    ("finding", "row"),
    [
        (AcceptanceFinding("bad-characters", "userName", True, "a\u200bb"), direct("userName", "mail")),
        (AcceptanceFinding("bad-characters", "title", True, "a b\u200b"), direct("title", "jobTitle")),
        (
            AcceptanceFinding("missing-given-name", "name.givenName", True),
            MappingRow("name.givenName", "expression", "Trim([x])"),
        ),
        (AcceptanceFinding("reserved-name", "userName", True, "Administrator"), direct("userName", "mail")),
        (AcceptanceFinding("too-long", "title", True, "x" * 1025), MappingRow("title", "constant", "x" * 1025)),
    ],
)
def test_nothing_is_proposed_that_would_not_help(finding: AcceptanceFinding, row: MappingRow) -> None:
    assert proposal(finding, row) == ""


def test_invisible_characters_are_shown_by_number() -> None:
    assert visible("Ze\u200bro\u0000 w\u00efd\u00a0th\n") == "Ze[U+200B]ro[U+0000] wïd[U+00A0]th[U+000A]"


def test_every_check_has_words_and_an_outcome() -> None:
    assert {check.code for check in CHECKS} <= PROBLEMS.keys()
    assert {check.outcome for check in CHECKS} == OUTCOMES.keys()
    assert [check.code for check in CHECKS if not check.certain] == [check.code for check in CHECKS[10:]]


@pytest.mark.parametrize("check", [check for check in CHECKS if check.fix])
def test_every_fix_can_be_parsed(check: Any) -> None:
    text = check.fix.replace("{limit}", "128").replace("{value}", "[surname]")
    assert expressions.check(text) == []
