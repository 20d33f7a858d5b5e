"""What somebody may paste: the texts are Microsoft's and AWS's own, from their documents and from CloudTrail."""

import json

import pytest

from sync.connection.pasted_errors import read_error

GENERIC = "Request is unparsable, syntactically incorrect, or violates schema."
REQUEST = "0a1b2c3d-1111-4111-8111-111111111111"
SCIM = {"schema": ["urn:ietf:params:scim:api:messages:2.0:Error"], "detail": GENERIC, "status": "400"}
TRAIL = {
    "eventSource": "identitystore-scim.amazonaws.com",
    "eventName": "CreateUser",
    "errorCode": "ValidationException",
    "errorMessage": "Currently list attributes only allow single item",
    "requestParameters": {"httpBody": "HIDDEN_DUE_TO_SECURITY_REASONS", "tenantId": "x"},
    "requestID": REQUEST,
}
GRAPH = {
    "error": {
        "code": "Authorization_RequestDenied",
        "message": "Insufficient privileges to complete the operation.",
        "innerError": {"request-id": REQUEST},
    }
}
TWO_PHONES = {"userName": "a@b.c", "phoneNumbers": [{"value": "1"}, {"value": "2"}]}


@pytest.mark.parametrize(
    ("text", "code", "attribute"),
    [
        pytest.param("Currently list attributes only allow single item", "too-many-values", "", id="a sentence"),
        pytest.param(GENERIC, "rejected", "", id="the sentence that says nothing"),
        pytest.param("Refused to create a new, duplicate resource.", "already-exists", "", id="a duplicate"),
        pytest.param(json.dumps(SCIM), "rejected", "", id="an answer"),
        pytest.param(json.dumps(SCIM) + json.dumps(TWO_PHONES), "too-many-values", "phoneNumbers", id="with its body"),
        pytest.param(json.dumps(SCIM | {"status": "429", "detail": "slow"}), "throttled", "", id="throttled"),
        pytest.param(json.dumps(SCIM | {"status": "401", "detail": "no"}), "token-refused", "", id="a dead token"),
        pytest.param(json.dumps(TRAIL), "too-many-values", "", id="CloudTrail"),
        pytest.param(json.dumps({"Records": [TRAIL]}), "too-many-values", "", id="a file of CloudTrail"),
        pytest.param(
            json.dumps(TRAIL | {"errorCode": "ConflictException", "errorMessage": "Duplicate GroupDisplayName"}),
            "already-exists", "", id="a conflict in CloudTrail",
        ),
        pytest.param(
            "Resource: https://scim.eu-west-1.amazonaws.com/x/scim/v2/Users, Response Status Code: BadRequest, "
            f"Response Content: {json.dumps(SCIM | {'detail': 'List attribute emails exceeds allowed limit of 1'})}",
            "too-many-values", "emails", id="inside a line of Entra's log",
        ),
        pytest.param("PATCH /Users/1 gave HTTP 404", "not-found-link", "", id="a status in a line"),
        pytest.param("HTTP/1.1 503 Service Unavailable", "aws-down", "", id="AWS down"),
        pytest.param("ServiceQuotaExceededException: users", "quota-reached", "", id="a quota"),
        pytest.param(json.dumps(GRAPH), "graph-denied", "", id="Graph"),
        pytest.param("Code: Authorization_RequestDenied", "graph-denied", "", id="a code of Graph in a line"),
        pytest.param('{"error": {"code": "TooManyRequests", "message": "Please retry"}}', "graph-throttled", "", id="Graph throttles"),
        pytest.param('{"error": {"code": "Request_ResourceNotFound", "message": "gone"}}', "unknown-to-entra", "", id="not there"),
        pytest.param('{"error": {"code": "InvalidAuthenticationToken", "message": "x"}}', "graph-refused", "", id="a token of Graph"),
        pytest.param(
            '{"error": "invalid_client", "error_description": "AADSTS7000222: The provided client secret keys are expired."}',
            "secret-ended", "", id="sign-in",
        ),
        pytest.param("AADSTS50034: The user account does not exist", "sign-in-refused", "", id="a number we have no words for"),
    ],
)  # fmt: skip
def test_an_error_is_named_by_the_code_that_a_run_gives_it(text: str, code: str, attribute: str) -> None:
    found = read_error(text)
    assert found
    assert (found.code, found.attribute) == (code, attribute)


@pytest.mark.parametrize(
    "text", ["Good morning", "{", '{"a": ' * 3000, "[1, 2]", "Room 404 is taken", '{"Records": 1}']
)
def test_what_is_no_error_is_not_taken_for_one(text: str) -> None:
    assert read_error(text) is None


@pytest.mark.parametrize("text", [json.dumps(TRAIL), json.dumps(GRAPH)])
def test_the_request_is_found_by_whatever_name_its_id_has(text: str) -> None:
    found = read_error(text)
    assert found
    assert found.request_ids == (REQUEST,)
