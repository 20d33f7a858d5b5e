"""A real broker with real workers: it forgets everything in the middle of a run (table E: E2), and who waits behind whom."""

import datetime
from collections.abc import Callable, Iterator

import pytest
import redis
from django.utils import timezone

from sync.configuration import mappings
from sync.connection.services import start_test
from sync.models import ConnectionTest, Half, Run, Tenant
from sync.queue import QUICK
from sync.runs.requests import request_run
from sync.tenants import services
from sync.worker.scheduling import dispatch
from tests.world.broker import working
from tests.world.company import group_of, hire
from tests.world.lab import Lab
from tests.world.programs import until
from tests.world.tenant import ACTOR, assign, connect

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.process,
    pytest.mark.company(5, groups=1, memberships=2),
]


@pytest.fixture
def worker(broker: str, lab: Lab) -> Iterator[None]:
    """`lab`: the worker inherits its addresses."""
    with working(broker):
        yield


def tenant_with_people(lab: Lab, name: str, count: int) -> Tenant:
    tenant = services.create_tenant(actor=ACTOR, name=name)
    connect(tenant, lab)
    mappings.apply_recommended(actor=ACTOR, tenant=tenant)
    assign(tenant, group_of(lab, name, [hire(lab, f"{name} {n} Person") for n in range(count)]))
    return tenant


def ask(tenant: Tenant) -> Run:
    return request_run(tenant=tenant, kind=Run.Kind.CHANGES, trigger=Run.Trigger.COMMAND, confirmed=True)


def state_of(run: Run) -> Callable[[], bool]:
    return lambda: Run.objects.get(pk=run.pk).state == Run.State.COMPLETED


@pytest.mark.usefixtures("worker")
def test_a_broker_that_forgets_everything_loses_no_run(lab: Lab, broker: str) -> None:
    lab.call("POST", "aws/switches", {"answer_ms": "100"})
    running = ask(tenant_with_people(lab, "Running", 60))
    until(lambda: any(entry["method"] == "POST" for entry in lab.requests()))
    queued = ask(tenant_with_people(lab, "Queued", 3))
    with redis.Redis(unix_socket_path=broker.partition("://")[2]) as client:
        client.flushall()
    until(state_of(running))
    assert Run.objects.get(pk=queued.pk).state == Run.State.QUEUED
    Run.objects.update(enqueued_at=timezone.now() - datetime.timedelta(minutes=5))
    dispatch()
    until(state_of(queued))
    posts = [entry["request"]["displayName"] for entry in lab.requests() if entry["method"] == "POST"]
    assert len(posts) == len(set(posts)) == 65


@pytest.mark.usefixtures("worker")
def test_a_test_of_the_connection_does_not_wait_behind_a_sync(lab: Lab, broker: str) -> None:
    """The first worker serves both queues, and its one slot is taken; the other one takes no sync, however many wait."""
    tenant, another = tenant_with_people(lab, "Running", 3), tenant_with_people(lab, "Waiting", 1)
    held = lab.call("POST", "faults", {"part": "aws", "kind": "hold_before", "match": "POST .*/Users"})["id"]
    with working(broker, "--hostname=quick@%h", f"--queues={QUICK}"):
        running = ask(tenant)
        until(lambda: any(fault["fired"] for fault in lab.call("GET", "faults")))
        waiting, test = ask(another), start_test(tenant=tenant, actor=ACTOR, half=Half.AWS)
        until(lambda: finished(test.pk))
    states = [Run.objects.get(pk=run.pk).state for run in (running, waiting)]
    assert states == [Run.State.RUNNING, Run.State.QUEUED]
    lab.call("POST", f"faults/{held}/release")
    until(state_of(running))
    until(state_of(waiting))


@pytest.mark.usefixtures("worker", "broker")
def test_one_worker_alone_serves_every_queue(lab: Lab) -> None:
    tenant = tenant_with_people(lab, "Alone", 1)
    run, test = ask(tenant), start_test(tenant=tenant, actor=ACTOR, half=Half.AWS)
    until(state_of(run))
    until(lambda: finished(test.pk))


def finished(test: int) -> bool:
    return ConnectionTest.objects.exclude(finished_at=None).filter(pk=test).exists()
