"""What pages read of notifications."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from sync.db.counting import how_many
from sync.models import Channel, Delivery, DeliveryAttempt, Incident, Tenant
from sync.notifications.kinds import BY_NAME, KINDS, Kind
from sync.notifications.sending import goes_nowhere
from sync.notifications.threads import title_of
from sync.problems.catalogue import STAYED_OFF
from sync.standings import queries as standings

__all__ = ["BY_NAME", "KINDS", "Kind", "goes_nowhere", "title_of"]

# A test that no worker has taken up after this long waits like any other.
TEST_LASTS = datetime.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Rule:
    """Who hears of a kind, and when something of it was sent last."""

    kind: Kind
    channels: Sequence[Channel]
    sent_at: datetime.datetime | None


@dataclass(frozen=True, slots=True)
class ChannelState:
    """`last`: the newest attempt. `testing`: a test is on its way."""

    channel: Channel
    last: DeliveryAttempt | None
    testing: bool

    @property
    def state(self) -> str:
        if not self.channel.on:
            return "off"
        if self.last is None:
            return "not_used"
        return "failing" if self.last.error else "working"


def rules(tenant: Tenant) -> list[Rule]:
    """Every kind, those without a channel too."""
    # A message about several tenants to one address belongs to the first of them.
    sent = Delivery.objects.filter(incidents__tenant=tenant).exclude(sent_at=None).values_list("incidents__kind")
    newest = dict(sent.annotate(newest=Max("sent_at")).order_by())
    channels = list(tenant.channels.filter(on=True))
    return [Rule(kind, [one for one in channels if kind.name in one.kinds], newest.get(kind.name)) for kind in KINDS]


def channels(tenant: Tenant) -> list[ChannelState]:
    found = list(tenant.channels.annotate(newest=Max("deliveries__tries__pk")))
    tries = DeliveryAttempt.objects.select_related("delivery").in_bulk([one.newest for one in found])
    fresh = timezone.now() - TEST_LASTS
    untried = Delivery.objects.filter(channel__in=found, attempts=0, created_at__gte=fresh)
    testing = set(untried.filter(incidents=None).values_list("channel", flat=True))
    return [ChannelState(one, tries.get(one.newest), one.pk in testing) for one in found]


def no_channel_works(tenant: Tenant) -> bool:
    """Somebody is to be told, and the last message to each of them failed."""
    newest = DeliveryAttempt.objects.filter(delivery__channel=OuterRef("pk")).order_by("-pk")
    on = tenant.channels.filter(on=True).annotate(error=Subquery(newest.values("error")[:1]))
    errors = on.values_list("error", flat=True)
    return bool(errors) and all(errors)


def deliveries(tenant: Tenant) -> QuerySet[Delivery]:
    """Newest first, with every attempt."""
    return Delivery.objects.filter(tenant=tenant).select_related("channel").prefetch_related("tries")


def stays_off(tenant: Tenant) -> Incident | None:
    """A pause was over, and something was missing that turning on needs."""
    return None if tenant.enabled else tenant.incidents.filter(code=STAYED_OFF, solved_at=None).first()


def ringing(tenants: QuerySet[Tenant]) -> QuerySet[Incident]:
    """Open, and nobody looks at them, nor will later. Newest first."""
    asleep = Q(snoozed_until__gt=timezone.now())
    return Incident.objects.filter(tenant__in=tenants, solved_at=None, acknowledged_at=None).exclude(asleep)


def how_many_ring(tenants: QuerySet[Tenant]) -> Subquery:
    """For a query of tenants to tell along."""
    return how_many(ringing(tenants))


def open_incidents(tenants: QuerySet[Tenant]) -> QuerySet[Incident]:
    """Acknowledged and snoozed ones too."""
    found = Incident.objects.filter(tenant__in=tenants, solved_at=None).select_related(
        "tenant", "opened_by", "last_seen"
    )
    return found.annotate(sent=Count("deliveries", filter=Q(deliveries__sent_at__isnull=False))).order_by("-pk")


def incidents(tenant: Tenant) -> QuerySet[Incident]:
    """Those that are over, too."""
    found = tenant.incidents.select_related("tenant", "opened_by", "last_seen")
    return found.annotate(sent=Count("deliveries", filter=Q(deliveries__sent_at__isnull=False))).order_by("-pk")


def concerned(incident: Incident) -> dict[str, int]:
    """How many people (`user`) and groups (`group`) have it now."""
    if incident.solved_at:
        return {}
    found = standings.standings(incident.tenant, code=incident.code, attribute=incident.attribute)
    return dict(found.values_list("kind").annotate(n=Count("pk")).order_by("-kind"))
