"""The journal of a run: intents and results committed in groups. The only writer while a run exports.

Each turn is one transaction under the lease's epoch: what finished is recorded with its links, what comes next is
intended. Rows are written by a few statements per turn, however many they are.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Min, Q
from django.utils import timezone

from sync.configuration.ruleset import redacted_units
from sync.engine.evaluation.judgement import NO_MANAGER
from sync.engine.export import settling
from sync.engine.export.requests import external_id, know, patch_body, present_members
from sync.engine.export.sending import Outcome, Request, TooManyFailures
from sync.engine.export.settling import Member, Settled
from sync.engine.guard import recheck
from sync.models import Link, Operation, Result, Run
from sync.models.run import FOLLOWED
from sync.rules.changes import MANAGER, Stage
from sync.runs.checkpoints import passed
from sync.runs.lease import Lease
from sync.runs.phases import PhaseLog
from sync.scim import resource
from sync.scim.errors import AwsDown, Forbidden, Unauthorised
from sync.scim.never_touch import NeverTouch

# Plan rows read at once, and how often the run's page learns of progress.
READ_AHEAD = 200
SHOW_SECONDS = 0.5
# A run whose writes fail more often than this is stopped; a few failures are no share of anything.
FAILED_SHARE = 0.4
FEWEST, MOST = 5, 20


@dataclass(slots=True)
class Flying:
    """An operation whose intent is committed, and the people whom its request names."""

    operation: Operation
    members: dict[str, Member] = field(default_factory=dict)


class Journal:
    """One per run; `begin` opens a stage (see sync/exporting.Journal)."""

    def __init__(
        self, run: Run, lease: Lease, phases: PhaseLog, never_touch: NeverTouch, clock: Callable[[], float]
    ) -> None:
        self.run = run
        self.lease = lease
        self.phases = phases
        # The client's own, which sees resources that are read; of links it learns here.
        self.never_touch = never_touch
        self.clock = clock
        self.redacted = redacted_units(run.tenant)
        self.stage = self.wave = 0
        self.queue: deque[Operation] = deque()
        self.flying: dict[int, Flying] = {}
        # Of what is in flight, by primary key: while a run writes, nobody else changes what these rows say of AWS.
        self.links: dict[int, Link] = {}
        # Links that failed in this run: a later success of another request does not end their wait.
        self.failed_links: set[int] = set()
        self.full: set[str] = set()
        # Entra ids of whom this run created: their managers follow, and count no second time.
        self.created: set[str] = set()
        self.done = self.failed = 0
        self.shown_at = 0.0
        self.exhausted = False

    def begin(self, stage: int) -> "Journal":
        self.stage = stage
        self.wave = self._next_wave()
        self.queue.clear()
        return self

    def read_again(self) -> None:
        """Forgets what was read ahead: something asked on demand may have taken its place in the plan."""
        self.queue.clear()

    def turn(self, outcomes: Sequence[Outcome], room: int) -> Sequence[Request]:
        # A turn may fail after its commit; what it recorded comes once more, with what landed since.
        outcomes = [outcome for outcome in outcomes if outcome.operation_id in self.flying]
        with transaction.atomic():
            self.lease.renew()
            if outcomes:
                self._record(outcomes)
            landed = {outcome.operation_id for outcome in outcomes}
            begun = self._intend(room, landed) if room > 0 and not self._hopeless else []
        # After the commit: what a rolled back turn landed is recorded again, and what was not sent may begin again.
        for key in landed:
            self.flying.pop(key, None)
        self.flying |= {request.operation_id: row for request, row in begun}
        requests = [request for request, _row in begun]
        if outcomes:
            passed("result committed")
        if requests:
            passed("intent committed")
        self._show()
        return requests

    def check(self) -> None:
        """Raises TooManyFailures."""
        if self._hopeless:
            raise TooManyFailures(self.failed, self.done)

    def _show(self) -> None:
        now = self.clock()
        if now - self.shown_at >= SHOW_SECONDS:
            self.shown_at = now
            self.phases.save()

    @property
    def _hopeless(self) -> bool:
        enough = max(FEWEST, min(MOST, self.run.planned // 10))
        return self.done >= enough and self.failed > FAILED_SHARE * self.done

    # Results

    def _record(self, outcomes: Sequence[Outcome]) -> None:
        rows = [self.flying[outcome.operation_id] for outcome in outcomes]
        settled = Settled(self.run.tenant_id, self.links, self.redacted)
        for outcome, row in zip(outcomes, rows, strict=True):
            self._record_one(settled, outcome, row)
        settled.save()

    def _record_one(self, settled: Settled, outcome: Outcome, row: Flying) -> None:
        operation = row.operation
        if outcome.unsent or isinstance(outcome.error, AwsDown):
            self._put_back(settled, operation)
        elif isinstance(outcome.error, Unauthorised | Forbidden):
            self._refused(settled, operation, outcome)
        elif outcome.error is not None:
            settled.fail(operation, outcome.error, timezone.now())
            self._note_failure(settled, operation, outcome)
        else:
            keep = settled.link_of(operation).pk in self.failed_links
            settled.succeed(operation, outcome.written, row.members, timezone.now(), keep_escrow=keep)
            self._count(operation)
            self.done += operation.object_type != "membership"

    def _put_back(self, settled: Settled, operation: Operation) -> None:
        """Nothing was sent: the operation waits on, as if nobody had begun it."""
        operation.result, operation.sent_at, operation.epoch = Result.PLANNED, None, 0
        settled.operations.append(operation)
        self.queue.appendleft(operation)

    def _refused(self, settled: Settled, operation: Operation, outcome: Outcome) -> None:
        """The token is at fault, not the object: one line in the log says so, the others stay unsent."""
        if self.run.counts.get(Result.FAILED) and "token" in self.full:
            self._put_back(settled, operation)
            return
        self.full.add("token")
        assert outcome.error is not None
        settled.describe_failure(operation, outcome.error, timezone.now())
        self._count(operation)

    def _note_failure(self, settled: Settled, operation: Operation, outcome: Outcome) -> None:
        self._count(operation)
        self.failed_links.add(settled.link_of(operation).pk)
        if operation.problem == settling.QUOTA:
            # No fault of the objects: further creates wait, and are no reason to stop the run.
            self.full.add(operation.object_type)
        elif operation.object_type != "membership":
            self.done += 1
            self.failed += operation.result == Result.FAILED

    def _count(self, operation: Operation) -> None:
        """As sync/runs/results.py counts in the end."""
        if operation.result == Result.CREATED:
            self.created.add(operation.object_id)
        elif operation.stage == Stage.MANAGERS and operation.result in FOLLOWED and operation.object_id in self.created:
            return
        self.run.counts[operation.result] = self.run.counts.get(operation.result, 0) + 1

    # Intents

    def _intend(self, room: int, landed: set[int]) -> list[tuple[Request, Flying]]:
        operations = self._take(room, landed)
        if not operations:
            return []
        recheck.recheck(self.run.tenant_id, operations)
        self._load_links(operations)
        settled = Settled(self.run.tenant_id, self.links)
        members = self._members_of(operations)
        now, not_after = timezone.now(), self.clock() + self.lease.seconds
        begun, plain = [], []
        for operation in operations:
            request = self._begin(settled, operation, members, not_after)
            if request is None:
                settled.operations.append(operation)
                continue
            operation.result, operation.epoch, operation.sent_at = Result.SENT, self.lease.epoch, now
            named = [key for key in operation.member_ids if key in members]
            begun.append((request, Flying(operation, {key: members[key] for key in named})))
            plain.append(operation.pk)
        Operation.objects.filter(pk__in=plain).update(result=Result.SENT, epoch=self.lease.epoch, sent_at=now)
        settled.save()
        return begun

    def _load_links(self, operations: Sequence[Operation]) -> None:
        busy = {row.operation.link_id for row in self.flying.values()}
        self.links = {pk: link for pk, link in self.links.items() if pk in busy}
        new = [operation for operation in operations if operation.link_id not in self.links]
        self.links |= settling.links_of(new)

    def _take(self, room: int, landed: set[int]) -> list[Operation]:
        """The next operations of the wave; the next wave begins when everything before it has landed."""
        if not self.queue:
            self._refill()
        if not self.queue and not self.flying.keys() - landed:
            self.wave = self._next_wave()
            self._refill()
        self.exhausted = not self.queue
        return [self.queue.popleft() for _ in range(min(room, len(self.queue)))]

    def _planned(self) -> "Q":
        return Q(result=Result.PLANNED, stage=self.stage)

    def _next_wave(self) -> int:
        return self.run.operations.filter(self._planned()).aggregate(first=Min("wave"))["first"] or 0

    def _refill(self) -> None:
        self.queue.extend(self.run.operations.filter(self._planned(), wave=self.wave).order_by("pk")[:READ_AHEAD])

    def _members_of(self, operations: Iterable[Operation]) -> dict[str, Member]:
        """The people whom these requests name and whom AWS holds, by Entra id."""
        wanted: set[str] = set()
        for operation in operations:
            wanted.update(operation.member_ids)
            if manager := operation.desired.get(MANAGER):
                wanted.add(manager["value"])
        return settling.members(self.run.tenant_id, wanted) if wanted else {}

    def _begin(
        self, settled: Settled, operation: Operation, members: dict[str, Member], not_after: float
    ) -> Request | None:
        """None when there is nothing to send; the operation then says why."""
        link = settled.link_of(operation)
        operation.scim_id = operation.scim_id or link.scim_id
        if operation.result == Result.HELD:
            self._count(operation)
            return None
        know(self.never_touch, operation, link)
        if operation.action == "create":
            return self._create(settled, operation, members, not_after)
        if not operation.scim_id:
            # The object itself was refused in an earlier stage: its managers and members wait for the next run.
            return self._skip(settled, operation, "waits-for-object")
        if operation.action in ("add_member", "remove_member"):
            return self._members(settled, operation, link, members, not_after)
        if operation.action == "delete":
            kind = "delete_user" if operation.object_type == "user" else "delete_group"
            return Request(operation.pk, kind, operation.scim_id, not_after=not_after)  # type: ignore[arg-type]
        return self._patch(settled, operation, link, members, not_after)

    def _create(
        self, settled: Settled, operation: Operation, members: dict[str, Member], not_after: float
    ) -> Request | None:
        if operation.object_type in self.full:
            return self._skip(settled, operation, settling.QUOTA)
        if operation.object_type == "user":
            body = resource.user_body(operation.desired)
            return Request(operation.pk, "create_user", body=body, not_after=not_after)
        body = resource.group_body(operation.desired)
        if present := present_members(operation, members):
            body["members"] = [{"value": scim_id, "type": "User"} for scim_id in present]
        return Request(operation.pk, "create_group", body=body, not_after=not_after)

    def _patch(
        self, settled: Settled, operation: Operation, link: Link, members: dict[str, Member], not_after: float
    ) -> Request | None:
        after = {unit: operation.desired.get(unit) for unit in operation.changes}
        if wanted := after.get(MANAGER):
            manager = members.get(wanted["value"])
            if manager is None:
                return self._skip(settled, operation, NO_MANAGER)
            after[MANAGER] = {"value": manager.scim_id}
        operations = patch_body(operation, after)
        if not operations:
            return Request(operation.pk, "nothing")
        kind = "patch_user" if link.object_type == "user" else "patch_group"
        return Request(operation.pk, kind, operation.scim_id, operations, not_after, external_id(link))  # type: ignore[arg-type]

    def _members(
        self, settled: Settled, operation: Operation, link: Link, members: dict[str, Member], not_after: float
    ) -> Request | None:
        present = present_members(operation, members)
        if not present:
            return self._skip(settled, operation, "waits-for-object")
        if operation.action == "add_member":
            return Request(operation.pk, "add_members", operation.scim_id, present, not_after, external_id(link))
        settled.doubt(operation, members)
        return Request(operation.pk, "remove_members", operation.scim_id, present, not_after)

    def _skip(self, settled: Settled, operation: Operation, problem: str) -> Request | None:
        settled.skip(operation, problem, timezone.now())
        self.failed_links.add(settled.link_of(operation).pk)
        self._count(operation)
        return None
