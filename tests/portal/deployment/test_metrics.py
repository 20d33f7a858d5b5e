"""/metrics: who may read it, and that its figures are what the database holds."""

import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from sync.health import services
from sync.models import AwsConnection, Delivery, Half, Heartbeat, Run, Standing, Tenant, Word
from sync.runs.requests import request_run
from sync.runs.tallies import count_run
from tests.world.tenant import ACTOR

pytestmark = pytest.mark.django_db
TOKEN = "t" * 40


class Scraped:
    def __init__(self, client: Client) -> None:
        answer = client.get("/metrics")
        assert answer.status_code == 200
        families = text_string_to_metric_families(answer.content.decode())
        self.samples = [sample for family in families for sample in family.samples]

    def __call__(self, name: str, /, **labels: str) -> float:
        (value,) = [one.value for one in self.samples if (one.name, one.labels) == (f"lockstep_{name}", labels)]
        return float(value)


def test_this_machine_may_ask_and_nobody_else(client: Client, settings: Any) -> None:
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="10.0.0.7").status_code == 401
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 401
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert client.get("/metrics").status_code == 401, "behind a proxy everybody comes from loopback"


def test_with_a_token_whoever_sends_it_may_ask(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    good = {"Authorization": f"Bearer {TOKEN}"}
    assert client.get("/metrics", headers=good, REMOTE_ADDR="10.0.0.7").status_code == 200


def test_runs_and_their_requests_are_counted(client: Client, tenant: Tenant) -> None:
    run = request_run(tenant=tenant, kind=Run.Kind.FULL, trigger=Run.Trigger.COMMAND, enqueue=False)
    Run.objects.filter(pk=run.pk).update(created_at=timezone.now() - datetime.timedelta(seconds=90))
    found = Scraped(client)
    assert found("runs_open", state="queued") == 1
    assert 89 <= found("queue_oldest_seconds") < 100
    run.state, run.finished_at = Run.State.COMPLETED, timezone.now()
    run.scim_requests = {"GET": 3, "POST": 40, "throttled": 2}
    run.save()
    for _ in range(2):
        count_run(run)
    found = Scraped(client)
    assert found("runs_open", state="queued") == 0
    assert found("runs_total", tenant="acme", state="completed") == 2
    assert found("scim_requests_total", tenant="acme", method="POST") == 80
    assert found("scim_requests_total", tenant="acme", method="throttled") == 4
    assert found("last_good_run_timestamp_seconds", tenant="acme") == run.finished_at.timestamp()


def test_tenants_that_wait_have_a_number_of_seconds(client: Client, tenant: Tenant) -> None:
    Tenant.objects.update(enabled=True, next_run_at=timezone.now() - datetime.timedelta(minutes=20))
    assert 1195 < Scraped(client)("tenant_overdue_seconds", tenant="acme") < 1210
    Tenant.objects.update(next_run_at=timezone.now())
    assert Scraped(client)("tenant_overdue_seconds", tenant="acme") == 0


def test_processes_problems_mails_and_ends_are_there(client: Client, tenant: Tenant) -> None:
    services.report(role=Heartbeat.Role.WORKER, name="runs@a", queues=["quick", "runs"], slots=2)
    Standing.objects.create(
        tenant=tenant, kind="user", object_id="1", word=Word.FAILED, code="value-taken", since=timezone.now()
    )
    Delivery.objects.create(tenant=tenant, recipient=ACTOR, subject="s", body="b", state=Delivery.State.FAILED)
    AwsConnection.objects.update(endpoint="https://x.example", sealed_token="x", token_created_on=timezone.now().date())
    found = Scraped(client)
    assert 0 <= found("heartbeat_age_seconds", role="worker", name="runs@a") < 10
    assert found("worker_slots", name="runs@a", queue="runs") == 2
    assert found("problems", tenant="acme", word="failed", code="value-taken") == 1
    assert found("mails", state="failed") == 1
    assert found("credential_days_left", tenant="acme", half=Half.AWS.value) in (365, 366)
    assert found("tenant_enabled", tenant="acme") == 0
