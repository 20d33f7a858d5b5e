"""The company's directory: people, groups, memberships, the app and its rights, and a log of every change.

Each change has a sequence number; a delta token is a position in it. Memberships of a soft-deleted person are kept, and
the groups' delta says nothing about it (Graph, groups delta).
"""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from lab import chance, clock
from lab.store import Row, Store

TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS users (n INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, body TEXT NOT NULL, manager TEXT,
    name TEXT, upn TEXT, mail TEXT, seq INTEGER NOT NULL, manager_seq INTEGER DEFAULT 0, deleted TEXT DEFAULT '',
    deleted_at REAL);
CREATE TABLE IF NOT EXISTS groups (n INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, body TEXT NOT NULL, name TEXT,
    mail TEXT, seq INTEGER NOT NULL, deleted TEXT DEFAULT '', deleted_at REAL);
CREATE TABLE IF NOT EXISTS members (group_id TEXT, member_id TEXT, kind TEXT, PRIMARY KEY (group_id, member_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS memberships_of ON members (member_id, group_id);
CREATE TABLE IF NOT EXISTS member_log (seq INTEGER, group_id TEXT, member_id TEXT, kind TEXT, removed INTEGER);
CREATE INDEX IF NOT EXISTS member_group ON member_log (group_id, seq);
CREATE INDEX IF NOT EXISTS user_seq ON users (seq);
CREATE INDEX IF NOT EXISTS user_upn ON users (upn);
CREATE INDEX IF NOT EXISTS deleted_users ON users (id) WHERE deleted != '';
CREATE INDEX IF NOT EXISTS group_seq ON groups (seq);
CREATE INDEX IF NOT EXISTS member_seq ON member_log (seq);
CREATE TABLE IF NOT EXISTS assignments (n INTEGER PRIMARY KEY, id TEXT, principal_id TEXT, kind TEXT,
    role TEXT NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000');
CREATE TABLE IF NOT EXISTS others (id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS ledger (n INTEGER PRIMARY KEY AUTOINCREMENT, at REAL, part TEXT, method TEXT, path TEXT,
    query TEXT, status INTEGER);
"""
ROLES = ("User.Read.All", "GroupMember.Read.All", "Group.Read.All", "Application.Read.All", "Organization.Read.All")
DEFAULT_ROLE = "00000000-0000-0000-0000-000000000000"
PRINCIPALS = {"user": "User", "group": "Group", "servicePrincipal": "ServicePrincipal"}
OTHERS = ("device", "servicePrincipal", "orgContact", "directoryRole")
DAY = 24 * 3600
YEAR = 365 * DAY
# So long the recycle bin keeps people and Microsoft 365 groups (Entra, "Restore or remove a recently deleted user").
BIN_DAYS = 30
Json = dict[str, Any]


class Directory:
    def __init__(self, path: Path | str) -> None:
        self.db = Store(path, TABLES)
        self._facts: dict[str, str] = {}
        if not self.db.one("SELECT 1 FROM pragma_table_info('assignments') WHERE name = 'role'"):
            self.db.execute(f"ALTER TABLE assignments ADD COLUMN role TEXT NOT NULL DEFAULT '{DEFAULT_ROLE}'")
        for table in ("users", "groups"):
            if not self.db.one(f"SELECT 1 FROM pragma_table_info('{table}') WHERE name = 'deleted_at'"):
                self.db.execute(f"ALTER TABLE {table} ADD COLUMN deleted_at REAL")

    def fact(self, name: str, default: str = "") -> str:
        """A remembered fact; every request asks for some, so they are kept in memory too."""
        if name in self._facts:
            return self._facts[name]
        self.db.execute("INSERT OR IGNORE INTO facts VALUES (?, ?)", (name, default))
        row = self.db.one("SELECT value FROM facts WHERE name = ?", (name,))
        self._facts[name] = str(row["value"]) if row else default
        return self._facts[name]

    def set_fact(self, name: str, value: str) -> None:
        self.db.execute(
            "INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
        )
        self._facts[name] = value

    def empty(self) -> None:
        """Nobody is left; the directory and the app stay, with the rights that they began with."""
        self.db.empty(keep=("facts",))
        self.set_fact("roles", json.dumps(ROLES))
        self.set_fact("extensions", "[]")

    def become(self, copied: Connection) -> None:
        """As it was when `db` was copied."""
        self.db.become(copied)
        self._facts.clear()

    def refill(self, fill: Callable[[], None]) -> None:
        """The company anew. Numbers go on: whoever has read changes so far has to read everybody again."""
        former = self.sequence()
        with self.db.transaction():
            self.empty()
            fill()
            for table in ("users", "groups", "member_log"):
                self.db.execute(f"UPDATE {table} SET seq = seq + ?", (former,))
            self.db.execute("UPDATE users SET manager_seq = manager_seq + ?", (former,))

    def age(self, days: int) -> None:
        """As if so many days had passed: the recycle bin loses who lay there too long, and the secret is older."""
        seconds = days * DAY
        self.set_fact("secret_expires", str(float(self.fact("secret_expires")) - seconds))
        self.db.execute("UPDATE ledger SET at = at - ?", (seconds,))
        for table in ("users", "groups"):
            self.db.execute(f"UPDATE {table} SET deleted_at = deleted_at - ?", (seconds,))
        oldest = clock.now() - BIN_DAYS * DAY
        for row in self.db.all("SELECT id FROM users WHERE deleted = 'changed' AND deleted_at <= ?", (oldest,)):
            self.purge(row["id"])
        for row in self.db.all("SELECT id FROM groups WHERE deleted = 'changed' AND deleted_at <= ?", (oldest,)):
            self.purge_group(row["id"])

    def sequence(self) -> int:
        row = self.db.one(
            "SELECT max((SELECT coalesce(max(seq), 0) FROM users), (SELECT coalesce(max(seq), 0) FROM groups), "
            "(SELECT coalesce(max(seq), 0) FROM member_log)) AS seq"
        )
        return int(row["seq"]) if row else 0

    # The app and its rights

    def roles(self) -> list[str]:
        found: list[str] = json.loads(self.fact("roles", json.dumps(ROLES)))
        return found

    def grant(self, roles: Iterable[str]) -> None:
        self.set_fact("roles", json.dumps(sorted({*self.roles(), *roles})))

    def revoke(self, roles: Iterable[str]) -> None:
        self.set_fact("roles", json.dumps(sorted(set(self.roles()) - set(roles))))

    # Directory extensions

    def extensions(self) -> list[Json]:
        found: list[Json] = json.loads(self.fact("extensions", "[]"))
        return found

    def extend(
        self, name: str, targets: Sequence[str] = ("User",), data_type: str = "String", many: bool = False
    ) -> Json:
        """A property of its own for people or groups, named after the app that registered it."""
        app = self.fact("client_id").replace("-", "")
        made = {
            "id": chance.new_uuid(),
            "deletedDateTime": None,
            "appDisplayName": "Lab",
            "dataType": data_type,
            "isMultiValued": many,
            "isSyncedFromOnPremises": False,
            "name": f"extension_{app}_{name}",
            "targetObjects": list(targets),
        }
        self.set_fact("extensions", json.dumps([*self.extensions(), made]))
        return made

    # What the app signs in with

    def expire_secret(self) -> None:
        self.set_fact("secret_expires", str(clock.now() - 1))

    def former_secrets(self) -> list[str]:
        """Those beside the newest that are not deleted yet."""
        found: list[str] = json.loads(self.fact("former_secrets", "[]"))
        return found

    def second_secret(self) -> str:
        """A new one; those before go on working until they are deleted."""
        self.set_fact("former_secrets", json.dumps([*self.former_secrets(), self.fact("client_secret")]))
        return self.new_secret()

    def delete_former_secrets(self) -> None:
        self.set_fact("former_secrets", "[]")

    def certificates(self) -> list[str]:
        """PEM of those that were uploaded."""
        found: list[str] = json.loads(self.fact("certificates", "[]"))
        return found

    def upload_certificate(self, pem: str) -> None:
        self.set_fact("certificates", json.dumps([*self.certificates(), pem]))

    def federated_credentials(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads(self.fact("federated_credentials", "[]"))
        return found

    def federate(self, issuer: str, subject: str, audience: str) -> list[dict[str, str]]:
        made = {"issuer": issuer, "subject": subject, "audience": audience}
        self.set_fact("federated_credentials", json.dumps([*self.federated_credentials(), made]))
        return self.federated_credentials()

    def forget_credentials(self) -> None:
        """But for the newest secret."""
        for name in ("former_secrets", "certificates", "federated_credentials"):
            self.set_fact(name, "[]")

    def new_secret(self) -> str:
        secret = chance.characters(32) + "~" + chance.characters(8)
        self.set_fact("client_secret", secret)
        self.set_fact("secret_expires", str(clock.now() + YEAR))
        return secret

    # People

    def hire(self, facts: Json, groups: Sequence[str] = (), user_id: str | None = None) -> Json:
        user_id = user_id or chance.new_uuid()
        name = facts.get("displayName") or "New Colleague"
        local = "".join(char for char in name.lower() if char.isascii() and char.isalnum()) or user_id[:8]
        upn = facts.get("userPrincipalName") or f"{local}.{user_id[:4]}@{self.fact('domain')}"
        given, _, surname = name.partition(" ")
        body = {
            "displayName": name,
            "givenName": given,
            "surname": surname or None,
            "userPrincipalName": upn,
            "mail": upn,
            "mailNickname": upn.partition("@")[0],
            "accountEnabled": True,
            "userType": "Member",
            "businessPhones": [],
            **{key: value for key, value in facts.items() if key not in ("groups", "manager")},
        }
        with self.db.transaction():
            seq = self.sequence() + 1
            self.db.execute(
                "INSERT INTO users (id, body, manager, name, upn, mail, seq, manager_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (user_id, json.dumps(body), facts.get("manager"), *_user_keys(body), seq, seq),
            )
            for group_id in groups:
                self.change_members(group_id, add=[user_id])
        return body | {"id": user_id}

    def change_user(self, user_id: str, changes: Json) -> Json:
        with self.db.transaction():
            row = self._row("users", user_id)
            seq = self.sequence() + 1
            if "manager" in changes:
                sql = "UPDATE users SET manager = ?, manager_seq = ?, seq = ? WHERE id = ?"
                self.db.execute(sql, (changes["manager"], seq, seq, user_id))
            body: Json = json.loads(row["body"]) | {
                key: value for key, value in changes.items() if key not in ("id", "manager")
            }
            self.db.execute(
                "UPDATE users SET body = ?, name = ?, upn = ?, mail = ?, seq = ? WHERE id = ?",
                (json.dumps(body), *_user_keys(body), seq, user_id),
            )
        return body | {"id": user_id}

    def leave(self, user_id: str) -> None:
        self._mark("users", user_id, "changed")

    def restore(self, user_id: str) -> None:
        self._mark("users", user_id, "")

    def purge(self, user_id: str) -> None:
        with self.db.transaction():
            self._mark("users", user_id, "deleted")
            self.db.execute("DELETE FROM members WHERE member_id = ?", (user_id,))

    def remake(self, user_id: str) -> Json:
        """Purged, and hired again under the same name and into the same groups: another object id."""
        facts = json.loads(self._row("users", user_id)["body"])
        groups = [key for key, kind in self.holders(user_id) if kind == "group"]
        with self.db.transaction():
            self.purge(user_id)
            return self.hire(facts, groups)

    # Groups

    def create_group(self, facts: Json, members: Sequence[str] = (), group_id: str | None = None) -> Json:
        group_id = group_id or chance.new_uuid()
        body = {"displayName": "New group", "securityEnabled": True, "mailEnabled": False, "groupTypes": [], **facts}
        body.pop("members", None)
        with self.db.transaction():
            sql = "INSERT INTO groups (id, body, name, mail, seq) VALUES (?, ?, ?, ?, ?)"
            keys = (_low(body.get("displayName")), _low(body.get("mail")))
            self.db.execute(sql, (group_id, json.dumps(body), *keys, self.sequence() + 1))
            self.change_members(group_id, add=members)
        return body | {"id": group_id}

    def change_group(self, group_id: str, changes: Json) -> Json:
        with self.db.transaction():
            body: Json = json.loads(self._row("groups", group_id)["body"]) | changes
            sql = "UPDATE groups SET body = ?, name = ?, mail = ?, seq = ? WHERE id = ?"
            keys = (_low(body.get("displayName")), _low(body.get("mail")))
            self.db.execute(sql, (json.dumps(body), *keys, self.sequence() + 1, group_id))
        return body | {"id": group_id}

    def delete_group(self, group_id: str, soft: bool | None = None) -> None:
        """Security groups are gone at once; Microsoft 365 groups lie in the recycle bin first. `soft` overrides that."""
        body = json.loads(self._row("groups", group_id)["body"])
        if soft is None:
            soft = "Unified" in (body.get("groupTypes") or [])
        with self.db.transaction():
            self._mark("groups", group_id, "changed" if soft else "deleted")
            if not soft:
                self.db.execute("DELETE FROM members WHERE group_id = ? OR member_id = ?", (group_id, group_id))

    def remake_group(self, group_id: str) -> Json:
        """Deleted, and made again with the same name, members and assignment (terraform destroy and apply)."""
        facts, members = (
            json.loads(self._row("groups", group_id)["body"]),
            [key for key, _kind in self.members(group_id)],
        )
        with self.db.transaction():
            self.delete_group(group_id, soft=False)
            made = self.create_group(facts, members)
            if self.db.one("SELECT 1 FROM assignments WHERE principal_id = ?", (group_id,)):
                self.unassign(group_id)
                self.assign(made["id"])
        return made

    def restore_group(self, group_id: str) -> None:
        self._mark("groups", group_id, "")

    def purge_group(self, group_id: str) -> None:
        self.delete_group(group_id, soft=False)

    def change_members(self, group_id: str, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        with self.db.transaction():
            self._row("groups", group_id)
            seq = self.sequence() + 1
            kinds = {member: self._kind(member) for member in [*add, *remove]}
            entries = [(seq, group_id, member, kinds[member], 0) for member in add]
            entries += [(seq, group_id, member, kinds[member], 1) for member in remove]
            self.db.many("INSERT OR IGNORE INTO members VALUES (?, ?, ?)", [(group_id, m, kinds[m]) for m in add])
            self.db.many("DELETE FROM members WHERE group_id = ? AND member_id = ?", [(group_id, m) for m in remove])
            self.db.many("INSERT INTO member_log VALUES (?, ?, ?, ?, ?)", entries)

    def _kind(self, object_id: str) -> str:
        if self.db.one("SELECT 1 FROM users WHERE id = ?", (object_id,)):
            return "user"
        if self.db.one("SELECT 1 FROM groups WHERE id = ?", (object_id,)):
            return "group"
        if other := self.db.one("SELECT kind FROM others WHERE id = ?", (object_id,)):
            return str(other["kind"])
        raise KeyError(object_id)

    # Devices, service principals, contacts, directory roles; and who is assigned to the app

    def add_other(self, kind: str, name: str, members: Sequence[str] = ()) -> Json:
        """`members`: of a directory role."""
        if kind not in OTHERS:
            raise ValueError(f"kind is {kind!r}; it must be one of {', '.join(OTHERS)}.")
        other_id = chance.new_uuid()
        with self.db.transaction():
            self.db.execute("INSERT INTO others VALUES (?, ?, ?)", (other_id, kind, name))
            rows = [(other_id, member, self._kind(member)) for member in members]
            self.db.many("INSERT OR IGNORE INTO members VALUES (?, ?, ?)", rows)
        return {"id": other_id, "kind": kind, "displayName": name}

    def assignments(self, after: int = 0, limit: int = -1) -> list[Row]:
        return self.db.all("SELECT * FROM assignments WHERE n > ? ORDER BY n LIMIT ?", (after, limit))

    def assign(self, principal_id: str, role: str = DEFAULT_ROLE) -> Json:
        """The same principal may be assigned with several roles."""
        kind, key = PRINCIPALS[self._kind(principal_id)], chance.new_uuid()
        sql = "INSERT INTO assignments (id, principal_id, kind, role) VALUES (?, ?, ?, ?)"
        self.db.execute(sql, (key, principal_id, kind, role))
        return {"id": key, "principalId": principal_id, "principalType": kind, "appRoleId": role}

    def unassign(self, key: str) -> None:
        """One assignment by its id, or all of a principal."""
        if not self.db.execute("DELETE FROM assignments WHERE id = ? OR principal_id = ?", (key, key)).rowcount:
            raise KeyError(key)

    def _row(self, table: str, object_id: str) -> Row:
        row = self.db.one(f"SELECT * FROM {table} WHERE id = ?", (object_id,))
        if row is None:
            raise KeyError(object_id)
        return row

    def _mark(self, table: str, object_id: str, deleted: str) -> None:
        with self.db.transaction():
            self._row(table, object_id)
            sql = f"UPDATE {table} SET deleted = ?, deleted_at = ?, seq = ? WHERE id = ?"
            self.db.execute(sql, (deleted, clock.now() if deleted else None, self.sequence() + 1, object_id))

    # Reading

    def user(self, key: str) -> Json | None:
        """By object id or user principal name; soft-deleted people are not found."""
        row = self.db.one("SELECT * FROM users WHERE (id = ? OR upn = ?) AND deleted = ''", (key, key.lower()))
        return json.loads(row["body"]) | {"id": row["id"], "_manager": row["manager"]} if row else None

    def group(self, group_id: str) -> Json | None:
        row = self.db.one("SELECT * FROM groups WHERE id = ? AND deleted = ''", (group_id,))
        return json.loads(row["body"]) | {"id": row["id"]} if row else None

    def object(self, object_id: str) -> tuple[str, Json] | None:
        """Kind and properties of what is not deleted."""
        if user := self.user(object_id):
            return "user", user
        if group := self.group(object_id):
            return "group", group
        other = self.db.one("SELECT * FROM others WHERE id = ?", (object_id,))
        return (other["kind"], {"id": object_id, "displayName": other["name"]}) if other else None

    def holders(self, member_id: str, transitive: bool = False) -> list[tuple[str, str]]:
        """(id, kind) of the groups and directory roles that hold a member, in the order of ids."""
        found: dict[str, str] = {}
        todo = [member_id]
        while todo:
            rows = self.db.all("SELECT group_id FROM members WHERE member_id = ?", (todo.pop(),))
            new = [row["group_id"] for row in rows if row["group_id"] not in found]
            kinds = {key: holder[0] for key in new if (holder := self.object(key))}
            found |= kinds
            todo += [key for key, kind in kinds.items() if kind == "group" and transitive]
        return sorted(found.items())

    def page(self, table: str, where: str, values: Sequence[Any], after: int, limit: int) -> list[Row]:
        sql = f"SELECT * FROM {table} WHERE n > ? AND deleted = '' AND ({where}) ORDER BY n LIMIT ?"
        return self.db.all(sql, (after, *values, limit))

    def count(self, table: str, where: str = "1", values: Sequence[Any] = ()) -> int:
        row = self.db.one(f"SELECT count(*) AS n FROM {table} WHERE deleted = '' AND ({where})", values)
        return int(row["n"]) if row else 0

    def members(self, group_id: str, after: str = "", limit: int = -1) -> list[tuple[str, str]]:
        """(id, kind) of direct members; people and groups in the recycle bin are left out."""
        sql = (
            "SELECT member_id, kind FROM members WHERE group_id = ? AND member_id > ? AND member_id NOT IN "
            "(SELECT id FROM users WHERE deleted != '' UNION ALL SELECT id FROM groups WHERE deleted != '') "
            "ORDER BY member_id LIMIT ?"
        )
        return [(row["member_id"], row["kind"]) for row in self.db.all(sql, (group_id, after, limit))]

    def transitive_members(self, group_id: str) -> list[tuple[str, str]]:
        found: dict[str, str] = {}
        todo = [group_id]
        while todo:
            for member, kind in self.members(todo.pop()):
                if member not in found and member != group_id:
                    found[member] = kind
                    todo += [member] if kind == "group" else []
        return sorted(found.items())

    def record(self, part: str, method: str, path: str, query: str, status: int) -> None:
        sql = "INSERT INTO ledger (at, part, method, path, query, status) VALUES (?, ?, ?, ?, ?, ?)"
        self.db.execute(sql, (clock.now(), part, method, path, query, status))

    def ledger(self, after: int = 0) -> list[Json]:
        return [dict(row) for row in self.db.all("SELECT * FROM ledger WHERE n > ? ORDER BY n", (after,))]

    def empty_ledger(self) -> None:
        self.db.execute("DELETE FROM ledger")

    def ids(self) -> Json:
        """Object ids of who is there, without everything else that `state` shows."""
        return {
            table: [row["id"] for row in self.db.all(f"SELECT id FROM {table} WHERE deleted = '' ORDER BY n")]
            for table in ("users", "groups")
        }

    def state(self) -> Json:
        users = self.db.all("SELECT * FROM users WHERE deleted != 'deleted' ORDER BY n")
        groups = self.db.all("SELECT * FROM groups WHERE deleted = '' ORDER BY n")
        return {
            "users": [
                json.loads(row["body"]) | {"id": row["id"], "manager": row["manager"], "deleted": bool(row["deleted"])}
                for row in users
            ],
            "groups": [
                json.loads(row["body"])
                | {"id": row["id"], "members": [{"id": key, "type": kind} for key, kind in self.members(row["id"])]}
                for row in groups
            ],
        }


def _low(text: Any) -> str | None:
    return str(text).lower() if text else None


def _user_keys(body: Json) -> tuple[str | None, str | None, str | None]:
    return _low(body.get("displayName")), _low(body.get("userPrincipalName")), _low(body.get("mail"))
