"""Signing in as the app: client credentials by secret, certificate or a federated token, through msal."""

import io
import re
import threading
import time
from dataclasses import dataclass, field
from typing import Any, NoReturn

import msal
import requests
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from sync.graph.answers import json_object, read_body, retry_after
from sync.graph.cloud import Cloud
from sync.graph.errors import BadAnswer, GraphError, ServerError, SignInFailed, Throttled, Unreachable
from sync.graph.federation import Federated
from sync.graph.ids import segment
from sync.graph.session import Session

AADSTS = re.compile(r"AADSTS\d+")
# A token answer has about 2 kB, the discovery document about as much.
MAX_ANSWER_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ClientSecret:
    secret: str = field(repr=False)

    def for_msal(self) -> str:
        return self.secret


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM text that holds the private key and the certificate."""

    pem: str = field(repr=False)

    def for_msal(self) -> dict[str, str]:
        """Without a thumbprint msal signs PS256 with x5t#S256, which Entra prefers over SHA-1."""
        try:
            key = serialization.load_pem_private_key(self.pem.encode(), None)
            certificate = x509.load_pem_x509_certificate(self.pem.encode())
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise SignInFailed(
                "The certificate cannot be read. Give PEM text with the certificate and its private key, not encrypted."
            ) from None
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "private_key": private.decode(),
            "public_certificate": certificate.public_bytes(serialization.Encoding.PEM).decode(),
        }


class _NoAnswer(requests.RequestException):
    """Carries our error through msal, which keeps an ageing token when its renewal ends in a RequestException only."""

    def __init__(self, error: GraphError) -> None:
        super().__init__(str(error))
        self.error = error


class _Session(Session):
    """msal's HTTP client: a time limit on every call."""

    def __init__(self, cloud: Cloud, timeout: float) -> None:
        super().__init__(cloud)
        self.seconds = timeout

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Only JSON objects reach msal, which logs what it cannot read and takes any 4xx for a refusal."""
        kwargs.setdefault("timeout", self.seconds)
        response = super().request(*args, **kwargs | {"allow_redirects": False, "stream": True})
        try:
            content = read_body(response, limit=MAX_ANSWER_BYTES, seconds=self.seconds, clock=time.monotonic)
            _require_answer(response, content)
        except GraphError as error:
            raise _NoAnswer(error) from None
        response.raw = io.BytesIO(content)
        return response


def _require_answer(response: requests.Response, content: bytes) -> None:
    status = response.status_code
    if status == 429 or status >= 500:
        kind = Throttled if status == 429 else ServerError
        wait = retry_after(response.headers.get("Retry-After"))
        raise kind(f"Microsoft sign-in is busy: HTTP {status}.", status=status, retry_after=wait)
    if 300 <= status < 400:
        # Nothing of it is taken for an answer, and where it leads nobody goes.
        raise Unreachable(f"Microsoft sign-in answered with a redirect: HTTP {status}.", status=status)
    if json_object(content) is None:
        raise Unreachable("Microsoft sign-in answered with something that is not JSON.", status=status)


class Authenticator:
    """One token at a time, renewed by msal. Made lazily: msal's constructor asks the network."""

    def __init__(
        self,
        cloud: Cloud,
        directory_id: str,
        client_id: str,
        credential: ClientSecret | Certificate | Federated,
        *,
        timeout: float = 20.0,
    ) -> None:
        self.cloud = cloud
        self.directory_id = directory_id
        self.client_id = client_id
        self._credential = credential
        self._timeout = timeout
        self._app: Any = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Authenticator({self.cloud.name!r}, {self.directory_id!r}, {self.client_id!r})"

    def token(self) -> str:
        """Raises SignInFailed when Entra refuses; Throttled, ServerError, Unreachable when it cannot answer now."""
        with self._lock:
            try:
                result = self._acquire()
            except _NoAnswer as error:
                raise error.error from None
            except OSError as error:
                # requests' own errors are OSErrors; a CA file that cannot be read is one without a class of its own.
                raise Unreachable(f"Microsoft sign-in cannot be reached: {type(error).__name__}.") from None
        token = result.get("access_token")
        if not isinstance(token, str):
            _refuse(result)
        return token

    def forget(self) -> None:
        """After a 401: permissions and revocations show only in a new token."""
        with self._lock:
            if self._app is not None:
                self._app.remove_tokens_for_client()

    def _acquire(self) -> dict[str, Any]:
        if self._app is None:
            self._app = self._new_app()
        try:
            result: dict[str, Any] = self._app.acquire_token_for_client([f"{self.cloud.graph}/.default"])
        except (ValueError, TypeError):
            raise BadAnswer("Microsoft sign-in answered with a token that cannot be used.") from None
        return result

    def _new_app(self) -> Any:
        credential = self._credential.for_msal()
        try:
            return msal.ConfidentialClientApplication(
                self.client_id,
                client_credential=credential,
                authority=f"{self.cloud.authority}/{segment(self.directory_id)}",
                # Known hosts only: without this msal asks Microsoft's public cloud whether the host is one of its own.
                instance_discovery=False,
                http_client=_Session(self.cloud, self._timeout),
            )
        except ValueError as error:
            raise _discovery_failed(error) from error


def _refuse(result: dict[str, Any]) -> NoReturn:
    """Decides by OAuth's `error`; the AADSTS number is for the hint that a person reads."""
    if "error" not in result:
        raise BadAnswer("Microsoft sign-in answered without an access token.")
    text = str(result.get("error_description") or result["error"])
    codes = result.get("error_codes") or []
    found = AADSTS.search(text)
    aadsts = found.group() if found else (f"AADSTS{codes[0]}" if codes else None)
    if result["error"] == "temporarily_unavailable":
        raise ServerError(text.splitlines()[0], code=aadsts)
    raise SignInFailed(text.splitlines()[0], aadsts=aadsts, code=result["error"])


def _discovery_failed(error: ValueError) -> GraphError:
    """msal turns a refused discovery into a ValueError; Entra's own words are in the chain behind it."""
    chain = f"{error} {error.__cause__ or ''} {error.__context__ or ''}"
    found = AADSTS.search(chain)
    return SignInFailed(
        f"Microsoft sign-in does not know this directory or refused its credential: {str(error)[:300]}",
        aadsts=found.group() if found else None,
    )
