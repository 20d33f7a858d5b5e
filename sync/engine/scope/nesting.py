"""Which groups an assigned group stands for: itself, and with nested groups included all those inside it.

The closure is stored as rows (Inclusion), so that scope and plans find a person in a nested group by a join.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Set
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet

from sync.configuration.ruleset import Rules
from sync.engine.work import touch
from sync.models import DirectoryGroup, DirectoryMembership, Inclusion, Snapshot, Tenant

# By (assigned group, group inside it): the object ids on the way, both included.
Closure = dict[tuple[str, str], tuple[str, ...]]


def groups_inside(tenant: Tenant, assigned: Collection[str]) -> dict[str, set[str]]:
    """By assigned group: the groups that it stands for, itself among them."""
    found = {group_id: {group_id} for group_id in assigned}
    rows = Inclusion.objects.filter(tenant=tenant, assigned_id__in=assigned)
    for assigned_id, group_id in rows.values_list("assigned_id", "group_id"):
        found[assigned_id].add(group_id)
    return found


def assigned_groups_listing(tenant: Tenant, people: Any) -> QuerySet[Inclusion, str]:
    """Object ids of the assigned groups that bring any of `people` (object ids or a query for them)."""
    listing = DirectoryMembership.objects.filter(tenant=tenant, member_id__in=people).values("group_id")
    rows = Inclusion.objects.filter(tenant=tenant, group_id__in=listing)
    return rows.values_list("assigned_id", flat=True).distinct()


def groups_of(tenant: Tenant, rules: Rules) -> list[str]:
    """Object ids of the groups that bring their members under `rules`, as the mirror has them now."""
    return sorted({group_id for _assigned_id, group_id in closure_of(tenant, rules)})


def closure(direct: Iterable[str], nested: Iterable[str], inside: Mapping[str, Collection[str]]) -> Closure:
    """Every group once per assigned group, by the shortest way: cycles end where they meet what is known."""
    found: Closure = {(group_id, group_id): (group_id,) for group_id in direct}
    for root in nested:
        todo: list[tuple[str, ...]] = [(root,)]
        while todo:
            paths, todo = todo, []
            for path in paths:
                if (root, path[-1]) not in found:
                    found[root, path[-1]] = path
                    todo += [(*path, child) for child in sorted(inside.get(path[-1], ()))]
    return found


def closure_of(tenant: Tenant, rules: Rules) -> Closure:
    """What the assigned groups stand for by today's mirror; nothing is stored."""
    assigned = live(tenant, rules.assigned_groups)
    nested = assigned & rules.nested
    return closure(assigned - nested, nested, nesting(tenant, nested))


def refresh(tenant: Tenant, snapshot: Snapshot, rules: Rules, since: int) -> None:
    """Brings the rows up to date, and touches the people and assigned groups whom the difference concerns."""
    assigned = live(tenant, rules.assigned_groups)
    if _current(tenant, assigned, since):
        return
    now = closure_of(tenant, rules)
    with transaction.atomic():
        _store(tenant, snapshot, now)
        _touch_above(tenant, snapshot, since)


def _current(tenant: Tenant, assigned: Set[str], since: int) -> bool:
    """Nothing can differ while the rules, the groups and their members are those of the last look (`since`)."""
    if not since or DirectoryGroup.objects.filter(tenant=tenant, changed_snapshot__gt=since).exists():
        return False
    known = Inclusion.objects.filter(tenant=tenant, assigned_id=F("group_id")).values_list("assigned_id", flat=True)
    return set(known) == assigned


def live(tenant: Tenant, ids: Collection[str]) -> set[str]:
    groups = DirectoryGroup.objects.filter(tenant=tenant, deleted="", object_id__in=ids)
    return set(groups.values_list("object_id", flat=True))


def nesting(tenant: Tenant, roots: Collection[str]) -> dict[str, set[str]]:
    """The groups directly inside each group that can be reached, read level by level."""
    found: dict[str, set[str]] = defaultdict(set)
    seen, todo = set(roots), set(roots)
    while todo:
        rows = DirectoryMembership.objects.filter(
            tenant=tenant, group_id__in=todo, member_type=DirectoryMembership.GROUP
        )
        edges = list(rows.values_list("group_id", "member_id"))
        here = live(tenant, {member_id for _group_id, member_id in edges})
        for group_id, member_id in edges:
            if member_id in here:
                found[group_id].add(member_id)
        todo = here - seen
        seen |= here
    return found


def _store(tenant: Tenant, snapshot: Snapshot, now: Closure) -> None:
    rows = {(row.assigned_id, row.group_id): row for row in Inclusion.objects.filter(tenant=tenant)}
    gone = [row.pk for key, row in rows.items() if key not in now]
    moved = [key for key, path in now.items() if key in rows and tuple(rows[key].path) != path]
    new = [key for key in now if key not in rows]
    for key in moved:
        rows[key].path = list(now[key])
    Inclusion.objects.bulk_update([rows[key] for key in moved], ["path"], batch_size=200)
    Inclusion.objects.bulk_create(
        (Inclusion(tenant=tenant, assigned_id=key[0], group_id=key[1], path=list(now[key])) for key in new),
        batch_size=500,
    )
    changed = {key for key in rows if key not in now} | {*moved, *new}
    Inclusion.objects.filter(pk__in=gone).delete()
    members = DirectoryMembership.objects.filter(tenant=tenant, group_id__in={key[1] for key in changed})
    touch(snapshot, members.values("member_id"), {key[0] for key in changed})


def _touch_above(tenant: Tenant, snapshot: Snapshot, since: int) -> None:
    """An assigned group has changed when a group inside it has."""
    changed = DirectoryGroup.objects.filter(tenant=tenant, changed_snapshot__gt=since).values("object_id")
    above = Inclusion.objects.filter(tenant=tenant, group_id__in=changed).exclude(group_id=F("assigned_id"))
    touch(snapshot, [], list(above.values_list("assigned_id", flat=True).distinct()))
