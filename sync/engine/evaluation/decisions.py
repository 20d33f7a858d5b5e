"""What people decided about held changes, as a plan asks for it."""

from collections.abc import Iterable

from django.utils import timezone

from sync.models import HeldChange, Tenant


class Decisions:
    """What people decided about held changes of some objects: approved, kept, or still waiting."""

    def __init__(self, tenant: Tenant, object_ids: Iterable[str]) -> None:
        rows = HeldChange.objects.open().filter(tenant=tenant, object_id__in=list(object_ids))
        now = timezone.now()
        self.found = {(row.action, row.object_id, row.member_id): row.standing(now) for row in rows}

    def of(self, action: str, object_id: str, member_id: str = "") -> str:
        return self.found.get((action, object_id, member_id), "")

    @property
    def object_ids(self) -> set[str]:
        """Of whom some change waits, or was decided on."""
        return {object_id for _action, object_id, _member in self.found}

    def keys_of(self, object_id: str) -> set[tuple[str, str, str]]:
        return {key for key in self.found if key[1] == object_id}
