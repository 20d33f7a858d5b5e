"""The console's handler: a page for people, a JSON API for tests and scripts. Loopback only, no secrets but the lab's own."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from lab.aws import by_hand, validation
from lab.aws.app import AwsApp
from lab.aws.errors import Refused
from lab.aws.store import AwsStore
from lab.aws.switches import SWITCHES
from lab.console import actions, page
from lab.elsewhere import Elsewhere
from lab.entra.directory import DEFAULT_ROLE, Directory
from lab.entra.graph import Graph
from lab.faults import Faults
from lab.http import Request, Response, Server

Json = dict[str, Any]
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
SAFE = ("GET", "HEAD")


class Console:
    def __init__(
        self,
        directory: Directory,
        aws: AwsStore,
        graph: Graph,
        scim: AwsApp,
        faults: Faults,
        *,
        elsewhere: Elsewhere,
    ) -> None:
        self.directory = directory
        self.aws = aws
        self.graph = graph
        self.scim = scim
        self.faults = faults
        self.elsewhere = elsewhere
        # Filled when they listen.
        self.servers: dict[str, Server] = {}

    def __call__(self, request: Request) -> Response:
        if not _from_here(request):
            return _json(403, {"error": "This console answers its own pages on this machine only."})
        path = request.segments
        if path[:1] == ["api"]:
            return self._api(request, path[1:])
        match [request.method, *path]:
            case ["GET"]:
                return page.render(self, request)
            case ["GET", "console.css"]:
                return page.stylesheet()
            case ["POST", "deeds", name]:
                return self._deed(name, dict(parse_qsl(request.body.decode())))
        return _json(404, {"error": "There is no such page."})

    def _deed(self, name: str, form: dict[str, str]) -> Response:
        """A button of the page; the answer sends the browser back to it."""
        try:
            said = actions.do(self, name, form)
        except (KeyError, ValueError) as error:
            said = f"Not done: {error}"
        return Response(303, b"", {"Location": page.link(said=said, q=form.get("q", ""))})

    def _api(self, request: Request, path: list[str]) -> Response:
        try:
            body = json.loads(request.body) if request.body else {}
            action = self._action(request, path)
            return _json(404, {"error": "There is no such call."}) if action is None else _json(200, action(body))
        except KeyError as error:
            return _json(404, {"error": f"Nothing has the id {error}."})
        except (TypeError, ValueError) as error:
            return _json(400, {"error": str(error)})
        except Refused as error:
            return _json(error.status, {"error": error.detail})

    def _action(self, request: Request, path: list[str]) -> Callable[[Json], Any] | None:
        after = int(request.parameters.get("after", "0"))
        match [request.method, *path]:
            case [_, "aws", *rest]:
                return self._aws_action(request.method, rest, after)
            case [_, "entra", *rest]:
                return self._entra_action(request.method, rest)
            case ["GET", "graph", "ledger"]:
                return lambda _: self.directory.ledger(after)
            case ["DELETE", "graph", "ledger"]:
                return lambda _: self.directory.empty_ledger()
            case ["GET", "elsewhere"]:
                return lambda _: self.elsewhere.visits
            case ["DELETE", "elsewhere"]:
                return lambda _: self.elsewhere.visits.clear()
            case ["GET", "timings"]:
                return lambda _: self._timings()
            case ["DELETE", "timings"]:
                return lambda _: self._empty_timings()
            case ["GET", "graph", "switches"]:
                return lambda _: self.graph.switches.shown()
            case ["POST", "graph", "switches"]:
                return self.graph.switches.set
            case ["DELETE", "graph", "switches"]:
                return lambda _: self.graph.switches.reset()
            case ["GET", "faults"]:
                return lambda _: self.faults.all()
            case ["POST", "faults"]:
                return lambda body: self.faults.add(body).as_json()
            case ["DELETE", "faults"]:
                return lambda _: self.faults.delete()
            case ["DELETE", "faults", fault_id]:
                return lambda _: self.faults.delete(int(fault_id))
            case ["POST", "faults", fault_id, "release"]:
                return lambda _: self.faults.release(int(fault_id))
        return None

    def _empty_timings(self) -> None:
        for server in self.servers.values():
            server.timing.empty()

    def _timings(self) -> Json:
        """What the lab itself took: in handlers, and of the processor."""
        return {
            f"{part}_{name}": getattr(server.timing, name)
            for part, server in self.servers.items()
            for name in ("requests", "seconds", "cpu_seconds")
        }

    def _aws_action(self, method: str, path: list[str], after: int) -> Callable[[Json], Any] | None:
        match [method, *path]:
            case ["GET", "state"]:
                return lambda _: self.aws.state()
            case ["GET", "ledger"]:
                return lambda _: self.aws.ledger(after)
            case ["DELETE", "ledger"]:
                return lambda _: self.aws.empty_ledger()
            case ["GET", "counts"]:
                return lambda _: self.aws.counts() | {"max_in_flight": self.servers["aws"].in_flight.most}
            case ["GET", "switches"]:
                return lambda _: self._switches()
            case ["POST", "switches"]:
                return self.aws.set_switches
            case ["POST", "users"]:
                return lambda body: self.aws.create_user(validation.user(body, self.aws.switches))
            case ["DELETE", "users"]:
                return lambda _: self.aws.wipe()
            case ["DELETE", "users", user_id]:
                return lambda _: actions.found(self.aws.delete_user(user_id), user_id)
            case ["PATCH", "users", user_id]:
                return lambda body: by_hand.change_user(self.aws, user_id, body)
            case ["POST", "groups"]:
                return lambda body: by_hand.create_group(self.aws, body)
            case ["PATCH", "groups", group_id]:
                return lambda body: by_hand.change_group(self.aws, group_id, body)
            case ["DELETE", "groups", group_id]:
                return lambda _: actions.found(self.aws.delete_group(group_id), group_id)
            case ["POST", "groups", group_id, "members"]:
                return lambda body: by_hand.change_members(self.aws, group_id, body)
            case ["DELETE", "counts"]:
                return lambda _: self.servers["aws"].in_flight.forget()
            case ["DELETE", "switches"]:
                return lambda _: self.aws.reset_switches()
            case ["POST", "control-tower"]:
                return lambda _: actions.add_control_tower(self)
            case ["POST", "token"]:
                return self._token
        return None

    def _switches(self) -> Json:
        return {
            name: {
                "value": self.aws.switches[name],
                "default": switch.default,
                "allowed": switch.allowed,
                "meaning": switch.meaning,
            }
            for name, switch in SWITCHES.items()
        }

    def _token(self, body: Json) -> Json:
        match body.get("action"):
            case "expire":
                self.aws.expire_tokens()
            case "deny":
                self.aws.deny_tokens()
            case "revoke":
                self.aws.delete_tokens()
            case "new":
                return {"secret": self.aws.new_token()}
            case other:
                raise ValueError(f"action is {other!r}; it must be expire, deny, revoke or new.")
        return {}

    def _entra_action(self, method: str, path: list[str]) -> Callable[[Json], Any] | None:
        directory = self.directory
        match [method, *path]:
            case ["GET", "state"]:
                return lambda _: directory.state()
            case ["GET", "ids"]:
                return lambda _: directory.ids()
            case ["POST", "extend"]:
                return lambda body: directory.extend(**body)
            case ["POST", "hire"]:
                return lambda body: directory.hire(body, body.get("groups", []))
            case ["PATCH", "users", user_id]:
                return lambda body: directory.change_user(user_id, body)
            case ["POST", "users", user_id, "leave"]:
                return lambda _: directory.leave(user_id)
            case ["POST", "users", user_id, "restore"]:
                return lambda _: directory.restore(user_id)
            case ["POST", "users", user_id, "purge"]:
                return lambda _: directory.purge(user_id)
            case ["POST", "groups"]:
                return lambda body: directory.create_group(body, body.get("members", []))
            case ["PATCH", "groups", group_id]:
                return lambda body: directory.change_group(group_id, body)
            case ["DELETE", "groups", group_id]:
                return lambda body: directory.delete_group(group_id, body.get("soft"))
            case ["POST", "groups", group_id, "restore"]:
                return lambda _: directory.restore_group(group_id)
            case ["POST", "groups", group_id, "purge"]:
                return lambda _: directory.purge_group(group_id)
            case ["POST", "groups", group_id, "members"]:
                return lambda body: directory.change_members(group_id, body.get("add", []), body.get("remove", []))
            case ["POST", "others"]:
                return lambda body: directory.add_other(body["kind"], body["displayName"], body.get("members", []))
            case ["GET", "assignments"]:
                return lambda _: [dict(row) for row in directory.assignments()]
            case ["POST", "assignments"]:
                return self._assignments
            case ["POST", "roles"]:
                return self._roles
            case ["POST", "secret"]:
                return self._secret
            case ["POST", "delta"]:
                return lambda body: self.graph.expire_tokens(body.get("expire_tokens", "410"))
        return None

    def _assignments(self, body: Json) -> list[Json]:
        """`add`: {principalId, appRoleId?}; `remove`: ids of assignments or principals. Answers with the added ones."""
        with self.directory.db.transaction():
            for key in body.get("remove", []):
                self.directory.unassign(key)
            added = body.get("add", [])
            return [self.directory.assign(one["principalId"], one.get("appRoleId", DEFAULT_ROLE)) for one in added]

    def _roles(self, body: Json) -> Json:
        self.directory.grant(body.get("grant", []))
        self.directory.revoke(body.get("revoke", []))
        return {"roles": self.directory.roles()}

    def _secret(self, body: Json) -> Json:
        if body.get("action") == "expire":
            self.directory.expire_secret()
            return {}
        return {"secret": self.directory.new_secret()}


def _from_here(request: Request) -> bool:
    """A page of another site must not press our buttons: its Host or Origin gives it away.

    A sandboxed frame of any site sends `Origin: null` (HTML, opaque origins).
    """
    host = request.headers.get("host", "")
    if host.rpartition(":")[0] not in LOOPBACK and host not in LOOPBACK:
        return False
    origin = request.headers.get("origin")
    return request.method in SAFE or origin is None or urlsplit(origin).netloc == host


def _json(status: int, body: Any) -> Response:
    return Response(
        status, json.dumps(body).encode(), {"Content-Type": "application/json", "Cache-Control": "no-store"}
    )
