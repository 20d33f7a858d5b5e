"""Celery doormen: an id comes in, a service does the work. A lost or repeated message does no harm."""

from celery import Task, shared_task
from django.db import InterfaceError, OperationalError

from sync.audit import checking
from sync.connection import services
from sync.directory import subscriptions
from sync.notifications import deliveries
from sync.readiness.services import carry_out_check, request_nightly
from sync.retention import services as retention
from sync.standings.services import check_daily
from sync.tenants import deletion
from sync.worker import audit_shipping, execution, scheduling


class AgainAfterAnOutage(Task):  # type: ignore[type-arg]
    """When the database goes away in the middle, the same message comes again: after 2 s, then with growing pauses.

    Celery's documentation, "Automatic retry for known exceptions"."""

    autoretry_for = (OperationalError, InterfaceError)
    retry_backoff = 2
    retry_backoff_max = 300
    retry_jitter = False
    max_retries = 20


@shared_task(base=AgainAfterAnOutage)
def execute_run(run_id: int) -> None:
    execution.execute_run(run_id)


@shared_task
def dispatch() -> None:
    """The next one comes by itself."""
    scheduling.dispatch()


@shared_task(base=AgainAfterAnOutage)
def test_connection(test_id: int) -> None:
    services.run_test(test_id)


@shared_task(base=AgainAfterAnOutage, soft_time_limit=int(deliveries.LONGEST.total_seconds()))
def deliver(delivery_id: int) -> None:
    deliveries.deliver(delivery_id)


@shared_task(base=AgainAfterAnOutage)
def check_readiness(check_id: int) -> None:
    carry_out_check(check_id)


@shared_task
def check_readiness_nightly() -> None:
    request_nightly()


@shared_task(base=AgainAfterAnOutage)
def check_standings(tenant_id: int) -> None:
    check_daily(tenant_id)


@shared_task
def prune() -> None:
    """The next night goes on with what is left."""
    retention.prune()


@shared_task
def check_audit() -> None:
    """Half a minute for a million entries."""
    checking.check(checking.NIGHTLY)


@shared_task(base=AgainAfterAnOutage)
def delete_tenant(tenant_id: int) -> None:
    deletion.carry_out(tenant_id)


@shared_task(base=AgainAfterAnOutage)
def ship_audit(_head_id: int) -> None:
    audit_shipping.ship()


@shared_task(base=AgainAfterAnOutage)
def keep_subscription(subscription_id: int) -> None:
    subscriptions.keep(subscription_id)


@shared_task(base=AgainAfterAnOutage)
def look(tenant_id: int) -> None:
    """Graph said that something changed."""
    scheduling.look(tenant_id)
