"""Signs of life of workers and beat: a row each, from Celery's own signals, for whoever looks from outside (sync/health)."""

import socket
import time
from collections.abc import Callable
from typing import Any

import structlog
from celery.signals import beat_init, before_task_publish, celeryd_after_setup, heartbeat_sent, worker_shutdown
from django.db import DatabaseError, InterfaceError, connection

log = structlog.get_logger(__name__)

EVERY_SECONDS = 10


@celeryd_after_setup.connect
def follow_worker(sender: str, instance: Any, **_: Any) -> None:
    """`sender`: the worker's name. Its main process sends a heartbeat every two seconds, whatever its slots do."""
    queues = list(instance.app.amqp.queues.consume_from)
    report = Pulse("worker", sender, queues=queues, slots=instance.concurrency)
    heartbeat_sent.connect(report, weak=False)
    worker_shutdown.connect(report.stop, weak=False)


@beat_init.connect
def follow_beat(**_: Any) -> None:
    """It sends what is due every five seconds: whoever stops doing that is dead, though its process lives."""
    before_task_publish.connect(Pulse("beat", f"beat@{socket.gethostname()}"), weak=False)


class Pulse:
    def __init__(self, role: str, name: str, **facts: Any) -> None:
        self.role, self.name, self.facts = role, name, facts
        self._next = 0.0
        self._stopped = False

    def __call__(self, **_: Any) -> None:
        from sync.health import services

        if not self._stopped and time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY_SECONDS
            self._write(lambda: services.report(role=self.role, name=self.name, **self.facts))

    def stop(self, **_: Any) -> None:
        from sync.health import services

        self._stopped = True
        self._write(lambda: services.say_goodbye(self.name))

    def _write(self, write: Callable[[], None]) -> None:
        """A database that is away is noticed by others. The pool's processes are forked: they must not share a connection."""
        try:
            write()
        except (DatabaseError, InterfaceError) as error:
            log.debug("no sign of life", reason=str(error))
        finally:
            connection.close()
