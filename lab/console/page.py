"""The console's page: the company on the left, AWS as it holds it on the right, the services below."""

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from lab.aws.switches import SWITCHES
from lab.console.world import World
from lab.entra.switches import SWITCHES as GRAPH_SWITCHES
from lab.http import Request, Response

SHOWN = 50
# Nothing but this page and its style sheet.
POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def page_address(**query: str) -> str:
    kept = {name: value for name, value in query.items() if value}
    return f"/?{urlencode(kept)}" if kept else "/"


def stylesheet() -> Response:
    css = (Path(__file__).parent / "console.css").read_bytes()
    return Response(200, css, {"Content-Type": "text/css; charset=utf-8"})


def render(world: World, request: Request) -> Response:
    parameters = request.parameters
    query = parameters.get("q", "").strip().lower()
    body = TEMPLATE.format(
        message=f'<p class="message" role="status">{escape(parameters["message"])}</p>'
        if parameters.get("message")
        else "",
        q=escape(query, quote=True),
        people=person_rows(world, query),
        groups=group_rows(world, query),
        group_options=group_options(world),
        aws_users=aws_user_rows(world, query),
        aws_groups=aws_group_rows(world),
        faults=fault_items(world),
        switches=switch_rows(world),
        graph_switches=graph_switch_rows(world),
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": POLICY,
        "Cache-Control": "no-store",
    }
    return Response(200, body.encode(), headers)


def button_form(action: str, label: str, **fields: str) -> str:
    return _form(action, label, fields)


def name_form(action: str, label: str, name: str, **fields: str) -> str:
    """With a text field."""
    field = f'<input name="name" value="{escape(name, quote=True)}" aria-label="{escape(label)}: new name" required>'
    return _form(action, label, fields, field)


def external_id_form(action: str, value: str, **fields: str) -> str:
    """Empty: it has none."""
    field = f'<input name="name" value="{escape(value, quote=True)}" aria-label="External id: new value">'
    return _form(action, "Set external id", fields, field)


def group_form(options: str, action: str, label: str, **fields: str) -> str:
    """With a choice of groups."""
    select = f'<select name="group" aria-label="{escape(label)}: group">{options}</select>'
    return _form(action, label, fields, select)


def _form(action: str, label: str, fields: dict[str, str], control: str = "") -> str:
    """A button, its hidden fields, and perhaps a control beside it."""
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value, quote=True)}">' for name, value in fields.items()
    )
    return f'<form method="post" action="/actions/{action}">{hidden}{control}<button>{escape(label)}</button></form>'


def group_options(world: World) -> str:
    rows = world.directory.db.all(
        "SELECT id, json_extract(body, '$.displayName') AS name FROM groups WHERE deleted = '' ORDER BY name"
    )
    return "".join(f'<option value="{row["id"]}">{escape(row["name"])}</option>' for row in rows)


def person_rows(world: World, query: str) -> str:
    sql = (
        "SELECT id, deleted, json_extract(body, '$.displayName') AS name, json_extract(body, '$.userPrincipalName') AS upn, "
        "json_extract(body, '$.accountEnabled') AS enabled FROM users WHERE deleted != 'deleted' "
        "AND (name LIKE ? OR upn LIKE ?) ORDER BY n LIMIT ?"
    )
    rows = world.directory.db.all(sql, (f"%{query}%", f"%{query}%", SHOWN))
    return "".join(_person_row(world, row) for row in rows) or '<tr><td colspan="3">Nobody found.</td></tr>'


def _person_row(world: World, row: Any) -> str:
    state = "in the recycle bin" if row["deleted"] else "enabled" if row["enabled"] else "blocked"
    if row["deleted"]:
        actions = button_form("restore", "Restore", id=row["id"])
    else:
        actions = "".join(
            [
                name_form("rename", "Rename", row["name"], id=row["id"]),
                group_form(group_options(world), "move", "Move", id=row["id"]),
                button_form("second_phone", "Add a second phone", id=row["id"]),
                button_form("no_last_name", "Empty the last name", id=row["id"]),
                button_form("block", "Block sign-in" if row["enabled"] else "Allow sign-in", id=row["id"]),
                button_form("leave", "Leave", id=row["id"]),
                button_form("remake", "Delete for good and make anew", id=row["id"]),
            ]
        )
    name = f'<th scope="row">{escape(row["name"] or "")}<br><small>{escape(row["upn"] or "")}</small></th>'
    return f"<tr>{name}<td>{state}</td><td>{_details('Change', actions)}</td></tr>"


