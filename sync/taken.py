"""Values that somebody else holds in AWS, or is to get: what SelectUniqueValue passes over."""

from collections.abc import Callable
from functools import partial

from django.db.models import Q

from sync.clashes import UNITS
from sync.keys import key
from sync.models import Link, Tenant
from sync.scim.resource import unit_of

COLUMNS = {object_type: {unit: name for name, unit in units.items()} for object_type, units in UNITS.items()}


class TakenValues:
    """Asks the indexed keys of the links. What this pass has given out itself counts before it is stored."""

    def __init__(self, tenant: Tenant, object_type: str) -> None:
        self.links = Link.objects.filter(tenant=tenant, object_type=object_type)
        self.columns = COLUMNS[object_type]
        self.given: dict[tuple[str, str], str] = {}

    def by_others(self, object_id: str) -> Callable[[str, str], bool]:
        """The question as a mapping asks it, for one object: (target, value) -> bool."""
        return partial(self._taken, object_id)

    def _taken(self, object_id: str, target: str, value: str) -> bool:
        column, wanted = self.columns.get(unit_of(target), ""), key(value)
        if not column:
            return False
        holds = Q(**{f"held_{column}": wanted}) & ~Q(scim_id="")
        owner = self.given.get((column, wanted), object_id)
        others = self.links.exclude(object_id=object_id)
        if owner != object_id or others.filter(holds | Q(**{f"wanted_{column}": wanted})).exists():
            return True
        self.given[column, wanted] = object_id
        return False
