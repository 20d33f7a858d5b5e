"""Signing in as the app: client credentials by secret or certificate, through msal."""

import re
import threading
from dataclasses import dataclass, field
from typing import Any

import msal
import requests
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from msal.exceptions import MsalServiceError

from sync.graph.cloud import Cloud
from sync.graph.errors import GraphError, SignInFailed, Unreachable

AADSTS = re.compile(r"AADSTS\d+")


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
        key = serialization.load_pem_private_key(self.pem.encode(), None)
        certificate = x509.load_pem_x509_certificate(self.pem.encode())
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "private_key": private.decode(),
            "public_certificate": certificate.public_bytes(serialization.Encoding.PEM).decode(),
        }


class _Session(requests.Session):
    """msal's HTTP client: a time limit on every call, and no say for the environment over `verify`."""

    def __init__(self, ca_file: str | None, timeout: float) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = ca_file or True
        self.seconds = timeout

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs.setdefault("timeout", self.seconds)
        kwargs["allow_redirects"] = False
        return super().request(*args, **kwargs)


class Authenticator:
    """One token at a time, renewed by msal. Made lazily: msal's constructor asks the network."""

    def __init__(
        self,
        cloud: Cloud,
        directory_id: str,
        client_id: str,
        credential: ClientSecret | Certificate,
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
        """Raises SignInFailed when Entra refuses, Unreachable when it does not answer."""
        with self._lock:
            result = self._translated(self._acquire)
        if "access_token" not in result:
            raise _refused(result)
        return str(result["access_token"])

    def forget(self) -> None:
        """After a 401: permissions and revocations show only in a new token."""
        with self._lock:
            if self._app is not None:
                self._app.remove_tokens_for_client()

    def _acquire(self) -> dict[str, Any]:
        if self._app is None:
            self._app = self._new_app()
        result: dict[str, Any] = self._app.acquire_token_for_client([f"{self.cloud.graph}/.default"])
        return result

    def _new_app(self) -> Any:
        return msal.ConfidentialClientApplication(
            self.client_id,
            client_credential=self._credential.for_msal(),
            authority=f"{self.cloud.authority}/{self.directory_id}",
            # Known hosts only: without this msal asks Microsoft's public cloud whether the host is one of its own.
            instance_discovery=False,
            http_client=_Session(self.cloud.ca_file, self._timeout),
        )

    def _translated(self, acquire: Any) -> dict[str, Any]:
        try:
            result: dict[str, Any] = acquire()
        except requests.exceptions.JSONDecodeError as error:
            raise Unreachable("Microsoft sign-in answered with something that is not JSON.") from error
        except requests.RequestException as error:
            raise Unreachable(f"Microsoft sign-in cannot be reached: {type(error).__name__}.") from error
        except MsalServiceError as error:
            raise Unreachable(f"Microsoft sign-in answered with an error of its own: {error}.") from error
        except ValueError as error:
            raise _discovery_failed(error) from error
        return result


def _refused(result: dict[str, Any]) -> GraphError:
    text = str(result.get("error_description") or result.get("error") or "no reason given")
    codes = result.get("error_codes") or []
    found = AADSTS.search(text)
    aadsts = found.group() if found else (f"AADSTS{codes[0]}" if codes else None)
    return SignInFailed(text.splitlines()[0], aadsts=aadsts, code=result.get("error"))


def _discovery_failed(error: ValueError) -> GraphError:
    """msal turns a refused discovery into a ValueError; Entra's own words are in the chain behind it."""
    chain = f"{error} {error.__cause__ or ''} {error.__context__ or ''}"
    found = AADSTS.search(chain)
    return SignInFailed(
        f"Microsoft sign-in does not know this directory or refused its credential: {str(error)[:300]}",
        aadsts=found.group() if found else None,
    )
