"""The SCIM endpoint: authorise, count, dispatch, answer, and write it all into the ledger."""

import json
import threading
from collections.abc import Sequence
from typing import Any

from lab import chance, clock
from lab.aws import discovery, errors, patching, validation
from lab.aws.errors import ScimRefusal, denied, invalid, not_found, throttled, unauthorized
from lab.aws.querying import list_response, with_schemas
from lab.aws.store import AwsStore
from lab.faults import Faults, with_faults
from lab.http import Request, Response

Json = dict[str, Any]
Result = tuple[int, Json | None]


class Quota:
    """A bucket of one second's requests; 0 turns it off. Seconds pass `speed` times as fast."""

    def __init__(self, per_second: float, speed: float) -> None:
        self.per_second = per_second
        self.speed = speed
        self.left = per_second
        self.at = clock.monotonic()
        self.lock = threading.Lock()

    def take(self, others: float) -> bool:
        """`others`: so much of each second's requests somebody else takes; one is left at least."""
        if not self.per_second:
            return True
        per_second = max(1.0, self.per_second - others)
        with self.lock:
            now = clock.monotonic()
            self.left = min(per_second, self.left + (now - self.at) * self.speed * per_second)
            self.at = now
            if self.left < 1:
                return False
            self.left -= 1
            return True


