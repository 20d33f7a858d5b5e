"""Where a pass leaves what it decides and reads what it decided before: a run's on the mirror and the links.

A rehearsal has notes of its own, beside them (sync/engine/rehearsal/stand_ins.py).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from sync.configuration.ruleset import Rules
from sync.db.batches import BATCH, chunks
from sync.engine.evaluation.batch import Batch
from sync.engine.evaluation.clashes import SHARED, Clashes
from sync.engine.evaluation.group_members import GroupMembers
from sync.engine.evaluation.mapper import Mapper
from sync.engine.evaluation.plan_store import PlanStore
from sync.engine.evaluation.taken_values import TakenValues, taken_by_kind
from sync.engine.guard.guard import Guard
from sync.engine.scope.deciding import ScopePass
from sync.engine.scope.nesting import groups_inside
from sync.engine.work import revisit_reports
from sync.models import DirectoryGroup, DirectoryUser, Link, ObjectType, Run, Snapshot, Tenant
from sync.runs import checkpoints
from sync.runs.lease import Watch
from sync.standings import services as standings

ObjectRow = DirectoryUser | DirectoryGroup


def kind_of(rows: Sequence[ObjectRow]) -> str:
    """Of ObjectType; groups out of scope come without their rows."""
    return ObjectType.USER if rows and isinstance(rows[0], DirectoryUser) else ObjectType.GROUP


NOT_REFUSED: dict[str, Any] = {
    "refused_code": "",
    "refused_attribute": "",
    "refused_words": "",
    "refused_since": None,
    "holder_name": "",
    "holder_id": "",
}


def forget_refusal(link: Link) -> None:
    for name, value in NOT_REFUSED.items():
        setattr(link, name, value)


class Notes(Protocol):
    """`plan`: the stored rows; `taken`: by object type, the values that others hold."""

    @property
    def plan(self) -> PlanStore: ...

    @property
    def taken(self) -> Mapping[str, TakenValues]: ...

    @property
    def still_wanted(self) -> set[tuple[str, str, str]]:
        """Held renamings of leavers that the plan still wants."""

    def decide_scope(self) -> dict[str, int]:
        """How many are in scope, and how many known people are not."""

    def know_scope(self, users: Sequence[DirectoryUser]) -> None:
        """Their rows say whether they are in scope."""

    def newcomers(self, object_type: str, rows: QuerySet[Any]) -> int:
        """How many of those in scope have no link yet."""

    def coming(self, ids: Collection[str]) -> set[str]:
        """Those of them whom this pass looks at and finds in scope."""

    def members(self, ids: Collection[str], links: Iterable[Link]) -> GroupMembers: ...

    def store(self, rows: Sequence[ObjectRow], batch: Batch, mapper: Mapper) -> None: ...

    def settle_clashes(self, object_type: str) -> None: ...

    def settle_held(self, object_type: str) -> None:
        """Once the guard has put changes on hold."""

    def forget_refusals(self, object_type: str, inside: QuerySet[Any, Any]) -> None:
        """Of everything but the objects `inside` scope: nothing is wanted of the rest."""

    def weigh(self, guard: Guard) -> None:
        """What the plan means for people."""

    def unchanged(self) -> int:
        """How many of those looked at and held by AWS stay as they are."""


def unlinked(tenant: Tenant, object_type: str, rows: QuerySet[Any]) -> int:
    """How many of the mirror's rows name nobody whom AWS holds."""
    linked = Link.objects.filter(tenant=tenant, object_type=object_type, object_id=OuterRef("object_id"))
    return rows.exclude(Exists(linked.exclude(scim_id=""))).count()


