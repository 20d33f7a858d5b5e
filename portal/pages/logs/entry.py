"""One entry of the log: what was decided and sent, why, and what can be done about it."""

import json
import shlex
from typing import Any

from portal.words.operations import field_changes
from sync.configuration.current import filter_titles
from sync.models import DirectoryUser, ObjectType, Operation, Tenant
from sync.problems.catalogue import PROBLEMS, scope_words
from sync.rules.scope import Reason
from sync.standings import queries as standings

EARLIER = 5
JSON_TYPE = "application/scim+json"


def entry_context(tenant: Tenant, operation: Operation) -> dict[str, Any]:
    person = DirectoryUser.objects.filter(tenant=tenant, object_id=operation.object_id).first()
    kind = ObjectType.USER if operation.object_type == "user" else ObjectType.GROUP
    problem = PROBLEMS.get(operation.problem)
    answered = operation.status is not None
    return {
        "operation": operation,
        "problem": problem,
        "meaning": problem.told(answered=answered) if problem else "",
        "quoted": problem.quote(answered) if problem else "",
        "person": person,
        "standing": standings.standing_of(tenant, kind, operation.object_id),
        "scope_words": scope_of(tenant, person) if person else "",
        "members": members_named(tenant, operation),
        "changes": field_changes(operation.changes),
        "curl": curl_of(tenant, operation),
        "earlier": earlier_of(tenant, operation),
    }


def scope_of(tenant: Tenant, person: DirectoryUser) -> str:
    titles = filter_titles(tenant) if person.scope_reason == Reason.OUTSIDE_FILTER else ()
    return scope_words(person.scope_reason, titles)


def members_named(tenant: Tenant, operation: Operation) -> list[DirectoryUser]:
    ids = operation.member_ids
    if not ids:
        return []
    return list(DirectoryUser.objects.filter(tenant=tenant, object_id__in=ids).order_by("display_name"))


def earlier_of(tenant: Tenant, operation: Operation) -> list[Operation]:
    same = Operation.objects.log().filter(tenant=tenant, object_id=operation.object_id)
    return list(same.older_than(operation).newest_first().select_related("run")[:EARLIER])


def curl_of(tenant: Tenant, operation: Operation) -> str:
    """The request as a command for a shell, which has the token in $TOKEN; "" where none was sent."""
    method, path, body = (operation.request.get(name) for name in ("method", "path", "body"))
    if not method or not path:
        return ""
    url = f"{tenant.aws.endpoint.rstrip('/')}/{str(path).lstrip('/')}"
    parts = ["curl", "-X", shlex.quote(str(method)), shlex.quote(url), "-H", '"Authorization: Bearer $TOKEN"']
    if body:
        data = shlex.quote(json.dumps(body, ensure_ascii=False))
        parts += ["-H", shlex.quote(f"Content-Type: {JSON_TYPE}"), "--data", data]
    return " ".join(parts)
