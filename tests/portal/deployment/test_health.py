"""Probes, and pages while the database cannot be used."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from portal.deployment import json_logs

pytestmark = pytest.mark.django_db
AWAY = 'connection to server at "db.internal", port 5432 failed: Connection refused\n\tIs the server running?'


@pytest.fixture
def production(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["lockstep.example"]
    settings.SECURE_SSL_REDIRECT = True


@pytest.fixture
def probe(production: None) -> Client:
    """A load balancer: by the address of the container, over plain HTTP."""
    return Client(SERVER_NAME="10.0.3.7", SERVER_PORT="8000", raise_request_exception=False)


@pytest.fixture
def no_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refused(_self: BaseDatabaseWrapper) -> None:
        raise OperationalError(AWAY)

    with monkeypatch.context() as patched:
        patched.setattr(BaseDatabaseWrapper, "cursor", refused)
        yield


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("method", ["get", "head"])
def test_a_probe_is_answered_whatever_host_it_names_and_without_https(probe: Client, path: str, method: str) -> None:
    answer = getattr(probe, method)(path)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert not answer.cookies
    assert probe.get("/sign-in/").status_code == 400


@pytest.mark.usefixtures("no_database")
def test_without_a_database_the_process_lives_and_is_not_ready(probe: Client) -> None:
    assert probe.get("/healthz").status_code == 200
    answer = probe.get("/readyz")
    assert answer.status_code == 503
    assert answer.content == b"The database does not answer. The log of this process says why.\n"


def test_with_the_tables_of_another_version_it_is_not_ready(probe: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Really unmigrated: tests/house/test_settings.py."""
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: [("0007_next", False)])
    answer = probe.get("/readyz")
    assert answer.status_code == 503
    assert b"Run `manage.py migrate`" in answer.content


@pytest.mark.parametrize("path", ["/healthz/", "/readyz/x"])
def test_other_addresses_are_no_probes(probe: Client, path: str) -> None:
    assert probe.get(path).status_code == 400


def test_a_probe_is_only_asked(probe: Client) -> None:
    assert probe.post("/healthz").status_code == 400


@pytest.mark.parametrize("path", ["/sign-in/", "/t/", "/me/"])
def test_a_page_without_a_database_says_so_and_is_no_error_of_ours(
    client_signed_in: Client, no_database: None, path: str
) -> None:
    answer = client_signed_in.get(path)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "60"
    assert "The database does not answer" in answer.content.decode()
    assert "db.internal" not in answer.content.decode()


@pytest.fixture
def client_signed_in(owner: Any, client_of: Any) -> Client:
    client: Client = client_of(owner)
    client.raise_request_exception = False
    return client


def test_the_log_says_it_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.root.handlers[:]
    try:
        json_logs.configure({"level": "INFO"})
        try:
            raise OperationalError(AWAY)
        except OperationalError:
            logging.getLogger("celery.app.trace").error("Task failed", exc_info=True)
    finally:
        logging.root.handlers[:] = before
    [line] = capsys.readouterr().err.splitlines()
    assert "Traceback" not in line
    assert "Connection refused. See that it runs" in line
