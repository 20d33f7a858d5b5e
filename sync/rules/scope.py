"""Who is in scope, and why. Pure: facts of the mirror in, a decision with its reason out."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sync.rules import filters as filtering
from sync.rules.filters import CompiledFilter

# Object ids from an assigned group down to the group that lists the person, both included.
Path = tuple[str, ...]


class Reason(StrEnum):
    """Why a person is in or out; the words of the pages are in sync/problems/catalogue.py."""

    ASSIGNED = "assigned"
    THROUGH_GROUP = "through-group"
    THROUGH_NESTED_GROUP = "through-nested-group"
    EVERYBODY = "everybody"
    NOT_ASSIGNED = "not-assigned"
    OUTSIDE_FILTER = "outside-filter"
    GUEST = "guest-left-out"
    ACCOUNT_DISABLED = "account-disabled"
    DELETED = "deleted"
    PEOPLE_ONLY = "people-only"


@dataclass(frozen=True, slots=True)
class Gate:
    """What assigned people and groups have to pass."""

    filters: tuple[CompiledFilter, ...] = ()
    leave_out_guests: bool = False

    def stops(self, properties: Mapping[str, Any]) -> Reason | None:
        """`properties`: as Microsoft Graph v1.0 names them. None: nothing is in the way."""
        return self.reason(properties, passes=filtering.passes(self.filters, properties))

    def reason(self, properties: Mapping[str, Any], *, passes: bool) -> Reason | None:
        """`passes`: whether the filters let the object pass."""
        if self.leave_out_guests and is_guest(properties):
            return Reason.GUEST
        return None if passes else Reason.OUTSIDE_FILTER


def is_guest(properties: Mapping[str, Any]) -> bool:
    return properties.get("userType") == "Guest"


@dataclass(frozen=True, slots=True)
class Person:
    """What scope needs to know: `paths` leads from each assigned group that brings the person down to the person.

    `stopped`: what the gate says, None for somebody who passes.
    """

    object_id: str
    account_enabled: bool
    deleted: bool
    paths: Mapping[str, Path] = field(default_factory=dict)
    stopped: Reason | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """`through`: the assigned group that brought the person; `path` from it to the group that lists the person."""

    in_scope: bool
    reason: Reason
    through: str = ""
    path: Path = ()


def decide(person: Person, assigned_users: Set[str], *, everybody: bool = False) -> Scope:
    """Deletion, a filter and blocked sign-in disable in AWS whatever is assigned (Entra's deprovisioning)."""
    if person.deleted:
        return Scope(False, Reason.DELETED)
    scope = _brought_by(person, assigned_users, everybody=everybody)
    against = person.stopped or (None if person.account_enabled else Reason.ACCOUNT_DISABLED)
    if scope.in_scope and against is not None:
        return Scope(False, against, scope.through, scope.path)
    return scope


def decide_group(*, assigned: bool, sent: bool, deleted: bool, stopped: Reason | None) -> Scope:
    """Whether a group itself goes to AWS. `sent`: it is assigned to go there, not only to bring its people."""
    if not assigned:
        return Scope(False, Reason.NOT_ASSIGNED)
    if deleted:
        return Scope(False, Reason.DELETED)
    if not sent:
        return Scope(False, Reason.PEOPLE_ONLY)
    return Scope(False, stopped) if stopped else Scope(True, Reason.ASSIGNED)


def _brought_by(person: Person, assigned_users: Set[str], *, everybody: bool) -> Scope:
    """The plainest of several reasons, and the same one every time."""
    if person.object_id in assigned_users:
        return Scope(True, Reason.ASSIGNED)
    if person.paths:
        through, path = min(person.paths.items(), key=lambda way: (len(way[1]), way))
        reason = Reason.THROUGH_GROUP if len(path) == 1 else Reason.THROUGH_NESTED_GROUP
        return Scope(True, reason, through, path)
    return Scope(True, Reason.EVERYBODY) if everybody else Scope(False, Reason.NOT_ASSIGNED)
