"""Directory extensions of the tenant among the attributes of Entra, listed through the lab's Graph."""

from typing import Any

import pytest

from sync.directory import attributes
from sync.graph.errors import Forbidden
from sync.models import Tenant
from tests.world.lab import Lab

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def extended(wired: Tenant, lab: Lab) -> dict[str, dict[str, Any]]:
    made = {
        "badge": {"name": "Badge"},
        "tags": {"name": "Tags", "many": True},
        "start": {"name": "Start", "data_type": "DateTime"},
        "cost": {"name": "Cost", "targets": ["Group"]},
    }
    return {key: lab.call("POST", "entra/extend", facts) for key, facts in made.items()}


def test_extensions_of_people_are_listed_with_their_types(
    wired: Tenant, lab: Lab, extended: dict[str, dict[str, Any]]
) -> None:
    lab.call("POST", "entra/roles", {"grant": ["Directory.Read.All"]})
    found = attributes.of(wired, "user")
    lab.call("POST", "entra/roles", {"revoke": ["Directory.Read.All"]})
    types = {one.name: one.type for one in found.known if one.name.startswith("extension_")}
    names = {key: one["name"] for key, one in extended.items()}
    assert types == {names["badge"]: "text", names["tags"]: "list", names["start"]: "date"}
    assert found.note == ""
    assert [one.name for one in attributes.of(wired, "group").known if "Cost" in one.name] == [names["cost"]]


def test_without_the_permission_the_list_says_so_and_goes_on(wired: Tenant, lab: Lab) -> None:
    found = attributes.of(wired, "user")
    assert "without Directory.Read.All" in found.note
    assert "displayName" in {one.name for one in found.known}
    with pytest.raises(Forbidden):
        attributes.extensions(wired)
