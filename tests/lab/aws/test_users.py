"""CreateUser, GetUser, PatchUser, PutUser, DeleteUser, against the SCIM Developer Guide."""

from typing import Any

import pytest

from tests.lab.callers import Aws, person

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": list(operations)}


def test_a_created_user_comes_back_as_in_the_guide(aws: Aws) -> None:
    body = person(
        "ada", externalId="6c1d", **{ENTERPRISE: {"department": "Engines", "manager": {"value": "x", "$ref": "y"}}}
    )
    status, user, headers = aws.call("POST", "Users", body)
    assert status == 201
    assert list(user)[:4] == ["id", "externalId", "meta", "schemas"]
    assert set(user["meta"]) == {"resourceType", "created", "lastModified"}
    assert user["meta"]["created"].endswith("Z")
    assert user["active"] is True
    assert user[ENTERPRISE] == {"department": "Engines", "manager": {"value": "x"}}
    assert ENTERPRISE in user["schemas"]
    assert headers["Content-Type"] == "application/json"
    assert headers["x-amzn-RequestId"]
    assert user["id"].split("-")[2].startswith("70")


def test_the_extension_is_named_only_when_it_is_used(aws: Aws) -> None:
    assert ENTERPRISE not in aws.user("ada")["schemas"]


@pytest.mark.parametrize("missing", ["userName", "displayName"])
def test_required_attributes_may_not_be_missing(aws: Aws, missing: str) -> None:
    body = person("ada")
    del body[missing]
    status, error, _headers = aws.call("POST", "Users", body)
    assert status == 400
    assert f"Value at '{missing}'" in error["detail"]


@pytest.mark.parametrize("part", ["givenName", "familyName"])
def test_names_may_not_be_empty(aws: Aws, part: str) -> None:
    body = person("ada")
    body["name"][part] = ""
    status, error, _headers = aws.call("POST", "Users", body)
    assert status == 400
    assert error["detail"].startswith("2 validation errors detected: Value at 'name.")
    assert "length greater than or equal to 1" in error["detail"]


