"""Canaries: the secrets of a whole story must turn up nowhere but sealed."""

import io
import json
import logging
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.test import Client

from portal.models import User
from sync.connection import services
from sync.models import Run, Tenant
from sync.runs.requests import request_run
from tests.world.lab import Lab
from tests.world.people import sign_in
from tests.world.tenant import ACTOR, assign, sync

pytestmark = pytest.mark.django_db(transaction=True)


def every_stored_value() -> str:
    """All columns of all tables, as text."""
    rows: list[Any] = []
    for model in apps.get_models():
        rows += list(model._default_manager.values_list())
    return json.dumps(rows, default=str)


def test_no_secret_is_stored_logged_shown_or_sent_in_the_clear(
    wired: Tenant, lab: Lab, owner: User, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = [lab.facts["client_secret"], lab.facts["scim_token"]]
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

    client = Client()
    sign_in(client, owner)
    paths = ["", "setup/", "connection/", "connection/entra/", "connection/aws/", "runs/1/", "logs/", "logs/export/"]
    paths += ["audit/", "audit/export/", "audit/export/?format=jsonl"]
    pages = b"".join(b"".join(client.get(f"/t/acme/{path}", follow=True)) for path in paths).decode()
    exported = io.StringIO()
    call_command("tenant_export", "acme", stdout=exported)

    places = {
        "database": every_stored_value(),
        "log": caplog.text,
        "pages": pages,
        "task arguments": json.dumps(sent),
        "export": exported.getvalue(),
    }
    assert sent
    assert "AWS-Admins" in places["database"]
    found = [name for name, text in places.items() for secret in secrets if secret in text or secret[:40] in text]
    assert found == []
