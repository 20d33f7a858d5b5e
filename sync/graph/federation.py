"""Tokens of another issuer, with which the app signs in to Entra in place of a secret (workload identity federation).

Only the deployment names where they come from: a file that the platform renews (a projected service account token of
Kubernetes), or AWS STS (GetWebIdentityToken). Entra knows issuer, subject and audience from the app's federated credential.
"""

import base64
import binascii
import datetime
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import requests

from sync.graph.aws_credentials import AwsCredentials, credentials
from sync.graph.aws_signature import signed
from sync.graph.cloud import Cloud
from sync.graph.errors import FederationFailed
from sync.graph.session import Session

# Entra docs, "Workload identity federation": the audience that it recommends, by cloud.
AUDIENCES = {
    "usgov": "api://AzureADTokenExchangeUSGov",
    "usgovdod": "api://AzureADTokenExchangeUSGov",
    "china": "api://AzureADTokenExchangeChina",
}
AUDIENCE = "api://AzureADTokenExchange"
# A token has about 2 kB.
MOST_BYTES = 64 * 1024
STS_SECONDS = 10
# AWS STS API reference, GetWebIdentityToken: 60 to 3600; used at once, and made anew for each sign-in.
TOKEN_SECONDS = 300


def audience_of(cloud: Cloud) -> str:
    return AUDIENCES.get(cloud.name, AUDIENCE)


class TokenSource(Protocol):
    """A fresh token for this audience; raises FederationFailed."""

    def token(self, audience: str) -> str: ...


@dataclass(frozen=True, slots=True)
class TokenFile:
    """The platform writes it anew before it ends: it is read at each sign-in."""

    path: str

    def token(self, audience: str) -> str:
        try:
            with Path(self.path).open("rb") as file:
                return file.read(MOST_BYTES).decode().strip()
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "not text"
            raise FederationFailed(f"{self.path}: {reason}", code="token-file-unreadable") from None


@dataclass(frozen=True, slots=True)
class StsToken:
    """AWS STS says who this workload is. `endpoint`: regional, the global one does not offer it; `ca_file` as in Cloud."""

    region: str
    endpoint: str = ""
    ca_file: str | None = None
    proxy: str | None = field(default=None, repr=False)
    found: Callable[[], AwsCredentials] = credentials
    clock: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC)

    @property
    def url(self) -> str:
        suffix = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        return self.endpoint or f"https://sts.{self.region}.{suffix}/"

    def token(self, audience: str) -> str:
        form = {
            "Action": "GetWebIdentityToken",
            "Version": "2011-06-15",
            "Audience.member.1": audience,
            "SigningAlgorithm": "RS256",
            "DurationSeconds": str(TOKEN_SECONDS),
        }
        answer = self._ask(form)
        found = re.search(r"<WebIdentityToken>([^<]+)</WebIdentityToken>", answer.text)
        if not answer.ok or found is None:
            code = re.search(r"<Code>([^<]+)</Code>", answer.text)
            reason = code.group(1) if code else f"HTTP {answer.status_code}"
            raise FederationFailed(f"AWS STS gave no token: {reason}", code="sts-refused")
        return found.group(1).strip()

    def _ask(self, form: dict[str, str]) -> requests.Response:
        headers, body = signed(self.url, form, self.found(), self.region, self.clock())
        try:
            with Session(Cloud("sts", self.url, self.url, self.ca_file, self.proxy)) as session:
                return session.post(self.url, data=body, headers=headers, timeout=STS_SECONDS, allow_redirects=False)
        except OSError as error:
            raise FederationFailed(
                f"AWS STS cannot be reached: {type(error).__name__}", code="sts-unreachable"
            ) from None


@dataclass(frozen=True, slots=True)
class Federated:
    """The credential: what msal calls whenever it needs an assertion."""

    source: TokenSource
    audience: str

    def for_msal(self) -> dict[str, Callable[[], str]]:
        return {"client_assertion": self.assertion}

    def assertion(self) -> str:
        token = self.source.token(self.audience)
        _check(claims(token), self.audience)
        return token


def claims(token: str) -> dict[str, Any]:
    """What a token says of itself; nobody checks its signature here, that is Entra's part. Raises FederationFailed."""
    try:
        _head, body, _signature = token.split(".")
        found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, binascii.Error):
        found = None
    if not isinstance(found, dict):
        raise FederationFailed("What was found there is no JSON web token.", code="token-form")
    return found


def _check(found: dict[str, Any], audience: str) -> None:
    """What Entra would refuse less clearly."""
    ends = found.get("exp")
    if isinstance(ends, int | float) and ends <= datetime.datetime.now(datetime.UTC).timestamp():
        raise FederationFailed("The token has ended; nobody has renewed it.", code="token-over")
    named = found.get("aud")
    if audience not in (named if isinstance(named, list) else [named]):
        raise FederationFailed(f"The token is for {named!r}, not for {audience!r}.", code="token-audience")
