"""System health, and what Tenants, Overview and the pages of runs say when nobody works."""

import datetime
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from portal.models import User
from sync.audit.checking import Checked
from sync.connection import rotation
from sync.health import services
from sync.health.queries.checks import checks, worst
from sync.models import AuditEntry, AuditHead, DatabaseSize, Delivery, Heartbeat, Pruning, Run, Tenant
from sync.runs.requests import request_run
from sync.tasks import check_audit
from tests.world.notified import mail_to
from tests.world.runs import new_run, operation
from tests.world.tenant import ACTOR

pytestmark = pytest.mark.django_db
MINUTE = datetime.timedelta(minutes=1)


@pytest.fixture
def read(owner: User, client_of: Callable[[User], Client]) -> Callable[[str], str]:
    client = client_of(owner)

    def text(path: str) -> str:
        html = client.get(path).content.decode()
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))

    return text


@pytest.fixture
def working() -> None:
    services.report(role=Heartbeat.Role.WORKER, name="runs@a", queues=["quick", "runs"], slots=2)
    services.report(role=Heartbeat.Role.BEAT, name="beat@a")


@pytest.fixture
def silent(working: None) -> None:
    Heartbeat.objects.update(seen_at=timezone.now() - 6 * MINUTE)


def turn_on(**facts: Any) -> None:
    Tenant.objects.update(
        **{"enabled": True, "enabled_changed_at": timezone.now(), "next_run_at": timezone.now() + 9 * MINUTE} | facts
    )


def state_of(name: str) -> tuple[str, str]:
    (check,) = [check for check in checks() if check.name == name]
    return check.outcome.state, check.outcome.says


@pytest.mark.usefixtures("working", "tenant")
def test_where_all_is_well_every_check_passes(read: Callable[[str], str]) -> None:
    assert [check.name for check in checks() if check.outcome.state != "passed"] == []
    assert worst(checks()) == "passed"
    assert "All checks passed." in read("/settings/health/")


@pytest.mark.usefixtures("silent")
def test_who_fell_silent_is_named_with_what_to_do(read: Callable[[str], str]) -> None:
    assert state_of("worker") == ("failed", "None is running. The last one: runs@a.")
    assert state_of("quick")[0] == state_of("beat")[0] == "failed"
    text = read("/settings/health/")
    assert "3 of 15 checks failed." in text
    assert "docs/operations.md" in text


