"""Help: found from every page, searched by words, and the error translator."""

import json
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from portal.models import Role, User
from sync.models import DirectoryUser, Operation, Run, Standing, Tenant
from tests.world.people import person

pytestmark = pytest.mark.django_db

ADA = "aaaaaaaa-1111-4111-8111-111111111111"
IN_AWS = "bbbbbbbb-1111-4111-8111-111111111111"
REQUEST = "cccccccc-1111-4111-8111-111111111111"
GENERIC = "Request is unparsable, syntactically incorrect, or violates schema."
ANSWER = json.dumps({"detail": GENERIC, "status": "400"})


@pytest.fixture
def refused(tenant: Tenant) -> Operation:
    """Ada Byron was refused for two phone numbers, with the sentence that says nothing."""
    run = Run.objects.create(tenant=tenant, number=1, kind="full", trigger="person", state="completed")
    DirectoryUser.objects.create(tenant=tenant, object_id=ADA, user_principal_name="ada@acme.example")
    Standing.objects.create(
        tenant=tenant, kind="user", object_id=ADA, scim_id=IN_AWS, name="Ada Byron", word="failed", since=timezone.now()
    )
    facts = {"problem": "too-many-values", "error": GENERIC, "request_id": REQUEST, "result": "failed"}
    return Operation.objects.create(
        tenant=tenant, run=run, object_type="user", object_id=ADA, display_name="Ada Byron", action="create", **facts
    )


def translated(client: Client, text: str) -> dict[str, list[str]]:
    """Codes of the meanings; names of people and of operations."""
    context = client.post("/help/translate/", {"text": text}).context
    return {
        "codes": [entry.code for entry in context["meanings"]],
        "people": [one.name for one in context["people"]],
        "operations": [one.display_name for one in context["operations"]],
    }


def test_every_page_leads_to_help(jo: Client, tenant: Tenant) -> None:
    for address in ("/t/acme/setup/", "/t/?stay=1", "/me/", "/help/"):
        assert '<a href="/help/">Help</a>' in jo.get(address).content.decode()


def test_codes_are_found_by_their_words(jo: Client) -> None:
    found = jo.get("/help/?q=LAST+missing").content.decode()
    assert "missing-family-name" in found
    assert "token-refused" not in found
    assert "No code has these words" in jo.get("/help/?q=zzz").content.decode()


def test_a_code_with_two_meanings_says_where_each_is_met(jo: Client) -> None:
    page = jo.get("/help/errors/source-empty/").content.decode()
    assert "Entra returned nobody" in page
    assert "There is no source, so this field would never get a value" in page


def test_the_page_of_a_code_shows_where_it_was_met(jo: Client, refused: Operation) -> None:
    assert f"/t/acme/logs/{refused.pk}/" in jo.get("/help/errors/too-many-values/").content.decode()
    assert "Where it was met last" not in jo.get("/help/errors/too-long/").content.decode()


def test_a_sentence_that_says_nothing_is_explained_by_past_operations(jo: Client, refused: Operation) -> None:
    found = translated(jo, ANSWER)
    assert found["codes"] == ["rejected"]
    assert found["operations"] == ["Ada Byron"]
    assert "More than one value, AWS takes one" in jo.post("/help/translate/", {"text": ANSWER}).content.decode()


def test_what_aws_said_is_told_as_an_answer(jo: Client) -> None:
    page = jo.post("/help/translate/", {"text": "List attribute phoneNumbers exceeds allowed limit of 1"})
    assert "AWS refused the person." in page.content.decode()
    assert "AWS would refuse" not in page.content.decode()
    assert "AWS would refuse the person." in jo.get("/help/errors/too-many-values/").content.decode()


@pytest.mark.parametrize("text", ["ada@acme.example.", f"PATCH /Users/{IN_AWS}", ADA.upper()])
def test_the_people_whom_an_error_names_are_shown(jo: Client, refused: Operation, text: str) -> None:
    assert translated(jo, f"HTTP 404 for {text}")["people"] == ["Ada Byron"]


def test_a_request_id_finds_the_operation_itself(jo: Client, refused: Operation) -> None:
    other = Operation.objects.create(
        tenant=refused.tenant, run=refused.run, object_type="user", object_id=IN_AWS, display_name="Bo",
        action="create", problem="too-many-values",
    )  # fmt: skip
    record = {
        "errorCode": "ValidationException",
        "errorMessage": "Currently list attributes only allow single item",
        "requestID": REQUEST,
    }
    assert translated(jo, json.dumps(record))["operations"] == ["Ada Byron"]
    assert translated(jo, json.dumps(record | {"requestID": ""}))["operations"] == [other.display_name, "Ada Byron"]


def test_nobody_is_shown_what_belongs_to_another_tenant(
    client_of: Callable[[User], Client], refused: Operation
) -> None:
    other = Tenant.objects.create(name="Other", slug="other")
    eve = client_of(person("eve@other.example", Role.CONFIGURATOR, other))
    assert translated(eve, f"{ANSWER} ada@acme.example") == {"codes": ["rejected"], "people": [], "operations": []}
    assert "Ada Byron" not in eve.get("/help/errors/too-many-values/").content.decode()


def test_what_is_no_error_is_answered_in_words(jo: Client) -> None:
    assert "We do not know this error" in jo.post("/help/translate/", {"text": "Good morning"}).content.decode()
    assert jo.post("/help/translate/", {"text": " "}).status_code == 422


def test_words_are_listed(jo: Client) -> None:
    page = jo.get("/help/words/").content.decode()
    assert "Entra calls it an incremental cycle" in page
    assert "In AWS, up to date" in page
