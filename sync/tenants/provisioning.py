"""Provisioning of a tenant: on, off, its interval and who is told."""

from django.db import transaction
from django.utils import timezone

from sync import audit
from sync.approvals import queries, services
from sync.configuration.current import configuration_of
from sync.models import Interval, Run, Tenant
from sync.runs.requests import cancel_runs, request_soon


class CannotTurnOn(Exception):
    """`reasons`: codes of what is missing: entra-not-tested, aws-not-tested, no-preview."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = reasons


def missing_for_turning_on(tenant: Tenant) -> list[str]:
    """Both halves must have passed a test since their last change."""
    reasons = []
    if not tenant.entra.passed:
        reasons.append("entra-not-tested")
    if not tenant.aws.passed:
        reasons.append("aws-not-tested")
    return reasons


def turn_on_tenant(*, tenant: Tenant, actor: str) -> Run:
    """The first run starts at once. Turning on from a fresh preview says yes to what it lists."""
    reasons = missing_for_turning_on(tenant)
    plan = queries.newest_plan(tenant)
    if plan is None and not configuration_of(tenant).confirmed:
        reasons.append("no-preview")
    if reasons:
        raise CannotTurnOn(reasons)
    with transaction.atomic():
        if plan is not None:
            services.confirm_plan(run=plan, actor=actor)
        _switch(tenant, actor, enabled=True)
    return request_soon(tenant=tenant, kind=Run.Kind.FULL, trigger=Run.Trigger.TURNED_ON, actor=actor)


def turn_off_tenant(*, tenant: Tenant, actor: str) -> None:
    """A run in progress stops at the next safe point. Nothing is removed from AWS."""
    with transaction.atomic():
        _switch(tenant, actor, enabled=False)
        cancel_runs(tenant.runs.filter(state__in=Run.OPEN))


def _switch(tenant: Tenant, actor: str, *, enabled: bool) -> None:
    if tenant.enabled == enabled:
        return
    tenant.enabled, tenant.enabled_changed_at, tenant.enabled_changed_by = enabled, timezone.now(), actor
    tenant.next_run_at = timezone.now() + tenant.interval_length if enabled else None
    tenant.save(update_fields=["enabled", "enabled_changed_at", "enabled_changed_by", "next_run_at"])
    verb = "provisioning.turn_on" if enabled else "provisioning.turn_off"
    audit.record(actor, verb, tenant, {"enabled": not enabled}, {"enabled": enabled})


@transaction.atomic
def save_provisioning(
    *, tenant: Tenant, actor: str, interval: int, notification_email: str, notify_on_failure: bool
) -> None:
    fields = {
        "interval": Interval(interval).value,
        "notification_email": notification_email,
        "notify_on_failure": notify_on_failure,
    }
    before = {name: getattr(tenant, name) for name in fields}
    if before == fields:
        return
    for name, value in fields.items():
        setattr(tenant, name, value)
    if tenant.enabled and before["interval"] != interval:
        tenant.next_run_at = timezone.now() + tenant.interval_length
    tenant.save(update_fields=[*fields, "next_run_at"])
    audit.record(actor, "provisioning.save", tenant, before, fields)
