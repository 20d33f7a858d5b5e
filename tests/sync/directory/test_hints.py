"""Notifications that are genuine cause one run; forged, repeated, late, broken and flooding ones never cause more."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from sync.directory import hints
from sync.directory.hints import heeded
from sync.directory.subscriptions import PATH, hash_of
from sync.models import GraphSubscription, Run, Tenant
from sync.worker import scheduling
from tests.world.runs import new_run

pytestmark = pytest.mark.django_db
STATE, IDENTITY = "known to two", "11111111-2222-4333-8444-555555555555"


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Messages to workers."""
    found: list[tuple[str, int]] = []
    monkeypatch.setattr("sync.queue.send", lambda task, key: found.append((task, key)))
    return found


@pytest.fixture
def on(ready: Tenant) -> Tenant:
    Tenant.objects.update(
        enabled=True, enabled_changed_at=timezone.now(), next_run_at=timezone.now() + timedelta(hours=1)
    )
    GraphSubscription.objects.create(
        tenant=ready,
        resource="groups",
        subscription_id=IDENTITY,
        client_state_hash=hash_of(STATE),
        expires_at=timezone.now() + timedelta(days=20),
        renewed_at=timezone.now(),
        next_at=timezone.now() + timedelta(hours=1),
    )
    return ready


def item(number: int = 1, **changes: Any) -> dict[str, Any]:
    data = {"id": "g1", "sequenceNumber": number}
    return {"subscriptionId": IDENTITY, "clientState": STATE, "changeType": "updated", "resourceData": data} | changes


def post(*items: Any) -> int:
    body = json.dumps({"value": list(items)})
    return Client().post(f"/{PATH}", body, content_type="application/json").status_code


def runs() -> list[str]:
    """As the next beat leaves it: what it starts ends at once."""
    scheduling.dispatch()
    Run.objects.filter(state="queued").update(state="completed", finished_at=timezone.now() - timedelta(minutes=1))
    return list(Run.objects.order_by("pk").values_list("trigger", flat=True))


def test_a_genuine_notification_starts_one_run_over_changes(on: Tenant, sent: list[tuple[str, int]]) -> None:
    assert post(item()) == 202
    assert sent == [("sync.tasks.look", on.pk)]
    assert runs() == ["change"]
    assert runs() == ["change"]
    on.refresh_from_db()
    assert on.next_run_at is not None
    assert on.next_run_at < timezone.now() + timedelta(minutes=20), "the interval begins anew"


@pytest.mark.parametrize(
    "forged",
    [
        item(clientState="guessed"),
        item(clientState=None),
        item(clientState=["known to two"]),
        item(clientState="\ud800"),
        item(subscriptionId="22222222-2222-4333-8444-555555555555"),
        item(subscriptionId=""),
        item(subscriptionId="a\x00b"),
        item(subscriptionId={"a": 1}),
        "words",
        None,
        [],
    ],
)
def test_a_forged_one_starts_nothing(on: Tenant, sent: list[tuple[str, int]], forged: Any) -> None:
    assert post(forged) == 202
    assert (sent, runs()) == ([], [])


def test_one_for_another_subscription_s_secret_starts_nothing(on: Tenant) -> None:
    other = GraphSubscription.objects.create(
        tenant=on,
        resource="users",
        subscription_id="u1",
        client_state_hash=hash_of("another"),
        expires_at=timezone.now(),
    )
    assert post(item(subscriptionId=other.subscription_id)) == 202
    assert runs() == []


def test_a_repeated_one_starts_nothing_more(on: Tenant) -> None:
    for _ in range(3):
        post(item())
        assert runs() == ["change"]


def test_a_late_one_after_the_end_of_its_subscription_starts_nothing(on: Tenant) -> None:
    GraphSubscription.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    post(item())
    assert runs() == []


def test_a_flood_is_one_run(on: Tenant, sent: list[tuple[str, int]]) -> None:
    for number in range(20):
        assert post(*(item(number * 1000 + one) for one in range(50))) == 202
    assert (len(sent), runs()) == (1, ["change"])


def test_what_comes_during_a_run_is_one_more_after_it(on: Tenant) -> None:
    open_run = new_run(on, 7, kind="changes", state="running", trigger="schedule")
    for number in range(5):
        post(item(number))
        assert runs() == ["schedule"]
    Run.objects.filter(pk=open_run.pk).update(state="completed", finished_at=timezone.now())
    assert runs() == ["schedule"], "no run begins right after another"
    Run.objects.filter(pk=open_run.pk).update(finished_at=timezone.now() - timedelta(minutes=1))
    Tenant.objects.update(last_run_number=7)
    assert runs() == ["schedule", "change"]
    assert runs() == ["schedule", "change"]


@pytest.mark.parametrize(
    "changes",
    [{"enabled": False}, {"quarantined_at": timezone.now(), "quarantine_code": "token-refused"}],
    ids=["off", "quarantined"],
)
def test_nothing_starts_where_nothing_may_be_written(on: Tenant, changes: dict[str, Any]) -> None:
    Tenant.objects.update(**changes)
    post(item())
    assert runs() == []


def test_a_run_that_was_due_heeds_the_hint_too(on: Tenant) -> None:
    post(item())
    Tenant.objects.update(next_run_at=timezone.now())
    assert runs() == ["schedule"]
    assert runs() == ["schedule"]
    assert heeded(on, timezone.now()) == 0


@pytest.mark.parametrize("event", ["subscriptionRemoved", "missed"])
def test_a_lifecycle_event_of_something_missed_starts_a_run(on: Tenant, event: str) -> None:
    post(item(lifecycleEvent=event))
    assert runs() == ["change"]


def test_reauthorization_renews_and_starts_nothing(on: Tenant, sent: list[tuple[str, int]]) -> None:
    post(item(lifecycleEvent="reauthorizationRequired"))
    assert runs() == []
    assert sent == [("sync.tasks.keep_subscription", GraphSubscription.objects.get().pk)]


def test_a_flood_of_forged_ones_is_a_line_a_minute(on: Tenant, caplog: pytest.LogCaptureFixture) -> None:
    """Broken ones too. Each line says how many came since the one before."""
    cache.delete_many([hints.REFUSED, f"{hints.REFUSED}-line"])
    with caplog.at_level("WARNING"):
        for _ in range(20):
            assert post(item(clientState="guessed"), item(clientState="again")) == 202
            assert Client().post(f"/{PATH}", "words", content_type="application/json").status_code == 400
        # A minute later.
        cache.delete(f"{hints.REFUSED}-line")
        post(item(clientState="guessed"))
        post(item(clientState="guessed"))
    lines = [one.msg for one in caplog.records if isinstance(one.msg, dict)]
    assert [line["refused"] for line in lines if line["event"] == "notifications refused"] == [2, 59]
    assert [one for one in caplog.records if one.name == "django.request"] == []
