"""First act: what Entra holds of the object now, read live and put into the mirror.

It goes in under the rules of the reading stage, and says nothing about anybody else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sync.engine.reading.memberships import apply_members
from sync.engine.reading.pages import apply_groups, apply_users
from sync.graph.client import DeltaPage
from sync.graph.errors import NotFound as NotInEntra
from sync.models import DirectoryGroup, DirectoryMembership, DirectoryUser, Result, Snapshot
from sync.on_demand.asked import Asked
from sync.on_demand.steps import properties


@dataclass(slots=True)
class Imported:
    """What Entra holds now. `lists`: the groups that list the person, or the members of the group; None when gone."""

    item: dict[str, Any]
    lists: list[dict[str, Any]] | None = None
    manager: str = ""


def read(asked: Asked) -> Imported | None:
    """None when neither Entra nor the mirror knows the object; the steps say so."""
    return _read_person(asked) if asked.is_user else _read_group(asked)


def _read_person(asked: Asked) -> Imported | None:
    select = [name for name in asked.rules.selects("user") if name != "manager"]
    try:
        found = asked.graph.user(asked.row.object_id, select)
        groups = [one for one in asked.graph.member_of(asked.row.object_id) if _is(one, "group")]
    except NotInEntra:
        return _gone(asked, DirectoryUser)
    manager = asked.graph.manager(asked.row.object_id) or {}
    found = dict.fromkeys(select) | found
    _name(asked, found)
    asked.steps.done(
        "import",
        properties=properties(found, asked.hidden),
        manager=manager.get("displayName") or manager.get("id", ""),
        groups=[one.get("displayName") or one["id"] for one in groups],
    )
    return Imported(found, groups, str(manager.get("id", "")))


def _read_group(asked: Asked) -> Imported | None:
    select = asked.rules.selects("group")
    try:
        found = asked.graph.group(asked.row.object_id, select)
        members = list(asked.graph.members(asked.row.object_id))
    except NotInEntra:
        return _gone(asked, DirectoryGroup)
    found = dict.fromkeys(select) | found
    _name(asked, found)
    people = sum(_is(member, "user") for member in members)
    asked.steps.done("import", properties=properties(found, asked.hidden), members=people)
    return Imported(found, members)


def _name(asked: Asked, found: Mapping[str, Any]) -> None:
    asked.row.display_name = str(found.get("displayName") or asked.row.display_name)[:256]


def _gone(asked: Asked, model: type[DirectoryUser] | type[DirectoryGroup]) -> Imported | None:
    """404 is no proof of a purge: it disables, and only a delta round's own word deletes later."""
    known = model.objects.filter(tenant=asked.tenant, object_id=asked.row.object_id).first()
    if known is None and not asked.link:
        asked.steps.failed("import", "unknown-to-entra")
        asked.steps.end(Result.FAILED)
        return None
    _name(asked, {"displayName": known.display_name if known else ""})
    asked.steps.done("import", deleted=True)
    return Imported({"id": asked.row.object_id, "@removed": {"reason": "changed"}})


def apply(asked: Asked, snapshot: Snapshot, imported: Imported) -> None:
    page = DeltaPage([imported.item], None, None)
    if asked.is_user:
        _apply_person(asked, snapshot, page, imported)
    elif not _purged(asked, DirectoryGroup):
        apply_groups(snapshot, page)
        _apply_members(asked, snapshot, imported)
    for model in (DirectoryUser, DirectoryGroup, DirectoryMembership):
        # Seen by a reading of one object: a full round's set difference goes by its own snapshot.
        model.objects.filter(tenant=asked.tenant, seen_snapshot=snapshot.pk).update(seen_snapshot=asked.newest)


def _purged(asked: Asked, model: type[DirectoryUser] | type[DirectoryGroup]) -> bool:
    return model.objects.filter(tenant=asked.tenant, object_id=asked.row.object_id, deleted="purged").exists()


def _apply_person(asked: Asked, snapshot: Snapshot, page: DeltaPage, imported: Imported) -> None:
    if imported.lists is None:
        if not _purged(asked, DirectoryUser):
            apply_users(snapshot, page)
        return
    entries = [{"id": imported.manager}] if imported.manager else []
    imported.item["manager@delta"] = entries
    apply_users(snapshot, page)
    user_id = asked.row.object_id
    listing = {one["id"] for one in imported.lists}
    rows = DirectoryMembership.objects.filter(tenant=asked.tenant, member_id=user_id)
    before = set(rows.values_list("group_id", flat=True))
    known = DirectoryGroup.objects.filter(tenant=asked.tenant, object_id__in=listing - before)
    for group_id in known.values_list("object_id", flat=True):
        apply_members(snapshot, group_id, [{"id": user_id, "@odata.type": "#microsoft.graph.user"}])
    for group_id in before - listing:
        apply_members(snapshot, group_id, [{"id": user_id, "@removed": {"reason": "deleted"}}])


def _apply_members(asked: Asked, snapshot: Snapshot, imported: Imported) -> None:
    if imported.lists is None:
        return
    present = {member["id"] for member in imported.lists}
    rows = DirectoryMembership.objects.filter(tenant=asked.tenant, group_id=asked.row.object_id)
    gone = set(rows.values_list("member_id", flat=True)) - present
    removed = [{"id": member, "@removed": {"reason": "deleted"}} for member in gone]
    apply_members(snapshot, asked.row.object_id, [*imported.lists, *removed])
    # Members who wait for their own creation come with the next run, which looks at this group again.
    DirectoryGroup.objects.filter(tenant=asked.tenant, object_id=asked.row.object_id).update(
        changed_snapshot=snapshot.pk
    )


def _is(item: Mapping[str, Any], kind: str) -> bool:
    return str(item.get("@odata.type", f"#microsoft.graph.{kind}")).endswith(f".{kind}")
