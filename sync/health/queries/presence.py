"""Who lives, and who is late. Silence counts from the database's clock."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from sync.models import Channel, Delivery, Heartbeat, Run, Tenant
from sync.queue import QUICK, RUNS

# Processes report every ten seconds.
SILENT_AFTER = datetime.timedelta(minutes=1)
# A tenant that is due, or a run that is asked for, waits for seconds where all is well.
LATE_AFTER = datetime.timedelta(minutes=5)
# So many intervals without the end of a run, and never less than this, are too long.
MISSED_INTERVALS, LEAST_SILENCE = 3, datetime.timedelta(minutes=30)
# How long a mail that was given up counts.
MAIL_MATTERS = datetime.timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Process:
    """`now`: when it was asked for, by the database's clock."""

    name: str
    role: str
    queues: tuple[str, ...]
    slots: int
    seen_at: datetime.datetime
    now: datetime.datetime
    stopped: bool

    @property
    def age(self) -> datetime.timedelta:
        return self.now - self.seen_at

    @property
    def lives(self) -> bool:
        return not self.stopped and self.age < SILENT_AFTER


@dataclass(frozen=True, slots=True)
class Late:
    """`since`: when it was due, or when the run that waits was asked for."""

    tenant: Tenant
    since: datetime.datetime


def processes() -> list[Process]:
    return [
        Process(row.name, row.role, tuple(row.queues), row.slots, row.seen_at, row.now, row.stopped)
        for row in Heartbeat.objects.annotate(now=Now())
    ]


def serving(found: Iterable[Process], queue: str) -> list[Process]:
    return [one for one in found if one.lives and queue in one.queues]


def absence(found: Sequence[Process] | None = None) -> str:
    """Whom the installation lacks, in words; "" when somebody works, or when nobody has worked here yet."""
    found = processes() if found is None else found
    if not found:
        return ""
    runs, quick = serving(found, RUNS), serving(found, QUICK)
    if not runs and not quick:
        return _("No worker is running: nothing is synced, tested or mailed.")
    if not runs:
        return _("No worker takes syncs: those that run serve tests and mails only.")
    if not quick:
        return _("No worker takes tests, mails and what is due.")
    if not any(one.lives for one in found if one.role == Heartbeat.Role.BEAT):
        return _("Beat is not running: nothing starts by itself.")
    return ""


def somebody_works(queue: str = RUNS) -> bool:
    return bool(serving(processes(), queue))


def late_tenants(now: datetime.datetime | None = None) -> list[Late]:
    """Those whose next run, a run that was asked for, or the end of a pause has waited for too long. By name."""
    limit = (now or timezone.now()) - LATE_AFTER
    queued = Run.objects.queued().filter(tenant=OuterRef("pk"), created_at__lt=limit)
    oldest = Subquery(queued.order_by("created_at").values("created_at")[:1])
    waits = Q(enabled=True) & (Q(next_run_at__lt=limit) | Q(asked_at__isnull=False))
    due = Tenant.objects.annotate(asked_at=oldest).filter(waits | Q(resume_at__lt=limit)).order_by("name")
    return [one for tenant in due if (one := late(tenant, tenant.asked_at, now))]


def late(tenant: Tenant, asked_at: datetime.datetime | None, now: datetime.datetime | None = None) -> Late | None:
    """`asked_at`: since when a run waits for a worker."""
    limit = (now or timezone.now()) - LATE_AFTER
    # A pause is in time until it is over.
    due = (asked_at, tenant.next_run_at, tenant.resume_at) if tenant.enabled else (tenant.resume_at,)
    since = min((one for one in due if one and one < limit), default=None)
    return Late(tenant, since) if since else None


def without_finished_run(now: datetime.datetime | None = None) -> list[Tenant]:
    """Those whose last run ended too long ago. Not while a first run goes on, a plan waits to be confirmed, or a quarantine
    makes pauses: each of them has words of its own."""
    now = now or timezone.now()
    ended = Run.objects.whole().filter(tenant=OuterRef("pk")).exclude(finished_at=None).order_by("-number")
    watched = Tenant.objects.filter(enabled=True, quarantined_at=None).annotate(
        ended_at=Subquery(ended.values("finished_at")[:1]), problem=Subquery(ended.values("problem")[:1])
    )
    return [
        tenant
        for tenant in watched.exclude(ended_at=None).exclude(problem=Run.NOT_CONFIRMED)
        if now - max(tenant.ended_at, tenant.enabled_changed_at or tenant.ended_at) > _silence(tenant)
    ]


def _silence(tenant: Tenant) -> datetime.timedelta:
    return max(MISSED_INTERVALS * tenant.interval_length, LEAST_SILENCE)


# Of which the channel may have been removed since.
MAILS = Q(channel=None) | Q(channel__kind=Channel.Kind.EMAIL)


def failed_mails() -> QuerySet[Delivery]:
    return Delivery.objects.filter(MAILS, state=Delivery.State.FAILED, created_at__gte=timezone.now() - MAIL_MATTERS)


def retried_mails() -> QuerySet[Delivery]:
    return Delivery.objects.filter(MAILS, state__in=Delivery.OPEN, attempts__gt=0)
