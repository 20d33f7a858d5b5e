"""Delta queries of users and of groups, by rounds.

A round is planned when it begins: which objects and which portions of members, page by page.
"""

import json
import random
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

from lab import clock
from lab.entra import odata
from lab.entra.directory import Directory
from lab.entra.odata import Links
from lab.entra.shapes import (
    GROUP_DEFAULT,
    USER_DEFAULT,
    GraphRefusal,
    bad,
    decode_token,
    delta_item,
    encode_token,
    not_found,
    reference,
)
from lab.entra.switches import GraphSwitches
from lab.http import Request

Json = dict[str, Any]
Entry = tuple[str, str, bool]
CACHED_ROUNDS = 8
TOKEN_DAYS = 7
DAY = 24 * 3600
# How a dead delta token is refused: status, code, message.
RESYNC = {
    "410": (410, "resyncRequired", "Resync required. Replace any local items with the server's version."),
    "400": (400, "Request_UnsupportedQuery", "DeltaLink older than 30 days is not supported."),
    "404": (
        404,
        "syncStateNotFound",
        "The sync state generation is not found. The delta token is expired and data must be synchronized again.",
    ),
}


class Piece(NamedTuple):
    """An object of a page; of a group the members from `first` on, up to `last` (None: all that follow), some `size`."""

    n: int
    first: int = 0
    last: int | None = None
    size: int = 0


class Round:
    def __init__(self, pages: list[list[Piece]]) -> None:
        self.pages = pages
        # Members of the groups that need several portions.
        self.members: dict[int, list[Entry]] = {}


