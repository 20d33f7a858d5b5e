"""Checks E1 to E9: can we sign in to Entra, and read what a run needs?"""

import datetime
import functools
import itertools
import re
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from django.utils import timezone

from sync.connection import clients
from sync.connection.checks.finding import CheckFinding, Fact
from sync.connection.checks.reaching import CONNECT_SECONDS, reach
from sync.connection.sealing import CannotOpen
from sync.graph.client import GraphClient
from sync.graph.cloud import Cloud
from sync.graph.errors import (
    FederationFailed,
    Forbidden,
    GraphError,
    ServerError,
    SignInFailed,
    Throttled,
    Unauthorised,
    Unreachable,
)
from sync.graph.federation import audience_of
from sync.graph.ids import is_guid, segment
from sync.graph.session import Session
from sync.models import EntraConnection, Tenant

# Entra refuses assertions that are further off than this (AADSTS700024).
CLOCK_LIMIT = datetime.timedelta(minutes=5)
FEDERATED = EntraConnection.CredentialKind.FEDERATED
SAMPLE = 100
SOON = datetime.timedelta(days=90)
DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]", re.IGNORECASE)

# entra-docs, "Microsoft Entra authentication and authorization error codes".
SIGN_IN_CODES = {
    "7000215": "secret-wrong",
    "7000222": "secret-ended",
    "700016": "app-unknown",
    "700011": "app-unknown",
    "7000112": "app-disabled",
    "700027": "certificate-unknown",
    "70021": "federation-unknown",
    "700211": "federation-unknown",
    "700212": "federation-unknown",
    "700213": "federation-unknown",
    "7002137": "federation-unknown",
    "7002138": "federation-unknown",
    "700024": "clock-wrong",
    "53003": "conditional-access",
    "90002": "directory-unknown",
    "900023": "directory-unknown",
}


class EntraHalf:
    """What the checks of one test share: the stored values, one sign-in, one client."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.connection = self.entra = EntraConnection.objects.select_related("tenant").get(tenant=tenant)

    @property
    def cloud(self) -> Cloud:
        return clients.clouds()[self.entra.cloud]

    @functools.cached_property
    def graph(self) -> GraphClient:
        return clients.graph_client_of(self.entra)

    def url(self, query: str) -> str:
        return f"GET {self.cloud.graph}/v1.0/{query}"


def ids_have_the_right_form(half: EntraHalf) -> CheckFinding:
    directory, client = half.entra.directory_id, half.entra.client_id
    if not directory:
        return CheckFinding("directory-id-missing")
    if not is_guid(directory) and not DOMAIN.fullmatch(directory):
        return CheckFinding("directory-id-form", {"value": directory})
    if not is_guid(client):
        return CheckFinding("client-id-form", {"value": client})
    return CheckFinding()


def sign_in_can_be_reached(half: EntraHalf) -> CheckFinding:
    if half.entra.cloud not in clients.clouds():
        return CheckFinding("cloud-unknown", {"cloud": half.entra.cloud})
    return reach(half.cloud.authority, half.cloud.ca_file, half.cloud.proxy)


def directory_exists(half: EntraHalf) -> CheckFinding:
    """Entra tells everybody whether a directory exists, before any sign-in (OpenID Connect discovery)."""
    url = discovery_url(half.cloud, half.entra.directory_id)
    try:
        answer = _ask(half.cloud, url)
    except requests.RequestException as error:
        return CheckFinding("microsoft-busy", {"detail": _reason(error)}, f"GET {url}", answer=_reason(error))
    found = re.search(r"AADSTS\d+", answer.text)
    seen: dict[str, Any] = {
        "request": f"GET {url}",
        "status": answer.status_code,
        "answer": answer.text[:2000],
    }
    if answer.status_code == 200:
        return CheckFinding(**{**seen, "answer": ""})
    if answer.status_code in (400, 404):
        facts = {
            "directory": half.entra.directory_id,
            "aadsts": found.group() if found else str(answer.status_code),
        }
        return CheckFinding("directory-unknown", {**facts}, **seen)
    return CheckFinding("microsoft-busy", {"detail": f"HTTP {answer.status_code}"}, **seen)


def discovery_url(cloud: Cloud, directory: str) -> str:
    return f"{cloud.authority}/{segment(directory)}/v2.0/.well-known/openid-configuration"


def _ask(cloud: Cloud, url: str) -> requests.Response:
    with Session(cloud) as session:
        return session.get(url, timeout=CONNECT_SECONDS, allow_redirects=False)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def app_can_sign_in(half: EntraHalf) -> CheckFinding:
    url = f"POST {half.cloud.authority}/{half.entra.directory_id}/oauth2/v2.0/token"
    kind = half.entra.credential_kind
    request = f"{url}\nclient_id={half.entra.client_id}\n{kind}: [hidden]"
    try:
        half.graph.authenticator.token()
    except clients.NotEntered:
        return CheckFinding(
            "credential-missing" if half.entra.credential_kind != FEDERATED else "federation-not-offered"
        )
    except CannotOpen as error:
        return CheckFinding("secret-not-opened", answer=str(error))
    except FederationFailed as error:
        return CheckFinding(str(error.code), {"detail": str(error), "audience": audience_of(half.cloud)})
    except SignInFailed as error:
        return _sign_in_failure(half, error, request)
    except GraphError as error:
        return _trouble(error, request, "sign-in-refused")
    return CheckFinding(facts={"kind": kind}, request=request, status=200)


def _sign_in_failure(half: EntraHalf, error: SignInFailed, request: str) -> CheckFinding:
    entra = half.entra
    number = (error.aadsts or "").removeprefix("AADSTS")
    facts: dict[str, Fact] = {
        "aadsts": f"AADSTS{number}" if number else str(error.code or "error"),
        "client": entra.client_id,
        "directory": entra.directory_id,
        "detail": str(error),
        "minutes": int(CLOCK_LIMIT.total_seconds() // 60),
        **(clients.presented_token(entra.cloud) if entra.credential_kind == FEDERATED else {}),
    }
    return CheckFinding(SIGN_IN_CODES.get(number, "sign-in-refused"), facts, request, error.status, str(error))


def credential_end_date(half: EntraHalf) -> CheckFinding:
    """Of a secret as it was typed, of a certificate as it says; a federated credential has none."""
    ends = half.entra.credential_ends_on
    if ends is None:
        return CheckFinding("" if half.entra.credential_kind == FEDERATED else "credential-date-missing")
    days = (ends - timezone.now().date()).days
    facts: dict[str, Fact] = {"days": days, "ends": ends.isoformat()}
    if days < 0:
        return CheckFinding("credential-ended", facts)
    return CheckFinding("credential-ends-soon" if days <= SOON.days else "", facts)


def clock_is_right(half: EntraHalf) -> CheckFinding:
    """Any answer of Microsoft's carries its time in the Date header, to the second."""
    url = discovery_url(half.cloud, "common")
    try:
        answer = _ask(half.cloud, url)
    except requests.RequestException as error:
        return CheckFinding("microsoft-busy", {"detail": _reason(error)}, f"GET {url}", answer=_reason(error))
    date = answer.headers.get("Date", "")
    seen: dict[str, Any] = {"request": f"GET {url}", "status": answer.status_code, "answer": f"Date: {date}"}
    if not date:
        return CheckFinding("microsoft-busy", {"detail": "no Date header"}, **seen)
    apart = abs(timezone.now() - parsedate_to_datetime(date))
    facts = {"seconds": round(apart.total_seconds()), "minutes": round(apart.total_seconds() / 60)}
    return CheckFinding("clock-wrong" if apart > CLOCK_LIMIT else "", {**facts}, **seen)


