"""The company: people or groups in a table, and the buttons of the one that is picked."""

import json
from html import escape
from typing import Any

from lab.console.forms import choice, form, link, name_of, row, table, text_field
from lab.console.state import PageState
from lab.console.world import World

SHOWN = 10
PEOPLE = "FROM users WHERE deleted != 'deleted' AND (name LIKE ? OR upn LIKE ?)"
GROUPS = "FROM groups WHERE deleted = '' AND name LIKE ?"
# The demo's assigned group: whoever is hired into it arrives.
TEAM = "AWS-Developers"


def entra_side(world: World, state: PageState) -> str:
    directory = world.directory
    people, groups = directory.count("users"), directory.count("groups")
    body = group_table(world, state) if state.show == "groups" else people_table(world, state)
    return (
        '<section class="side" aria-labelledby="entra">'
        f'<div class="head"><div><h2 id="entra">Microsoft Entra <span class="quiet">(lab)</span></h2>'
        f'<p class="quiet">{people:,} people, {groups:,} groups</p></div><nav class="tabs" aria-label="Entra">'
        f"{_tab(state, 'people', 'People')}{_tab(state, 'groups', 'Groups')}</nav></div>"
        f'<div class="actions">{company_actions(world, state)}</div>{body}</section>'
    )


def _tab(state: PageState, show: str, label: str) -> str:
    on = ' aria-current="page"' if state.show == show else ""
    return link(state.address(show=show, page=1, pick="", message="") + "#entra", label, on)


def company_actions(world: World, state: PageState) -> str:
    groups = group_names(world)
    team = next((key for key, name in groups.items() if name == TEAM), "")
    into = choice("group", "Into the group", groups, team)
    return "".join(
        [
            form(state, "hire", "Hire", text_field("Name", "Ada Byron") + into),
            form(state, "hire_many", "Hire 200", choice("group", "200 people into the group", groups, team)),
            form(state, "reorganise", "Reorganise a team", choice("group", "Team", groups, team)),
            form(state, "back_to_start", "Back to start"),
        ]
    )


def group_names(world: World) -> dict[str, str]:
    rows = world.directory.db.all(
        "SELECT id, json_extract(body, '$.displayName') AS name FROM groups WHERE deleted = '' ORDER BY name"
    )
    return {row["id"]: row["name"] for row in rows}


def people_table(world: World, state: PageState) -> str:
    pattern = f"%{state.q.lower()}%"
    found = world.directory.db.one(f"SELECT count(*) AS n {PEOPLE}", (pattern, pattern))
    rows = world.directory.db.all(
        f"SELECT id, body, deleted {PEOPLE} ORDER BY n LIMIT ? OFFSET ?",
        (pattern, pattern, SHOWN, (state.page - 1) * SHOWN),
    )
    heads = ["Person", "Title", "Phones", "State"] + (["Lockstep says"] if world.tenant else [])
    shown = table("People", heads, [person_row(world, state, one) for one in rows], "Nobody found.", "people")
    return shown + actions_of_picked(world, state) + pager(state, found["n"] if found else 0)


def person_row(world: World, state: PageState, one: Any) -> str:
    facts = json.loads(one["body"])
    name, upn = facts.get("displayName") or "", facts.get("userPrincipalName") or ""
    address = state.address(pick=one["id"], message="") + "#picked"
    cells = [
        ("Person", f'<a href="{escape(address, quote=True)}">{name_of(name)}</a><small>{name_of(upn)}</small>'),
        ("Title", name_of(facts.get("jobTitle") or "")),
        ("Phones", str(phones(facts))),
        ("State", "In the bin" if one["deleted"] else "Enabled" if facts.get("accountEnabled") else "Blocked"),
    ]
    if world.tenant:
        label = f' aria-label="What Lockstep says of {escape(name, quote=True)}"'
        cells.append(("Lockstep says", link(world.place(f"people/{one['id']}/"), "See why", label)))
    return row(cells, picked=one["id"] == state.pick)


