"""The guard: limits on the whole plan, counted in SQL after its last row is stored and before anything is written.

What goes over a limit is held for a person, by name; everything else goes on. The limits bind each plan and what was
removed in the last day and week together, so that a slow drip is noticed too.
"""

import datetime
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from sync.models import (
    DirectoryUser,
    HeldChange,
    Hold,
    Link,
    MembershipLink,
    Operation,
    Result,
    Run,
    Tenant,
)

DAY, WEEK = datetime.timedelta(days=1), datetime.timedelta(days=7)
DONE = (Result.DISABLED, Result.DELETED, Result.REMOVED)
NOT_DONE = (Result.FAILED, Result.WILL_RETRY, Result.SKIPPED, Result.HELD)
PEOPLE_GO = ("disable", "delete")


@dataclass(frozen=True, slots=True)
class Limits:
    """Settings of a tenant; the guard against an empty directory is not among them.

    Numbers are people, members or hours; percentages are of the people (members) that AWS holds because of us.
    """

    people_at_least: int = 3
    people_at_most: int = 10
    people_percent: int = 5
    members_at_least: int = 10
    members_percent: int = 50
    all_members_percent: int = 10
    creates_percent: int = 50
    keys_percent: int = 10
    # A full reading that brings so much less than the last one is not believed.
    shrink_percent: int = 30
    approval_hours: int = 4

    def people(self, linked: int) -> int:
        return max(self.people_at_least, min(self.people_at_most, linked * self.people_percent // 100))

    def members_of(self, size: int) -> int:
        return max(self.members_at_least, size * self.members_percent // 100)

    def members(self, size: int) -> int:
        return max(self.members_at_least, size * self.all_members_percent // 100)

    def creates(self, linked: int) -> int:
        return max(self.members_at_least, linked * self.creates_percent // 100)

    def keys(self, linked: int) -> int:
        return max(self.people_at_least, linked * self.keys_percent // 100)


def limits_of(tenant: Tenant) -> Limits:
    known = {field.name for field in fields(Limits)}
    return Limits(**{name: int(value) for name, value in tenant.limits.items() if name in known})


class Guard:
    """Holds what goes over a limit in the plan of one run. `confirmed`: the preview whose creates and key changes
    somebody has said yes to; None when there is none."""

    def __init__(self, run: Run, confirmed: Run | None) -> None:
        self.run = run
        self.tenant = run.tenant
        self.limits = limits_of(run.tenant)
        self.confirmed = confirmed
        self.now = timezone.now()
        self.linked = Link.objects.filter(tenant=self.tenant, object_type="user").exclude(scim_id="")
        # What this plan puts on hold: (action, object id, member id).
        self.held: set[tuple[str, str, str]] = set()
        self.over: list[tuple[str, QuerySet[Operation], dict[str, int]]] = []

    def check(self) -> dict[str, int]:
        """Puts on hold what goes over a limit; the number of people concerned."""
        self.foresee()
        for kind, operations, numbers in self.over:
            self._hold(kind, operations, numbers)
        self._forget_older()
        return {"held": _people(self.run.operations.filter(result=Result.HELD))}

    def foresee(self) -> dict[str, int]:
        """What would be held, without doing so."""
        self._people()
        self._members()
        self._groups()
        if not self.run.confirmed:
            self._creates()
            self._keys()
        return {"held": sum(_people(operations) for _kind, operations, _numbers in self.over)}

    def _over(self, kind: str, operations: QuerySet[Operation], numbers: dict[str, int]) -> None:
        self.over.append((kind, operations, numbers))

    def _todo(self, **conditions: Any) -> QuerySet[Operation]:
        return self.run.operations.filter(result=Result.PLANNED, approved=False, **conditions)

    def _planned(self, **conditions: Any) -> int:
        """People (members) concerned, those included who wait already."""
        return _people(self._todo(**conditions)) + _people(self.run.operations.filter(result=Result.HELD, **conditions))

    def _done_since(self, span: datetime.timedelta, **conditions: Any) -> int:
        """People (members) who went without an approval in the time before now."""
        return _people(
            Operation.objects.filter(
                tenant=self.tenant, approved=False, finished_at__gte=self.now - span, result__in=DONE, **conditions
            )
        )

    def _numbers(self, planned: int, limit: int, **conditions: Any) -> dict[str, int]:
        day, week = self._done_since(DAY, **conditions), self._done_since(WEEK, **conditions)
        return {"limit": limit, "planned": planned, "day": planned + day, "week": planned + week}

    def _people(self) -> None:
        which = {"object_type": "user", "action__in": PEOPLE_GO}
        planned = self._planned(**which)
        if not planned:
            return
        numbers = self._numbers(planned, self.people_limit(), **which)
        if numbers["week"] > numbers["limit"]:
            self._over(Hold.Kind.PEOPLE, self._todo(**which), numbers)

    def people_limit(self) -> int:
        gone = self._done_since(WEEK, object_type="user", action="disable")
        return self.limits.people(self.linked.filter(active=True).count() + gone)

    def _members(self) -> None:
        which = {"action": "remove_member"}
        planned = self._planned(**which)
        if not planned:
            return
        everybody = MembershipLink.objects.filter(tenant=self.tenant).count() + self._done_since(WEEK, **which)
        numbers = self._numbers(planned, self.limits.members(everybody), **which)
        if numbers["week"] > numbers["limit"]:
            self._over(Hold.Kind.MEMBERS, self._todo(**which), numbers)
            return
        for group_id in self._todo(**which).values_list("object_id", flat=True).distinct():
            self._members_of(group_id)

    def _members_of(self, group_id: str) -> None:
        which = {"action": "remove_member", "object_id": group_id}
        planned = self._planned(**which)
        size = MembershipLink.objects.filter(tenant=self.tenant, group__object_id=group_id).count()
        limit = self.limits.members_of(size + self._done_since(WEEK, **which))
        numbers = self._numbers(planned, limit, **which)
        if numbers["week"] > limit:
            self._over(Hold.Kind.MEMBERS, self._todo(**which), numbers)

    def _groups(self) -> None:
        """Account assignments hang on a group's id: its deletion always waits for a person."""
        deletions = self._todo(object_type="group", action="delete")
        if planned := deletions.count():
            self._over(Hold.Kind.GROUPS, deletions, {"limit": 0, "planned": planned})

    def _creates(self) -> None:
        """A scope mistake that brings everybody is an incident too. The first run is confirmed as a whole."""
        linked = self.linked.count()
        creates = self._unlisted(self._todo(action="create"))
        planned, limit = creates.count(), self.limits.creates(linked)
        if linked and planned > limit:
            self._over(Hold.Kind.CREATES, creates, {"limit": limit, "planned": planned})

    def _keys(self) -> None:
        moves = self._unlisted(self._todo(moves_key=True))
        planned, limit = moves.count(), self.limits.keys(self.linked.count())
        if planned > limit:
            self._over(Hold.Kind.KEYS, moves, {"limit": limit, "planned": planned})

    def _unlisted(self, operations: QuerySet[Operation]) -> QuerySet[Operation]:
        """Without what the confirmed preview listed."""
        if self.confirmed is None:
            return operations
        listed = Operation.objects.filter(
            run=self.confirmed, object_type=OuterRef("object_type"), object_id=OuterRef("object_id")
        ).filter(Q(action="create") | Q(moves_key=True))
        return operations.exclude(Exists(listed))

    def _hold(self, kind: str, operations: QuerySet[Operation], numbers: dict[str, int]) -> None:
        hold, _created = Hold.objects.get_or_create(
            tenant=self.tenant, kind=kind, closed_at=None, defaults={"run": self.run}
        )
        hold.facts = numbers
        hold.save(update_fields=["facts"])
        for rows in _batches(operations.order_by("pk")):
            changes = held_changes(hold, rows)
            self.held |= {(change.action, change.object_id, change.member_id) for change in changes}
            HeldChange.objects.bulk_create(changes, batch_size=500, ignore_conflicts=True)
        operations.update(result=Result.HELD, finished_at=self.now, problem=f"held-{kind}")

    def _forget_older(self) -> None:
        """The log shows a change that still waits once, under the newest run."""
        if not self.run.operations.filter(result=Result.HELD).exists():
            return
        same = self.run.operations.filter(
            result=Result.HELD, object_id=OuterRef("object_id"), action=OuterRef("action")
        )
        older = Operation.objects.filter(tenant=self.tenant, result=Result.HELD).exclude(run=self.run)
        older = older.exclude(run__in=Run.objects.drafted())
        older.filter(Exists(same)).delete()


def held_changes(hold: Hold, operations: Iterable[Operation]) -> list[HeldChange]:
    """One row per person or group; for a membership request one per member."""
    rows = list(operations)
    ids = {row.object_id for row in rows if row.object_type == "user"}
    ids |= {member for row in rows for member in row.changes.get("members", []) if row.object_type == "membership"}
    people = {user.object_id: user for user in DirectoryUser.objects.filter(tenant=hold.tenant, object_id__in=ids)}
    return [change for row in rows for change in _changes_of(hold, row, people)]


def _changes_of(hold: Hold, row: Operation, people: Mapping[str, DirectoryUser]) -> list[HeldChange]:
    facts = {"hold": hold, "tenant_id": hold.tenant_id, "action": row.action, "object_type": row.object_type}
    if row.object_type != "membership":
        cause = people[row.object_id].scope_reason if row.object_id in people else ""
        names = {"display_name": row.display_name, "detail_name": row.detail_name, "cause": cause}
        return [HeldChange(object_id=row.object_id, **names, **facts)]
    return [
        HeldChange(object_id=row.object_id, member_id=member, **_member_names(people.get(member), row), **facts)
        for member in row.changes["members"]
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
    gone = [change.pk for change in rows if (change.action, change.object_id, change.member_id) not in wanted]
    HeldChange.objects.filter(pk__in=gone).update(closed_at=timezone.now())
    close_empty_holds(tenant)


def close_done(run: Run) -> None:
    """What was approved and is done no longer waits."""
    done = run.operations.filter(approved=True).exclude(result__in=(Result.PLANNED, Result.SENT, *NOT_DONE))
    same = done.filter(object_id=OuterRef("object_id"), action=OuterRef("action"))
    now = timezone.now()
    changes = HeldChange.objects.open().filter(tenant=run.tenant)
    changes.filter(Exists(same), member_id="").update(closed_at=now)
    for operation in done.filter(action="remove_member"):
        members = operation.changes.get("members", [])
        changes.filter(object_id=operation.object_id, member_id__in=members).update(closed_at=now)
    close_empty_holds(run.tenant)


def _people(operations: QuerySet[Operation]) -> int:
    return int(operations.aggregate(n=Sum("people"))["n"] or 0)


def close_empty_holds(tenant: Tenant) -> None:
    open_changes = HeldChange.objects.open().filter(hold=OuterRef("pk"))
    Hold.objects.filter(~Exists(open_changes), tenant=tenant, closed_at=None).update(closed_at=timezone.now())


def waiting_counts(tenant: Tenant) -> dict[str, int]:
    """Undecided changes by kind of hold."""
    rows = HeldChange.objects.waiting().filter(tenant=tenant).values("hold__kind").annotate(n=Count("pk"))
    return {row["hold__kind"]: row["n"] for row in rows}


def _batches(operations: QuerySet[Operation], size: int = 500) -> Iterable[list[Operation]]:
    last = 0
    while rows := list(operations.filter(pk__gt=last)[:size]):
        yield rows
        last = rows[-1].pk
