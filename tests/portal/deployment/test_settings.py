"""The table of settings in docs/operations.md and the code that reads them: the same names, the same defaults."""

import ast
import re
import runpy
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client

from portal.deployment import environ
from sync.configuration.settings import set_scope
from sync.drift import services as drift
from sync.models import Run, Tenant
from sync.readiness.services import check_now
from sync.worker.execution import execute_run
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, publish, sync

ROOT = Path(__file__).parents[3]
READERS = {"addresses", "environ", "extra_hosts"}
SECRETS = {"secret", "proxy", "database", "broker", "audit_destination"}


def settings_read() -> dict[str, str]:
    """Name -> the reader that reads it."""
    calls = [
        node for node in ast.walk(ast.parse((ROOT / "portal/settings.py").read_text())) if isinstance(node, ast.Call)
    ]
    return {
        call.args[0].value: call.func.attr
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id in READERS
        if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
    }


def documented() -> dict[str, list[str]]:
    """Name -> the cells beside it."""
    section = (ROOT / "docs/operations.md").read_text().split("## Settings\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {name: row[1:] for row in rows for name in re.findall(r"`([A-Z_]+)`", row[0])}


@pytest.mark.pure
def test_every_setting_that_is_read_is_documented_and_no_other() -> None:
    assert set(documented()) == set(settings_read())


@pytest.mark.pure
def test_what_may_come_from_a_file_says_so() -> None:
    from_files = {name for name, reader in settings_read().items() if reader in SECRETS}
    assert {name for name, cells in documented().items() if "file too" in cells[0]} == from_files


@pytest.mark.pure
def test_whatever_may_be_a_secret_is_kept_from_programs_that_need_none() -> None:
    assert {name for name, reader in settings_read().items() if reader in SECRETS} <= environ.SECRETS


YEAR = "max-age=31536000"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "header"),
    [
        ({}, YEAR),
        ({"HSTS_SUBDOMAINS": "1"}, f"{YEAR}; includeSubDomains"),
        ({"HSTS_PRELOAD": "1"}, f"{YEAR}; preload"),
        ({"HSTS_SECONDS": "60", "HSTS_SUBDOMAINS": "1", "HSTS_PRELOAD": "1"}, "max-age=60; includeSubDomains; preload"),
        ({"HSTS_SUBDOMAINS": "0", "HSTS_PRELOAD": "0"}, YEAR),
        ({"PUBLIC_URL": "http://localhost:8000", "HSTS_SUBDOMAINS": "1", "HSTS_PRELOAD": "1"}, None),
    ],
)
def test_what_browsers_keep_about_https_is_what_the_settings_say(
    settings: Any, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], header: str | None
) -> None:
    for name, value in ({"PUBLIC_URL": "https://testserver"} | given).items():
        monkeypatch.setenv(name, value)
    read = runpy.run_path(str(ROOT / "portal/settings.py"))
    for name in ("SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_HSTS_PRELOAD", "SECURE_SSL_REDIRECT"):
        setattr(settings, name, read[name])
    assert Client().get("/sign-in/", secure=True).headers.get("Strict-Transport-Security") == header


@pytest.mark.pure
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_two_installations_on_one_host_keep_their_cookies_apart(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    """A browser sends a host's cookies to all its ports: under one name, each would sign the other out."""
    names = []
    for port in (8000, 8031):
        monkeypatch.setenv("PUBLIC_URL", f"{scheme}://localhost:{port}")
        read = runpy.run_path(str(ROOT / "portal/settings.py"))
        names += [read[name] for name in ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "DEVICE_COOKIE_NAME")]
    assert len(set(names)) == 6


@pytest.mark.django_db(transaction=True)
@pytest.mark.only("postgresql")
@pytest.mark.parametrize("off", [True, False])
def test_behind_a_pooler_no_cursor_lives_in_the_server(
    wired: Tenant, lab: Lab, monkeypatch: pytest.MonkeyPatch, off: bool
) -> None:
    """Outside a transaction a named cursor is WITH HOLD, and lost with the connection that the pooler gives to another."""
    made: list[Any] = []
    execute = psycopg.ServerCursor.execute
    monkeypatch.setattr(
        psycopg.ServerCursor, "execute", lambda *facts, **more: made.append(1) or execute(*facts, **more)
    )
    monkeypatch.setenv("DISABLE_SERVER_SIDE_CURSORS", "1" if off else "0")
    read = runpy.run_path(str(ROOT / "portal/settings.py"))["DATABASES"]["default"]
    monkeypatch.setitem(
        connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", read.get("DISABLE_SERVER_SIDE_CURSORS", False)
    )
    set_scope(actor=ACTOR, tenant=wired, everybody=True, mirrored_app="")
    publish(wired)
    sync(wired)
    check_now(wired)
    run = drift.request_comparison(tenant=wired, actor=ACTOR, trigger=Run.Trigger.COMMAND, enqueue=False)
    assert execute_run(run.pk)
    assert bool(made) is not off
