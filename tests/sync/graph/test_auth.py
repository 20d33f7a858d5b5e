"""Sign-in against answers that Entra, or a proxy before it, may give (msgraph, token endpoint; MSAL's own habits)."""

import logging
import re
from typing import Any

import pytest
import responses
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sync.graph.auth import Authenticator, Certificate, ClientSecret
from sync.graph.cloud import CLOUDS
from sync.graph.errors import BadAnswer, GraphError, InvalidId, ServerError, SignInFailed, Throttled, Unreachable
from tests.world.redirects import STATUSES, leads_elsewhere, somebody_went_there

DIRECTORY = "11111111-2222-4333-8444-555555555555"
TENANT = f"https://login.microsoftonline.com/{DIRECTORY}"
DISCOVERY = f"{TENANT}/v2.0/.well-known/openid-configuration"
TOKEN = f"{TENANT}/oauth2/v2.0/token"


def authenticator(credential: ClientSecret | Certificate | None = None) -> Authenticator:
    return Authenticator(CLOUDS["global"], DIRECTORY, "client", credential or ClientSecret("secret"))


def discovered() -> None:
    endpoints = {"token_endpoint": TOKEN, "authorization_endpoint": f"{TENANT}/authorize", "issuer": f"{TENANT}/v2.0"}
    responses.get(DISCOVERY, json=endpoints)


@responses.activate
def test_a_token_is_kept_until_it_is_forgotten() -> None:
    discovered()
    for token in ("first", "second"):
        responses.post(TOKEN, json={"access_token": token, "expires_in": 3599, "token_type": "Bearer"})
    auth = authenticator()
    assert [auth.token(), auth.token()] == ["first", "first"]
    auth.forget()
    assert auth.token() == "second"


@responses.activate
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"body": "<html>proxy</html>"}, Unreachable),
        ({"body": ""}, Unreachable),
        ({"body": "[" * 100_000}, Unreachable),
        ({"json": [1]}, Unreachable),
        ({"body": "x" * 2_000_000}, BadAnswer),
        ({"status": 429, "json": {"error": "temporarily_unavailable"}}, Throttled),
        ({"status": 429, "body": "<html>"}, Throttled),
        ({"status": 503, "body": "<html>"}, ServerError),
        ({"status": 400, "json": {"error": "temporarily_unavailable", "error_description": "AADSTS90033: x"}}, ServerError),
        ({"status": 401, "json": {"error": "invalid_client", "error_description": "AADSTS7000215: x"}}, SignInFailed),
        ({"json": {"token_type": "Bearer"}}, BadAnswer),
        ({"json": {"access_token": {"not": "text"}, "expires_in": 3599}}, BadAnswer),
        ({"json": {"access_token": "a", "expires_in": "soon"}}, BadAnswer),
    ],
)  # fmt: skip
def test_only_a_refusal_counts_as_one(answer: dict[str, Any], kind: type[GraphError]) -> None:
    """Whoever reads "refused" replaces the credential: a busy or broken sign-in must not say so."""
    discovered()
    responses.post(TOKEN, **answer)
    with pytest.raises(GraphError) as caught:
        authenticator().token()
    assert type(caught.value) is kind


@responses.activate
def test_a_busy_sign_in_says_how_long_to_wait() -> None:
    discovered()
    responses.post(TOKEN, status=429, json={}, headers={"Retry-After": "2.5"})
    with pytest.raises(Throttled) as caught:
        authenticator().token()
    assert caught.value.retry_after == 2.5


@responses.activate
@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_ageing_token_outlives_a_sign_in_that_is_down(status: int) -> None:
    discovered()
    answer = {"access_token": "old", "expires_in": 7200, "refresh_in": -1, "token_type": "Bearer"}
    responses.post(TOKEN, json=answer)
    auth = authenticator()
    assert auth.token() == "old"
    responses.replace(responses.POST, TOKEN, status=status)
    assert auth.token() == "old"
    assert len([call for call in responses.calls if call.request.method == "POST"]) == 2


@responses.activate
@pytest.mark.parametrize("status", [200, 429, 503])
def test_a_discovery_that_does_not_answer_is_no_unknown_directory(status: int) -> None:
    responses.get(DISCOVERY, status=status, body="<html>")
    with pytest.raises(GraphError) as caught:
        authenticator().token()
    assert not caught.value.permanent


@responses.activate
def test_what_the_token_endpoint_answers_is_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    discovered()
    responses.post(TOKEN, body='"eyJ-a-token-in-odd-clothes"')
    with caplog.at_level(logging.DEBUG), pytest.raises(Unreachable):
        authenticator().token()
    assert "eyJ-a-token" not in caplog.text


def encrypted_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    ).decode()


@pytest.mark.parametrize("pem", ["", "garbage", encrypted_key()])
def test_a_certificate_that_cannot_be_read_says_what_to_give(pem: str) -> None:
    with pytest.raises(SignInFailed, match="not encrypted"):
        authenticator(Certificate(pem)).token()


@responses.activate
def test_a_directory_id_stays_one_segment_of_the_path() -> None:
    responses.get(re.compile(".*"), status=400, json={"error": "invalid_tenant"})
    with pytest.raises(SignInFailed):
        Authenticator(CLOUDS["global"], "x/../common?y#", "client", ClientSecret("secret")).token()
    [sent] = responses.calls
    assert sent.request.path_url == "/x%2F..%2Fcommon%3Fy%23/v2.0/.well-known/openid-configuration"
    with pytest.raises(InvalidId):
        Authenticator(CLOUDS["global"], "..", "client", ClientSecret("secret")).token()
    assert len(responses.calls) == 1


@responses.activate
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("answer", [{"body": ""}, {"json": {"access_token": "a", "expires_in": 3599}}])
def test_the_secret_follows_no_redirect_of_the_token_endpoint(status: int, answer: dict[str, Any]) -> None:
    discovered()
    leads_elsewhere("POST", TOKEN, status, **answer)
    with pytest.raises(Unreachable, match="redirect"):
        authenticator().token()
    assert not somebody_went_there()


@responses.activate
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("answer", [{"body": ""}, {"json": {"token_endpoint": "https://elsewhere.example/trap"}}])
def test_where_the_token_endpoint_is_no_other_host_says(status: int, answer: dict[str, Any]) -> None:
    leads_elsewhere("GET", DISCOVERY, status, **answer)
    with pytest.raises(Unreachable, match="redirect"):
        authenticator().token()
    assert not somebody_went_there()
