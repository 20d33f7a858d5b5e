"""Celery doormen: an id comes in, a service does the work. A lost or repeated message does no harm."""

from celery import shared_task

from sync.connection import services
from sync.notifications import deliveries
from sync.readiness.services import carry_out_check
from sync.worker import execution, scheduling


@shared_task
def execute_run(run_id: int) -> None:
    execution.execute_run(run_id)


@shared_task
def dispatch() -> None:
    scheduling.dispatch()


@shared_task
def test_connection(test_id: int) -> None:
    services.run_test(test_id)


@shared_task
def deliver(delivery_id: int) -> None:
    deliveries.deliver(delivery_id)


@shared_task
def check_readiness(check_id: int) -> None:
    carry_out_check(check_id)
