"""The faults of the console's page: each a switch that stays on until somebody turns it off, or until it has fired."""

import json
from dataclasses import dataclass, field
from html import escape
from typing import Any

from lab.aws.errors import ERROR_SCHEMA
from lab.console.forms import form
from lab.console.state import PageState
from lab.console.world import World

ALWAYS = -1
LOST_ID = "00000000-0000-7000-8000-000000000000"


def scim_error(status: int, detail: str) -> str:
    return json.dumps({"schema": [ERROR_SCHEMA], "schemas": [ERROR_SCHEMA], "detail": detail, "status": str(status)})


def graph_error(code: str, message: str) -> str:
    return json.dumps({"error": {"code": code, "message": message}})


@dataclass(frozen=True, slots=True)
class FaultSwitch:
    """`facts`: of lab.faults.Fault."""

    name: str
    label: str
    what: str
    part: str
    status: int = 500
    times: int = ALWAYS
    kind: str = "status"
    facts: dict[str, Any] = field(default_factory=dict)

    def turn_on(self, world: World) -> None:
        about = {"name": self.name, "part": self.part, "kind": self.kind, "status": self.status, "times": self.times}
        world.faults.add(about | self.facts)


SWITCHES: tuple[FaultSwitch, ...] = (
    FaultSwitch(
        "token-refused", "AWS refuses the token", "401 to every request", "aws", 401,
        facts={"body": scim_error(401, "Authorization header is invalid or missing.")},
    ),
    FaultSwitch(
        "throttled", "AWS slows down", "429 to one in five requests", "aws", 429,
        facts={"retry_after": "1", "every": 5, "body": scim_error(429, "Too many requests exceeded the limits.")},
    ),
    FaultSwitch("silent", "AWS does not answer", "no answer for 30 s", "aws", kind="drop_before", facts={"seconds": 30}),
    FaultSwitch(
        "double", "AWS has a double", "409 to the next create", "aws", 409, times=1,
        facts={"match": "POST .*/Users$", "body": scim_error(409, "Refused to create a new, duplicate resource.")},
    ),
    FaultSwitch(
        "lost-write", "AWS loses a write", "201, but nothing is stored", "aws", 201, times=1,
        facts={"match": "POST .*/Users$", "body": json.dumps({"id": LOST_ID})},
    ),
    FaultSwitch(
        "graph-throttled", "Entra slows down", "429 with 10 s to wait", "graph", 429,
        facts={"retry_after": "10", "every": 5, "body": graph_error("TooManyRequests", "Please retry again later.")},
    ),
    FaultSwitch(
        "delta-reset", "Entra starts over", "410, the bookmark is too old", "graph", 410, times=2,
        facts={"match": "/delta", "match_query": "deltatoken", "body": graph_error("syncStateNotFound", "Resync required.")},
    ),
    FaultSwitch(
        "graph-denied", "Entra denies groups", "403, GroupMember.Read.All is missing", "graph", 403,
        facts={"match": "GET /v1.0/groups", "body": graph_error("Authorization_RequestDenied", "Insufficient privileges.")},
    ),
)  # fmt: skip
BY_NAME = {switch.name: switch for switch in SWITCHES}


def turned_on(world: World) -> set[str]:
    return {fault["name"] for fault in world.faults.all() if fault["name"] and fault["times"] != 0}


def toggle(world: World, name: str) -> bool:
    """Whether it is on now. Raises KeyError."""
    switch, on = BY_NAME[name], name in turned_on(world)
    world.faults.delete_named(name)
    if not on:
        switch.turn_on(world)
    return not on


def fault_panel(world: World, state: PageState) -> str:
    on = turned_on(world)
    cards = "".join(_card(state, switch, switch.name in on) for switch in SWITCHES)
    count = f"{len(on)} of {len(SWITCHES)} is on." if len(on) == 1 else f"{len(on)} of {len(SWITCHES)} are on."
    off = form(state, "release_all", "All off")
    return (
        f'<section class="faults" aria-labelledby="faults"><div class="line"><h2 id="faults">Faults</h2>'
        f'<p role="status">{count} Each stays on until you switch it off, or until it has fired.</p>{off}</div>'
        f'<ul class="switches">{cards}</ul>{_by_scripts(world)}</section>'
    )


def _card(state: PageState, switch: FaultSwitch, on: bool) -> str:
    word = "On" if on else "Off"
    button = form(state, "switch_fault", word, name=switch.name).replace(
        "<button>",
        f'<button class="switch" aria-pressed="{str(on).lower()}" aria-label="{escape(switch.label)}: {word}">',
    )
    return (
        f'<li class="{"on" if on else ""}"><strong>{escape(switch.label)}</strong>{button}'
        f"<span>{escape(switch.what)}</span></li>"
    )


def _by_scripts(world: World) -> str:
    """Faults that no switch of the page put there."""
    rows = [
        f"{fault['part']}: {fault['kind']} {fault['status']}, fired {fault['fired']} times"
        for fault in world.faults.all()
        if not fault["name"]
    ]
    return f"<ul>{''.join(f'<li>{escape(row)}</li>' for row in rows)}</ul>" if rows else ""
