"""The connection's forms: whom a stored secret may be sent to."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from portal.models import Role, User
from sync.connection import services
from sync.models import AwsConnection, EntraConnection, Tenant
from tests.world.people import person

DIRECTORY, APP = "4f1c09d2-7a3e-4b8a-9c55-12e0d7f6a3b1", "0a1b2c3d-0000-4000-8000-000000000001"
ENDPOINT = "https://scim.eu-central-1.amazonaws.com/11111111111-2222-3333-4444-555555555555/scim/v2/"
ENTRA = {
    "cloud": "global",
    "directory_id": DIRECTORY,
    "client_id": APP,
    "credential_kind": "secret",
    "ends_on": "2028-03-03",
}
AWS = {"endpoint": ENDPOINT, "token_created_on": "2026-11-01"}


@pytest.fixture
def prod(tenant: Tenant, settings: Any) -> Tenant:
    """With the secrets that an Owner stored, and a lab that the deployment allows beside it."""
    lab = {"label": "Lab", "authority": "https://localhost:1", "graph": "https://localhost:2"}
    settings.EXTRA_CLOUDS = {"lab": lab}
    settings.EXTRA_SCIM_HOSTS = {"localhost:3": {"dialect": "aws"}}
    services.save_entra(
        tenant=tenant,
        actor="jo@acme.example",
        **(ENTRA | {"credential": "the-secret", "ends_on": datetime.date(2028, 3, 3)}),  # type: ignore[arg-type]
    )
    services.save_aws(
        tenant=tenant,
        actor="jo@acme.example",
        endpoint=ENDPOINT,
        token="t0" * 270,
        token_created_on=datetime.date(2026, 11, 1),
    )
    return tenant


@pytest.fixture
def configurator(prod: Tenant, client_of: Callable[[User], Client]) -> Client:
    return client_of(person("con@acme.example", Role.CONFIGURATOR, prod))


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"cloud": "lab"},
        {"cloud": "china"},
        {"directory_id": "4f1c09d2-7a3e-4b8a-9c55-12e0d7f6a3b2"},
        {"client_id": "0a1b2c3d-0000-4000-8000-000000000002"},
    ],
)
def test_another_destination_of_entra_asks_for_the_secret_again(
    configurator: Client, elsewhere: dict[str, str]
) -> None:
    answer = configurator.post("/t/acme/connection/entra/", ENTRA | elsewhere | {"secret": "", "test": "1"})
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {"secret"}
    stored = EntraConnection.objects.get()
    assert (stored.cloud, stored.directory_id, stored.client_id) == ("global", DIRECTORY, APP)


def test_another_endpoint_asks_for_the_token_again(configurator: Client) -> None:
    there = {"endpoint": "https://localhost:3/11111111111-2222-3333-4444-555555555555/scim/v2/"}
    answer = configurator.post("/t/acme/connection/aws/", AWS | there | {"token": "", "test": "1"})
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {"token"}
    assert AwsConnection.objects.get().endpoint == ENDPOINT.rstrip("/")


def test_with_its_secret_another_destination_is_taken(configurator: Client) -> None:
    there = ENTRA | {"directory_id": "4f1c09d2-7a3e-4b8a-9c55-12e0d7f6a3b2", "secret": "theirs"}
    assert configurator.post("/t/acme/connection/entra/", there).status_code == 302
    there = AWS | {"endpoint": ENDPOINT.replace("eu-central-1", "us-east-1"), "token": "n3" * 270}
    assert configurator.post("/t/acme/connection/aws/", there).status_code == 302


def test_the_same_destination_keeps_the_secret(configurator: Client) -> None:
    assert configurator.post("/t/acme/connection/entra/", ENTRA | {"secret": ""}).status_code == 302
    assert configurator.post("/t/acme/connection/aws/", AWS | {"token": ""}).status_code == 302
