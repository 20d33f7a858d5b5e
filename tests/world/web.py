"""Answers that no lab gives, in place of the SCIM client's way to its host."""

import json
from typing import Any

from urllib3 import HTTPHeaderDict

from sync.scim.transport import Raw


class Web:
    """`on` names what a method and a path answer; of several the last one is repeated. `asked`: what was sent."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], list[Raw]] = {}
        self.asked: list[tuple[str, str]] = []

    def on(
        self,
        method: str,
        path: str,
        *,
        status: int = 200,
        said: Any = None,
        body: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """`said` becomes JSON; `body` is sent as it is. `path` ends the address, with or without its query."""
        text = body if body is not None else json.dumps(said) if said is not None else ""
        self.answers.setdefault((method, path), []).append(Raw(status, HTTPHeaderDict(headers), text.encode()))

    def exchange(self, method: str, target: str, *_: Any) -> Raw:
        self.asked.append((method, target))
        plain = target.partition("?")[0]
        known = next((key for key in self.answers if key[0] == method and target.endswith(key[1])), None)
        known = known or next(key for key in self.answers if key[0] == method and plain.endswith(key[1]))
        rest = self.answers[known]
        return rest.pop(0) if len(rest) > 1 else rest[0]
