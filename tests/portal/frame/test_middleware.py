"""What is refused before a page sees it: characters that no database holds, and bodies of any size."""

import io
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from django.core.files import uploadhandler
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from portal.access.roles import RIGHTS, Right
from portal.models import Role, User
from sync.models import Tenant
from tests.world.people import person

IMPORT = "/t/acme/configuration/import/"
FORM, FILE = 1024 * 1024, 5 * 1024 * 1024
ALIKE = "application/x-www-form-urlencoded"


@pytest.fixture
def jo(tenant: Tenant, owner: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(owner)


# NUL: PostgreSQL stores none, and answers with an error in the middle of a page


@pytest.mark.parametrize(
    "address",
    [
        "groups/%00/",
        "groups/6cf687a0-8b15-5fd6-98e7-29696e6c2e14/?q=%00",
        "mappings/people/?person=%00",
        "mappings/people/%00/",
        "scope/?find=a%00b",
        "scope/?test=%00",
        "logs/?%00=x",
        "nowhere/%00",
    ],
)
def test_a_nul_in_an_address_is_refused_in_words(jo: Client, address: str) -> None:
    answer = jo.get(f"/t/acme/{address}")
    assert answer.status_code == 400
    assert "Nothing was saved" in answer.content.decode()


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("mappings/people/move/%00/", {"direction": "up"}),
        ("assignments/group/x%00/change/", {"nested": "1"}),
        ("draft/undo/", {"key": "mapping:user:a\0b"}),
        ("mappings/cast/", {"pin": "\0"}),
        ("scope/filters/new/", {"title\0": "x"}),
        ("me", {"name": "Jo\0"}),
    ],
)
def test_a_nul_in_a_form_is_refused_in_words(jo: Client, address: str, form: dict[str, str]) -> None:
    path = "/me/" if address == "me" else f"/t/acme/{address}"
    for answer in (jo.post(path, form), jo.post(path, urlencode(form), content_type=ALIKE)):
        assert answer.status_code == 400
        assert "Nothing was saved" in answer.content.decode()


@pytest.mark.django_db
def test_a_nul_in_a_cookie_is_refused_before_the_session_is_looked_up() -> None:
    """A quoted cookie may hold any character as an octal escape (RFC 2109 section 4.1, as http.cookies reads it)."""
    answer = Client(headers={"Cookie": r'session="\000bcdefgh"'}).get("/me/")
    assert answer.status_code == 400


def test_a_file_may_hold_any_byte(jo: Client) -> None:
    answer = jo.post(IMPORT, {"step": "file", "file": SimpleUploadedFile("x.json", b"\0")})
    assert answer.status_code == 422


def test_too_many_fields_are_refused_in_words(jo: Client) -> None:
    answer = jo.post("/t/acme/assignments/unassign/", {f"f{n}": "x" for n in range(1_100)})
    assert answer.status_code == 400
    assert "Nothing was saved" in answer.content.decode()


# Size: judged by what the request announces, before any of it is read


class Unread(io.BytesIO):
    """A body that fails the test when it is read."""

    def read(self, *_: object) -> bytes:
        pytest.fail("The body was read.")

    readline = read


def announce(client: Client, path: str, size: int | str, kind: str = ALIKE, method: str = "POST") -> HttpResponse:
    return client.generic(method, path, content_type=kind, CONTENT_TYPE=kind, CONTENT_LENGTH=str(size), **{"wsgi.input": Unread()})  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [ALIKE, "multipart/form-data; boundary=b", "application/json", "text/plain"])
@pytest.mark.parametrize("path", ["/sign-in/", "/first-run/", "/me/", "/t/", "/t/acme/mappings/cast/", IMPORT])
def test_a_large_body_of_a_stranger_is_refused_unread(path: str, kind: str) -> None:
    answer = announce(Client(), path, FORM + 1, kind)
    assert answer.status_code == 413
    assert "too large" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "ANY"])
def test_the_method_makes_no_difference(method: str) -> None:
    assert announce(Client(), IMPORT, FORM + 1, method=method).status_code == 413


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/nowhere/", "/static/css/frame.css", "/"])
def test_where_no_page_is_nothing_is_read(path: str) -> None:
    assert announce(Client(), path, 2 * FORM).status_code != 500
    assert announce(Client(), path, 300 * FORM).status_code in (404, 405, 413)


@pytest.mark.parametrize("path", ["/me/", "/t/acme/mappings/cast/", "/t/acme/assignments/paste/", "/t/acme/scope/filters/new/"])  # fmt: skip
def test_a_form_has_one_megabyte_also_for_an_owner(jo: Client, path: str) -> None:
    assert announce(jo, path, FORM + 1).status_code == 413


def test_what_a_form_may_hold_goes_through(jo: Client) -> None:
    assert jo.post("/t/acme/assignments/paste/", {"pasted": "x" * 390_000}).status_code == 422


@pytest.mark.parametrize("method", ["POST", "PUT", "GET"])
def test_a_body_of_unknown_length_is_refused_unread(jo: Client, method: str) -> None:
    answer = jo.generic(method, IMPORT, HTTP_TRANSFER_ENCODING="chunked", **{"wsgi.input": Unread()})
    assert answer.status_code == 411
    assert "Content-Length" in answer.content.decode()


@pytest.mark.parametrize("role", Role)
def test_the_page_that_takes_a_file_takes_a_large_one_from_whoever_may_import(
    tenant: Tenant, client_of: Callable[[User], Client], role: Role
) -> None:
    client = client_of(person("ann@acme.example", role, None if role is Role.OWNER else tenant))
    if Right.CONFIGURE not in RIGHTS[role]:
        assert announce(client, IMPORT, FORM + 1).status_code == 413
        return
    answer = upload(client, FILE)
    assert answer.status_code == 422
    assert "This is not JSON" in answer.content.decode()
    answer = upload(client, FILE + 1)
    assert answer.status_code == 422
    assert "The file is larger than 5 MB." in answer.content.decode()
    assert announce(client, IMPORT, FILE + 2 * FORM).status_code == 413


def upload(client: Client, size: int) -> HttpResponse:
    return client.post(IMPORT, {"step": "file", "file": SimpleUploadedFile("x.json", b"x" * size)})


def test_another_tenants_page_takes_no_large_file(tenant: Tenant, client_of: Callable[[User], Client]) -> None:
    other = Tenant.objects.create(name="Other", slug="other")
    stranger = client_of(person("eve@other.example", Role.CONFIGURATOR, other))
    assert announce(stranger, IMPORT, FORM + 1).status_code == 413
    assert announce(stranger, "/t/nowhere/configuration/import/", FORM + 1).status_code == 413


def test_whoever_lost_the_account_sends_no_large_file(tenant: Tenant, client_of: Callable[[User], Client]) -> None:
    user = person("ann@acme.example", Role.CONFIGURATOR, tenant)
    client = client_of(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert announce(client, IMPORT, FORM + 1).status_code == 413


def test_a_file_stays_in_memory(jo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploadhandler, "TemporaryUploadedFile", lambda *_: pytest.fail("A temporary file was made."))
    assert upload(jo, FILE).status_code == 422


@pytest.mark.parametrize("length", ["-1", "many", "1" * 5_000, "²"])
def test_a_length_that_is_no_number_is_no_way_around(jo: Client, length: str) -> None:
    assert announce(jo, "/me/", length).status_code == 400
