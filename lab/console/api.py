"""The console's JSON API, for tests and scripts: changes the company, AWS and the services, and shows what they hold."""

import json
from collections.abc import Callable
from typing import Any

from lab.aws import by_hand, validation
from lab.aws.errors import ScimRefusal
from lab.aws.store import AwsStore
from lab.aws.switches import SWITCHES
from lab.console.actions import add_control_tower, require_found
from lab.console.beginning import begin
from lab.console.connection import connection_of
from lab.console.world import World
from lab.entra.directory import DEFAULT_ROLE, Directory
from lab.entra.web_sign_in import WebSignIn
from lab.faults import Faults
from lab.http import Request, Response

Json = dict[str, Any]
# Takes the body of the request; its result is the answer.
Call = Callable[[Json], Any]


def answer(world: World, request: Request, path: list[str]) -> Response:
    """`path`: below /api."""
    try:
        body = json.loads(request.body) if request.body else {}
        call = _call(world, request, path)
        return (
            json_response(404, {"error": "There is no such call."}) if call is None else json_response(200, call(body))
        )
    except KeyError as error:
        return json_response(404, {"error": f"Nothing has the id {error}."})
    except (TypeError, ValueError) as error:
        return json_response(400, {"error": str(error)})
    except ScimRefusal as error:
        return json_response(error.status, {"error": error.detail})


def json_response(status: int, body: Any) -> Response:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Response(status, json.dumps(body).encode(), headers)


def _call(world: World, request: Request, path: list[str]) -> Call | None:
    after = int(request.parameters.get("after", "0"))
    match [request.method, *path]:
        case [method, "aws", *rest]:
            return _aws_call(world, method, rest, after)
        case [method, "entra", *rest]:
            return _entra_call(world, method, rest)
        case [method, "graph", *rest]:
            return _graph_call(world, method, rest, after)
        case [method, "faults", *rest]:
            return _fault_call(world.faults, method, rest)
        case ["POST", "begin"]:
            return lambda body: begin(world, int(body["seed"]))
        case ["PUT", "kept", name]:
            return lambda _: world.keep(name)
        case ["POST", "kept", name]:
            return lambda _: world.return_to(name)
        case ["GET", "connection"]:
            return lambda _: connection_of(world)
        case ["GET", "elsewhere"]:
            return lambda _: world.elsewhere.visits
        case ["DELETE", "elsewhere"]:
            return lambda _: world.elsewhere.visits.clear()
        case ["GET", "timings"]:
            return lambda _: _timings(world)
        case ["DELETE", "timings"]:
            return lambda _: _empty_timings(world)
    return None


def _graph_call(world: World, method: str, path: list[str], after: int) -> Call | None:
    directory, switches = world.directory, world.graph.switches
    match [method, *path]:
        case ["GET", "ledger"]:
            return lambda _: directory.ledger(after)
        case ["DELETE", "ledger"]:
            return lambda _: directory.empty_ledger()
        case ["GET", "switches"]:
            return lambda _: switches.shown()
        case ["POST", "switches"]:
            return switches.set
        case ["DELETE", "switches"]:
            return lambda _: switches.reset()
    return None


def _fault_call(faults: Faults, method: str, path: list[str]) -> Call | None:
    match [method, *path]:
        case ["GET"]:
            return lambda _: faults.all()
        case ["POST"]:
            return lambda body: faults.add(body).as_json()
        case ["DELETE"]:
            return lambda _: faults.delete()
        case ["DELETE", fault_id]:
            return lambda _: faults.delete(int(fault_id))
        case ["POST", fault_id, "release"]:
            return lambda _: faults.release(int(fault_id))
    return None


def _timings(world: World) -> Json:
    """What the lab itself took: in handlers, and of the processor."""
    return {
        f"{part}_{name}": getattr(server.timing, name)
        for part, server in world.servers.items()
        for name in ("requests", "seconds", "cpu_seconds")
    }


def _empty_timings(world: World) -> None:
    for server in world.servers.values():
        server.timing.empty()


