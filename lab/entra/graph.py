"""The directory reads of Microsoft Graph v1.0: lists, pickers, single objects, members, delta rounds."""

import base64
import json
import re
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import jwt

from lab.entra.directory import Directory
from lab.http import Request, Response

Json = dict[str, Any]
USER_DEFAULT = ("businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage", "surname", "userPrincipalName", "id")  # fmt: skip
GROUP_DEFAULT = ("id", "displayName", "description", "groupTypes", "mail", "mailEnabled", "mailNickname", "membershipRule", "securityEnabled")  # fmt: skip
# Which right opens which path (Graph permissions reference).
RIGHTS = {
    "users": {"User.Read.All", "Directory.Read.All"},
    "groups": {"GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"},
    "servicePrincipals": {"Application.Read.All", "Directory.Read.All"},
    "organization": {"Organization.Read.All", "User.Read.All", "Directory.Read.All"},
}
DELTA_PAGE = 200
MEMBER_PORTION = 500
RESYNC = {
    "410": (410, "resyncRequired", "Resync required. Replace any local items with the server's version."),
    "400": (400, "Request_UnsupportedQuery", "DeltaLink older than 30 days is not supported."),
    "404": (
        404,
        "syncStateNotFound",
        "The sync state generation is not found. The delta token is expired and data must be synchronized again.",
    ),
}


