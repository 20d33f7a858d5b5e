"""Leaving what differs as AWS has it: remembered with who said so and why, and known again by what AWS holds."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from sync.db.keys import listed
from sync.models import Drift, LeftDifference, Tenant
from sync.scim.resource import REDACTED

# Who is gone is made anew or unassigned, and who is missing in a group is in it by Entra.
LEAVABLE = (Drift.Kind.DIFFERS, Drift.Kind.MEMBER_EXTRA)
# Of a link, which difference, and of which member.
Key = tuple[int, str, str]


def leavable(rows: QuerySet[Drift]) -> list[Drift]:
    """Those that can be known again: what is hidden may be another value the next time."""
    return [row for row in rows.filter(kind__in=LEAVABLE) if REDACTED not in held_of(row).values()]


def leave(rows: Iterable[Drift], *, reason: str, actor: str) -> int:
    found = list(rows)
    for row in found:
        link, kind, member = key_of(row)
        facts = {"held": held_of(row), "name": row.name, "member_name": row.member_name, "reason": reason}
        LeftDifference.objects.update_or_create(
            tenant_id=row.tenant_id,
            link_id=link,
            kind=kind,
            member_scim_id=member,
            defaults=facts | {"decided_by": actor, "decided_at": timezone.now()},
        )
    return _mark(found)


def note(rows: QuerySet[Drift], tenant: Tenant) -> int:
    """Marks those of the rows that somebody decided to leave, as long as AWS holds just that."""
    left = {key_of(one): one.held for one in LeftDifference.objects.filter(tenant=tenant)}
    if not left:
        return 0
    links = LeftDifference.objects.filter(tenant=tenant).values("link")
    found = rows.filter(link__in=links, kind__in=LEAVABLE)
    return _mark(row for row in found if key_of(row) in left and same_as(held_of(row), left[key_of(row)]))


def again(left: LeftDifference) -> list[Drift]:
    """Nobody leaves it any more; its rows."""
    link, kind, member = key_of(left)
    rows = Drift.objects.filter(link_id=link, kind=kind, member_scim_id=member, left_alone=True)
    found = list(rows)
    left.delete()
    rows.update(left_alone=False)
    return found


def key_of(row: Drift | LeftDifference) -> Key:
    # Of what is ours by its link alone.
    return row.link_id or 0, row.kind, row.member_scim_id


def held_of(row: Drift) -> dict[str, Any]:
    """What AWS holds where it differs, by unit; {} of a membership."""
    return {unit: fact["held"] for unit, fact in row.facts.items()}


def same_as(held: Mapping[str, Any], left: Mapping[str, Any]) -> bool:
    """Nothing differs but what was left, and no more than it did then."""
    return all(unit in left and left[unit] == value for unit, value in held.items())


def _mark(rows: Iterable[Drift]) -> int:
    return Drift.objects.filter(pk__in=listed([row.pk for row in rows])).update(left_alone=True)
