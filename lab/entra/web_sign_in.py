"""People's sign-in: the authorize page, codes with PKCE, id tokens and their keys (Entra, OAuth 2.0 authorization code flow)."""

import base64
import hashlib
import html
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from lab import chance, clock
from lab.entra.directory import Directory
from lab.http import Response

Json = dict[str, Any]
KEY_ID = "lab-1"
CODE_SECONDS = 600
TOKEN_SECONDS = 3600
# Above so many, Entra leaves the groups out of a token and says where to ask for them (groups overage claim).
MOST_GROUPS = 200
# What an id token may have wrong, for tests of whoever checks it.
FLAWS = ("", "nonce", "audience", "issuer", "directory", "key", "expired", "unsigned")
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sign in to the rehearsal lab</title></head>
<body><main><h1>Sign in to the rehearsal lab</h1><form>{hidden}
<label>User principal name <input name="lab_user" value="{hint}" autofocus></label> <button>Sign in</button></form></main></body></html>"""


class Refused(Exception):
    """`code`: of the errors reference of Entra."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Grant:
    """What a code stands for, once."""

    user_id: str
    redirect_uri: str
    challenge: str
    nonce: str
    ends: float


class WebSignIn:
    """Roles by user principal name, how people signed in (`amr`) and a flaw are the fact `web_sign_in`."""

    def __init__(self, directory: Directory, key: rsa.RSAPrivateKey) -> None:
        self.directory = directory
        self.key = key
        self.grants: dict[str, Grant] = {}

    def behaviour(self) -> Json:
        found: Json = json.loads(self.directory.fact("web_sign_in", "{}"))
        return {"roles": {}, "amr": ["pwd"], "flaw": ""} | found

    def behave(self, changes: Json) -> Json:
        assert changes.get("flaw", "") in FLAWS
        self.directory.set_fact("web_sign_in", json.dumps(self.behaviour() | changes))
        return self.behaviour()

    def authorize(self, parameters: dict[str, str]) -> Response:
        """The page; with `lab_user` the way back to the app."""
        if parameters.get("client_id") != self.directory.fact("client_id"):
            return Response(400, b"AADSTS700016: Application with identifier was not found in the directory.")
        name = parameters.get("lab_user")
        if name is None:
            return _page(parameters)
        user = self.directory.user(name)
        if user is None:
            return _back(parameters, error="access_denied", error_description=f"AADSTS50034: {name} does not exist.")
        code = f"0.{chance.new_uuid()}"
        self.grants[code] = Grant(
            user["id"],
            parameters["redirect_uri"],
            parameters.get("code_challenge", ""),
            parameters.get("nonce", ""),
            clock.now() + CODE_SECONDS,
        )
        return _back(parameters, code=code)

    def id_token(self, form: dict[str, str], authority: str) -> str:
        """Raises Refused: 54005 a code that was used, 70008 one that ended, 50148 a wrong verifier."""
        grant = self.grants.pop(form.get("code", ""), None)
        if grant is None:
            raise Refused(54005)
        if grant.ends < clock.now() or grant.redirect_uri != form.get("redirect_uri"):
            raise Refused(70008)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != grant.challenge:
            raise Refused(50148)
        return self._signed(self._claims(grant, authority))

    def keys(self) -> Json:
        facts = json.loads(RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [facts | {"kid": KEY_ID, "use": "sig"}]}

    def _claims(self, grant: Grant, authority: str) -> Json:
        behaviour, flaw = self.behaviour(), self.behaviour()["flaw"]
        user = self.directory.user(grant.user_id)
        assert user is not None
        now = int(clock.now()) - (2 * TOKEN_SECONDS if flaw == "expired" else 0)
        directory_id = chance.new_uuid() if flaw == "directory" else self.directory.fact("directory_id")
        groups = [group_id for group_id, _kind in self.directory.holders(user["id"], transitive=True)]
        claims: Json = {
            "ver": "2.0",
            "iss": "https://elsewhere.example/v2.0" if flaw == "issuer" else f"{authority}/{directory_id}/v2.0",
            "aud": chance.new_uuid() if flaw == "audience" else self.directory.fact("client_id"),
            "iat": now,
            "nbf": now,
            "exp": now + TOKEN_SECONDS,
            "nonce": "another" if flaw == "nonce" else grant.nonce,
            "oid": user["id"],
            "sub": hashlib.sha256(user["id"].encode()).hexdigest()[:43],
            "tid": directory_id,
            "name": user["displayName"],
            "preferred_username": user["userPrincipalName"],
            "amr": behaviour["amr"],
        }
        if roles := behaviour["roles"].get(user["userPrincipalName"], []):
            claims["roles"] = roles
        if len(groups) > MOST_GROUPS:
            return claims | {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "…"}}}
        return claims | {"groups": groups}

    def _signed(self, claims: Json) -> str:
        flaw = self.behaviour()["flaw"]
        if flaw == "unsigned":
            return jwt.encode(claims, "", algorithm="none")
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048) if flaw == "key" else self.key
        return jwt.encode(claims, key, algorithm="RS256", headers={"kid": KEY_ID})


def _page(parameters: dict[str, str]) -> Response:
    hidden = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in parameters.items()
    )
    text = PAGE.format(hidden=hidden, hint=html.escape(parameters.get("login_hint", "")))
    return Response(200, text.encode(), {"Content-Type": "text/html; charset=utf-8"})


def _back(parameters: dict[str, str], **answer: str) -> Response:
    query = urlencode(answer | {"state": parameters.get("state", "")})
    return Response(302, b"", {"Location": f"{parameters['redirect_uri']}?{query}"})
