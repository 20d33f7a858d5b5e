"""Memberships of the mirror: noted as rounds tell them, let go only when that is certain.

While a round lasts a membership that goes is only marked (`seen_snapshot` 0). At the end all that is marked, and after
a full round all that was not seen, is let go; where a group loses many, Graph is asked for its members once more.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import structlog
from django.db.models import Count, Q, QuerySet

from sync.db.batches import chunks
from sync.db.bulk import insert_values
from sync.engine.reading.ahead import fetched
from sync.engine.work import touch
from sync.graph.client import GraphClient
from sync.graph.errors import BadAnswer, GraphError
from sync.models import (
    Assignment,
    DirectoryGroup,
    DirectoryMembership,
    DirectoryUser,
    Inclusion,
    Snapshot,
)
from sync.rules.limits import Limits
from sync.runs.lease import Watch

log = structlog.get_logger(__name__)

Item = dict[str, Any]
Pair = tuple[str, str]
# By group: the members that Graph tells when asked for this group alone; None when it could not say.
Proofs = Mapping[str, frozenset[str] | None]
AT_ONCE = 2000
# Fewer may go without a second look.
FEW = 3


def note(snapshot: Snapshot, items: Sequence[Item]) -> None:
    """Portions of one group's members may come over several items and pages; the last word per member counts."""
    last: dict[Pair, Item] = {}
    for item in items:
        for entry in item.get("members@delta") or []:
            last[item["id"], entry["id"]] = entry
    for part in chunks(last.items(), AT_ONCE):
        _note(snapshot, dict(part))


def apply_members(snapshot: Snapshot, group_id: str, entries: Iterable[Item]) -> None:
    """What was read of one group, with removals that hold at once."""
    reported = list(entries)
    note(snapshot, [{"id": group_id, "members@delta": reported}])
    gone = [entry["id"] for entry in reported if "@removed" in entry]
    let_go(snapshot, _rows(snapshot).filter(group_id=group_id, member_id__in=gone, seen_snapshot=0))


def _note(snapshot: Snapshot, entries: dict[Pair, Item]) -> None:
    rows = _rows(snapshot).filter(
        group_id__in={group_id for group_id, _member in entries}, member_id__in={member for _group, member in entries}
    )
    known = {(group_id, member): (pk, seen) for group_id, member, pk, seen in rows.values_list(*COLUMNS)}
    gone = [key for key, entry in entries.items() if "@removed" in entry]
    new = [key for key, entry in entries.items() if "@removed" not in entry and key not in known]
    again = [key for key, entry in entries.items() if "@removed" not in entry and key in known]
    _mark(snapshot, [known[key][0] for key in gone if key in known], 0)
    _mark(snapshot, [known[key][0] for key in again if known[key][1] != snapshot.pk], snapshot.pk)
    kinds = [(*key, _kind(entries[key])[:20]) for key in new]
    insert_values(DirectoryMembership, INSERTED, [(snapshot.tenant_id, *row, snapshot.pk) for row in kinds])
    touch(snapshot, {member for _group, member in new}, {group_id for group_id, _member in new})
    _log_others(entries.values())


COLUMNS = ("group_id", "member_id", "pk", "seen_snapshot")
INSERTED = ("tenant", "group_id", "member_id", "member_type", "seen_snapshot")


def _rows(snapshot: Snapshot) -> QuerySet[DirectoryMembership]:
    return DirectoryMembership.objects.filter(tenant=snapshot.tenant)


def _mark(snapshot: Snapshot, keys: Sequence[int], seen: int) -> None:
    if keys:
        DirectoryMembership.objects.filter(pk__in=keys).update(seen_snapshot=seen)


def _kind(entry: Item) -> str:
    return str(entry.get("@odata.type") or "#microsoft.graph.user").rpartition(".")[2]


def _log_others(entries: Iterable[Item]) -> None:
    """Devices, service principals and contacts are kept in the mirror and go nowhere."""
    others: dict[str, int] = defaultdict(int)
    for entry in entries:
        if (kind := _kind(entry)) not in (DirectoryMembership.USER, DirectoryMembership.GROUP):
            others[kind] += 1
    if others:
        log.info("members that are no people are ignored", kinds=dict(others))


# The end of a round


def prove(snapshot: Snapshot, graph: GraphClient, watch: Watch) -> Proofs:
    """Asks for the members of the groups in scope that are about to lose many, or whose members were not known."""
    return dict(fetched(watch, _ask(graph, _doubtful(snapshot))))


def _ask(graph: GraphClient, group_ids: Sequence[str]) -> Iterator[tuple[str, frozenset[str] | None]]:
    for group_id in group_ids:
        try:
            yield group_id, frozenset(_strong_read(graph, group_id))
        except GraphError as error:
            log.warning("a group's members cannot be read", group=group_id, error=str(error))
            yield group_id, None


