"""Microsoft Graph v1.0 as far as provisioning reads it: who may ask, which path leads where, how errors look."""

import json
from datetime import UTC, datetime
from typing import Any

import jwt

from lab import chance, clock
from lab.entra.application import Application
from lab.entra.directory import Directory
from lab.entra.objects import Objects
from lab.entra.odata import Links
from lab.entra.rounds import Delta
from lab.entra.shapes import GraphRefusal
from lab.entra.subscriptions import Subscriptions
from lab.entra.switches import GraphSwitches
from lab.http import Request, Response

Json = dict[str, Any]
# One of these rights opens a path (Graph permissions reference).
RIGHTS = {
    "users": {"User.Read.All", "Directory.Read.All"},
    "groups": {"GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"},
    "servicePrincipals": {"Application.Read.All", "Directory.Read.All"},
    "synchronization": {"Synchronization.Read.All", "Synchronization.ReadWrite.All"},
    "organization": {"Organization.Read.All", "User.Read.All", "Directory.Read.All"},
    "getByIds": {"User.Read.All", "GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"},
    "getAvailableExtensionProperties": {"Directory.Read.All"},
}
# The lab's clock decides on times, not jwt's.
TIMELESS: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
DELTA = ("delta", "delta()", "microsoft.graph.delta", "microsoft.graph.delta()")


class Graph:
    def __init__(self, directory: Directory, latency_ms: float = 0) -> None:
        self.directory = directory
        self.latency = latency_ms / 1000
        self.links = Links()
        self.switches = GraphSwitches()
        self.objects = Objects(directory, self.switches, self.links)
        self.application = Application(directory, self.links)
        self.delta = Delta(directory, self.switches, self.links)
        self.subscriptions = Subscriptions(directory)

    def forget(self) -> None:
        """Everything behaves, and no round was ever begun."""
        self.switches.reset()
        self.delta.forget()
        self.subscriptions.forget()

    def __call__(self, request: Request) -> Response:
        response = self._handle(request)
        response.delay += self.latency
        self.directory.record("graph", request.method, request.path, request.query, response.status)
        return response

    def _handle(self, request: Request) -> Response:
        headers = {"Content-Type": "application/json;odata.metadata=minimal", "request-id": chance.new_uuid()}
        headers["client-request-id"] = request.headers.get("client-request-id", headers["request-id"])
        try:
            if request.segments[1:2] == ["subscriptions"]:
                status, answer = self.subscriptions.answer(request, request.segments[2:], self._roles(request))
                return Response(status, json.dumps(answer).encode() if status != 204 else b"", headers)
            return Response(200, json.dumps(self._answer(request)).encode(), headers)
        except GraphRefusal as refusal:
            headers |= {"Location": refusal.location} if refusal.location else {}
            return Response(refusal.status, _error_body(refusal, headers), headers)

    def _answer(self, request: Request) -> Json:
        roles = self._roles(request)
        version, *path = request.segments or [""]
        if version != "v1.0" or not path:
            raise GraphRefusal(404, "ResourceNotFound", "Resource not found for the segment.")
        match [request.method, *path]:
            case ["GET", *_]:
                _require(roles, "synchronization" if path[2:3] == ["synchronization"] else path[0].partition("(")[0])
                return self._read(request, path)
            case ["POST", "directoryObjects", "getByIds"]:
                _require(roles, "getByIds")
                return self.objects.by_ids(request)
            case ["POST", "directoryObjects", "getAvailableExtensionProperties"]:
                _require(roles, "getAvailableExtensionProperties")
                return self.objects.extension_properties(request)
        raise GraphRefusal(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")

    def _roles(self, request: Request) -> set[str]:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            raise GraphRefusal(401, "InvalidAuthenticationToken", "Access token is empty.")
        try:
            claims = jwt.decode(
                token,
                self.directory.fact("token_key"),
                algorithms=["HS256"],
                audience=self.links.origin,
                options=TIMELESS,
            )
        except jwt.InvalidTokenError as error:
            text = "CompactToken parsing failed with error code: 80049217"
            raise GraphRefusal(401, "InvalidAuthenticationToken", text) from error
        if claims["exp"] <= clock.now():
            text = "Lifetime validation failed, the token is expired."
            raise GraphRefusal(401, "InvalidAuthenticationToken", text)
        return set(claims.get("roles") or [])

    def _read(self, request: Request, path: list[str]) -> Json:
        objects, application = self.objects, self.application
        match path:
            case ["users" | "groups" as kind, function] if function in DELTA:
                return self.delta.answer(request, kind)
            case ["users" | "groups" as kind]:
                return objects.collection(request, kind)
            case ["users", key]:
                return objects.user(request, key)
            case ["users", key, "manager"]:
                return objects.manager(request, key)
            case ["groups", key]:
                return objects.group(request, key)
            case ["groups", key, "members" | "transitiveMembers" as relation, *cast] if len(cast) < 2:
                return objects.members(request, key, relation, cast)
            case ["users", key, "memberOf" | "transitiveMemberOf" as relation, *cast] if len(cast) < 2:
                return objects.groups_of(request, key, relation, cast)
            case ["organization"]:
                return objects.organization()
            case ["servicePrincipals", key, "synchronization", *rest]:
                return application.synchronization(key, rest)
            case [head, *rest] if head.startswith("servicePrincipals"):
                return application.service_principals(request, head, rest)
        raise GraphRefusal(404, "BadRequest", f"Resource not found for the segment '{path[0]}'.")


def _require(roles: set[str], target: str) -> None:
    if target in RIGHTS and not RIGHTS[target] & roles:
        raise GraphRefusal(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def _error_body(refusal: GraphRefusal, headers: dict[str, str]) -> bytes:
    inner = {
        "date": datetime.fromtimestamp(clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": headers["request-id"],
        "client-request-id": headers["client-request-id"],
    }
    error = {"code": refusal.code, "message": refusal.message, "innerError": inner}
    return json.dumps({"error": error}).encode()