def _aws_call(world: World, method: str, path: list[str], after: int) -> Call | None:
    aws = world.aws
    match [method, *path]:
        case ["GET", "state"]:
            return lambda _: aws.state()
        case ["GET", "ledger"]:
            return lambda _: aws.ledger(after)
        case ["DELETE", "ledger"]:
            return lambda _: aws.empty_ledger()
        case ["GET", "counts"]:
            return lambda _: aws.counts() | {"max_in_flight": world.servers["aws"].in_flight.most}
        case ["DELETE", "counts"]:
            return lambda _: world.servers["aws"].in_flight.forget()
        case ["GET", "switches"]:
            return lambda _: _shown_switches(aws)
        case ["POST", "switches"]:
            return aws.set_switches
        case ["DELETE", "switches"]:
            return lambda _: aws.reset_switches()
        case ["POST", "users"]:
            return lambda body: aws.create_user(validation.validated_user(body, aws.switches))
        case ["DELETE", "users"]:
            return lambda _: aws.wipe()
        case ["DELETE", "users", user_id]:
            return lambda _: require_found(aws.delete_user(user_id), user_id)
        case ["PATCH", "users", user_id]:
            return lambda body: by_hand.change_user(aws, user_id, body)
        case ["POST", "groups"]:
            return lambda body: by_hand.create_group(aws, body)
        case ["PATCH", "groups", group_id]:
            return lambda body: by_hand.change_group(aws, group_id, body)
        case ["POST", "groups", group_id, "remake"]:
            return lambda _: by_hand.remake_group(aws, group_id)
        case ["DELETE", "groups", group_id]:
            return lambda _: require_found(aws.delete_group(group_id), group_id)
        case ["POST", "groups", group_id, "members"]:
            return lambda body: by_hand.change_members(aws, group_id, body)
        case ["POST", "control-tower"]:
            return lambda _: add_control_tower(world)
        case ["POST", "token"]:
            return lambda body: _change_token(aws, body)
    return None


def _shown_switches(aws: AwsStore) -> Json:
    return {
        name: {
            "value": aws.switches[name],
            "default": switch.default,
            "allowed": switch.allowed,
            "meaning": switch.meaning,
        }
        for name, switch in SWITCHES.items()
    }


def _change_token(aws: AwsStore, body: Json) -> Json:
    match body.get("action"):
        case "expire":
            aws.expire_tokens()
        case "deny":
            aws.deny_tokens()
        case "revoke":
            aws.delete_tokens()
        case "delete former":
            aws.delete_former_tokens()
        case "new":
            return {"secret": aws.new_token()}
        case "renew":
            aws.delete_tokens()
            return {"secret": aws.new_token()}
        case other:
            raise ValueError(f"action is {other!r}; it must be expire, deny, revoke, delete former, new or renew.")
    return {}


def _entra_call(world: World, method: str, path: list[str]) -> Call | None:
    directory = world.directory
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
        case ["POST", "users", user_id, "remake"]:
            return lambda _: directory.remake(user_id)
        case ["POST", "groups"]:
            return lambda body: directory.create_group(body, body.get("members", []))
        case ["PATCH", "groups", group_id]:
            return lambda body: directory.change_group(group_id, body)
        case ["DELETE", "groups", group_id]:
            return lambda body: directory.delete_group(group_id, body.get("soft"))
        case ["POST", "groups", group_id, "restore"]:
            return lambda _: directory.restore_group(group_id)
        case ["POST", "groups", group_id, "remake"]:
            return lambda _: directory.remake_group(group_id)
        case ["POST", "groups", group_id, "purge"]:
            return lambda _: directory.purge_group(group_id)
        case ["POST", "groups", group_id, "members"]:
            return lambda body: directory.change_members(group_id, body.get("add", []), body.get("remove", []))
        case ["POST", "others"]:
            return lambda body: directory.add_other(body["kind"], body["displayName"], body.get("members", []))
        case ["GET", "assignments"]:
            return lambda _: [dict(row) for row in directory.assignments()]
        case ["POST", "assignments"]:
            return lambda body: _change_assignments(directory, body)
        case ["POST", "roles"]:
            return lambda body: _change_roles(directory, body)
        case ["POST", "secret"]:
            return lambda body: _change_secret(directory, body)
        case ["POST", "certificates"]:
            return lambda body: directory.upload_certificate(body["pem"])
        case ["POST", "federated"]:
            return lambda body: directory.federate(body["issuer"], body["subject"], body["audience"])
        case ["POST", "federated-token"]:
            return lambda body: world.issuer.write(**body)
        case ["POST", "sign-in"]:
            return lambda body: WebSignIn(directory, world.issuer.key).behave(body)
        case ["DELETE", "credentials"]:
            return lambda _: directory.forget_credentials()
        case ["POST", "delta"]:
            return lambda body: world.graph.delta.expire_tokens(body.get("expire_tokens", "410"))
    return None


def _change_assignments(directory: Directory, body: Json) -> list[Json]:
    """`add`: {principalId, appRoleId?}; `remove`: ids of assignments or principals. Answers with the added ones."""
    with directory.db.transaction():
        for key in body.get("remove", []):
            directory.unassign(key)
        added = body.get("add", [])
        return [directory.assign(one["principalId"], one.get("appRoleId", DEFAULT_ROLE)) for one in added]


def _change_roles(directory: Directory, body: Json) -> Json:
    directory.grant(body.get("grant", []))
    directory.revoke(body.get("revoke", []))
    return {"roles": directory.roles()}


def _change_secret(directory: Directory, body: Json) -> Json:
    match body.get("action"):
        case "expire":
            directory.expire_secret()
        case "second":
            return {"secret": directory.second_secret()}
        case "delete former":
            directory.delete_former_secrets()
        case _:
            return {"secret": directory.new_secret()}
    return {}