def phones(facts: dict[str, Any]) -> int:
    return len(facts.get("businessPhones") or []) + bool(facts.get("mobilePhone")) + bool(facts.get("faxNumber"))


def actions_of_picked(world: World, state: PageState) -> str:
    return person_actions(world, state) + group_actions(world, state)


def person_actions(world: World, state: PageState) -> str:
    one = world.directory.db.one(
        "SELECT id, body, deleted FROM users WHERE id = ? AND deleted != 'deleted'", (state.pick,)
    )
    if one is None:
        return ""
    facts, key = json.loads(one["body"]), one["id"]
    if one["deleted"]:
        buttons = form(state, "restore", "Restore", id=key)
    else:
        enabled = facts.get("accountEnabled")
        buttons = "".join(
            [
                form(state, "leave", "Leave", id=key),
                form(state, "block", "Block sign-in" if enabled else "Allow sign-in", id=key),
                form(state, "second_phone", "Add a second phone", id=key),
                form(state, "no_last_name", "Empty the last name", id=key),
                form(state, "rename", "Rename", text_field("New name", facts.get("displayName") or ""), id=key),
                form(state, "move", "Move", choice("group", "To the group", group_names(world)), id=key),
                form(state, "remake", "Delete for good and make anew", id=key),
            ]
        )
    return picked(facts.get("displayName") or "", "do something to this person", buttons)


def group_table(world: World, state: PageState) -> str:
    pattern = f"%{state.q.lower()}%"
    found = world.directory.db.one(f"SELECT count(*) AS n {GROUPS}", (pattern,))
    rows = world.directory.db.all(
        f"SELECT id, body {GROUPS} ORDER BY n LIMIT ? OFFSET ?", (pattern, SHOWN, (state.page - 1) * SHOWN)
    )
    shown = table(
        "Groups", ["Group", "Members"], [group_row(world, state, one) for one in rows], "No group found.", "groups"
    )
    return shown + actions_of_picked(world, state) + pager(state, found["n"] if found else 0)


def group_row(world: World, state: PageState, one: Any) -> str:
    members = world.directory.members(one["id"])
    nested = sum(kind == "group" for _id, kind in members)
    address = state.address(pick=one["id"], message="") + "#picked"
    name = name_of(json.loads(one["body"])["displayName"])
    count = f"{len(members)}" + (f" ({nested} nested)" if nested else "")
    first = f'<a href="{escape(address, quote=True)}">{name}</a>'
    return row([("Group", first), ("Members", count)], picked=one["id"] == state.pick)


def group_actions(world: World, state: PageState) -> str:
    one = world.directory.group(state.pick)
    if one is None:
        return ""
    key = one["id"]
    buttons = "".join(
        [
            form(state, "delete_group", "Delete", id=key),
            form(state, "rename_group", "Rename", text_field("New name", one["displayName"]), id=key),
            form(state, "nest_group", "Nest", choice("group", "Into the group", group_names(world)), id=key),
            form(state, "remake_group", "Delete and make anew", id=key),
        ]
    )
    return picked(one["displayName"], "do something to this group", buttons)


def picked(name: str, words: str, buttons: str, anchor: str = "picked") -> str:
    return (
        f'<div class="chosen" id="{anchor}"><p><strong>{name_of(name)}</strong> <span>{escape(words)}</span></p>'
        f'<div class="actions">{buttons}</div></div>'
    )


def pager(state: PageState, found: int) -> str:
    first, last = (state.page - 1) * SHOWN + 1, min(state.page * SHOWN, found)
    words = f"{first} to {last} of {found:,}" if found else ""
    before = link(state.address(page=state.page - 1, message="") + "#entra", "Back") if state.page > 1 else ""
    after = link(state.address(page=state.page + 1, message="") + "#entra", "Next") if last < found else ""
    return f'<nav class="pager" aria-label="Pages"><span>{words}</span>{before}{after}</nav>'
