"""Values that somebody else holds in AWS, or is to get: what SelectUniqueValue passes over."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol

from django.db.models import Q, QuerySet

from sync.engine.evaluation.clashes import UNITS
from sync.models import Link, Tenant
from sync.rules.unique_keys import KEY_OF
from sync.scim.resource import unit_of

COLUMNS = {object_type: {unit: name for name, unit in units.items()} for object_type, units in UNITS.items()}


Json = dict[str, Any]
# Objects of AWS that no link names and that have the value of a unit.
Unlinked = Callable[[str, str], Iterable[Json]]
IsOwn = Callable[[Json], bool]


class Values(Protocol):
    def by_others(self, object_id: str, is_own: IsOwn) -> Callable[[str, str], bool]:
        """The question as a mapping asks it, for one object: (target, value) -> bool.

        `is_own`: whether an object of AWS that has no link is the one that this object would be linked to."""


class NobodyHas:
    """For comparing two sets of rules on one object: what others hold is the same for both."""

    def by_others(self, object_id: str, is_own: IsOwn) -> Callable[[str, str], bool]:
        return lambda _target, _value: False


class TakenValues:
    """Asks the indexed keys of the links. What this pass has given out itself counts before it is stored.

    `unlinked`: set by a pass that may ask AWS; readiness may not, and sees the links alone.
    """

    def __init__(self, tenant: Tenant, object_type: str) -> None:
        self.links = Link.objects.filter(tenant=tenant, object_type=object_type)
        self.columns = COLUMNS[object_type]
        self.given: dict[tuple[str, str], str] = {}
        self.unlinked: Unlinked = lambda _unit, _value: ()

    def by_others(self, object_id: str, is_own: IsOwn) -> Callable[[str, str], bool]:
        return partial(self._taken, object_id, is_own)

    def _taken(self, object_id: str, is_own: IsOwn, target: str, value: str) -> bool:
        unit = unit_of(target)
        column = self.columns.get(unit, "")
        if not column:
            return False
        wanted = KEY_OF[column](value)
        owner = self.given.get((column, wanted), object_id)
        if owner != object_id or self._others_have(object_id, column, wanted):
            return True
        if not all(is_own(held) for held in self.unlinked(unit, value)):
            return True
        self.given[column, wanted] = object_id
        return False

    def _others_have(self, object_id: str, column: str, wanted: str) -> bool:
        return having(self.links, column, wanted).exclude(object_id=object_id).exists()


def taken_by_kind(tenant: Tenant) -> dict[str, TakenValues]:
    """Of one pass, by type of object."""
    return {object_type: TakenValues(tenant, object_type) for object_type in COLUMNS}


def having(rows: QuerySet[Any], column: str, value: str) -> QuerySet[Any]:
    """Who holds the value in AWS or is to get it."""
    holds = Q(**{f"held_{column}": value}) & ~Q(scim_id="")
    return rows.filter(holds | Q(**{f"wanted_{column}": value}))