def group_rows(world: World, query: str) -> str:
    sql = "SELECT id, json_extract(body, '$.displayName') AS name FROM groups WHERE deleted = '' AND name LIKE ? ORDER BY n LIMIT ?"
    rows = world.directory.db.all(sql, (f"%{query}%", SHOWN))
    return "".join(_group_row(world, row) for row in rows) or '<tr><td colspan="3">No group found.</td></tr>'


def _group_row(world: World, row: Any) -> str:
    members = world.directory.members(row["id"])
    nested = sum(kind == "group" for _id, kind in members)
    count = f"{len(members)}" + (f" ({nested} nested)" if nested else "")
    actions = "".join(
        [
            name_form("rename_group", "Rename", row["name"], id=row["id"]),
            group_form(group_options(world), "nest_group", "Nest into", id=row["id"]),
            button_form("delete_group", "Delete", id=row["id"]),
            button_form("remake_group", "Delete and make anew", id=row["id"]),
        ]
    )
    return f'<tr><th scope="row">{escape(row["name"])}</th><td>{count}</td><td>{_details("Change", actions)}</td></tr>'


def aws_user_rows(world: World, query: str) -> str:
    found = [user for _n, user in world.aws.users("user_name LIKE ?", (f"%{query}%",), 0, SHOWN)]
    options = "".join(
        f'<option value="{group["id"]}">{escape(group["displayName"])}</option>' for _n, group in world.aws.groups()
    )
    return (
        "".join(_aws_user_row(user, options) for user in found)
        or '<tr><td colspan="5">AWS holds no such user.</td></tr>'
    )


def _aws_user_row(user: Any, options: str) -> str:
    key, external_id = user["id"], user.get("externalId", "")
    actions = [
        name_form("rename_aws_user", "Rename", user["displayName"], id=key),
        button_form("disable_aws_user", "Disable" if user.get("active") else "Enable", id=key),
        external_id_form("set_aws_user_external_id", external_id, id=key),
        group_form(options, "add_aws_member", "Put into", id=key),
        group_form(options, "remove_aws_member", "Take out of", id=key),
        button_form("delete_aws_user", "Delete", id=key),
    ]
    return (
        f'<tr><th scope="row">{escape(user["userName"])}<br><small>{escape(key)}</small></th>'
        f"<td>{escape(user['displayName'])}</td><td>{'active' if user.get('active') else 'disabled'}</td>"
        f"<td><small>{escape(external_id or '–')}</small></td><td>{_details('By hand', ''.join(actions))}</td></tr>"
    )


def aws_group_rows(world: World) -> str:
    names = {user["id"]: user["userName"] for _n, user in world.aws.users()}
    rows = [
        _aws_group_row(group, [names.get(key, key) for key in world.aws.members(group["id"])])
        for _n, group in world.aws.groups()
    ]
    return "".join(rows) or '<tr><td colspan="3">AWS holds no group.</td></tr>'


def _aws_group_row(group: Any, members: list[str]) -> str:
    key = group["id"]
    listed = _details(f"{len(members)} members", escape(", ".join(members))) if members else "0 members"
    actions = [
        name_form("rename_aws_group", "Rename", group["displayName"], id=key),
        external_id_form("set_aws_group_external_id", group.get("externalId", ""), id=key),
        button_form("delete_aws_group", "Delete", id=key),
        button_form("remake_aws_group", "Delete and make anew", id=key),
    ]
    return (
        f'<tr><th scope="row">{escape(group["displayName"])}</th><td>{listed}</td>'
        f"<td>{_details('By hand', ''.join(actions))}</td></tr>"
    )


def fault_items(world: World) -> str:
    rows = [
        f"{fault['part']}: {fault['kind']} {fault['status']}, fired {fault['fired']} times"
        for fault in world.faults.all()
    ]
    return "".join(f"<li>{escape(row)}</li>" for row in rows) or "<li>Everything answers.</li>"


def switch_rows(world: World) -> str:
    return "".join(_switch_row(world, name) for name in SWITCHES)


def _switch_row(world: World, name: str) -> str:
    switch, value = SWITCHES[name], world.aws.switches[name]
    control = (
        _value_field(name, value, 'type="number" min="0"')
        if switch.number
        else _value_choice(name, value, switch.allowed)
    )
    return _switch_cells("set_switch", name, switch.meaning, control)


def graph_switch_rows(world: World) -> str:
    return "".join(_graph_switch_row(name, world.graph.switches[name]) for name in GRAPH_SWITCHES)


def _graph_switch_row(name: str, value: Any) -> str:
    _default, meaning = GRAPH_SWITCHES[name]
    if isinstance(value, bool):
        control = _value_choice(name, json.dumps(value), ("false", "true"))
    else:
        control = _value_field(name, value if isinstance(value, str) else json.dumps(value))
    return _switch_cells("set_graph_switch", name, meaning, control)


