"""The sign-in host: discovery and the token endpoint for client credentials (OAuth 2.0, Entra's answers and errors)."""

import base64
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from lab import chance, clock
from lab.entra.directory import Directory
from lab.entra.federation import Issuer
from lab.entra.web_sign_in import Refused, WebSignIn
from lab.http import Request, Response

Json = dict[str, Any]
LIFETIME = 3599
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FEDERATION = (
    "No matching federated identity record found for presented assertion {0} '{{presented}}'. Check your federated identity "
    "credential Subject, Audience and Issuer against the presented assertion. "
    "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
)
# Code -> (HTTP status, error, start of the text); entra-docs, error codes reference.
ERRORS = {
    7000215: (
        401,
        "invalid_client",
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the "
        "client secret ID, for a secret added to app '{app}'.",
    ),
    7000222: (
        401,
        "invalid_client",
        "The provided client secret keys for app '{app}' are expired. Visit the Azure portal to create new keys for your "
        "app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: "
        "https://aka.ms/certCreds.",
    ),
    700016: (
        400,
        "unauthorized_client",
        "Application with identifier '{app}' was not found in the directory '{tenant}'.",
    ),
    90002: (
        400,
        "invalid_tenant",
        "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct "
        "cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the "
        "tenant.",
    ),
    70011: (400, "invalid_scope", "The provided value for the input parameter 'scope' is not valid."),
    700027: (401, "invalid_client", "Client assertion failed signature validation."),
    700024: (401, "invalid_client", "Client assertion is not within its valid time range."),
    700023: (401, "invalid_client", "Client assertion audience claim does not match Realm issuer."),
    700211: (401, "invalid_client", FEDERATION.format("issuer")),
    700212: (401, "invalid_client", FEDERATION.format("audience")),
    700213: (401, "invalid_client", FEDERATION.format("subject")),
    7000218: (
        401,
        "invalid_client",
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    ),
    54005: (
        400,
        "invalid_grant",
        "OAuth2 Authorization code was already redeemed, please retry with a new valid code.",
    ),
    70008: (400, "invalid_grant", "The provided authorization code or refresh token has expired due to inactivity."),
    50148: (400, "invalid_grant", "The code_verifier does not match the code_challenge supplied in the request."),
    900144: (400, "invalid_request", "The request body must contain the following parameter: '{missing}'."),
    70003: (400, "unsupported_grant_type", "The app requested an unsupported grant type '{grant}'."),
}


class SignInRefusal(Exception):
    def __init__(self, code: int, **facts: str) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


