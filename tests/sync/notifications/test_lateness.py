"""Nobody works, or a sync is overdue: one incident for each tenant, one mail to each address, from whoever notices it."""

import datetime
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from portal.deployment import watchdog
from sync.health import services
from sync.models import Delivery, Heartbeat, Incident, Run, Tenant
from sync.notifications.lateness import note_lateness
from sync.tenants.services import create_tenant
from tests.world.notified import mail_to
from tests.world.tenant import ACTOR

pytestmark = pytest.mark.django_db
MINUTE = datetime.timedelta(minutes=1)


@pytest.fixture
def tenant(tenant: Tenant) -> Tenant:
    """On, in time, with an address."""
    tenant.enabled, tenant.next_run_at = True, timezone.now() + 15 * MINUTE
    tenant.save()
    mail_to(tenant, ACTOR)
    return tenant


@pytest.fixture
def working(tenant: Tenant) -> None:
    services.report(role=Heartbeat.Role.WORKER, name="runs@a", queues=["quick", "runs"], slots=2)
    services.report(role=Heartbeat.Role.BEAT, name="beat@a")


def fall_silent(role: str) -> None:
    Heartbeat.objects.filter(role=role).update(seen_at=timezone.now() - 2 * MINUTE)


def time_passes() -> None:
    Incident.objects.update(opened_at=timezone.now() - 5 * MINUTE)


def codes() -> list[str]:
    return list(Incident.objects.filter(solved_at=None).values_list("code", flat=True))


@pytest.mark.usefixtures("working")
def test_while_all_report_nothing_is_said() -> None:
    note_lateness()
    assert (codes(), Delivery.objects.count()) == ([], 0)


def test_an_installation_that_has_not_begun_is_not_reported(tenant: Tenant) -> None:
    watchdog.look()
    assert codes() == []


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize("role", [Heartbeat.Role.WORKER, Heartbeat.Role.BEAT])
def test_the_web_server_tells_by_itself_and_once_that_nobody_works(tenant: Tenant, role: str) -> None:
    fall_silent(role)
    watchdog.look()
    assert (codes(), mail.outbox) == (["nobody-works"], [])
    time_passes()
    for _ in range(3):
        watchdog.look()
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == ([ACTOR], "[Lockstep] Nobody works")
    assert "Acme" in str(sent.body)
    assert Delivery.objects.get().state == Delivery.State.SENT


@pytest.mark.usefixtures("working")
def test_a_restart_is_not_told() -> None:
    fall_silent(Heartbeat.Role.WORKER)
    watchdog.look()
    services.report(role=Heartbeat.Role.WORKER, name="runs@a", queues=["quick", "runs"], slots=2)
    note_lateness()
    assert (codes(), mail.outbox) == ([], [])


@pytest.mark.usefixtures("working")
def test_tenants_with_one_address_share_a_mail(tenant: Tenant) -> None:
    other = create_tenant(actor=ACTOR, name="Contoso")
    Tenant.objects.filter(pk=other.pk).update(enabled=True)
    mail_to(other, ACTOR)
    fall_silent(Heartbeat.Role.WORKER)
    note_lateness()
    time_passes()
    note_lateness()
    assert "Acme, Contoso" in Delivery.objects.get().body


@pytest.mark.usefixtures("working")
def test_a_sync_that_is_overdue_is_told_and_over_when_it_begins(tenant: Tenant) -> None:
    Tenant.objects.update(next_run_at=timezone.now() - 6 * MINUTE)
    note_lateness()
    time_passes()
    note_lateness()
    assert codes() == ["overdue"]
    assert Delivery.objects.get().subject == "[Lockstep] A sync is overdue"
    Tenant.objects.update(next_run_at=timezone.now() + 15 * MINUTE)
    note_lateness()
    assert codes() == []


@pytest.mark.usefixtures("working")
def test_whoever_said_good_bye_is_missed_at_once(tenant: Tenant) -> None:
    services.say_goodbye("runs@a")
    note_lateness()
    assert codes() == ["nobody-works"]


