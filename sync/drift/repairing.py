"""Repairing what a comparison found: links are marked so that the next run writes anew. Nothing is sent from here.

Objects that only AWS holds are never touched.
"""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from sync.db.batches import batches
from sync.models import DirectoryUser, Drift, Link, MembershipLink, Run
from sync.scim.resource import MANAGER


def by_policy(run: Run) -> int:
    """Where the tenant wants it, and the comparison is beyond doubt."""
    return mark(run) if run.tenant.repair and not run.suspect else 0


def mark(run: Run) -> int:
    """How many differences the next run will settle. Whoever calls holds the tenant's lease."""
    rows = run.drifts.filter(repaired=False).exclude(kind=Drift.Kind.ONLY_IN_AWS)
    return sum(_mark_batch(batch) for batch in batches(rows, 500))


@transaction.atomic
def _mark_batch(batch: Sequence[Drift]) -> int:
    done = [drift for drift in batch if _mark(drift)]
    Drift.objects.filter(pk__in=[drift.pk for drift in done]).update(repaired=True)
    return len(done)


def _mark(drift: Drift) -> bool:
    """False when the object has been linked anew since, or the member is nobody of ours."""
    # Read now: one difference of the batch may move the link of another.
    link = Link.objects.filter(pk__in=[drift.link_id], scim_id=drift.scim_id).first()
    if link is None:
        return False
    match drift.kind:
        case Drift.Kind.DIFFERS:
            _write_anew(link, drift.facts)
        case Drift.Kind.MISSING:
            _forget(link)
        case Drift.Kind.MEMBER_MISSING:
            _members(drift, link).update(certain=False)
            _look_again(link)
        case Drift.Kind.MEMBER_EXTRA:
            return _take_up(drift, link)
    return True


def _write_anew(link: Link, units: Sequence[str] | dict[str, object]) -> None:
    """A null unit is unknown: the next run writes it, or removes it."""
    link.written = link.written | dict.fromkeys(units)
    link.retry_at = timezone.now()
    link.save(update_fields=["written", "retry_at"])


def _look_again(link: Link) -> None:
    Link.objects.filter(pk=link.pk).update(retry_at=timezone.now())


def _forget(link: Link) -> None:
    """The next run matches or creates whoever is still in scope, and what pointed to the old AWS id with it."""
    if link.object_type == "user":
        _rewrite_reports(link)
        groups = MembershipLink.objects.filter(user=link).values("group")
        Link.objects.filter(pk__in=groups).update(retry_at=timezone.now())
    MembershipLink.objects.filter(group=link).delete()
    MembershipLink.objects.filter(user=link).delete()
    link.scim_id, link.written = "", {}
    link.held_name = link.held_email = link.held_external = ""
    link.disabled_at = None
    link.retry_at = timezone.now()
    link.save()


def _rewrite_reports(link: Link) -> None:
    """People who report to somebody who gets a new AWS id: their manager is written anew."""
    reports = DirectoryUser.objects.filter(tenant=link.tenant_id, manager_id=link.object_id).values("object_id")
    for report in Link.objects.filter(tenant=link.tenant_id, object_type="user", object_id__in=reports):
        if MANAGER in report.written:
            _write_anew(report, [MANAGER])


def _members(drift: Drift, group: Link) -> QuerySet[MembershipLink]:
    return MembershipLink.objects.filter(group=group, user__scim_id=drift.member_scim_id)


def _take_up(drift: Drift, group: Link) -> bool:
    """A membership that AWS holds becomes one that we know: the planner keeps it or removes it, under the limits."""
    user = Link.objects.filter(tenant=group.tenant_id, object_type="user", scim_id=drift.member_scim_id).first()
    if user is None:
        return False
    MembershipLink.objects.get_or_create(tenant_id=group.tenant_id, group=group, user=user)
    _look_again(group)
    return True
