"""The schema read from Entra itself: with the permission, without it, and when there is nothing to read."""

from collections.abc import Iterator

import pytest

from sync.configuration.drafts import draft_or_current
from sync.configuration.files import microsoft
from sync.configuration.files.applying import put_into_draft
from sync.configuration.files.microsoft import CannotRead
from sync.connection.clients import graph_client
from sync.models import EntraConnection, Tenant
from tests.world.lab import Lab

pytestmark = [pytest.mark.django_db, pytest.mark.process]


@pytest.fixture
def permitted(lab: Lab) -> Iterator[None]:
    lab.call("POST", "entra/roles", {"grant": ["Synchronization.Read.All"]})
    yield
    lab.call("POST", "entra/roles", {"revoke": ["Synchronization.Read.All"]})


def principal(tenant: Tenant) -> str:
    return str(graph_client(tenant).service_principal(client_id(tenant))["id"])


def client_id(tenant: Tenant) -> str:
    return EntraConnection.objects.get(tenant=tenant).client_id


@pytest.mark.usefixtures("permitted")
def test_the_schema_is_found_by_object_id_and_by_application_id(wired: Tenant) -> None:
    by_object = microsoft.fetch(wired, principal(wired).upper())
    assert microsoft.fetch(wired, client_id(wired)) == by_object
    found = microsoft.read_schema(by_object, draft_or_current(wired))
    assert {line.outcome for line in found.report} == {"taken", "changed"}
    changed = put_into_draft(tenant=wired, actor="jo", wanted=found.wanted)
    assert "mapping:user:locale" in {one.key for one in changed}


def test_without_the_permission_it_is_named_and_the_way_by_a_file(wired: Tenant) -> None:
    with pytest.raises(CannotRead, match=r"Synchronization\.Read\.All is missing.*import a file"):
        microsoft.fetch(wired, principal(wired))


@pytest.mark.usefixtures("permitted")
def test_an_unknown_application_is_said(wired: Tenant) -> None:
    with pytest.raises(CannotRead, match="no enterprise application"):
        microsoft.fetch(wired, "11111111-2222-4333-8444-555555555555")


def test_without_a_connection_it_says_what_is_missing(tenant: Tenant) -> None:
    with pytest.raises(CannotRead, match="not set up"):
        microsoft.fetch(tenant, "x")