def test_every_check_that_does_not_pass_has_a_remedy(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    turn_on(next_run_at=timezone.now() - 6 * MINUTE)
    mail_to(tenant)
    Delivery.objects.create(
        tenant=tenant, recipient=ACTOR, subject="s", body="b", state=Delivery.State.FAILED, error="550"
    )
    services.report(role=Heartbeat.Role.BEAT, name="beat@a")
    services.report(role=Heartbeat.Role.BEAT, name="beat@b")
    run = request_run(tenant=tenant, kind=Run.Kind.FULL, trigger=Run.Trigger.COMMAND, enqueue=False)
    Run.objects.filter(pk=run.pk).update(created_at=timezone.now() - 2 * MINUTE)
    monkeypatch.setattr(rotation, "problems", lambda _uses: ["SEAL_KEYS has no key 'old'."])
    bad = {check.name: check.outcome for check in checks() if check.outcome.state != "passed"}
    assert set(bad) == {"worker", "quick", "beat", "queue", "late", "backup", "keys", "mail"}
    assert all(outcome.remedy for outcome in bad.values())


def test_the_clock_is_compared_as_soon_as_a_process_has_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    assert state_of("clock") == ("passed", "Nothing to compare yet.")
    services.report(role=Heartbeat.Role.BEAT, name="beat@a")
    assert state_of("clock") == ("passed", "This machine's clock against the database's.")
    ahead = timezone.now() + MINUTE
    monkeypatch.setattr(timezone, "now", lambda: ahead)
    assert state_of("clock")[0] == "warning"


def test_a_broker_that_is_away_is_a_failed_check(monkeypatch: pytest.MonkeyPatch) -> None:
    from celery import Celery

    monkeypatch.setattr(
        "sync.health.queries.checks.current_app", Celery(broker="redis://127.0.0.1:1/0", set_as_current=False)
    )
    assert state_of("broker")[0] == "failed"


@pytest.mark.usefixtures("silent")
def test_tenants_and_overview_say_that_nobody_works(tenant: Tenant, read: Callable[[str], str]) -> None:
    said = "Nobody works. No worker is running: nothing is synced, tested or mailed."
    assert said not in read("/t/?stay=1"), "nothing is to be done here"
    turn_on()
    assert said in read("/t/?stay=1")
    assert said in read("/t/acme/")
    assert "Nothing needs you" not in read("/t/acme/")


@pytest.mark.usefixtures("working")
def test_tenants_and_overview_say_who_is_overdue(tenant: Tenant, read: Callable[[str], str]) -> None:
    turn_on()
    assert "Overdue" not in read("/t/?stay=1") + read("/t/acme/")
    turn_on(next_run_at=timezone.now() - 6 * MINUTE)
    assert "Overdue" in read("/t/?stay=1")
    assert "Overdue" in read("/t/acme/")


def test_a_run_that_waits_tells_a_busy_worker_from_none(tenant: Tenant, read: Callable[[str], str]) -> None:
    run = request_run(tenant=tenant, kind=Run.Kind.FULL, trigger=Run.Trigger.COMMAND, enqueue=False)
    Run.objects.filter(pk=run.pk).update(created_at=timezone.now() - 2 * MINUTE)
    assert "No worker is running: it begins" in read("/t/acme/runs/1/")
    services.report(role=Heartbeat.Role.WORKER, name="quick@a", queues=["quick"], slots=4)
    assert "No worker is running: it begins" in read("/t/acme/runs/1/")
    services.report(role=Heartbeat.Role.WORKER, name="runs@a", queues=["quick", "runs"], slots=2)
    assert "All workers are busy" in read("/t/acme/runs/1/")


@pytest.mark.usefixtures("silent", "tenant")
def test_the_probe_says_that_nobody_works_and_still_sends_people_here(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.content.decode() == "ok\nNo worker is running: nothing is synced, tested or mailed.\n"


def test_an_audit_log_that_somebody_changed_is_a_failed_check(tenant: Tenant) -> None:
    assert state_of("chain")[0] == "passed"
    check_audit()
    assert state_of("chain")[1].startswith("Unbroken, on ")
    AuditEntry.objects.create(verb="audit.check", after={"entries": 9, "found": 0})
    assert state_of("chain")[1] == "The audit log is checked every night.", "nobody's word that was made up"
    check_audit()
    assert state_of("chain")[0] == "failed"


def test_an_audit_log_that_nobody_checks_is_a_warning(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    long_ago = timezone.now() - datetime.timedelta(days=3)
    monkeypatch.setattr("sync.health.queries.checks.last_check", lambda: Checked(long_ago, 9, 0))
    assert state_of("chain")[0] == "warning"


def test_copies_of_the_audit_log_that_do_not_leave_are_a_failed_check(tenant: Tenant, settings: Any) -> None:
    settings.AUDIT_SHIP_TO = "https://siem.example/lines"
    assert state_of("audit") == ("passed", "Shipped up to entry 0.")
    AuditEntry.objects.create(position=1, at=timezone.now() - 21 * MINUTE, verb="tenant.change")
    AuditHead.objects.create(position=1, ship_failures=3, ship_error="it answered 500")
    assert state_of("audit") == ("failed", "Entries after 0 were not shipped yet: it answered 500")


def test_a_database_that_nobody_prunes_is_a_warning(db: None) -> None:
    Pruning.objects.create(kind="log", at=timezone.now() - datetime.timedelta(hours=40))
    for days, size in ((1, 5 * 2**20), (0, 7 * 2**20)):
        DatabaseSize.objects.create(day=timezone.now().date() - datetime.timedelta(days=days), bytes=size)
    assert state_of("growth") == ("passed", "The database grows by 2.0\xa0MB a day.")
    Pruning.objects.update(at=timezone.now() - datetime.timedelta(days=3))
    assert state_of("growth")[0] == "warning"


@pytest.mark.parametrize(("demo", "says"), [(True, "A demo needs none."), (False, "None is known.")])
def test_a_demo_that_is_on_is_not_said_to_be_off(tenant: Tenant, settings: Any, demo: bool, says: str) -> None:
    turn_on()
    settings.DEMO = demo
    assert state_of("backup")[1] == says


def test_what_goes_the_next_night_is_shown_before(tenant: Tenant, read: Callable[[str], str], settings: Any) -> None:
    settings.KEEP_LOG_DAYS = 0
    for number in (1, 2):
        run = new_run(tenant, number)
        operation(tenant, run, request={"method": "GET"})
    Run.objects.filter(number=1).update(created_at=timezone.now() - datetime.timedelta(days=31))
    text = read("/settings/retention/")
    assert "KEEP_BODIES_DAYS 30 1 – –" in text
    assert "KEEP_LOG_DAYS for ever 0 – –" in text
    call_command("retention", "--prune", stdout=io.StringIO())
    assert "KEEP_BODIES_DAYS 30 0 1 " in read("/settings/retention/")


def test_an_entry_says_that_its_request_is_kept_no_longer(tenant: Tenant, read: Callable[[str], str]) -> None:
    row = operation(tenant, new_run(tenant), status=200)
    assert "kept no longer" not in read(f"/t/acme/logs/{row.pk}/")
    Run.objects.update(kept=Run.Kept.ROWS)
    assert "The request and its answer are kept no longer." in read(f"/t/acme/logs/{row.pk}/")


def test_a_run_says_for_how_many_it_stands(tenant: Tenant, read: Callable[[str], str]) -> None:
    new_run(tenant, stands_for=96)
    assert "It stands for 95 more syncs of that day" in read("/t/acme/runs/1/")
    assert "and 95 like it" in read("/t/acme/runs/")


def test_the_checks_are_copied_as_text_for_whoever_is_asked_for_help(
    silent: None, owner: User, client_of: Callable[[User], Client]
) -> None:
    answer = client_of(owner).get("/settings/health/")
    report = answer.context["report"]
    assert 'data-copy="Lockstep ' in answer.content.decode()
    for check in checks():
        assert f"{check.outcome.state}: {check.title}: {check.outcome.says}" in report
        assert str(check.outcome.remedy) in report
