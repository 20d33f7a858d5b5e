"""The guard: limits on the whole plan, counted in SQL after its last row is stored and before anything is written.

What goes over a limit is held for a person, by name; everything else goes on. The limits bind each plan and what was
removed in the last day and week together, so that a slow drip is noticed too.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from sync.engine.guard.authors import authors_of_new_directory, authors_of_new_rules
from sync.engine.guard.holds import held_changes
from sync.engine.guard.plan import Alike, Which, alike
from sync.engine.work import note_pending
from sync.models import (
    Configuration,
    HeldChange,
    Hold,
    Link,
    MembershipLink,
    Operation,
    Result,
    Run,
    Tenant,
)
from sync.models.run import IN_LOG, NO_UPDATE
from sync.rules.limits import Limits
from sync.standings import services as standings

DAY, WEEK = datetime.timedelta(days=1), datetime.timedelta(days=7)
DONE = (Result.DISABLED, Result.DELETED, Result.REMOVED)
# What a limit is set on.
PEOPLE_GO: Which = {"object_type": ("user",), "action": ("disable", "delete")}
PEOPLE_DISABLED: Which = {"object_type": ("user",), "action": ("disable",)}
MEMBERS_GO: Which = {"action": ("remove_member",)}
GROUPS_GO: Which = {"object_type": ("group",), "action": ("delete",)}
CREATES: Which = {"action": ("create",)}
KEYS_MOVE: Which = {"moves_key": (True,)}


def sql(which: Which) -> Q:
    return Q(**{f"{name}__in": values for name, values in which.items()})


@dataclass(frozen=True, slots=True)
class PeopleLimit:
    """`holds`: people active in AWS because of us, with those who were disabled within a week; `limit`: how many of them
    may go within a week without an approval; `gone`: who went so."""

    holds: int
    limit: int
    gone: int


def people_limit(tenant: Tenant, now: datetime.datetime) -> PeopleLimit:
    start = now - WEEK
    active = linked_people(tenant).filter(active=True).count()
    holds = active + done_since(tenant, start, PEOPLE_DISABLED)
    return PeopleLimit(holds, Limits.of(tenant.limits).people(holds), done_since(tenant, start, PEOPLE_GO))


def linked_people(tenant: Tenant) -> QuerySet[Link]:
    return Link.objects.filter(tenant=tenant, object_type="user").exclude(scim_id="")


def done_since(tenant: Tenant, start: datetime.datetime, which: Which) -> int:
    """People (members) who went without an approval."""
    gone = Operation.objects.filter(IN_LOG, NO_UPDATE, sql(which), tenant=tenant, approved=False)
    return _people(gone.filter(result__in=DONE, finished_at__gte=start).since(start))


class Guard:
    """Holds what goes over a limit in the plan of one run. `confirmed`: the preview whose creates and key changes
    somebody has said yes to; None when there is none. `configuration`: what the run follows; `counted`: its plan, where it is
    counted already."""

    def __init__(
        self,
        run: Run,
        confirmed: Run | None,
        configuration: Configuration | None = None,
        counted: Sequence[Alike] | None = None,
    ) -> None:
        self.run = run
        self.tenant = run.tenant
        self.limits = Limits.of(run.tenant.limits)
        self.confirmed = confirmed
        self.configuration = configuration
        self.now = timezone.now()
        # What this plan puts on hold: (action, object id, member id).
        self.held: set[tuple[str, str, str]] = set()
        self.counted = counted
        self.plan: list[Alike] = []
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
        self._count()
        self._people()
        self._members()
        self._groups()
        if not self.run.confirmed:
            self._creates()
            self._keys()
        return {"held": sum(_people(operations) for _kind, operations, _numbers in self.over)}

    @cached_property
    def people_linked(self) -> int:
        return linked_people(self.tenant).count()

    def _count(self) -> None:
        """Once for all limits."""
        counted = alike(self.run) if self.counted is None else self.counted
        self.plan = [one for one in counted if one.result == Result.HELD or not one.approved]

    def _over(self, kind: str, operations: QuerySet[Operation], numbers: dict[str, int]) -> None:
        self.over.append((kind, operations, numbers))

    def _alike(self, which: Which) -> list[Alike]:
        return [one for one in self.plan if one.result == Result.PLANNED and one.are(which)]

    def _todo(self, which: Which) -> QuerySet[Operation]:
        return self.run.operations.filter(sql(which), result=Result.PLANNED, approved=False)

    def _planned(self, which: Which) -> int:
        """People (members) concerned, those included who wait already."""
        return sum(one.people for one in self.plan if one.are(which))

    def _done_since(self, span: datetime.timedelta, which: Which) -> int:
        return done_since(self.tenant, self.now - span, which)

    def _numbers(self, planned: int, limit: int, which: Which) -> dict[str, int]:
        day, week = self._done_since(DAY, which), self._done_since(WEEK, which)
        return {"limit": limit, "planned": planned, "day": planned + day, "week": planned + week}

    def _people(self) -> None:
        planned = self._planned(PEOPLE_GO)
        if not planned:
            return
        numbers = self._numbers(planned, self.people_limit(), PEOPLE_GO)
        if numbers["week"] > numbers["limit"]:
            self._over(Hold.Kind.PEOPLE, self._todo(PEOPLE_GO), numbers)

    def people_limit(self) -> int:
        return people_limit(self.tenant, self.now).limit

    def _members(self) -> None:
        planned = self._planned(MEMBERS_GO)
        if not planned:
            return
        everybody = MembershipLink.objects.filter(tenant=self.tenant).count() + self._done_since(WEEK, MEMBERS_GO)
        numbers = self._numbers(planned, self.limits.members(everybody), MEMBERS_GO)
        if numbers["week"] > numbers["limit"]:
            self._over(Hold.Kind.MEMBERS, self._todo(MEMBERS_GO), numbers)
            return
        for group_id in self._todo(MEMBERS_GO).values_list("object_id", flat=True).distinct():
            self._members_of(group_id)

    def _members_of(self, group_id: str) -> None:
        which = {**MEMBERS_GO, "object_id": (group_id,)}
        planned = _people(self._todo(which)) + _people(self.run.operations.filter(sql(which), result=Result.HELD))
        size = MembershipLink.objects.filter(tenant=self.tenant, group__object_id=group_id).count()
        limit = self.limits.members_of(size + self._done_since(WEEK, which))
        numbers = self._numbers(planned, limit, which)
        if numbers["week"] > limit:
            self._over(Hold.Kind.MEMBERS, self._todo(which), numbers)

    def _groups(self) -> None:
        """Account assignments hang on a group's id: its deletion always waits for a person."""
        if planned := sum(one.rows for one in self._alike(GROUPS_GO)):
            self._over(Hold.Kind.GROUPS, self._todo(GROUPS_GO), {"limit": 0, "planned": planned})

    def _creates(self) -> None:
        """A scope mistake that brings everybody is an incident too. The first run is confirmed as a whole."""
        if self.people_linked:
            self._unlisted_over(Hold.Kind.CREATES, CREATES, self.limits.creates(self.people_linked))

    def _keys(self) -> None:
        self._unlisted_over(Hold.Kind.KEYS, KEYS_MOVE, self.limits.keys(self.people_linked))

    def _unlisted_over(self, kind: str, which: Which, limit: int) -> None:
        if sum(one.rows for one in self._alike(which) if not self._lists(one)) <= limit:
            return
        operations = self._unlisted(self._todo(which))
        if (planned := operations.count()) > limit:
            self._over(kind, operations, {"limit": limit, "planned": planned})

    def _lists(self, rows: Alike) -> bool:
        """A preview lists its own rows, as `_unlisted` finds them."""
        return rows.keyed and self.confirmed == self.run

    def _unlisted(self, operations: QuerySet[Operation]) -> QuerySet[Operation]:
        """Without what the confirmed preview listed: the same action with the same unique values."""
        if self.confirmed is None:
            return operations
        listed = self.confirmed.operations.filter(
            object_type=OuterRef("object_type"),
            object_id=OuterRef("object_id"),
            action=OuterRef("action"),
            wanted_keys=OuterRef("wanted_keys"),
        )
        return operations.exclude(~Q(wanted_keys="") & Exists(listed))

    def _hold(self, kind: str, operations: QuerySet[Operation], numbers: dict[str, int]) -> None:
        hold, _created = Hold.objects.get_or_create(
            tenant=self.tenant, kind=kind, closed_at=None, defaults={"run": self.run}
        )
        hold.facts = numbers
        hold.save(update_fields=["facts"])
        authors, movers = authors_of_new_rules(self.run, self.configuration), authors_of_new_directory(self.run)
        for rows in _batches(operations.order_by("pk")):
            changes = held_changes(hold, rows, authors, movers)
            self.held |= {(change.action, change.object_id, change.member_id) for change in changes}
            self._hold_batch(kind, rows, changes)

    @transaction.atomic
    def _hold_batch(self, kind: str, rows: Sequence[Operation], changes: Sequence[HeldChange]) -> None:
        HeldChange.objects.bulk_create(changes, batch_size=500, ignore_conflicts=True)
        held = Operation.objects.filter(pk__in=[row.pk for row in rows])
        held.update(result=Result.HELD, finished_at=self.now, problem=f"held-{kind}")
        links = Link.objects.filter(pk__in=[row.link_id for row in rows])
        note_pending(self.run.pk, links)
        standings.refresh_links(links)

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


def _people(operations: QuerySet[Operation]) -> int:
    return int(operations.aggregate(n=Sum("people"))["n"] or 0)


def _batches(operations: QuerySet[Operation], size: int = 500) -> Iterable[list[Operation]]:
    last = 0
    while rows := list(operations.filter(pk__gt=last)[:size]):
        yield rows
        last = rows[-1].pk
