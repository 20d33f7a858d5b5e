"""Tokens from AWS STS in place of a secret: whom we are is found on the machine, the request is signed as AWS asks."""

import base64
import datetime
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import responses

from sync.graph.aws_credentials import AwsCredentials, credentials
from sync.graph.aws_signature import signed
from sync.graph.cloud import CLOUDS
from sync.graph.errors import FederationFailed
from sync.graph.federation import Federated, StsToken, TokenFile, audience_of
from tests.world.redirects import STATUSES, leads_elsewhere, somebody_went_there

STS = "https://sts.eu-central-1.amazonaws.com/"
AUDIENCE = "api://AzureADTokenExchange"
NOW = datetime.datetime(2015, 8, 30, 12, 36, tzinfo=datetime.UTC)
ME = AwsCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")


def token(**claims: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.c2ln"


def sts(**facts: Any) -> StsToken:
    return StsToken("eu-central-1", found=lambda: ME, clock=lambda: NOW, **facts)


def test_a_request_is_signed_as_in_awss_own_test_suite() -> None:
    """aws-sig-v4-test-suite, post-x-www-form-urlencoded."""
    headers, body = signed(
        "https://example.amazonaws.com/", {"Param1": "value1"}, ME, "us-east-1", NOW, service="service"
    )
    assert body == b"Param1=value1"
    assert headers["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date, "
        "Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
    )


@responses.activate
def test_sts_is_asked_for_a_token_of_the_audience_that_entra_expects() -> None:
    made = token(aud=[AUDIENCE], exp=4102444800)
    responses.post(STS, body=f"<R><WebIdentityToken>{made}</WebIdentityToken></R>")
    assert Federated(sts(), AUDIENCE).assertion() == made
    asked = parse_qs(str(responses.calls[0].request.body or b"", "ascii"))  # type: ignore[call-overload]
    assert asked["Action"] == ["GetWebIdentityToken"]
    assert asked["Audience.member.1"] == [AUDIENCE]
    assert ME.secret not in str(responses.calls[0].request.headers)


@responses.activate
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"status": 403, "body": "<E><Code>OutboundWebIdentityFederationDisabled</Code></E>"}, "sts-refused"),
        ({"status": 200, "body": "<E/>"}, "sts-refused"),
        ({"status": 500, "body": ""}, "sts-refused"),
        ({"body": OSError("no route")}, "sts-unreachable"),
        (
            {"body": f"<R><WebIdentityToken>{token(aud='other', exp=4102444800)}</WebIdentityToken></R>"},
            "token-audience",
        ),
        ({"body": f"<R><WebIdentityToken>{token(aud=AUDIENCE, exp=1)}</WebIdentityToken></R>"}, "token-over"),
        ({"body": "<R><WebIdentityToken>e30.W10.c2ln</WebIdentityToken></R>"}, "token-form"),
    ],
)
def test_what_sts_may_answer_instead_is_named(answer: dict[str, Any], code: str) -> None:
    responses.post(STS, **answer)
    with pytest.raises(FederationFailed) as failed:
        Federated(sts(), AUDIENCE).assertion()
    assert failed.value.code == code


def test_credentials_come_from_the_environment_first() -> None:
    found = credentials({"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "geheim", "AWS_SESSION_TOKEN": "t"})
    assert found == AwsCredentials("A", "geheim", "t")
    assert "geheim" not in repr(found)


@responses.activate
def test_credentials_of_a_pod_are_read_with_its_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("pod-token\n")
    url = "http://169.254.170.23/v1/credentials"
    responses.get(url, json={"AccessKeyId": "A", "SecretAccessKey": "B", "Token": "C"})
    environment = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": url,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token"),
    }
    assert credentials(environment) == AwsCredentials("A", "B", "C")
    assert responses.calls[0].request.headers["Authorization"] == "pod-token"


@responses.activate
def test_credentials_of_an_instance_are_read_by_version_two() -> None:
    base = "http://169.254.169.254/latest/"
    responses.put(f"{base}api/token", body="session")
    responses.get(f"{base}meta-data/iam/security-credentials/", body="role")
    responses.get(f"{base}meta-data/iam/security-credentials/role", json={"AccessKeyId": "A", "SecretAccessKey": "B"})
    assert credentials({}) == AwsCredentials("A", "B")
    assert responses.calls[2].request.headers["X-aws-ec2-metadata-token"] == "session"


@responses.activate
@pytest.mark.parametrize(
    "environment", [{}, {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://elsewhere.example/credentials"}]
)
def test_a_machine_without_a_role_and_a_foreign_address_are_refused(environment: dict[str, str]) -> None:
    with pytest.raises(FederationFailed) as failed:
        credentials(environment)
    assert failed.value.code == "aws-credentials"


def test_the_audience_is_the_clouds_own() -> None:
    assert {name: audience_of(cloud) for name, cloud in CLOUDS.items()} == {
        "global": AUDIENCE,
        "usgov": f"{AUDIENCE}USGov",
        "usgovdod": f"{AUDIENCE}USGov",
        "china": f"{AUDIENCE}China",
    }


def test_a_file_is_read_up_to_a_limit(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("x" * 200_000)
    assert len(TokenFile(str(tmp_path / "token")).token(AUDIENCE)) == 64 * 1024


@responses.activate
@pytest.mark.parametrize("status", STATUSES)
def test_a_signed_request_follows_no_redirect_of_sts(status: int) -> None:
    leads_elsewhere("POST", STS, status)
    with pytest.raises(FederationFailed) as failed:
        Federated(sts(), AUDIENCE).assertion()
    assert (failed.value.code, somebody_went_there()) == ("sts-refused", False)


CONTAINER = "http://169.254.170.23/v1/credentials"
INSTANCE = "http://169.254.169.254/latest"


@responses.activate
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("leading", ["container", "token", "role", "credentials"])
def test_what_this_machine_shows_to_its_own_addresses_follows_no_redirect(status: int, leading: str) -> None:
    role = f"{INSTANCE}/meta-data/iam/security-credentials/"
    steps = {"token": ("PUT", f"{INSTANCE}/api/token"), "role": ("GET", role), "credentials": ("GET", f"{role}role")}
    leads_elsewhere(*({"container": ("GET", CONTAINER)} | steps)[leading], status)
    for method, url in steps.values():
        responses.add(method, url, body="role")
    environment = {"AWS_CONTAINER_AUTHORIZATION_TOKEN": "pod-token"}
    with pytest.raises(FederationFailed):
        credentials(environment | ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": CONTAINER} if leading == "container" else {}))
    assert responses.calls
    assert not somebody_went_there()
