"""Retention: what is too old goes, what something still names stays, and nothing of it changes a figure."""

import datetime
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from portal.pages.runs import figures
from portal.pages.runs.forms import Span
from sync.models import (
    ConnectionTest,
    DatabaseSize,
    Delivery,
    Demand,
    Drift,
    Finding,
    Hold,
    Incident,
    LoggedName,
    MissedStart,
    Operation,
    Pruning,
    ReadinessCheck,
    Result,
    Run,
    Snapshot,
    Tenant,
)
from sync.retention import queries, services
from tests.world.runs import new_run, operation

pytestmark = pytest.mark.django_db
BODY = {"method": "PATCH", "path": "Users/1", "body": {"Operations": [{"op": "replace", "value": "x" * 400}]}}
NOON = datetime.time(12, tzinfo=datetime.UTC)


def days_ago(days: float) -> datetime.datetime:
    return timezone.now() - datetime.timedelta(days=days)


def old_run(tenant: Tenant, number: int, days: float, **facts: Any) -> Run:
    run = new_run(tenant, number, pk=number, **facts)
    at = days_ago(days)
    Run.objects.filter(pk=run.pk).update(created_at=at, started_at=at, finished_at=at)
    run.refresh_from_db()
    return run


def idle_run(tenant: Tenant, number: int, at: datetime.datetime, **facts: Any) -> Run:
    run = new_run(
        tenant, number, pk=number, **{"kind": "changes", "trigger": "schedule", "counts": {"no_change": 9}} | facts
    )
    ended = at + datetime.timedelta(seconds=1)
    Run.objects.filter(pk=run.pk).update(created_at=at, started_at=at, finished_at=ended)
    return run


@pytest.fixture
def newest(tenant: Tenant) -> Run:
    """Of today: no other run is the last one."""
    return new_run(tenant, 999, pk=999, compared_at=timezone.now())


def numbers(tenant: Tenant) -> list[int]:
    return sorted(tenant.runs.values_list("number", flat=True))


def due() -> dict[str, int]:
    return {one.kind.name: one.rows for one in queries.due()}


@pytest.mark.both
def test_what_was_sent_goes_and_its_row_stays(tenant: Tenant, newest: Run) -> None:
    old, young = old_run(tenant, 1, 31), old_run(tenant, 2, 29)
    facts = {"request": BODY, "answer": {"status": 200, "body": {}}, "desired": {"title": "x"}, "status": 200}
    rows = [operation(tenant, run, **facts) for run in (old, young)]
    unanswered = operation(tenant, old, **facts | {"result": Result.SENT})
    assert due()["bodies"] == 1
    assert services.prune()["bodies"] == 1
    gone, kept, out = (Operation.objects.get(pk=row.pk) for row in (*rows, unanswered))
    assert (gone.request, gone.answer, gone.desired) == ({}, {}, {})
    assert (gone.display_name, gone.status, gone.result) == ("Adele", 200, "updated")
    assert kept.request == out.request == BODY
    assert Run.objects.get(pk=old.pk).kept == Run.Kept.ROWS
    assert due()["bodies"] == 0


def test_old_runs_go_with_their_rows_and_what_is_over(tenant: Tenant, newest: Run) -> None:
    old = old_run(tenant, 1, 401)
    operation(tenant, old, display_name="Adele Vance")
    operation(tenant, newest)
    Incident.objects.create(
        tenant=tenant, code="c", opened_by=old, last_seen=old, opened_at=days_ago(401), solved_at=days_ago(401)
    )
    Hold.objects.create(tenant=tenant, kind="people", run=old, closed_at=days_ago(401))
    MissedStart.objects.create(tenant=tenant, expected_at=days_ago(401), until=days_ago(401), reason="nobody")
    assert services.prune()["log"] == 1
    assert numbers(tenant) == [999]
    assert Operation.objects.count() == 1
    assert [one.display_name for one in LoggedName.objects.all()] == ["Adele"]
    assert not Incident.objects.exists()
    assert not MissedStart.objects.exists()


