"""A SCIM 2.0 client (RFC 7644) for AWS IAM Identity Center and for servers that follow the RFC to the letter.

Dialects: `aws` pages by cursor, reads memberships by filter and removes members by a list of values (AWS SCIM Developer
Guide); `rfc` pages by startIndex and removes members by `members[value eq "…"]`.
"""

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn
from urllib.parse import quote, urlencode

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from sync.scim.endpoint import Endpoint
from sync.scim.errors import (
    BadAnswer,
    OutcomeUnknown,
    ScimError,
    ServerError,
    Throttled,
    Unreachable,
    error_class,
)
from sync.scim.pacing import Pacer
from sync.scim.resource import PATCH_SCHEMA

Json = dict[str, Any]
MAX_ANSWER_BYTES = 20 * 1024 * 1024
MAX_MEMBERS = 100
REQUEST_ID = "x-amzn-RequestId"
# Applying these twice ends in the same state; a POST is never repeated blindly.
REPEATABLE = ("GET", "PATCH", "DELETE")
FIRST_WAIT, LONGEST_WAIT = 0.5, 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    """`request` and `response` are the JSON bodies for the log; the token is part of neither."""

    status: int
    resource: Json | None
    request_id: str | None = None
    attempts: int = 1
    milliseconds: int = 0
    method: str = ""
    path: str = ""
    request: Any = None
    response: Any = None


