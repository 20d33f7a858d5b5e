"""What is refused before a page sees it: characters that no database holds, and bodies of any size."""

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from portal.models import User
from sync.models import Tenant

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
