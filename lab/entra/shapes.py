"""Answers of Graph: objects by their selected properties, references, opaque tokens, refusals."""

import base64
import json
from typing import Any

Json = dict[str, Any]
USER_DEFAULT = ("businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage", "surname", "userPrincipalName", "id")  # fmt: skip
GROUP_DEFAULT = ("id", "displayName", "description", "groupTypes", "mail", "mailEnabled", "mailNickname", "membershipRule", "securityEnabled")  # fmt: skip
OTHER_DEFAULT = ("id", "displayName")
DEFAULTS = {"user": USER_DEFAULT, "group": GROUP_DEFAULT}


class GraphRefusal(Exception):
    def __init__(self, status: int, code: str, message: str, location: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.location = location


def not_found(object_id: str) -> GraphRefusal:
    text = f"Resource '{object_id}' does not exist or one of its queried reference-property objects are not present."
    return GraphRefusal(404, "Request_ResourceNotFound", text)


def bad(message: str) -> GraphRefusal:
    return GraphRefusal(400, "Request_BadRequest", message)


def unsupported(message: str) -> GraphRefusal:
    return GraphRefusal(400, "Request_UnsupportedQuery", message)


def reference(kind: str, object_id: str, removed: bool = False) -> Json:
    entry = {"@odata.type": f"#microsoft.graph.{kind}", "id": object_id}
    return entry | ({"@removed": {"reason": "deleted"}} if removed else {})


def delta_item(body: Json, select: list[str], initial: bool) -> Json:
    """An initial round leaves nulls out; later rounds send a cleared property as null."""
    names = [name for name in dict.fromkeys(["id", *select]) if name not in ("manager", "members")]
    item = {name: body.get(name) for name in names}
    return {name: value for name, value in item.items() if value is not None} if initial else item


def selected(body: Json, select: list[str], default: tuple[str, ...]) -> Json:
    names = [name for name in (select or default) if name not in ("manager", "members")]
    shown = {name: body.get(name) for name in names}
    if "businessPhones" in shown and shown["businessPhones"] is None:
        shown["businessPhones"] = []
    if "groupTypes" in shown and shown["groupTypes"] is None:
        shown["groupTypes"] = []
    return {"id": body["id"], **shown}


def encode_token(state: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(state).encode()).decode().rstrip("=")


def decode_token(text: str) -> Any:
    try:
        return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError as error:
        raise bad("Badly formed token.") from error
