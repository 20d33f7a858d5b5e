"""The calendar of credentials, and replacing one on its page."""

import datetime
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from portal.models import Role, User
from sync.connection import renewal, services
from sync.models import AwsConnection, EntraConnection, SecondCredential, Tenant
from sync.tenants.services import create_tenant
from tests.world.people import person

JO = "jo@acme.example"
FACTS = {
    "directory_id": "4f1c09d2-7a3e-4b8a-9c55-12e0d7f6a3b1",
    "client_id": "0a1b2c3d-0000-4000-8000-000000000001",
    "client_secret": "secret~ab",
    "scim_endpoint": "https://scim.eu-central-1.amazonaws.com/11111111111-2222-3333-4444-555555555555/scim/v2",
    "scim_token": "token",
}


@pytest.fixture
def acme(tenant: Tenant, settings: Any) -> Tenant:
    settings.EXTRA_CLOUDS = {
        "lab": {"label": "Lab", "authority": "https://localhost:1", "graph": "https://localhost:2"}
    }
    services.connect(tenant, FACTS, actor=JO)
    return tenant


@pytest.fixture
def signed_in(acme: Tenant, owner: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(owner)


def replace(client: Client, half: str, **form: str) -> str:
    answer = client.post(f"/t/acme/connection/{half}/replace/", form, follow=True)
    assert answer.status_code == 200, answer.context["form"].errors
    return answer.content.decode()


def test_the_calendar_shows_the_next_end_first(signed_in: Client, acme: Tenant) -> None:
    AwsConnection.objects.filter(tenant=acme).update(
        token_created_on=timezone.localdate() - datetime.timedelta(days=360)
    )
    text = signed_in.get("/credentials/").content.decode()
    assert text.index("Access token") < text.index("Client secret")
    assert re.search(r'class="ls-number ls-bad">5<', text)


def test_somebody_sees_the_credentials_of_his_tenants_only(acme: Tenant, client_of: Callable[[User], Client]) -> None:
    other = create_tenant(actor=JO, name="Other")
    services.connect(other, FACTS, actor=JO)
    client = client_of(person("tom@acme.example", Role.VIEWER, acme))
    for path in ("/credentials/", "/credentials.ics"):
        text = client.get(path).content.decode()
        assert "Acme" in text
        assert "Other" not in text


def test_the_file_is_one_that_calendars_take(signed_in: Client, acme: Tenant) -> None:
    Tenant.objects.filter(pk=acme.pk).update(name="Ac;me, " + "ü" * 80)
    text = signed_in.get("/credentials.ics").content.decode()
    lines = text.split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    assert text.endswith("END:VCALENDAR\r\n")
    assert max(len(line.encode()) for line in lines) <= 75
    whole = text.replace("\r\n ", "")
    assert "SUMMARY:Ac\\;me\\, üü" in whole
    assert whole.count("BEGIN:VEVENT") == whole.count("END:VEVENT") == 2
    ends = EntraConnection.objects.get(tenant=acme).credential_ends_on
    assert f"DTSTART;VALUE=DATE:{ends:%Y%m%d}" in whole
    assert "TRIGGER:-P7D" in whole


def test_no_secret_is_in_the_calendar(signed_in: Client) -> None:
    for path in ("/credentials/", "/credentials.ics"):
        assert "secret~ab" not in signed_in.get(path).content.decode()


def test_a_token_is_replaced_on_its_page(signed_in: Client, acme: Tenant) -> None:
    text = replace(signed_in, "aws", step="enter", token="n3" * 270, token_created_on=str(timezone.localdate()))
    assert "n3n3" not in text
    assert 'id="step-test"' in text
    assert 'id="step-switch"' not in text
    SecondCredential.objects.update(tested_at=timezone.now(), test_passed=True)
    assert 'id="step-switch"' in signed_in.get("/t/acme/connection/aws/replace/").content.decode()
    assert "Switch back" in replace(signed_in, "aws", step="switch")
    AwsConnection.objects.update(last_used_at=timezone.now())
    assert "I have deleted it there" in signed_in.get("/t/acme/connection/aws/replace/").content.decode()
    replace(signed_in, "aws", step="remove")
    assert not SecondCredential.objects.exists()


def test_a_certificate_made_here_is_downloaded_without_its_key(signed_in: Client, acme: Tenant) -> None:
    text = replace(signed_in, "entra", step="enter", credential_kind="certificate", make="on")
    assert "Download certificate" in text
    answer = signed_in.get("/t/acme/connection/certificate.cer?second=1")
    assert answer["Content-Disposition"] == 'attachment; filename="lockstep-acme.cer"'
    assert answer.content.startswith(b"-----BEGIN CERTIFICATE-----")
    assert b"PRIVATE" not in answer.content


def test_without_a_certificate_there_is_nothing_to_download(signed_in: Client) -> None:
    assert "no certificate here" in signed_in.get("/t/acme/connection/certificate.cer", follow=True).content.decode()


def test_a_switch_before_its_test_is_refused_in_words(signed_in: Client) -> None:
    replace(signed_in, "aws", step="enter", token="n3" * 270, token_created_on=str(timezone.localdate()))
    assert "Test the second credential first" in replace(signed_in, "aws", step="switch")


def test_a_federated_credential_is_offered_where_the_deployment_has_a_token(
    signed_in: Client, settings: Any, tmp_path: Path
) -> None:
    page = "/t/acme/connection/entra/"
    assert 'value="federated"' not in signed_in.get(page).content.decode()
    settings.FEDERATED_TOKEN_FILE = str(tmp_path / "token")
    (tmp_path / "token").write_text("e30.eyJpc3MiOiJodHRwczovL2lzc3VlciIsInN1YiI6InN1YmplY3QifQ.c2ln")
    text = signed_in.get(page).content.decode()
    assert 'value="federated"' in text
    assert "https://issuer" in text
    assert "c2ln" not in text


def test_nobody_without_the_right_replaces_a_credential(acme: Tenant, client_of: Callable[[User], Client]) -> None:
    operator = client_of(person("op@acme.example", Role.OPERATOR, acme))
    assert operator.post("/t/acme/connection/aws/replace/", {"step": "remove"}).status_code == 403
    assert renewal.second_of(acme, "aws") is None
