"""Whatever a test does on a page leaves its entry in the audit log: every request of every test is looked at.

A request that wrote to a table of the product has an entry with the person, the address, its own id, and what was or is.
"""

import re
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from sync.models import AuditEntry

WRITE = re.compile(r'^\s*(?:INSERT INTO|UPDATE|DELETE FROM) "?(\w+)"?', re.IGNORECASE)
SAVEPOINT = re.compile(r'SAVEPOINT "?(\w+)"?')
ROLLBACK = re.compile(r'ROLLBACK TO SAVEPOINT "?(\w+)"?')
# What a request may write without an entry: whose session it is, when a token was used last, that Graph said something, the log.
OWN = {
    "django_session",
    "portal_signedin",
    "portal_trycount",
    "portal_apitoken",
    "sync_graphsubscription",
    "sync_auditentry",
    "sync_audithead",
}
# Entries that say all by their verb.
BARE = {"sign_out"}


@pytest.fixture(autouse=True)
def every_write_has_its_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    send = Client.request

    def watched(client: Client, **request: Any) -> HttpResponse:
        statements = Statements()
        with connection.execute_wrapper(statements):
            response = send(client, **request)
        # Within a test's own transaction what waits for the commit does not happen.
        if (written := statements.written() - OWN) and not connection.run_on_commit:
            check(response, request, written)
        return response

    monkeypatch.setattr(Client, "request", watched)


class Statements:
    """Writes, and the savepoints that they are rolled back to."""

    def __init__(self) -> None:
        # Tables, and savepoints under a name that no table has.
        self.found: list[str] = []

    def __call__(self, execute: Any, sql: str, *facts: Any) -> Any:
        # What most of them do.
        if sql.startswith("SELECT"):
            return execute(sql, *facts)
        if (back := ROLLBACK.match(sql)) and f"-{back[1]}" in self.found:
            del self.found[self.found.index(f"-{back[1]}") :]
        elif savepoint := SAVEPOINT.match(sql):
            self.found.append(f"-{savepoint[1]}")
        elif write := WRITE.match(sql):
            self.found.append(write[1])
        return execute(sql, *facts)

    def written(self) -> set[str]:
        return {name for name in self.found if not name.startswith("-")}


def check(response: HttpResponse, request: dict[str, Any], written: set[str]) -> None:
    where = f"{request['REQUEST_METHOD']} {request['PATH_INFO']} wrote {sorted(written)}"
    entries = list(AuditEntry.objects.filter(request_id=response["X-Request-ID"]))
    assert entries, f"{where} without an entry in the audit log"
    for entry in entries:
        assert entry.actor, f"{where}: {entry.verb} by nobody"
        assert entry.address, f"{where}: {entry.verb} from nowhere"
        assert " object (" not in entry.object_name, f"{where}: {entry.verb} of {entry.object_name}"
        assert entry.verb in BARE or entry.before is not None or entry.after is not None, (
            f"{where}: {entry.verb} of nothing"
        )
