"""How tenants stand, for lists of them: the command `status` and the API say the same."""

import datetime
from collections.abc import Collection
from dataclasses import dataclass

from portal.words.provisioning import Word, provisioning_of
from sync.approvals import queries
from sync.health.queries.presence import late_tenants
from sync.models import Run, Tenant
from sync.standings import queries as standings


@dataclass(frozen=True, slots=True)
class TenantStatus:
    """`last_run`: the newest that is over, of those over the whole directory."""

    tenant: Tenant
    provisioning: Word
    people_in_aws: int
    people_in_scope: int
    problems: int
    last_run: Run | None
    overdue_since: datetime.datetime | None


def statuses(tenants: Collection[Tenant]) -> list[TenantStatus]:
    late = {one.tenant.pk: one.since for one in late_tenants()}
    numbers, waiting = standings.summaries(tenants), queries.waiting_of(tenants)
    last = {run.tenant_id: run for run in queries.newest_of(tenants, Run.objects.whole().finished())}
    return [
        TenantStatus(
            tenant,
            provisioning_of(tenant, waiting[tenant.pk]).word,
            *numbers[tenant.pk].reaching,
            numbers[tenant.pk].problems,
            last.get(tenant.pk),
            late.get(tenant.pk),
        )
        for tenant in tenants
    ]
