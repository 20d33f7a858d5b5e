"""Every error of the API is a problem of RFC 9457, wherever on the way it was noticed."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from portal.api.docs import described
from portal.frame.problem import PROBLEMS
from portal.models import User
from sync.models import Hold, Run, Tenant
from tests.world.api import ROOT, Script, script_of
from tests.world.runs import new_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def script(tenant: Tenant, owner: User) -> Script:
    return script_of(owner)


def is_problem(answer: Any, status: int, code: str) -> bool:
    found = answer.json()
    assert answer["Content-Type"] == "application/problem+json", answer["Content-Type"]
    assert found.keys() >= set(described()["components"]["schemas"]["ProblemOut"]["properties"])
    assert found["type"] == f"{settings.PUBLIC_URL}/help/api/#{found['code']}"
    assert found["request"] == answer["X-Request-ID"]
    return (answer.status_code, found["status"], found["code"]) == (status, status, code)


def test_what_is_not_there_is_a_problem(script: Script) -> None:
    assert is_problem(script.get("/nothing"), 404, "not-found")
    assert is_problem(Client().get("/api/v9/"), 404, "not-found")
    assert is_problem(script.get("/tenants/nosuch"), 404, "not-found")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"])
def test_another_method_is_a_problem(script: Script, method: str) -> None:
    answer = script.client.generic(method, f"{ROOT}/status")
    assert answer.status_code == 405
    assert answer["Allow"] == "GET"
    assert method == "HEAD" or is_problem(answer, 405, "method-not-allowed")


@pytest.mark.parametrize("content", ["{", "", "\x00", "[1", '"\\ud800'])
def test_a_body_that_is_no_json_is_a_problem(script: Script, content: str) -> None:
    answer = script.client.generic("POST", f"{ROOT}/tenants/acme/runs", content, content_type="application/json")
    assert answer.status_code in (400, 422)
    assert is_problem(answer, answer.status_code, answer.json()["code"])


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/xml"])
def test_a_body_of_another_kind_is_a_problem(script: Script, kind: str) -> None:
    answer = script.client.generic("POST", f"{ROOT}/tenants/acme/runs", "--x--\r\n", content_type=kind)
    assert is_problem(answer, 400, "bad-request")


@pytest.mark.parametrize("content", ['"preview"', "[]", "null", '{"Kind": "preview"}', '{"kinds": "preview"}'])
def test_a_body_of_another_shape_starts_nothing(script: Script, content: str) -> None:
    """Read as nothing said, it would be a sync, which writes."""
    Tenant.objects.update(enabled=True)
    answer = script.client.generic("POST", f"{ROOT}/tenants/acme/runs", content, content_type="application/json")
    assert is_problem(answer, 422, "invalid")
    assert not Run.objects.exists()


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30, 0])
@pytest.mark.parametrize("name", ["approve", "keep"])
def test_an_id_that_no_row_can_have_is_a_problem(script: Script, tenant: Tenant, name: str, number: int) -> None:
    hold = Hold.objects.create(tenant=tenant, kind="people", run=new_run(tenant, 1, state="completed"))
    answer = script.post(f"/tenants/acme/holds/{hold.pk}/decisions", {name: [number]}, If_Match="*")
    assert is_problem(answer, 422, "invalid")


def test_what_is_wrong_in_a_body_or_a_query_is_named_without_what_was_sent(script: Script) -> None:
    answer = script.post("/tenants/acme/runs", {"kind": "canary"})
    assert is_problem(answer, 422, "invalid")
    [error] = answer.json()["errors"]  # type: ignore[attr-defined]
    assert error["where"].endswith("kind")
    assert b"canary" not in answer.content
    for query in ({"cursor": "abc"}, {"limit": "0"}, {"limit": "1000"}, {"standing": "fine"}, {"cursor": "9" * 30}):
        assert is_problem(script.get("/tenants/acme/people", query), 422, "invalid"), query


def test_a_body_that_is_too_large_or_of_no_known_size_is_a_problem(script: Script) -> None:
    large = script.client.generic("POST", f"{ROOT}/tenants/acme/runs", b"x" * (settings.BODY_BYTES + 1))
    assert is_problem(large, 413, "too-large")
    chunked = script.client.get(f"{ROOT}/status", headers={"Transfer-Encoding": "chunked"})
    assert is_problem(chunked, 411, "length-required")


def test_a_control_character_is_a_problem(script: Script) -> None:
    assert is_problem(script.get("/tenants/acme/people", {"q": "\x00"}), 400, "bad-request")
    assert is_problem(script.get("/tenants/a%00b"), 400, "bad-request")


def test_an_error_of_ours_is_a_problem_that_shows_nothing(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("canary")

    monkeypatch.setattr("portal.api.tenants.statuses", fail)
    script.client.raise_request_exception = False
    answer = script.get("/status")
    assert is_problem(answer, 500, "error")
    assert b"canary" not in answer.content


def test_every_problem_has_a_place_on_the_page(jo: Client) -> None:
    page = jo.get("/help/api/").content.decode()
    assert [code for code in PROBLEMS if f'id="{code}"' not in page] == []