class Rounds:
    """`state` of a round: kind, select, since (None: a full round), upto, before (where the round before began)."""

    def __init__(self, directory: Directory, switches: GraphSwitches) -> None:
        self.directory = directory
        self.switches = switches
        self.rounds: dict[tuple[Any, ...], Round] = {}

    def page(self, state: Json, number: int) -> tuple[list[Json], int | None]:
        """Items, and the number of the next page."""
        found = self._round(state)
        following = number + 1 if number + 1 < len(found.pages) else None
        if following is None and self.switches["endless"]:
            following = number if self.switches["endless"] == "same" else number + 1
        if number >= len(found.pages):
            return [], following
        items = self._user_items if state["kind"] == "users" else self._group_items
        return items(state, found, found.pages[number]), following

    def _round(self, state: Json) -> Round:
        key = (state["kind"], since(state, self.switches), state["upto"], _with_members(state), self.switches.version)
        if key not in self.rounds:
            planned = Round(self._plan(state))
            # Another thread may forget one at the same time.
            for old in list(self.rounds)[: 1 - CACHED_ROUNDS]:
                self.rounds.pop(old, None)
            self.rounds[key] = planned
        return self.rounds[key]

    # The plan

    def _plan(self, state: Json) -> list[list[Piece]]:
        kind = str(state["kind"])
        counts = self._member_counts(state) if kind == "groups" and _with_members(state) else {}
        pieces = list(self._pieces(self._objects(state), counts))
        if self.switches["shuffle"]:
            random.Random(state["upto"]).shuffle(pieces)
        pieces = [piece for piece in pieces for _ in range(1 + self.switches["duplicates"])]
        pages = self._pages(pieces) or [[]]
        if self.switches[f"drop_{kind}_after"]:
            pages = pages[: self.switches[f"drop_{kind}_after"]]
        return [page for full in pages for page in [full, *([[]] * self.switches["empty_pages"])]]

    def _objects(self, state: Json) -> list[tuple[int, str]]:
        table, start = state["kind"], since(state, self.switches)
        if start is None:
            rows = self.directory.db.all(f"SELECT n, id FROM {table} WHERE deleted = '' ORDER BY n")
            return [(row["n"], row["id"]) for row in rows if not self.switches.leaves_out(table, row["id"])]
        where, values = "(seq > ? AND seq <= ?)", [start, state["upto"]]
        if table == "groups":
            where += " OR id IN (SELECT group_id FROM member_log WHERE seq > ? AND seq <= ?)"
            values += values
        rows = self.directory.db.all(f"SELECT n, id FROM {table} WHERE {where} ORDER BY n", values)
        return [(row["n"], row["id"]) for row in rows]

    def _member_counts(self, state: Json) -> dict[str, int]:
        start = since(state, self.switches)
        if start is None:
            rows = self.directory.db.all("SELECT group_id, count(*) AS n FROM members GROUP BY group_id")
        else:
            sql = "SELECT group_id, count(DISTINCT member_id) AS n FROM member_log WHERE seq > ? AND seq <= ? GROUP BY group_id"
            rows = self.directory.db.all(sql, (start, state["upto"]))
        return {row["group_id"]: row["n"] for row in rows}

    def _pieces(self, objects: list[tuple[int, str]], counts: dict[str, int]) -> Iterator[Piece]:
        """A large member list comes in portions, the group repeated with each; small groups share a page."""
        most = left = self.switches["portion"]
        for n, object_id in objects:
            first, count = 0, counts.get(object_id, 0)
            while count - first > left:
                yield Piece(n, first, first + left, left)
                first, left = first + left, most
            yield Piece(n, first, None, count - first)
            left = left - (count - first) or most

    def _pages(self, pieces: list[Piece]) -> list[list[Piece]]:
        """A page is full by its objects or by its member entries."""
        pages: list[list[Piece]] = []
        entries = 0
        for piece in pieces:
            entries += piece.size
            full = not pages or len(pages[-1]) >= self.switches["page_size"] or entries > self.switches["portion"]
            if full:
                pages.append([])
                entries = piece.size
            pages[-1].append(piece)
        return pages

    # The items of a page

    def _rows(self, table: str, page: list[Piece]) -> dict[int, Any]:
        marks = ", ".join("?" * len(page))
        rows = self.directory.db.all(f"SELECT * FROM {table} WHERE n IN ({marks})", [piece.n for piece in page])
        return {row["n"]: row for row in rows}

    def _user_items(self, state: Json, _round: Round, page: list[Piece]) -> list[Json]:
        rows, start = self._rows("users", page), since(state, self.switches)
        return [
            _user_item(rows[piece.n], state["select"], start)
            for piece in page
            # A user deleted during a full round is missing from it; the next round reports it.
            if start is not None or not rows[piece.n]["deleted"]
        ]

    def _group_items(self, state: Json, current: Round, page: list[Piece]) -> list[Json]:
        rows, start = self._rows("groups", page), since(state, self.switches)
        items = []
        for piece in page:
            row = rows[piece.n]
            if start is None and row["deleted"]:
                continue
            entries = self._entries(row, state, current, piece) if _with_members(state) else []
            items.append(_group_item(row, state["select"], start is None, entries))
        return items

    def _entries(self, row: Any, state: Json, current: Round, piece: Piece) -> list[Json]:
        if row["deleted"]:
            return []
        whole = current.members.get(row["n"])
        if whole is None:
            whole = self._member_entries(row["id"], state)
            if piece.last is not None:
                current.members[row["n"]] = whole
        if piece.last is None:
            current.members.pop(row["n"], None)
        entries = [reference(*entry) for entry in whole[piece.first : piece.last]]
        return entries + (self._unknown_removals(row["id"]) if piece.first == 0 else [])

    def _member_entries(self, group_id: str, state: Json) -> list[Entry]:
        start = since(state, self.switches)
        entries = self._all_members(group_id, state) if start is None else self._changes(group_id, start, state["upto"])
        most = self.switches["drop_members_of"].get(group_id)
        return entries if most is None else entries[:most]

    def _all_members(self, group_id: str, state: Json) -> list[Entry]:
        """All direct members as they were at `upto`; later changes are taken back."""
        found = dict(self.directory.members(group_id))
        sql = "SELECT member_id, kind, removed FROM member_log WHERE group_id = ? AND seq > ? ORDER BY seq DESC"
        late = self.directory.db.all(sql, (group_id, state["upto"])) if self.switches["lag"] else []
        for change in late:
            if change["removed"]:
                found[change["member_id"]] = change["kind"]
            else:
                found.pop(change["member_id"], None)
        if self.switches["shrink_members"]:
            found = {key: kind for key, kind in found.items() if not self.switches.leaves_out("members", key)}
        return [(kind, key, False) for key, kind in found.items()]

    def _changes(self, group_id: str, start: int, upto: int) -> list[Entry]:
        """The last change of each member."""
        sql = (
            "SELECT member_id, kind, removed, max(rowid) FROM member_log WHERE group_id = ? AND seq > ? AND seq <= ? "
            "GROUP BY member_id ORDER BY member_id"
        )
        silent = self.switches["silent_member_removal"]
        rows = self.directory.db.all(sql, (group_id, start, upto))
        return [
            (row["kind"], row["member_id"], bool(row["removed"])) for row in rows if not (silent and row["removed"])
        ]

    def _unknown_removals(self, group_id: str) -> list[Json]:
        seen = range(self.switches["unknown_removals"])
        return [reference("user", str(uuid.uuid5(uuid.UUID(group_id), f"unknown {n}")), True) for n in seen]


def since(state: Json, switches: GraphSwitches) -> int | None:
    """Where the round begins: a replayed one where the round before began."""
    if state["since"] is None or not switches["replay"]:
        return None if state["since"] is None else int(state["since"])
    return int(state.get("before") or 0)


def _with_members(state: Json) -> bool:
    return not state["select"] or "members" in state["select"]


