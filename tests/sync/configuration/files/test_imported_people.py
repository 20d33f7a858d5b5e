"""The same desired resource for everybody of the lab, whichever file the configuration came through."""

import json
from typing import Any

import pytest

from sync.configuration.drafts import draft_or_current
from sync.configuration.files import microsoft
from sync.configuration.files.applying import put_into_draft
from sync.configuration.files.writing import export_configuration
from sync.connection.clients import graph_client
from sync.models import Tenant
from sync.rules import mapping
from sync.rules.rows import MappingRow, graph_select
from sync.tenants import services
from tests.world.ms_schema import SAMPLE

pytestmark = [pytest.mark.django_db, pytest.mark.process, pytest.mark.company(500)]
JO = "jo@acme.example"


def imported(name: str, document: Any) -> list[MappingRow]:
    """The people's rows of a new tenant that got this file."""
    tenant = services.create_tenant(actor=JO, name=name)
    found = microsoft.read_text(json.dumps(document), draft_or_current(tenant))
    put_into_draft(tenant=tenant, actor=JO, wanted=found.wanted)
    return [row.rule() for row in draft_or_current(tenant).mappings.filter(object_type="user")]


def everybody(tenant: Tenant, rows: list[MappingRow]) -> list[dict[str, Any]]:
    """As a run reads them; the manager stands beside, as the delta brings it."""
    found: dict[str, dict[str, Any]] = {}
    for page in graph_client(tenant).users_delta(graph_select(rows, "user")):
        for item in page.items:
            managers = item.pop("manager@delta", [])
            found.setdefault(item["id"], {}).update(item, manager=managers[0]["id"] if managers else None)
    return list(found.values())


def desired(rows: list[MappingRow], people: list[dict[str, Any]]) -> list[Any]:
    rules = mapping.compile_mappings(rows)
    return [
        (found.values, found.references, [(one.target, one.value) for one in found.untouched])
        for person in people
        for present in (True, False)
        for creating in (True, False)
        for found in [mapping.map_object(rules, person, present=present, creating=creating)]
    ]


def test_all_500_people_get_the_same_through_either_file(wired: Tenant) -> None:
    first = imported("Straight from Microsoft", SAMPLE)
    source = Tenant.objects.get(name="Straight from Microsoft")
    ours = imported("Through our file", export_configuration(draft_or_current(source)))
    theirs = imported("Through Microsoft's file", microsoft.export_schema(draft_or_current(source))[0])
    people = everybody(wired, first)
    assert len(people) == 500
    expected = desired(first, people)
    assert sum(bool(values.get("userName")) for values, _references, _untouched in expected) == 2000
    assert desired(ours, people) == expected
    assert desired(theirs, people) == expected
