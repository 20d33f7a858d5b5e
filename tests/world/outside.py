"""No request goes out in a transaction: a slow vendor would hold its locks. Looked at in every request of every test."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from urllib3 import HTTPConnectionPool

original = HTTPConnectionPool.urlopen


@pytest.fixture(autouse=True)
def no_request_in_a_transaction(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Both clients, msal and the checks of a connection send by urllib3."""
    caught: list[str] = []

    def urlopen(pool: HTTPConnectionPool, method: str, url: str, *args: Any, **options: Any) -> Any:
        if is_in_transaction():
            caught.append(f"{method} {pool.host}{url}")
            raise AssertionError(f"{caught[-1]} in a transaction")
        return original(pool, method, url, *args, **options)

    monkeypatch.setattr(HTTPConnectionPool, "urlopen", urlopen)
    yield caught
    assert caught == []


def is_in_transaction() -> bool:
    """In another one than that which a test is rolled back with."""
    return any(not block._from_testcase for block in connection.atomic_blocks)
