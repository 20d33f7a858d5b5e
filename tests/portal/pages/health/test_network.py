"""The page of the network: what the environment says, whom tenants reach, and no secret."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from portal.models import User
from sync.connection import services as connection
from sync.models import Backup, EntraConnection, Tenant
from sync.notifications import services as notifications
from tests.world.tenant import ACTOR

pytestmark = pytest.mark.django_db
CANARY = "c4nary-s3cret"


@pytest.fixture
def read(jo: Client) -> Callable[[], str]:
    def text() -> str:
        page = re.sub(r"<[^>]+>", " ", jo.get("/settings/network/").content.decode())
        return re.sub(r"\s+", " ", html.unescape(page))

    return text


def test_what_the_environment_says_is_shown_without_its_secrets(read: Callable[[], str], settings: Any) -> None:
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "https://lockstep.example", ["lockstep.example", "testserver"]
    settings.OUTBOUND_PROXY_SECRET = f"http://jo:{CANARY}@proxy.example:3128"
    settings.AUDIT_SHIP_TO = f"https://siem.example:8088/collect/{CANARY}"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "mail.example", 587
    settings.NOTIFY_HOSTS = ["chat.intranet:8443"]
    settings.PROXIES = 2
    text = read()
    for said in (
        "Other hosts that requests may name testserver ALLOWED_HOSTS",
        "Proxies in front 2 BEHIND_PROXY, PROXIES",
        "Change notifications of Microsoft https://lockstep.example/api/graph/notifications",
        "Forward proxy http://proxy.example:3128 OUTBOUND_PROXY",
        "Copies of the audit log https://siem.example:8088 AUDIT_SHIP_TO",
        "Mail server mail.example:587",
        "not public chat.intranet:8443 NOTIFY_HOSTS",
    ):
        assert said in text
    assert CANARY not in text


def test_what_is_not_set_says_what_that_means(read: Callable[[], str]) -> None:
    text = read()
    assert "changes in Entra are found at each tenant's interval" in text
    assert "The audit log stands in the database alone." in text
    assert "Forward proxy – OUTBOUND_PROXY" in text
    assert "Certificate authorities the public ones" in text
    assert "None yet: no tenant is connected." in text
    assert "None is known." in text


def test_a_firewall_learns_whom_each_tenant_reaches(tenant: Tenant, read: Callable[[], str]) -> None:
    facts = {
        "directory_id": "4f1c09d2-7a3e-4b8a-9c55-12e0d7f6a3b1",
        "client_id": "0a1b2c3d-0000-4000-8000-000000000001",
        "client_secret": CANARY,
        "scim_endpoint": "https://scim.eu-central-1.amazonaws.com/11111111111-2222-3333-4444-555555555555/scim/v2",
        "scim_token": CANARY,
    }
    connection.connect(tenant, facts, actor=ACTOR)
    EntraConnection.objects.update(cloud="global")
    webhook = f"https://hooks.example.com/{CANARY}"
    notifications.add_channel(tenant=tenant, actor=ACTOR, kind="webhook", to=webhook)
    Backup.objects.create()
    text = read()
    for host in ("login.microsoftonline.com", "graph.microsoft.com", "scim.eu-central-1.amazonaws.com"):
        assert f"{host} Acme" in text
    assert "hooks.example.com Acme" in text
    assert CANARY not in text
    assert "The last one was made" in text


def test_only_owners_see_it(tenant: Tenant, viewer: User, client_of: Callable[[User], Client]) -> None:
    assert client_of(viewer).get("/settings/network/").status_code == 403
