"""Messages to the workers, by the names of their tasks: whoever asks for work need not know whoever does it."""

from celery import current_app

from sync import context

EXECUTE_RUN = "sync.tasks.execute_run"
TEST_CONNECTION = "sync.tasks.test_connection"
DELIVER = "sync.tasks.deliver"
CHECK_READINESS = "sync.tasks.check_readiness"
CHECK_STANDINGS = "sync.tasks.check_standings"
SHIP_AUDIT = "sync.tasks.ship_audit"


def send(task: str, key: int) -> None:
    """`key`: the primary key of the row that asks. A lost or repeated message does no harm.

    Who asks goes with it: into the worker's log lines, and its audit entries."""
    current_app.send_task(task, args=[key], headers={context.HEADER: context.current()})
