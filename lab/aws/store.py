"""What "AWS" holds: users, groups, members, tokens, switches, and the ledger of every request."""

import json
import string
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from lab import chance, clock
from lab.aws.errors import duplicate, over_quota
from lab.aws.switches import SWITCHES, defaults
from lab.store import Store

TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (id TEXT PRIMARY KEY, secret TEXT NOT NULL, created REAL, expires REAL, denied INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS users (n INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, body TEXT NOT NULL,
    user_name TEXT UNIQUE NOT NULL, email TEXT UNIQUE, external_id TEXT UNIQUE, manager TEXT);
CREATE TABLE IF NOT EXISTS groups (n INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, body TEXT NOT NULL,
    display_name TEXT UNIQUE NOT NULL, external_id TEXT UNIQUE);
CREATE TABLE IF NOT EXISTS members (group_id TEXT NOT NULL, user_id TEXT NOT NULL, PRIMARY KEY (group_id, user_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS member_of ON members (user_id, group_id);
CREATE TABLE IF NOT EXISTS ledger (n INTEGER PRIMARY KEY AUTOINCREMENT, at REAL, method TEXT, path TEXT, query TEXT, status INTEGER,
    applied INTEGER, answered INTEGER, operations INTEGER, request TEXT, response TEXT);
"""
DAY = 24 * 3600
YEAR = 365 * DAY
MAX_TOKENS = 2
Json = dict[str, Any]


def new_id(prefixed: bool, store_digits: str) -> str:
    """Recent ids seen all have a third group that begins with 70."""
    parts = chance.new_uuid().split("-")
    parts[2] = "70" + parts[2][2:]
    return f"{store_digits}-{'-'.join(parts)}" if prefixed else "-".join(parts)


class AwsStore:
    def __init__(self, path: Path | str) -> None:
        self.db = Store(path, TABLES)
        self.switches = self._kept_switches()
        self.tenant_id = self.fact("tenant_id", _new_tenant_id())
        # Created lately: id -> (when, look-ups that passed since); for the switches stale_*.
        self.fresh: dict[str, tuple[float, int]] = {}
        self.store_digits = self.fact("store_digits", chance.characters(10, string.hexdigits[:16]))
        if not self.db.one("SELECT 1 FROM tokens"):
            self.new_token()

    def fact(self, name: str, default: str) -> str:
        """A remembered fact; the default becomes it when there is none."""
        self.db.execute("INSERT OR IGNORE INTO facts VALUES (?, ?)", (name, default))
        row = self.db.one("SELECT value FROM facts WHERE name = ?", (name,))
        return str(row["value"]) if row else default

    def _kept_switches(self) -> dict[str, str]:
        kept: dict[str, str] = json.loads(self.fact("switches", "{}"))
        return defaults() | kept

    def set_switches(self, changes: Json) -> None:
        for name, value in changes.items():
            if name not in SWITCHES or not SWITCHES[name].allows(str(value)):
                allowed = ", ".join(SWITCHES[name].allowed) if name in SWITCHES else "no such switch"
                raise ValueError(f"{name} = {value!r}: {allowed}")
        self.switches |= {name: str(value) for name, value in changes.items()}
        self.db.execute("UPDATE facts SET value = ? WHERE name = 'switches'", (json.dumps(self.switches),))

    def reset_switches(self) -> None:
        self.set_switches(defaults())

    # Tokens: one year, at most two at a time; expired ones count until deleted

    def new_token(self) -> str:
        with self.db.transaction():
            if len(self.tokens()) >= MAX_TOKENS:
                raise ValueError("An Identity Center directory holds at most two access tokens. Delete one first.")
            secret = chance.characters(560)
            now = clock.now()
            self.db.execute("INSERT INTO tokens VALUES (?, ?, ?, ?, 0)", (chance.new_uuid(), secret, now, now + YEAR))
        return secret

    def tokens(self) -> list[Json]:
        rows = self.db.all("SELECT id, created, expires, denied FROM tokens ORDER BY created")
        return [dict(row) for row in rows]

    def newest_token(self) -> str:
        row = self.db.one("SELECT secret FROM tokens ORDER BY created DESC")
        return str(row["secret"]) if row else ""

    def expire_tokens(self) -> None:
        self.db.execute("UPDATE tokens SET expires = ?", (clock.now() - 1,))

    def deny_tokens(self) -> None:
        self.db.execute("UPDATE tokens SET denied = 1")

    def delete_former_tokens(self) -> None:
        """All but the newest."""
        self.db.execute("DELETE FROM tokens WHERE created < (SELECT max(created) FROM tokens)")

    def age(self, days: int) -> None:
        """As if so many days had passed."""
        seconds = days * DAY
        self.db.execute("UPDATE tokens SET created = created - ?, expires = expires - ?", (seconds, seconds))
        self.db.execute("UPDATE ledger SET at = at - ?", (seconds,))

    def delete_tokens(self) -> None:
        self.db.execute("DELETE FROM tokens")

    def token_state(self, secret: str) -> str:
        """valid, denied or unknown (an expired one is unknown too)."""
        row = self.db.one("SELECT expires, denied FROM tokens WHERE secret = ?", (secret,))
        if row is None or row["expires"] <= clock.now():
            return "unknown"
        return "denied" if row["denied"] else "valid"

    # Users

    def _user_keys(self, body: Json) -> tuple[str, str | None, str | None, str | None]:
        emails = body.get("emails") or [{}]
        email = emails[0].get("value")
        enterprise = body.get("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User") or {}
        return (
            body["userName"].casefold(),
            self._folded(email, "email_case"),
            self._folded(body.get("externalId"), "external_id_case"),
            (enterprise.get("manager") or {}).get("value"),
        )

    def _folded(self, value: str | None, switch: str) -> str | None:
        return value.casefold() if value and self.switches[switch] == "ignore" else value or None

    def create_user(self, body: Json) -> Json:
        self._within_quota("user")
        keys = self._user_keys(body)
        self._unique_user("", keys)
        resource = self._new("User", body)
        self.db.execute(
            "INSERT INTO users (id, body, user_name, email, external_id, manager) VALUES (?, ?, ?, ?, ?, ?)",
            (resource["id"], json.dumps(resource), *keys),
        )
        self._note_creation(resource["id"])
        return resource

    def replace_user(self, user_id: str, old: Json, body: Json) -> Json:
        keys = self._user_keys(body)
        self._unique_user(user_id, keys)
        resource = {**body, "id": user_id, "meta": {**old["meta"], "lastModified": _now()}}
        self.db.execute(
            "UPDATE users SET body = ?, user_name = ?, email = ?, external_id = ?, manager = ? WHERE id = ?",
            (json.dumps(resource), *keys, user_id),
        )
        return resource

    def _within_quota(self, kind: str) -> None:
        most = int(self.switches[f"{kind}_quota"])
        row = self.db.one(f"SELECT count(*) AS n FROM {kind}s") if most else None
        if row and row["n"] >= most:
            raise over_quota(kind, most)

    def _unique_user(self, user_id: str, keys: Sequence[str | None]) -> None:
        sql = "SELECT 1 FROM users WHERE id != ? AND (user_name = ? OR email = ? OR external_id = ?)"
        if self.db.one(sql, (user_id, *keys[:3])):
            raise duplicate()

    def user(self, user_id: str) -> Json | None:
        row = self.db.one("SELECT body FROM users WHERE id = ?", (user_id,))
        return json.loads(row["body"]) if row else None

    def delete_user(self, user_id: str) -> bool:
        self.db.execute("DELETE FROM members WHERE user_id = ?", (user_id,))
        return self.db.execute("DELETE FROM users WHERE id = ?", (user_id,)).rowcount > 0

    def users(
        self, where: str = "1", values: Sequence[Any] = (), after: int = 0, limit: int = -1
    ) -> list[tuple[int, Json]]:
        """(position, user), in order of creation, from `after` on."""
        sql = f"SELECT n, body FROM users WHERE n > ? AND ({where}) ORDER BY n LIMIT ?"
        return [(row["n"], json.loads(row["body"])) for row in self.db.all(sql, (after, *values, limit))]

    # Groups

    def _group_keys(self, body: Json) -> tuple[str | None, str | None]:
        return (
            self._folded(body["displayName"], "display_name_case"),
            self._folded(body.get("externalId"), "external_id_case"),
        )

    def create_group(self, body: Json) -> Json:
        self._within_quota("group")
        keys = self._group_keys(body)
        self._unique_group("", keys)
        resource = self._new("Group", body)
        self.db.execute(
            "INSERT INTO groups (id, body, display_name, external_id) VALUES (?, ?, ?, ?)",
            (resource["id"], json.dumps(resource), *keys),
        )
        self._note_creation(resource["id"])
        return resource

    def _note_creation(self, object_id: str) -> None:
        if self.switches["stale_requests"] != "0" or self.switches["stale_seconds"] != "0":
            self.fresh[object_id] = (clock.monotonic(), 0)

    def is_stale(self, object_id: str) -> bool:
        """Whether a look-up by filter does not find it yet."""
        with self.db.lock:
            if object_id not in self.fresh:
                return False
            created, looked = self.fresh[object_id]
            self.fresh[object_id] = (created, looked + 1)
        young = clock.monotonic() - created < int(self.switches["stale_seconds"])
        return young or looked < int(self.switches["stale_requests"])

    def replace_group(self, group_id: str, old: Json, body: Json) -> Json:
        keys = self._group_keys(body)
        self._unique_group(group_id, keys)
        resource = {**body, "id": group_id, "meta": {**old["meta"], "lastModified": _now()}}
        self.db.execute(
            "UPDATE groups SET body = ?, display_name = ?, external_id = ? WHERE id = ?",
            (json.dumps(resource), *keys, group_id),
        )
        return resource

    def _unique_group(self, group_id: str, keys: Sequence[str | None]) -> None:
        sql = "SELECT 1 FROM groups WHERE id != ? AND (display_name = ? OR external_id = ?)"
        if self.db.one(sql, (group_id, *keys)):
            raise duplicate()

    def group(self, group_id: str) -> Json | None:
        row = self.db.one("SELECT body FROM groups WHERE id = ?", (group_id,))
        return json.loads(row["body"]) if row else None

    def delete_group(self, group_id: str) -> bool:
        self.db.execute("DELETE FROM members WHERE group_id = ?", (group_id,))
        return self.db.execute("DELETE FROM groups WHERE id = ?", (group_id,)).rowcount > 0

    def groups(
        self, where: str = "1", values: Sequence[Any] = (), after: int = 0, limit: int = -1
    ) -> list[tuple[int, Json]]:
        sql = f"SELECT n, body FROM groups WHERE n > ? AND ({where}) ORDER BY n LIMIT ?"
        return [(row["n"], json.loads(row["body"])) for row in self.db.all(sql, (after, *values, limit))]

    def unknown_users(self, user_ids: Iterable[str]) -> list[str]:
        return [user_id for user_id in user_ids if not self.db.one("SELECT 1 FROM users WHERE id = ?", (user_id,))]

    def change_members(self, group_id: str, added: Iterable[str], removed: Iterable[str], clear: bool = False) -> None:
        """Adding one who is in, or removing one who is not, does nothing."""
        if clear:
            self.db.execute("DELETE FROM members WHERE group_id = ?", (group_id,))
        self.db.many("DELETE FROM members WHERE group_id = ? AND user_id = ?", [(group_id, user) for user in removed])
        self.db.many("INSERT OR IGNORE INTO members VALUES (?, ?)", [(group_id, user) for user in added])

    def members(self, group_id: str) -> list[str]:
        rows = self.db.all("SELECT user_id FROM members WHERE group_id = ? ORDER BY user_id", (group_id,))
        return [row["user_id"] for row in rows]

    def empty(self) -> None:
        """Nothing is left but the endpoint: no token either."""
        self.db.empty(keep=("facts",))
        self.fresh.clear()
        self.reset_switches()

    def become(self, copied: Connection) -> None:
        """As it was when `db` was copied, its switches too."""
        self.db.become(copied)
        self.fresh.clear()
        self.switches = self._kept_switches()

    def wipe(self) -> None:
        with self.db.transaction():
            for table in ("members", "groups", "users"):
                self.db.execute(f"DELETE FROM {table}")

    def _new(self, kind: str, body: Json) -> Json:
        prefixed = self.switches["ids"] == "prefixed"
        meta = {"resourceType": kind, "created": _now(), "lastModified": _now()}
        return {"id": new_id(prefixed, self.store_digits), **body, "meta": meta}

    # The ledger

    def record_request(self, method: str, path: str, query: str, request: str | None) -> int:
        """The row of a request as it arrives: not applied, not answered."""
        sql = "INSERT INTO ledger (at, method, path, query, applied, answered, request) VALUES (?, ?, ?, ?, 0, 0, ?)"
        return int(self.db.execute(sql, (clock.now(), method, path, query, request)).lastrowid or 0)

    def record_answer(self, n: int, status: int, applied: bool, operations: int | None, response: str | None) -> None:
        sql = "UPDATE ledger SET status = ?, applied = ?, answered = 1, operations = ?, response = ? WHERE n = ?"
        self.db.execute(sql, (status, applied, operations, response, n))

    def record_unanswered(self, n: int) -> None:
        self.db.execute("UPDATE ledger SET answered = 0 WHERE n = ?", (n,))

    def ledger(self, after: int = 0) -> list[Json]:
        rows = self.db.all("SELECT * FROM ledger WHERE n > ? ORDER BY n", (after,))
        return [
            dict(row)
            | {"applied": bool(row["applied"]), "answered": bool(row["answered"])}
            | {name: _parsed(row[name]) for name in ("request", "response")}
            for row in rows
        ]

    def last_requests(self, count: int) -> list[Json]:
        """The newest first."""
        return [dict(row) for row in self.db.all("SELECT * FROM ledger ORDER BY n DESC LIMIT ?", (count,))]

    def empty_ledger(self) -> None:
        self.db.execute("DELETE FROM ledger")

    def counts(self) -> Json:
        found: Json = {}
        for row in self.db.all("SELECT method, count(*) AS n, sum(status = 429) AS t FROM ledger GROUP BY method"):
            found[row["method"]] = row["n"]
            found["throttled"] = found.get("throttled", 0) + (row["t"] or 0)
        return {"throttled": 0} | found

    def state(self) -> Json:
        """All that "AWS" holds: the view that SCIM itself does not give."""
        return {
            "users": [user for _n, user in self.users()],
            "groups": [
                {key: group.get(key) for key in ("id", "displayName", "externalId")}
                | {"members": self.members(group["id"])}
                for _n, group in self.groups()
            ],
            "tokens": self.tokens(),
        }


def _parsed(text: str | None) -> Any:
    """A body that is no JSON is shown as text."""
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(clock.now()))


def _new_tenant_id() -> str:
    """Newer tenants: a first group of eleven letters and digits."""
    first = chance.characters(11, string.ascii_lowercase + string.digits)
    return "-".join([first, *chance.new_uuid().split("-")[1:]])
