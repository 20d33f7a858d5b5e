"""Desired against last written: the changes of one person or group. Pure; the rows are stored by the caller.

A unit is an attribute that is written as one (see sync/scim/resource.py): `{"userName": "…", "emails": [{…}]}`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from enum import IntEnum
from itertools import islice
from typing import Any, Literal

MANAGER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"
# AWS takes at most 100 members per request (Developer Guide: CreateGroup, PatchGroup).
MEMBERS_PER_REQUEST = 100

Units = Mapping[str, Any]
Action = Literal["create", "update", "disable", "enable", "delete", "link", "add_member", "remove_member"]
# What AWS keeps unique: a change of these can clash with another object.
KEYS = ("userName", "emails", "externalId")
GROUP_KEYS = ("displayName", "externalId")


class Stage(IntEnum):
    """The order of export: each stage needs the ids that the stage before it brought."""

    PEOPLE = 1
    MANAGERS = 2
    GROUPS = 3
    MEMBERSHIPS = 4
    REMOVALS = 5


@dataclass(frozen=True, slots=True)
class Known:
    """What the link says: `written` is what AWS took last; a null unit is unknown and is written anew."""

    scim_id: str = ""
    written: Units = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """One planned operation. `desired` holds the units to write; a unit that goes away is null in it."""

    stage: Stage
    action: Action
    scim_id: str = ""
    desired: Units = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    # It changes a unique value of an object that AWS holds already.
    moves_key: bool = False
    # A person let it pass the limits.
    approved: bool = False
    # It waits for a person since an earlier plan went over a limit.
    held: bool = False
    wave: int = 0

    @property
    def takes_key(self) -> bool:
        """It writes a unique value, whether or not it is known which one AWS holds now."""
        return any(unit in self.changes for unit in (GROUP_KEYS if self.stage == Stage.GROUPS else KEYS))


def difference(written: Units, desired: Units) -> dict[str, Any]:
    """The units to write so that `written` becomes `desired`; null means remove."""
    changed = {unit: value for unit, value in desired.items() if unit not in written or written[unit] != value}
    return changed | {unit: None for unit in written if unit not in desired}


def plan_user(known: Known, desired: Units, found: Units | None = None) -> list[Change]:
    """Changes for a person in scope. `found`: units of an unlinked AWS user that matched, to be linked; a manager in it
    by Entra's id."""
    main = {unit: value for unit, value in desired.items() if unit != MANAGER}
    if not known.scim_id and found is None:
        changes = [Change(Stage.PEOPLE, "create", desired=main, changes=before_after({}, main))]
    elif found is not None:
        if MANAGER in desired and found.get(MANAGER) == desired[MANAGER]:
            return [_link(Stage.PEOPLE, known.scim_id, found, desired)]
        changes = [_link(Stage.PEOPLE, known.scim_id, found, main)]
    else:
        changes = _update_user(known, main)
    return changes + _manager(known, desired)


def plan_user_out_of_scope(known: Known, *, disable: bool, delete: bool = False) -> list[Change]:
    """A leaver is disabled, nothing else is touched. `disable`: the mapping of `active` gives false.

    `delete`: disabled long enough ago, and purged from the directory.
    """
    if not known.scim_id:
        return []
    if delete:
        return [Change(Stage.REMOVALS, "delete", known.scim_id)]
    if not disable or known.written.get("active") is False:
        return []
    desired = {"active": False}
    return [Change(Stage.REMOVALS, "disable", known.scim_id, desired, before_after(known.written, desired))]


def plan_group(
    known: Known, desired: Units, members: Iterable[str], written_members: Set[str], found: Units | None = None
) -> list[Change]:
    """Changes for a group in scope; `members` are the object ids of the people that it is to hold."""
    wanted = list(members)
    if not known.scim_id and found is None:
        first, rest = wanted[:MEMBERS_PER_REQUEST], wanted[MEMBERS_PER_REQUEST:]
        changes = before_after({}, desired) | ({"members": first} if first else {})
        return [Change(Stage.GROUPS, "create", desired=dict(desired), changes=changes), *add_members(rest)]
    if found is not None:
        head = [_link(Stage.GROUPS, known.scim_id, found, desired)]
    else:
        changed = difference(known.written, desired)
        head = [_change(Stage.GROUPS, "update", known, changed)] if changed else []
    return [*head, *add_members(member for member in wanted if member not in written_members)]


def add_members(members: Iterable[str]) -> list[Change]:
    return [Change(Stage.MEMBERSHIPS, "add_member", changes={"members": chunk}) for chunk in chunks(members)]


