"""Lists: the few filters that AWS takes, and its cursor paging."""

import base64
import json
import re
from typing import Any, NamedTuple

from lab.aws.discovery import LIST_RESPONSE, listed
from lab.aws.errors import invalid, not_found
from lab.aws.store import AwsStore
from lab.aws.validation import CORE_GROUP, CORE_USER, ENTERPRISE
from lab.http import Request

Json = dict[str, Any]
CLAUSE = re.compile(r'\s*([\w.]+)\s+eq\s+("(?:[^"\\]|\\.)*")\s*', re.IGNORECASE)
# Sets of attributes that one filter may name (ListUsers, ListGroups).
USER_FILTERS = ({"userName"}, {"externalId"}, {"groups.value"}, {"id", "manager"}, {"id"})
GROUP_FILTERS = ({"displayName"}, {"externalId"}, {"members.value"}, {"id", "members"}, {"id"})
CURSOR = re.compile(r"[-a-zA-Z0-9+=/:_]*")


class Where(NamedTuple):
    sql: str
    values: tuple[Any, ...]


def parse(text: str, allowed: tuple[set[str], ...]) -> dict[str, str]:
    """Only `eq`, only joined by `and`, only the documented combinations."""
    clauses: dict[str, str] = {}
    for part in re.split(r"\s+and\s+(?=[\w.]+\s+eq)", text, flags=re.IGNORECASE):
        found = CLAUSE.fullmatch(part)
        if not found or found[1] in clauses:
            raise invalid("Invalid Filter format")
        try:
            clauses[found[1]] = json.loads(found[2])
        except ValueError:
            raise invalid("Invalid Filter format") from None
    if set(clauses) not in allowed:
        raise invalid("Invalid Filter format")
    return clauses


def users_where(store: AwsStore, text: str) -> Where:
    clauses = parse(text, USER_FILTERS)
    parts, values = [], []
    for name, value in clauses.items():
        if name == "groups.value":
            if store.group(value) is None and store.switches["groups_value_unknown"] == "404":
                raise not_found()
            parts.append("id IN (SELECT user_id FROM members WHERE group_id = ?)")
        else:
            parts.append({"userName": "user_name", "externalId": "external_id"}.get(name, name) + " = ?")
        values.append(value.casefold() if name == "userName" else value)
    return Where(" AND ".join(parts), tuple(values))


def groups_where(store: AwsStore, text: str) -> Where:
    clauses = parse(text, GROUP_FILTERS)
    parts, values = [], []
    for name, value in clauses.items():
        if name in ("members.value", "members"):
            # A user that does not exist is a 404 here, not an empty list (ListGroups).
            if store.user(value) is None:
                raise not_found()
            parts.append("id IN (SELECT group_id FROM members WHERE user_id = ?)")
        else:
            parts.append({"displayName": "display_name", "externalId": "external_id"}.get(name, name) + " = ?")
        folded = name == "displayName" and store.switches["display_name_case"] == "ignore"
        values.append(value.casefold() if folded else value)
    return Where(" AND ".join(parts), tuple(values))


def list_response(store: AwsStore, request: Request, users: bool) -> Json:
    """A ListResponse (RFC 7644, section 3.4.2). The mere presence of `cursor` switches its shape."""
    parameters = request.parameters
    count = _count(parameters.get("count"), int(store.switches["page_max"]))
    text = parameters.get("filter", "")
    where = Where("1", ())
    if "filter" in parameters:
        where = users_where(store, text) if users else groups_where(store, text)
    cursor = parameters.get("cursor") if store.switches["cursor"] == "on" else None
    after = _position(cursor, text) if cursor else 0
    read = store.users if users else store.groups
    rows = read(where.sql, where.values, after, count + 1)
    if "filter" in parameters:
        rows = [row for row in rows if not store.is_stale(row[1]["id"])]
    resources = [resource if users else resource | {"members": []} for _n, resource in rows[:count]]
    if cursor is None:
        return listed([with_schemas(resource, users) for resource in resources])
    answer: Json = {"itemsPerPage": len(resources)}
    if len(rows) > count:
        answer["nextCursor"] = _cursor(rows[count - 1][0], text)
    shown = [with_schemas(resource, users) for resource in resources]
    return answer | {"schemas": [LIST_RESPONSE], "Resources": shown}


def _count(text: str | None, most: int) -> int:
    if text is None:
        return most
    if not text.isdigit() or not 1 <= int(text) <= 100:
        raise invalid("count must be between 1 and 100.")
    return min(int(text), most)


def _cursor(position: int, text: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([position, text]).encode()).decode()


def _position(cursor: str, text: str) -> int:
    """A cursor belongs to its filter: another one between pages is a 400."""
    try:
        position, filtered_by = json.loads(base64.urlsafe_b64decode(cursor))
    except (ValueError, TypeError):
        raise invalid("The cursor is not one of ours.") from None
    if filtered_by != text or not CURSOR.fullmatch(cursor):
        raise invalid("The filter must not change between pages.")
    return int(position)


ORDER = ("id", "externalId", "meta", "schemas", "userName", "name", "displayName", "nickName", "title", "userType")
HIDDEN = ("profileUrl",)


def with_schemas(resource: Json, user: bool) -> Json:
    """Field order of AWS's examples; profileUrl is taken and not shown there."""
    schemas = [CORE_USER if user else CORE_GROUP] + ([ENTERPRISE] if ENTERPRISE in resource else [])
    whole = resource | {"schemas": schemas}
    ordered = {name: whole[name] for name in ORDER if name in whole}
    rest = {name: value for name, value in whole.items() if name not in ordered and name not in HIDDEN}
    return ordered | rest
