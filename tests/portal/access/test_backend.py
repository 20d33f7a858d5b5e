"""Who asks for a page: looked up at once, with every role."""

import pytest
from django.test import Client

from portal.models import Role, RoleGrant, User
from sync.models import Tenant
from sync.tenants.services import create_tenant
from tests.world.people import person, sign_in

pytestmark = pytest.mark.django_db


def statuses(client: Client, *slugs: str) -> list[int]:
    return [client.get(f"/t/{slug}/logs/").status_code for slug in slugs]


def test_each_role_opens_its_own_tenant(tenant: Tenant, client: Client) -> None:
    second, third = (create_tenant(actor="jo@acme.example", name=name) for name in ("Second", "Third"))
    several = person("sam@acme.example", Role.VIEWER, tenant)
    RoleGrant.objects.create(user=several, role=Role.OPERATOR, tenant=second)
    sign_in(client, several)
    assert statuses(client, tenant.slug, second.slug, third.slug) == [200, 200, 404]
    assert client.get(f"/t/{second.slug}/provisioning/turn-on/").status_code == 200
    assert client.get(f"/t/{tenant.slug}/provisioning/turn-on/").status_code == 403


def test_whoever_has_no_role_any_more_sees_no_tenant(tenant: Tenant, viewer: User, client: Client) -> None:
    sign_in(client, viewer)
    assert statuses(client, tenant.slug) == [200]
    RoleGrant.objects.all().delete()
    assert statuses(client, tenant.slug) == [404]


@pytest.mark.parametrize("gone", ["deactivated", "deleted"])
def test_whoever_is_gone_is_signed_out(tenant: Tenant, viewer: User, client: Client, gone: str) -> None:
    sign_in(client, viewer)
    if gone == "deleted":
        viewer.delete()
    else:
        User.objects.update(is_active=False)
    assert statuses(client, tenant.slug) == [302]