class ScimClient:
    """Thread safe; connections are pooled and kept alive. Raises ScimError and nothing else."""

    def __init__(
        self,
        endpoint: Endpoint,
        token: str,
        *,
        pacer: Pacer,
        sleep: Callable[[float], None],
        clock: Callable[[], float],
        random: Callable[[], float],
        connections: int = 10,
        user_agent: str = "Lockstep/0.1",
        max_attempts: int = 6,
        budget_seconds: float = 120.0,
        connect_timeout: float = 10.0,
        read_timeout: float = 30.0,
        answer_seconds: float = 60.0,
    ) -> None:
        self.endpoint = endpoint
        self.pacer = pacer
        self.sleep = sleep
        self.clock = clock
        self.random = random
        self.max_attempts = max_attempts
        self.budget_seconds = budget_seconds
        self.timeout = (connect_timeout, read_timeout)
        self.answer_seconds = answer_seconds
        self.counts: Counter[str] = Counter()
        self._counting = threading.Lock()
        self._session = self._new_session(token, connections, user_agent)

    def __repr__(self) -> str:
        return f"ScimClient({self.endpoint.base!r})"

    def _new_session(self, token: str, connections: int, user_agent: str) -> requests.Session:
        session = requests.Session()
        # REQUESTS_CA_BUNDLE and proxies of the environment would win over `verify`.
        session.trust_env = False
        session.verify = self.endpoint.ca_file or True
        session.headers.update(
            {
                "Authorization": f"Bearer {token}",
                "Accept": "application/scim+json, application/json",
                "User-Agent": user_agent,
            }
        )
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=connections, pool_block=True)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session

    def close(self) -> None:
        self._session.close()

    # Reading

    def service_provider_config(self) -> Json:
        return self._read("ServiceProviderConfig")

    def list_users(self, filter: str | None = None, count: int = 100) -> Iterator[Json]:  # noqa: A002 - RFC 7644's name
        return self._list("Users", filter, count)

    def list_groups(self, filter: str | None = None, count: int = 100) -> Iterator[Json]:  # noqa: A002
        return self._list("Groups", filter, count)

    def find_users(self, attribute: str, value: str) -> list[Json]:
        return list(self._list("Users", equals(attribute, value), 100))

    def find_groups(self, attribute: str, value: str) -> list[Json]:
        return list(self._list("Groups", equals(attribute, value), 100))

    def get_user(self, scim_id: str) -> Answer:
        return self._send("GET", _path("Users", scim_id))

    def get_group(self, scim_id: str) -> Answer:
        return self._send("GET", _path("Groups", scim_id))

    def members_of(self, group_id: str) -> Iterator[str]:
        """Ids of users. AWS never returns members: it is asked who has the group instead."""
        if self.endpoint.dialect == "aws":
            yield from (user["id"] for user in self._list("Users", equals("groups.value", group_id), 100))
            return
        group = self.get_group(group_id).resource or {}
        yield from (member["value"] for member in group.get("members") or [] if "value" in member)

    # Writing

    def create_user(self, body: Json) -> Answer:
        return self._send("POST", "Users", body)

    def patch_user(self, scim_id: str, operations: Sequence[Json]) -> Answer:
        return self._patch(_path("Users", scim_id), operations)

    def delete_user(self, scim_id: str) -> Answer:
        return self._send("DELETE", _path("Users", scim_id))

    def create_group(self, body: Json) -> Answer:
        return self._send("POST", "Groups", body)

    def patch_group(self, scim_id: str, operations: Sequence[Json]) -> Answer:
        return self._patch(_path("Groups", scim_id), operations)

    def delete_group(self, scim_id: str) -> Answer:
        return self._send("DELETE", _path("Groups", scim_id))

    def add_members(self, group_id: str, user_ids: Sequence[str]) -> Answer:
        assert len(user_ids) <= MAX_MEMBERS
        return self.patch_group(group_id, [{"op": "add", "path": "members", "value": _values(user_ids)}])

    def remove_members(self, group_id: str, user_ids: Sequence[str]) -> Answer:
        assert len(user_ids) <= MAX_MEMBERS
        if self.endpoint.dialect == "aws":
            return self.patch_group(group_id, [{"op": "remove", "path": "members", "value": _values(user_ids)}])
        paths = [f"members[{equals('value', user_id)}]" for user_id in user_ids]
        return self.patch_group(group_id, [{"op": "remove", "path": path} for path in paths])

    def _patch(self, path: str, operations: Sequence[Json]) -> Answer:
        return self._send("PATCH", path, {"schemas": [PATCH_SCHEMA], "Operations": list(operations)})

    # Paging

    def _list(self, resource: str, scim_filter: str | None, count: int) -> Iterator[Json]:
        if self.endpoint.dialect == "aws":
            return self._cursor_pages(resource, scim_filter, count)
        return self._index_pages(resource, scim_filter, count)

    def _cursor_pages(self, resource: str, scim_filter: str | None, count: int) -> Iterator[Json]:
        """The first cursor is present but empty; a page is the last one when it names no next cursor."""
        rest = urlencode({"count": count, **({"filter": scim_filter} if scim_filter else {})})
        cursor, seen = "", set[str]()
        while True:
            first = f"cursor={quote(cursor, safe='')}" if cursor else "cursor"
            page = self._page(f"{resource}?{first}&{rest}")
            yield from page["Resources"]
            cursor = str(page.get("nextCursor") or "")
            if not cursor:
                return
            if cursor in seen:
                raise BadAnswer("The server sent the same cursor twice: the pages would never end.", method="GET")
            seen.add(cursor)

    def _index_pages(self, resource: str, scim_filter: str | None, count: int) -> Iterator[Json]:
        start = 1
        while True:
            query = {"startIndex": start, "count": count, **({"filter": scim_filter} if scim_filter else {})}
            page = self._page(f"{resource}?{urlencode(query)}")
            found = page["Resources"]
            yield from found
            start += len(found)
            if not found or start > _total(page):
                return

    def _page(self, path: str) -> Json:
        page = self._read(path)
        if "Resources" not in page and _total(page) == 0:
            # A server may leave Resources out when nothing matched (RFC 7644 section 3.4.2).
            page["Resources"] = []
        found = page.get("Resources")
        if not isinstance(found, list) or not all(isinstance(one, dict) and "id" in one for one in found):
            raise BadAnswer("The answer is not a SCIM list.", method="GET", path=path, body=page)
        return page

    def _read(self, path: str) -> Json:
        answer = self._send("GET", path)
        if answer.resource is None:
            raise BadAnswer("The answer is empty.", method="GET", path=path, status=answer.status)
        return answer.resource

    # Sending

    def _send(self, method: str, path: str, body: Json | None = None) -> Answer:
        """One request with its retries, inside the budget."""
        began = self.clock()
        data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() if body is not None else None
        attempt = 1
        while True:
            try:
                return self._once(method, path, body, data, attempt)
            except (Throttled, ServerError, Unreachable, OutcomeUnknown) as error:
                wait = self._wait_after(error, method, attempt, began)
                if wait is None:
                    raise
                if not isinstance(error, Throttled):
                    self.sleep(wait)
                attempt += 1

    def _wait_after(self, error: ScimError, method: str, attempt: int, began: float) -> float | None:
        """Seconds until the next attempt; None when there is none."""
        may_be_applied = isinstance(error, OutcomeUnknown | ServerError)
        if attempt >= self.max_attempts or (may_be_applied and method not in REPEATABLE):
            return None
        backoff = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempt - 1)) * (0.5 + self.random())
        wait = error.retry_after if error.retry_after is not None else backoff
        if isinstance(error, Throttled):
            # Others share the pacer: a Retry-After of years must not hold them longer than we would wait ourselves.
            self.pacer.slow_down(min(wait, self.budget_seconds))
        return wait if self.clock() - began + wait <= self.budget_seconds else None

    def _once(self, method: str, path: str, body: Json | None, data: bytes | None, attempt: int) -> Answer:
        self.pacer.wait()
        self._count(method)
        began = self.clock()
        context: Json = {"method": method, "path": path, "request": body, "attempts": attempt}
        response = self._exchange(method, path, data, context)
        content = self._body(response, context)
        answered = _json(content)
        request_id = response.headers.get(REQUEST_ID)
        context |= {"status": response.status_code, "request_id": request_id, "body": answered}
        if response.status_code == 429:
            self._count("throttled")
        if not 200 <= response.status_code < 300:
            raise _error_class(method, response.status_code)(
                _detail(answered, content, response.status_code),
                retry_after=retry_after(response.headers.get("Retry-After")),
                **context,
            )
        return Answer(
            response.status_code,
            _resource(method, answered, content, context),
            request_id,
            attempt,
            round((self.clock() - began) * 1000),
            method,
            path,
            body,
            answered,
        )

    def _exchange(self, method: str, path: str, data: bytes | None, context: Json) -> requests.Response:
        """Foreign errors become ours: what was never sent is Unreachable, what may have arrived is OutcomeUnknown."""
        try:
            return self._session.request(
                method,
                f"{self.endpoint.base}/{path}",
                data=data,
                headers={"Content-Type": "application/scim+json"} if data is not None else None,
                timeout=self.timeout,
                allow_redirects=False,
                stream=True,
            )
        except requests.RequestException as error:
            raise (Unreachable if _never_sent(error) else OutcomeUnknown)(_reason(error), **context) from None

    def _body(self, response: requests.Response, context: Json) -> bytes:
        """Bounded in size and time. `read1` hands over what has arrived: a read timeout alone starts anew with each
        byte of a server that drips."""
        began, size = self.clock(), 0
        chunks: list[bytes] = []
        context = {**context, "status": response.status_code}
        try:
            while chunk := response.raw.read1(65536, decode_content=True):
                size += len(chunk)
                if size > MAX_ANSWER_BYTES:
                    raise BadAnswer(f"The answer is larger than {MAX_ANSWER_BYTES} bytes.", **context)
                if self.clock() - began > self.answer_seconds:
                    raise OutcomeUnknown(f"The answer took longer than {self.answer_seconds:.0f} s.", **context)
                chunks.append(chunk)
        except HTTPError as error:
            raise OutcomeUnknown(_reason(error), **context) from None
        finally:
            response.close()
        return b"".join(chunks)

    def _count(self, name: str) -> None:
        with self._counting:
            self.counts[name] += 1


