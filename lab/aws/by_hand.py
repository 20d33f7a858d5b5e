"""What an administrator, or the Identity Store API, changes in AWS without SCIM. Not in the ledger: no request did it."""

from typing import Any

from lab.aws import validation
from lab.aws.store import AwsStore

Json = dict[str, Any]


def change_user(store: AwsStore, user_id: str, changes: Json) -> Json:
    """Attributes of the first level are replaced; null takes one away. Raises KeyError or ScimRefusal."""
    with store.db.transaction():
        old = store.user(user_id)
        if old is None:
            raise KeyError(user_id)
        return store.replace_user(user_id, old, validation.validated_user(_merged(old, changes), store.switches))


def create_group(store: AwsStore, body: Json) -> Json:
    """`members`: ids of users."""
    with store.db.transaction():
        facts = {name: value for name, value in body.items() if name != "members"}
        made = store.create_group(validation.validated_group(facts, store.switches))
        change_members(store, made["id"], {"add": body.get("members", [])})
    return made


def change_group(store: AwsStore, group_id: str, changes: Json) -> Json:
    with store.db.transaction():
        old = store.group(group_id)
        if old is None:
            raise KeyError(group_id)
        return store.replace_group(group_id, old, validation.validated_group(_merged(old, changes), store.switches))


def remake_group(store: AwsStore, group_id: str) -> Json:
    """Deleted and made again under its name, with its members: another id, and no external id."""
    with store.db.transaction():
        old = store.group(group_id)
        if old is None:
            raise KeyError(group_id)
        members = store.members(group_id)
        store.delete_group(group_id)
        return create_group(store, {"displayName": old["displayName"], "members": members})


def change_members(store: AwsStore, group_id: str, body: Json) -> None:
    """`add`, `remove`: ids of users, as many as wanted."""
    add, remove = body.get("add", []), body.get("remove", [])
    with store.db.transaction():
        for key in [group_id] if store.group(group_id) is None else store.unknown_users(add):
            raise KeyError(key)
        store.change_members(group_id, add, remove)


def _merged(old: Json, changes: Json) -> Json:
    return {name: value for name, value in {**old, **changes}.items() if value is not None}
