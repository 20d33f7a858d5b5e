"""What to send for one operation."""

from sync.engine.export.settling import Member
from sync.models import Link, Operation, Origin
from sync.scim import resource
from sync.scim.never_touch import NeverTouch


def know(never_touch: NeverTouch, operation: Operation, link: Link) -> None:
    """Whose the object is, before anything is sent to it. What the plan links, the list or a person let pass."""
    if operation.action == "link" or is_ours(link):
        never_touch.own(operation.scim_id)
    else:
        never_touch.see(link.written | {"id": operation.scim_id})


def is_ours(link: Link) -> bool:
    """We made it, a person linked it, or it holds our external id."""
    return link.origin in (Origin.CREATED, Origin.HAND) or bool(external_id(link))


def external_id(link: Link) -> str:
    """What AWS holds as far as we know; "" where that is not certain."""
    return str(link.written.get("externalId") or "")


def present_members(operation: Operation, members: dict[str, Member]) -> list[str]:
    """AWS ids of the members that AWS holds; the others are taken out of the operation."""
    keys = [key for key in operation.member_ids if key in members]
    if "members" in operation.changes:
        operation.changes["members"] = keys
    if operation.object_type == "membership":
        operation.people = len(keys)
    return [members[key].scim_id for key in keys]


def patch_body(operation: Operation, after: dict[str, object]) -> list[dict[str, object]]:
    """What was not known before is written whatever it was; what goes away is removed."""
    before = {unit: change["before"] for unit, change in operation.unit_changes.items()}
    return resource.patch_operations(
        {unit: value for unit, value in before.items() if value is not None or after.get(unit) is None},
        {unit: value for unit, value in after.items() if value is not None},
    )
