"""Unique values within a plan: who takes one that another frees, and who may not have it. Found by indexed columns.

AWS refuses a value that another object holds (Developer Guide, ConflictException), so whoever frees one goes first, in a
wave of its own. A ring of such moves is opened by a temporary value. Whatever cannot be ordered is a conflict that
holds that object alone.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from sync.engine.evaluation.decisions import Decisions
from sync.engine.evaluation.plan_store import NOBODY, REFUSED_FIELDS, Refusal
from sync.engine.work import note_pending
from sync.models import DirectoryGroup, DirectoryUser, Link, Operation, Result, Run
from sync.rules import changes
from sync.rules.changes import Stage
from sync.rules.matching import holder_in_words, name_of
from sync.runs.log_rows import store
from sync.standings import services as standings

SAME, WAITS = "same-value", "waits-for-object"
# Who holds the value is gone or out of scope: perhaps the same person or group, made anew in Entra.
BY_LEAVER = {"user": "taken-by-leaver", "group": "group-made-anew"}
# Codes of what only the plan as a whole can tell.
SHARED = (SAME, WAITS, *BY_LEAVER.values())
KINDS = {"user": ("name", "email", "external"), "group": ("name", "external")}
UNITS = {
    "user": {"name": "userName", "email": "emails", "external": "externalId"},
    "group": {"name": "displayName", "external": "externalId"},
}


class Clashes:
    """Orders one object type's creates and key changes of a run. The values stand on the links; objects are told apart
    by their Entra ids."""

    def __init__(self, run: Run, object_type: str, quiet: Collection[str] = (), *, renames: bool = True) -> None:
        """`quiet`: object ids of which the log need not say again what it said before. `renames`: whether the target
        actions let a leaver be renamed, where the tenant frees names at all."""
        self.run = run
        self.quiet = quiet
        self.tenant = run.tenant
        self.frees_names = run.tenant.free_names and renames
        self.object_type = object_type
        self.stage = Stage.PEOPLE if object_type == "user" else Stage.GROUPS
        self.known = Link.objects.filter(tenant=run.tenant, object_type=object_type)
        self.links = self._links()
        self.refused: set[str] = set()
        self.moved: set[str] = set()
        # Held changes that the plan still wants, whatever was decided about them.
        self.still_wanted: set[tuple[str, str, str]] = set()

    def _links(self) -> QuerySet[Any]:
        return self.known

    def settle(self) -> set[str]:
        """Object ids of those who are refused."""
        if not self._movers().exists():
            return self.refused
        for kind in KINDS[self.object_type]:
            self._refuse_shared(kind)
        refused = -1
        while refused != len(self.refused):
            # Whoever waited for somebody who is refused is refused too.
            refused = len(self.refused)
            waits_for = self._dependencies()
        self._order(waits_for)
        return self.refused

    def _movers(self) -> QuerySet[Operation]:
        """What takes a unique value and is still to be done: creates, links, and updates of a key, also of one that may be
        another in AWS already since an answer got lost."""
        todo = self.run.operations.filter(result=Result.PLANNED, object_type=self.object_type, stage=self.stage)
        return todo.filter(Q(action="link") | Q(moves_key=True) | ~Q(wanted_keys=""))

    def _moving(self) -> Exists:
        return Exists(self._movers().filter(object_id=OuterRef("object_id")))

    def _refuse_shared(self, kind: str) -> None:
        """Two sources for one value: whoever has it keeps it, else nobody gets it."""
        wanted, held = f"wanted_{kind}", f"held_{kind}"
        values = self.links.exclude(**{wanted: ""}).values(wanted).annotate(n=Count("pk"))
        shared = values.filter(n__gt=1).values_list(wanted, flat=True)
        losers = self.links.filter(**{f"{wanted}__in": shared}).exclude(**{held: F(wanted)})
        for link in losers.filter(self._moving()) if shared.exists() else []:
            other = self.links.filter(**{wanted: getattr(link, wanted)}).exclude(pk=link.pk).first()
            self._refuse(link.object_id, SAME, kind, other)

    def _dependencies(self) -> dict[str, set[str]]:
        """Objects whose wanted value another one holds: {who waits: {for whom}}. Without an order: a conflict."""
        waits_for: dict[str, set[str]] = defaultdict(set)
        for kind in KINDS[self.object_type]:
            for link, holder in self._waiting(kind):
                if self._frees(holder, kind):
                    waits_for[link.object_id].add(holder.object_id)
                else:
                    self._refuse(link.object_id, SAME if holder.wanted_name else self._by_leaver, kind, holder)
        return {key: value for key, value in waits_for.items() if self._movers().filter(object_id=key).exists()}

    def _waiting(self, kind: str) -> Iterator[tuple[Any, Any]]:
        """Links of objects that are to get a value, each with the link of whom AWS holds with it."""
        wanted, held = f"wanted_{kind}", f"held_{kind}"
        if not self.links.exclude(**{held: ""}).exists():
            return
        holders = self.links.filter(**{held: OuterRef(wanted)}).exclude(pk=OuterRef("pk")).exclude(scim_id="")
        movers = self.links.exclude(**{wanted: ""}).exclude(**{held: F(wanted)})
        for link in movers.filter(self._moving(), Exists(holders)):
            for holder in self.links.filter(**{held: getattr(link, wanted)}).exclude(pk=link.pk).exclude(scim_id=""):
                yield link, holder

    @property
    def _by_leaver(self) -> str:
        return BY_LEAVER[self.object_type]

    def _frees(self, holder: Any, kind: str) -> bool:
        """Whether the plan takes the value away from its holder; a leaver gives up names where the tenant says so."""
        if holder.wanted_name:
            moves = getattr(holder, f"wanted_{kind}") != getattr(holder, f"held_{kind}")
            return moves and self._movers().filter(object_id=holder.object_id).exists()
        # A group that is renamed away and made anew would lose its account assignments (ssosync#291).
        if not self.frees_names or kind == "external" or self.object_type == "group":
            return False
        decision = self._decision(holder.object_id)
        if decision == "kept" or not self._is_disabled(holder.object_id):
            return False
        self._move_away(holder.object_id, counted=True, approved=decision == "approved")
        return True

    def _decision(self, object_id: str) -> str:
        """What a person said to the renaming of a leaver; where it waits the guard looks at it again."""
        decision = Decisions(self.tenant, [object_id]).of("update", object_id)
        if decision:
            self.still_wanted.add(("update", object_id, ""))
        return decision

    def _is_disabled(self, object_id: str) -> bool:
        """A leaver is in AWS already, or by this plan: not whose disabling is held, kept, or left to nobody."""
        going = self.run.operations.filter(result=Result.PLANNED, object_id=object_id, action__in=("disable", "delete"))
        return self.known.filter(object_id=object_id, active=False).exists() or going.exists()

    def settle_held(self) -> None:
        """After the guard: names of leavers whose disabling it holds stay theirs, and whoever waits for a value that
        stays with its holder is refused."""
        if not self.run.operations.filter(result=Result.HELD).exists():
            return
        for operation in self._movers().filter(action="update", link__wanted_name=""):
            if not self._is_disabled(operation.object_id):
                self._take_back(operation)
        refused = -1
        while refused != len(self.refused):
            refused = len(self.refused)
            for kind in KINDS[self.object_type]:
                self._refuse_waiting(kind)

    @transaction.atomic
    def _take_back(self, operation: Operation) -> None:
        operation.delete()
        link = self.known.filter(object_id=operation.object_id)
        note_pending(self.run.pk, link)
        standings.refresh_links(link)

    def _refuse_waiting(self, kind: str) -> None:
        for link, holder in list(self._waiting(kind)):
            if not self._movers().filter(object_id=holder.object_id).exists():
                self._refuse(link.object_id, WAITS if holder.wanted_name else self._by_leaver, kind, holder)

    def _refuse(self, object_id: str, code: str, kind: str, other: Any) -> None:
        self.refused.add(object_id)
        unit = UNITS[self.object_type][kind]
        holder = self.known.filter(object_id=other.object_id).first() if other else None
        if code == self._by_leaver and holder is not None:
            self._note_successor(object_id, unit, holder)
        name, key = self._holder(holder)
        words = holder_in_words(name, key) if holder is not None and holder.scim_id else name
        refusal = Refusal(code, unit, words, skipped=code == WAITS, holder=(name[:1024], key))
        rows = self._movers().filter(object_id=object_id)
        if self._note(object_id, refusal) and object_id in self.quiet:
            rows.delete()
            return
        rows.update(
            result=refusal.result, problem=code, attribute=unit, error=refusal.error, finished_at=timezone.now()
        )

    def _note(self, object_id: str, refusal: Refusal) -> bool:
        """On the link; whether the same was the matter before."""
        link = self.known.get(object_id=object_id)
        before = refusal.stands_on(link)
        refusal.note_on(link, timezone.now())
        with transaction.atomic():
            link.save(update_fields=REFUSED_FIELDS)
            standings.refresh_links([link])
        return before

    def _holder(self, holder: Link | None) -> tuple[str, str]:
        """Name and id as AWS has them; of what AWS does not hold as Entra does."""
        if holder is None:
            return NOBODY
        if holder.scim_id:
            return name_of(holder.written), holder.scim_id
        model: type[DirectoryUser | DirectoryGroup] = DirectoryUser if self.object_type == "user" else DirectoryGroup
        row = model.objects.filter(tenant=self.tenant, object_id=holder.object_id).first()
        return str(row or holder.object_id), holder.object_id

    def _note_successor(self, object_id: str, unit: str, holder: Link) -> None:
        """It waits for a person: it may be the same one, made anew in Entra."""
        self.links.filter(object_id=object_id).update(
            match_code="successor",
            match_attribute=unit,
            match_scim_id=holder.scim_id,
            match_name=name_of(holder.written),
            match_at=timezone.now(),
        )

    def _order(self, waits_for: Mapping[str, set[str]]) -> None:
        """Waves by how long a chain is before somebody; a ring loses one of its waits to a temporary value."""
        waves: dict[str, int] = {}
        open_waits = {key: set(value) for key, value in waits_for.items()}
        everybody = set(open_waits) | {holder for holders in open_waits.values() for holder in holders}
        while todo := everybody - waves.keys():
            ready = [key for key in todo if open_waits.get(key, set()) <= waves.keys()]
            if not ready:
                opener = min(_ring(open_waits, todo))
                self._move_away(opener)
                for waiting in open_waits.values():
                    waiting.discard(opener)
                continue
            for key in ready:
                waves[key] = 1 + max((waves[holder] for holder in open_waits.get(key, ())), default=0)
        for key, wave in waves.items():
            self._movers().filter(object_id=key, wave=0).update(wave=wave)

    def _move_away(self, object_id: str, *, counted: bool = False, approved: bool = False) -> None:
        """A first request that gives the holder temporary values, before anybody waits for them. `counted`: under the
        limit of changed names; a move that is taken back in the same plan is not."""
        if object_id in self.moved:
            return
        self.moved.add(object_id)
        holder = self.known.get(object_id=object_id)
        temporary = temporary_units(self.object_type, holder)
        known = changes.Known(holder.scim_id, holder.written)
        row = Operation(
            run=self.run,
            tenant_id=self.run.tenant_id,
            link=holder,
            stage=self.stage,
            wave=0,
            object_type=self.object_type,
            object_id=holder.object_id,
            display_name=str(holder.written.get("displayName") or "")[:256],
            detail_name=str(holder.written.get("userName") or "")[:256],
            scim_id=holder.scim_id,
            action="update",
            changes=changes.before_after(known.written, temporary),
            desired=temporary,
            moves_key=counted,
            approved=approved,
        )
        store([row])


def temporary_units(object_type: str, holder: Link) -> dict[str, Any]:
    """Unique by the Entra object id, and plain to whoever reads it in AWS."""
    mark = f"moved-{holder.object_id}"
    if object_type == "group":
        return {"displayName": mark}
    units: dict[str, Any] = {"userName": mark}
    if emails := holder.written.get("emails"):
        domain = str(emails[0].get("value", "")).rpartition("@")[2] or "invalid"
        units["emails"] = [emails[0] | {"value": f"{mark}@{domain}"}]
    return units


def _ring(waits: Mapping[str, set[str]], among: Iterable[str]) -> set[str]:
    """The objects of one ring among those that wait for each other."""
    members = set(among)
    at = min(members)
    seen: list[str] = []
    while at not in seen:
        seen.append(at)
        at = min(waits[at] & members)
    return set(seen[seen.index(at) :])
