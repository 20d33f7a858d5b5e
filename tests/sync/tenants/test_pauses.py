"""A pause: off until a time that a person chose, then on again by itself, and nothing that somebody decided since is undone."""

import threading
from datetime import timedelta
from typing import Any
from unittest.mock import ANY

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from sync.configuration.current import configuration_of
from sync.models import AuditEntry, Configuration, Delivery, Incident, Run, Tenant
from sync.tenants import services
from sync.tenants.services import (
    CannotPause,
    CannotTurnOn,
    NotPaused,
    note_restored,
    pause_tenant,
    resume_tenant,
    stop_all,
    stopped_with_all,
    turn_off_tenant,
    turn_on_tenant,
)
from sync.worker.scheduling import dispatch
from tests.world.notified import mail_to
from tests.world.runs import new_run
from tests.world.tenant import ACTOR

pytestmark = [pytest.mark.django_db, pytest.mark.both]
HOUR = timedelta(hours=1)
OTHER = "ann@acme.example"


@pytest.fixture
def on(ready: Tenant, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    """With a yes to what it does."""
    monkeypatch.setattr("sync.queue.send", lambda _task, _key: None)
    now = timezone.now()
    Configuration.objects.update(confirmed_at=now, confirmed_by=ACTOR, number=1)
    Tenant.objects.update(enabled=True, enabled_changed_at=now - HOUR, next_run_at=now + HOUR)
    ready.refresh_from_db()
    return ready


def pause(tenant: Tenant, **facts: Any) -> None:
    pause_tenant(tenant=tenant, **{"actor": ACTOR, "until": timezone.now() + HOUR, "reason": "AWS moves", **facts})


@pytest.fixture
def paused(on: Tenant) -> Tenant:
    pause(on)
    return on


def its_time_comes(tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(resume_at=timezone.now() - timedelta(seconds=1))


def now(tenant: Tenant) -> Tenant:
    return Tenant.objects.get(pk=tenant.pk)


def verbs() -> list[tuple[str, str]]:
    entries = AuditEntry.objects.filter(verb__startswith="provisioning.").order_by("pk")
    return list(entries.values_list("verb", "actor"))


def test_a_pause_is_off_and_keeps_until_when_who_and_why(on: Tenant) -> None:
    until = timezone.now() + HOUR
    pause(on, until=until)
    found = now(on)
    assert (found.enabled, found.paused, found.next_run_at) == (False, True, None)
    assert (found.resume_at, found.pause_reason, found.enabled_changed_by) == (until, "AWS moves", ACTOR)
    entry = AuditEntry.objects.get(verb="provisioning.pause")
    assert (entry.actor, entry.after) == (ACTOR, {"enabled": False, "pause_reason": "AWS moves", "resume_at": ANY})


def test_a_run_under_way_stops_as_it_does_when_turned_off(on: Tenant) -> None:
    going, queued = new_run(on, 1, state="running"), new_run(on, 2, kind="changes", state="queued")
    pause(on)
    assert list(Run.objects.order_by("number").values_list("pk", "state")) == [
        (going.pk, "cancelling"),
        (queued.pk, "cancelled"),
    ]


def test_until_then_nothing_starts(paused: Tenant) -> None:
    dispatch()
    assert not now(paused).enabled
    assert not Run.objects.exists()


def test_it_is_on_again_by_itself_with_a_sync_at_once(paused: Tenant) -> None:
    its_time_comes(paused)
    dispatch()
    dispatch()
    found, run = now(paused), Run.objects.get()
    assert (found.enabled, found.resume_at, found.pause_reason) == (True, None, "")
    assert found.next_run_at is not None
    assert (run.kind, run.trigger, run.state, run.requested_by) == ("full", "turned_on", "queued", "Lockstep")
    assert verbs() == [("provisioning.pause", ACTOR), ("provisioning.pause_over", "Lockstep")]


def test_workers_that_were_away_then_turn_it_on_when_they_are_back(paused: Tenant) -> None:
    Tenant.objects.update(resume_at=timezone.now() - timedelta(days=3))
    dispatch()
    assert now(paused).enabled


def test_a_run_in_the_way_does_not_keep_it_off(paused: Tenant) -> None:
    preview = new_run(paused, 1, kind="preview", state="running")
    Tenant.objects.update(last_run_number=1)
    its_time_comes(paused)
    dispatch()
    found = now(paused)
    assert (found.enabled, found.runs.get()) == (True, preview)
    assert found.next_run_at is not None
    assert found.next_run_at <= timezone.now(), "due as soon as it is over"


def stopped(tenant: Tenant) -> None:
    stop_all(actor=OTHER)


def restored(tenant: Tenant) -> None:
    note_restored(actor=OTHER, made_at="2026-11-28T02:00:00+00:00")


def turned_off(tenant: Tenant) -> None:
    turn_off_tenant(tenant=tenant, actor=OTHER)


@pytest.mark.parametrize("deed", [stopped, restored, turned_off])
def test_whoever_turns_it_off_meanwhile_has_it_off(paused: Tenant, deed: Any) -> None:
    deed(paused)
    found = now(paused)
    assert (found.enabled, found.paused, found.pause_reason) == (False, False, "")
    Tenant.objects.filter(resume_at__isnull=False).update(resume_at=timezone.now())
    dispatch()
    assert not now(paused).enabled
    assert not stopped_with_all().exists(), "resume_all turns on what it stopped, and not what a person paused"


def test_turning_off_what_is_paused_is_in_the_audit_log(paused: Tenant) -> None:
    turn_off_tenant(tenant=paused, actor=OTHER)
    assert verbs()[-1] == ("provisioning.turn_off", OTHER)
    assert now(paused).enabled_changed_by == OTHER


def test_turning_off_wins_over_a_clock_that_was_a_moment_faster(paused: Tenant) -> None:
    """Whoever pressed saw a page that said *Paused*."""
    its_time_comes(paused)
    seen = now(paused)
    dispatch()
    turn_off_tenant(tenant=seen, actor=OTHER)
    assert not now(paused).enabled
    assert Run.objects.get().state == Run.State.CANCELLED


@pytest.mark.django_db(transaction=True)
def test_of_the_clock_and_a_person_at_the_same_moment_off_wins(paused: Tenant) -> None:
    its_time_comes(paused)
    start = threading.Barrier(2)

    def at_once(deed: Any) -> None:
        start.wait(timeout=20)
        try:
            deed()
        finally:
            connection.close()

    deeds = (services.resume_due, lambda: turn_off_tenant(tenant=paused, actor=OTHER))
    threads = [threading.Thread(target=at_once, args=[deed]) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    found = now(paused)
    assert (found.enabled, found.paused) == (False, False)
    assert not Run.objects.filter(state__in=Run.OPEN).exists()


def connection_changed(tenant: Tenant) -> None:
    tenant.aws.changed_at = timezone.now()
    tenant.aws.save()


def scope_changed(_tenant: Tenant) -> None:
    Configuration.objects.update(scope_changed_at=timezone.now())


@pytest.mark.parametrize(("deed", "why"), [(connection_changed, "The AWS half"), (scope_changed, "Scope or matching")])
def test_where_something_is_missing_it_stays_off_and_that_is_told_once(paused: Tenant, deed: Any, why: str) -> None:
    mail_to(paused)
    deed(paused)
    its_time_comes(paused)
    dispatch()
    dispatch()
    found = now(paused)
    assert (found.enabled, found.paused, found.runs.count()) == (False, False, 0)
    assert verbs()[-1] == ("provisioning.stay_off", "Lockstep")
    incident, delivery = Incident.objects.get(), Delivery.objects.get()
    assert (incident.code, incident.kind, incident.state) == ("stayed-off", "lateness", "open")
    assert delivery.subject == "[Acme] Provisioning stayed off after a pause"
    assert why in delivery.body
    assert "/t/acme/provisioning/turn-on/" in delivery.body


def test_what_stayed_off_is_over_when_somebody_turns_it_on(paused: Tenant) -> None:
    mail_to(paused)
    connection_changed(paused)
    its_time_comes(paused)
    dispatch()
    paused.aws.tested_at = timezone.now()
    paused.aws.save()
    turn_on_tenant(tenant=now(paused), actor=ACTOR)
    assert Incident.objects.get().state == "solved"
    assert Delivery.objects.count() == 2


def test_resuming_before_its_time_starts_a_sync_and_says_yes_to_no_plan(paused: Tenant) -> None:
    """A plan that somebody made meanwhile was shown to nobody on the way."""
    at = timezone.now()
    new_run(paused, 1, kind="preview", started_at=at, finished_at=at)
    Tenant.objects.update(last_run_number=1)
    run = resume_tenant(tenant=paused, actor=OTHER)
    found = now(paused)
    assert (found.enabled, found.paused, found.enabled_changed_by) == (True, False, OTHER)
    assert (run.kind, run.trigger, run.requested_by) == ("full", "turned_on", OTHER)
    assert configuration_of(paused).confirmed_run is None
    assert verbs()[-1] == ("provisioning.resume", OTHER)


@pytest.mark.parametrize(("deed", "missing"), [(connection_changed, "aws-not-tested"), (scope_changed, "no-preview")])
def test_resuming_needs_what_turning_on_needs(paused: Tenant, deed: Any, missing: str) -> None:
    deed(paused)
    with pytest.raises(CannotTurnOn, match=missing):
        resume_tenant(tenant=paused, actor=OTHER)
    assert now(paused).paused, "and it goes on by itself when that is mended in time"


def test_what_somebody_turned_off_meanwhile_is_not_resumed(paused: Tenant) -> None:
    seen = now(paused)
    turn_off_tenant(tenant=paused, actor=OTHER)
    with pytest.raises(NotPaused):
        resume_tenant(tenant=seen, actor=ACTOR)
    assert not now(paused).enabled


def test_turning_on_from_a_preview_ends_a_pause(paused: Tenant) -> None:
    turn_on_tenant(tenant=paused, actor=OTHER)
    assert (now(paused).enabled, now(paused).paused) == (True, False)


def test_the_end_of_a_pause_can_be_moved_and_a_preview_goes_on(paused: Tenant) -> None:
    since = now(paused).enabled_changed_at
    new_run(paused, 1, kind="preview", state="running")
    until = timezone.now() + timedelta(days=2)
    pause(paused, actor=OTHER, until=until, reason="")
    found = now(paused)
    assert (found.resume_at, found.pause_reason, found.enabled_changed_by) == (until, "", OTHER)
    assert found.enabled_changed_at == since, "off since then"
    assert Run.objects.get().state == Run.State.RUNNING


def test_what_is_off_cannot_be_paused(on: Tenant) -> None:
    """It would turn on what somebody turned off."""
    turn_off_tenant(tenant=on, actor=OTHER)
    with pytest.raises(CannotPause, match="off"):
        pause(on)
    assert not now(on).paused


@pytest.mark.parametrize(
    ("ahead", "reason", "wrong"),
    [
        (-timedelta(seconds=1), "", "past"),
        (timedelta(days=30, minutes=1), "", "too-long"),
        (HOUR, "x" * 201, "long-reason"),
    ],
)
def test_a_pause_ends_within_thirty_days(on: Tenant, ahead: timedelta, reason: str, wrong: str) -> None:
    with pytest.raises(CannotPause, match=wrong):
        pause(on, until=timezone.now() + ahead, reason=reason)
    assert now(on).enabled
    pause(on, until=timezone.now() + timedelta(days=29, hours=23), reason="x" * 200)
    assert now(on).paused


def test_the_database_takes_no_tenant_that_is_on_and_paused(on: Tenant) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Tenant.objects.update(resume_at=timezone.now())