@pytest.mark.usefixtures("working")
def test_a_tenant_that_is_off_is_never_late(tenant: Tenant) -> None:
    Tenant.objects.update(enabled=False, next_run_at=None)
    fall_silent(Heartbeat.Role.WORKER)
    note_lateness()
    assert codes() == []


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize(("over", "said"), [(-60, []), (4, []), (6, ["overdue"])])
def test_a_pause_is_late_only_when_it_should_have_been_over(tenant: Tenant, over: int, said: list[str]) -> None:
    Tenant.objects.update(enabled=False, next_run_at=None, resume_at=timezone.now() - over * MINUTE)
    note_lateness()
    assert codes() == said


@pytest.mark.usefixtures("working")
def test_nobody_who_could_end_a_pause_is_told_from_its_end_on(tenant: Tenant) -> None:
    Tenant.objects.update(enabled=False, next_run_at=None, resume_at=timezone.now() + MINUTE)
    fall_silent(Heartbeat.Role.WORKER)
    note_lateness()
    assert codes() == []
    Tenant.objects.update(resume_at=timezone.now())
    note_lateness()
    assert codes() == ["nobody-works"]


@pytest.mark.usefixtures("working")
def test_what_was_told_is_told_to_be_over_once(tenant: Tenant) -> None:
    Tenant.objects.update(next_run_at=timezone.now() - 6 * MINUTE)
    note_lateness()
    time_passes()
    note_lateness()
    Tenant.objects.update(next_run_at=timezone.now() + 15 * MINUTE)
    for _ in range(2):
        note_lateness()
    subjects = list(Delivery.objects.order_by("pk").values_list("subject", flat=True))
    assert subjects == ["[Lockstep] A sync is overdue", "[Lockstep] Solved: A sync is overdue"]


def finished(tenant: Tenant, minutes_ago: int, **facts: Any) -> None:
    """Its last sync, then; on for long before."""
    Tenant.objects.update(enabled_changed_at=timezone.now() - datetime.timedelta(days=9))
    at = timezone.now() - minutes_ago * MINUTE
    usual = {"number": 1, "kind": "changes", "trigger": "schedule", "state": "failed", "finished_at": at}
    Run.objects.create(tenant=tenant, **usual | facts)


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize(
    ("interval", "minutes_ago", "said"), [(15, 44, []), (15, 46, ["no-finished-run"]), (1, 29, []), (60, 179, [])]
)
def test_no_sync_that_finishes_for_three_intervals_is_told(
    tenant: Tenant, interval: int, minutes_ago: int, said: list[str]
) -> None:
    Tenant.objects.update(interval=interval)
    finished(tenant, minutes_ago)
    note_lateness()
    assert codes() == said


@pytest.mark.usefixtures("working")
def test_syncs_that_finish_again_end_it(tenant: Tenant) -> None:
    finished(tenant, 120)
    note_lateness()
    time_passes()
    note_lateness()
    assert Delivery.objects.get().subject == "[Lockstep] No sync finishes"
    finished(tenant, 1, number=2)
    note_lateness()
    assert (codes(), Delivery.objects.count()) == ([], 2)


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize("facts", [{}, {"state": "waiting_for_approval", "problem": "not-confirmed"}])
def test_a_pause_that_has_words_of_its_own_is_no_silence(tenant: Tenant, facts: dict[str, str]) -> None:
    """A quarantine, and a plan that waits to be confirmed."""
    finished(tenant, 120, **facts)
    if not facts:
        Tenant.objects.update(quarantined_at=timezone.now())
    note_lateness()
    assert codes() == []


@pytest.mark.usefixtures("working")
def test_a_first_sync_may_take_long(tenant: Tenant) -> None:
    finished(tenant, 120, state="running", finished_at=None)
    note_lateness()
    assert codes() == []