def equals(attribute: str, value: str) -> str:
    """A filter; the value is a JSON string (RFC 7644 section 3.4.2.2)."""
    return f"{attribute} eq {json.dumps(value, ensure_ascii=False)}"


def retry_after(value: str | None) -> float | None:
    """Seconds from a Retry-After header: a number (AWS and Graph also send fractions) or an HTTP date."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    # "-0000" says UTC without a zone (RFC 5322 section 3.3).
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())


def _path(resource: str, scim_id: str) -> str:
    """An empty id would address the whole collection (ssosync#40)."""
    assert scim_id
    return f"{resource}/{quote(scim_id, safe='')}"


def _values(user_ids: Sequence[str]) -> list[Json]:
    return [{"value": user_id} for user_id in user_ids]


def _total(page: Json) -> int:
    total = page.get("totalResults")
    if not isinstance(total, int):
        raise BadAnswer("The answer is not a SCIM list: totalResults is missing.", method="GET", body=page)
    return total


def _never_sent(error: requests.RequestException) -> bool:
    """Certainly before the request left: no connection, or a certificate that we do not trust. Other TLS errors may
    also come while an answer is read."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError | ConnectTimeoutError) or "CERTIFICATE_VERIFY_FAILED" in str(reason)


def _error_class(method: str, status: int) -> type[ScimError]:
    """A server, or a proxy before it, may fail after it has made the object."""
    return OutcomeUnknown if status >= 500 and method not in REPEATABLE else error_class(status)


def _json(content: bytes) -> Any:
    try:
        return json.loads(content, parse_constant=_not_json) if content else None
    except (ValueError, RecursionError):
        return None


def _not_json(constant: str) -> NoReturn:
    """Python reads NaN and Infinity; RFC 8259 section 6 does not know them and PostgreSQL refuses to store them."""
    raise ValueError(constant)


def _resource(method: str, answered: Any, content: bytes, context: Json) -> Json | None:
    """A create was taken, whatever its answer says: without an id the object has to be looked up."""
    if method == "POST" and not (isinstance(answered, dict) and answered.get("id")):
        raise OutcomeUnknown("The server took it, but its answer does not name the new object.", **context)
    if isinstance(answered, dict):
        return answered
    if not content:
        return None
    raise BadAnswer("The answer is not SCIM: " + content[:200].decode(errors="replace"), **context)


def _detail(answered: Any, content: bytes, status: int) -> str:
    """AWS writes `detail`; older answers and proxies do not."""
    if isinstance(answered, dict) and answered.get("detail"):
        return str(answered["detail"])
    text = re.sub(r"<[^>]+>", " ", content[:500].decode(errors="replace"))
    return " ".join(text.split()) or f"HTTP {status} without a text."


def _reason(error: Exception) -> str:
    """The innermost words of a chain of connection errors; addresses of objects in memory say nothing."""
    return re.sub(r"<[^>]*object at 0x[0-9a-f]+>:? ?", "", str(error))[:300]
