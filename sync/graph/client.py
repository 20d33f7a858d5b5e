"""Directory reads of Microsoft Graph v1.0, with paging, delta rounds and retries inside a budget."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import requests
from requests.adapters import HTTPAdapter

from sync.graph.answers import Json, http_date, json_object, objects, read_body, require_ids, retry_after
from sync.graph.auth import Authenticator
from sync.graph.cloud import Cloud
from sync.graph.errors import (
    BadAnswer,
    BudgetExceeded,
    GraphError,
    NotFound,
    ResyncRequired,
    ServerError,
    Throttled,
    Unauthorised,
    Unreachable,
    error_class,
)
from sync.graph.ids import plain_guid, segment
from sync.graph.session import Session

MAX_ANSWER_BYTES = 50 * 1024 * 1024
# A round that never ends on a very active tenant is given up (microsoft-graph-docs#4263).
MAX_PAGES = 20_000
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
# Values that one `in` of a $filter takes (Graph answers 400 to more).
IN_AT_ONCE = 15
EVENTUAL = {"ConsistencyLevel": "eventual"}
RESYNC_CODES = {"syncstatenotfound", "resyncrequired", "directory_expiredpagetoken"}


@dataclass(frozen=True, slots=True)
class DeltaPage:
    """A page names either the next page or, as the last one of its round, the link of the next round."""

    items: list[Json]
    next_link: str | None
    delta_link: str | None


class GraphClient:
    """Raises GraphError and nothing else."""

    def __init__(
        self,
        cloud: Cloud,
        authenticator: Authenticator,
        *,
        sleep: Callable[[float], None],
        clock: Callable[[], float],
        random: Callable[[], float],
        budget_seconds: float = 300.0,
        max_attempts: int = 8,
        connect_timeout: float = 10.0,
        read_timeout: float = 60.0,
        answer_seconds: float = 180.0,
        gate: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """`gate`: entered around every request, for a token too; what it raises ends the read."""
        self.cloud = cloud
        self.authenticator = authenticator
        self.sleep = sleep
        self.clock = clock
        self.random = random
        self.budget_seconds = budget_seconds
        self.max_attempts = max_attempts
        self.timeout = (connect_timeout, read_timeout)
        self.answer_seconds = answer_seconds
        self.gate = gate
        self.server_date: datetime | None = None
        self._session = Session(cloud)
        self._session.headers.update({"Accept": "application/json", "User-Agent": "Lockstep/0.1"})
        self._session.mount("https://", HTTPAdapter(pool_connections=1, pool_maxsize=4, pool_block=True))

    def __repr__(self) -> str:
        return f"GraphClient({self.cloud.name!r})"

    def sign_in(self) -> None:
        self.authenticator.token()

    # Reads

    def get(self, path: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None) -> Json:
        """`path` begins with a slash and follows /v1.0."""
        return self._get(self._url(path, params), headers or {})

    def pages(self, url: str, headers: Mapping[str, str] | None = None) -> Iterator[Json]:
        """A whole collection page by page; headers such as ConsistencyLevel are not part of a nextLink."""
        seen = {hash(url)}
        for _ in range(MAX_PAGES):
            page = self._get(url, headers or {})
            objects(page)
            yield page
            if not (next_link := page.get("@odata.nextLink")):
                return
            url = self._pinned(next_link)
            if hash(url) in seen:
                raise BadAnswer("Graph sent the same nextLink twice: the pages would never end.")
            seen.add(hash(url))
        raise BadAnswer(f"Graph sent more than {MAX_PAGES} pages.")

    def users_delta(self, select: Sequence[str], link: str | None = None) -> Iterator[DeltaPage]:
        return self._delta("/users/delta", select, link)

    def groups_delta(self, select: Sequence[str], link: str | None = None) -> Iterator[DeltaPage]:
        return self._delta("/groups/delta", select, link)

    def members(self, group_id: str, select: Sequence[str] = ("id",)) -> Iterator[Json]:
        """Direct members, read from the directory itself: without an eventual index in between."""
        return self._items(f"/groups/{segment(group_id)}/members", {"$select": ",".join(select), "$top": "999"})

    def count(self, collection: str) -> int | None:
        """How many `users` or `groups` Graph's index knows; None when it does not say."""
        found = self.get(f"/{collection}", {"$count": "true", "$top": "1", "$select": "id"}, EVENTUAL)
        number = found.get("@odata.count")
        return number if isinstance(number, int) else None

    def member_of(self, user_id: str) -> Iterator[Json]:
        """What lists the person directly: groups, and directory roles too."""
        return self._items(f"/users/{segment(user_id)}/memberOf", {"$select": "id,displayName", "$top": "999"})

    def transitive_members(self, group_id: str) -> Iterator[Json]:
        return self._items(f"/groups/{segment(group_id)}/transitiveMembers", {"$select": "id", "$top": "999"})

    def user(self, user_id: str, select: Sequence[str]) -> Json:
        return self.get(f"/users/{segment(user_id)}", {"$select": ",".join(select)})

    def group(self, group_id: str, select: Sequence[str]) -> Json:
        return self.get(f"/groups/{segment(group_id)}", {"$select": ",".join(select)})

    def manager(self, user_id: str) -> Json | None:
        """None when nobody is set: Graph answers 404 then."""
        try:
            return self.get(f"/users/{segment(user_id)}/manager", {"$select": "id,displayName"})
        except NotFound:
            return None

    def search_users(self, text: str, top: int = 20) -> list[Json]:
        fields = ("displayName", "mail", "userPrincipalName", "givenName", "surname")
        return self._search("/users", text, fields, "id,displayName,userPrincipalName,mail,jobTitle,userType", top)

    def search_groups(self, text: str, top: int = 20) -> list[Json]:
        select = "id,displayName,mail,securityEnabled,mailEnabled,groupTypes,isAssignableToRole"
        return self._search("/groups", text, ("displayName", "mail"), select, top)

    def having(self, collection: str, name: str, values: Sequence[str], select: Sequence[str]) -> Iterator[Json]:
        """`users` or `groups` whose property has one of these values, up to IN_AT_ONCE per request."""
        for begin in range(0, len(values), IN_AT_ONCE):
            quoted = ",".join(f"'{_doubled(value)}'" for value in values[begin : begin + IN_AT_ONCE])
            params = {"$filter": f"{name} in ({quoted})", "$select": ",".join(select), "$top": "999"}
            yield from self._items(f"/{collection}", params)

    def applications(self, text: str, top: int = 20) -> list[Json]:
        """Enterprise applications whose name begins with the text."""
        wanted = f"startswith(displayName,'{_doubled(text)}')"
        return objects(
            self.get("/servicePrincipals", {"$filter": wanted, "$select": "id,appId,displayName", "$top": str(top)})
        )

    def application(self, service_principal_id: str) -> Json:
        return self.get(f"/servicePrincipals/{segment(service_principal_id)}", {"$select": "id,appId,displayName"})

    def service_principal(self, app_id: str) -> Json:
        return self.get(f"/servicePrincipals(appId='{_literal(app_id)}')")

    def app_role_assigned_to(self, service_principal_id: str) -> Iterator[Json]:
        return self._items(f"/servicePrincipals/{segment(service_principal_id)}/appRoleAssignedTo", {"$top": "999"})

    def synchronization_jobs(self, service_principal_id: str) -> list[Json]:
        """The provisioning jobs of an enterprise application (Synchronization.Read.All)."""
        return objects(self.get(f"/servicePrincipals/{segment(service_principal_id)}/synchronization/jobs"))

    def synchronization_schema(self, service_principal_id: str, job_id: str) -> Json:
        principal, job = segment(service_principal_id), segment(job_id)
        return self.get(f"/servicePrincipals/{principal}/synchronization/jobs/{job}/schema")

    def organization(self) -> Json:
        found = objects(self.get("/organization", {"$select": "id,displayName,verifiedDomains"}))
        return found[0] if found else {}

    def extension_properties(self) -> list[Json]:
        """Directory extensions of all apps; needs Directory.Read.All (directoryObject: getAvailableExtensionProperties)."""
        return objects(self._get(self._url("/directoryObjects/getAvailableExtensionProperties", None), {}, {}))

    # Change notifications (subscription resource type)

    def create_subscription(self, facts: Json) -> Json:
        return self._ask("POST", self._url("/subscriptions", None), {}, facts)

    def renew_subscription(self, subscription_id: str, end: Json) -> Json:
        return self._ask("PATCH", self._url(f"/subscriptions/{segment(subscription_id)}", None), {}, end)

    def delete_subscription(self, subscription_id: str) -> None:
        self._ask("DELETE", self._url(f"/subscriptions/{segment(subscription_id)}", None), {}, None)

    def _items(self, path: str, params: Mapping[str, str]) -> Iterator[Json]:
        for page in self.pages(self._url(path, params)):
            yield from page["value"]

    def _search(self, path: str, text: str, fields: Sequence[str], select: str, top: int) -> list[Json]:
        """Each clause stands in double quotes; quotes and backslashes in it are escaped (Graph, $search)."""
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        clauses = " OR ".join(f'"{field}:{escaped}"' for field in fields)
        params = {"$search": clauses, "$top": str(top), "$select": select, "$count": "true"}
        return objects(self.get(path, params, EVENTUAL)) or self._by_id(path, text, select)

    def _by_id(self, path: str, text: str, select: str) -> list[Json]:
        wanted = plain_guid(text)
        if wanted is None:
            return []
        params = {"$filter": f"id eq '{wanted}'", "$select": select}
        return objects(self.get(path, params))

    # Delta

    def _delta(self, path: str, select: Sequence[str], link: str | None) -> Iterator[DeltaPage]:
        """A stored link is used as it is: token URLs are never built or edited. Raises ResyncRequired."""
        url = self._pinned(link) if link else self._url(path, {"$select": ",".join(select)})
        delta_link = None
        for page in self.pages(url):
            require_ids(page["value"])
            delta_link = page.get("@odata.deltaLink")
            yield DeltaPage(
                page["value"], page.get("@odata.nextLink"), self._pinned(delta_link) if delta_link else None
            )
        if delta_link is None:
            # Only the deltaLink says that a round is whole (Graph, delta query): without it people would seem gone.
            raise BadAnswer("Graph ended a delta round without a deltaLink: the round is not whole.")

    # Sending

    def _url(self, path: str, params: Mapping[str, str] | None) -> str:
        query = f"?{urlencode(params, quote_via=quote, safe='$,')}" if params else ""
        return f"{self.cloud.graph}/v1.0{path}{query}"

    def _pinned(self, link: Any) -> str:
        """A link that leaves Graph's origin would carry our token elsewhere."""
        origin = _origin(link) if isinstance(link, str) else None
        if origin != _origin(self.cloud.graph):
            raise BadAnswer(f"Graph sent a link to another host: {origin}.")
        return str(link)

    def _get(self, url: str, headers: Mapping[str, str], body: Json | None = None) -> Json:
        """One read; one with a body is asked by POST."""
        return self._ask("GET" if body is None else "POST", url, headers, body)

    def _ask(self, method: str, url: str, headers: Mapping[str, str], body: Json | None) -> Json:
        """With its retries. A 401 is repeated once with a fresh token."""
        began = self.clock()
        attempt, renewed = 1, False
        while True:
            try:
                # To get a token may have taken all the time that there was.
                with self.gate():
                    token = self.authenticator.token()
                with self.gate():
                    return self._once(method, url, headers, body, token)
            except Unauthorised:
                if renewed:
                    raise
                renewed = True
                self.authenticator.forget()
            except (Throttled, ServerError, Unreachable) as error:
                self._wait_after(error, attempt, began)
                attempt += 1

    def _wait_after(self, error: GraphError, attempt: int, began: float) -> None:
        backoff = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempt - 1)) * (0.5 + self.random())
        wait = error.retry_after if error.retry_after is not None else backoff
        if attempt >= self.max_attempts:
            raise error
        if self.clock() - began + wait > self.budget_seconds:
            raise BudgetExceeded(
                f"Graph asked for more patience than {self.budget_seconds:.0f} s: {error}", status=error.status
            ) from error
        self.sleep(wait)

    def _once(self, method: str, url: str, headers: Mapping[str, str], body: Json | None, token: str) -> Json:
        request_id = str(uuid.uuid4())
        sent = {"Authorization": f"Bearer {token}", "client-request-id": request_id, **headers}
        try:
            response = self._session.request(
                method,
                url,
                headers=sent,
                json=body,
                timeout=self.timeout,
                allow_redirects=False,
                stream=True,
            )
        except OSError as error:
            # requests' own errors are OSErrors; a CA file that cannot be read is one without a class of its own.
            raise Unreachable(f"Microsoft Graph cannot be reached: {type(error).__name__}.") from None
        content = read_body(response, limit=MAX_ANSWER_BYTES, seconds=self.answer_seconds, clock=self.clock)
        self.server_date = http_date(response.headers.get("Date")) or self.server_date
        if response.status_code == 204:
            return {}
        if response.status_code not in (200, 201):
            raise _error(response, content, url)
        answered = json_object(content)
        if answered is None:
            raise BadAnswer("Graph answered with something that is not a JSON object.", status=200)
        return answered


