"""People's sign-in by OpenID Connect: authorization code flow with PKCE, and an id token that is checked here.

OpenID Connect Core section 3.1.3.7; Microsoft, "ID token claims reference". msal checks no id token (since 1.38).
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import jwt
import requests

from sync.graph.answers import json_object, read_body
from sync.graph.cloud import Cloud
from sync.graph.errors import BadAnswer, SignInFailed, Unreachable
from sync.graph.ids import segment
from sync.graph.session import Session

Json = dict[str, Any]
SCOPE = "openid profile"
ANSWER_BYTES, SECONDS, LEEWAY = 256 * 1024, 10.0, 60
# Keys are asked for again when a token names one that is not known, and no more often than this (section 10.1.1).
KEYS_AGAIN = 60.0
REQUIRED = ["aud", "iss", "iat", "exp", "nonce", "oid", "tid", "sub"]


@dataclass(frozen=True)
class App:
    """The app registration that people sign in to, of one directory (its GUID)."""

    cloud: Cloud
    directory_id: str
    client_id: str
    secret: str = field(repr=False)
    redirect_uri: str

    @property
    def base(self) -> str:
        return f"{self.cloud.authority}/{segment(self.directory_id)}"

    @property
    def issuer(self) -> str:
        return f"{self.base}/v2.0"


@dataclass(frozen=True)
class Person:
    """Who signed in. `key`: directory and object id, which never change; names and addresses do, and decide nothing.

    `by_mfa`: Microsoft has seen a second factor (RFC 8176). `groups_left_out`: Entra sent no groups, since there are too many.
    """

    key: str
    name: str
    address: str
    roles: frozenset[str]
    groups: frozenset[str]
    groups_left_out: bool
    by_mfa: bool


def new_flow() -> dict[str, str]:
    """What the session keeps until the answer comes, for one answer."""
    return {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}


def address(app: App, flow: Mapping[str, str], *, again: bool = False) -> str:
    """Where the browser goes. `again`: the person gives the password anew."""
    digest = hashlib.sha256(flow["verifier"].encode()).digest()
    query = {
        "client_id": app.client_id,
        "response_type": "code",
        "response_mode": "query",
        "redirect_uri": app.redirect_uri,
        "scope": SCOPE,
        "state": flow["state"],
        "nonce": flow["nonce"],
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    return f"{app.base}/oauth2/v2.0/authorize?{urlencode(query | ({'prompt': 'login'} if again else {}))}"


def redeem(app: App, flow: Mapping[str, str], answer: Mapping[str, str]) -> Person:
    """Raises SignInFailed with Microsoft's words, BadAnswer for a token that is not for us, Unreachable and its kin."""
    if not _same(answer.get("state", ""), flow["state"]):
        raise BadAnswer("The answer belongs to another sign-in.")
    if "error" in answer:
        raise SignInFailed(answer.get("error_description") or answer["error"], code=answer["error"])
    with Session(app.cloud) as session:
        form = {
            "grant_type": "authorization_code",
            "client_id": app.client_id,
            "client_secret": app.secret,
            "code": answer.get("code", ""),
            "redirect_uri": app.redirect_uri,
            "code_verifier": flow["verifier"],
            "scope": SCOPE,
        }
        found = _asked(session, "POST", f"{app.base}/oauth2/v2.0/token", data=form)
        if "id_token" not in found:
            words = str(found.get("error_description") or "Microsoft sign-in gave no id token.")
            raise SignInFailed(words, code=str(found.get("error", "")))
        return _person(_claims(app, session, str(found["id_token"]), flow["nonce"]))


def _same(said: str, known: str) -> bool:
    """As bytes: texts with other letters than ASCII are not compared."""
    return hmac.compare_digest(said.encode(errors="replace"), known.encode())


def _asked(session: requests.Session, method: str, url: str, **body: Any) -> Json:
    try:
        response = session.request(method, url, timeout=SECONDS, allow_redirects=False, stream=True, **body)
        content = read_body(response, limit=ANSWER_BYTES, seconds=SECONDS, clock=time.monotonic)
    except OSError as error:
        raise Unreachable(f"Microsoft sign-in cannot be reached: {type(error).__name__}.") from None
    found, status = json_object(content), response.status_code
    if 300 <= status < 400:
        raise Unreachable(f"Microsoft sign-in answered with a redirect: HTTP {status}.", status=status)
    if found is None or status >= 500:
        raise Unreachable(f"Microsoft sign-in is busy: HTTP {status}.", status=status)
    return found


def _claims(app: App, session: requests.Session, token: str, nonce: str) -> Json:
    """Of a token by one of Microsoft's keys, for this app, of this directory and this sign-in, and of now."""
    try:
        key = KEYS.key(app, session, jwt.get_unverified_header(token).get("kid", ""))
        claims: Json = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=app.client_id,
            issuer=app.issuer,
            leeway=LEEWAY,
            options={"require": REQUIRED},
        )
    except jwt.InvalidTokenError as error:
        raise BadAnswer(f"The id token is refused: {type(error).__name__}.") from None
    if not _same(str(claims["nonce"]), nonce):
        raise BadAnswer("The id token is refused: it belongs to another sign-in.")
    if claims["tid"] != app.directory_id:
        raise BadAnswer("The id token is refused: it is of another directory.")
    return claims


def _person(claims: Json) -> Person:
    return Person(
        key=f"{claims['tid']}/{claims['oid']}",
        name=str(claims.get("name", "")),
        address=str(claims.get("preferred_username", "")),
        roles=_texts(claims.get("roles")),
        groups=_texts(claims.get("groups")),
        groups_left_out="groups" in (claims.get("_claim_names") or {}) or bool(claims.get("hasgroups")),
        by_mfa="mfa" in _texts(claims.get("amr")),
    )


def _texts(found: Any) -> frozenset[str]:
    return frozenset(str(one) for one in found) if isinstance(found, list) else frozenset()


class Keys:
    """The keys that Microsoft signs with, by app and id; they may change at any time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.known: dict[str, tuple[float, dict[str, Any]]] = {}

    def key(self, app: App, session: requests.Session, key_id: str) -> Any:
        asked_at, keys = self.known.get(app.base, (float("-inf"), {}))
        if key_id not in keys and self.clock() - asked_at > KEYS_AGAIN:
            keys = _keys_of(_asked(session, "GET", f"{app.base}/discovery/v2.0/keys"))
            self.known[app.base] = (self.clock(), keys)
        if key_id not in keys:
            raise BadAnswer("The id token is refused: it is signed with a key that Microsoft does not name.")
        return keys[key_id]


def _keys_of(found: Json) -> dict[str, Any]:
    try:
        keys = [jwt.PyJWK(one, algorithm="RS256") for one in found["keys"] if one.get("kty") == "RSA"]
    except (KeyError, TypeError, AttributeError, jwt.PyJWTError) as error:
        raise BadAnswer("Microsoft's signing keys cannot be read.") from error
    return {str(key.key_id): key.key for key in keys}


KEYS = Keys(time.monotonic)
