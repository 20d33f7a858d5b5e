"""Everything that is stored about one person, as JSON."""

from dataclasses import asdict
from typing import Any

from django.http import HttpResponse, JsonResponse

from portal.access.pages import page
from portal.access.request import HttpRequest
from portal.access.roles import Right
from portal.pages.people.views import facts_or_404
from sync import audit
from sync.models import Link, Standing, Tenant
from sync.people import queries

HELD = ("scim_id", "origin", "linked_at", "active", "disabled_at", "written_at", "read_at", "retry_at", "match_code")
STOOD = ("word", "code", "attribute", "scope", "in_scope", "since", "next_try", "quoted", "request_id", "holder")


@page(read=Right.READ)
def person_raw(request: HttpRequest, tenant: Tenant, object_id: str) -> HttpResponse:
    facts = facts_or_404(request, tenant, object_id)
    audit.record(request.user.email, "person.look_up", facts.standing, None, {"entra_id": object_id})
    verdict = queries.verdict_of(facts)
    found = {
        "entra_id": object_id,
        "name": facts.standing.name,
        "verdict": {"sentence": verdict.sentence, "fix": verdict.fix},
        "standing": _fields(facts.standing, STOOD),
        "values": [_value(one) for one in queries.values_of(facts)],
        "groups": [asdict(one) for one in facts.groups],
        "link": _fields(facts.link, HELD) if facts.link else None,
    }
    return JsonResponse(found, json_dumps_params={"indent": 2, "ensure_ascii": False})


def _value(one: queries.Value) -> dict[str, Any]:
    """What a mapping hides stays hidden."""
    if one.hidden:
        return {"target": one.target, "hidden": True}
    return {"target": one.target, "entra": one.entra, "mapped": one.mapped, "aws": one.held}


def _fields(row: Standing | Link, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