def test_a_run_stays_as_long_as_something_open_names_it(tenant: Tenant, newest: Run) -> None:
    opened, held, waits, compared = (old_run(tenant, number, 500) for number in (1, 2, 3, 4))
    Incident.objects.create(tenant=tenant, code="c", opened_by=opened, last_seen=newest, opened_at=days_ago(500))
    Hold.objects.create(tenant=tenant, kind="people", run=held)
    operation(tenant, waits, result=Result.SENT)
    Run.objects.filter(pk=newest.pk).update(compared_at=None)
    Run.objects.filter(pk=compared.pk).update(compared_at=days_ago(500))
    old_run(tenant, 5, 500)
    services.prune()
    assert numbers(tenant) == [1, 2, 3, 4, 999]


def test_an_incident_that_ended_lately_keeps_its_runs(tenant: Tenant, newest: Run) -> None:
    old = old_run(tenant, 1, 500)
    Incident.objects.create(
        tenant=tenant, code="c", opened_by=old, last_seen=old, opened_at=days_ago(500), solved_at=days_ago(3)
    )
    services.prune()
    assert numbers(tenant) == [1, 999]


@pytest.mark.both
def test_of_syncs_without_change_one_a_day_stays_and_stands_for_all(tenant: Tenant, newest: Run) -> None:
    days = [datetime.datetime.combine(days_ago(n).date(), NOON) for n in (10, 9, 2)]
    for number in range(1, 13):
        idle_run(tenant, number, days[(number - 1) // 4] + datetime.timedelta(minutes=number))
    assert due()["idle"] == 6
    span = Span(days_ago(20), timezone.now())
    before = figures.summary(tenant, span, *figures.facts_of(tenant, span))
    assert services.prune()["idle"] == 6
    assert numbers(tenant) == [4, 8, 9, 10, 11, 12, 999]
    assert [tenant.runs.get(number=number).stands_for for number in (4, 8, 9)] == [4, 4, 1]
    after = figures.summary(tenant, span, *figures.facts_of(tenant, span))
    assert (after["runs"], after["clean"]) == (before["runs"], before["clean"]) == (13, 100)
    assert services.prune()["idle"] == 0


@pytest.mark.parametrize(
    "facts",
    [
        {"trigger": "person"},
        {"planned": 1},
        {"problems": {"missing-family-name": 1}},
        {"state": "completed_with_errors"},
        {"state": "failed"},
        {"suspect": "source-shrunk"},
        {"kind": "preview"},
    ],
    ids=str,
)
def test_a_run_of_which_there_is_something_to_say_stays_for_itself(
    tenant: Tenant, newest: Run, facts: dict[str, Any]
) -> None:
    day = datetime.datetime.combine(days_ago(10).date(), NOON)
    idle_run(tenant, 1, day, **facts)
    idle_run(tenant, 2, day + datetime.timedelta(minutes=1))
    services.prune()
    assert numbers(tenant) == [1, 2, 999]


def test_rows_of_previews_go_and_their_figures_stay(tenant: Tenant, newest: Run) -> None:
    plan = {"kind": "preview", "impact": {"groups": 3}}
    old, last = old_run(tenant, 1, 40, **plan), old_run(tenant, 2, 35, **plan)
    waited = old_run(tenant, 3, 40, state="waiting_for_approval", problem=Run.NOT_CONFIRMED)
    for run in (old, last, waited):
        operation(tenant, run, result=Result.PLANNED)
    operation(tenant, waited, result=Result.SKIPPED)
    assert services.prune()["plans"] == 2
    assert [run.operations.count() for run in (old, last, waited)] == [0, 1, 1]
    old.refresh_from_db()
    assert (old.kept, old.impact) == (Run.Kept.NOTHING, {"groups": 3})


def test_of_tests_checks_and_comparisons_the_newest_stays(tenant: Tenant, newest: Run) -> None:
    for half in ("aws", "aws", "entra"):
        ConnectionTest.objects.create(tenant=tenant, half=half, state="done")
    for _n in range(2):
        check = ReadinessCheck.objects.create(tenant=tenant, state="done")
        Finding.objects.create(tenant=tenant, found_by=check, object_type="user", certain=True)
    Demand.objects.create(tenant=tenant, state="done", created_at=days_ago(91))
    Demand.objects.create(tenant=tenant, state="waiting", created_at=days_ago(91))
    for run in (old_run(tenant, 1, 91, compared_at=days_ago(91)), newest):
        Drift.objects.create(tenant=tenant, run=run, kind="differs", object_type="user")
    for model in (ConnectionTest, ReadinessCheck):
        model.objects.update(created_at=days_ago(91))
    assert services.prune()["findings"] == 5
    counts = [model.objects.count() for model in (ConnectionTest, ReadinessCheck, Finding, Demand, Drift)]
    assert counts == [2, 1, 1, 1, 1]


def test_messages_and_rounds_of_reading_go(tenant: Tenant, newest: Run) -> None:
    for state in (Delivery.State.SENT, Delivery.State.WAITING):
        Delivery.objects.create(tenant=tenant, recipient="jo@acme.example", subject="s", body="b", state=state)
    Delivery.objects.update(created_at=days_ago(91))
    good, bad, _cut = (
        Snapshot.objects.create(tenant=tenant, full=True, sealed_at=sealed, suspect=suspect)
        for sealed, suspect in ((timezone.now(), ""), (timezone.now(), "source-shrunk"), (None, ""))
    )
    Snapshot.objects.update(started_at=days_ago(31))
    removed = services.prune()
    assert (removed["deliveries"], removed["snapshots"]) == (1, 1)
    assert Snapshot.objects.filter(pk=good.pk).exists()
    assert not Snapshot.objects.filter(pk=bad.pk).exists()


def test_zero_days_keep_for_ever(tenant: Tenant, newest: Run, settings: Any) -> None:
    settings.KEEP_LOG_DAYS = 0
    old_run(tenant, 1, 4000)
    assert due()["log"] == services.prune()["log"] == 0
    assert numbers(tenant) == [1, 999]


def test_what_there_was_no_time_for_goes_the_next_night(
    tenant: Tenant, newest: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.retention.kinds.SLICE", 2)
    run = old_run(tenant, 1, 401)
    for _n in range(5):
        operation(tenant, run)
    services.prune(0)
    assert Pruning.objects.get(kind="log").unfinished
    assert Operation.objects.count() == 3
    services.prune()
    assert not Operation.objects.exists()


@pytest.mark.both
def test_growth_is_that_of_the_last_week(db: None) -> None:
    services.measure()
    assert queries.growth() is None
    today = DatabaseSize.objects.get()
    # What is noted takes a page of its own on PostgreSQL.
    assert 100_000 < today.bytes <= queries.size_now() < today.bytes + 100_000
    for days, size in ((20, 1), (7, today.bytes - 7_000), (3, today.bytes)):
        DatabaseSize.objects.create(day=today.day - datetime.timedelta(days=days), bytes=size)
    assert queries.growth() == 1000


@pytest.mark.only("postgresql")
def test_a_log_row_without_bodies_takes_a_kilobyte_at_most(tenant: Tenant, newest: Run) -> None:
    """With its part of every index; typical of what a change of three fields stores. PostgreSQL measures it."""
    with connection.cursor() as cursor:
        # What the tests before left in the table's and the indexes' pages is no part of these rows.
        cursor.execute(f"TRUNCATE {Operation._meta.db_table} CASCADE")
    run = old_run(tenant, 1, 31)
    changes = {unit: {"before": "Clerk", "after": "Chief", "mapping": unit} for unit in ("title", "name.familyName")}
    rows = [
        Operation(
            tenant=tenant,
            run=run,
            object_type="user",
            object_id=f"{n:08}-1111-4111-8111-111111111111",
            scim_id=f"{n:08}-2222-4222-8222-222222222222",
            display_name=f"Person Number {n}",
            detail_name=f"person.number.{n}@acme.example",
            action="update",
            result="updated",
            changes=changes,
            request=BODY,
            answer={"status": 200, "body": BODY},
            desired={"title": "x" * 200},
            status=200,
            request_id=f"{n:08}-3333-4333-8333-333333333333",
            finished_at=timezone.now(),
            sent_at=timezone.now(),
        )
        for n in range(2000)
    ]
    Operation.objects.bulk_create(rows)
    services.prune()
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(pg_column_size(o.*)) / count(*) FROM sync_operation o")
        row = int(cursor.fetchone()[0])
        cursor.execute("SELECT pg_indexes_size('sync_operation') / 2 / 2000")
        indexes = int(cursor.fetchone()[0])
    assert row + indexes <= 1024, (row, indexes)


@pytest.mark.only("sqlite")
def test_every_night_sqlite_counts_what_it_chooses_an_index_by(tenant: Tenant, newest: Run) -> None:
    operation(tenant, newest)
    services.prune()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'sync_operation'")
        assert cursor.fetchone()[0] > 5
