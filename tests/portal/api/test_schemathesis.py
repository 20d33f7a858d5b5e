"""Schemathesis makes requests from the description, good ones and broken ones: no answer is an error of ours, all are as described."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.schemas import APIOperation

from portal.api.docs import described
from portal.models import User
from sync.models import HeldChange, Hold, Standing, Tenant
from tests.world.api import token_of
from tests.world.examples import share

pytestmark = pytest.mark.django_db
load_all_checks()
CONFORMS = CHECKS.get_by_names(
    ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]
)
SCHEMA = schemathesis.openapi.from_dict(described())
SCHEMA.app = get_wsgi_application()
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]


class Match(StrEnum):
    """What is sent as If-Match."""

    ANYTHING, READ, STALE = "*", "what was read", "what was read before"


@pytest.fixture
def one_connection() -> Iterator[None]:
    """As Django's own test client does: the end of a request closes no connection of the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def world(every_standing: Tenant, owner: User, monkeypatch: pytest.MonkeyPatch, one_connection: None) -> dict[str, Any]:
    """Names of what is there; the token. Nothing is counted, since hundreds of requests come in a moment."""
    monkeypatch.setattr("portal.api.auth.take", lambda *_arguments: None)
    monkeypatch.setattr("portal.api.runs.take", lambda *_arguments: None)
    monkeypatch.setattr("sync.queue.send", lambda *_arguments: None)
    Tenant.objects.update(last_run_number=2)
    hold = Hold.objects.get()
    HeldChange.objects.filter(hold=hold).update(decided_at=timezone.now())
    known = {"slug": "acme", "number": 2, "hold": hold.pk}
    person = Standing.objects.filter(kind="user", word="in_aws").earliest("pk")
    return {"known": known | {"entra_id": person.object_id}, "token": token_of(owner), "answers": []}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.label)
def test_every_answer_is_as_described(operation: APIOperation, world: dict[str, Any]) -> None:
    for mode in (GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if can_be_broken(operation) else [])):
        ask(operation, mode, world)


def ask(operation: APIOperation, mode: GenerationMode, world: dict[str, Any], named: Match | None = None) -> None:
    """`named`: the one thing that is sent as If-Match; else whatever."""

    @settings(max_examples=share(0.1))
    @given(data=st.data())
    def asked(data: st.DataObject) -> None:
        case: Case = data.draw(operation.as_strategy(generation_mode=mode))
        if data.draw(st.integers(0, 3)):
            case.path_parameters = {name: world["known"][name] for name in case.path_parameters or {}}
        headers = {"Authorization": f"Bearer {world['token']}", "Accept-Encoding": "identity"}
        match = named or data.draw(st.sampled_from(Match))
        answer = case.call(headers=headers | {"If-Match": etag_for(case, match, world)})
        case.validate_response(answer, checks=CONFORMS)
        world["answers"].append(answer.status_code)

    asked()


def needs_match(operation: APIOperation) -> bool:
    return any(one.name == "If-Match" for one in operation.headers)


def etag_for(case: Case, named: Match, world: dict[str, Any]) -> str:
    """Of the run or hold that the operation changes: its address without the last part."""
    if named is Match.ANYTHING:
        return "*"
    stale = f'"{"0" * 32}"'
    if named is Match.STALE or not needs_match(case.operation):
        return stale
    reading = SCHEMA[case.operation.path.rpartition("/")[0]]["GET"].Case(path_parameters=case.path_parameters)
    answer = reading.call(headers={"Authorization": f"Bearer {world['token']}"})
    return answer.headers.get("etag", [stale])[0]


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if needs_match(one)], ids=lambda one: one.label)
def test_a_write_names_what_was_read(operation: APIOperation, world: dict[str, Any]) -> None:
    """The right ETag is never answered by 412, a stale one never by a deed."""
    seen = {}
    for named in (Match.STALE, Match.READ, Match.ANYTHING):
        world["answers"] = []
        ask(operation, GenerationMode.POSITIVE, world, named)
        seen[named] = set(world["answers"])
    assert 412 in seen[Match.STALE]
    assert not seen[Match.STALE] & {200, 202}
    assert 412 not in seen[Match.READ] | seen[Match.ANYTHING]
    assert seen[Match.READ] & {200, 202, 409}


def can_be_broken(operation: APIOperation) -> bool:
    return bool(operation.body or operation.query or operation.path_parameters)
