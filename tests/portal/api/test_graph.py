"""The address that Graph calls: its handshake, and bodies that nobody should send."""

import pytest
from django.test import Client

from sync.directory.subscriptions import PATH

pytestmark = pytest.mark.django_db
HOOK = f"/{PATH}"


def test_the_handshake_sends_the_token_back_as_plain_text() -> None:
    token = "Validation: <b>Testing</b> reachability é"
    answer = Client().post(f"{HOOK}?validationToken={token}", content_type="text/plain")
    assert (answer.status_code, answer.content.decode()) == (200, token)
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_handshake_is_short() -> None:
    assert Client().post(f"{HOOK}?validationToken={'x' * 2000}", content_type="text/plain").status_code == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("words", 400),
        ("[" * 100_000, 400),
        ("[]", 202),
        ("{}", 202),
        ('{"value": 7}', 202),
        ('{"value": [7, null, "x", {"subscriptionId": "\\u0000"}]}', 202),
        ("x" * (600 * 1024), 413),
    ],
)
def test_whatever_is_sent_is_heard_and_believed_in_nothing(body: str, status: int) -> None:
    assert Client().post(HOOK, body, content_type="application/json").status_code == status


def test_it_takes_no_other_method() -> None:
    assert {Client().generic(method, HOOK).status_code for method in ("GET", "PUT", "DELETE")} == {405}
