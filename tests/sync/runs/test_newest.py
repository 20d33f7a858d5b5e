"""The newest run of each kind that pages speak of."""

import datetime

import pytest
from django.db import connection
from django.utils import timezone

from sync.models import Run, Snapshot, Tenant
from sync.runs.newest import AsOf, Newest, newest_runs
from sync.tenants.services import create_tenant
from tests.world.plans import on_sqlite, plans_of
from tests.world.runs import new_run

pytestmark = [pytest.mark.django_db, pytest.mark.both]
HOUR = datetime.timedelta(hours=1)


def test_a_tenant_without_runs_has_none(tenant: Tenant) -> None:
    assert newest_runs(tenant) == Newest()


def test_each_kind_has_its_own_newest_whatever_came_after_and_elsewhere(tenant: Tenant) -> None:
    new_run(tenant, 1, kind="full")
    sync = new_run(tenant, 2, kind="changes")
    preview = new_run(tenant, 3, kind="preview")
    new_run(tenant, 4, kind="preview", configuration_digest="of a draft")
    comparison = new_run(tenant, 5, kind="verify")
    new_run(tenant, 6, kind="demand")
    new_run(create_tenant(actor="jo@acme.example", name="Another"), 7, kind="full")
    assert newest_runs(tenant) == Newest(comparison, preview, sync)


def test_one_run_may_be_the_newest_of_all_kinds(tenant: Tenant) -> None:
    run = new_run(tenant, 1, kind="changes")
    assert newest_runs(tenant) == Newest(run, run, run)


def test_it_knows_when_entra_was_read_and_aws_compared_last(tenant: Tenant) -> None:
    now = timezone.now()
    new_run(tenant, 1, kind="full", compared_at=now - 3 * HOUR)
    new_run(tenant, 2, kind="verify", compared_at=now - 2 * HOUR)
    new_run(tenant, 3, kind="verify")
    for read_at in (now - 2 * HOUR, now - HOUR, None):
        Snapshot.objects.create(tenant=tenant, full=False, sealed_at=read_at)
    assert newest_runs(tenant).as_of == AsOf(now - HOUR, now - 2 * HOUR)


def test_it_knows_since_when_the_oldest_run_waits_for_a_worker(tenant: Tenant) -> None:
    now = timezone.now()
    for number, kind, state in [(1, "changes", "completed"), (2, "demand", "queued"), (3, "changes", "queued")]:
        run = new_run(tenant, number, kind=kind, state=state)
        Run.objects.filter(pk=run.pk).update(created_at=now - (4 - number) * HOUR)
    assert newest_runs(tenant).asked_at == now - 2 * HOUR


@on_sqlite
def test_every_page_asks_and_no_question_reads_all_runs(tenant: Tenant) -> None:
    for number in range(1, 60):
        new_run(tenant, number, kind="changes")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE sync_run")
    plan = plans_of(lambda: newest_runs(tenant))
    assert "INDEX run_open" in plan
    assert "INDEX run_compared" in plan
    assert "SCAN" not in plan