class LinkNotes:
    """Of an ordinary run: scope on the rows of the mirror, wanted values and verdicts on the links."""

    def __init__(self, run: Run, snapshot: Snapshot, rules: Rules, since: int, watch: Watch) -> None:
        self.run = run
        self.tenant = run.tenant
        self.scope = ScopePass(run.tenant, snapshot, rules, since, watch)
        self.plan = PlanStore(run)
        self.taken = taken_by_kind(run.tenant)
        # Of those looked at, how many AWS holds.
        self.in_aws = 0
        # Looked at only because they were refused before; refused before for a value that others have too.
        self.quiet: set[str] = set()
        self.contested: set[str] = set()
        self.still_wanted: set[tuple[str, str, str]] = set()

    def decide_scope(self) -> dict[str, int]:
        return self.scope.decide()

    def know_scope(self, users: Sequence[DirectoryUser]) -> None:
        """The scope pass wrote it there."""

    def newcomers(self, object_type: str, rows: QuerySet[Any]) -> int:
        return unlinked(self.tenant, object_type, rows.filter(in_scope=True) if object_type == "user" else rows)

    def coming(self, ids: Collection[str]) -> set[str]:
        return set(self.scope.looked_at.filter(object_id__in=ids, in_scope=True).values_list("object_id", flat=True))

    def members(self, ids: Collection[str], links: Iterable[Link]) -> GroupMembers:
        return GroupMembers(self.run, links, groups_inside(self.tenant, ids), self.scope.snapshot)

    def store(self, rows: Sequence[ObjectRow], batch: Batch, mapper: Mapper) -> None:
        freed = []
        for link in batch.passed():
            if link.refused_code in SHARED:
                self.contested.add(link.object_id)
            else:
                forget_refusal(link)
                freed.append(link.object_id)
        with transaction.atomic():
            batch.save_links(self.tenant)
            self.plan.add(batch.planned, mapper.sources, mapper.redacted)
            self.plan.refuse(batch.unlogged)
            if kind_of(rows) == "user" and freed:
                revisit_reports(self.tenant.pk, freed)
            standings.refresh(self.tenant.pk, kind_of(rows), self._moved(rows, batch))
        links = (batch.links.get(row.object_id) for row in rows)
        self.in_aws += sum(bool(link and link.scim_id) for link in links)
        self.quiet |= set(batch.quiet)
        checkpoints.passed("plan batch stored")

    def _moved(self, rows: Sequence[ObjectRow], batch: Batch) -> set[str]:
        """Object ids of whom a fact was stored since the last finished run, or about whom somebody decides."""
        changed = {row.object_id for row in rows if row.changed_snapshot > self.tenant.evaluated_snapshot}
        return changed | batch.changed | batch.decisions.object_ids

    def settle_clashes(self, object_type: str) -> None:
        clashes = self._clashes(object_type)
        refused = clashes.settle()
        self.still_wanted |= clashes.still_wanted
        links = Link.objects.filter(tenant=self.tenant, object_type=object_type)
        for part in chunks(sorted(self.contested - refused), BATCH):
            with transaction.atomic():
                links.filter(object_id__in=part, refused_code__in=SHARED).update(**NOT_REFUSED)
                standings.refresh(self.tenant.pk, object_type, part)
                if object_type == "user":
                    revisit_reports(self.tenant.pk, part)

    def settle_held(self, object_type: str) -> None:
        self._clashes(object_type).settle_held()

    def _clashes(self, object_type: str) -> Clashes:
        return Clashes(self.run, object_type, self.quiet, renames="update" in self.scope.rules.user_actions)

    def forget_refusals(self, object_type: str, inside: QuerySet[Any, Any]) -> None:
        links = Link.objects.filter(tenant=self.tenant, object_type=object_type).exclude(refused_code="")
        left = list(links.exclude(object_id__in=inside).values_list("object_id", flat=True))
        with transaction.atomic():
            links.filter(object_id__in=left).update(**NOT_REFUSED)
            standings.refresh(self.tenant.pk, object_type, left)

    def weigh(self, guard: Guard) -> None:
        """Only worked out for the preview of a draft."""

    def unchanged(self) -> int:
        rows = self.run.operations.filter(object_type__in=("user", "group")).exclude(link__scim_id="")
        # A group is deleted because it is not among those looked at any more.
        touched = rows.exclude(object_type="group", action="delete")
        return max(0, self.in_aws - touched.values("object_type", "object_id").distinct().count())
