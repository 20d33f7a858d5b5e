"""Faults on demand: a table that tests and the console fill, and that each part asks before it answers."""

import itertools
import re
import threading
from dataclasses import dataclass, field
from typing import Any

from lab.http import Handler, Request, Response

KINDS = ("status", "drop_before", "drop_after", "delay", "hold_before", "hold_after")
HOLD_SECONDS = 300


@dataclass(slots=True)
class Fault:
    """`match`: a pattern on "METHOD /path". `times`: how often it fires (-1 always), after `skip` matches.

    drop_after: applied, then the connection is closed without an answer. hold_*: the request waits, before or after it is
    applied, until the fault is released or deleted.
    """

    part: str
    kind: str
    match: str = ".*"
    status: int = 500
    retry_after: str | None = None
    body: str | None = None
    content_type: str = "application/json"
    seconds: float = 0.0
    times: int = 1
    skip: int = 0
    id: int = 0
    fired: int = 0
    released: threading.Event = field(default_factory=threading.Event, repr=False)

    def as_json(self) -> dict[str, Any]:
        facts = {name: getattr(self, name) for name in self.__slots__ if name != "released"}
        return facts | {"released": self.released.is_set()}


class Faults:
    def __init__(self) -> None:
        self.table: dict[int, Fault] = {}
        self.lock = threading.Lock()
        self.ids = itertools.count(1)

    def add(self, facts: dict[str, Any]) -> Fault:
        """Raises ValueError or TypeError in words when the facts make no fault."""
        fault = Fault(**facts)
        if fault.kind not in KINDS:
            raise ValueError(f"kind is {fault.kind!r}; it must be one of {', '.join(KINDS)}.")
        re.compile(fault.match)
        with self.lock:
            fault.id = next(self.ids)
            self.table[fault.id] = fault
        return fault

    def all(self) -> list[dict[str, Any]]:
        with self.lock:
            return [fault.as_json() for fault in self.table.values()]

    def delete(self, fault_id: int | None = None) -> None:
        """One fault, or all; held requests go on."""
        with self.lock:
            gone = [fault for key, fault in self.table.items() if fault_id in (None, key)]
            for fault in gone:
                fault.released.set()
                del self.table[fault.id]

    def release(self, fault_id: int) -> None:
        with self.lock:
            self.table[fault_id].released.set()

    def check(self, part: str, request: Request) -> list[Fault]:
        line = f"{request.method} {request.path}"
        with self.lock:
            return [
                fault
                for fault in self.table.values()
                if fault.part == part and re.search(fault.match, line) and self._fires(fault)
            ]

    def _fires(self, fault: Fault) -> bool:
        if fault.skip > 0:
            fault.skip -= 1
            return False
        if fault.times == 0:
            return False
        fault.times -= fault.times > 0
        fault.fired += 1
        return True


def with_faults(handler: Handler, faults: Faults, part: str) -> Handler:
    """The handler as the faults let it be seen."""

    def faulty(request: Request) -> Response:
        firing = faults.check(part, request)
        for fault in firing:
            if fault.kind == "hold_before":
                fault.released.wait(HOLD_SECONDS)
            if fault.kind == "drop_before":
                return Response(drop=True)
            if fault.kind == "status":
                return _refusal(fault)
        response = handler(request)
        for fault in firing:
            if fault.kind == "hold_after":
                fault.released.wait(HOLD_SECONDS)
            response.drop = response.drop or fault.kind == "drop_after"
            response.delay += fault.seconds if fault.kind == "delay" else 0.0
        return response

    return faulty


def _refusal(fault: Fault) -> Response:
    headers = {"Content-Type": fault.content_type}
    if fault.retry_after is not None:
        headers["Retry-After"] = fault.retry_after
    return Response(fault.status, (fault.body or "").encode(), headers)
