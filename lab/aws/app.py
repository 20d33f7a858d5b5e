"""The SCIM endpoint: authorise, count, dispatch, answer, and write it all into the ledger."""

import json
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from lab.aws import discovery, errors, patching, validation
from lab.aws.errors import Refused, denied, invalid, not_found, throttled, unauthorized
from lab.aws.querying import page, with_schemas
from lab.aws.store import AwsStore
from lab.faults import Faults, with_faults
from lab.http import Handler, Request, Response

Json = dict[str, Any]
Result = tuple[int, Json | None]


class Quota:
    """A bucket of one second's requests; 0 turns it off."""

    def __init__(self, per_second: float) -> None:
        self.per_second = per_second
        self.left = per_second
        self.at = time.monotonic()
        self.lock = threading.Lock()

    def take(self) -> bool:
        if not self.per_second:
            return True
        with self.lock:
            now = time.monotonic()
            self.left = min(self.per_second, self.left + (now - self.at) * self.per_second)
            self.at = now
            if self.left < 1:
                return False
            self.left -= 1
            return True


class AwsApp:
    def __init__(self, store: AwsStore, faults: Faults, *, tps: float = 20, latency_ms: float = 0) -> None:
        self.store = store
        self.faults = faults
        self.quota = Quota(tps)
        self.latency = latency_ms / 1000
        self.apply = with_faults(self._apply, faults, "aws")

    def __call__(self, request: Request) -> Response:
        body = request.body.decode(errors="replace") if request.body else None
        n = self.store.receive(request.method, request.path, request.query, body)
        response = self.apply(request)
        self._settle(n, request, response)
        response.late = lambda done: self._settle_late(n, request, done)
        response.delay += self.latency
        return response

    def _settle(self, n: int, request: Request, response: Response) -> None:
        operations = None
        if request.method == "PATCH" and "/Groups/" in request.path:
            operations = _member_changes(request.body)
        text = response.body.decode(errors="replace") if response.body else None
        applied = 200 <= response.status < 300 if response.applied is None else response.applied
        self.store.settle(n, response.status, applied, operations, text)
        if response.drop or response.reset:
            self.store.unanswered(n)

    def _settle_late(self, n: int, request: Request, response: Response) -> None:
        self._settle(n, request, response)
        self.store.unanswered(n)

    def _apply(self, request: Request) -> Response:
        try:
            status, answer = self._answer(request)
        except Refused as error:
            status, answer = error.status, errors.body(error, self.store.switches)
        headers = {"Content-Type": "application/json", "x-amzn-RequestId": str(uuid.uuid4())}
        if status == 429:
            headers["Retry-After"] = "1"
        return Response(status, json.dumps(answer).encode() if answer is not None else b"", headers)

    def _answer(self, request: Request) -> Result:
        segments = request.segments
        self._authorise(request, segments)
        if not self.quota.take():
            raise throttled()
        if segments[1:3] != ["scim", "v2"]:
            raise not_found()
        with self.store.db.transaction():
            return self._dispatch(request, segments[3:])

    def _authorise(self, request: Request, segments: list[str]) -> None:
        """An unknown tenant answers like a wrong token."""
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        state = self.store.token_state(secret) if scheme == "Bearer" else "unknown"
        if state == "unknown" or not segments or segments[0] != self.store.tenant_id:
            raise unauthorized()
        if state == "denied":
            raise denied()

    def _dispatch(self, request: Request, path: list[str]) -> Result:
        base = f"/{self.store.tenant_id}/scim/v2"
        match [request.method, *path]:
            case ["GET", "ServiceProviderConfig"]:
                return 200, discovery.SERVICE_PROVIDER_CONFIG
            case ["GET", "Schemas"]:
                return 200, discovery.listed(list(discovery.SCHEMAS.values()))
            case ["GET", "Schemas", urn] if urn in discovery.SCHEMAS:
                return 200, discovery.SCHEMAS[urn]
            case ["GET", "ResourceTypes"]:
                return 200, discovery.listed(discovery.resource_types(base))
            case ["GET", "Users"]:
                return 200, page(self.store, request, users=True)
            case ["GET", "Groups"]:
                return 200, page(self.store, request, users=False)
            case [method, "Users", *rest]:
                return self._users(method, rest, request)
            case [method, "Groups", *rest]:
                return self._groups(method, rest, request)
        raise not_found()

    def _users(self, method: str, rest: list[str], request: Request) -> Result:
        if method == "POST" and not rest:
            return 201, with_schemas(self.store.create_user(validation.user(_body(request), self.store.switches)), True)
        if len(rest) != 1:
            raise not_found()
        user = self.store.user(rest[0])
        if user is None:
            raise not_found()
        actions: dict[str, Callable[[Json, Request], Result]] = {
            "GET": self._get_user,
            "PATCH": self._patch_user,
            "PUT": self._put_user,
            "DELETE": self._delete_user,
        }
        if method not in actions:
            raise not_found()
        return actions[method](user, request)

    def _get_user(self, user: Json, _request: Request) -> Result:
        return 200, with_schemas(user, True)

    def _patch_user(self, user: Json, request: Request) -> Result:
        items = patching.operations(_body(request))
        changed = patching.patch_user(json.loads(json.dumps(user)), items)
        kept = validation.user(changed, self.store.switches)
        saved = with_schemas(self.store.replace_user(user["id"], user, kept), True)
        return (200, saved) if self.store.switches["patch_user_answer"] == "200" else (204, None)

    def _put_user(self, user: Json, request: Request) -> Result:
        body = _body(request)
        if "active" not in body:
            body["active"] = True if self.store.switches["put_active_default"] == "true" else user["active"]
        kept = validation.user(body, self.store.switches)
        return 200, with_schemas(self.store.replace_user(user["id"], user, kept), True)

    def _delete_user(self, user: Json, _request: Request) -> Result:
        self.store.delete_user(user["id"])
        return 204, None

    def _groups(self, method: str, rest: list[str], request: Request) -> Result:
        if method == "POST" and not rest:
            return 201, self._create_group(_body(request))
        if len(rest) != 1:
            raise not_found()
        group = self.store.group(rest[0])
        if group is None:
            raise not_found()
        match method:
            case "GET":
                return 200, with_schemas(group | {"members": []}, False)
            case "PATCH":
                return self._patch_group(group, request)
            case "DELETE":
                self.store.delete_group(group["id"])
                return 204, None
        # There is no PutGroup.
        raise not_found()

    def _create_group(self, body: Json) -> Json:
        members = [member.get("value", "") for member in body.get("members") or []]
        if len(members) > patching.MAX_MEMBERS:
            raise invalid("Request is unparsable, syntactically incorrect, or violates schema.")
        kept = validation.group(body, self.store.switches)
        self._require_users(members)
        group = self.store.create_group(kept)
        self.store.change_members(group["id"], members, [])
        return with_schemas(group, False)

    def _patch_group(self, group: Json, request: Request) -> Result:
        items = patching.operations(_body(request))
        allow = self.store.switches["group_replace_members"] == "allow"
        changed, added, removed, replaced = patching.patch_group(dict(group), items, allow)
        kept = validation.group(changed, self.store.switches)
        self._require_users(added)
        self.store.replace_group(group["id"], group, kept)
        self.store.change_members(group["id"], added, removed, clear=replaced)
        return 204, None

    def _require_users(self, user_ids: list[str]) -> None:
        if self.store.unknown_users(user_ids):
            raise not_found() if self.store.switches["unknown_member"] == "404" else invalid("Unknown member.")


def _body(request: Request) -> Json:
    try:
        body = json.loads(request.body)
    except ValueError:
        raise invalid("Invalid JSON from RequestBody") from None
    if not isinstance(body, dict):
        raise invalid("Invalid JSON from RequestBody")
    return body


def _member_changes(body: bytes) -> int | None:
    """How many members a PATCH of a group names."""
    try:
        _group, added, removed, _replaced = patching.patch_group({}, patching.operations(json.loads(body)), True)
    except (Refused, ValueError):
        return None
    return len(added) + len(removed)


def app(store: AwsStore, faults: Faults, *, tps: float = 20, latency_ms: float = 0) -> Handler:
    return AwsApp(store, faults, tps=tps, latency_ms=latency_ms)