def _origin(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc}"


def _doubled(text: str) -> str:
    """Inside an OData string an apostrophe is doubled."""
    return text.replace("'", "''")


def _literal(text: str) -> str:
    return segment(_doubled(text))


def _error(response: requests.Response, content: bytes, url: str) -> GraphError:
    status = response.status_code
    found = (json_object(content) or {}).get("error")
    body = found if isinstance(found, dict) else {}
    code, message = str(body.get("code") or ""), str(body.get("message") or f"HTTP {status}")
    facts: dict[str, Any] = {
        "status": status,
        "code": code or None,
        "request_id": response.headers.get("request-id"),
        "retry_after": retry_after(response.headers.get("Retry-After")),
    }
    if _token_is_dead(status, code, url):
        return ResyncRequired(message, **facts)
    return error_class(status)(f"{code}: {message}" if code else message, **facts)


def _token_is_dead(status: int, code: str, url: str) -> bool:
    """410 by the documentation; 400 and 404 with these codes in the wild (docs, delta query; contrib#9003)."""
    if status == 410 or code.lower() in RESYNC_CODES:
        return True
    carried_token = "$deltatoken" in url.lower() or "$skiptoken" in url.lower() or "%24deltatoken" in url.lower()
    return status == 400 and code == "Request_UnsupportedQuery" and carried_token