def test_an_error_body_carries_both_schema_keys_and_a_string_status(aws: Aws) -> None:
    _status, error, _headers = aws.call("POST", "Users", {})
    assert error["schema"] == error["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert error["status"] == "400"
    assert set(error) == {"schema", "schemas", "detail", "status", "exceptionRequestId", "timeStamp"}


@pytest.mark.parametrize("name", ["emails", "phoneNumbers", "addresses", "roles"])
def test_lists_take_one_element(aws: Aws, name: str) -> None:
    element = {"value": "1", "type": "work", "primary": True} if name != "addresses" else {"type": "work"}
    status, error, _headers = aws.call("POST", "Users", person("ada", **{name: [element, {**element, "type": "home"}]}))
    assert (status, error["detail"]) == (400, f"List attribute {name} exceeds allowed limit of 1")


def test_an_address_of_a_type_alone_is_taken(aws: Aws) -> None:
    assert aws.user("ada", addresses=[{"type": "work"}])["addresses"] == [{"type": "work"}]


def test_the_email_must_be_primary(aws: Aws) -> None:
    assert aws.call("POST", "Users", person("ada", emails=[{"value": "a@b.c", "type": "work"}]))[0] == 400


def test_a_user_without_an_email_is_taken(aws: Aws) -> None:
    body = person("ada")
    del body["emails"]
    assert aws.call("POST", "Users", body)[0] == 201


@pytest.mark.parametrize("name", ["password", "photos", "ims", "entitlements", "x509Certificates", "groups"])
def test_unsupported_attributes_are_rejected(aws: Aws, name: str) -> None:
    assert aws.call("POST", "Users", person("ada", **{name: "x"}))[0] == 400


def test_unsupported_attributes_are_ignored_when_switched(aws: Aws) -> None:
    aws.store.set_switches({"unsupported_attributes": "ignore"})
    assert "photos" not in aws.user("ada", photos=["x"])


@pytest.mark.parametrize("value", ["a b@corp.example", "a\u00a0b", "tab\t", "zero\u200bwidth", "x" * 129])
def test_user_names_take_no_blanks_and_128_characters(aws: Aws, value: str) -> None:
    assert aws.call("POST", "Users", person("ada", userName=value))[0] == 400


@pytest.mark.parametrize(
    ("value", "status"), [("Ada Byron", 201), ("佐藤 花", 201), (" ", 201), ("Zero\u200bwidth", 400), ("x" * 1025, 400)]
)
def test_other_strings_follow_the_stores_pattern(aws: Aws, value: str, status: int) -> None:
    assert aws.call("POST", "Users", person("ada", displayName=value))[0] == status


@pytest.mark.parametrize("name", ["Administrator", "AWSAdministrators"])
def test_reserved_names_are_refused(aws: Aws, name: str) -> None:
    assert aws.call("POST", "Users", person("ada", userName=name))[0] == 400


@pytest.mark.parametrize(
    "clash",
    [
        {"userName": "ADA@corp.example"},
        {"emails": [{"value": "Ada@corp.example", "primary": True}]},
        {"externalId": "one"},
    ],
)
def test_a_clash_is_a_409_that_does_not_say_which_field(aws: Aws, clash: dict[str, Any]) -> None:
    aws.user("ada", externalId="one")
    status, error, _headers = aws.call("POST", "Users", person("bob", **clash))
    assert (status, error["detail"]) == (409, "Refused to create a new, duplicate resource.")


def test_external_ids_differ_by_case(aws: Aws) -> None:
    aws.user("ada", externalId="one")
    assert aws.user("bob", externalId="ONE")["externalId"] == "ONE"


def test_nonsense_is_named_so(aws: Aws) -> None:
    answer = aws.session.post(f"{aws.base}Users", data=b"{", timeout=10)
    assert (answer.status_code, answer.json()["detail"]) == (400, "Invalid JSON from RequestBody")


@pytest.mark.parametrize("value", [False, "false", "False"])
def test_patch_takes_active_as_boolean_and_as_string(aws: Aws, value: Any) -> None:
    user = aws.user("ada")
    status, changed, _headers = aws.call(
        "PATCH", f"Users/{user['id']}", patch({"op": "Replace", "path": "active", "value": value})
    )
    assert (status, changed["active"]) == (200, False)


@pytest.mark.parametrize(
    ("operation", "path", "expected"),
    [
        ({"op": "replace", "path": "name.familyName", "value": "King"}, ("name", "familyName"), "King"),
        ({"op": "add", "path": "title", "value": "Countess"}, ("title",), "Countess"),
        ({"op": "replace", "path": f"{ENTERPRISE}:department", "value": "Maths"}, (ENTERPRISE, "department"), "Maths"),
        ({"op": "replace", "value": {"displayName": "Lovelace"}}, ("displayName",), "Lovelace"),
    ],
)
def test_patch_changes_what_its_path_names(
    aws: Aws, operation: dict[str, Any], path: tuple[str, ...], expected: str
) -> None:
    user = aws.user("ada")
    _status, changed, _headers = aws.call("PATCH", f"Users/{user['id']}", patch(operation))
    for key in path:
        changed = changed[key]
    assert changed == expected


def test_patch_by_a_filter_path_changes_the_element(aws: Aws) -> None:
    user = aws.user("ada")
    operation = {"op": "replace", "path": 'emails[type eq "work"].value', "value": "new@corp.example"}
    changed = aws.call("PATCH", f"Users/{user['id']}", patch(operation))[1]
    assert changed["emails"][0]["value"] == "new@corp.example"


@pytest.mark.parametrize(
    ("operation", "detail"),
    [
        ({"op": "remove"}, "Missing path in PATCH request"),
        (
            {"op": "replace", "value": {"title": "x", "locale": "y"}},
            'omitting "path" attribute only for Add and Replace',
        ),
        ({"op": "remove", "path": "userName"}, "userName"),
        ({"op": "remove", "path": "active"}, "active"),
        ({"op": "replace", "value": {"ExternalID": "x"}}, "violates schema"),
        (
            {"op": "add", "path": "emails", "value": [{"value": "b@c.d", "type": "home", "primary": True}]},
            "List attribute emails exceeds allowed limit of 1",
        ),
        ({"op": "replace", "path": "roles", "value": [{"value": "x"}]}, "violates schema"),
        ({"op": "replace", "path": "displayName", "value": ""}, "displayName"),
        ({"op": "move", "path": "title", "value": "x"}, "violates schema"),
    ],
)
def test_patch_refuses_what_the_guide_refuses(aws: Aws, operation: dict[str, Any], detail: str) -> None:
    user = aws.user("ada")
    status, error, _headers = aws.call("PATCH", f"Users/{user['id']}", patch(operation))
    assert status == 400
    assert detail in error["detail"]


def test_only_one_operation_on_active(aws: Aws) -> None:
    user = aws.user("ada")
    twice = patch(*[{"op": "replace", "path": "active", "value": flag} for flag in (False, True)])
    assert aws.call("PATCH", f"Users/{user['id']}", twice)[0] == 400


def test_put_clears_what_it_leaves_out(aws: Aws) -> None:
    user = aws.user("ada", title="Countess")
    status, changed, _headers = aws.call("PUT", f"Users/{user['id']}", person("ada"))
    assert status == 200
    assert "title" not in changed


def test_delete_answers_204_and_then_404(aws: Aws) -> None:
    user = aws.user("ada")
    assert aws.call("DELETE", f"Users/{user['id']}")[:2] == (204, None)
    assert aws.call("DELETE", f"Users/{user['id']}")[0] == 404
    assert aws.call("GET", f"Users/{user['id']}")[0] == 404
