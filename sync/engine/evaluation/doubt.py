"""What a reading that is not believed may give: nothing but what it brought itself.

Its absences take nothing away (sync/engine/reading/sanity.py), so the mirror goes on with what earlier readings brought.
Whoever would be created, enabled or put into a group because of that alone waits: in Entra it may be long gone.
"""

from collections.abc import Sequence

from django.db.models import QuerySet

from sync.engine.reading.sanity import SHRUNK
from sync.models import DirectoryGroup, DirectoryMembership, DirectoryUser, Link, Snapshot


def is_doubted(snapshot: Snapshot) -> bool:
    return snapshot.suspect == SHRUNK


def brought(memberships: QuerySet[DirectoryMembership], snapshot: Snapshot) -> QuerySet[DirectoryMembership]:
    """Those that may give something."""
    return memberships.filter(seen_snapshot=snapshot.pk) if is_doubted(snapshot) else memberships


def waiting(snapshot: Snapshot, users: Sequence[DirectoryUser]) -> set[str]:
    """Object ids of those in scope who stay as they are in AWS, unless they are active there."""
    if not is_doubted(snapshot):
        return set()
    ways = {(user.scope_path[-1], user.object_id) for user in users if user.scope_path}
    rows = DirectoryMembership.objects.filter(tenant=snapshot.tenant, member_id__in=[member for _group, member in ways])
    seen = ways.intersection(brought(rows, snapshot).values_list("group_id", "member_id"))
    there = {user.object_id for user in users if user.seen_snapshot == snapshot.pk}
    return {user.object_id for user in users} - there | {member for _group, member in ways - seen}


def is_active(link: Link | None) -> bool:
    return link is not None and bool(link.scim_id) and link.active


def group_waits(snapshot: Snapshot, group: DirectoryGroup, link: Link | None) -> bool:
    """Whether it stays out of AWS."""
    unseen = is_doubted(snapshot) and group.seen_snapshot != snapshot.pk
    return unseen and not (link and link.scim_id)
