"""Microsoft's signing keys: asked for when a token names a new one, and not at every invention of a stranger."""

import json
from typing import Any

import jwt
import pytest
import responses
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from sync.graph import web_sign_in
from sync.graph.cloud import CLOUDS
from sync.graph.errors import BadAnswer, Unreachable
from sync.graph.session import Session
from sync.graph.web_sign_in import App, Keys
from tests.world.redirects import STATUSES, leads_elsewhere, somebody_went_there

pytestmark = pytest.mark.pure
APP = App(CLOUDS["global"], "4f1c09d2-7a3e-4b8a-9c55-12e0d7f6a3b1", "app", "canary", "http://localhost/")


def jwk(key_id: str) -> dict[str, Any]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    facts: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
    return facts | {"kid": key_id, "use": "sig"}


class Microsoft:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: dict[str, Any] = {"keys": [jwk("one")]}
        self.asked = 0
        self.now = 0.0
        self.keys = Keys(lambda: self.now)
        monkeypatch.setattr(web_sign_in, "_asked", self.answer)

    def answer(self, *_: Any) -> dict[str, Any]:
        self.asked += 1
        return self.answers

    def key(self, key_id: str) -> Any:
        return self.keys.key(APP, object(), key_id)  # type: ignore[arg-type]


@pytest.fixture
def microsoft(monkeypatch: pytest.MonkeyPatch) -> Microsoft:
    return Microsoft(monkeypatch)


def test_a_known_key_is_not_asked_for_again(microsoft: Microsoft) -> None:
    assert microsoft.key("one") is microsoft.key("one")
    assert microsoft.asked == 1


def test_a_new_key_is_asked_for(microsoft: Microsoft) -> None:
    microsoft.key("one")
    microsoft.answers = {"keys": [jwk("two")]}
    microsoft.now = 61
    assert microsoft.key("two")
    assert microsoft.asked == 2


def test_made_up_keys_ask_once_a_minute(microsoft: Microsoft) -> None:
    for number in range(20):
        with pytest.raises(BadAnswer, match="does not name"):
            microsoft.key(f"made-up-{number}")
    assert microsoft.asked == 1


@pytest.mark.parametrize("answer", [{}, {"keys": "x"}, {"keys": [1]}, {"keys": [{"kty": "RSA", "kid": "one"}]}])
def test_keys_that_cannot_be_read_are_said(microsoft: Microsoft, answer: dict[str, Any]) -> None:
    microsoft.answers = answer
    with pytest.raises(BadAnswer, match="cannot be read"):
        microsoft.key("one")


def test_the_secret_is_in_no_word_about_the_app() -> None:
    assert "canary" not in repr(APP)


def test_a_token_of_another_algorithm_is_refused(microsoft: Microsoft, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 8725 section 2.1: whoever takes HS256 takes the public key for a secret."""
    monkeypatch.setattr(web_sign_in, "KEYS", microsoft.keys)
    token = jwt.encode({"aud": "app"}, "x" * 32, algorithm="HS256", headers={"kid": "one"})
    with pytest.raises(BadAnswer, match="InvalidAlgorithmError"):
        web_sign_in._claims(APP, object(), token, "nonce")  # type: ignore[arg-type]


@responses.activate
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("answer", [{"body": ""}, {"json": {"id_token": "a.b.c"}}])
def test_code_and_secret_follow_no_redirect(status: int, answer: dict[str, Any]) -> None:
    leads_elsewhere("POST", f"{APP.base}/oauth2/v2.0/token", status, **answer)
    flow = web_sign_in.new_flow()
    with pytest.raises(Unreachable, match="redirect"):
        web_sign_in.redeem(APP, flow, {"state": flow["state"], "code": "the-code"})
    assert not somebody_went_there()


@responses.activate
@pytest.mark.parametrize("status", STATUSES)
def test_no_other_host_says_which_keys_are_microsofts(status: int) -> None:
    leads_elsewhere("GET", f"{APP.base}/discovery/v2.0/keys", status, json={"keys": [jwk("theirs")]})
    with Session(APP.cloud) as session, pytest.raises(Unreachable, match="redirect"):
        Keys(lambda: 0.0).key(APP, session, "theirs")
    assert not somebody_went_there()
