"""Nobody works, or a sync is overdue: one incident for each tenant, one mail to each address, from whoever notices it."""

import datetime

import pytest
from django.core import mail
from django.utils import timezone

from portal.deployment import watchdog
from sync.health import services
from sync.models import Delivery, Heartbeat, Incident, Tenant
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
