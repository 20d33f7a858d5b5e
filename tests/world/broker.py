"""A real broker, and real workers that serve it."""

import contextlib
import os
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from celery.exceptions import SecurityWarning
from django.db import connections

from portal.celery import app
from portal.deployment.embedded import valkey_binary
from tests.world.programs import until


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
    sender = Celery(broker=address, set_as_current=False)
    sender.conf.update({name: app.conf[name] for name in ("task_queues", "task_default_queue", "task_routes")})
    monkeypatch.setattr("sync.queue.current_app", sender)
    yield address
    server.terminate()
    server.wait(10)


@contextlib.contextmanager
def working(broker: str, *options: str) -> Iterator[None]:
    """A worker with one slot. It is forked: it has the addresses of the test's lab and its database."""
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        try:
            warnings.simplefilter("ignore", SecurityWarning)
            app.worker_main(["--broker", broker, "worker", "--pool=solo", "--loglevel=WARNING", *options])
        finally:
            os._exit(0)
    try:
        yield
    finally:
        os.kill(pid, 15)
        os.waitpid(pid, 0)
