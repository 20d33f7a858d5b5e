"""The end dates of credentials: an incident and one mail at 90, 60, 30, 14, 7 and 1 days, and when it has ended."""

import datetime
from typing import Any

import pytest
from django.utils import translation

from portal.models import User
from sync.connection import services
from sync.models import Channel, Delivery, Incident, Run, Tenant
from sync.notifications import incidents
from sync.notifications.endings import note_endings
from tests.world.notified import mail_to

pytestmark = pytest.mark.django_db
END = datetime.date(2027, 6, 1)
FACTS = {
    "directory_id": "4f1c09d2-7a3e-4b8a-9c55-12e0d7f6a3b1",
    "client_id": "0a1b2c3d-0000-4000-8000-000000000001",
    "client_secret": "secret",
    "scim_endpoint": "https://scim.eu-central-1.amazonaws.com/11111111111-2222-3333-4444-555555555555/scim/v2",
    "scim_token": "token",
}


@pytest.fixture
def acme(tenant: Tenant) -> Tenant:
    """Its token ends on END, its secret three years later."""
    services.connect(tenant, FACTS, actor="jo@acme.example")
    type(tenant.aws).objects.filter(tenant=tenant).update(token_created_on=END - datetime.timedelta(days=365))
    type(tenant.entra).objects.filter(tenant=tenant).update(credential_ends_on=END + datetime.timedelta(days=1000))
    mail_to(tenant)
    return Tenant.objects.get(pk=tenant.pk)


def look(days_left: int) -> None:
    note_endings(END - datetime.timedelta(days=days_left))


def opened() -> list[tuple[str, str]]:
    return list(Incident.objects.filter(solved_at=None).values_list("code", "attribute"))


def test_each_step_brings_one_mail_however_often_it_is_looked_at(acme: Tenant) -> None:
    for days_left in range(100, -3, -1):
        look(days_left)
        look(days_left)
    subjects = list(Delivery.objects.order_by("pk").values_list("subject", flat=True))
    lefts = [*(f"{days} days left" for days in (90, 60, 30, 14, 7)), "1 day left", "0 days left"]
    assert subjects == [f"[Acme] The AWS access token ends: {left}" for left in lefts]


def test_somebody_who_comes_late_gets_one_mail_not_all(acme: Tenant) -> None:
    look(10)
    assert Delivery.objects.count() == 1
    assert opened() == [("token-ends", "14")]


def test_a_mail_is_in_the_language_of_its_recipient_else_in_english(acme: Tenant) -> None:
    mail_to(acme, "ann@acme.example")
    User.objects.create_user("Ann@acme.example", language="de")
    with translation.override("de"):
        look(90)
    assert dict(Delivery.objects.values_list("recipient", "subject")) == {
        "ops@acme.example": "[Acme] The AWS access token ends: 90 days left",
        "ann@acme.example": "[Acme] Das AWS-Zugriffstoken läuft ab: noch 90 Tage",
    }


def test_the_mail_leads_to_the_page_that_replaces_it(acme: Tenant) -> None:
    look(90)
    body = Delivery.objects.get().body
    assert "/t/acme/connection/aws/replace/" in body
    assert "It ends on 1 Jun 2027." in body


def test_a_new_token_ends_the_incident(acme: Tenant) -> None:
    look(30)
    type(acme.aws).objects.filter(tenant=acme).update(token_created_on=END)
    look(30)
    assert opened() == []


def test_a_credential_that_was_replaced_is_told_once_and_a_step_is_no_all_clear(acme: Tenant) -> None:
    for days_left in (30, 14):
        look(days_left)
    type(acme.aws).objects.filter(tenant=acme).update(token_created_on=END)
    for _ in range(2):
        look(14)
    subjects = [subject for subject in Delivery.objects.values_list("subject", flat=True) if "Solved" in subject]
    assert subjects == ["[Acme] Solved: The AWS access token ends"]


def test_the_end_of_a_secret_of_entra_is_watched_too(acme: Tenant) -> None:
    type(acme.entra).objects.filter(tenant=acme).update(credential_ends_on=END)
    look(7)
    assert set(opened()) == {("token-ends", "7"), ("credential-ends", "7")}


def test_a_federated_credential_has_no_end(acme: Tenant) -> None:
    services.save_entra(
        tenant=acme,
        actor="jo@acme.example",
        cloud="lab",
        directory_id=FACTS["directory_id"],
        client_id=FACTS["client_id"],
        credential_kind="federated",
        credential=None,
        ends_on=END,
    )
    look(7)
    assert opened() == [("token-ends", "7")]


def test_nobody_is_written_to_who_did_not_ask_for_it(acme: Tenant) -> None:
    Channel.objects.update(on=False)
    look(7)
    assert (Delivery.objects.count(), opened()) == (0, [("token-ends", "7")])


def test_a_run_that_goes_well_does_not_end_it(acme: Tenant) -> None:
    look(7)
    run = Run.objects.create(tenant=acme, number=1, kind="full", trigger="person", state="completed")
    incidents.after_run(run)
    assert opened() == [("token-ends", "7")]


def test_a_half_that_is_not_connected_has_no_end(tenant: Tenant, settings: Any) -> None:
    type(tenant.aws).objects.filter(tenant=tenant).update(token_created_on=END)
    look(0)
    assert opened() == []