class SignIn:
    """The handler of the sign-in host. `graph` is the resource that tokens are made for."""

    def __init__(self, directory: Directory, certificate: x509.Certificate, issuer: Issuer) -> None:
        self.directory = directory
        self.certificate = certificate
        self.issuer = issuer
        self.people = WebSignIn(directory, issuer.key)
        self.authority = ""
        self.graph = ""

    def __call__(self, request: Request) -> Response:
        response = self._handle(request)
        self.directory.record("entra", request.method, request.path, request.query, response.status)
        return response

    def _handle(self, request: Request) -> Response:
        correlation = request.headers.get("client-request-id") or chance.new_uuid()
        tenant = next(iter(request.segments), "")
        try:
            match [request.method, *request.segments[1:]]:
                case ["GET", "v2.0", ".well-known", "openid-configuration"]:
                    return _json_response(200, self._discovery(tenant))
                case ["GET", "oauth2", "v2.0", "authorize"]:
                    self._require_tenant(tenant)
                    return self.people.authorize(request.parameters)
                case ["GET", "discovery", "v2.0", "keys"]:
                    self._require_tenant(tenant)
                    return _json_response(200, self.people.keys())
                case ["POST", "oauth2", "v2.0", "token"]:
                    return _json_response(200, self._token(tenant, dict(parse_qsl(request.body.decode()))))
            return _json_response(404, {"error": "not_found"})
        except SignInRefusal as refusal:
            return _refusal_response(refusal, correlation)

    def _discovery(self, tenant: str) -> Json:
        """`common` means any directory."""
        if tenant != "common":
            self._require_tenant(tenant)
        base = f"{self.authority}/{tenant}"
        return {
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "issuer": f"{base}/v2.0",
            "response_types_supported": ["code", "id_token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "tenant_region_scope": "EU",
        }

    def _require_tenant(self, tenant: str) -> None:
        if tenant.lower() not in (self.directory.fact("directory_id"), self.directory.fact("domain")):
            raise SignInRefusal(90002, tenant=tenant)

    def _token(self, tenant: str, form: dict[str, str]) -> Json:
        self._require_tenant(tenant)
        for name in ("grant_type", "client_id"):
            if not form.get(name):
                raise SignInRefusal(900144, missing=name)
        if form["grant_type"] not in ("client_credentials", "authorization_code"):
            raise SignInRefusal(70003, grant=form["grant_type"])
        app = form["client_id"]
        if app != self.directory.fact("client_id"):
            raise SignInRefusal(700016, app=app, tenant=tenant)
        if form["grant_type"] == "authorization_code":
            return self._person_token(app, tenant, form)
        if form.get("scope") != f"{self.graph}/.default":
            raise SignInRefusal(70011)
        kind = self._authenticate(app, tenant, form)
        return {
            "token_type": "Bearer",
            "expires_in": LIFETIME,
            "ext_expires_in": LIFETIME,
            "access_token": self._access_token(app, kind),
        }

    def _person_token(self, app: str, tenant: str, form: dict[str, str]) -> Json:
        self._authenticate(app, tenant, form)
        try:
            id_token = self.people.id_token(form, self.authority)
        except Refused as error:
            raise SignInRefusal(error.code) from error
        return {"token_type": "Bearer", "expires_in": LIFETIME, "id_token": id_token, "access_token": "for nobody"}

    def _authenticate(self, app: str, tenant: str, form: dict[str, str]) -> str:
        if form.get("client_assertion_type") == ASSERTION:
            self._check_assertion(app, tenant, form.get("client_assertion", ""))
            return "2"
        if "client_secret" not in form:
            raise SignInRefusal(7000218)
        if form["client_secret"] in self.directory.former_secrets():
            return "1"
        if form["client_secret"] != self.directory.fact("client_secret"):
            raise SignInRefusal(7000215, app=app)
        if float(self.directory.fact("secret_expires")) <= clock.now():
            raise SignInRefusal(7000222, app=app)
        return "1"

    def _check_assertion(self, app: str, tenant: str, assertion: str) -> None:
        """RS256 names the certificate by x5t (SHA-1), PS256 by x5t#S256."""
        try:
            header = jwt.get_unverified_header(assertion)
        except jwt.InvalidTokenError as error:
            raise SignInRefusal(700027) from error
        if not {"x5t", "x5t#S256"} & header.keys():
            self._check_federated(assertion)
            return
        certificate = self._named(header)
        audience = f"{self.authority}/{tenant}/oauth2/v2.0/token"
        try:
            claims = jwt.decode(
                assertion,
                certificate.public_key(),  # type: ignore[arg-type]
                algorithms=["RS256", "PS256"],
                audience=audience,
            )
        except jwt.InvalidAudienceError as error:
            raise SignInRefusal(700023) from error
        except jwt.ExpiredSignatureError as error:
            raise SignInRefusal(700024) from error
        except jwt.InvalidTokenError as error:
            raise SignInRefusal(700027) from error
        if claims.get("iss") != app or claims.get("sub") != app:
            raise SignInRefusal(700027)

    def _named(self, header: Json) -> x509.Certificate:
        uploaded = [x509.load_pem_x509_certificate(pem.encode()) for pem in self.directory.certificates()]
        found = next((one for one in [self.certificate, *uploaded] if _is_named(one, header)), None)
        if found is None:
            raise SignInRefusal(700027)
        return found

    def _check_federated(self, assertion: str) -> None:
        """Issuer, subject and audience are compared as they are, upper and lower case included."""
        try:
            claims = jwt.decode(
                assertion, self.issuer.key.public_key(), algorithms=["RS256"], options={"verify_aud": False}
            )
        except jwt.ExpiredSignatureError as error:
            raise SignInRefusal(700024) from error
        except jwt.InvalidTokenError as error:
            raise SignInRefusal(700027) from error
        known = self.directory.federated_credentials()
        if claims["iss"] not in {one["issuer"] for one in known}:
            raise SignInRefusal(700211, presented=claims["iss"])
        if claims["sub"] not in {one["subject"] for one in known}:
            raise SignInRefusal(700213, presented=claims["sub"])
        if not set(claims["aud"]) & {one["audience"] for one in known}:
            raise SignInRefusal(700212, presented=claims["aud"][0])

    def _access_token(self, app: str, kind: str) -> str:
        """The claims of a real app-only token; rights as of now."""
        now = int(clock.now())
        directory_id = self.directory.fact("directory_id")
        claims = {
            "aud": self.graph,
            "iss": f"https://sts.windows.net/{directory_id}/",
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME,
            "app_displayname": "Lockstep",
            "appid": app,
            "appidacr": kind,
            "idtyp": "app",
            "oid": self.directory.fact("service_principal_id"),
            "roles": self.directory.roles(),
            "tid": directory_id,
            "ver": "1.0",
        }
        return jwt.encode(claims, self.directory.fact("token_key"), algorithm="HS256")


def _is_named(certificate: x509.Certificate, header: Json) -> bool:
    sha1 = _thumbprint(certificate.fingerprint(hashes.SHA1()))  # noqa: S303 - x5t is SHA-1 by RFC 7515
    sha256 = _thumbprint(certificate.fingerprint(hashes.SHA256()))
    # RFC 7515 leaves the padding out; msal does not, and Entra takes both.
    return str(header.get("x5t")).rstrip("=") == sha1 or str(header.get("x5t#S256")).rstrip("=") == sha256


def _thumbprint(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _json_response(status: int, body: Json) -> Response:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Cache-Control": "no-store, no-cache",
        "x-ms-request-id": chance.new_uuid(),
    }
    return Response(status, json.dumps(body).encode(), headers)


def _refusal_response(refusal: SignInRefusal, correlation: str) -> Response:
    status, error, text = ERRORS[refusal.code]
    trace, now = chance.new_uuid(), datetime.fromtimestamp(clock.now(), UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    words = text.format_map({"app": "", "tenant": "", **refusal.facts})
    body = {
        "error": error,
        "error_description": (
            f"AADSTS{refusal.code}: {words} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {now}"
        ),
        "error_codes": [refusal.code],
        "timestamp": now,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://login.microsoftonline.com/error?code={refusal.code}",
    }
    return _json_response(status, body)
