"""What stays however old it is: whatever somebody or something still goes by."""

import datetime

from django.db.models import Max, Q, QuerySet

from sync.models import Configuration, Hold, Incident, Operation, ReadinessCheck, Result, Run, Snapshot
from sync.models.connection import ConnectionTest

Keys = set[int]


def runs(cutoff: datetime.datetime) -> Keys:
    """The newest of each sort of each tenant, and those that an open matter, or one that ended after `cutoff`, names."""
    newest = [
        Run.objects.all(),
        Run.objects.whole(),
        Run.objects.drafted(),
        Run.objects.compared(),
        Run.objects.syncs().filter(state__in=Run.DONE),
    ]
    found = {key for rows in newest for key in _newest(rows, "tenant", "kind")}
    matters = Incident.objects.filter(Q(solved_at=None) | Q(solved_at__gte=cutoff))
    found |= _named(matters, "opened_by") | _named(matters, "last_seen")
    found |= _named(Hold.objects.filter(Q(closed_at=None) | Q(closed_at__gte=cutoff)), "run")
    found |= _named(Configuration.objects.all(), "confirmed_run")
    # Recovery asks AWS what became of these.
    return found | _named(Operation.objects.filter(result=Result.SENT), "run")


def snapshots() -> Keys:
    """The newest, which an interrupted round goes on with, and the last good one, with which the next is compared."""
    good = Snapshot.objects.filter(suspect="").exclude(sealed_at=None)
    return {key for rows in (Snapshot.objects.all(), good) for key in _newest(rows, "tenant")}


def connection_tests() -> Keys:
    return _newest(ConnectionTest.objects.all(), "tenant", "half", "second")


def readiness_checks() -> Keys:
    return _newest(ReadinessCheck.objects.all(), "tenant", "state")


def _newest(
    rows: QuerySet[Run] | QuerySet[Snapshot] | QuerySet[ConnectionTest] | QuerySet[ReadinessCheck], *by: str
) -> Keys:
    return set(rows.order_by().values(*by).annotate(newest=Max("pk")).values_list("newest", flat=True))


def _named(rows: QuerySet[Incident] | QuerySet[Hold] | QuerySet[Configuration] | QuerySet[Operation], by: str) -> Keys:
    return set(rows.order_by().exclude(**{by: None}).values_list(by, flat=True).distinct())
