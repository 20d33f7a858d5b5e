"""Who is in scope, applied to the mirror in batches: the decisions themselves are in scoping.py."""

from collections import defaultdict
from collections.abc import Sequence

from django.db.models import QuerySet
from django.utils import timezone

from sync import scoping
from sync.leases import Watch
from sync.mirror import Rules, batches, users_to_look_at
from sync.models import DirectoryGroup, DirectoryMembership, DirectoryUser, Snapshot, Tenant


class ScopePass:
    """Decides scope for everybody who may have changed since the snapshot `since`."""

    def __init__(self, tenant: Tenant, snapshot: Snapshot, rules: Rules, since: int, watch: Watch) -> None:
        self.tenant = tenant
        self.snapshot = snapshot
        self.rules = rules
        self.since = since
        self.watch = watch

    def decide(self) -> dict[str, int]:
        """How many are in scope, and how many known people are not."""
        self.decide_for(users_to_look_at(self.tenant, self.since))
        people = DirectoryUser.objects.filter(tenant=self.tenant)
        in_scope = people.filter(in_scope=True).count()
        return {"in": in_scope, "out": people.filter(deleted="").count() - in_scope}

    def decide_for(self, rows: QuerySet[DirectoryUser]) -> None:
        for batch in batches(rows):
            self.watch.safe_point()
            self._decide_batch(batch)

    def _decide_batch(self, batch: Sequence[DirectoryUser]) -> None:
        brought_by = self._assigned_groups_of(batch)
        arrived, changed, now = [], [], timezone.now()
        for user in batch:
            scope = scoping.decide(
                person_of(user, brought_by.get(user.object_id, set())),
                self.rules.assigned_users,
                self.rules.assigned_groups,
            )
            if (user.in_scope, user.scope_reason, user.scope_through) == (scope.in_scope, scope.reason, scope.through):
                continue
            if scope.in_scope and not user.in_scope:
                arrived.append(user.object_id)
            user.in_scope, user.scope_reason, user.scope_through = scope.in_scope, scope.reason, scope.through
            user.scope_at = now
            changed.append(user)
        DirectoryUser.objects.bulk_update(
            changed, ["in_scope", "scope_reason", "scope_through", "scope_at"], batch_size=200
        )
        # Whoever reports to somebody who has just come can be given that manager now.
        DirectoryUser.objects.filter(tenant=self.tenant, manager_id__in=arrived).update(
            changed_snapshot=self.snapshot.pk
        )

    def _assigned_groups_of(self, batch: Sequence[DirectoryUser]) -> dict[str, set[str]]:
        rows = DirectoryMembership.objects.filter(
            tenant=self.tenant, group_id__in=self._groups_in_scope(), member_id__in=[user.object_id for user in batch]
        )
        found: dict[str, set[str]] = defaultdict(set)
        for member_id, group_id in rows.values_list("member_id", "group_id"):
            found[member_id].add(group_id)
        return found

    def _groups_in_scope(self) -> QuerySet[DirectoryGroup, str]:
        return DirectoryGroup.objects.filter(
            tenant=self.tenant, deleted="", object_id__in=self.rules.assigned_groups
        ).values_list("object_id", flat=True)


def person_of(user: DirectoryUser, groups: set[str]) -> scoping.Person:
    enabled = user.properties.get("accountEnabled")
    return scoping.Person(user.object_id, enabled is not False, bool(user.deleted), groups)
