"""Reading: Graph rounds into the directory mirror, page by page, and the look at what AWS already holds.

A page is read first and applied after, each in a transaction of its own. Delta answers are merged per object id, in
stream order, idempotently: replays and duplicates are legal (Microsoft Graph, delta query overview).
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from sync.graph.client import DeltaPage, GraphClient
from sync.graph.errors import ResyncRequired
from sync.leases import Watch
from sync.mirror import touch
from sync.models import DirectoryGroup, DirectoryMembership, DirectoryUser, Snapshot, Tenant

Item = dict[str, Any]
# Graph repeats these in every object; they are not properties of the person.
NOT_PROPERTIES = ("@odata.type", "@odata.id", "@removed", "manager@delta", "members@delta", "members", "manager")


class SourceEmpty(Exception):
    """A full round brought nobody although the mirror knows people: nothing may follow from that."""


def read_directory(
    tenant: Tenant,
    graph: GraphClient,
    watch: Watch,
    users_select: Sequence[str],
    groups_select: Sequence[str],
    *,
    full: bool,
) -> Snapshot:
    """One round over users and groups. A dead delta token turns it into a full round."""
    select = [*users_select, "|", *groups_select]
    full = full or not tenant.users_link or not tenant.groups_link or tenant.tracked_select != select
    try:
        return _read_round(tenant, graph, watch, users_select, groups_select, full=full)
    except ResyncRequired:
        if full:
            raise
        return _read_round(tenant, graph, watch, users_select, groups_select, full=True)


def _read_round(
    tenant: Tenant,
    graph: GraphClient,
    watch: Watch,
    users_select: Sequence[str],
    groups_select: Sequence[str],
    *,
    full: bool,
) -> Snapshot:
    snapshot = Snapshot.objects.create(tenant=tenant, full=full)
    users_link = groups_link = None
    for page in graph.users_delta(users_select, None if full else tenant.users_link):
        watch.safe_point()
        apply_users(snapshot, page)
        users_link = page.delta_link or users_link
    for page in graph.groups_delta(groups_select, None if full else tenant.groups_link):
        watch.safe_point()
        apply_groups(snapshot, page)
        groups_link = page.delta_link or groups_link
    seal(snapshot, users_link or "", groups_link or "", [*users_select, "|", *groups_select])
    return snapshot


@transaction.atomic
def seal(snapshot: Snapshot, users_link: str, groups_link: str, select: list[str]) -> None:
    """Only now may absence mean something: a full round ends with the set difference against the mirror."""
    tenant = snapshot.tenant
    if snapshot.full:
        _require_people(snapshot)
        _purge_unseen(snapshot)
    snapshot.users = DirectoryUser.objects.filter(tenant=tenant, deleted="").count()
    snapshot.groups = DirectoryGroup.objects.filter(tenant=tenant, deleted="").count()
    snapshot.sealed_at = timezone.now()
    snapshot.save(update_fields=["users", "groups", "sealed_at"])
    tenant.users_link, tenant.groups_link, tenant.tracked_select = users_link, groups_link, select
    tenant.save(update_fields=["users_link", "groups_link", "tracked_select"])


def _require_people(snapshot: Snapshot) -> None:
    users = DirectoryUser.objects.filter(tenant=snapshot.tenant, deleted="")
    if users.exists() and not users.filter(seen_snapshot=snapshot.pk).exists():
        raise SourceEmpty


def _purge_unseen(snapshot: Snapshot) -> None:
    gone = {"deleted": "purged", "changed_snapshot": snapshot.pk}
    for model in (DirectoryUser, DirectoryGroup):
        model.objects.filter(tenant=snapshot.tenant, seen_snapshot__lt=snapshot.pk).exclude(deleted="purged").update(
            **gone
        )
    unseen = DirectoryMembership.objects.filter(tenant=snapshot.tenant, seen_snapshot__lt=snapshot.pk)
    touch(snapshot, unseen.values("member_id"), unseen.values("group_id"))
    unseen.delete()


@transaction.atomic
def apply_users(snapshot: Snapshot, page: DeltaPage) -> None:
    known = _known(DirectoryUser, snapshot, page.items)
    new: dict[str, DirectoryUser] = {}
    for item in page.items:
        user = known.get(item["id"]) or new.get(item["id"])
        if user is None:
            user = new[item["id"]] = DirectoryUser(tenant=snapshot.tenant, object_id=item["id"])
        before = (dict(user.properties), user.deleted, user.manager_id)
        _merge(user, item)
        user.user_principal_name = str(user.properties.get("userPrincipalName") or "")[:256]
        user.manager_id = _manager_of(item, user.manager_id)
        _stamp(user, snapshot, before != (user.properties, user.deleted, user.manager_id))
    DirectoryUser.objects.bulk_create(new.values(), batch_size=500)
    DirectoryUser.objects.bulk_update(known.values(), [*MIRRORED, "user_principal_name", "manager_id"], batch_size=200)


@transaction.atomic
def apply_groups(snapshot: Snapshot, page: DeltaPage) -> None:
    known = _known(DirectoryGroup, snapshot, page.items)
    new: dict[str, DirectoryGroup] = {}
    gone_or_back: set[str] = set()
    for item in page.items:
        group = known.get(item["id"]) or new.get(item["id"])
        if group is None:
            group = new[item["id"]] = DirectoryGroup(tenant=snapshot.tenant, object_id=item["id"])
        before = (dict(group.properties), group.deleted)
        _merge(group, item)
        if before[1] != group.deleted:
            gone_or_back.add(group.object_id)
        _stamp(group, snapshot, before != (group.properties, group.deleted))
    DirectoryGroup.objects.bulk_create(new.values(), batch_size=500)
    DirectoryGroup.objects.bulk_update(known.values(), MIRRORED, batch_size=200)
    for item in page.items:
        apply_members(snapshot, item["id"], item.get("members@delta") or [])
    # A group that goes or comes back says nothing of its members, whose scope hangs on it.
    members = DirectoryMembership.objects.filter(tenant=snapshot.tenant, group_id__in=gone_or_back)
    touch(snapshot, members.values("member_id"), [])


def apply_members(snapshot: Snapshot, group_id: str, entries: Iterable[Item]) -> None:
    """Portions of one group's members may come over several entries and pages; the last word per member counts."""
    last = {entry["id"]: entry for entry in entries}
    if not last:
        return
    removed = [member for member, entry in last.items() if "@removed" in entry]
    present = [member for member, entry in last.items() if "@removed" not in entry]
    rows = DirectoryMembership.objects.filter(tenant=snapshot.tenant, group_id=group_id)
    existing = set(rows.filter(member_id__in=last).values_list("member_id", flat=True))
    rows.filter(member_id__in=removed).delete()
    rows.filter(member_id__in=present).update(seen_snapshot=snapshot.pk)
    added = [member for member in present if member not in existing]
    DirectoryMembership.objects.bulk_create(_membership(snapshot, group_id, last[member]) for member in added)
    changed = [*added, *existing.intersection(removed)]
    touch(snapshot, changed, [group_id] if changed else [])