def _value_choice(name: str, value: str, offered: Sequence[str]) -> str:
    options = "".join(
        f"<option{' selected' if value == option else ''}>{escape(option)}</option>" for option in offered
    )
    return f'<select name="value" aria-label="{name}">{options}</select>'


def _value_field(name: str, value: str, kind: str = 'type="text"') -> str:
    return f'<input name="value" {kind} value="{escape(value, quote=True)}" aria-label="{name}">'


def _switch_cells(action: str, name: str, meaning: str, control: str) -> str:
    form = _form(action, "Set", {"name": name}, control)
    return f'<tr><th scope="row"><code>{name}</code></th><td>{escape(meaning)}</td><td>{form}</td></tr>'


def _details(label: str, content: str) -> str:
    return f"<details><summary>{escape(label)}</summary>{content}</details>"


TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rehearsal lab</title><link rel="stylesheet" href="/console.css">
</head>
<body>
<div class="band" aria-hidden="true"></div>
<header><p class="name">Rehearsal lab</p><p>A made-up company and a made-up AWS. Nothing here is real.</p></header>
<main>
<h1>What both sides hold</h1>
{message}
<form method="get" action="/" class="search"><label for="q">Search people, groups and user names</label>
<input id="q" name="q" type="search" value="{q}"><button>Search</button></form>
<div class="sides">
<section aria-labelledby="entra"><h2 id="entra">Entra ID: the company</h2>
<form method="post" action="/actions/hire" class="line"><label for="hire">Name</label><input id="hire" name="name" required>
<label for="into">into</label><select id="into" name="group">{group_options}</select><button>Hire</button></form>
<div class="scroll" role="region" aria-label="People in Entra" tabindex="0"><table><caption>People (first 50)</caption>
<thead><tr><th scope="col">Person</th><th scope="col">State</th><th scope="col">Actions</th></tr></thead><tbody>{people}</tbody></table></div>
<div class="scroll" role="region" aria-label="Groups in Entra" tabindex="0"><table><caption>Groups</caption>
<thead><tr><th scope="col">Group</th><th scope="col">Members</th><th scope="col">Actions</th></tr></thead><tbody>{groups}</tbody></table></div>
</section>
<section aria-labelledby="aws"><h2 id="aws">AWS IAM Identity Center: what it holds</h2>
<form method="post" action="/actions/create_aws_group" class="line"><label for="by-hand">Name</label><input id="by-hand" name="name" required>
<button>Make a group by hand</button></form>
<div class="scroll" role="region" aria-label="Users in AWS" tabindex="0"><table><caption>Users (first 50)</caption>
<thead><tr><th scope="col">User name and id</th><th scope="col">Display name</th><th scope="col">State</th><th scope="col">External id</th><th scope="col">Actions</th></tr></thead>
<tbody>{aws_users}</tbody></table></div>
<div class="scroll" role="region" aria-label="Groups in AWS" tabindex="0"><table><caption>Groups</caption>
<thead><tr><th scope="col">Group</th><th scope="col">Members</th><th scope="col">Actions</th></tr></thead><tbody>{aws_groups}</tbody></table></div>
</section>
</div>
<section aria-labelledby="services"><h2 id="services">Services</h2>
<ul>{faults}</ul>
<div class="actions">
<form method="post" action="/actions/throttle"><button>Throttle AWS</button></form>
<form method="post" action="/actions/fail"><input type="hidden" name="part" value="aws"><button>Fail AWS</button></form>
<form method="post" action="/actions/fail"><input type="hidden" name="part" value="graph"><button>Fail Graph</button></form>
<form method="post" action="/actions/release_all"><button>Release all</button></form>
<form method="post" action="/actions/expire_token"><button>Expire the AWS token</button></form>
<form method="post" action="/actions/new_token"><button>New AWS token</button></form>
<form method="post" action="/actions/control_tower"><button>Add Control Tower objects</button></form>
<form method="post" action="/actions/wipe"><button>Wipe AWS</button></form>
</div>
<div class="scroll" role="region" aria-label="Switches" tabindex="0"><table><caption>How AWS is, and where its documents are silent or disagree</caption>
<thead><tr><th scope="col">Switch</th><th scope="col">Meaning</th><th scope="col">Value</th></tr></thead><tbody>{switches}</tbody></table></div>
<div class="scroll" role="region" aria-label="Switches of Graph" tabindex="0"><table><caption>How Graph misbehaves</caption>
<thead><tr><th scope="col">Switch</th><th scope="col">Meaning</th><th scope="col">Value</th></tr></thead><tbody>{graph_switches}</tbody></table></div>
</section>
</main>
</body>
</html>
"""
