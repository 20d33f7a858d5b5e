"""Repairing what a comparison found: links are marked so that the next run writes anew. Nothing is sent from here.

Of the objects that only AWS holds, those that are ours by their id are linked again; the others are never touched.
"""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from sync.db.batches import batches
from sync.drift.queries import Chosen, unlinked, unsettled
from sync.engine.export.settling import Settled
from sync.models import Drift, Link, MembershipLink, ObjectType, Run
from sync.rules.unique_keys import keys_of
from sync.standings import services as standings
from sync.standings.derivation import open_differences


def by_policy(run: Run) -> int:
    """Where the tenant wants it, and the comparison is beyond doubt."""
    return mark(run) if run.compared_at and run.tenant.repair and not run.suspect else 0


def mark(run: Run, chosen: Chosen | None = None) -> int:
    """How many differences the next run will settle. Whoever calls holds the tenant's lease."""
    only_in_aws = Q(kind=Drift.Kind.ONLY_IN_AWS)
    rows = repairable(run, chosen)
    # First who is ours after all: whose membership a group has too many is then known.
    return sum(_mark_batch(batch) for part in (only_in_aws, ~only_in_aws) for batch in batches(rows.filter(part), 500))


def repairable(run: Run, chosen: Chosen | None = None) -> QuerySet[Drift]:
    """Differences of what is ours: those that the comparison found, or the chosen ones of all that are open."""
    if chosen is not None:
        return _open(run).filter(Q(pk__in=chosen.rows) | Q(link__object_id__in=chosen.objects))
    return unsettled(run)


def _open(run: Run) -> QuerySet[Drift]:
    """What a page shows: also what was read back since, and nothing that was written since."""
    shown = Q(pk__in=open_differences(run.tenant_id, run).values("pk")) | Q(pk__in=unlinked(run).values("pk"))
    return Drift.objects.filter(shown, tenant=run.tenant_id)


@transaction.atomic
def _mark_batch(batch: Sequence[Drift]) -> int:
    done = [drift for drift in batch if _mark(drift)]
    Drift.objects.filter(pk__in=[drift.pk for drift in done]).update(repaired=True)
    if done:
        refresh_standings(done[0].tenant_id, done)
    return len(done)


def refresh_standings(tenant_id: int, done: Sequence[Drift]) -> None:
    """Of whom these differences are about."""
    for kind in ObjectType.values:
        same = [one for one in done if (one.object_type == "user") == (kind == ObjectType.USER)]
        standings.refresh(tenant_id, kind, [one.object_id or one.proposed_id for one in same])
    standings.refresh_only_in_aws(tenant_id)


def _mark(drift: Drift) -> bool:
    """False when the object has been linked anew since, or the member is nobody of ours."""
    if drift.kind == Drift.Kind.ONLY_IN_AWS:
        return _relink(drift)
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
            _look_again(link, "add_member")
        case Drift.Kind.MEMBER_EXTRA:
            return _take_up(drift, link)
    return True


def _write_anew(link: Link, units: Sequence[str] | dict[str, object]) -> None:
    """A null unit is unknown: the next run writes it, or removes it."""
    link.written = link.written | dict.fromkeys(units)
    link.retry_at, link.pending = timezone.now(), "update"
    link.save(update_fields=["written", "retry_at", "pending"])


def _relink(drift: Drift) -> bool:
    """Nothing is known to be written: the next run writes all that the rules want, or disables."""
    mine = Link.objects.filter(tenant=drift.tenant_id, object_type=drift.object_type)
    link = mine.filter(object_id=drift.proposed_id, scim_id="").first()
    if link is None or mine.filter(scim_id=drift.scim_id).exists():
        return False
    link.scim_id, link.written, link.active = drift.scim_id, {}, True
    link.held_name, link.held_email, link.held_external = keys_of(link.object_type, drift.facts)
    link.linked_at = link.retry_at = timezone.now()
    link.pending = "update"
    link.save()
    return True


def _look_again(link: Link, pending: str) -> None:
    Link.objects.filter(pk=link.pk).update(retry_at=timezone.now(), pending=pending)


def _forget(link: Link) -> None:
    """The next run matches or creates whoever is still in scope, and what pointed to the old AWS id with it."""
    now = timezone.now()
    groups = MembershipLink.objects.filter(user=link).values("group")
    Link.objects.filter(pk__in=groups).update(retry_at=now)
    settled = Settled(link.tenant_id, {link.pk: link})
    settled.mark_gone(link, now)
    link.retry_at = now
    settled.save()


def _members(drift: Drift, group: Link) -> QuerySet[MembershipLink]:
    return MembershipLink.objects.filter(group=group, user__scim_id=drift.member_scim_id)


def _take_up(drift: Drift, group: Link) -> bool:
    """A membership that AWS holds becomes one that we know: the planner keeps it or removes it, under the limits."""
    user = Link.objects.filter(tenant=group.tenant_id, object_type="user", scim_id=drift.member_scim_id).first()
    if user is None:
        return False
    MembershipLink.objects.get_or_create(tenant_id=group.tenant_id, group=group, user=user)
    _look_again(group, "remove_member")
    return True
