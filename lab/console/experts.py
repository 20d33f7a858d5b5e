"""How the services are, and where their documents are silent or disagree: for who knows what they look for."""

import json
from html import escape
from typing import Any

from lab.aws.switches import SWITCHES
from lab.console.forms import choice, form, row, table
from lab.console.state import PageState
from lab.console.world import World
from lab.entra.switches import SWITCHES as GRAPH_SWITCHES

HEADS = ("Switch", "Meaning", "Value")


def experts(world: World, state: PageState) -> str:
    aws = [_aws_row(world, state, name) for name in SWITCHES]
    graph = [_graph_row(state, name, world.graph.switches[name]) for name in GRAPH_SWITCHES]
    return (
        '<details class="experts"><summary>For experts: how the services are</summary>'
        f'<div class="actions">{services(state)}</div>'
        f"{table('How AWS is, and where its documents are silent or disagree', HEADS, aws, '', 'quirks')}"
        f"{table('How Graph misbehaves', HEADS, graph, '', 'quirks')}</details>"
    )


def services(state: PageState) -> str:
    return "".join(
        [
            form(state, "throttle", "429 to the next 20 requests of AWS"),
            form(state, "fail", "Fail AWS", part="aws"),
            form(state, "fail", "Fail Graph", part="graph"),
            form(state, "expire_token", "Expire the AWS token"),
            form(state, "new_token", "New AWS token"),
        ]
    )


def _aws_row(world: World, state: PageState, name: str) -> str:
    switch, value = SWITCHES[name], world.aws.switches[name]
    control = _field(name, value, 'type="number" min="0"') if switch.number else _choice(name, value, switch.allowed)
    return _switch_row(state, "set_switch", name, switch.meaning, control)


def _graph_row(state: PageState, name: str, value: Any) -> str:
    _default, meaning = GRAPH_SWITCHES[name]
    if isinstance(value, bool):
        control = _choice(name, json.dumps(value), ("false", "true"))
    else:
        control = _field(name, value if isinstance(value, str) else json.dumps(value))
    return _switch_row(state, "set_graph_switch", name, meaning, control)


def _choice(name: str, value: str, offered: tuple[str, ...]) -> str:
    return choice("value", name, {one: one for one in offered}, value)


def _field(name: str, value: str, kind: str = 'type="text"') -> str:
    return f'<input name="value" {kind} value="{escape(value, quote=True)}" aria-label="{name}">'


def _switch_row(state: PageState, action: str, name: str, meaning: str, control: str) -> str:
    setting = form(state, action, "Set", control, name=name)
    return row([("Switch", f"<code>{name}</code>"), ("Meaning", escape(meaning)), ("Value", setting)])
