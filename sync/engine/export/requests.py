"""What to send for one operation."""

from sync.engine.export.settling import Member
from sync.models import Operation
from sync.scim import resource


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
