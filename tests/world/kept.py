"""A tenant that many tests of a module begin with: made and synced for the first, there again for each of the others.

On SQLite, which copies a database in a moment (sqlite.org/backup.html); on PostgreSQL each test has it made anew.
"""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection

from sync.models import Tenant
from tests.world.lab import Lab

Make = Callable[[Tenant, Lab], Any]


@dataclass(frozen=True, slots=True)
class Begun:
    """`facts`: what made the tenant ready returned."""

    tenant: Tenant
    facts: Any


Kept = Callable[[Make], Begun]


class Copies:
    """Of the whole database, by the lab and by what made it; with what that returned."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], tuple[sqlite3.Connection, Any]] = {}

    def keep(self, lab: Lab, name: str, facts: Any) -> None:
        lab.call("PUT", f"kept/{name}")
        copy = sqlite3.connect(":memory:")
        self.found[lab.scim_host, name] = copy, facts
        own().backup(copy)

    def has(self, lab: Lab, name: str) -> bool:
        return (lab.scim_host, name) in self.found

    def restore(self, lab: Lab, name: str) -> Any:
        lab.call("POST", f"kept/{name}")
        copy, facts = self.found[lab.scim_host, name]
        copy.backup(own())
        return facts


def own() -> sqlite3.Connection:
    connection.ensure_connection()
    found: sqlite3.Connection = connection.connection
    return found


@pytest.fixture(scope="module")
def copies() -> Iterator[Copies]:
    made = Copies()
    yield made
    for copy, _facts in made.found.values():
        copy.close()


@pytest.fixture
def kept(copies: Copies, lab: Lab, transactional_db: None, request: pytest.FixtureRequest) -> Kept:
    """Takes what makes the tenant ready: a function of the tenant, wired, and of the lab."""

    def begun_by(make: Make) -> Begun:
        if not copies.has(lab, make.__name__):
            facts = make(request.getfixturevalue("wired"), lab)
            if connection.vendor == "sqlite":
                copies.keep(lab, make.__name__, facts)
        else:
            facts = copies.restore(lab, make.__name__)
        return Begun(Tenant.objects.get(), facts)

    return begun_by