def remove_members(members: Iterable[str], *, approved: bool = False, held: bool = False) -> list[Change]:
    return [
        Change(Stage.REMOVALS, "remove_member", changes={"members": chunk}, approved=approved, held=held)
        for chunk in chunks(members)
    ]


def is_new(changes: Sequence[Change]) -> bool:
    return any(change.action == "create" for change in changes)


def permitted(changes: Sequence[Change], actions: Collection[str]) -> list[Change]:
    """What the target actions allow (create, update, disable, delete); what follows from a create goes with it.

    Disabling and enabling again are one action: `active` goes by "disable", every other unit by "update".
    """
    if is_new(changes):
        return list(changes) if "create" in actions else []
    return [allowed for change in changes if (allowed := _permitted(change, actions))]


def _permitted(change: Change, actions: Collection[str]) -> Change | None:
    if change.action == "delete":
        return change if "delete" in actions else None
    if change.action.endswith("_member"):
        return change if "update" in actions else None
    if change.action in ("disable", "enable"):
        return _permitted_switch(change, actions)
    if "update" in actions:
        return change
    # Linking writes nothing by itself: AWS's object is known from now on, its values stay.
    return _narrowed(change, change.action, ()) if change.action == "link" else None


def _permitted_switch(change: Change, actions: Collection[str]) -> Change | None:
    rest = [unit for unit in change.changes if unit != "active"]
    if "disable" in actions:
        return change if "update" in actions else _narrowed(change, change.action, ("active",))
    if not rest or "update" not in actions:
        return None
    return replace(_narrowed(change, "update", rest), stage=Stage.PEOPLE)


def _narrowed(change: Change, action: Action, units: Collection[str]) -> Change:
    desired = {unit: value for unit, value in change.desired.items() if unit in units}
    changes = {unit: value for unit, value in change.changes.items() if unit in units}
    moves_key = change.moves_key and any(unit in changes for unit in (*KEYS, *GROUP_KEYS))
    return replace(change, action=action, desired=desired, changes=changes, moves_key=moves_key)


def chunks(members: Iterable[str], size: int = MEMBERS_PER_REQUEST) -> Iterator[list[str]]:
    iterator = iter(members)
    while chunk := list(islice(iterator, size)):
        yield chunk


def before_after(written: Units, changed: Units) -> dict[str, Any]:
    return {unit: {"before": written.get(unit), "after": value} for unit, value in changed.items()}


def matching_attributes(rules: Sequence[tuple[str, int | None]]) -> list[str]:
    """Targets in their matching precedence, from (target, precedence) pairs."""
    return [target for target, precedence in sorted(rules, key=lambda rule: rule[1] or 0) if precedence]


def _update_user(known: Known, main: Units) -> list[Change]:
    written = {unit: value for unit, value in known.written.items() if unit != MANAGER}
    changed = difference(written, main)
    if not changed:
        return []
    was, becomes = known.written.get("active"), changed.get("active")
    action: Action = "enable" if was is False and becomes else "disable" if becomes is False else "update"
    stage = Stage.REMOVALS if action == "disable" else Stage.PEOPLE
    return [_change(stage, action, known, changed)]


def _manager(known: Known, desired: Units) -> list[Change]:
    before, after = known.written.get(MANAGER), desired.get(MANAGER)
    unknown = MANAGER in known.written and before is None
    if before == after and not unknown:
        return []
    return [_change(Stage.MANAGERS, "update", known, {MANAGER: after})]


def _link(stage: Stage, scim_id: str, found: Units, desired: Units) -> Change:
    """Only our mapped units are compared: what else the AWS object holds stays as it is."""
    changed = {unit: value for unit, value in desired.items() if found.get(unit) != value}
    keys = _moves_key(stage, found, changed)
    # All of it counts as written afterwards: what was equal is not sent, and not sent again by the next run.
    return Change(stage, "link", scim_id, desired, before_after(found, changed), keys)


def _change(stage: Stage, action: Action, known: Known, changed: dict[str, Any]) -> Change:
    keys = _moves_key(stage, known.written, changed)
    return Change(stage, action, known.scim_id, changed, before_after(known.written, changed), keys)


def _moves_key(stage: Stage, before: Units, changed: Units) -> bool:
    """A value that is unknown (its answer got lost) is written anew, not moved."""
    keys = GROUP_KEYS if stage == Stage.GROUPS else KEYS
    return any(unit in changed and before.get(unit) is not None for unit in keys)
