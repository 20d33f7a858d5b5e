"""What is pruned, kind by kind: how many rows would go now, and their removal in slices of short transactions."""

import datetime
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, F, Max, Model, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sync.db.batches import delete_in_slices
from sync.models import (
    ConnectionTest,
    Delivery,
    Demand,
    Drift,
    Finding,
    Incident,
    LoggedName,
    MissedStart,
    Operation,
    ReadinessCheck,
    Result,
    Run,
    Snapshot,
    Tenant,
)
from sync.retention import leavers, protected

# Rows of one transaction.
SLICE = 1000
Moment = datetime.datetime


@dataclass(frozen=True, slots=True)
class Kind:
    """`setting`: its days, of portal/settings.py. `count` and `remove` are given the moment before which a row is too old;
    `remove` yields how many rows each of its transactions took."""

    name: str
    title: str | Promise
    what: str | Promise
    setting: str
    count: Callable[[Moment], int]
    remove: Callable[[Moment], Iterator[int]]


def _old_runs(cutoff: Moment) -> QuerySet[Run]:
    return Run.objects.exclude(state__in=Run.OPEN).filter(created_at__lt=cutoff)


def _prunable_runs(cutoff: Moment) -> QuerySet[Run]:
    return _old_runs(cutoff).exclude(pk__in=protected.runs(cutoff))


def _deleted(rows: QuerySet[Any]) -> Iterator[int]:
    return delete_in_slices(rows, SLICE)


# What was sent and answered


def _with_bodies(cutoff: Moment) -> QuerySet[Operation]:
    """Recovery needs those of a request whose answer is out."""
    rows = Operation.objects.filter(run__in=_old_runs(cutoff).filter(kept=Run.Kept.ALL))
    return rows.exclude(result__in=(Result.PLANNED, Result.SENT)).exclude(request={}, answer={}, desired={})


def _strip_bodies(cutoff: Moment) -> Iterator[int]:
    rows = _with_bodies(cutoff)
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:SLICE]):
        Operation.objects.filter(pk__in=keys).update(request={}, answer={}, desired={})
        yield len(keys)
    _old_runs(cutoff).filter(kept=Run.Kept.ALL).update(kept=Run.Kept.ROWS)


# Plans


def _planned(cutoff: Moment) -> QuerySet[Operation]:
    """What previews list, and plans that nobody said yes to."""
    runs = _prunable_runs(cutoff).exclude(kept=Run.Kept.NOTHING)
    previews, unconfirmed = Q(run__kind=Run.Kind.PREVIEW), Q(run__problem=Run.NOT_CONFIRMED, result=Result.PLANNED)
    return Operation.objects.filter(previews | unconfirmed, run__in=runs)


def _delete_plans(cutoff: Moment) -> Iterator[int]:
    yield from _deleted(_planned(cutoff))
    _prunable_runs(cutoff).filter(kind=Run.Kind.PREVIEW).update(kept=Run.Kept.NOTHING)


# Syncs that changed nothing


def _idle(cutoff: Moment) -> QuerySet[Run]:
    """Of whole days before `cutoff`: nothing was planned, nothing is to be said of them, and nothing refers to them."""
    midnight = cutoff.replace(hour=0, minute=0, second=0, microsecond=0)
    referring: tuple[tuple[type[Model], str], ...] = (
        *((Operation, "run"), (Drift, "run"), (Delivery, "run"), (Demand, "run"), (MissedStart, "run")),
        *((Incident, "opened_by"), (Incident, "last_seen")),
    )
    runs = Run.objects.syncs().filter(created_at__lt=midnight, trigger=Run.Trigger.SCHEDULE, planned=0)
    runs = runs.filter(state=Run.State.COMPLETED, problems={}, problem="", suspect="", compared_at=None)
    for model, name in referring:
        runs = runs.exclude(Exists(model._default_manager.filter(**{name: OuterRef("pk")})))
    return runs.exclude(pk__in=protected.runs(cutoff))


def _idle_days(cutoff: Moment) -> Iterable[dict[str, Any]]:
    """Days with more than one of a tenant, in UTC."""
    days = _idle(cutoff).order_by().annotate(day=TruncDate("created_at", tzinfo=datetime.UTC)).values("tenant", "day")
    return [dict(day) for day in days.annotate(n=Count("pk"), last=Max("pk")).filter(n__gt=1)]


def _count_idle(cutoff: Moment) -> int:
    return sum(day["n"] - 1 for day in _idle_days(cutoff))


def _fold_idle(cutoff: Moment) -> Iterator[int]:
    """The last one of a day stands for all."""
    for day in _idle_days(cutoff):
        yield _fold(_idle(cutoff), **day)