class AwsApp:
    """`speed`: seconds of the quota and of answers pass so many times as fast, for callers whose clock does so too."""

    def __init__(
        self, store: AwsStore, faults: Faults, *, tps: float = 20, latency_ms: float = 0, speed: float = 1
    ) -> None:
        self.store = store
        self.faults = faults
        self.speed = speed
        self.quota = Quota(tps, speed)
        self.latency = latency_ms / 1000
        self.apply = with_faults(self._apply, faults, "aws")

    def __call__(self, request: Request) -> Response:
        body = request.body.decode(errors="replace") if request.body else None
        n = self.store.record_request(request.method, request.path, request.query, body)
        response = self.apply(request)
        self._record_answer(n, request, response)
        response.late = lambda done: self._record_late(n, request, done)
        response.delay += (self.latency + int(self.store.switches["answer_ms"]) / 1000) / self.speed
        return response

    def _record_answer(self, n: int, request: Request, response: Response) -> None:
        operations = None
        if request.method == "PATCH" and "/Groups/" in request.path:
            operations = _member_changes(request.body)
        text = response.body.decode(errors="replace") if response.body else None
        applied = 200 <= response.status < 300 if response.applied is None else response.applied
        self.store.record_answer(n, response.status, applied, operations, text)
        if response.drop or response.reset:
            self.store.record_unanswered(n)

    def _record_late(self, n: int, request: Request, response: Response) -> None:
        self._record_answer(n, request, response)
        self.store.record_unanswered(n)

    def _apply(self, request: Request) -> Response:
        try:
            status, answer = self._answer(request)
        except ScimRefusal as error:
            status, answer = error.status, errors.error_body(error, self.store.switches)
        headers = {"Content-Type": "application/json", "x-amzn-RequestId": chance.new_uuid()}
        if status == 429:
            headers["Retry-After"] = self.store.switches["retry_after"]
        return Response(status, json.dumps(answer).encode() if answer is not None else b"", headers)

    def _answer(self, request: Request) -> Result:
        segments = request.segments
        self._authorise(request, segments)
        if not self.quota.take(int(self.store.switches["others"])):
            raise throttled()
        if segments[1:3] != ["scim", "v2"]:
            raise not_found()
        self._lie(request.method, segments[3:])
        if request.method == "GET":
            return self._read(request, segments[3:])
        with self.store.db.transaction():
            return self._write(request, segments[3:])

    def _lie(self, method: str, path: list[str]) -> None:
        """404 of an object that is there, as often as the switch says."""
        if len(path) != 2 or method == "POST":
            return
        name = "false_404_reads" if method == "GET" else "false_404_writes"
        if (left := int(self.store.switches[name])) > 0:
            self.store.set_switches({name: left - 1})
            raise not_found()

    def _authorise(self, request: Request, segments: list[str]) -> None:
        """An unknown tenant answers like a wrong token."""
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        state = self.store.token_state(secret) if scheme == "Bearer" else "unknown"
        if state == "unknown" or not segments or segments[0] != self.store.tenant_id:
            raise unauthorized()
        if state == "denied":
            raise denied()

    def _read(self, request: Request, path: list[str]) -> Result:
        match path:
            case ["ServiceProviderConfig"]:
                return 200, discovery.SERVICE_PROVIDER_CONFIG
            case ["Schemas"]:
                return 200, discovery.listed(list(discovery.SCHEMAS.values()))
            case ["Schemas", urn] if urn in discovery.SCHEMAS:
                return 200, discovery.SCHEMAS[urn]
            case ["ResourceTypes"]:
                return 200, discovery.listed(discovery.resource_types(f"/{self.store.tenant_id}/scim/v2"))
            case ["Users"]:
                return 200, list_response(self.store, request, users=True)
            case ["Groups"]:
                return 200, list_response(self.store, request, users=False)
            case ["Users", user_id]:
                return 200, with_schemas(self._user(user_id), True)
            case ["Groups", group_id]:
                return 200, with_schemas(self._group(group_id) | {"members": []}, False)
        raise not_found()

    def _write(self, request: Request, path: list[str]) -> Result:
        """There is no PutGroup."""
        match [request.method, *path]:
            case ["POST", "Users"]:
                return 201, self._create_user(_json_body(request))
            case ["PATCH", "Users", user_id]:
                return self._patch_user(self._user(user_id), _json_body(request))
            case ["PUT", "Users", user_id]:
                return 200, self._put_user(self._user(user_id), _json_body(request))
            case ["DELETE", "Users", user_id]:
                self.store.delete_user(self._user(user_id)["id"])
                return 204, None
            case ["POST", "Groups"]:
                return 201, self._create_group(_json_body(request))
            case ["PATCH", "Groups", group_id]:
                self._patch_group(self._group(group_id), _json_body(request))
                return 204, None
            case ["DELETE", "Groups", group_id]:
                self.store.delete_group(self._group(group_id)["id"])
                return 204, None
        raise not_found()

    def _user(self, user_id: str) -> Json:
        user = self.store.user(user_id)
        if user is None:
            raise not_found()
        return user

    def _group(self, group_id: str) -> Json:
        group = self.store.group(group_id)
        if group is None:
            raise not_found()
        return group

    def _create_user(self, body: Json) -> Json:
        return with_schemas(self.store.create_user(validation.validated_user(body, self.store.switches)), True)

    def _patch_user(self, user: Json, body: Json) -> Result:
        changed = patching.patch_user(user, patching.operations(body))
        saved = self._replace_user(user, changed)
        return (200, saved) if self.store.switches["patch_user_answer"] == "200" else (204, None)

    def _put_user(self, user: Json, body: Json) -> Json:
        if "active" not in body:
            body["active"] = True if self.store.switches["put_active_default"] == "true" else user["active"]
        return self._replace_user(user, body)

    def _replace_user(self, user: Json, body: Json) -> Json:
        valid = validation.validated_user(body, self.store.switches)
        return with_schemas(self.store.replace_user(user["id"], user, valid), True)

    def _create_group(self, body: Json) -> Json:
        members = [member.get("value", "") for member in body.get("members") or []]
        if len(members) > patching.MAX_MEMBERS:
            raise invalid("Request is unparsable, syntactically incorrect, or violates schema.")
        group = self.store.create_group(validation.validated_group(body, self.store.switches))
        self._change_members(group["id"], members)
        return with_schemas(group, False)

    def _patch_group(self, group: Json, body: Json) -> None:
        allow = self.store.switches["group_replace_members"] == "allow"
        changed, added, removed, replaced = patching.patch_group(group, patching.operations(body), allow)
        self.store.replace_group(group["id"], group, validation.validated_group(changed, self.store.switches))
        self._change_members(group["id"], added, removed, clear=replaced)

    def _change_members(
        self, group_id: str, added: Sequence[str], removed: Sequence[str] = (), clear: bool = False
    ) -> None:
        """One unknown user and the whole request is undone."""
        if self.store.unknown_users(added):
            raise not_found() if self.store.switches["unknown_member"] == "404" else invalid("Unknown member.")
        self.store.change_members(group_id, added, removed, clear=clear)


def _json_body(request: Request) -> Json:
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
    except (ScimRefusal, ValueError):
        return None
    return len(added) + len(removed)
