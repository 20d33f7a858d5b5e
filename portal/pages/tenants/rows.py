"""The list of tenants: how each stands, what waits there for somebody, and its last syncs; trouble first."""

import datetime
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import F
from django.utils import timezone

from portal.words.provisioning import provisioning_of
from portal.words.states import LOOKS, counted
from sync.approvals import queries
from sync.approvals.queries import Waiting
from sync.health.queries.presence import Late, late_tenants
from sync.models import Run, Tenant
from sync.notifications.queries import ringing
from sync.standings import queries as standings
from sync.standings.queries import Summary

# Syncs of which each is a mark; they are looked for among so many runs.
STRIP, LOOKED_AT = 14, 60
# A credential that ends within this waits for somebody.
SOON = datetime.timedelta(days=90)
# The gravest first: of provisioning, of the last sync, of people and groups.
STATES = ("quarantined", "waiting_for_approval", "paused", "on", "off", "not_set_up")
FAMILIES = ("bad", "held", "attention", "running", "neutral", "good")


@dataclass(frozen=True, slots=True)
class TenantRow:
    """`word`: of provisioning; `strip`: the last syncs, oldest first; `incidents`: that nobody looks at yet; `ending`: the
    first credential's end, where that is near."""

    tenant: Tenant
    word: str
    late: Late | None
    summary: Summary
    waiting: Waiting
    strip: Sequence[Run]
    last_run: Run | None
    incidents: int
    ending: datetime.date | None

    @property
    def decisions(self) -> int:
        own = self.waiting
        return own.changes + own.requests + bool(own.plan) + bool(own.shrunken)

    @property
    def grave(self) -> tuple[int, int, int, int, str]:
        """Sorts: whoever needs somebody comes first."""
        run = LOOKS["run"][self.last_run.state][0] if self.last_run else "good"
        worst = LOOKS["standing"][self.summary.worst[0].value][0] if self.summary.worst else "good"
        first = 0 if self.word == "quarantined" or self.late else 1
        return (first, FAMILIES.index(run), FAMILIES.index(worst), STATES.index(self.word), self.tenant.name.casefold())

    @property
    def told(self) -> str:
        """The strip in words."""
        return counted("run", Counter(run.state for run in self.strip))


def rows_of(tenants: Collection[Tenant]) -> list[TenantRow]:
    """As many queries for many as for one."""
    late = {one.tenant.pk: one for one in late_tenants()}
    numbers, waiting, strips = standings.summaries(tenants), queries.waiting_of(tenants), strips_of(tenants)
    last = {run.tenant_id: run for run in queries.newest_of(tenants, Run.objects.syncs())}
    incidents = Counter(
        ringing(Tenant.objects.filter(pk__in=[one.pk for one in tenants])).values_list("tenant", flat=True)
    )
    found = [
        TenantRow(
            tenant,
            word_of(tenant, waiting[tenant.pk]),
            late.get(tenant.pk),
            numbers[tenant.pk],
            waiting[tenant.pk],
            strips[tenant.pk],
            last.get(tenant.pk),
            incidents[tenant.pk],
            ending_of(tenant),
        )
        for tenant in tenants
    ]
    return sorted(found, key=lambda row: row.grave)


def word_of(tenant: Tenant, waiting: Waiting) -> str:
    never = not tenant.enabled and not tenant.enabled_changed_at
    return "not_set_up" if never else provisioning_of(tenant, waiting).word


def ending_of(tenant: Tenant) -> datetime.date | None:
    ends = [day for day in (tenant.aws.token_ends_on, tenant.entra.credential_ends_on) if day]
    return min((day for day in ends if day - timezone.now().date() <= SOON), default=None)


def strips_of(tenants: Collection[Tenant]) -> Mapping[int, Sequence[Run]]:
    newest = (
        Run.objects.syncs().finished().filter(tenant__in=tenants, number__gt=F("tenant__last_run_number") - LOOKED_AT)
    )
    found: dict[int, list[Run]] = defaultdict(list)
    for run in newest.order_by("number").only("tenant", "number", "state"):
        found[run.tenant_id].append(run)
    return defaultdict(list, {key: runs[-STRIP:] for key, runs in found.items()})
