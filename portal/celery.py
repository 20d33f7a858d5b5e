"""The Celery application. The broker may lose or repeat a message: correctness lives in the database."""

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import beat_init, celeryd_init, setup_logging, task_postrun, task_prerun
from kombu import Exchange, Queue

from portal.deployment.starting import failing_in_words, keep_memory_off_the_disk, require_ready
from sync import context
from sync.queue import QUICK, ROUTES, RUNS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
# Django's checks look at code, as the tests do, and load every page for it: more than half of the time of a start.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("lockstep")


def transport_options(broker: str, state_dir: str) -> dict[str, Any]:
    """Redis: give a lost message back soon, never while its task may run; filesystem: poll ten times a second."""
    if broker.startswith("filesystem://"):
        queue = str(Path(state_dir) / "queue")
        return {
            "data_folder_in": queue,
            "data_folder_out": queue,
            "control_folder": str(Path(state_dir) / "queue-control"),
            "polling_interval": 0.1,
            "store_processed": False,
        }
    return {"visibility_timeout": 6 * 3600, "unacked_restore_throttle": 1}


def configure() -> None:
    from django.conf import settings

    app.conf.update(
        broker_url=settings.BROKER_URL,
        broker_transport_options=transport_options(settings.BROKER_URL, str(settings.STATE_DIR)),
        broker_connection_retry_on_startup=True,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        # A worker serves both unless it is told otherwise (--queues).
        task_queues=[Queue(name, Exchange(name), routing_key=name) for name in (QUICK, RUNS)],
        task_default_queue=QUICK,
        task_routes=ROUTES,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        # Every five seconds, without an end: nothing has to be kept in a file until the next start.
        beat_scheduler="celery.beat:Scheduler",
        beat_schedule={
            "dispatch": {"task": "sync.tasks.dispatch", "schedule": 5.0, "options": {"expires": 5}},
            "clean_up": {"task": "portal.tasks.clean_up", "schedule": 3600.0, "options": {"expires": 600}},
            "token_ends": {
                "task": "portal.tasks.tell_of_token_ends",
                "schedule": 3600.0,
                "options": {"expires": 600},
            },
            # In UTC, when few people work.
            "prune": {
                "task": "sync.tasks.prune",
                "schedule": crontab(hour="2", minute="17"),
                "options": {"expires": 3600},
            },
            "check_readiness": {
                "task": "sync.tasks.check_readiness_nightly",
                "schedule": crontab(hour="2", minute="47"),
                "options": {"expires": 3600},
            },
            "check_audit": {
                "task": "sync.tasks.check_audit",
                "schedule": crontab(hour="3", minute="17"),
                "options": {"expires": 3600},
            },
        },
    )
    app.autodiscover_tasks(["sync", "portal"])


keep_memory_off_the_disk()
with failing_in_words():
    configure()
    from portal.deployment import heartbeats  # noqa: F401 - listens


@celeryd_init.connect
@beat_init.connect
def refuse_unready(**_: Any) -> None:
    """Celery swallows what a receiver raises, but not an exit."""
    with failing_in_words():
        require_ready(migrated=True)


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Without a receiver Celery replaces the root logger's handlers by its own format."""


@task_prerun.connect
def take_over_context(task: Any, **_: Any) -> None:
    """Of whoever asked; what beat sends nobody asked for."""
    asked = (task.request.headers or {}).get(context.HEADER) or {}
    context.begin(**{"request": context.new_request_id(), **asked})


@task_postrun.connect
def end_context(**_: Any) -> None:
    context.begin()
