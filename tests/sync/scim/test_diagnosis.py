"""What AWS's refusals mean: the texts are AWS's own, the generic sentence included."""

from typing import Any

import pytest

from sync.scim.diagnosis import diagnose

GENERIC = "Request is unparsable, syntactically incorrect, or violates schema."
GOOD: dict[str, Any] = {"userName": "a@b.c", "displayName": "A", "name": {"givenName": "A", "familyName": "B"}}


@pytest.mark.parametrize(
    ("status", "detail", "code", "attribute"),
    [
        (400, "List attribute phoneNumbers exceeds allowed limit of 1", "too-many-values", "phoneNumbers"),
        (400, "List attribute email exceeds allowed limit of 1", "too-many-values", "emails"),
        (400, "List attribute addresses allowed limit of 1", "too-many-values", "addresses"),
        (400, "Currently list attributes only allow single item", "too-many-values", None),
        (400, "2 validation errors detected: Value at 'name.familyName' failed to satisfy constraint: Member must have length greater than or equal to 1; Value at 'name.familyName' failed to satisfy constraint: Member must satisfy regular expression pattern: [x]+", "missing-family-name", "name.familyName"),
        (400, "1 validation errors detected: Value at 'displayName' failed to satisfy constraint: Member must satisfy regular expression pattern: [x]+", "bad-characters", "displayName"),
        (400, "2 validation errors detected: Value at 'title' failed to satisfy constraint: Member must have length greater than or equal to 1; Value at 'title' failed to satisfy constraint: Member must satisfy regular expression pattern: [x]+", "empty-value", "title"),
        (400, "Replacing group memberships is not supported", "members-replace", "members"),
        (401, "no", "token-refused", None),
        (403, "no", "token-refused", None),
        (404, "no", "not-found-link", None),
        (409, "Refused to create a new, duplicate resource.", "already-exists", None),
        (429, "slow", "throttled", None),
        (500, "oops", "aws-down", None),
        (None, "timed out", "aws-down", None),
        (400, "something new", "rejected", None),
    ],
)  # fmt: skip
def test_a_refusal_is_named_by_status_and_text(
    status: int | None, detail: str, code: str, attribute: str | None
) -> None:
    found = diagnose("POST", "Users", status, detail, GOOD)
    assert (found.code, found.attribute) == (code, attribute)


@pytest.mark.parametrize(
    ("change", "code", "attribute"),
    [
        ({"phoneNumbers": [{"value": "1"}, {"value": "2"}]}, "too-many-values", "phoneNumbers"),
        ({"name": {"givenName": "A"}}, "missing-family-name", "name.familyName"),
        ({"name": {"familyName": "B"}}, "missing-given-name", "name.givenName"),
        ({"displayName": ""}, "missing-display-name", "displayName"),
        ({"userName": "a b@c.d"}, "bad-characters", "userName"),
        ({"title": "Zero\u200bwidth"}, "bad-characters", "title"),
        ({"title": "x" * 1025}, "too-long", "title"),
        ({"userName": "x" * 129}, "too-long", "userName"),
        ({"userName": "Administrator"}, "reserved-name", "userName"),
    ],
)
def test_behind_the_generic_sentence_the_body_tells(change: dict[str, Any], code: str, attribute: str) -> None:
    found = diagnose("POST", "Users", 400, GENERIC, GOOD | change)
    assert (found.code, found.attribute) == (code, attribute)


def test_a_patch_is_looked_at_by_its_operations() -> None:
    body = {"Operations": [{"op": "replace", "path": "emails", "value": [{"value": "1"}, {"value": "2"}]}]}
    assert diagnose("PATCH", "Users/1", 400, GENERIC, body).attribute == "emails"
