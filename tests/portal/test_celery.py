"""Who asked for something is known to the worker that carries it out."""

import re
from collections.abc import Iterator
from queue import Queue

import pytest
from celery.contrib.testing.worker import start_worker

from portal.celery import app
from sync import context, queue
from sync.audit import log
from tests.world.programs import ROOT

pytestmark = pytest.mark.django_db(transaction=True)
seen: Queue[dict[str, str]] = Queue()


@app.task(name="tests.look")
def look(_key: int) -> None:
    entry = log.entry("jo@acme.example", "tenant.change", None)
    seen.put({**context.current(), "entry": f"{entry.request_id} {entry.address}"})


@pytest.fixture
def worker() -> Iterator[None]:
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=30):
        yield


def test_the_context_goes_with_the_message(worker: None) -> None:
    with context.within(request="ABC", actor="jo@acme.example", address="192.0.2.7"):
        queue.send("tests.look", 1)
    queue.send("tests.look", 2)
    asked, by_itself = seen.get(timeout=20), seen.get(timeout=20)
    assert asked == {"request": "ABC", "actor": "jo@acme.example", "address": "192.0.2.7", "entry": "ABC 192.0.2.7"}
    assert by_itself.keys() == {"request", "entry"}
    assert by_itself["request"] not in ("", "ABC")


def test_beat_asks_for_every_task_that_nobody_else_asks_for() -> None:
    sources = "".join(path.read_text() for place in ("portal", "sync") for path in (ROOT / place).rglob("*.py"))
    sent = {getattr(queue, name) for name in re.findall(r"queue\.send\(queue\.(\w+)", sources)}
    ours = {name for name in app.tasks if name.startswith(("portal.", "sync."))}
    assert ours - sent == {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert sent < ours


def test_whoever_writes_to_the_broker_runs_nothing_here() -> None:
    assert (app.conf.task_serializer, list(app.conf.accept_content)) == ("json", ["json"])
    assert not app.conf.result_accept_content
