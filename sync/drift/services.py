"""Comparisons with AWS: asking for one, its results, repairing after a look at them, and whether one is due."""

import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from sync import audit
from sync.drift import repairing
from sync.drift.queries import Chosen, standing_only_in_aws
from sync.models import Drift, LeftAlone, LeftDifference, Run, Tenant
from sync.runs.lease import Busy, at_rest
from sync.runs.requests import request_run
from sync.scim.never_touch import NeverTouch
from sync.standings import leaving, queries
from sync.standings import services as standings
from sync.standings.derivation import open_differences

DAY = datetime.timedelta(days=1)
# A comparison that failed is tried again after this long.
PAUSE = datetime.timedelta(hours=1)
# So many differences are left in one decision: a form has no more fields than a web server takes.
AT_ONCE = 500


class NotOnlyInAws(Exception):
    """Somebody of Entra claims the object by now, it is left alone already, or AWS holds it no more."""


class CannotRepair(Exception):
    """`code`: no-comparison, suspect (a code of sync.problems.catalogue stands in the run), or busy (a run is in progress)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def request_comparison(
    *, tenant: Tenant, actor: str = "", trigger: str = Run.Trigger.PERSON, enqueue: bool = True
) -> Run:
    """A queued comparison, or the one that is open already. Raises RunInTheWay."""
    return request_run(tenant=tenant, kind=Run.Kind.VERIFY, trigger=trigger, actor=actor, enqueue=enqueue)


def comparison_due(tenant: Tenant) -> bool:
    """Daily, once the first run is through; after a failure not before an hour is over."""
    if not (tenant.enabled and tenant.verify_daily and tenant.evaluated_snapshot):
        return False
    now = timezone.now()
    last = tenant.verified_at or tenant.enabled_changed_at
    if last and now - last < DAY:
        return False
    return not tenant.runs.filter(kind=Run.Kind.VERIFY, created_at__gte=now - PAUSE).exists()


def latest_comparison(tenant: Tenant) -> Run | None:
    """The newest comparison that was carried through: its rows are what is known."""
    return queries.compared(tenant)


@transaction.atomic
def leave_alone(*, tenant: Tenant, object_type: str, scim_id: str, actor: str, reason: str) -> LeftAlone:
    """What only AWS holds is to stay as it is. Raises NotOnlyInAws."""
    standing = standing_only_in_aws(tenant, object_type, scim_id)
    if standing is None:
        raise NotOnlyInAws
    facts = {"object_type": object_type, "scim_id": scim_id, "name": standing.name, "reason": reason}
    left = LeftAlone.objects.create(tenant=tenant, decided_by=actor, **facts)
    note_left_alone(tenant)
    audit.record(actor, "drift.leave_alone", left, None, facts)
    return left


@transaction.atomic
def stop_leaving_alone(*, left: LeftAlone, actor: str) -> None:
    """It waits for somebody again, or for the tenant's rule of linking."""
    tenant = left.tenant
    facts = {"object_type": left.object_type, "scim_id": left.scim_id, "name": left.name, "reason": left.reason}
    audit.record(actor, "drift.stop_leaving_alone", left, facts, None)
    left.delete()
    note_left_alone(tenant)


@transaction.atomic
def note_left_alone(tenant: Tenant) -> None:
    """The never-touch list changed: what only AWS holds is judged by it anew, without asking AWS."""
    run, never_touch = latest_comparison(tenant), NeverTouch(tenant.never_touched())
    changed = []
    for row in run.drifts.filter(kind=Drift.Kind.ONLY_IN_AWS) if run else ():
        alone = never_touch.fits(row.facts | {"id": row.scim_id}) and row.proposed_by not in Drift.CERTAIN
        if alone != row.facts.get("left_alone", False):
            row.facts = {name: fact for name, fact in row.facts.items() if name != "left_alone"}
            row.facts |= {"left_alone": True} if alone else {}
            changed.append(row)
    Drift.objects.bulk_update(changed, ["facts"], batch_size=200)
    standings.refresh_only_in_aws(tenant.pk)


def leavable_differences(tenant: Tenant, chosen: Chosen) -> list[Drift]:
    """Those of the chosen that are open still and can be left: no more than are decided on at once."""
    rows = open_differences(tenant.pk, latest_comparison(tenant))
    mine = rows.filter(Q(pk__in=chosen.rows) | Q(link__object_id__in=chosen.objects)).order_by("pk")
    return leaving.leavable(mine)[:AT_ONCE]


def leave_differences(*, tenant: Tenant, actor: str, chosen: Chosen, reason: str) -> int:
    """AWS may hold what it does there, until it holds something else. How many values and members.

    Raises Busy."""
    with at_rest(tenant.pk), transaction.atomic():
        rows = leavable_differences(tenant, chosen)
        left = leaving.leave(tenant, rows, reason=reason, actor=actor)
        repairing.refresh_standings(tenant.pk, rows)
        audit.record_all(audit.entry(actor, "drift.leave_difference", one, None, leaving.facts_of(one)) for one in left)
    return len(left)


def stop_leaving_difference(*, left: LeftDifference, actor: str) -> bool:
    """It counts again, if AWS holds it still. False: it was over already. Raises Busy."""
    with at_rest(left.tenant_id), transaction.atomic():
        found = LeftDifference.objects.filter(pk=left.pk).first()
        if found is None:
            return False
        audit.record(actor, "drift.stop_leaving_difference", found, leaving.facts_of(found), None)
        repairing.refresh_standings(found.tenant_id, leaving.again(found, latest_comparison(left.tenant)))
    return True


def chosen_differences(run: Run, chosen: Chosen) -> QuerySet[Drift]:
    """Those of the chosen that are open still."""
    return repairing.repairable(run, chosen)


def repair_differences(*, tenant: Tenant, actor: str, chosen: Chosen | None = None) -> int:
    """Marks what the newest comparison found, or only what is chosen; the next run writes it. Raises CannotRepair.

    Under the tenant's lease, so that no run moves the same links meanwhile.
    """
    run = latest_comparison(tenant)
    if run is None or run.suspect:
        raise CannotRepair("suspect" if run else "no-comparison")
    facts = {"run": run.number} | _about(run, chosen)
    try:
        with at_rest(tenant.pk):
            marked = repairing.mark(run, chosen)
    except Busy as busy:
        raise CannotRepair("busy") from busy
    audit.record(actor, "drift.repair", run, None, facts | {"differences": marked})
    return marked


def _about(run: Run, chosen: Chosen | None) -> dict[str, Any]:
    """For the audit log: whom the chosen differences are about."""
    if chosen is None:
        return {}
    return {"entra_ids": sorted({row.object_id or row.proposed_id for row in chosen_differences(run, chosen)})}
