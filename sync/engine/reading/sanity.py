"""Whether a full round can be believed. Absence is no deletion: what is missing is counted and asked about first.

A round that is not sane makes its snapshot suspect (`suspect`, with the numbers in `suspect_detail`): nobody is removed
because of it, and the next round reads everybody again.
"""

import datetime
from collections.abc import Collection, Iterator
from typing import Any

import structlog
from django.db.models import QuerySet
from django.utils import timezone

from sync.engine.reading.ahead import answered, fetched
from sync.graph.client import GraphClient
from sync.graph.errors import GraphError, NotFound
from sync.models import DirectoryGroup, DirectoryMembership, DirectoryUser, Snapshot, Tenant
from sync.rules.limits import Limits
from sync.runs.lease import Watch
from sync.runs.outcomes import RunStopped

log = structlog.get_logger(__name__)

SHRUNK = "source-shrunk"
# So few may be missing whatever the percentage says.
FEW = 3
# So many of those who are missing are asked for by their id.
ASKED_FOR = 30
# The method of GraphClient that reads one of them.
READ_ONE = {"users": "user", "groups": "group"}
ACCEPTED_FOR = datetime.timedelta(hours=4)


class SourceEmpty(RunStopped):
    """A full round brought nobody although the mirror knows people: nothing may follow from that."""

    code = "source-empty"


def check(snapshot: Snapshot, graph: GraphClient, watch: Watch) -> None:
    """Raises SourceEmpty, whatever is set; marks the snapshot as suspect when too much is missing.

    What an accepted reading had none of may be empty again, if Graph's count and a look at those we know say so too.
    """
    seen = {name: _seen(rows, snapshot).count() for name, rows in known(snapshot).items()}
    live = {name: rows.count() for name, rows in known(snapshot).items()}
    good = last_good(snapshot)
    before = {name: max(live[name], getattr(good, name, 0)) for name in seen}
    if before["users"] and not seen["users"]:
        raise SourceEmpty
    counted = answered(watch, lambda: {name: _count(graph, name) for name in ("users", "groups")})
    accepted = accepted_empty(snapshot.tenant)
    detail = _emptied(before, seen, accepted or ())
    if not detail and accepted is None:
        detail = _shrunk(snapshot, before, seen) | _shrunk(snapshot, counted, seen)
        detail |= _still_there(snapshot, graph, watch, READ_ONE)
    elif not detail and accepted:
        detail = _counted_all_the_same(counted, seen, accepted)
        detail |= _still_there(snapshot, graph, watch, [name for name in READ_ONE if name in accepted])
    if detail:
        suspect(snapshot, SHRUNK, {"before": before, "seen": seen, "counted": counted, "missing": detail})


def suspect(snapshot: Snapshot, code: str, detail: dict[str, Any]) -> None:
    """The first reason stands."""
    log.warning("a reading is not believed", code=code, detail=detail)
    if not snapshot.suspect:
        snapshot.suspect, snapshot.suspect_detail = code, detail


def known(snapshot: Snapshot) -> dict[str, QuerySet[Any]]:
    """What the mirror knows and a full round should tell. It tells no membership of somebody or of a group that is
    deleted, although the mirror keeps those for a restore."""
    of = {"tenant": snapshot.tenant}
    people, groups = DirectoryUser.objects.filter(**of), DirectoryGroup.objects.filter(**of)
    gone_people, gone_groups = (rows.exclude(deleted="").values("object_id") for rows in (people, groups))
    members = DirectoryMembership.objects.filter(**of).exclude(group_id__in=gone_groups)
    return {
        "users": people.filter(deleted=""),
        "groups": groups.filter(deleted=""),
        "memberships": members.exclude(member_id__in=gone_people).exclude(member_id__in=gone_groups),
    }


def _seen(rows: QuerySet[Any], snapshot: Snapshot) -> QuerySet[Any]:
    return rows.filter(seen_snapshot=snapshot.pk)


def last_good(snapshot: Snapshot) -> Snapshot | None:
    earlier = Snapshot.objects.filter(tenant=snapshot.tenant, pk__lt=snapshot.pk, suspect="")
    return earlier.exclude(sealed_at=None).order_by("-pk").first()


def accepted_empty(tenant: Tenant) -> list[str] | None:
    """What the reading that somebody accepted had none of; None where nobody accepted one, or too long ago.

    Asked anew: the page that accepts writes while the run reads."""
    fields = ("shrink_accepted_at", "shrink_accepted_empty")
    accepted_at, empty = Tenant.objects.values_list(*fields).get(pk=tenant.pk)
    return empty if accepted_at is not None and timezone.now() - accepted_at < ACCEPTED_FOR else None


def shrink_accepted(tenant: Tenant) -> bool:
    return accepted_empty(tenant) is not None


def _count(graph: GraphClient, name: str) -> int:
    """Graph's own count, from its index. A count that cannot be had proves nothing."""
    try:
        return graph.count(name) or 0
    except GraphError as error:
        log.warning("Graph does not count", collection=name, error=str(error))
        return 0


def _emptied(before: dict[str, int], seen: dict[str, int], accepted: Collection[str]) -> dict[str, int]:
    """Nothing at all where there was something: no setting lets that pass, and no acceptance of another reading."""
    return {name: n for name, n in before.items() if n and not seen[name] and name not in accepted}


def _counted_all_the_same(counted: dict[str, int], seen: dict[str, int], accepted: Collection[str]) -> dict[str, int]:
    """Graph's own count contradicts that there is none."""
    return {name: counted[name] for name in counted if name in accepted and counted[name] and not seen[name]}


def _shrunk(snapshot: Snapshot, before: dict[str, int], seen: dict[str, int]) -> dict[str, int]:
    percent = Limits.of(snapshot.tenant.limits).shrink_percent
    missing = {name: n - seen[name] for name, n in before.items()}
    return {name: n for name, n in missing.items() if n > FEW and n * 100 > percent * before[name]}


def _still_there(snapshot: Snapshot, graph: GraphClient, watch: Watch, names: Collection[str]) -> dict[str, Any]:
    """Some of those who are missing, asked for one by one: whoever is found proves that the round was not whole."""
    found: dict[str, Any] = {}
    for name in names:
        read = getattr(graph, READ_ONE[name])
        rows = known(snapshot)[name].filter(seen_snapshot__lt=snapshot.pk)
        ids = list(rows.order_by("object_id").values_list("object_id", flat=True)[:ASKED_FOR])
        there = list(fetched(watch, _existing(read, ids)))
        if there:
            found[f"{name}_still_there"] = there
    return found


def _existing(read: Any, ids: list[str]) -> Iterator[str]:
    for object_id in ids:
        try:
            read(object_id, ("id",))
        except NotFound:
            continue
        yield object_id


def count(snapshot: Snapshot) -> None:
    """What the mirror holds now; a round that told nothing new takes over the numbers of the one before."""
    before = last_good(snapshot)
    if before is not None and not snapshot.full and not _changed(snapshot):
        snapshot.users, snapshot.groups, snapshot.memberships = before.users, before.groups, before.memberships
        return
    for name, rows in known(snapshot).items():
        setattr(snapshot, name, rows.count())


def _changed(snapshot: Snapshot) -> bool:
    return any(
        model.objects.filter(tenant=snapshot.tenant, changed_snapshot=snapshot.pk).exists()
        for model in (DirectoryUser, DirectoryGroup)
    )
