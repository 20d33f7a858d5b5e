"""Messages to the workers, by the names of their tasks: whoever asks for work need not know whoever does it."""

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

from sync import context

log = structlog.get_logger(__name__)

EXECUTE_RUN = "sync.tasks.execute_run"
TEST_CONNECTION = "sync.tasks.test_connection"
DELIVER = "sync.tasks.deliver"
CHECK_READINESS = "sync.tasks.check_readiness"
CHECK_STANDINGS = "sync.tasks.check_standings"
SHIP_AUDIT = "sync.tasks.ship_audit"
DELETE_TENANT = "sync.tasks.delete_tenant"
KEEP_SUBSCRIPTION = "sync.tasks.keep_subscription"
LOOK = "sync.tasks.look"
CHECK_AUDIT = "sync.tasks.check_audit"

# Runs take minutes, first ones hours. What must never wait behind them has a queue of its own, the default one.
QUICK, RUNS = "quick", "runs"
ROUTES = {name: {"queue": RUNS} for name in (EXECUTE_RUN, CHECK_READINESS, DELETE_TENANT, CHECK_AUDIT)}


def send(task: str, key: int) -> None:
    """`key`: the primary key of the row that asks. A lost or repeated message does no harm: without a broker the row waits
    for whoever looks next.

    Who asks goes with it: into the worker's log lines, and its audit entries."""
    try:
        current_app.send_task(task, args=[key], headers={context.HEADER: context.current()})
    except OperationalError as error:
        log.warning("broker away", task=task, key=key, reason=str(error))
