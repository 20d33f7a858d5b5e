"""An upgrade seals what is stored anew, so that it opens for its destination only; it stops whole where a key is missing."""

import importlib
from typing import Any

import pytest
from django.apps import apps
from django.core.management.base import CommandError

from sync.connection import clients
from sync.connection.sealed import credential_context, token_context
from sync.connection.sealing import CannotOpen, seal, unseal
from sync.keyring import new_ring_line
from sync.models import AwsConnection, EntraConnection, Tenant
from sync.tenants.services import create_tenant

migration = importlib.import_module("sync.migrations.0008_bind_secrets_to_destinations")
ENDPOINT = "https://scim.eu-central-1.amazonaws.com/11111111111-2222-3333-4444-555555555555/scim/v2"


@pytest.fixture
def before(tenant: Tenant) -> Tenant:
    """As the version before stored it."""
    EntraConnection.objects.filter(tenant=tenant).update(
        directory_id="acme.example",
        client_id="0a1b2c3d-0000-4000-8000-000000000001",
        sealed_credential=seal("the-secret", f"tenant:{tenant.pk}:entra.credential"),
    )
    AwsConnection.objects.filter(tenant=tenant).update(
        endpoint=ENDPOINT, sealed_token=seal("the-token", f"tenant:{tenant.pk}:aws.token")
    )
    return tenant


def entra() -> EntraConnection:
    return EntraConnection.objects.select_related("tenant").get(tenant__slug="acme")


def aws() -> AwsConnection:
    return AwsConnection.objects.select_related("tenant").get(tenant__slug="acme")


def test_secrets_open_for_their_destination_afterwards_and_for_no_other(before: Tenant) -> None:
    migration.bind(apps, None)
    assert unseal(entra().sealed_credential, credential_context(entra())) == "the-secret"
    assert clients.access_token(aws()) == "the-token"
    with pytest.raises(CannotOpen):
        unseal(aws().sealed_token, f"tenant:{before.pk}:aws.token")


def test_the_way_back_leaves_what_the_version_before_can_open(before: Tenant) -> None:
    migration.bind(apps, None)
    migration.unbind(apps, None)
    assert unseal(aws().sealed_token, f"tenant:{before.pk}:aws.token") == "the-token"


@pytest.mark.parametrize("same_id", [False, True])
def test_a_missing_or_wrong_key_stops_the_upgrade_with_what_to_do(
    before: Tenant, settings: Any, same_id: bool
) -> None:
    other = new_ring_line()
    settings.SEAL_KEYS = "test:" + other.partition(":")[2] if same_id else other
    with pytest.raises(CommandError, match=r"“Acme” cannot be opened: .* then migrate again"):
        migration.bind(apps, None)


def test_a_tenant_without_secrets_does_not_stand_in_the_way(before: Tenant) -> None:
    create_tenant(actor="jo@acme.example", name="Empty")
    migration.bind(apps, None)
    assert token_context(aws()) and clients.access_token(aws()) == "the-token"