class GraphRefusal(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def not_found(object_id: str) -> GraphRefusal:
    text = f"Resource '{object_id}' does not exist or one of its queried reference-property objects are not present."
    return GraphRefusal(404, "Request_ResourceNotFound", text)


def bad(message: str) -> GraphRefusal:
    return GraphRefusal(400, "Request_BadRequest", message)


def unsupported(message: str) -> GraphRefusal:
    return GraphRefusal(400, "Request_UnsupportedQuery", message)


class Graph:
    def __init__(self, directory: Directory, latency_ms: float = 0) -> None:
        self.directory = directory
        self.latency = latency_ms / 1000
        self.origin = ""
        # Delta tokens up to this sequence are dead, in one of three flavours.
        self.expired_up_to = -1
        self.flavour = "410"

    def __call__(self, request: Request) -> Response:
        response = self._handle(request)
        response.delay += self.latency
        self.directory.record("graph", request.method, request.path, request.query, response.status)
        return response

    def expire_tokens(self, flavour: str = "410") -> None:
        if flavour not in RESYNC:
            raise ValueError(f"flavour is {flavour!r}; it must be one of {', '.join(RESYNC)}.")
        self.expired_up_to, self.flavour = self.directory.sequence(), flavour

    def _handle(self, request: Request) -> Response:
        headers = {"Content-Type": "application/json;odata.metadata=minimal", "request-id": str(uuid.uuid4())}
        headers["client-request-id"] = request.headers.get("client-request-id", headers["request-id"])
        try:
            return Response(200, json.dumps(self._answer(request)).encode(), headers)
        except GraphRefusal as refusal:
            return Response(refusal.status, _error_body(refusal, headers), headers)

    def _answer(self, request: Request) -> Json:
        segments = request.segments
        roles = self._roles(request)
        if segments[:1] != ["v1.0"] or len(segments) < 2:
            raise GraphRefusal(404, "ResourceNotFound", "Resource not found for the segment.")
        if request.method != "GET":
            raise GraphRefusal(
                405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target."
            )
        kind = segments[1].partition("(")[0]
        if kind in RIGHTS and not RIGHTS[kind] & roles:
            raise GraphRefusal(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
        return self._dispatch(request, segments[1:])

    def _roles(self, request: Request) -> set[str]:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            raise GraphRefusal(401, "InvalidAuthenticationToken", "Access token is empty.")
        try:
            claims = jwt.decode(token, self.directory.fact("token_key"), algorithms=["HS256"], audience=self.origin)
        except jwt.ExpiredSignatureError as error:
            text = "Lifetime validation failed, the token is expired."
            raise GraphRefusal(401, "InvalidAuthenticationToken", text) from error
        except jwt.InvalidTokenError as error:
            text = "CompactToken parsing failed with error code: 80049217"
            raise GraphRefusal(401, "InvalidAuthenticationToken", text) from error
        return set(claims.get("roles") or [])

    def _dispatch(self, request: Request, path: list[str]) -> Json:
        match path:
            case [
                "users" | "groups" as kind,
                "delta" | "delta()" | "microsoft.graph.delta" | "microsoft.graph.delta()",
            ]:
                return self._delta(request, kind)
            case ["users" | "groups" as kind]:
                return self._list(request, kind)
            case ["users", key]:
                return {"@odata.context": self._context("users/$entity"), **self._user(request, key)}
            case ["users", key, "manager"]:
                return self._manager(request, key)
            case ["groups", key]:
                group = self._group(key)
                return {
                    "@odata.context": self._context("groups/$entity"),
                    **_selected(group, _select(request), GROUP_DEFAULT),
                }
            case ["groups", key, "members" | "transitiveMembers" as relation]:
                return self._members(request, key, relation)
            case ["organization"]:
                return self._organization()
            case ["servicePrincipals", *rest] | [*rest] if path[0].startswith("servicePrincipals"):
                return self._service_principals(request, path[0], rest if path[0] == "servicePrincipals" else path[1:])
        raise GraphRefusal(404, "BadRequest", f"Resource not found for the segment '{path[0]}'.")

    def _context(self, what: str) -> str:
        return f"{self.origin}/v1.0/$metadata#{what}"

    # Single objects

    def _user(self, request: Request, key: str) -> Json:
        user = self.directory.user(key)
        if user is None:
            raise not_found(key)
        shown = _selected(user, _select(request), USER_DEFAULT)
        if "manager" in request.parameters.get("$expand", "") and user["_manager"]:
            shown["manager"] = {"@odata.type": "#microsoft.graph.user", "id": user["_manager"]}
        return shown

    def _manager(self, request: Request, key: str) -> Json:
        user = self.directory.user(key)
        manager = self.directory.user(user["_manager"]) if user and user["_manager"] else None
        if manager is None:
            raise not_found("manager")
        shown = _selected(manager, _select(request), USER_DEFAULT)
        return {
            "@odata.context": self._context("directoryObjects/$entity"),
            "@odata.type": "#microsoft.graph.user",
            **shown,
        }

    def _group(self, key: str) -> Json:
        group = self.directory.group(key)
        if group is None:
            raise not_found(key)
        return group

    def _organization(self) -> Json:
        domain = self.directory.fact("domain")
        organization = {
            "id": self.directory.fact("directory_id"),
            "displayName": self.directory.fact("company", "Contoso"),
            "verifiedDomains": [
                {"name": domain, "isDefault": True, "isInitial": True, "capabilities": "Email", "type": "Managed"}
            ],
        }
        return {"@odata.context": self._context("organization"), "value": [organization]}

    def _service_principals(self, request: Request, head: str, rest: list[str]) -> Json:
        app, own = self.directory.fact("client_id"), self.directory.fact("service_principal_id")
        shown = {
            "id": own,
            "appId": app,
            "displayName": "AWS IAM Identity Center",
            "accountEnabled": True,
            "servicePrincipalType": "Application",
            "appRoleAssignmentRequired": True,
        }
        asked = re.search(r"appId\s*(?:=|eq)\s*'([^']*)'", head + request.parameters.get("$filter", ""))
        if rest[1:] == ["appRoleAssignedTo"] and rest[0] == own:
            return {"@odata.context": self._context("appRoleAssignments"), "value": self._app_role_assignments(own)}
        if asked and head.startswith("servicePrincipals("):
            if asked[1] != app:
                raise not_found(asked[1])
            return {"@odata.context": self._context("servicePrincipals/$entity"), **shown}
        if asked:
            return {"@odata.context": self._context("servicePrincipals"), "value": [shown] if asked[1] == app else []}
        if rest == [own]:
            return {"@odata.context": self._context("servicePrincipals/$entity"), **shown}
        raise not_found(rest[0] if rest else head)

    def _app_role_assignments(self, own: str) -> list[Json]:
        rows = self.directory.db.all("SELECT * FROM assignments ORDER BY n")
        return [
            {
                "id": row["id"],
                "appRoleId": "00000000-0000-0000-0000-000000000000",
                "principalId": row["principal_id"],
                "principalType": row["kind"],
                "principalDisplayName": (
                    self.directory.user(row["principal_id"]) or self.directory.group(row["principal_id"]) or {}
                ).get("displayName"),
                "resourceId": own,
                "resourceDisplayName": "AWS IAM Identity Center",
            }
            for row in rows
        ]

    # Lists

    def _list(self, request: Request, kind: str) -> Json:
        parameters = request.parameters
        top = _top(parameters.get("$top"))
        advanced = request.headers.get("consistencylevel", "").lower() == "eventual"
        where, values = _condition(parameters, kind, advanced)
        after = _skip(parameters.get("$skiptoken"))
        rows = self.directory.page(kind, where, values, after, top + 1)
        default = USER_DEFAULT if kind == "users" else GROUP_DEFAULT
        shown = [
            _selected(json.loads(row["body"]) | {"id": row["id"]}, _select(request), default) for row in rows[:top]
        ]
        answer: Json = {"@odata.context": self._context(kind)}
        if parameters.get("$count") == "true" and advanced:
            answer["@odata.count"] = self.directory.count(kind, where, values)
        if len(rows) > top:
            answer["@odata.nextLink"] = self._next(f"/v1.0/{kind}", parameters, rows[top - 1]["n"])
        return answer | {"value": shown}

    def _next(self, path: str, parameters: dict[str, str], position: Any) -> str:
        kept = {name: value for name, value in parameters.items() if name != "$skiptoken"}
        return f"{self.origin}{path}?{urlencode({**kept, '$skiptoken': _token(position)}, safe='$', quote_via=quote)}"

    def _members(self, request: Request, key: str, relation: str) -> Json:
        self._group(key)
        parameters = request.parameters
        top = _top(parameters.get("$top"))
        after = str(_untoken(parameters["$skiptoken"])) if "$skiptoken" in parameters else ""
        if relation == "members":
            rows = self.directory.members(key, after, top + 1)
        else:
            rows = [row for row in self.directory.transitive_members(key) if row[0] > after][: top + 1]
        answer: Json = {"@odata.context": self._context("directoryObjects")}
        if len(rows) > top:
            answer["@odata.nextLink"] = self._next(f"/v1.0/groups/{key}/{relation}", parameters, rows[top - 1][0])
        return answer | {"value": [self._member(member, kind, request) for member, kind in rows[:top]]}

    def _member(self, member_id: str, kind: str, request: Request) -> Json:
        found = self.directory.user(member_id) if kind == "user" else self.directory.group(member_id)
        shown = _selected(
            found or {"id": member_id}, _select(request), USER_DEFAULT if kind == "user" else GROUP_DEFAULT
        )
        return {"@odata.type": f"#microsoft.graph.{kind}", **shown}

    # Delta

    def _delta(self, request: Request, kind: str) -> Json:
        parameters = request.parameters
        token = parameters.get("$skiptoken") or parameters.get("$deltatoken")
        if parameters.get("$deltatoken") == "latest":
            select = _select(request)
            return {
                "@odata.context": self._context(kind),
                "value": [],
                "@odata.deltaLink": self._delta_link(kind, select),
            }
        if token is None:
            state: Json = {
                "kind": kind,
                "select": _select(request),
                "since": None,
                "upto": self.directory.sequence(),
                "at": [0, ""],
            }
        else:
            state = self._resume(token, kind)
        items, position = self._delta_page(kind, state)
        answer: Json = {"@odata.context": self._context(kind)}
        if position is None:
            answer["@odata.deltaLink"] = self._delta_link(kind, state["select"], state["upto"])
        else:
            answer["@odata.nextLink"] = f"{self.origin}/v1.0/{kind}/delta?$skiptoken={_token(state | {'at': position})}"
        return answer | {"value": items}

    def _delta_link(self, kind: str, select: list[str], upto: int | None = None) -> str:
        since = self.directory.sequence() if upto is None else upto
        return f"{self.origin}/v1.0/{kind}/delta?$deltatoken={_token({'kind': kind, 'select': select, 'since': since})}"

    def _resume(self, token: str, kind: str) -> Json:
        """A deltatoken begins a round, a skiptoken goes on with one."""
        state = _untoken(token)
        if not isinstance(state, dict) or state.get("kind") != kind:
            raise bad("Badly formed token.")
        if state["since"] is not None and state["since"] <= self.expired_up_to:
            raise GraphRefusal(*RESYNC[self.flavour])
        if "upto" not in state:
            state |= {"upto": self.directory.sequence(), "at": [0, ""]}
        return state

    def _delta_page(self, kind: str, state: Json) -> tuple[list[Json], Any]:
        if kind == "users":
            return self._users_delta(state)
        return self._groups_delta(state)

    def _users_delta(self, state: Json) -> tuple[list[Json], Any]:
        since, upto, (after, _member) = state["since"], state["upto"], state["at"]
        initial = since is None
        where = "deleted = ''" if initial else f"seq > {int(since)}"
        rows = self.directory.db.all(
            f"SELECT * FROM users WHERE n > ? AND seq <= ? AND {where} ORDER BY n LIMIT ?",
            (after, upto, DELTA_PAGE + 1),
        )
        if initial:
            # Whoever changes during the round is shown as he is now; the next round shows him again.
            sql = "SELECT * FROM users WHERE n > ? AND deleted = '' ORDER BY n LIMIT ?"
            rows = self.directory.db.all(sql, (after, DELTA_PAGE + 1))
        items = [self._user_item(row, state["select"], since) for row in rows[:DELTA_PAGE]]
        return items, ([rows[DELTA_PAGE - 1]["n"], ""] if len(rows) > DELTA_PAGE else None)

    def _user_item(self, row: Any, select: list[str], since: int | None) -> Json:
        if row["deleted"]:
            return {"id": row["id"], "@removed": {"reason": row["deleted"]}}
        item = _delta_item(json.loads(row["body"]) | {"id": row["id"]}, select or list(USER_DEFAULT), since is None)
        manager_changed = since is None or row["manager_seq"] > since
        if "manager" in select and manager_changed and (row["manager"] or since is not None):
            item["manager@delta"] = [_reference("user", row["manager"])] if row["manager"] else []
        return item

    def _groups_delta(self, state: Json) -> tuple[list[Json], Any]:
        """One group after another; a large member list comes in portions, the group repeated with each."""
        with_members = not state["select"] or "members" in state["select"]
        items: list[Json] = []
        at = state["at"]
        room = MEMBER_PORTION
        while room > 0 and len(items) < DELTA_PAGE:
            row = self._next_group(state, at)
            if row is None:
                return items, None
            entries, last = (
                self._portion(row, state, at[1] if row["n"] == at[0] else "", room) if with_members else ([], "")
            )
            items.append(self._group_item(row, state, entries))
            room -= len(entries)
            at = [row["n"], last] if last else [row["n"] + 1, ""]
        return items, at

    def _next_group(self, state: Json, at: Any) -> Any:
        """The group at or after the position that has something to tell."""
        since = state["since"]
        if since is None:
            return self.directory.db.one(
                "SELECT * FROM groups WHERE n >= ? AND deleted = '' ORDER BY n LIMIT 1", (at[0],)
            )
        sql = (
            "SELECT * FROM groups WHERE n >= ? AND ((seq > ? AND seq <= ?) OR id IN (SELECT group_id FROM member_log "
            "WHERE seq > ? AND seq <= ?)) ORDER BY n LIMIT 1"
        )
        return self.directory.db.one(sql, (at[0], since, state["upto"], since, state["upto"]))

    def _portion(self, row: Any, state: Json, after: str, room: int) -> tuple[list[Json], str]:
        """Member entries, and the last id when more follow."""
        if row["deleted"]:
            return [], ""
        if state["since"] is None:
            members = self.directory.members(row["id"], after, room + 1)
            entries = [_reference(kind, member) for member, kind in members[:room]]
            return entries, members[room - 1][0] if len(members) > room else ""
        sql = (
            "SELECT member_id, kind, removed, max(rowid) FROM member_log WHERE group_id = ? AND seq > ? AND seq <= ? "
            "AND member_id > ? GROUP BY member_id ORDER BY member_id LIMIT ?"
        )
        log = self.directory.db.all(sql, (row["id"], state["since"], state["upto"], after, room + 1))
        entries = [_reference(entry["kind"], entry["member_id"], bool(entry["removed"])) for entry in log[:room]]
        return entries, log[room - 1]["member_id"] if len(log) > room else ""

    def _group_item(self, row: Any, state: Json, entries: list[Json]) -> Json:
        if row["deleted"]:
            return {"id": row["id"], "@removed": {"reason": row["deleted"]}}
        body = json.loads(row["body"]) | {"id": row["id"]}
        item = _delta_item(body, state["select"] or list(GROUP_DEFAULT), state["since"] is None)
        return item | ({"members@delta": entries} if entries else {})


def _reference(kind: str, object_id: str, removed: bool = False) -> Json:
    entry: Json = {"@odata.type": f"#microsoft.graph.{kind}", "id": object_id}
    return entry | ({"@removed": {"reason": "deleted"}} if removed else {})


def _delta_item(body: Json, select: list[str], initial: bool) -> Json:
    """An initial round leaves nulls out; later rounds send a cleared property as null."""
    names = [name for name in dict.fromkeys(["id", *select]) if name not in ("manager", "members")]
    item = {name: body.get(name) for name in names}
    return {name: value for name, value in item.items() if value is not None} if initial else item


def _select(request: Request) -> list[str]:
    return [name for name in request.parameters.get("$select", "").split(",") if name]


def _selected(body: Json, select: list[str], default: tuple[str, ...]) -> Json:
    names = [name for name in (select or default) if name not in ("manager", "members")]
    shown = {name: body.get(name) for name in names}
    if "businessPhones" in shown and shown["businessPhones"] is None:
        shown["businessPhones"] = []
    if "groupTypes" in shown and shown["groupTypes"] is None:
        shown["groupTypes"] = []
    return {"id": body["id"], **shown}


def _top(text: str | None) -> int:
    if text is None:
        return 100
    if not text.isdigit() or not 1 <= int(text) <= 999:
        raise bad(f"Invalid page size specified: '{text}'. Must be between 1 and 999 inclusive.")
    return int(text)


def _token(state: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(state).encode()).decode().rstrip("=")


def _untoken(token: str) -> Any:
    try:
        return json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except ValueError as error:
        raise bad("Badly formed token.") from error


def _skip(token: str | None) -> int:
    return int(_untoken(token)) if token else 0


COLUMNS = {"displayName": "name", "userPrincipalName": "upn", "mail": "mail", "id": "id"}
STARTS = re.compile(r"startswith\((\w+),\s*'((?:[^']|'')*)'\)", re.IGNORECASE)
EQUALS = re.compile(r"(\w+) eq (?:'((?:[^']|'')*)'|(true|false))", re.IGNORECASE)
SEARCH = re.compile(r'"(\w+):((?:[^"\\]|\\.)*)"')


def _condition(parameters: dict[str, str], kind: str, advanced: bool) -> tuple[str, list[Any]]:
    if "$search" in parameters:
        if not advanced:
            raise unsupported(
                "Request with $search query parameter only works through MSGraph with a special request header: "
                "'ConsistencyLevel: eventual'"
            )
        return _search(parameters["$search"], kind)
    return _filter(parameters["$filter"], kind) if "$filter" in parameters else ("1", [])


def _search(text: str, kind: str) -> tuple[str, list[Any]]:
    """Tokens of the display name begin with the text; other properties begin with it themselves."""
    clauses = SEARCH.findall(text)
    if not clauses:
        raise bad("Syntax error: character '\"' is expected in $search.")
    parts: list[str] = []
    values: list[Any] = []
    for name, raw in clauses:
        value = _like(raw.replace('\\"', '"').replace("\\\\", "\\"))
        if name == "displayName":
            parts.append("name LIKE ? ESCAPE '\\' OR name LIKE ? ESCAPE '\\'")
            values += [f"{value}%", f"% {value}%"]
        elif name in COLUMNS and not (kind == "groups" and name == "userPrincipalName"):
            parts.append(f"{COLUMNS[name]} LIKE ? ESCAPE '\\'")
            values.append(f"{value}%")
        else:
            parts.append("lower(json_extract(body, ?)) LIKE ? ESCAPE '\\'")
            values += [f"$.{name}", f"{value}%"]
    return " OR ".join(f"({part})" for part in parts), values


def _like(text: str) -> str:
    return text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _filter(text: str, kind: str) -> tuple[str, list[Any]]:
    """eq and startswith, joined by one of and, or: what a picker needs."""
    joined = " AND " if re.search(r"\)\s+and\s+|'\s+and\s+", text) else " OR "
    parts: list[str] = []
    values: list[Any] = []
    for clause in re.split(r"\s+(?:and|or)\s+(?=\w+[ (])", text):
        if found := STARTS.fullmatch(clause.strip()):
            parts.append(f"{_column(found[1])} LIKE ? ESCAPE '\\'")
            values.append(_like(found[2].replace("''", "'")) + "%")
        elif found := EQUALS.fullmatch(clause.strip()):
            flag = {"true": 1, "false": 0}.get((found[3] or "").lower())
            parts.append(f"{_column(found[1])} = ?")
            values.append(flag if flag is not None else (found[2] or "").replace("''", "'").lower())
        else:
            raise unsupported(f"Unsupported or invalid query filter clause specified for resource '{kind}'.")
    return joined.join(parts), values


def _column(name: str) -> str:
    if not re.fullmatch(r"\w+", name):
        raise bad("Invalid filter clause")
    return COLUMNS.get(name) or f"lower(json_extract(body, '$.{name}'))"


def _error_body(refusal: GraphRefusal, headers: dict[str, str]) -> bytes:
    inner = {
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": headers["request-id"],
        "client-request-id": headers["client-request-id"],
    }
    error = {"code": refusal.code, "message": refusal.message, "innerError": inner}
    return json.dumps({"error": error}).encode()
