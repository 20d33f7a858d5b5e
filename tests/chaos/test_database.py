"""A database that goes away for a moment in the middle of a run, of a test, of a mail: the work goes on, nobody is told of an error."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from celery.app.task import Task
from celery.exceptions import Retry
from django.db import InterfaceError, OperationalError, connection

from sync import tasks
from sync.connection import checks
from sync.connection import services as connections
from sync.models import ConnectionTest, Delivery, Incident, ReadinessCheck, Run, Tenant
from sync.notifications import deliveries
from sync.on_demand.services import request_demand, resolve_names
from sync.readiness import services as readiness
from sync.runs import checkpoints
from sync.worker import execution, scheduling
from tests.chaos.test_every_step import World, learn, nothing_twice_and_nothing_unlogged, written
from tests.world.examples import by_night
from tests.world.lab import Lab
from tests.world.programs import until
from tests.world.tenant import ACTOR

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.process,
    pytest.mark.company(5, groups=1, memberships=2),
    # Another process has to end the connections.
    pytest.mark.only("postgresql"),
]
# One of each kind: before and after the run's first row, while it plans, with a request under way, at its end.
STEPS = (
    "lease claimed", "run begun", "plan batch stored", "plan stored", "intent committed", "after answer",
    "result committed", "watermark moved", "run ended",
)  # fmt: skip
OUTAGE = (OperationalError, InterfaceError)


def end_all_connections() -> None:
    """What every client sees when PostgreSQL restarts: SQLSTATE 57P01, then a closed connection."""
    facts = connection.get_connection_params()
    words = {name: facts[name] for name in ("dbname", "user", "password", "host", "port") if facts.get(name)}
    with psycopg.connect(**words, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@contextmanager
def restart_at(step: str) -> Iterator[Counter[str]]:
    passed: Counter[str] = Counter()

    def listen(name: str) -> None:
        passed[name] += 1
        if name == step and passed[name] == 1:
            end_all_connections()

    checkpoints.listeners.append(listen)
    try:
        yield passed
    finally:
        checkpoints.listeners.remove(listen)


def told_of_nothing(tenant: Tenant) -> bool:
    return not Delivery.objects.filter(tenant=tenant).exists() and not Incident.objects.filter(tenant=tenant).exists()


def test_a_restart_of_the_database_at_any_step_changes_nothing_in_the_end(db: None, lab: Lab) -> None:
    """The second attempt needs no lease to run out: the first one gave it back as soon as the database was there."""
    reference = World(lab, 0)
    learned = learn(reference.run)
    expected = reference.state()
    reference.run.refresh_from_db()
    assert learned.keys() >= set(STEPS)
    for number, step in enumerate(STEPS if by_night() else STEPS[1::3], 1):
        world, where = World(lab, number), f"restarted at {step}"
        with restart_at(step) as passed:
            attempt(world.run)
        assert passed[step], where
        attempt(world.run)
        world.run.refresh_from_db()
        assert world.run.state == Run.State.COMPLETED, (where, world.run.problem, world.run.problem_detail)
        assert written(world.run) == written(reference.run), where
        assert world.state() == expected, where
        assert told_of_nothing(world.tenant), where
        nothing_twice_and_nothing_unlogged(world, where)


def attempt(run: Run) -> None:
    try:
        execution.execute_run(run.pk)
    except OUTAGE:
        connection.close()


def repeated(task: Task, key: int) -> bool:
    """Whether the task asks the broker for the same message once more, as it does in a worker."""
    task.push_request(args=[key], called_directly=False, is_eager=False, retries=0, id="x")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Task, "signature_from_request", lambda *_args, **_kwargs: Unsent())
            task.run(key)
    except Retry:
        connection.close()
        return True
    finally:
        task.pop_request()
    return False


class Unsent:
    """A message that is not sent."""

    def apply_async(self) -> None: ...


def test_a_run_is_asked_for_again_by_itself(lab: Lab) -> None:
    world = World(lab, 100)
    with restart_at("plan stored"):
        assert repeated(tasks.execute_run, world.run.pk)
    assert not repeated(tasks.execute_run, world.run.pk)
    world.run.refresh_from_db()
    assert (world.run.state, world.run.attempts) == (Run.State.COMPLETED, 2)


def test_the_dispatcher_takes_up_a_run_whose_message_is_lost_too(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(lab, 101)
    with restart_at("plan stored"):
        attempt(world.run)
    asked: list[int] = []
    monkeypatch.setattr("sync.runs.requests.queue.send", lambda _task, key: asked.append(key))
    scheduling.dispatch()
    assert world.run.pk in asked


def test_what_is_asked_on_demand_waits_for_the_database(lab: Lab) -> None:
    world = World(lab, 102)
    found = resolve_names(world.tenant, [world.people[0]["userPrincipalName"]], "user")
    demand = request_demand(tenant=world.tenant, actor=ACTOR, objects=found, dry_run=False, enqueue=False)
    assert demand.run is not None
    monkey = pytest.MonkeyPatch()
    monkey.setattr("sync.on_demand.serving.carry_out", lambda _asked: lost())
    assert repeated(tasks.execute_run, demand.run.pk)
    monkey.undo()
    assert not repeated(tasks.execute_run, demand.run.pk)
    demand.refresh_from_db()
    assert (demand.state, demand.problem) == ("done", "")


def lost() -> None:
    """A statement on a connection that the server has ended."""
    end_all_connections()
    Tenant.objects.exists()


def test_a_connection_test_begins_anew(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(lab, 103)
    test = connections.new_test(tenant=world.tenant, actor=ACTOR, half="aws")
    run = checks.run

    def interrupted(*facts: Any, **more: Any) -> Iterator[object]:
        yield next(iter(run(*facts, **more)))
        end_all_connections()
        yield from run(*facts, **more)

    with monkeypatch.context() as patched:
        patched.setattr(checks, "run", interrupted)
        assert repeated(tasks.test_connection, test.pk)
    assert ConnectionTest.objects.get(pk=test.pk).state == ConnectionTest.State.RUNNING
    assert not repeated(tasks.test_connection, test.pk)
    assert ConnectionTest.objects.get(pk=test.pk).passed


def test_a_readiness_check_begins_anew(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(lab, 104)
    check = readiness.request_check(tenant=world.tenant, actor=ACTOR, enqueue=False)
    with monkeypatch.context() as patched:
        patched.setattr(readiness.ReadinessPass, "carry_out", lambda _pass: lost())
        assert repeated(tasks.check_readiness, check.pk)
    assert not repeated(tasks.check_readiness, check.pk)
    assert ReadinessCheck.objects.get(pk=check.pk).state == ReadinessCheck.State.DONE


def test_a_mail_is_sent_after_all(tenant: Tenant, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[object]) -> None:
    run = Run.objects.create(tenant=tenant, number=1, kind="full", trigger="person", state="failed")
    delivery = Delivery.objects.create(tenant=tenant, run=run, recipient="a@b.example", subject="s", body="b")
    with monkeypatch.context() as patched:
        patched.setattr("sync.notifications.sending._headers", lambda _delivery: lost())
        assert repeated(tasks.deliver, delivery.pk)
    assert Delivery.objects.get(pk=delivery.pk).state == Delivery.State.SENDING
    Delivery.objects.update(due_at=delivery.created_at)
    monkeypatch.setattr(deliveries.queue, "send", lambda _task, key: deliveries.deliver(key))
    deliveries.hand_out()
    assert len(mailoutbox) == 1


def test_a_heartbeat_outlives_a_restart(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a connection of its own, which the run does not notice."""
    world = World(lab, 105)
    monkeypatch.setattr("sync.runs.lease.LOOK_SECONDS", 0.01)
    looked: list[Exception | None] = []
    wrapped: Callable[[object], None] = execution.Watch._look

    def look(watch: object) -> None:
        try:
            wrapped(watch)
        except Exception as error:
            looked.append(error)
            raise
        looked.append(None)

    monkeypatch.setattr(execution.Watch, "_look", look)
    lease = execution.claim(world.tenant.pk)
    assert lease is not None
    with execution.Watch(lease, world.run.pk):
        until(lambda: looked)
        end_all_connections()
        until(lambda: any(looked))
        looked.clear()
        until(lambda: None in looked)
    connection.close()
