"""The connection: what its cards and its tests say."""

import pytest
from django.test import Client
from django.utils import timezone

from sync.connection import services
from sync.models import ConnectionTest, Half, Tenant
from tests.world.runs import new_run

pytestmark = [pytest.mark.django_db]


JO = "jo@acme.example"
FACTS = {
    "directory_id": "4f1c09d2-7a3e-4b8a-9c55-12e0d7f6a3b1",
    "client_id": "0a1b2c3d-0000-4000-8000-000000000001",
    "client_secret": "the-secret-value~7Q",
    "scim_endpoint": "https://scim.eu-central-1.amazonaws.com/11111111111-2222-3333-4444-555555555555/scim/v2",
    "scim_token": "t0" * 270,
}


def pass_test(tenant: Tenant, half: str) -> ConnectionTest:
    test = services.new_test(tenant=tenant, actor=JO, half=half)
    test.checks = [row | {"state": "passed"} for row in test.checks]
    services.remember(test, timezone.now())
    return test


@pytest.fixture
def connected(tenant: Tenant) -> Tenant:
    """Both halves passed their test."""
    services.connect(tenant, FACTS, actor=JO)
    for half in Half:
        pass_test(tenant, half)
    return tenant


def refused(tenant: Tenant) -> None:
    """A run met a token that AWS no longer takes."""
    run = new_run(tenant, 1, state="failed", problem="token-refused", finished_at=timezone.now())
    facts = {"enabled": True, "enabled_changed_at": timezone.now(), "next_run_at": timezone.now()}
    Tenant.objects.update(**facts, quarantined_at=run.finished_at, quarantine_code="token-refused")


@pytest.mark.parametrize("half", Half)
def test_one_half_is_tested_while_the_last_test_of_the_other_is_shown(connected: Tenant, jo: Client, half: str) -> None:
    answer = jo.post("/t/acme/connection/tests/", {"half": half}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert [test.row.half for test in answer.context["latest"]] == list(Half)
    assert {test.row.half for test in answer.context["latest"] if test.row.state != "done"} == {half}


def test_a_refused_token_is_told_the_same_way_by_the_card_and_the_banner(connected: Tenant, jo: Client) -> None:
    refused(connected)
    states = {half.half: half.state for half in jo.get("/t/acme/connection/").context["halves"]}
    assert states == {"aws": "failing", "entra": "working"}
    assert "Create a new token in AWS" in jo.get("/t/acme/").content.decode()


def test_after_a_passed_test_nobody_is_asked_for_another_token(connected: Tenant, jo: Client) -> None:
    refused(connected)
    test = pass_test(connected, "aws")
    page = jo.get(f"/t/acme/connection/tests/{test.pk}/").content.decode()
    assert "A try begins by itself within seconds." in page
    assert "Create a new token in AWS" not in (overview := jo.get("/t/acme/").content.decode())
    assert "the connection passed its test since" in overview
