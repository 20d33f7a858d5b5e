"""A tenant that many tests of a module begin with: made and synced for the first, there again for each of the others.

On SQLite, which copies a database in a moment (sqlite.org/backup.html); on PostgreSQL each test has it made anew.
"""

import sqlite3
from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from sync.models import Tenant
from tests.world.lab import Lab

Make = Callable[[Tenant, Lab], None]
Kept = Callable[[Make], Tenant]


class Copies:
    """Of the whole database, by the lab and by what made it."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], sqlite3.Connection] = {}

    def keep(self, lab: Lab, name: str) -> None:
        lab.call("PUT", f"kept/{name}")
        copy = self.found[lab.scim_host, name] = sqlite3.connect(":memory:")
        own().backup(copy)

    def has(self, lab: Lab, name: str) -> bool:
        return (lab.scim_host, name) in self.found

    def restore(self, lab: Lab, name: str) -> None:
        lab.call("POST", f"kept/{name}")
        self.found[lab.scim_host, name].backup(own())


def own() -> sqlite3.Connection:
    connection.ensure_connection()
    found: sqlite3.Connection = connection.connection
    return found


@pytest.fixture(scope="module")
def copies() -> Iterator[Copies]:
    made = Copies()
    yield made
    for copy in made.found.values():
        copy.close()


@pytest.fixture
def kept(copies: Copies, lab: Lab, transactional_db: None, request: pytest.FixtureRequest) -> Kept:
    """Takes what makes the tenant ready: a function of the tenant, wired, and of the lab."""

    def tenant_made_by(make: Make) -> Tenant:
        if not copies.has(lab, make.__name__):
            tenant: Tenant = request.getfixturevalue("wired")
            make(tenant, lab)
            if connection.vendor == "sqlite":
                copies.keep(lab, make.__name__)
        else:
            copies.restore(lab, make.__name__)
        return Tenant.objects.get()

    return tenant_made_by
