"""A broker that forgets everything in the middle of a run (table E: E2): a real one, with a real worker."""

import datetime
import os
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from celery import Celery
from celery.exceptions import SecurityWarning
from django.db import connections
from django.utils import timezone

from portal.celery import app
from portal.deployment.embedded import valkey_binary
from sync.configuration import mappings
from sync.models import Run, Tenant
from sync.runs.requests import request_run
from sync.tenants import services
from sync.worker.scheduling import dispatch
from tests.world.company import group_of, hire
from tests.world.lab import Lab
from tests.world.programs import until
from tests.world.tenant import ACTOR, assign, connect

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.process,
    pytest.mark.company(5, groups=1, memberships=2),
    pytest.mark.both,
]


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Its address. What this process sends goes there, too."""
    binary, socket = valkey_binary(), tmp_path / "valkey.sock"
    assert binary
    server = subprocess.Popen(
        [binary, "--port", "0", "--unixsocket", str(socket), "--loglevel", "warning"], cwd=tmp_path
    )
    until(socket.exists)
    address = f"redis+socket://{socket}"
    monkeypatch.setattr("sync.queue.current_app", Celery(broker=address, set_as_current=False))
    yield address
    server.terminate()
    server.wait(10)


@pytest.fixture
def worker(broker: str, lab: Lab) -> Iterator[None]:
    """`lab`: the worker inherits its addresses."""
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        try:
            warnings.simplefilter("ignore", SecurityWarning)
            app.worker_main(["--broker", broker, "worker", "--pool=solo", "--loglevel=WARNING"])
        finally:
            os._exit(0)
    yield
    os.kill(pid, 15)
    os.waitpid(pid, 0)


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