MIRRORED = ["display_name", "properties", "deleted", "seen_snapshot", "changed_snapshot"]


def _known(model: type[Any], snapshot: Snapshot, items: Sequence[Item]) -> dict[str, Any]:
    ids = {item["id"] for item in items}
    return {row.object_id: row for row in model.objects.filter(tenant=snapshot.tenant, object_id__in=ids)}


def _merge(row: DirectoryUser | DirectoryGroup, item: Item) -> None:
    """Absent means unchanged, null means cleared (Graph, delta query: property changes)."""
    removed = item.get("@removed")
    if removed is not None:
        row.deleted = "purged" if removed.get("reason") == "deleted" else "soft"
        return
    row.deleted = ""
    properties = {key: value for key, value in item.items() if key not in NOT_PROPERTIES}
    merged = row.properties | properties
    row.properties = {key: value for key, value in merged.items() if value is not None}
    row.display_name = str(row.properties.get("displayName") or "")[:256]


def _stamp(row: DirectoryUser | DirectoryGroup, snapshot: Snapshot, changed: bool) -> None:
    row.seen_snapshot = snapshot.pk
    if changed:
        row.changed_snapshot = snapshot.pk


def _manager_of(item: Item, before: str) -> str:
    """`manager@delta` lists the leaving and the coming manager; only the coming one has no @removed."""
    entries = item.get("manager@delta")
    if entries is None:
        return before
    return next((str(entry["id"]) for entry in entries if "@removed" not in entry), "")


def _membership(snapshot: Snapshot, group_id: str, entry: Item) -> DirectoryMembership:
    kind = str(entry.get("@odata.type", "#microsoft.graph.user")).rpartition(".")[2]
    return DirectoryMembership(
        tenant=snapshot.tenant,
        group_id=group_id,
        member_id=entry["id"],
        member_type=kind[:20],
        seen_snapshot=snapshot.pk,
    )