def may_read_people(half: EntraHalf) -> CheckFinding:
    request = half.url("users?$top=1&$count=true&$select=id,displayName")
    try:
        page = half.graph.get("/users", COUNTED, EVENTUAL)
        organizations = half.graph.get("/organization", {"$select": "id,displayName"})
    except GraphError as error:
        return _trouble(error, request, "may-not-read-people")
    facts = {"people": int(page.get("@odata.count", len(page["value"])))}
    names = [item.get("displayName") or "" for item in organizations.get("value", [])]
    return CheckFinding(facts={**facts, "organization": next(iter(names), "")}, request=request, status=200)


COUNTED = {"$top": "1", "$count": "true", "$select": "id,displayName"}
# $count is an advanced query (msgraph, "Advanced query capabilities").
EVENTUAL = {"ConsistencyLevel": "eventual"}


def may_read_groups(half: EntraHalf) -> CheckFinding:
    request = half.url("groups?$top=1&$count=true&$select=id,displayName")
    try:
        page = half.graph.get("/groups", COUNTED, EVENTUAL)
        for group in page["value"][:1]:
            request += "\n" + half.url(f"groups/{group['id']}/members")
            next(iter(half.graph.members(group["id"])), None)
    except GraphError as error:
        return _trouble(error, request, "may-not-read-groups")
    groups = int(page.get("@odata.count", len(page["value"])))
    return CheckFinding(facts={"groups": groups}, request=request, status=200)


def change_tracking_works(half: EntraHalf) -> CheckFinding:
    request = half.url("users/delta?$select=id")
    try:
        next(iter(half.graph.users_delta(["id"])), None)
    except GraphError as error:
        return _trouble(error, request, "no-change-tracking", always=True)
    return CheckFinding(request=request, status=200)


def required_names_are_present(half: EntraHalf) -> CheckFinding:
    """AWS requires first, last and display name (SCIM developer guide, CreateUser)."""
    request = half.url(f"users?$top={SAMPLE}&$select={NAMES}")
    try:
        page = half.graph.get("/users", {"$top": str(SAMPLE), "$select": NAMES})
    except GraphError as error:
        return _trouble(error, request, "may-not-read-people")
    people = page["value"]
    without = [person for person in people if not all(person.get(name) for name in REQUIRED)]
    if not without:
        return CheckFinding(facts={"sample": len(people)}, request=request, status=200)
    examples = ", ".join(str(person["userPrincipalName"]) for person in itertools.islice(without, 3))
    facts: dict[str, Fact] = {"missing": len(without), "sample": len(people), "examples": examples}
    return CheckFinding("names-missing", facts, request, 200)


REQUIRED = ("givenName", "surname", "displayName")
NAMES = ",".join(("id", "userPrincipalName", *REQUIRED))


def _trouble(error: GraphError, request: str, forbidden: str, *, always: bool = False) -> CheckFinding:
    codes: tuple[tuple[type[GraphError] | tuple[type[GraphError], ...], str], ...] = (
        (Forbidden, forbidden),
        ((Unauthorised, SignInFailed), "graph-refused"),
        ((Throttled, Unreachable, ServerError), "microsoft-busy"),
    )
    code = next((code for kind, code in codes if isinstance(error, kind)), "graph-trouble")
    answer = "\n".join(filter(None, [error.code, str(error), error.request_id and f"request-id: {error.request_id}"]))
    return CheckFinding(forbidden if always else code, {"detail": str(error)}, request, error.status, answer)
