"""AWS as it holds it, the buttons of what is picked there, and what it was asked."""

import datetime
import json
from html import escape
from typing import Any

from lab import clock
from lab.console.entra_side import picked
from lab.console.forms import choice, form, name_of, row, table, text_field
from lab.console.state import PageState
from lab.console.world import World

SHOWN = 10
REQUESTS = 15
ANCHOR = "picked-aws"


def aws_side(world: World, state: PageState) -> str:
    return (
        '<section class="side" aria-labelledby="aws"><div class="head"><div>'
        '<h2 id="aws">AWS IAM Identity Center <span class="quiet">(lab)</span></h2>'
        '<p class="quiet">As AWS holds it, with AWS\'s own rules</p></div></div>'
        f'<div class="actions">{aws_actions(state)}</div>'
        f"{users(world, state)}{groups(world, state)}{ledger(world)}</section>"
    )


def users(world: World, state: PageState) -> str:
    pattern = f"%{state.q.lower()}%"
    found = world.aws.db.one("SELECT count(*) AS n FROM users WHERE user_name LIKE ?", (pattern,))
    count = int(found["n"]) if found else 0
    rows = [user_row(world, state, user) for _n, user in world.aws.users("user_name LIKE ?", (pattern,), 0, SHOWN)]
    heads = ["userName", "displayName", "active", "Groups"]
    shown = table(f"Users ({count:,})", heads, rows, "AWS holds no such user.", "users")
    return shown + user_actions(world, state) + more(count)


def groups(world: World, state: PageState) -> str:
    found = world.aws.db.one("SELECT count(*) AS n FROM groups")
    count = int(found["n"]) if found else 0
    rows = [group_row(world, state, group) for _n, group in world.aws.groups(limit=SHOWN)]
    shown = table(f"Groups ({count:,})", ["displayName", "id", "Members"], rows, "AWS holds no group.", "aws-groups")
    return shown + group_actions(world, state) + more(count)


def more(found: int) -> str:
    return f'<p class="quiet more">The first {SHOWN} are shown: search for others.</p>' if found > SHOWN else ""


def aws_actions(state: PageState) -> str:
    return "".join(
        [
            form(state, "wipe", "Wipe AWS"),
            form(state, "create_aws_group", "Make a group by hand", text_field("Name of the group")),
            form(state, "control_tower", "Add Control Tower objects"),
        ]
    )


def pick_link(state: PageState, key: str, name: str) -> str:
    address = state.address(pick=key, message="") + f"#{ANCHOR}"
    return f'<a href="{escape(address, quote=True)}">{name_of(name)}</a>'


def user_row(world: World, state: PageState, user: Any) -> str:
    held = world.aws.db.one("SELECT count(*) AS n FROM members WHERE user_id = ?", (user["id"],))
    cells = [
        ("userName", pick_link(state, user["id"], user["userName"])),
        ("displayName", name_of(user["displayName"])),
        ("active", "true" if user.get("active") else "<strong>false</strong>"),
        ("Groups", str(held["n"] if held else 0)),
    ]
    return row(cells, picked=user["id"] == state.pick)


def user_actions(world: World, state: PageState) -> str:
    user = world.aws.user(state.pick)
    if user is None:
        return ""
    key, external_id = user["id"], user.get("externalId", "")
    into = {group["id"]: group["displayName"] for _n, group in world.aws.groups()}
    buttons = "".join(
        [
            form(state, "delete_aws_user", "Delete", id=key),
            form(state, "disable_aws_user", "Disable" if user.get("active") else "Enable", id=key),
            form(state, "rename_aws_user", "Rename", text_field("New name", user["displayName"]), id=key),
            form(state, "set_aws_user_external_id", "Set external id",
                 text_field("External id", external_id, required=False), id=key),
            form(state, "add_aws_member", "Put in", choice("group", "Into the group", into), id=key),
            form(state, "remove_aws_member", "Take out", choice("group", "Out of the group", into), id=key),
        ]
    )  # fmt: skip
    return picked(user["userName"], f"by hand, {key}", buttons, ANCHOR)


def group_row(world: World, state: PageState, group: Any) -> str:
    cells = [
        ("displayName", pick_link(state, group["id"], group["displayName"])),
        ("id", f"<code>{name_of(group['id'])}</code>"),
        ("Members", str(len(world.aws.members(group["id"])))),
    ]
    return row(cells, picked=group["id"] == state.pick)


def group_actions(world: World, state: PageState) -> str:
    group = world.aws.group(state.pick)
    if group is None:
        return ""
    key = group["id"]
    buttons = "".join(
        [
            form(state, "delete_aws_group", "Delete", id=key),
            form(state, "rename_aws_group", "Rename", text_field("New name", group["displayName"]), id=key),
            form(state, "set_aws_group_external_id", "Set external id",
                 text_field("External id", group.get("externalId", ""), required=False), id=key),
            form(state, "remake_aws_group", "Delete and make anew", id=key),
        ]
    )  # fmt: skip
    members = ", ".join((world.aws.user(one) or {}).get("userName", one) for one in world.aws.members(key))
    held = f"<details><summary>Members</summary><p>{name_of(members)}</p></details>"
    return picked(group["displayName"], f"by hand, {key}", buttons + held, ANCHOR)


def ledger(world: World) -> str:
    """The newest requests, with what AWS said to those that it refused."""
    requests, asked = world.aws.last_requests(REQUESTS), sum(_counted(world).values())
    lines = "".join(f"<li>{request_line(one)}</li>" for one in requests) or "<li>AWS was not asked yet.</li>"
    return (
        f'<div class="ledger"><h3 id="asked">What AWS was asked</h3><p class="quiet">last {len(requests)} of {asked:,}</p>'
        f'<ol aria-labelledby="asked">{lines}</ol></div>'
    )


def _counted(world: World) -> dict[str, int]:
    return {method: n for method, n in world.aws.counts().items() if method != "throttled"}


def request_line(one: dict[str, Any]) -> str:
    at = datetime.datetime.fromtimestamp(one["at"] or clock.now(), datetime.UTC).strftime("%H:%M:%S")
    path = str(one["path"] or "").rpartition("/scim/v2")[2] + (f"?{one['query']}" if one["query"] else "")
    status = str(one["status"] or "no answer")
    bad = ' class="bad"' if not one["status"] or one["status"] >= 400 else ""
    said = f" <q>{escape(_said(one['response']))}</q>" if bad and one["response"] else ""
    return f"<span>{at}</span> <code>{escape(one['method'])} {escape(path)}</code> <strong{bad}>{status}</strong>{said}"


def _said(response: str) -> str:
    try:
        found = json.loads(response)
    except ValueError:
        return response[:200]
    return str(found.get("detail") or "") if isinstance(found, dict) else ""
