"""The console's page: faults on top, the company on the left, AWS as it holds it on the right."""

import datetime
from html import escape
from pathlib import Path

from lab import clock
from lab.console.aws_side import aws_side
from lab.console.connection import connection_of
from lab.console.entra_side import entra_side
from lab.console.experts import experts
from lab.console.fault_switches import fault_panel
from lab.console.forms import form, link
from lab.console.state import PageState
from lab.console.tour import tour_panel
from lab.console.world import World
from lab.http import Request, Response

# Nothing but this page, its style sheet and its script.
POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
TYPES = {"console.css": "text/css; charset=utf-8", "console.js": "text/javascript; charset=utf-8"}
VALUES = {
    "directory_id": "Directory (tenant) ID",
    "client_id": "Application (client) ID",
    "client_secret": "Client secret",
    "scim_endpoint": "SCIM endpoint",
    "scim_token": "Access token",
}


def file(name: str) -> Response:
    return Response(200, (Path(__file__).parent / name).read_bytes(), {"Content-Type": TYPES[name]})


def render(world: World, request: Request) -> Response:
    state = PageState.of(request.parameters)
    body = TEMPLATE.format(
        time=datetime.datetime.fromtimestamp(clock.now(), datetime.UTC).strftime("%d %b %Y, %H:%M UTC").lstrip("0"),
        head=head_actions(world, state),
        message=f'<p class="message" role="status">{escape(state.message)}</p>' if state.message else "",
        faults=fault_panel(world, state),
        tour=tour_panel(world, state),
        search=search(state),
        entra=entra_side(world, state),
        aws=aws_side(world, state),
        values=connection_values(world),
        experts=experts(world, state),
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": POLICY,
        "Cache-Control": "no-store",
    }
    return Response(200, body.encode(), headers)


def head_actions(world: World, state: PageState) -> str:
    """Days pass on both sides at once, so only where the product takes part."""
    days = [(1, "Let a day pass"), (30, "Let 30 days pass")] if world.pass_time else []
    buttons = [form(state, "pass_time", label, days=str(number)) for number, label in days]
    back = [link(world.place(""), "Open Lockstep", ' class="button first"')] if world.product else []
    return "".join([*buttons, *back])


def search(state: PageState) -> str:
    kept = "".join(
        f'<input type="hidden" name="{name}" value="{value}">'
        for name, value in (("show", state.show), ("tour", state.tour))
    )
    return (
        f'<form method="get" action="/" class="search" role="search">{kept}<label for="q">Search people, groups and user '
        f'names</label><input id="q" name="q" type="search" value="{escape(state.q, quote=True)}"><button>Search</button></form>'
    )


def connection_values(world: World) -> str:
    """Fields that can be selected without a script; with one, each is copied by a press."""
    values = connection_of(world)
    rows = "".join(
        f'<li><label for="value-{name}">{label}</label><input id="value-{name}" readonly value="{escape(values[name], quote=True)}">'
        f'<button type="button" data-copies="value-{name}" hidden>Copy<span class="unseen"> {label}</span></button></li>'
        for name, label in VALUES.items()
    )
    return (
        '<section class="values" aria-labelledby="values"><h2 id="values">Connect Lockstep with this lab</h2>'
        '<p class="quiet">Under Connection choose the cloud “Rehearsal lab” and enter these, or press Use these there.</p>'
        f"<ul>{rows}</ul></section>"
    )


TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lab console</title><link rel="stylesheet" href="/console.css"><script src="/console.js" defer></script>
</head>
<body>
<header>
<div class="band"><p>Rehearsal room: nothing here is real</p></div>
<div class="top"><div><h1>Lab console</h1><p class="quiet">You play both sides. Lockstep only sees what it would see outside.</p></div>
<div class="actions"><p class="quiet">Lab clock <strong>{time}</strong></p>{head}</div></div>
{message}
{faults}
</header>
<main>
{tour}
{search}
<div class="sides">{entra}{aws}</div>
{values}
{experts}
</main>
</body>
</html>
"""
