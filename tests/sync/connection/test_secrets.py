"""Canaries: the secrets of a whole story must turn up nowhere but sealed."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from portal.access import users
from portal.models import User
from sync.connection import clients, services
from sync.models import Run, Tenant
from sync.notifications import deliveries
from sync.runs.requests import request_run
from sync.tenants.services import save_safety
from tests.world.api import Script, token_of
from tests.world.lab import Lab
from tests.world.people import APP_KEY, PASSWORD, sign_in
from tests.world.second_person import has_been_on
from tests.world.tenant import ACTOR, assign, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(60)]
# Of the API.
LISTS = ("people", "groups", "runs", "runs/1", "operations", "holds")


def every_stored_value() -> str:
    """All columns of all tables, as text."""
    rows: list[Any] = []
    for model in apps.get_models():
        rows += list(model._default_manager.values_list())
    return json.dumps(rows, default=str)


def of_the_installation() -> list[str]:
    return [settings.SECRET_KEY, settings.SEAL_KEYS.partition(":")[2]]


def of_a_person(owner: User) -> list[str]:
    """Password, the app's key, and a link with which a password is chosen."""
    return [PASSWORD, APP_KEY, users.password_link(owner).rstrip("/").rpartition("/")[2]]


def files_of_the_state_folder() -> Iterator[Path]:
    """The cache; the database of a test stands in none of them."""
    yield from (path for path in Path(settings.STATE_DIR).rglob("*") if path.is_file() and "sqlite" not in path.name)


def fail_while_a_secret_is_open(tenant: Tenant, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that ends in an error of ours while both secrets lie open in its variables."""

    def fail(*_arguments: Any, **_facts: Any) -> None:
        opened = [clients.credential_of(tenant.entra, clients.cloud_of(tenant.entra)), clients.access_token(tenant.aws)]
        raise RuntimeError(f"an error of ours with {len(opened)} secrets at hand")

    monkeypatch.setattr("portal.pages.connection.views.render_page", fail)
    assert client.get("/t/acme/connection/").status_code == 500


def test_no_secret_is_stored_logged_shown_or_sent_in_the_clear(
    wired: Tenant, lab: Lab, owner: User, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = [lab.facts["client_secret"], lab.facts["scim_token"], *of_the_installation(), *of_a_person(owner)]
    sent: list[Any] = []
    monkeypatch.setattr("sync.queue.send", lambda *arguments: sent.append(arguments))

    assign(wired, lab.entra_group("AWS-Admins"))
    for half in ("entra", "aws"):
        services.run_test(services.new_test(tenant=wired, actor=ACTOR, half=half).pk)
    lab.call(
        "POST",
        "faults",
        {"part": "aws", "kind": "status", "status": 400, "match": "POST", "body": "nonsense", "times": 2},
    )
    sync(wired)
    request_run(tenant=wired, kind=Run.Kind.FULL, trigger=Run.Trigger.PERSON, actor=ACTOR)

    client = Client(raise_request_exception=False)
    sign_in(client, owner)
    client.post("/sign-in/", {"login": owner.email, "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    paths = ["", "setup/", "connection/", "connection/entra/", "connection/aws/", "runs/1/", "logs/", "logs/export/"]
    paths += ["audit/", "audit/export/", "audit/export/?format=jsonl"]
    pages = b"".join(b"".join(client.get(f"/t/acme/{path}", follow=True)) for path in paths).decode()
    script_token, answers = token_of(owner), []
    for path in ("/status", "/tenants", "/tenants/acme", *(f"/tenants/acme/{name}" for name in LISTS), "/openapi.json"):
        answers.append(Script(script_token).get(path).content.decode())
    secrets.append(script_token)
    exported = io.StringIO()
    call_command("tenant_export", "acme", stdout=exported)
    call_command("configuration_export", "acme", stdout=exported)
    save_safety(tenant=has_been_on(wired), actor=ACTOR, limits={"people_percent": 50})
    deliveries.deliver_here()
    fail_while_a_secret_is_open(wired, client, monkeypatch)

    places = {
        "database": every_stored_value(),
        "log": caplog.text,
        "pages": pages,
        "API": "".join(answers),
        "task arguments": json.dumps(sent),
        "export": exported.getvalue(),
        "mails": "".join(f"{one.subject}{one.body}" for one in mail.outbox),
        "files": "".join(path.read_bytes().decode("latin-1") for path in files_of_the_state_folder()),
    }
    assert sent
    assert "Traceback" in places["log"]
    assert mail.outbox
    assert "AWS-Admins" in places["database"]
    assert "AWS-Admins" in places["API"]
    found = [name for name, text in places.items() for secret in secrets if secret in text or secret[:40] in text]
    assert found == []
