"""The page of keys: which stored secrets hang on which key."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from portal.models import User
from sync.connection.sealing import seal
from sync.keyring import new_ring_line
from sync.models import AwsConnection, Tenant


@pytest.fixture
def page(tenant: Tenant, owner: User, client_of: Callable[[User], Client]) -> Callable[[], str]:
    AwsConnection.objects.filter(tenant=tenant).update(
        endpoint="https://x.example", sealed_token=seal("t", "another place")
    )

    def text() -> str:
        return client_of(owner).get("/settings/keys/").content.decode()

    return text


def test_the_page_says_which_secrets_hang_on_which_key(page: Callable[[], str], settings: Any) -> None:
    settings.SEAL_KEYS = f"{new_ring_line()}\n{settings.SEAL_KEYS}"
    text = page()
    assert "Acme: AWS" in text
    assert "manage.py rotate_key" in text


def test_a_key_that_is_missing_in_the_ring_is_named(page: Callable[[], str], settings: Any) -> None:
    settings.SEAL_KEYS = new_ring_line()
    assert "Missing in SEAL_KEYS" in page()


def test_a_line_of_the_ring_is_not_on_the_page(page: Callable[[], str], settings: Any) -> None:
    assert settings.SEAL_KEYS.partition(":")[2] not in page()
