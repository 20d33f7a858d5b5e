"""Writes that end in a known state: an answer that got lost or cannot be believed is settled by reading."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sync.scim.client import Answer, Json, ScimClient
from sync.scim.conflicts import NAMES, narrow
from sync.scim.errors import BadAnswer, Conflict, Contradiction, NotFound, OutcomeUnknown, ScimError
from sync.scim.resource import same_text, units_held

# A create may be applied after its connection broke: the second look comes this much later.
SECOND_LOOK_SECONDS = 2.0
Send = Callable[[str, Sequence[str]], Answer]


@dataclass(frozen=True, slots=True)
class Written:
    """`answer`: AWS's, or what was read instead. `missing`: ids of members that AWS does not hold."""

    answer: Answer | None = None
    missing: tuple[str, ...] = ()


class TwoMatches(Conflict):
    """More than one object could be ours: none is taken."""


class MembersConflict(ScimError):
    """The change of members met another change of the group, twice. No value is taken by anybody: it is tried again."""


def create(client: ScimClient, object_type: str, body: Json) -> Written:
    """A create whose answer is unknown, or that clashes, may have been applied: it is looked for before anything else."""
    try:
        return Written(_post(client, object_type, body))
    except OutcomeUnknown as error:
        return _settle(client, object_type, body, error)
    except Conflict as error:
        # Without an externalId nothing would say that the object is ours.
        found = find_created(client, object_type, body) if body.get("externalId") else None
        if found is None:
            narrow(client, object_type, body, error)
        return _found(client, object_type, found, error)
    except NotFound:
        # One of the members is gone. The group first, then those whom AWS holds.
        if not body.get("members"):
            raise
        return _without_members(client, body)


def _post(client: ScimClient, object_type: str, body: Json) -> Answer:
    answer = client.create_user(body) if object_type == "user" else client.create_group(body)
    if not is_ours(answer.resource or {}, object_type, body):
        raise OutcomeUnknown(
            "The answer to the create tells of another object.",
            method=answer.method,
            path=answer.path,
            status=answer.status,
            request_id=answer.request_id,
            request=body,
            body=answer.response,
        )
    return answer


def _settle(client: ScimClient, object_type: str, body: Json, error: ScimError) -> Written:
    """Look, look again, then once more the create; its conflict means that the first one arrived after all."""
    found = find_created(client, object_type, body)
    if found is None:
        client.sleep(SECOND_LOOK_SECONDS)
        found = find_created(client, object_type, body)
    if found is not None:
        return _found(client, object_type, found, error)
    try:
        return Written(_post(client, object_type, body))
    except (Conflict, OutcomeUnknown) as second:
        return _found(client, object_type, find_created(client, object_type, body), second)


def _found(client: ScimClient, object_type: str, found: Json | None, error: ScimError) -> Written:
    if found is None:
        raise error
    return Written(client.get_user(found["id"]) if object_type == "user" else client.get_group(found["id"]))


def _without_members(client: ScimClient, body: Json) -> Written:
    made = create(client, "group", {name: value for name, value in body.items() if name != "members"})
    group_id = (made.answer.resource or {})["id"] if made.answer else ""
    added = add_members(client, group_id, [member["value"] for member in body["members"]])
    return Written(made.answer, added.missing)


def find_created(client: ScimClient, object_type: str, body: Json) -> Json | None:
    """The object that our own create made: externalId first, then the name; both must be the ones that we sent.

    Raises TwoMatches."""
    find = client.find_users if object_type == "user" else client.find_groups
    for attribute in ("externalId", NAMES[object_type]):
        value = body.get(attribute)
        found = [one for one in find(attribute, value) if is_ours(one, object_type, body)] if value else []
        if len(found) > 1:
            raise TwoMatches(f"{len(found)} objects have the {attribute} {value}.", method="GET", status=409)
        if found:
            client.own(found[0]["id"])
            return found[0]
    return None


def is_ours(resource: Json, object_type: str, body: Json) -> bool:
    """Servers may trim and recase names; an externalId comes back as it was sent."""
    name = NAMES[object_type]
    return resource.get("externalId") == body.get("externalId") and same_text(resource.get(name), body.get(name))


def patch(
    client: ScimClient, object_type: str, scim_id: str, operations: Sequence[Json], external_id: str = ""
) -> Written:
    """A conflict may mean that the object changed meanwhile: it is read, and the rest is sent once more.

    Raises NotFound once a read has not found it either. `external_id`: what it holds as far as we know.
    """
    send = client.patch_user if object_type == "user" else client.patch_group
    try:
        return Written(send(scim_id, operations))
    except NotFound as error:
        _look_for(client, object_type, scim_id, external_id, error)
        return Written(_send_to_existing(lambda: send(scim_id, operations)))
    except (Conflict, BadAnswer) as error:
        if not (isinstance(error, Conflict) or _taken(error)):
            raise
        now = client.get_user(scim_id) if object_type == "user" else client.get_group(scim_id)
        left = [one for one in operations if not _holds(now.resource or {}, one)]
        return Written(_patch_rest(client, object_type, scim_id, left)) if left else Written(now)


