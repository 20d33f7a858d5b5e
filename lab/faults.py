"""Faults on demand: a table that tests and the console fill, and that each part asks before it answers."""

import itertools
import json
import re
import threading
import zlib
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from lab import chance, clock
from lab.http import Handler, Request, Response

Json = dict[str, Any]
# Kinds that answer in the handler's place: nothing is applied. The number is the status when the fault names none.
BEFORE = {"status": 500, "fail_share": 500, "html": 200, "redirect": 302, "drop_before": 0, "reset": 0, "apply_late": 0}
# Kinds that change how the handler's answer leaves.
AFTER = (
    "drop_after", "reset_after", "delay", "hold_after", "truncate_body", "slow_body", "big_body", "empty_body",
    "html_after", "wrong_body", "two_matches",
)  # fmt: skip
KINDS = (*BEFORE, "hold_before", *AFTER)
HOLD_SECONDS = 300
LOGIN_PAGE = (
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Sign in</h1><p>Please sign in.</p></body></html>"
)
ELSEWHERE = "https://elsewhere.example/"
BOMB_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class Fault:
    """`match`: a pattern on "METHOD /path". `times`: how often it fires (-1 always), after `skip` matches.

    `match_query`, `match_body`: patterns on the rest of the request. `every`: of the matches each so-many-th.
    `share`: of all requests so many, always the same ones. `seconds`: of delay, before drop_before, per byte of slow_body,
    until apply_late.
    drop_after: applied, then the connection is closed without an answer. hold_*: the request waits, before or after it is
    applied, until the fault is released or deleted. `what`: the part that wrong_body makes wrong (user, id, externalId).
    `name`: of the console's switch that put it here.
    """

    part: str
    kind: str
    match: str = ".*"
    status: int = 0
    retry_after: str | None = None
    body: str | None = None
    content_type: str = "application/json"
    seconds: float = 0.0
    times: int = 1
    skip: int = 0
    id: int = 0
    fired: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    location: str = ELSEWHERE
    match_query: str = ""
    match_body: str = ""
    every: int = 1
    share: float = 1.0
    what: str = "user"
    name: str = ""
    matched: int = 0
    released: threading.Event = field(default_factory=threading.Event, repr=False)

    def __post_init__(self) -> None:
        self.status = self.status or BEFORE.get(self.kind, 500)

    def as_json(self) -> Json:
        facts = {name: getattr(self, name) for name in self.__slots__ if name != "released"}
        return facts | {"released": self.released.is_set()}

    def concerns(self, part: str, request: Request) -> bool:
        return (
            self.part == part
            and re.search(self.match, f"{request.method} {request.path}") is not None
            and re.search(self.match_query, request.query) is not None
            and (not self.match_body or re.search(self.match_body, request.body.decode(errors="replace")) is not None)
            and (self.share >= 1 or _draw(request) < self.share)
        )

    def fires(self) -> bool:
        if self.skip > 0:
            self.skip -= 1
            return False
        self.matched += 1
        if self.times == 0 or self.matched % self.every:
            return False
        self.times -= self.times > 0
        self.fired += 1
        return True


def _draw(request: Request) -> float:
    """The same number for the same request, between 0 and 1."""
    text = f"{request.method} {request.path}?{request.query}".encode()
    return zlib.crc32(text + request.body) / 2**32


class Faults:
    def __init__(self) -> None:
        self.table: dict[int, Fault] = {}
        self.lock = threading.Lock()
        self.ids = itertools.count(1)

    def add(self, facts: Json) -> Fault:
        """Raises ValueError or TypeError in words when the facts make no fault."""
        fault = Fault(**facts)
        if fault.kind not in KINDS:
            raise ValueError(f"kind is {fault.kind!r}; it must be one of {', '.join(KINDS)}.")
        if fault.every < 1:
            raise ValueError("every must be 1 or more.")
        for pattern in (fault.match, fault.match_query, fault.match_body):
            re.compile(pattern)
        with self.lock:
            fault.id = next(self.ids)
            self.table[fault.id] = fault
        return fault

    def all(self) -> list[Json]:
        with self.lock:
            return [fault.as_json() for fault in self.table.values()]

    def delete(self, fault_id: int | None = None) -> None:
        """One fault, or all; held requests go on."""
        with self.lock:
            gone = [fault for key, fault in self.table.items() if fault_id in (None, key)]
            for fault in gone:
                fault.released.set()
                del self.table[fault.id]

    def delete_named(self, name: str) -> None:
        for fault in self.all():
            if fault["name"] == name:
                self.delete(fault["id"])

    def release(self, fault_id: int) -> None:
        with self.lock:
            self.table[fault_id].released.set()

    def check(self, part: str, request: Request) -> list[Fault]:
        with self.lock:
            return [fault for fault in self.table.values() if fault.concerns(part, request) and fault.fires()]


