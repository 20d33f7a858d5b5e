"""One page of a round, merged into the mirror: per object id, in stream order, idempotently (Graph, delta query)."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction

from sync.db.bulk import insert_rows, update_rows
from sync.engine.reading import memberships
from sync.graph.client import DeltaPage
from sync.models import DirectoryGroup, DirectoryUser, ObjectType, Snapshot
from sync.standings import services as standings

Item = dict[str, Any]

# Graph repeats these in every object; they are not properties of the person.
NOT_PROPERTIES = ("@odata.type", "@odata.id", "@removed", "manager@delta", "members@delta", "members", "manager")


@transaction.atomic
def apply_users(snapshot: Snapshot, page: DeltaPage) -> None:
    _apply(DirectoryUser, snapshot, page.items, _merge_user, (*MIRRORED, "user_principal_name", "manager_id"))


@transaction.atomic
def apply_groups(snapshot: Snapshot, page: DeltaPage) -> None:
    _apply(DirectoryGroup, snapshot, page.items, _merge, MIRRORED)
    memberships.note(snapshot, page.items)


MIRRORED = ("display_name", "properties", "deleted", "seen_snapshot", "changed_snapshot")


def _apply(
    model: type[Any],
    snapshot: Snapshot,
    items: Sequence[Item],
    merge: Callable[[Any, Item, bool], None],
    fields: Sequence[str],
) -> None:
    known = {row.object_id: row for row in model.objects.filter(tenant=snapshot.tenant, object_id__in=_ids(items))}
    before = {key: _facts(row) for key, row in known.items()}
    rows = dict(known)
    for item in items:
        row = rows.get(item["id"])
        if row is None:
            if "@removed" in item:
                continue
            row = rows[item["id"]] = model(tenant=snapshot.tenant, object_id=item["id"])
        # A full round leaves out what has no value (Graph, delta query): it begins from nothing.
        merge(row, item, snapshot.full and row.seen_snapshot != snapshot.pk)
        row.seen_snapshot = snapshot.pk
    changed = [row for key, row in rows.items() if key not in known or _facts(row) != before[key]]
    for row in changed:
        row.changed_snapshot = snapshot.pk
    insert_rows([row for row in changed if row.pk is None])
    update_rows([row for row in changed if row.object_id in known], fields)
    # Not by `changed_snapshot`: a row may bear that of this round before it is read (work.revisit_reports).
    same = [row.pk for key, row in known.items() if _facts(row) == before[key]]
    model.objects.filter(pk__in=same).update(seen_snapshot=snapshot.pk)
    kind = ObjectType.USER if model is DirectoryUser else ObjectType.GROUP
    standings.refresh(snapshot.tenant_id, kind, [row.object_id for row in changed])


def _ids(items: Sequence[Item]) -> set[str]:
    return {item["id"] for item in items}


def _facts(row: Any) -> tuple[Any, ...]:
    return row.properties, row.deleted, getattr(row, "manager_id", "")


def _merge(row: DirectoryUser | DirectoryGroup, item: Item, afresh: bool) -> None:
    """Absent means unchanged, null means cleared (Graph, delta query: property changes)."""
    removed = item.get("@removed")
    if removed is not None:
        row.deleted = "purged" if removed.get("reason") == "deleted" else "soft"
        return
    row.deleted = ""
    reported = {key: value for key, value in item.items() if key not in NOT_PROPERTIES}
    merged = reported if afresh else row.properties | reported
    row.properties = {key: value for key, value in merged.items() if value is not None}
    row.display_name = str(row.properties.get("displayName") or "")[:256]


def _merge_user(user: DirectoryUser, item: Item, afresh: bool) -> None:
    _merge(user, item, afresh)
    user.user_principal_name = str(user.properties.get("userPrincipalName") or "")[:256]
    if "@removed" not in item:
        user.manager_id = _manager_of(item, "" if afresh else user.manager_id)


def _manager_of(item: Item, before: str) -> str:
    """`manager@delta` lists the leaving and the coming manager; only the coming one has no @removed."""
    entries = item.get("manager@delta")
    if entries is None:
        return before
    return next((str(entry["id"]) for entry in entries if "@removed" not in entry), "")