def _patch_rest(client: ScimClient, object_type: str, scim_id: str, operations: Sequence[Json]) -> Answer:
    try:
        return (client.patch_user if object_type == "user" else client.patch_group)(scim_id, operations)
    except Conflict as error:
        sent = {str(one["path"]): one.get("value") for one in operations}
        narrow(client, object_type, sent, error, scim_id)
        raise


def _look_for(client: ScimClient, object_type: str, scim_id: str, external_id: str, error: NotFound) -> None:
    """One 404 is no proof that an object is gone. Raises `error` when it is; see `moved_to`."""
    if _exists(client, object_type, scim_id):
        return
    find = client.find_users if object_type == "user" else client.find_groups
    found = find("externalId", external_id) if external_id else []
    if [one["id"] for one in found] != [scim_id]:
        error.moved_to = found[0]["id"] if len(found) == 1 else ""
        raise error


def _send_to_existing(send: Callable[[], Answer]) -> Answer:
    """Once more, after a read has shown the object. Raises Contradiction."""
    try:
        return send()
    except NotFound as error:
        raise _contradiction(error) from error


def _contradiction(error: NotFound) -> Contradiction:
    return Contradiction(
        "AWS does not find what it shows when it is asked.",
        method=error.method,
        path=error.path,
        status=error.status,
        request_id=error.request_id,
        request=error.request,
        body=error.body,
    )


def _taken(error: BadAnswer) -> bool:
    """The status says yes, the rest cannot be read: only a look shows whether a proxy said so, or AWS."""
    return error.status is not None and 200 <= error.status < 300


def _holds(resource: Json, operation: Json) -> bool:
    held = units_held(resource, [operation["path"]])
    return held.get(operation["path"]) == operation.get("value")


def delete(client: ScimClient, object_type: str, scim_id: str) -> Written:
    """What is gone already is as good as deleted."""
    send = client.delete_user if object_type == "user" else client.delete_group
    try:
        return Written(send(scim_id))
    except NotFound:
        return Written(_send_to_existing(lambda: send(scim_id)) if _exists(client, object_type, scim_id) else None)
    except BadAnswer as error:
        if not _taken(error) or _exists(client, object_type, scim_id):
            raise
        return Written()


def add_members(client: ScimClient, group_id: str, user_ids: Sequence[str], external_id: str = "") -> Written:
    """A person whom AWS does not hold fails the whole request (404): such people are found by halving, and read before
    they are called gone. Raises NotFound when the group is; `external_id`: the group's."""
    try:
        return Written(_once_more(client.add_members, group_id, user_ids))
    except BadAnswer as error:
        if not _taken(error) or not set(user_ids) <= set(client.members_of(group_id)):
            raise
        return Written()
    except NotFound as error:
        _look_for(client, "group", group_id, external_id, error)
        written = _halved(client, client.add_members, group_id, user_ids)
        for user_id in written.missing:
            if _exists(client, "user", user_id):
                raise _contradiction(error) from error
        return written


def remove_members(client: ScimClient, group_id: str, user_ids: Sequence[str]) -> Written:
    """Nobody is a member of a group that is gone, and nobody who is gone is a member (ssosync#135)."""
    try:
        return Written(_once_more(client.remove_members, group_id, user_ids))
    except BadAnswer as error:
        if not _taken(error) or set(user_ids) & set(client.members_of(group_id)):
            raise
        return Written()
    except NotFound:
        if not _exists(client, "group", group_id):
            return Written()
        return _halved(client, client.remove_members, group_id, user_ids)


def _once_more(send: Send, group_id: str, user_ids: Sequence[str]) -> Answer:
    """A conflict says that two requests met (Developer Guide, ConflictException): the second try meets nobody.

    Raises MembersConflict when it does."""
    try:
        return send(group_id, user_ids)
    except Conflict:
        pass
    try:
        return send(group_id, user_ids)
    except Conflict as error:
        facts = {name: getattr(error, name) for name in ("method", "path", "status", "request_id", "request", "body")}
        raise MembersConflict(error.detail, **facts, attempts=error.attempts + 1) from None


def _halved(client: ScimClient, send: Send, group_id: str, user_ids: Sequence[str]) -> Written:
    """The request for `user_ids` met a person who is gone. A single one is asked about twice."""
    if len(user_ids) == 1:
        try:
            return Written(send(group_id, user_ids))
        except NotFound:
            return Written(missing=tuple(user_ids))
    middle = len(user_ids) // 2
    answer, missing = None, tuple[str, ...]()
    for half in (user_ids[:middle], user_ids[middle:]):
        try:
            answer = send(group_id, half)
        except NotFound:
            inner = _halved(client, send, group_id, half)
            answer, missing = inner.answer or answer, missing + inner.missing
    return Written(answer, missing)


def _exists(client: ScimClient, object_type: str, scim_id: str) -> bool:
    try:
        client.get_user(scim_id) if object_type == "user" else client.get_group(scim_id)
    except NotFound:
        return False
    return True
