"""Who is in scope, and why. Pure: facts of the mirror in, a decision with its reason out."""

from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a person is in or out; the words of the pages are in sync/problems.py."""

    ASSIGNED = "assigned"
    THROUGH_GROUP = "through-group"
    NOT_ASSIGNED = "not-assigned"
    ACCOUNT_DISABLED = "account-disabled"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Person:
    """What scope needs to know: `groups` are the object ids of the groups that list the person directly."""

    object_id: str
    account_enabled: bool
    deleted: bool
    groups: Set[str]


@dataclass(frozen=True, slots=True)
class Scope:
    in_scope: bool
    reason: Reason
    through: str = ""


def decide(person: Person, assigned_users: Set[str], assigned_groups: Set[str]) -> Scope:
    """Deletion and blocked sign-in come first: both disable in AWS whatever is assigned (Entra's deprovisioning)."""
    if person.deleted:
        return Scope(False, Reason.DELETED)
    brought_by = sorted(person.groups & assigned_groups)
    if person.object_id not in assigned_users and not brought_by:
        return Scope(False, Reason.NOT_ASSIGNED)
    if not person.account_enabled:
        return Scope(False, Reason.ACCOUNT_DISABLED, brought_by[0] if brought_by else "")
    if person.object_id in assigned_users:
        return Scope(True, Reason.ASSIGNED)
    return Scope(True, Reason.THROUGH_GROUP, brought_by[0])
