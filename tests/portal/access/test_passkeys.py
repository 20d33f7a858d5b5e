"""Passkeys as no browser sends them: refused in words, by whoever is at the door and on one's own page. Good ones are in tests/browser."""

import json
from collections.abc import Callable
from typing import Any

from django.test import Client
from fido2.utils import websafe_encode

from portal.models import User

BY_SCRIPT = {"Accept": "application/json", "X-Requested-With": "XMLHttpRequest"}


def credential(**response: Any) -> str:
    return json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": response})


def client_data(kind: str) -> str:
    return websafe_encode(json.dumps({"type": kind, "challenge": "AA", "origin": "https://x"}).encode())


def made(attestation: bytes) -> str:
    return credential(clientDataJSON=client_data("webauthn.create"), attestationObject=websafe_encode(attestation))


def given(authenticator: bytes, **more: str) -> str:
    """By the first account."""
    facts = {"authenticatorData": websafe_encode(authenticator), "signature": "AA", "userHandle": websafe_encode(b"1")}
    return credential(clientDataJSON=client_data("webauthn.get"), **facts | more)


HOSTILE = {
    "no JSON": "{",
    "deep": "[" * 5_000,
    "many digits": "9" * 6_000,
    "a list": "[1]",
    "infinite": '{"id": 1e999}',
    "half a letter": json.dumps({"id": "\ud800", "rawId": "\ud800", "type": "public-key", "response": {}}),
    "numbers for texts": credential(clientDataJSON=1, attestationObject=2, authenticatorData=3, signature=4),
    "client data of another shape": credential(clientDataJSON=websafe_encode(b"[]"), attestationObject="AA"),
    "deep client data": credential(clientDataJSON=websafe_encode(b"[" * 5_000), authenticatorData="AA"),
    "attestation cut short": made(b"\xb9\x00"),
    "deep attestation": made(b"\x81" * 5_000),
    "attestation without parts": made(b"\xa0"),
    "authenticator data cut short": given(bytes(33)),
    "extensions cut short": given(bytes(32) + b"\x80" + bytes(4) + b"\xb9"),
    "key cut short": given(bytes(32) + b"\x40" + bytes(4) + bytes(17) + b"\x01\x00\xb9"),
    "somebody with a long number": given(bytes(37), userHandle=websafe_encode(b"z" * 500)),
    "somebody with no number": given(bytes(37), userHandle=websafe_encode(b"\xff")),
}


def test_a_strangers_credential_of_any_shape_is_refused_in_words(owner: User) -> None:
    client = Client()
    for what, sent in HOSTILE.items():
        client.get("/sign-in/passkey/", headers=BY_SCRIPT)
        answer = client.post("/sign-in/passkey/", {"credential": sent})
        assert answer["Location"].startswith("/sign-in/"), what
    assert "passkey is not right" in client.get("/sign-in/").content.decode()
    assert "_auth_user_id" not in client.session


def test_no_such_credential_is_added(owner: User, client_of: Callable[[User], Client]) -> None:
    client = client_of(owner)
    client.get("/me/security/passkeys/add/")
    for what, sent in HOSTILE.items():
        answer = client.post("/me/security/passkeys/add/", {"credential": sent, "name": "x"})
        assert answer.context["form"].errors, what
    assert not owner.authenticator_set.filter(type="webauthn").exists()