@transaction.atomic
def _fold(idle: QuerySet[Run], *, tenant: int, day: datetime.date, last: int, n: int) -> int:
    """The tenant's row is the lock: two at a time would count some twice."""
    Tenant.deleted_too.select_for_update().get(pk=tenant)
    others = idle.filter(tenant=tenant, pk__lt=last).annotate(day=TruncDate("created_at", tzinfo=datetime.UTC))
    keys = list(others.filter(day=day).values_list("pk", flat=True))
    stood_for = Run.objects.filter(pk__in=keys).aggregate(n=Sum("stands_for"))["n"] or 0
    Run.objects.filter(pk=last).update(stands_for=F("stands_for") + stood_for)
    Run.objects.filter(pk__in=keys).delete()
    return len(keys)


# The log


def _count_log(cutoff: Moment) -> int:
    return Operation.objects.filter(run__in=_prunable_runs(cutoff)).count()


def _delete_log(cutoff: Moment) -> Iterator[int]:
    """Runs with their rows and the names in these, incidents that are over, starts that were missed."""
    runs = _prunable_runs(cutoff)
    yield from _deleted(Operation.objects.filter(run__in=runs))
    others: tuple[QuerySet[Any], ...] = (
        Drift.objects.filter(run__in=runs),
        Incident.objects.filter(solved_at__lt=cutoff),
        MissedStart.objects.filter(expected_at__lt=cutoff),
        runs,
        _names_of_no_row(),
    )
    for rows in others:
        # Log rows alone are counted.
        yield from (0 for _n in _deleted(rows))


def _names_of_no_row() -> QuerySet[LoggedName]:
    same = {name: OuterRef(name) for name in ("tenant", "object_id", "display_name", "detail_name")}
    return LoggedName.objects.exclude(Exists(Operation.objects.filter(**same)))


# What tests, checks and comparisons found


def _findings(cutoff: Moment) -> tuple[QuerySet[Any], ...]:
    """The newest of each stays; rows of checks before the checks themselves, which may have many."""
    tests = ConnectionTest.objects.filter(created_at__lt=cutoff).exclude(pk__in=protected.connection_tests())
    checks = ReadinessCheck.objects.filter(created_at__lt=cutoff).exclude(pk__in=protected.readiness_checks())
    demands = Demand.objects.exclude(state__in=Demand.OPEN).filter(created_at__lt=cutoff)
    drifts = Drift.objects.filter(run__in=_prunable_runs(cutoff))
    return Finding.objects.filter(found_by__in=checks), drifts, tests, checks, demands


def _count_findings(cutoff: Moment) -> int:
    return sum(rows.count() for rows in _findings(cutoff))


def _delete_findings(cutoff: Moment) -> Iterator[int]:
    for rows in _findings(cutoff):
        yield from _deleted(rows)


# Messages, rounds of reading


def _deliveries(cutoff: Moment) -> QuerySet[Delivery]:
    return Delivery.objects.exclude(state__in=Delivery.OPEN).filter(created_at__lt=cutoff)


def _snapshots(cutoff: Moment) -> QuerySet[Snapshot]:
    return Snapshot.objects.filter(started_at__lt=cutoff).exclude(pk__in=protected.snapshots())


KINDS = (
    Kind(
        "bodies",
        _("Requests and answers"),
        _("What was sent to AWS and what it answered, of each log row. The row itself stays."),
        "KEEP_BODIES_DAYS",
        lambda cutoff: _with_bodies(cutoff).count(),
        _strip_bodies,
    ),
    Kind(
        "log",
        _("Log rows and runs"),
        _("With the runs go their messages and the incidents that are over."),
        "KEEP_LOG_DAYS",
        _count_log,
        _delete_log,
    ),
    Kind(
        "leavers",
        _("Who has left"),
        _("Names and values of people who are purged from Entra and gone from AWS. That they were there stays."),
        "KEEP_LEAVERS_DAYS",
        lambda cutoff: leavers.gone(cutoff).count(),
        leavers.redact,
    ),
    Kind(
        "idle",
        _("Syncs that changed nothing"),
        _("Afterwards the last one of each day stands for all of that day."),
        "KEEP_IDLE_DAYS",
        _count_idle,
        _fold_idle,
    ),
    Kind(
        "plans",
        _("Rows of previews and plans"),
        _("The newest preview of each tenant stays, and its figures always."),
        "KEEP_PLANS_DAYS",
        lambda cutoff: _planned(cutoff).count(),
        _delete_plans,
    ),
    Kind(
        "findings",
        _("What tests, checks and comparisons found"),
        _("Connection tests, readiness, steps on demand, differences in AWS. The newest of each stays."),
        "KEEP_FINDINGS_DAYS",
        _count_findings,
        _delete_findings,
    ),
    Kind(
        "deliveries",
        _("Messages that were sent"),
        _("Mails, webhooks and their attempts."),
        "KEEP_DELIVERIES_DAYS",
        lambda cutoff: _deliveries(cutoff).count(),
        lambda cutoff: _deleted(_deliveries(cutoff)),
    ),
    Kind(
        "snapshots",
        _("Rounds of reading Entra"),
        _("Their counts alone: people, groups and memberships are as the last one found them."),
        "KEEP_SNAPSHOTS_DAYS",
        lambda cutoff: _snapshots(cutoff).count(),
        lambda cutoff: _deleted(_snapshots(cutoff)),
    ),
)
