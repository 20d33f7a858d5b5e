"""What monitoring reads: a table of figures, all from the database, so that whichever process is asked says the same."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from django.conf import settings
from django.db.models import Count, Min, OuterRef, Subquery
from django.utils import timezone

from sync.connection.services import ends_of
from sync.health.queries.presence import failed_mails, late_tenants, processes, retried_mails
from sync.models import AwsConnection, EntraConnection, Half, Incident, Run, Standing, Tally, Tenant
from sync.models.standing import FAMILIES
from sync.retention import queries as retention

# Values of the labels, and the value.
Sample = tuple[tuple[str, ...], float]
# Words of those who are not as they should be.
WORDS = [word for word, family in FAMILIES.items() if family in ("attention", "held", "bad")]


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric, as Prometheus names it (its documentation, "Metric and label naming")."""

    name: str
    kind: Literal["gauge", "counter"]
    help: str
    labels: tuple[str, ...]
    samples: Callable[[], Iterable[Sample]]


def _version() -> Iterator[Sample]:
    yield (settings.VERSION,), 1


def _heartbeats() -> Iterator[Sample]:
    for process in processes():
        yield (process.role, process.name), process.age.total_seconds()


def _slots() -> Iterator[Sample]:
    for process in processes():
        for queue in process.queues if process.lives else ():
            yield (process.name, queue), process.slots


def _open_runs() -> Iterator[Sample]:
    counts = dict(Run.objects.filter(state__in=Run.OPEN).values_list("state").annotate(n=Count("pk")))
    for state in Run.OPEN:
        yield (state.value,), counts.get(state.value, 0)


def _oldest_queued() -> Iterator[Sample]:
    oldest = Run.objects.queued().aggregate(oldest=Min("created_at"))["oldest"]
    yield (), max(0.0, (timezone.now() - oldest).total_seconds()) if oldest else 0


def _enabled() -> Iterator[Sample]:
    for slug, enabled in Tenant.objects.values_list("slug", "enabled"):
        yield (slug,), int(enabled)


def _paused() -> Iterator[Sample]:
    for slug, resume_at in Tenant.objects.values_list("slug", "resume_at"):
        yield (slug,), int(resume_at is not None)


def _late() -> Iterator[Sample]:
    late = {one.tenant.slug: (timezone.now() - one.since).total_seconds() for one in late_tenants()}
    for slug in Tenant.objects.on_or_paused().values_list("slug", flat=True):
        yield (slug,), late.get(slug, 0)


def _quarantined() -> Iterator[Sample]:
    for slug, since in Tenant.objects.values_list("slug", "quarantined_at"):
        yield (slug,), int(since is not None)


def _last_good() -> Iterator[Sample]:
    syncs = Run.objects.filter(tenant=OuterRef("pk"), kind__in=(Run.Kind.FULL, Run.Kind.CHANGES), state__in=Run.DONE)
    newest = Subquery(syncs.order_by("-number").values("finished_at")[:1])
    for slug, finished in Tenant.objects.annotate(good=newest).exclude(good=None).values_list("slug", "good"):
        yield (slug,), finished.timestamp()


def _problems() -> Iterator[Sample]:
    rows = Standing.objects.filter(word__in=WORDS).values_list("tenant__slug", "word", "code").annotate(n=Count("pk"))
    for slug, word, code, number in rows.order_by():
        yield (slug, word, code), number


def _incidents() -> Iterator[Sample]:
    rows = Incident.objects.filter(solved_at=None).values_list("tenant__slug", "code").annotate(n=Count("pk"))
    for slug, code, number in rows.order_by():
        yield (slug, code), number


def _tallies(name: str) -> Callable[[], Iterator[Sample]]:
    def samples() -> Iterator[Sample]:
        for slug, kind, value in Tally.objects.filter(name=name).values_list("tenant__slug", "kind", "value"):
            yield (slug, kind), value

    return samples


def _mails() -> Iterator[Sample]:
    yield ("retried",), retried_mails().count()
    yield ("failed",), failed_mails().count()


def _database_bytes() -> Iterator[Sample]:
    yield (), retention.size_now()


def _days_left() -> Iterator[Sample]:
    today = timezone.now().date()
    halves: tuple[tuple[str, Iterable[AwsConnection | EntraConnection]], ...] = (
        (Half.AWS.value, AwsConnection.objects.select_related("tenant")),
        (Half.ENTRA.value, EntraConnection.objects.select_related("tenant")),
    )
    for half, rows in halves:
        for connection in rows:
            if connection.complete and (ends_on := ends_of(connection)):
                yield (connection.tenant.slug, half), (ends_on - today).days


FIGURES = (
    Figure("lockstep_info", "gauge", "Always 1; the label has the version.", ("version",), _version),
    Figure(
        "lockstep_heartbeat_age_seconds",
        "gauge",
        "Since the last sign of life of a worker or of beat; they report every 10 s.",
        ("role", "name"),
        _heartbeats,
    ),
    Figure("lockstep_worker_slots", "gauge", "Slots of the workers that live, by queue.", ("name", "queue"), _slots),
    Figure("lockstep_runs_open", "gauge", "Runs that are not over, by state.", ("state",), _open_runs),
    Figure("lockstep_queue_oldest_seconds", "gauge", "Age of the oldest run that waits; 0: none.", (), _oldest_queued),
    Figure("lockstep_tenant_enabled", "gauge", "1: provisioning is on.", ("tenant",), _enabled),
    Figure("lockstep_tenant_paused", "gauge", "1: off until a time that somebody chose.", ("tenant",), _paused),
    Figure(
        "lockstep_tenant_overdue_seconds", "gauge", "How long a tenant waits for a run; 0: in time.", ("tenant",), _late
    ),
    Figure(
        "lockstep_tenant_quarantined", "gauge", "1: writing rests until a try goes well.", ("tenant",), _quarantined
    ),
    Figure(
        "lockstep_last_good_run_timestamp_seconds",
        "gauge",
        "When the last sync that was carried through ended, with problems of people or without.",
        ("tenant",),
        _last_good,
    ),
    Figure(
        "lockstep_problems",
        "gauge",
        "People and groups that are not as they should be.",
        ("tenant", "word", "code"),
        _problems,
    ),
    Figure("lockstep_incidents_open", "gauge", "Incidents that are open.", ("tenant", "code"), _incidents),
    Figure("lockstep_runs_total", "counter", "Runs that ended, by state.", ("tenant", "state"), _tallies("runs")),
    Figure(
        "lockstep_scim_requests_total",
        "counter",
        "Requests to AWS, by method; throttled: those among them that AWS answered with 429.",
        ("tenant", "method"),
        _tallies("scim_requests"),
    ),
    Figure(
        "lockstep_mails",
        "gauge",
        "Mails that are tried again, and of two days those that were given up.",
        ("state",),
        _mails,
    ),
    Figure("lockstep_database_bytes", "gauge", "Size of the database.", (), _database_bytes),
    Figure(
        "lockstep_credential_days_left", "gauge", "Until the token or credential ends.", ("tenant", "half"), _days_left
    ),
)
