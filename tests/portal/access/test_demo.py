"""The demo opens with the password of the terminal, as long as nothing real hangs on it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from portal.access import demo
from portal.access.users import first_password_end
from portal.management.commands.welcome import demo_owner
from portal.models import User
from sync.models import Tenant

LAB = "https://localhost:45371/abcdefgh-1234-1234-1234-123456789012/scim/v2"
REAL = "https://scim.eu-central-1.amazonaws.com/abcdefgh-1234-1234-1234-123456789012/scim/v2"


@pytest.fixture(autouse=True)
def the_demo(settings: Any) -> None:
    settings.DEMO = True
    settings.EXTRA_CLOUDS = {"lab": {}}
    settings.EXTRA_SCIM_HOSTS = {"localhost:45371": {}}


def connect(tenant: Tenant, *, cloud: str = "lab", endpoint: str = LAB) -> None:
    tenant.entra.cloud, tenant.entra.sealed_credential = cloud, "sealed"
    tenant.aws.endpoint, tenant.aws.sealed_token = endpoint, "sealed"
    tenant.entra.save()
    tenant.aws.save()


def test_the_demos_owner_works_with_the_password_of_the_terminal(
    tenant: Tenant, client_of: Callable[[User], Client]
) -> None:
    password = demo_owner()
    assert password
    owner = User.objects.get()
    assert owner.check_password(password)
    assert owner.password_ends_at is not None
    connect(tenant)
    assert client_of(owner).get("/t/acme/logs/").status_code == 200


@pytest.mark.parametrize("facts", [{"cloud": "global"}, {"endpoint": REAL}, {"endpoint": LAB.replace("45371", "443")}])
def test_with_the_first_real_credential_it_is_over(
    tenant: Tenant, client_of: Callable[[User], Client], facts: dict[str, str]
) -> None:
    demo_owner()
    connect(tenant, **facts)
    assert client_of(User.objects.get()).get("/t/acme/logs/")["Location"].startswith("/me/password/")


def test_without_the_demo_the_lab_alone_opens_nothing(
    tenant: Tenant, client_of: Callable[[User], Client], settings: Any
) -> None:
    settings.DEMO = False
    demo_owner()
    connect(tenant)
    assert client_of(User.objects.get()).get("/t/acme/logs/")["Location"].startswith("/me/password/")


def test_a_real_server_without_a_token_is_nothing_yet(tenant: Tenant) -> None:
    connect(tenant, endpoint=REAL)
    tenant.aws.sealed_token = ""
    tenant.aws.save()
    assert demo.is_only_the_lab()


def test_each_start_leaves_a_password_that_works_for_a_session(db: None) -> None:
    first = demo_owner()
    assert first
    assert demo_owner() is None
    User.objects.update(password_ends_at=first_password_end("x") and User.objects.get().created_at)
    second = demo_owner()
    assert second
    assert User.objects.get().check_password(second)
    User.objects.update(password_ends_at=None)
    assert demo_owner() is None
