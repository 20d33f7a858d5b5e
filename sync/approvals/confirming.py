"""A plan that somebody says yes to: a fresh preview approves the creates and key changes that it lists."""

import datetime

from django.db import transaction
from django.utils import timezone

from sync import audit
from sync.configuration import versions
from sync.configuration.current import configuration_of
from sync.models import Configuration, Run, Tenant

# A preview older than this says too little about today's directory.
FRESH = datetime.timedelta(hours=24)


class NotFresh(Exception):
    """The plan was made under other rules, or too long ago: a new preview is needed."""


def plan_is_fresh(run: Run, configuration: Configuration) -> bool:
    """Whether a yes to this run's plan is a yes to what the next run will do. A draft's preview is its own yes."""
    if run.drafted:
        return False
    shows_a_plan = run.state == Run.State.WAITING or (
        run.kind == Run.Kind.PREVIEW and run.state in (Run.State.COMPLETED, Run.State.COMPLETED_WITH_ERRORS)
    )
    if not shows_a_plan or run.started_at is None or run.finished_at is None:
        return False
    return run.started_at >= configuration.changed_at and timezone.now() - run.finished_at < FRESH


def newest_plan(tenant: Tenant) -> Run | None:
    """The newest fresh preview (or plan that waits); None when there is none."""
    configuration = configuration_of(tenant)
    recent = tenant.runs.filter(started_at__gte=configuration.changed_at).order_by("-number")[:20]
    return next((run for run in recent if plan_is_fresh(run, configuration)), None)


@transaction.atomic
def confirm_plan(*, run: Run, actor: str) -> None:
    """Approves the creates and key changes that the plan lists; never more removals than the limits let pass."""
    configuration = Configuration.objects.select_for_update().get(pk=configuration_of(run.tenant).pk)
    if not plan_is_fresh(run, configuration):
        raise NotFresh
    _publish_first(configuration, actor)
    configuration.confirmed_run, configuration.confirmed_at, configuration.confirmed_by = run, timezone.now(), actor
    configuration.save(update_fields=["confirmed_run", "confirmed_at", "confirmed_by"])
    audit.record(actor, "plan.confirm", run, None, {"run": run.number, "changes": run.planned, "hash": run.plan_hash})


def confirm_own_plan(run: Run) -> None:
    """`sync --confirm`: whoever asked for the run has said yes to whatever it plans."""
    configuration = configuration_of(run.tenant)
    _publish_first(configuration, run.requested_by)
    configuration.confirmed_run, configuration.confirmed_at = run, timezone.now()
    configuration.confirmed_by = run.requested_by
    configuration.save(update_fields=["confirmed_run", "confirmed_at", "confirmed_by"])
    audit.record(run.requested_by, "plan.confirm", run, None, {"run": run.number})


def _publish_first(configuration: Configuration, actor: str) -> None:
    """What writes for the first time writes under version 1: from here on edits go into a draft."""
    if configuration.number is None:
        versions.make_version(configuration, actor=actor)
