"""The directory reads of Microsoft Graph v1.0: lists, pickers, single objects, members, delta rounds."""

import json
import re
import time
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import jwt

from lab.entra import provisioning
from lab.entra.directory import Directory
from lab.entra.rounds import Rounds
from lab.entra.shapes import (
    DEFAULTS,
    GROUP_DEFAULT,
    OTHER_DEFAULT,
    USER_DEFAULT,
    GraphRefusal,
    bad,
    not_found,
    selected,
    token,
    unsupported,
    untoken,
)
from lab.entra.switches import GraphSwitches
from lab.http import Request, Response

Json = dict[str, Any]
# Which right opens which path (Graph permissions reference).
RIGHTS = {
    "users": {"User.Read.All", "Directory.Read.All"},
    "groups": {"GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"},
    "servicePrincipals": {"Application.Read.All", "Directory.Read.All"},
    "synchronization": {"Synchronization.Read.All", "Synchronization.ReadWrite.All"},
    "organization": {"Organization.Read.All", "User.Read.All", "Directory.Read.All"},
}
TOKEN_DAYS = 7
DAY = 24 * 3600
MAX_IDS = 1000
RESYNC = {
    "410": (410, "resyncRequired", "Resync required. Replace any local items with the server's version."),
    "400": (400, "Request_UnsupportedQuery", "DeltaLink older than 30 days is not supported."),
    "404": (
        404,
        "syncStateNotFound",
        "The sync state generation is not found. The delta token is expired and data must be synchronized again.",
    ),
}