def _strong_read(graph: GraphClient, group_id: str) -> Iterator[str]:
    """Without a right on the member's type Graph answers 200 and tells its id alone (limited information)."""
    for member in graph.members(group_id, ("id", "displayName")):
        if _kind(member) == DirectoryMembership.USER and member.get("displayName") is None:
            raise BadAnswer("Graph tells a member's id and nothing else: a permission is missing.", status=200)
        yield str(member["id"])


def _doubtful(snapshot: Snapshot) -> list[str]:
    """A full round tells removals only by silence, so each group that would lose anybody is asked about."""
    groups = DirectoryGroup.objects.filter(tenant=snapshot.tenant, deleted="", object_id__in=_in_scope(snapshot))
    live = dict(groups.values_list("object_id", "members_unsure"))
    lost = _by_group(going(snapshot).filter(group_id__in=live))
    if snapshot.full:
        many = set(lost)
    else:
        sizes = _by_group(_rows(snapshot).filter(group_id__in=lost))
        percent = Limits.of(snapshot.tenant.limits).shrink_percent
        many = {key for key, n in lost.items() if n > FEW and n * 100 > percent * sizes[key]}
    return sorted(many | {key for key, unsure in live.items() if unsure})


def _in_scope(snapshot: Snapshot) -> set[str]:
    included = Inclusion.objects.filter(tenant=snapshot.tenant).values_list("group_id", flat=True)
    assigned = Assignment.objects.filter(configuration__tenant=snapshot.tenant, object_type="group")
    return {*included, *assigned.values_list("object_id", flat=True)}


def _by_group(rows: QuerySet[DirectoryMembership]) -> dict[str, int]:
    return dict(rows.values("group_id").annotate(n=Count("pk")).values_list("group_id", "n"))


def going(snapshot: Snapshot, asked: Iterable[str] = ()) -> QuerySet[DirectoryMembership]:
    """What the round says is gone; `asked`: of these groups also what earlier rounds said.

    Of whom it purged only the users round tells: groups delta names them seldom (Graph, known issues of delta queries).
    Memberships of somebody (or of a group) that lies in the recycle bin are kept, since Entra keeps them too: they are
    back with a restore, of which the groups round says nothing (Graph, groups delta).
    """
    if not snapshot.full:
        reported = DirectoryGroup.objects.filter(Q(seen_snapshot=snapshot.pk) | Q(members_unsure=True))
        reported = reported.filter(tenant=snapshot.tenant)
        ids = {*reported.values_list("object_id", flat=True), *asked}
        return _rows(snapshot).filter(Q(group_id__in=ids, seen_snapshot=0) | Q(member_id__in=_purged(snapshot)))
    binned = [
        model.objects.filter(tenant=snapshot.tenant, deleted="soft").values("object_id")
        for model in (DirectoryUser, DirectoryGroup)
    ]
    rows = _rows(snapshot).filter(seen_snapshot__lt=snapshot.pk)
    return rows.exclude(member_id__in=binned[0]).exclude(member_id__in=binned[1]).exclude(group_id__in=binned[1])


def _purged(snapshot: Snapshot) -> set[str]:
    """People and groups of whom this round says that nobody can restore them."""
    rows = [
        model.objects.filter(tenant=snapshot.tenant, deleted="purged", changed_snapshot=snapshot.pk)
        for model in (DirectoryUser, DirectoryGroup)
    ]
    return {key for found in rows for key in found.values_list("object_id", flat=True)}


def settle(snapshot: Snapshot, proofs: Proofs) -> None:
    """Puts back whom the second look showed, keeps what is not certain, lets the rest go."""
    for group_id, proof in proofs.items():
        rows = going(snapshot, proofs).filter(group_id=group_id)
        group = DirectoryGroup.objects.filter(tenant=snapshot.tenant, object_id=group_id)
        group.exclude(members_unsure=proof is None).update(members_unsure=proof is None, changed_snapshot=snapshot.pk)
        for part in chunks(sorted(proof or ()), AT_ONCE):
            rows.filter(member_id__in=part).update(seen_snapshot=snapshot.pk)
    unsure = [group_id for group_id, proof in proofs.items() if proof is None]
    let_go(snapshot, going(snapshot, proofs).exclude(group_id__in=unsure))
    if unsure:
        going(snapshot).filter(group_id__in=unsure).update(seen_snapshot=0)


def let_go(snapshot: Snapshot, rows: QuerySet[DirectoryMembership]) -> None:
    for part in chunks(rows.values_list("pk", "group_id", "member_id"), AT_ONCE):
        touch(snapshot, {member for _pk, _group, member in part}, {group_id for _pk, group_id, _member in part})
        DirectoryMembership.objects.filter(pk__in=[pk for pk, _group, _member in part]).delete()
