"""An approval is looked at once more when its request is about to be made: it may have ended or been taken back."""

from collections.abc import Iterable, Sequence

from django.utils import timezone

from sync.models import HeldChange, Operation, Result

Approved = set[tuple[str, str, str]]


def recheck(tenant_id: int, operations: Sequence[Operation]) -> None:
    """Operations that a person let pass, but no longer does, become HELD; so do single members of a request."""
    approved = [operation for operation in operations if operation.approved]
    if not approved:
        return
    holding = _holding(tenant_id, {operation.object_id for operation in approved})
    for operation in approved:
        if not _still(operation, holding):
            operation.result, operation.finished_at = Result.HELD, timezone.now()


def _holding(tenant_id: int, object_ids: Iterable[str]) -> Approved:
    rows = HeldChange.objects.approved().filter(tenant_id=tenant_id, object_id__in=list(object_ids))
    return set(rows.values_list("action", "object_id", "member_id"))


def _still(operation: Operation, approved: Approved) -> bool:
    if operation.object_type != "membership":
        return (operation.action, operation.object_id, "") in approved
    members = [one for one in operation.member_ids if (operation.action, operation.object_id, one) in approved]
    if members:
        operation.changes["members"] = members
        operation.people = len(members)
    return bool(members)
