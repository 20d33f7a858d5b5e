"""Carrying out a plan: intent committed, request, result committed; many in flight, paced by the client.

No thread here touches the database: the journal (sync/recording.py) does, from the caller's thread alone.
"""

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from sync.scim.client import Answer, ScimClient
from sync.scim.errors import Conflict, OutcomeUnknown, ScimError

Kind = Literal["create_user", "patch_user", "create_group", "patch_group", "add_members", "remove_members", "nothing"]


@dataclass(frozen=True, slots=True)
class Request:
    """What to send for one operation. `body`: a resource, PATCH operations, or member ids, by kind."""

    operation_id: int
    kind: Kind
    scim_id: str = ""
    body: Any = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    operation_id: int
    answer: Answer | None = None
    error: ScimError | None = None


class Journal(Protocol):
    def begin(self, count: int) -> Sequence[Request]:
        """Commits the intent of up to `count` operations and returns their requests; empty when the stage is done."""

    def finish(self, outcomes: Sequence[Outcome]) -> None:
        """Commits what came of them."""


def export_stage(journal: Journal, client: ScimClient, connections: int) -> None:
    """One stage of the plan, until nothing is left and nothing is in flight."""
    with ThreadPoolExecutor(connections, thread_name_prefix="scim") as pool:
        flying: set[Future[Outcome]] = set()
        while True:
            for request in journal.begin(2 * connections - len(flying)):
                flying.add(pool.submit(send, client, request))
            if not flying:
                return
            done, flying = wait(flying, return_when=FIRST_COMPLETED)
            journal.finish([future.result() for future in done])


def send(client: ScimClient, request: Request) -> Outcome:
    try:
        return Outcome(request.operation_id, answer=_send(client, request))
    except ScimError as error:
        return Outcome(request.operation_id, error=error)


def _send(client: ScimClient, request: Request) -> Answer | None:
    match request.kind:
        case "create_user" | "create_group":
            return _create(client, request)
        case "patch_user":
            return client.patch_user(request.scim_id, request.body)
        case "patch_group":
            return client.patch_group(request.scim_id, request.body)
        case "add_members":
            return client.add_members(request.scim_id, request.body)
        case "remove_members":
            return client.remove_members(request.scim_id, request.body)
        case "nothing":
            return None


def _create(client: ScimClient, request: Request) -> Answer:
    """A create whose answer is unknown, or that clashes on a retry, may have been applied: read before anything else."""
    user = request.kind == "create_user"
    try:
        return client.create_user(request.body) if user else client.create_group(request.body)
    except (OutcomeUnknown, Conflict) as error:
        ours = isinstance(error, OutcomeUnknown) or request.body.get("externalId")
        found = find_created(client, "user" if user else "group", request.body) if ours else None
        if found is None:
            raise
        return client.get_user(found["id"]) if user else client.get_group(found["id"])


def find_created(client: ScimClient, object_type: str, body: Any) -> dict[str, Any] | None:
    """The object that our own create made: externalId first, then the name; both must be the ones that we sent."""
    name = "userName" if object_type == "user" else "displayName"
    find = client.find_users if object_type == "user" else client.find_groups
    for attribute in ("externalId", name):
        value = body.get(attribute)
        for resource in find(attribute, value) if value else []:
            if resource.get("externalId") == body.get("externalId") and resource.get(name) == body.get(name):
                return resource
    return None
