"""What the guard holds, row by row, and when a hold closes."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from sync.models import (
    DirectoryUser,
    HeldChange,
    Hold,
    Operation,
    Result,
    Run,
    Tenant,
)
from sync.rules.scope import Reason
from sync.runs.results import settle_waiting_runs
from sync.standings import services as standings

NOT_DONE = (Result.FAILED, Result.WILL_RETRY, Result.SKIPPED, Result.HELD)


# What Entra says of a person by itself, whatever is configured here.
BY_ENTRA = (Reason.DELETED, Reason.ACCOUNT_DISABLED)


def held_changes(
    hold: Hold, operations: Iterable[Operation], authors: Sequence[str] = (), movers: Sequence[str] = ()
) -> list[HeldChange]:
    """One row per person or group; for a membership request one per member. `authors`: of what this run is the first to
    follow; `movers`: who had another directory read, so that what Entra says is their doing too."""
    rows = list(operations)
    ids = {row.object_id for row in rows if row.object_type == "user"}
    ids |= {member for row in rows for member in row.member_ids if row.object_type == "membership"}
    people = {user.object_id: user for user in DirectoryUser.objects.filter(tenant=hold.tenant, object_id__in=ids)}
    found = [change for row in rows for change in _changes_of(hold, row, people)]
    for change in found:
        change.caused_by = sorted({*movers, *([] if _is_by_entra(change, people) else authors)})
    return found


def _is_by_entra(change: HeldChange, people: Mapping[str, DirectoryUser]) -> bool:
    """A group is deleted only when it is gone for good in Entra."""
    if change.object_type == "group" and change.action == "delete":
        return True
    person = people.get(change.member_id or change.object_id)
    return person is not None and person.scope_reason in BY_ENTRA


def _changes_of(hold: Hold, row: Operation, people: Mapping[str, DirectoryUser]) -> list[HeldChange]:
    facts = {"hold": hold, "tenant_id": hold.tenant_id, "action": row.action, "object_type": row.object_type}
    if row.object_type != "membership":
        cause = people[row.object_id].scope_reason if row.object_id in people else ""
        names = {"display_name": row.display_name, "detail_name": row.detail_name, "cause": cause}
        return [HeldChange(object_id=row.object_id, **names, **facts)]
    return [
        HeldChange(object_id=row.object_id, member_id=member, **_member_names(people.get(member), row), **facts)
        for member in row.member_ids
    ]


def _member_names(person: DirectoryUser | None, row: Operation) -> dict[str, str]:
    """The person first; the group that loses them beside."""
    name = str(person) if person else ""
    return {"display_name": name[:256], "detail_name": row.display_name}


def close_unwanted(
    tenant: Tenant, wanted: set[tuple[str, str, str]], object_ids: Collection[str] | None = None
) -> None:
    """Held changes (of these objects, or all) that the plan no longer contains are over."""
    rows = HeldChange.objects.open().filter(tenant=tenant)
    if object_ids is not None:
        rows = rows.filter(object_id__in=object_ids)
    _close(tenant, [change for change in rows if (change.action, change.object_id, change.member_id) not in wanted])


def refresh_standings(tenant: Tenant, changes: Iterable[HeldChange]) -> None:
    """Of the objects of held changes that were just stored. A membership is its group's."""
    ids: dict[str, set[str]] = {"user": set(), "group": set()}
    for change in changes:
        ids["user" if change.object_type == "user" else "group"].add(change.object_id)
    for kind, found in ids.items():
        standings.refresh(tenant.pk, kind, found)


def close_done(run: Run) -> None:
    """What was approved and is done no longer waits."""
    done = run.operations.filter(approved=True).exclude(result__in=(Result.PLANNED, Result.SENT, *NOT_DONE))
    same = done.filter(object_id=OuterRef("object_id"), action=OuterRef("action"))
    changes = HeldChange.objects.open().filter(tenant=run.tenant)
    if not changes.exists():
        return
    over = list(changes.filter(Exists(same), member_id=""))
    for operation in done.filter(action="remove_member"):
        over += changes.filter(object_id=operation.object_id, member_id__in=operation.member_ids)
    _close(run.tenant, over)


def _close(tenant: Tenant, changes: Sequence[HeldChange]) -> None:
    """And the holds that have none left, also where an earlier run stopped in between."""
    if changes:
        with transaction.atomic():
            HeldChange.objects.filter(pk__in=[change.pk for change in changes]).update(closed_at=timezone.now())
            refresh_standings(tenant, changes)
    open_changes = HeldChange.objects.open().filter(hold=OuterRef("pk"))
    Hold.objects.filter(~Exists(open_changes), tenant=tenant, closed_at=None).update(closed_at=timezone.now())
    settle_waiting_runs(tenant)