def _user_item(row: Any, select: list[str], start: int | None) -> Json:
    if row["deleted"]:
        return {"id": row["id"], "@removed": {"reason": row["deleted"]}}
    item = delta_item(json.loads(row["body"]) | {"id": row["id"]}, select or list(USER_DEFAULT), start is None)
    manager_changed = start is None or row["manager_seq"] > start
    if "manager" in select and manager_changed and (row["manager"] or start is not None):
        item["manager@delta"] = [reference("user", row["manager"])] if row["manager"] else []
    return item


def _group_item(row: Any, select: list[str], initial: bool, entries: list[Json]) -> Json:
    if row["deleted"]:
        return {"id": row["id"], "@removed": {"reason": row["deleted"]}}
    item = delta_item(json.loads(row["body"]) | {"id": row["id"]}, select or list(GROUP_DEFAULT), initial)
    return item | ({"members@delta": entries} if entries else {})


class Delta:
    """The delta function of users and of groups: rounds, their links and their tokens."""

    def __init__(self, directory: Directory, switches: GraphSwitches, links: Links) -> None:
        self.directory = directory
        self.switches = switches
        self.links = links
        self.rounds = Rounds(directory, switches)
        # Delta tokens up to this sequence are dead, in one of three flavours.
        self.expired_up_to = -1
        self.flavour = "410"

    def forget(self) -> None:
        self.rounds.rounds.clear()
        self.expired_up_to, self.flavour = -1, "410"

    def expire_tokens(self, flavour: str = "410") -> None:
        if flavour not in RESYNC:
            raise ValueError(f"flavour is {flavour!r}; it must be one of {', '.join(RESYNC)}.")
        self.expired_up_to, self.flavour = self.directory.sequence(), flavour

    def answer(self, request: Request, kind: str) -> Json:
        parameters = request.parameters
        if parameters.get("$deltatoken") == "latest":
            link = self._delta_link(self._begin(kind, odata.select(request)))
            return {"@odata.context": self.links.context(kind), "value": [], "@odata.deltaLink": link}
        if "$skiptoken" in parameters and self.switches["dead_next_links"]:
            raise not_found("delta")
        text = parameters.get("$skiptoken") or parameters.get("$deltatoken")
        state = self._resume(text, kind) if text else self._begin(kind, odata.select(request))
        items, following = self.rounds.page(state, state["page"])
        return {"@odata.context": self.links.context(kind), **self._page_link(state, following), "value": items}

    def _begin(self, kind: str, select: list[str]) -> Json:
        return {"kind": kind, "select": select, "since": None, "upto": self._upto(), "page": 0}

    def _upto(self) -> int:
        return max(0, self.directory.sequence() - int(self.switches["lag"]))

    def _page_link(self, state: Json, following: int | None) -> Json:
        """The one link of a page; `foreign_link` sends the client to another host."""
        name = "next" if following is not None else "delta"
        if name == "delta":
            link = self._delta_link(state)
        else:
            link = self._link(state["kind"], "$skiptoken", state | {"page": following})
        if self.switches["foreign_link"] == name:
            link = link.replace(self.links.origin, self.links.elsewhere)
        return {} if name == "delta" and self.switches["lose_delta_link"] else {f"@odata.{name}Link": link}

    def _delta_link(self, state: Json) -> str:
        facts = {"kind": state["kind"], "select": state["select"], "since": state["upto"], "before": state["since"]}
        return self._link(state["kind"], "$deltatoken", facts | {"minted": self._now()})

    def _link(self, kind: str, parameter: str, state: Json) -> str:
        return f"{self._address(kind)}?{parameter}={encode_token(state)}"

    def _address(self, kind: str) -> str:
        return f"{self.links.origin}/v1.0/{kind}/delta"

    def _now(self) -> float:
        return clock.now() + float(self.switches["days_passed"]) * DAY

    def _resume(self, text: str, kind: str) -> Json:
        """The state of a round: a deltatoken begins one, a skiptoken goes on with one."""
        state = decode_token(text)
        if not isinstance(state, dict) or state.get("kind") != kind:
            raise bad("Badly formed token.")
        begins = "upto" not in state
        if state["since"] is not None and state["since"] <= self.expired_up_to:
            raise self._resync(kind, self.flavour)
        if begins and self._now() - state.get("minted", self._now()) > TOKEN_DAYS * DAY:
            raise self._resync(kind, self.switches["expiry"])
        return state | {"upto": max(self._upto(), state["since"]), "page": 0} if begins else state

    def _resync(self, kind: str, flavour: str) -> GraphRefusal:
        location = f"{self._address(kind)}?$deltatoken=" if flavour == "410" else ""
        return GraphRefusal(*RESYNC[flavour], location)