class Graph:
    def __init__(self, directory: Directory, latency_ms: float = 0) -> None:
        self.directory = directory
        self.latency = latency_ms / 1000
        self.origin = ""
        self.elsewhere = "https://elsewhere.example"
        self.switches = GraphSwitches()
        self.rounds = Rounds(directory, self.switches)
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
            headers |= {"Location": refusal.location} if refusal.location else {}
            return Response(refusal.status, _error_body(refusal, headers), headers)

    def _answer(self, request: Request) -> Json:
        segments = request.segments
        roles = self._roles(request)
        if segments[:1] != ["v1.0"] or len(segments) < 2:
            raise GraphRefusal(404, "ResourceNotFound", "Resource not found for the segment.")
        if [request.method, *segments[1:]] == ["POST", "directoryObjects", "getByIds"]:
            return self._by_ids(request)
        if [request.method, *segments[1:]] == ["POST", "directoryObjects", "getAvailableExtensionProperties"]:
            return self._extension_properties(request, roles)
        if request.method != "GET":
            raise GraphRefusal(
                405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target."
            )
        kind = "synchronization" if segments[3:4] == ["synchronization"] else segments[1].partition("(")[0]
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
                    **selected(group, _select(request), GROUP_DEFAULT),
                }
            case ["groups", key, "members" | "transitiveMembers" as relation, *cast] if len(cast) < 2:
                return self._members(request, key, relation, cast)
            case ["users", key, "memberOf" | "transitiveMemberOf" as relation, *cast] if len(cast) < 2:
                return self._groups_of(request, key, relation, cast)
            case ["organization"]:
                return self._organization()
            case ["servicePrincipals", key, "synchronization", *rest]:
                return self._synchronization(key, rest)
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
        shown = selected(user, _select(request), USER_DEFAULT)
        if "manager" in request.parameters.get("$expand", "") and user["_manager"]:
            shown["manager"] = {"@odata.type": "#microsoft.graph.user", "id": user["_manager"]}
        return shown

    def _manager(self, request: Request, key: str) -> Json:
        user = self.directory.user(key)
        manager = self.directory.user(user["_manager"]) if user and user["_manager"] else None
        if manager is None:
            raise not_found("manager")
        shown = selected(manager, _select(request), USER_DEFAULT)
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
        if started := STARTS.fullmatch(request.parameters.get("$filter", "")):
            same = str(shown["displayName"]).lower().startswith(started[2].replace("''", "'").lower())
            found = [shown] if started[1] == "displayName" and same else []
            return {"@odata.context": self._context("servicePrincipals"), "value": found}
        asked = re.search(r"appId\s*(?:=|eq)\s*'([^']*)'", head + request.parameters.get("$filter", ""))
        if rest[1:] == ["appRoleAssignedTo"] and rest[0] == own:
            return self._app_role_assignments(request, own)
        if asked and head.startswith("servicePrincipals("):
            if asked[1] != app:
                raise not_found(asked[1])
            return {"@odata.context": self._context("servicePrincipals/$entity"), **shown}
        if asked:
            return {"@odata.context": self._context("servicePrincipals"), "value": [shown] if asked[1] == app else []}
        if rest == [own]:
            return {"@odata.context": self._context("servicePrincipals/$entity"), **shown}
        raise not_found(rest[0] if rest else head)

    def _synchronization(self, key: str, rest: list[str]) -> Json:
        """The one job of the application, and its schema."""
        own, directory_id = self.directory.fact("service_principal_id"), self.directory.fact("directory_id")
        if key.lower() != own:
            raise not_found(key)
        path = f"servicePrincipals('{own}')/synchronization/jobs"
        job = provisioning.job(directory_id, own)
        match rest:
            case ["jobs"]:
                return {"@odata.context": self._context(path), "value": [job]}
            case ["jobs", job_id, "schema"] if job_id == job["id"]:
                context = self._context(f"{path}('{job_id}')/schema/$entity")
                return {"@odata.context": context, **provisioning.schema(directory_id, own)}
        raise not_found("/".join(rest))

    def _app_role_assignments(self, request: Request, own: str) -> Json:
        parameters = request.parameters
        top, after = _top(parameters.get("$top")), _skip(parameters.get("$skiptoken"))
        rows = self.directory.assignments(after, top + 1)
        answer: Json = {"@odata.context": self._context("appRoleAssignments")}
        if len(rows) > top:
            path = f"/v1.0/servicePrincipals/{own}/appRoleAssignedTo"
            answer["@odata.nextLink"] = self._next(path, parameters, rows[top - 1]["n"])
        return answer | {"value": [self._app_role_assignment(row, own) for row in rows[:top]]}

    def _app_role_assignment(self, row: Any, own: str) -> Json:
        principal = self.directory.object(row["principal_id"])
        return {
            "id": row["id"],
            "appRoleId": row["role"],
            "principalId": row["principal_id"],
            "principalType": row["kind"],
            "principalDisplayName": principal[1].get("displayName") if principal else None,
            "resourceId": own,
            "resourceDisplayName": "AWS IAM Identity Center",
        }

    # Lists

    def _list(self, request: Request, kind: str) -> Json:
        parameters = request.parameters
        top = _top(parameters.get("$top"))
        advanced = request.headers.get("consistencylevel", "").lower() == "eventual"
        where, values = _condition(parameters, kind, advanced)
        after = _skip(parameters.get("$skiptoken"))
        rows = self.directory.page(kind, where, values, after, top + 1)
        answer: Json = {"@odata.context": self._context(kind)}
        if parameters.get("$count") == "true" and advanced and not after:
            answer["@odata.count"] = self._count(kind, where, values)
        rows, more = self._cut(kind, where, values, rows[:top], len(rows) > top)
        if more:
            answer["@odata.nextLink"] = self._next(f"/v1.0/{kind}", parameters, rows[-1]["n"])
        default = USER_DEFAULT if kind == "users" else GROUP_DEFAULT
        shown = [
            selected(json.loads(row["body"]) | {"id": row["id"]}, _select(request), default)
            for row in rows
            if not self.switches.leaves_out(kind, row["id"])
        ]
        return answer | {"value": shown}

    def _count(self, kind: str, where: str, values: list[Any]) -> int:
        if not self.switches["shrink_count"]:
            return self.directory.count(kind, where, values)
        rows = self.directory.page(kind, where, values, 0, -1)
        return sum(not self.switches.leaves_out(kind, row["id"]) for row in rows)

    def _cut(self, kind: str, where: str, values: list[Any], rows: list[Any], more: bool) -> tuple[list[Any], bool]:
        """A list that ends too early, when the switch says so."""
        most = self.switches["drop_list_after"]
        if not most or not rows:
            return rows, more
        before = self.directory.count(kind, f"({where}) AND n < {int(rows[0]['n'])}", values)
        return rows[: max(0, most - before)], more and before + len(rows) < most

    def _next(self, path: str, parameters: dict[str, str], position: Any) -> str:
        kept = {name: value for name, value in parameters.items() if name != "$skiptoken"}
        return f"{self.origin}{path}?{urlencode({**kept, '$skiptoken': token(position)}, safe='$', quote_via=quote)}"

    def _members(self, request: Request, key: str, relation: str, cast: list[str]) -> Json:
        self._group(key)
        if relation == "members":
            members = self.directory.members(key)
            most = self.switches["drop_members_of"].get(key)
            members = [row for row in members if not self.switches.leaves_out("members", row[0])][:most]
        else:
            members = self.directory.transitive_members(key)
        return self._objects(request, "/".join(["groups", key, relation, *cast]), members, cast)

    def _groups_of(self, request: Request, key: str, relation: str, cast: list[str]) -> Json:
        """Groups and directory roles; of groups in groups those too when it is transitive."""
        user = self.directory.user(key)
        if user is None:
            raise not_found(key)
        holders = self.directory.holders(user["id"], transitive=relation == "transitiveMemberOf")
        return self._objects(request, "/".join(["users", key, relation, *cast]), holders, cast)

    def _objects(self, request: Request, path: str, rows: list[tuple[str, str]], cast: list[str]) -> Json:
        """A page of (id, kind), in the order of ids; `cast` keeps one type."""
        parameters = request.parameters
        top = _top(parameters.get("$top"))
        after = str(untoken(parameters["$skiptoken"])) if "$skiptoken" in parameters else ""
        wanted = [f"microsoft.graph.{kind}" for _key, kind in rows] if cast else []
        kept = [row for n, row in enumerate(rows) if row[0] > after and (not cast or wanted[n] == cast[0])]
        answer: Json = {"@odata.context": self._context("directoryObjects")}
        if len(kept) > top:
            answer["@odata.nextLink"] = self._next(f"/v1.0/{path}", parameters, kept[top - 1][0])
        return answer | {"value": [self._object(object_id, kind, request) for object_id, kind in kept[:top]]}

    def _object(self, object_id: str, kind: str, request: Request) -> Json:
        """Without a right on its type Graph tells the type and the id alone (limited information)."""
        found = self.directory.object(object_id)
        body = {"id": object_id} if found is None or self.switches["limited_info"] else found[1]
        shown = selected(body, _select(request), DEFAULTS.get(kind, OTHER_DEFAULT))
        if self.switches["limited_info"]:
            shown = {name: object_id if name == "id" else None for name in shown}
        return {"@odata.type": f"#microsoft.graph.{kind}", **shown}

    def _by_ids(self, request: Request) -> Json:
        """Unknown and deleted ids are left out, repeated ones told once."""
        if not self._roles(request) & (RIGHTS["users"] | RIGHTS["groups"]):
            raise GraphRefusal(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
        try:
            body = json.loads(request.body)
            ids, types = list(body["ids"]), body.get("types") or []
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise bad("Invalid request body.") from error
        if len(ids) > MAX_IDS:
            raise bad(f"Too many items specified in 'ids': the limit is {MAX_IDS}.")
        found = [(key, self.directory.object(key)) for key in dict.fromkeys(ids)]
        shown = [(key, object_[0]) for key, object_ in found if object_ and (not types or object_[0] in types)]
        value = [self._object(key, kind, request) for key, kind in shown]
        return {"@odata.context": self._context("directoryObjects"), "value": value}

    def _extension_properties(self, request: Request, roles: set[str]) -> Json:
        """`isSyncedFromOnPremises` in the body keeps only those that are, or only those that are not."""
        if "Directory.Read.All" not in roles:
            raise GraphRefusal(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
        try:
            synced = json.loads(request.body or b"{}").get("isSyncedFromOnPremises")
        except (ValueError, AttributeError) as error:
            raise bad("Invalid request body.") from error
        known = self.directory.extensions()
        value = [one for one in known if synced is None or one["isSyncedFromOnPremises"] is synced]
        return {"@odata.context": self._context("Collection(extensionProperty)"), "value": value}

    # Delta

    def _delta(self, request: Request, kind: str) -> Json:
        parameters = request.parameters
        if parameters.get("$deltatoken") == "latest":
            link = self._delta_link({"kind": kind, "select": _select(request), "since": None, "upto": self._upto()})
            return {"@odata.context": self._context(kind), "value": [], "@odata.deltaLink": link}
        if "$skiptoken" in parameters and self.switches["dead_next_links"]:
            raise not_found("delta")
        token = parameters.get("$skiptoken") or parameters.get("$deltatoken")
        state = self._resume(token, kind) if token else self._begin(kind, _select(request))
        items, following = self.rounds.page(state, state["page"])
        return {"@odata.context": self._context(kind), **self._links(state, following), "value": items}

    def _begin(self, kind: str, select: list[str]) -> Json:
        return {"kind": kind, "select": select, "since": None, "upto": self._upto(), "page": 0}

    def _upto(self) -> int:
        return max(0, self.directory.sequence() - int(self.switches["lag"]))

    def _links(self, state: Json, following: int | None) -> Json:
        """The one link of a page; `foreign_link` sends the client to another host."""
        name = "next" if following is not None else "delta"
        if name == "delta":
            link = self._delta_link(state)
        else:
            link = f"{self.origin}/v1.0/{state['kind']}/delta?$skiptoken={token(state | {'page': following})}"
        if self.switches["foreign_link"] == name:
            link = link.replace(self.origin, self.elsewhere)
        return {} if name == "delta" and self.switches["lose_delta_link"] else {f"@odata.{name}Link": link}

    def _delta_link(self, state: Json) -> str:
        facts = {"kind": state["kind"], "select": state["select"], "since": state["upto"], "before": state["since"]}
        return f"{self.origin}/v1.0/{state['kind']}/delta?$deltatoken={token(facts | {'minted': self._now()})}"

    def _now(self) -> float:
        return time.time() + float(self.switches["days_passed"]) * DAY

    def _resume(self, text: str, kind: str) -> Json:
        """A deltatoken begins a round, a skiptoken goes on with one."""
        state = untoken(text)
        if not isinstance(state, dict) or state.get("kind") != kind:
            raise bad("Badly formed token.")
        begins = "upto" not in state
        if state["since"] is not None and state["since"] <= self.expired_up_to:
            raise self._dead(kind, self.flavour)
        if begins and self._now() - state.get("minted", self._now()) > TOKEN_DAYS * DAY:
            raise self._dead(kind, self.switches["expiry"])
        return state | {"upto": max(self._upto(), state["since"]), "page": 0} if begins else state

    def _dead(self, kind: str, flavour: str) -> GraphRefusal:
        location = f"{self.origin}/v1.0/{kind}/delta?$deltatoken=" if flavour == "410" else ""
        return GraphRefusal(*RESYNC[flavour], location)


def _select(request: Request) -> list[str]:
    return [name for name in request.parameters.get("$select", "").split(",") if name]


def _top(text: str | None) -> int:
    if text is None:
        return 100
    if not text.isdigit() or not 1 <= int(text) <= 999:
        raise bad(f"Invalid page size specified: '{text}'. Must be between 1 and 999 inclusive.")
    return int(text)


def _skip(text: str | None) -> int:
    return int(untoken(text)) if text else 0


COLUMNS = {"displayName": "name", "userPrincipalName": "upn", "mail": "mail", "id": "id"}
STARTS = re.compile(r"startswith\((\w+),\s*'((?:[^']|'')*)'\)", re.IGNORECASE)
IN = re.compile(r"(\w+) in \(('(?:[^']|'')*'(?:\s*,\s*'(?:[^']|'')*')*)\)", re.IGNORECASE)
MOST_IN = 15
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
    """eq and startswith, joined by one of and, or, and `in` alone: what a picker needs."""
    if found := IN.fullmatch(text.strip()):
        return _in(found[1], found[2])
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


def _in(name: str, listed: str) -> tuple[str, list[Any]]:
    values = [value.replace("''", "'").lower() for value in re.findall(r"'((?:[^']|'')*)'", listed)]
    if len(values) > MOST_IN:
        raise bad(
            f"Too many child clauses specified in search filter expression containing 'OR' operators: {len(values)}. Max allowed: {MOST_IN}."
        )
    return f"{_column(name)} IN ({', '.join('?' * len(values))})", list(values)


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