def with_faults(handler: Handler, faults: Faults, part: str) -> Handler:
    """The handler as the faults let it be seen."""

    def faulty(request: Request) -> Response:
        firing = faults.check(part, request)
        for fault in firing:
            if fault.kind == "hold_before":
                fault.released.wait(HOLD_SECONDS)
            if fault.kind in BEFORE:
                return _instead(fault, handler, request)
        response = handler(request)
        for fault in firing:
            _afterwards(fault, response)
        return response

    return faulty


def _instead(fault: Fault, handler: Handler, request: Request) -> Response:
    match fault.kind:
        case "drop_before":
            return Response(drop=True, applied=False, delay=fault.seconds)
        case "reset":
            return Response(reset=True, applied=False)
        case "apply_late":
            return _apply_late(fault.seconds, handler, request)
        case "html":
            return _html_response(fault, fault.body or LOGIN_PAGE)
        case "redirect":
            return Response(fault.status, b"", {"Location": fault.location, **fault.headers}, applied=False)
    headers = {"Content-Type": fault.content_type, **fault.headers}
    if fault.retry_after is not None:
        headers["Retry-After"] = fault.retry_after
    return Response(fault.status, (fault.body or "").encode(), headers, applied=None if fault.status >= 300 else False)


def _html_response(fault: Fault, text: str) -> Response:
    headers = {"Content-Type": "text/html; charset=utf-8", **fault.headers}
    return Response(fault.status, text.encode(), headers, applied=False)


def _apply_late(seconds: float, handler: Handler, request: Request) -> Response:
    """The connection is dropped at once; the request is applied when nobody waits for it any more."""
    response = Response(drop=True, applied=False)
    # Not before this answer is through: it is noted first.
    clock.later(max(seconds, 0.05), lambda: response.late(handler(request)))
    return response


def _afterwards(fault: Fault, response: Response) -> None:
    match fault.kind:
        case "hold_after":
            fault.released.wait(HOLD_SECONDS)
        case "drop_after":
            response.drop = True
        case "reset_after":
            response.reset = True
        case "delay":
            response.delay += fault.seconds
        case "truncate_body":
            response.truncate = True
        case "slow_body":
            response.drip = fault.seconds
        case "big_body":
            response.body = bomb()
            response.headers["Content-Encoding"] = "gzip"
        case "empty_body" if response.status < 300:
            response.body = b""
        case "html_after" if response.status < 300:
            response.body = (fault.body or LOGIN_PAGE).encode()
            response.headers["Content-Type"] = "text/html; charset=utf-8"
        case "wrong_body" if response.status < 300 and response.body:
            response.body = fault.body.encode() if fault.body is not None else _wrong(response.body, fault.what)
        case "two_matches" if response.status == 200:
            response.body = _doubled(response.body)


@cache
def bomb() -> bytes:
    """Some 64 kB that unpack to 64 MB of valid JSON."""
    packer = zlib.compressobj(wbits=31)
    chunk = b" " * (1024 * 1024)
    parts = [packer.compress(b'{"value": [')]
    parts += [packer.compress(chunk) for _ in range(BOMB_BYTES // len(chunk))]
    return b"".join([*parts, packer.compress(b"]}"), packer.flush()])


def _wrong(body: bytes, what: str) -> bytes:
    """The answer is about another user than the one asked for, or another id or external id."""
    answer = json.loads(body)
    for resource in answer.get("Resources", [answer]):
        if what in ("user", "id"):
            resource["id"] = chance.new_uuid()
        if what in ("user", "externalId"):
            resource["externalId"] = chance.new_uuid()
        if what == "user":
            resource["userName"] = resource["displayName"] = "somebody.else@elsewhere.example"
    return json.dumps(answer).encode()


def _doubled(body: bytes) -> bytes:
    """Each resource of a list once more under another id."""
    answer = json.loads(body)
    if answer.get("Resources"):
        answer["Resources"] += [resource | {"id": chance.new_uuid()} for resource in answer["Resources"]]
        answer["itemsPerPage"] = len(answer["Resources"])
        if "totalResults" in answer:
            answer["totalResults"] = len(answer["Resources"])
    return json.dumps(answer).encode()
