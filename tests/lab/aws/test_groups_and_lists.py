"""Groups, lists, filters, cursors, discovery, tokens, quota and ledger, against the SCIM Developer Guide."""

import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.aws.app import AwsApp
from lab.aws.store import AwsStore
from lab.faults import Faults
from lab.http import serve
from tests.lab.aws.test_users import patch
from tests.lab.callers import Aws


def group(aws: Aws, name: str, members: list[str] | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {"displayName": name}
    if members is not None:
        body["members"] = [{"value": member} for member in members]
    status, made, _headers = aws.call("POST", "Groups", body)
    assert status == 201, made
    return dict(made)


def members_of(aws: Aws, group_id: str) -> set[str]:
    page = aws.call("GET", f'Users?cursor&filter=groups.value eq "{group_id}"')[1]
    return {user["id"] for user in page["Resources"]}


def test_members_are_taken_and_never_shown(aws: Aws) -> None:
    ada = aws.user("ada")["id"]
    made = group(aws, "G", [ada])
    assert "members" not in made
    assert aws.call("GET", f"Groups/{made['id']}")[1]["members"] == []
    assert aws.call("GET", "Groups")[1]["Resources"][0]["members"] == []
    assert members_of(aws, made["id"]) == {ada}


def test_membership_is_read_by_filters(aws: Aws) -> None:
    ada, bob = aws.user("ada")["id"], aws.user("bob")["id"]
    made = group(aws, "G", [ada])
    assert aws.call("GET", f'Groups?filter=id eq "{made["id"]}" and members eq "{ada}"')[1]["totalResults"] == 1
    assert aws.call("GET", f'Groups?filter=id eq "{made["id"]}" and members eq "{bob}"')[1]["totalResults"] == 0
    assert aws.call("GET", f'Groups?filter=members.value eq "{ada}"')[1]["Resources"][0]["id"] == made["id"]
    assert aws.call("GET", 'Groups?filter=members.value eq "nobody"')[0] == 404


def test_a_hundred_members_per_request_and_no_more(aws: Aws) -> None:
    ids = [aws.user(f"u{n}")["id"] for n in range(101)]
    made = group(aws, "G", ids[:100])
    assert aws.call("POST", "Groups", {"displayName": "H", "members": [{"value": one} for one in ids]})[0] == 400
    values = [{"value": one} for one in ids]
    add = {"op": "add", "path": "members", "value": values}
    assert aws.call("PATCH", f"Groups/{made['id']}", patch(add))[0] == 400
    mixed = patch({**add, "value": values[:60]}, {"op": "remove", "path": "members", "value": values[60:]})
    assert aws.call("PATCH", f"Groups/{made['id']}", mixed)[0] == 400


@pytest.mark.parametrize("rfc", [False, True])
def test_members_come_and_go_by_patch_which_answers_204(aws: Aws, rfc: bool) -> None:
    ada = aws.user("ada")["id"]
    made = group(aws, "G")
    add = {"op": "Add", "path": "members", "value": [{"value": ada}]}
    for _ in range(2):
        assert aws.call("PATCH", f"Groups/{made['id']}", patch(add))[:2] == (204, None)
    assert members_of(aws, made["id"]) == {ada}
    remove: dict[str, Any] = {"op": "remove", "path": "members", "value": [{"value": ada}]}
    if rfc:
        remove = {"op": "remove", "path": f'members[value eq "{ada}"]'}
    assert aws.call("PATCH", f"Groups/{made['id']}", patch(remove))[0] == 204
    assert members_of(aws, made["id"]) == set()


@pytest.mark.parametrize(
    "operation", [{"op": "replace", "path": "members", "value": []}, {"op": "remove", "path": "members"}]
)
def test_replacing_or_clearing_all_members_is_refused_unless_switched(aws: Aws, operation: dict[str, Any]) -> None:
    made = group(aws, "G", [aws.user("ada")["id"]])
    assert aws.call("PATCH", f"Groups/{made['id']}", patch(operation))[0] == 400
    aws.store.set_switches({"group_replace_members": "allow"})
    assert aws.call("PATCH", f"Groups/{made['id']}", patch(operation))[0] == 204
    assert members_of(aws, made["id"]) == set()


def test_an_unknown_member_is_a_404_unless_switched(aws: Aws) -> None:
    body = {"displayName": "G", "members": [{"value": "nobody"}]}
    assert aws.call("POST", "Groups", body)[0] == 404
    aws.store.set_switches({"unknown_member": "400"})
    assert aws.call("POST", "Groups", body)[0] == 400


def test_an_unknown_member_undoes_the_whole_request(aws: Aws) -> None:
    ada = aws.user("ada")["id"]
    assert aws.call("POST", "Groups", {"displayName": "G", "members": [{"value": ada}, {"value": "nobody"}]})[0] == 404
    assert aws.store.state()["groups"] == []
    made = group(aws, "G", [])
    rename = {"op": "replace", "path": "displayName", "value": "H"}
    add = {"op": "add", "path": "members", "value": [{"value": ada}, {"value": "nobody"}]}
    assert aws.call("PATCH", f"Groups/{made['id']}", patch(rename, add))[0] == 404
    held = {"id": made["id"], "displayName": "G", "externalId": None, "members": []}
    assert aws.store.state()["groups"] == [held]


def test_group_names_are_unique_and_there_is_no_put(aws: Aws) -> None:
    made = group(aws, "Admins")
    assert aws.call("POST", "Groups", {"displayName": "ADMINS"})[0] == 409
    assert aws.call("PUT", f"Groups/{made['id']}", {"displayName": "x"})[0] == 404
    rename = {"op": "replace", "value": {"id": made["id"], "displayName": "Renamed"}}
    assert aws.call("PATCH", f"Groups/{made['id']}", patch(rename))[0] == 204
    assert aws.call("GET", f"Groups/{made['id']}")[1]["displayName"] == "Renamed"


def test_without_a_cursor_the_total_is_the_page(aws: Aws) -> None:
    for n in range(101):
        aws.user(f"u{n}")
    page = aws.call("GET", "Users?startIndex=50")[1]
    assert (page["totalResults"], page["itemsPerPage"], page["startIndex"]) == (100, 100, 1)
    assert "nextCursor" not in page


@pytest.mark.parametrize("first", ["cursor", "cursor="])
def test_cursors_walk_through_everybody(aws: Aws, first: str) -> None:
    made = {aws.user(f"u{n}")["id"] for n in range(25)}
    seen, query = [], f"Users?{first}&count=10"
    while query:
        page = aws.call("GET", query)[1]
        assert "totalResults" not in page
        assert "startIndex" not in page
        seen += [user["id"] for user in page["Resources"]]
        query = f"Users?count=10&cursor={page['nextCursor']}" if "nextCursor" in page else ""
    assert len(seen) == 25
    assert set(seen) == made


def test_another_filter_between_pages_is_a_400(aws: Aws) -> None:
    for n in range(3):
        aws.user(f"u{n}")
    cursor = aws.call("GET", "Users?cursor&count=2")[1]["nextCursor"]
    assert aws.call("GET", f'Users?cursor={cursor}&count=2&filter=userName eq "x"')[0] == 400


@pytest.mark.parametrize(
    "text",
    [
        'userName co "a"',
        'emails eq "a"',
        'userName eq "a" or id eq "b"',
        "userName eq a",
        'userName eq "a" and externalId eq "b"',
    ],
)
def test_other_filters_are_refused(aws: Aws, text: str) -> None:
    status, error, _headers = aws.call("GET", f"Users?filter={text}")
    assert (status, error["detail"]) == (400, "Invalid Filter format")


def test_filters_find_by_user_name_in_any_case_and_by_external_id_exactly(aws: Aws) -> None:
    aws.user("ada", externalId="One")
    assert aws.call("GET", 'Users?filter=userName eq "ADA@CORP.EXAMPLE"')[1]["totalResults"] == 1
    assert aws.call("GET", 'Users?filter=externalId eq "One"')[1]["totalResults"] == 1
    assert aws.call("GET", 'Users?filter=externalId eq "one"')[1]["totalResults"] == 0


@pytest.mark.parametrize("count", ["0", "101", "x"])
def test_count_is_between_one_and_a_hundred(aws: Aws, count: str) -> None:
    assert aws.call("GET", f"Users?count={count}")[0] == 400


def test_discovery_is_as_the_guide_prints_it(aws: Aws) -> None:
    config = aws.call("GET", "ServiceProviderConfig")[1]
    assert config["filter"] == {"supported": True, "maxResults": 50}
    assert config["bulk"]["supported"] is False
    assert aws.call("GET", "Schemas")[1]["totalResults"] == 3
    types = aws.call("GET", "ResourceTypes")[1]["Resources"]
    assert types[0]["schemaExtensions"][0]["required"] is True
    assert aws.call("GET", "Me")[0] == aws.call("POST", "Bulk", {})[0] == 404


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Basic abc", "bearer"])
def test_a_wrong_token_is_a_401(aws: Aws, header: str) -> None:
    assert aws.call("GET", "Users", Authorization=header)[0] == 401


def test_an_unknown_tenant_is_a_401_too(aws: Aws) -> None:
    aws.base = aws.base.replace(aws.store.tenant_id, "11111111-2222-3333-4444-555555555555")
    assert aws.call("GET", "Users")[0] == 401


def test_tokens_end_and_there_are_two_at_most(aws: Aws) -> None:
    aws.store.new_token()
    with pytest.raises(ValueError, match="at most two"):
        aws.store.new_token()
    aws.store.expire_tokens()
    assert aws.call("GET", "Users")[0] == 401
    with pytest.raises(ValueError, match="at most two"):
        aws.store.new_token()


def test_a_revoked_scope_is_a_403(aws: Aws) -> None:
    aws.store.deny_tokens()
    assert aws.call("GET", "Users")[0] == 403


@pytest.fixture
def limited(tmp_path: Path, tls: tuple[ssl.SSLContext, Path]) -> Iterator[Aws]:
    """Twenty requests a second."""
    store = AwsStore(tmp_path / "quota.sqlite3")
    server = serve(AwsApp(store, Faults(), tps=20), "127.0.0.1", 0, tls[0])
    caller = Aws(store, server, tls[1])
    yield caller
    caller.session.close()
    server.close()
    store.db.close()


def test_twenty_requests_a_second_then_429_with_retry_after(limited: Aws) -> None:
    answers = [limited.call("GET", "ServiceProviderConfig") for _ in range(40)]
    refused = [headers for status, _body, headers in answers if status == 429]
    assert refused
    assert refused[0]["Retry-After"] == "1"
    assert limited.store.counts()["throttled"] == len(refused)


def test_somebody_else_takes_a_part_of_the_quota(limited: Aws) -> None:
    limited.store.set_switches({"others": "100", "retry_after": "40"})
    answers = [limited.call("GET", "ServiceProviderConfig") for _ in range(2)]
    assert [status for status, *_ in answers] == [200, 429]
    assert answers[1][2]["Retry-After"] == "40"


def test_answers_take_as_long_as_the_switch_says(aws: Aws) -> None:
    aws.store.set_switches({"answer_ms": "120"})
    began = time.monotonic()
    aws.call("GET", "ServiceProviderConfig")
    assert time.monotonic() - began >= 0.12


def test_the_ledger_tells_received_applied_and_answered(aws: Aws, faults: Faults) -> None:
    aws.user("ada")
    faults.add({"part": "aws", "kind": "drop_after", "match": "POST"})
    with pytest.raises(Exception, match=r"Connection|Remote"):
        aws.user("bob")
    aws.call("POST", "Users", {})
    rows = [(row["applied"], row["answered"], row["status"]) for row in aws.store.ledger()]
    assert rows == [(True, True, 201), (True, False, 201), (False, True, 400)]
    assert "Bearer" not in str(aws.store.ledger())
    assert aws.store.newest_token() not in str(aws.store.ledger())


@pytest.mark.parametrize(
    ("name", "value", "check"), [("error_detail", "generic", "unparsable"), ("error_keys", "schema", "")]
)
def test_switches_change_the_error_body(aws: Aws, name: str, value: str, check: str) -> None:
    aws.store.set_switches({name: value})
    error = aws.call("POST", "Users", {})[1]
    assert check in error["detail"]
    assert ("schemas" in error) == (name != "error_keys")


def test_state_survives_a_restart(tmp_path: Path) -> None:
    first = AwsStore(tmp_path / "aws.sqlite3")
    facts = (first.tenant_id, first.newest_token())
    first.db.close()
    second = AwsStore(tmp_path / "aws.sqlite3")
    assert (second.tenant_id, second.newest_token()) == facts
    second.db.close()
