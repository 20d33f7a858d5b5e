"""Who signs in to the pages."""

from collections.abc import Callable

import pytest
from django.test import Client

from portal.models import Role, RoleGrant, User
from sync.models import Tenant

PASSWORD = "correct horse battery"


def person(email: str, role: Role, tenant: Tenant | None = None) -> User:
    user = User.objects.create_user(email, PASSWORD, name=email.partition("@")[0].title())
    RoleGrant.objects.create(user=user, role=role, tenant=tenant)
    return user


@pytest.fixture
def owner(db: None) -> User:
    return person("jo@acme.example", Role.OWNER)


@pytest.fixture
def viewer(tenant: Tenant) -> User:
    return person("tom@acme.example", Role.VIEWER, tenant)


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return signed_in


@pytest.fixture
def jo(owner: User, client_of: Callable[[User], Client]) -> Client:
    """The Owner's browser."""
    return client_of(owner)
