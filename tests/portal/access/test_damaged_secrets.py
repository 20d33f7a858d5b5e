"""Stored secrets that somebody has damaged or moved: every page opens, and those that need one say what to do."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.apps import apps
from django.db import transaction

from portal.models import Role, User
from sync.connection import services
from sync.connection.checks import aws as checks_of_aws
from sync.connection.checks import entra as checks_of_entra
from sync.connection.sealed import COLUMNS, SealedColumn, credential_context, second_context, token_context
from sync.connection.sealing import CannotOpen, seal, unseal
from sync.models import Channel, Half, SecondCredential, Tenant
from sync.notifications import deliveries
from sync.notifications.services import add_channel, send_test
from tests.portal.access.test_pages import ACT, FORMS, MORE, OTHERS, READ, SLUG, World, ways_of_others, world
from tests.world.drafted import JO, PREVIEW
from tests.world.tenant import attempt

__all__ = ["world"]
pytestmark = pytest.mark.django_db
GUID = "4f1c09d2-7a3e-4b8a-9c55-12e0d7f6a3b1"
ENDPOINT = f"https://scim.eu-central-1.amazonaws.com/{GUID}/scim/v2"
SEALED = re.compile(r"v1\.[^.\s\"']{1,40}\.[\w=-]{30,}")
DAMAGES: dict[str, Callable[[str], str]] = {
    "cut off": lambda sealed: sealed[:-12],
    "almost nothing left": lambda sealed: sealed[: sealed.rindex(".") + 5],
    "nothing left": lambda sealed: sealed[: sealed.rindex(".") + 1],
    "a letter changed": lambda sealed: sealed[:-20] + ("A" if sealed[-20] != "A" else "B") + sealed[-19:],
    "not base64": lambda sealed: sealed[: sealed.rindex(".") + 1] + "abc",
    "not ASCII": lambda sealed: f"{sealed[:-3]}é²\u2028",
    "another place's": lambda _sealed: seal("moved", "another place"),
    "another key's": lambda sealed: sealed.replace("v1.test.", "v1.gone."),
    "another form": lambda sealed: sealed.replace("v1.", "v9."),
    "plain text": lambda _sealed: "a secret in the clear",
}


@pytest.mark.pure
@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_or_moved_does_not_open_and_says_what_to_do(damage: str) -> None:
    with pytest.raises(CannotOpen, match=r"Enter it again|Add the old key"):
        unseal(DAMAGES[damage](seal("geheim", "a place")), "a place")


@pytest.fixture
def sealed(world: World) -> list[tuple[SealedColumn, Any]]:
    """A row of every column that holds a sealed text."""
    Tenant.objects.filter(slug=SLUG).update(last_run_number=PREVIEW)
    tenant = Tenant.objects.get(slug=SLUG)
    entra, aws = tenant.entra, tenant.aws
    entra.directory_id = entra.client_id = GUID
    entra.sealed_credential = seal("canary", credential_context(entra))
    aws.endpoint = ENDPOINT
    aws.sealed_token = seal("canary", token_context(aws))
    for half in (entra, aws):
        half.save()
    for half_name in Half:
        second = SecondCredential(tenant=tenant, half=half_name, kind="secret" if half_name == Half.ENTRA else "")
        second.sealed = seal("canary", second_context(second))
        second.save()
    for kind in (Channel.Kind.WEBHOOK, Channel.Kind.SLACK, Channel.Kind.TEAMS):
        add_channel(tenant=tenant, actor=JO, kind=kind, to="https://hooks.example.com/canary")
    RecoveryCodes.activate(User.objects.get(email="owner@acme.example"))
    return [(column, row) for column in COLUMNS for row in column.rows()]


def test_every_place_that_holds_a_sealed_text_is_in_the_list_that_keys_go_by(
    sealed: list[tuple[SealedColumn, Any]],
) -> None:
    """All values of all tables are looked at. Another place would miss its rotation."""
    assert {column.model for column, _row in sealed} == {column.model for column in COLUMNS}
    assert places_of_sealed_texts() == {(column.model, column.field) for column in COLUMNS}


def places_of_sealed_texts() -> set[tuple[type, str]]:
    found = set()
    for model in apps.get_models():
        for row in model._default_manager.all():
            values = {field.attname: getattr(row, field.attname) for field in model._meta.concrete_fields}
            found |= {(model, name) for name, value in values.items() if SEALED.search(str(value))}
    return found


@pytest.fixture
def damaged(sealed: list[tuple[SealedColumn, Any]]) -> list[str]:
    """Each row in another way. Which was damaged how."""
    ways = list(DAMAGES.items())
    for number, (column, row) in enumerate(sealed):
        column.write(row, ways[number % len(ways)][1](column.read(row)))
    return [f"{column.model.__name__}: {ways[number % len(ways)][0]}" for number, (column, _row) in enumerate(sealed)]


def addresses(world: World) -> Iterator[str]:
    yield from (world.address(name) for name in READ)
    yield from (f"/t/{SLUG}/{path}" for path in MORE)
    yield from (world.address(name) for name in OTHERS if name != "account_logout")


def test_every_page_opens_all_the_same(world: World, damaged: list[str]) -> None:
    owner = world.client(Role.OWNER)
    answers = {address: owner.get(address, follow=True) for address in addresses(world)}
    assert len(answers) > 90
    assert {address: answer.status_code for address, answer in answers.items() if answer.status_code >= 500} == {}
    assert "canary" not in "".join(answer.content.decode() for answer in answers.values() if not answer.streaming)


def test_every_form_is_taken_or_refused_in_words(world: World, damaged: list[str]) -> None:
    owner = world.client(Role.OWNER)
    others = {name for name, method, _needed in ways_of_others() if method == "POST"} - {"account_logout"}
    for name in [*ACT, *sorted(others)]:
        for form in FORMS.get(name, [{}]):
            with transaction.atomic():
                assert owner.post(world.address(name), form).status_code < 500, name
                transaction.set_rollback(True)


# Page -> what it says while what it needs does not open.
NEEDED = {
    "mappings/people/?find=zelda": "Cannot read the directory right now",
    "assignments/assign/?q=zelda": "Cannot read the directory right now",
    "on-demand/?q=zelda": "Cannot read the directory right now",
}


@pytest.mark.parametrize(("path", "words"), NEEDED.items())
def test_a_page_that_needs_one_says_so(world: World, damaged: list[str], path: str, words: str) -> None:
    assert words in world.client(Role.OWNER).get(f"/t/{SLUG}/{path}").content.decode()


def test_recovery_codes_that_cannot_be_read_are_made_anew(world: World, damaged: list[str]) -> None:
    owner = world.client(Role.OWNER)
    assert "cannot be read any more" in owner.get("/me/security/").content.decode()
    assert owner.get("/me/security/codes/")["Location"] == "/me/security/codes/new/"
    assert "cannot be read any more" in owner.get("/me/security/codes/new/").content.decode()
    owner.post("/me/security/codes/new/")
    assert "10 codes are left" in owner.get("/me/security/").content.decode()


@pytest.mark.parametrize("kind", ["full", "changes", "preview", "verify"])
@pytest.mark.parametrize("half", list(Half))
def test_a_run_stops_with_the_problem_stated_and_without_a_traceback(
    tenant: Tenant, caplog: pytest.LogCaptureFixture, half: Half, kind: str
) -> None:
    facts = {"cloud": "global", "directory_id": GUID, "client_id": GUID, "credential_kind": "secret"}
    services.save_entra(tenant=tenant, actor=JO, credential="canary", ends_on=None, **facts)
    services.save_aws(tenant=tenant, actor=JO, endpoint=ENDPOINT, token="t0" * 270, token_created_on=None)
    column = COLUMNS[0 if half == Half.ENTRA else 1]
    for row in column.rows():
        column.write(row, DAMAGES["cut off"](column.read(row)))
    run = attempt(tenant, kind)
    assert (run.state, run.problem) == ("failed", "not-connected")
    assert "The stored secret was changed, or belongs to another place. Enter it again." in run.problem_detail
    assert "Traceback" not in caplog.text


def test_a_test_of_the_connection_says_what_to_do(world: World, damaged: list[str]) -> None:
    tenant = Tenant.objects.get(slug=SLUG)
    entra = checks_of_entra.app_can_sign_in(checks_of_entra.EntraHalf(tenant))
    aws = checks_of_aws.token_is_accepted(checks_of_aws.AwsHalf(tenant))
    assert {entra.code, aws.code} == {"secret-not-opened"}


def test_a_message_that_cannot_be_sent_says_why_and_stops_no_other(world: World, damaged: list[str]) -> None:
    tenant = Tenant.objects.get(slug=SLUG)
    for channel in tenant.channels.exclude(sealed=""):
        delivery = send_test(channel=channel, actor=JO)
        deliveries.deliver(delivery.pk)
        delivery.refresh_from_db()
        assert (delivery.state, delivery.attempts) == ("waiting", 1)
        assert re.search("Enter it again|Add the old key", delivery.error)
