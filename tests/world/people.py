"""Who signs in to the pages."""

import time
from collections.abc import Callable

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client

from portal.access.sealed_factors import SEALED_FOR
from portal.models import Role, RoleGrant, User
from sync.connection.sealing import seal
from sync.models import Tenant

PASSWORD = "correct horse battery"
APP_KEY = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def person(email: str, role: Role, tenant: Tenant | None = None) -> User:
    """With an authenticator app."""
    user = User.objects.create_user(email, PASSWORD, name=email.partition("@")[0].title())
    RoleGrant.objects.create(user=user, role=role, tenant=tenant)
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": seal(APP_KEY, SEALED_FOR)})
    return user


def code_of_app(key: str = APP_KEY, periods: int = 0) -> str:
    """What the app shows now, or so many periods later."""
    return str(format_hotp_value(hotp_value(key, int(time.time()) // 30 + periods)))


def sign_in(client: Client, user: User) -> None:
    """As after password and second factor, a moment ago."""
    client.force_login(user)
    session = client.session
    given = [{"method": method, "at": time.time()} for method in ("password", "mfa")]
    session[AUTHENTICATION_METHODS_SESSION_KEY] = given
    session[f"{AUTHENTICATION_METHODS_SESSION_KEY}_user"] = str(user.pk)
    session.save()


def long_ago(client: Client) -> None:
    """An hour passes since the person showed who is there."""
    session = client.session
    given = session[AUTHENTICATION_METHODS_SESSION_KEY]
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [one | {"at": time.time() - 3600} for one in given]
    session.save()


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
        sign_in(client, user)
        return client

    return signed_in


@pytest.fixture
def jo(owner: User, client_of: Callable[[User], Client]) -> Client:
    """The Owner's browser."""
    return client_of(owner)
