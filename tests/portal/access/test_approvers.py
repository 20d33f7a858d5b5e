"""Who can be the second person."""

import pytest
from django.utils import timezone

from portal.access.approvers import approvers_of, may_configure, owners
from portal.models import Role, User
from sync.models import Tenant
from sync.tenants.services import create_tenant
from tests.world.people import person

pytestmark = pytest.mark.django_db


def seen(email: str, role: Role, tenant: Tenant | None = None) -> User:
    """Who has signed in before."""
    user = person(email, role, tenant)
    user.last_login = timezone.now()
    user.save()
    return user


def test_those_who_may_approve_here_and_have_signed_in_before(tenant: Tenant) -> None:
    other = create_tenant(actor="jo", name="Other")
    seen("jo@acme.example", Role.OWNER)
    seen("ann@acme.example", Role.APPROVER, tenant)
    seen("cleo@acme.example", Role.CONFIGURATOR, tenant)
    seen("otto@acme.example", Role.APPROVER, other)
    person("invited@acme.example", Role.APPROVER, tenant)
    gone = seen("gone@acme.example", Role.APPROVER, tenant)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    assert approvers_of(tenant) == ["ann@acme.example", "jo@acme.example"]


def test_a_role_here_takes_the_place_of_the_one_for_all_tenants(tenant: Tenant) -> None:
    user = seen("ann@acme.example", Role.APPROVER)
    assert approvers_of(tenant) == ["ann@acme.example"]
    user.grants.create(role=Role.VIEWER, tenant=tenant)
    assert approvers_of(tenant) == []


def test_owners_get_mail_before_their_first_sign_in_too(tenant: Tenant) -> None:
    person("jo@acme.example", Role.OWNER)
    person("ann@acme.example", Role.APPROVER, tenant)
    assert owners() == ["jo@acme.example"]


def test_whoever_lost_the_account_or_the_role_may_not_ask_any_more(tenant: Tenant) -> None:
    cleo = seen("cleo@acme.example", Role.CONFIGURATOR, tenant)
    assert may_configure(tenant, cleo.email)
    User.objects.filter(pk=cleo.pk).update(is_active=False)
    assert not may_configure(tenant, cleo.email)
    assert not may_configure(tenant, seen("tom@acme.example", Role.VIEWER, tenant).email)
    assert not may_configure(tenant, "nobody@acme.example")
