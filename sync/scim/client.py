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
from urllib.parse import quote, urlencode, urlsplit

from sync.scim.breaker import Breaker
from sync.scim.conflicts import UserList
from sync.scim.endpoint import Endpoint
from sync.scim.errors import (
    AwsDown,
    BadAnswer,
    OutcomeUnknown,
    ScimError,
    ServerError,
    Stopped,
    Throttled,
    Unreachable,
    error_class,
)
from sync.scim.never_touch import NeverTouch
from sync.scim.pacing import Pacer
from sync.scim.resource import PATCH_SCHEMA
from sync.scim.transport import Lost, NotSent, OneHost, Raw, TooLarge

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
        user_agent: str = "Lockstep/0.1",
        max_attempts: int = 6,
        budget_seconds: float = 120.0,
        connect_timeout: float = 10.0,
        read_timeout: float = 30.0,
        answer_seconds: float = 60.0,
        never_touch: NeverTouch | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.pacer = pacer
        self.sleep = sleep
        self.clock = clock
        self.random = random
        self.max_attempts = max_attempts
        self.budget_seconds = budget_seconds
        self.counts: Counter[str] = Counter()
        self._counting = threading.Lock()
        self.never_touch = never_touch or NeverTouch()
        self.users = UserList()
        self.breaker = Breaker(clock=clock, sleep=sleep)
        self._stopped = threading.Event()
        self._path = urlsplit(endpoint.base).path
        self._host = OneHost(
            endpoint.base,
            endpoint.ca_file,
            endpoint.proxy,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            answer_seconds=answer_seconds,
            answer_bytes=MAX_ANSWER_BYTES,
        )
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/scim+json, application/json",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": user_agent,
        }
        self._headers_with_body = self._headers | {"Content-Type": "application/scim+json"}

    def __repr__(self) -> str:
        return f"ScimClient({self.endpoint.base!r})"

    def close(self) -> None:
        self._host.close()

    def stop(self) -> None:
        """No further attempt begins, in any thread: they raise Stopped."""
        self._stopped.set()

    def own(self, scim_id: str) -> None:
        """The object is our own work, whatever the never-touch list says about its name."""
        self.never_touch.own(scim_id)

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
        return self._get("Users", scim_id)

    def get_group(self, scim_id: str) -> Answer:
        return self._get("Groups", scim_id)

    def _get(self, resource: str, scim_id: str) -> Answer:
        answer = self._same(self._send("GET", _path(resource, scim_id)), scim_id)
        self.never_touch.see(answer.resource or {})
        return answer

    def members_of(self, group_id: str) -> Iterator[str]:
        """Ids of users. AWS never returns members: it is asked who has the group instead."""
        if self.endpoint.dialect == "aws":
            yield from (user["id"] for user in self._list("Users", equals("groups.value", group_id), 100))
            return
        group = self.get_group(group_id).resource or {}
        yield from (member["value"] for member in group.get("members") or [] if "value" in member)

    # Writing

    def create_user(self, body: Json) -> Answer:
        return self._create("Users", body)

    def patch_user(self, scim_id: str, operations: Sequence[Json]) -> Answer:
        return self._change("PATCH", "Users", scim_id, operations)

    def delete_user(self, scim_id: str) -> Answer:
        return self._change("DELETE", "Users", scim_id)

    def create_group(self, body: Json) -> Answer:
        return self._create("Groups", body)

    def patch_group(self, scim_id: str, operations: Sequence[Json]) -> Answer:
        return self._change("PATCH", "Groups", scim_id, operations)

    def delete_group(self, scim_id: str) -> Answer:
        return self._change("DELETE", "Groups", scim_id)

    def add_members(self, group_id: str, user_ids: Sequence[str]) -> Answer:
        assert len(user_ids) <= MAX_MEMBERS
        return self.patch_group(group_id, [{"op": "add", "path": "members", "value": _values(user_ids)}])

    def remove_members(self, group_id: str, user_ids: Sequence[str]) -> Answer:
        assert len(user_ids) <= MAX_MEMBERS
        if self.endpoint.dialect == "aws":
            return self.patch_group(group_id, [{"op": "remove", "path": "members", "value": _values(user_ids)}])
        paths = [f"members[{equals('value', user_id)}]" for user_id in user_ids]
        return self.patch_group(group_id, [{"op": "remove", "path": path} for path in paths])

    def _create(self, resource: str, body: Json) -> Answer:
        answer = self._send("POST", resource, body)
        self.own(str((answer.resource or {})["id"]))
        return answer

    def _change(self, method: str, resource: str, scim_id: str, operations: Sequence[Json] | None = None) -> Answer:
        """Every write to an object that exists goes through here, and so past the never-touch list."""
        path = _path(resource, scim_id)
        self.never_touch.check(scim_id, method, path)
        body = None if operations is None else {"schemas": [PATCH_SCHEMA], "Operations": list(operations)}
        return self._same(self._send(method, path, body), scim_id)

    def _same(self, answer: Answer, scim_id: str) -> Answer:
        """An answer that tells of another object proves nothing about this one."""
        answered = (answer.resource or {}).get("id", scim_id)
        if answered == scim_id:
            return answer
        raise BadAnswer(
            "The answer tells of another object.",
            method=answer.method,
            path=answer.path,
            status=answer.status,
            request_id=answer.request_id,
            request=answer.request,
            body=answer.response,
        )

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
        """Ends early on a server that answers its first page whatever was asked for (scimmy-routers 1.3 under Express 5)."""
        start = 1
        while True:
            query = {"startIndex": start, "count": count, **({"filter": scim_filter} if scim_filter else {})}
            page = self._page(f"{resource}?{urlencode(query)}")
            if page.get("startIndex", start) != start:
                return
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
        for resource in found:
            self.never_touch.see(resource)
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
        attempt, last = 1, None
        while True:
            if not self.breaker.wait(began + self.budget_seconds):
                raise last or AwsDown("The endpoint has failed for a while.", method=method, path=path, request=body)
            try:
                answer = self._once(method, path, body, data, attempt)
            except (Throttled, ServerError, Unreachable, OutcomeUnknown) as error:
                last = error
                wait = self._wait_after(error, method, attempt, began)
                if wait is None:
                    raise
                if not isinstance(error, Throttled):
                    self.sleep(wait)
                attempt += 1
            else:
                return answer

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
        if self._stopped.is_set():
            raise Stopped(attempt)
        self._count(method)
        began = self.clock()
        context: Json = {"method": method, "path": path, "request": body, "attempts": attempt}
        try:
            raw = self._exchange(method, path, data, context)
        except ScimError:
            self.breaker.failed()
            raise
        status, content = raw.status, raw.content
        self._note(status)
        answered = _json(content)
        request_id = raw.headers.get(REQUEST_ID)
        context |= {"status": status, "request_id": request_id, "body": answered}
        if not 200 <= status < 300:
            raise _error_class(method, status)(
                _detail(answered, content, status), retry_after=retry_after(raw.headers.get("Retry-After")), **context
            )
        return Answer(
            status,
            _resource(method, answered, content, context),
            request_id,
            attempt,
            round((self.clock() - began) * 1000),
            method,
            path,
            body,
            answered,
        )

    def _note(self, status: int) -> None:
        if status == 429:
            self._count("throttled")
        if status >= 500:
            self.breaker.failed()
        else:
            self.breaker.succeeded()

    def _exchange(self, method: str, path: str, data: bytes | None, context: Json) -> Raw:
        """What was never sent is Unreachable, what may have arrived is OutcomeUnknown."""
        headers = self._headers if data is None else self._headers_with_body
        try:
            return self._host.exchange(method, f"{self._path}/{path}", headers, data)
        except NotSent as error:
            raise Unreachable(str(error)[:300], **context) from None
        except TooLarge as error:
            raise BadAnswer(str(error), **context, status=error.status) from None
        except Lost as error:
            raise OutcomeUnknown(str(error)[:300], **context, status=error.status) from None

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


def _error_class(method: str, status: int) -> type[ScimError]:
    """A server, or a proxy before it, may fail after it has made the object."""
    return OutcomeUnknown if status >= 500 and method not in REPEATABLE else error_class(status)


def _json(content: bytes) -> Any:
    try:
        return DECODER.decode(content.decode("utf-8-sig")) if content else None
    except (ValueError, RecursionError):
        return None


def _not_json(constant: str) -> NoReturn:
    """Python reads NaN and Infinity; RFC 8259 section 6 does not know them and PostgreSQL refuses to store them."""
    raise ValueError(constant)


DECODER = json.JSONDecoder(parse_constant=_not_json)


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
