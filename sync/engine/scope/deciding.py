"""Who is in scope, applied to the mirror in batches: the decisions themselves are in sync/rules/scope.py."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from sync.configuration.ruleset import Rules
from sync.db.batches import batches
from sync.db.bulk import update_rows
from sync.engine.scope import nesting
from sync.engine.work import reports, users_to_look_at
from sync.models import DirectoryGroup, DirectoryMembership, DirectoryUser, Inclusion, Snapshot, Tenant
from sync.rules import scope as scoping
from sync.rules.scope import Path, Person, Scope
from sync.runs.lease import Watch
from sync.standings import services as standings

FIELDS = ("in_scope", "scope_reason", "scope_through", "scope_path", "scope_at")
GROUP_FIELDS = ("in_scope", "scope_reason")


class Deciding:
    """Scope under one set of rules, batch by batch; nothing is stored. `included`: see Inclusion, (group, path)."""

    def __init__(self, tenant: Tenant, rules: Rules, included: Iterable[tuple[str, Sequence[str]]]) -> None:
        self.tenant = tenant
        self.rules = rules
        # By group: the assigned groups that it belongs to, each with the way down to it.
        self.above: dict[str, list[Path]] = defaultdict(list)
        for group_id, path in included:
            self.above[group_id].append(tuple(path))

    def scopes(self, batch: Sequence[DirectoryUser]) -> list[Scope]:
        paths = self._paths_to(batch)
        return [self._scope(person_of(user, paths.get(user.object_id, {}), self.rules)) for user in batch]

    def _scope(self, person: Person) -> Scope:
        return scoping.decide(person, self.rules.assigned_users, everybody=self.rules.everybody)

    def _paths_to(self, batch: Sequence[DirectoryUser]) -> dict[str, dict[str, Path]]:
        """By person, then by assigned group: the shortest way that brings the person.

        Asked by person alone: with the groups in the query SQLite looks up every pair of a person and a group.
        """
        rows = DirectoryMembership.objects.filter(tenant=self.tenant, member_id__in=[user.object_id for user in batch])
        found: dict[str, dict[str, Path]] = defaultdict(dict)
        for member_id, group_id in rows.values_list("member_id", "group_id"):
            ways = found[member_id]
            for path in self.above.get(group_id, ()):
                ways[path[0]] = min(ways.get(path[0], path), path, key=lambda way: (len(way), way))
        return found


class ScopePass:
    """Decides scope for everybody who may have changed since the snapshot `since`."""

    def __init__(self, tenant: Tenant, snapshot: Snapshot, rules: Rules, since: int, watch: Watch) -> None:
        self.tenant = tenant
        self.snapshot = snapshot
        self.rules = rules
        self.since = since
        self.watch = watch
        self.looked_at = users_to_look_at(tenant, since)

    def decide(self) -> dict[str, int]:
        """How many are in scope, and how many known people are not."""
        nesting.refresh(self.tenant, self.snapshot, self.rules, self.since)
        self.decide_for(self.looked_at)
        self.decide_groups(DirectoryGroup.objects.filter(tenant=self.tenant))
        if self.tenant.standings_checked_at is None:
            standings.refresh_all(self.tenant)
        people = DirectoryUser.objects.filter(tenant=self.tenant)
        in_scope = people.filter(in_scope=True).count()
        return {"in": in_scope, "out": people.filter(deleted="").count() - in_scope}

    def decide_for(self, rows: QuerySet[DirectoryUser]) -> None:
        included = Inclusion.objects.filter(tenant=self.tenant).values_list("group_id", "path")
        deciding = Deciding(self.tenant, self.rules, included)
        for batch in batches(rows):
            self.watch.safe_point()
            self._note(batch, deciding.scopes(batch))

    def decide_groups(self, rows: QuerySet[DirectoryGroup]) -> None:
        """Whether the groups themselves go to AWS. Of those that nobody assigns there is nothing new to say."""
        told = Q(object_id__in=self.rules.assigned_groups) | ~Q(scope_reason=scoping.Reason.NOT_ASSIGNED)
        for batch in batches(rows.filter(told)):
            self.watch.safe_point()
            self._note_groups(batch)

    @transaction.atomic
    def _note_groups(self, batch: Sequence[DirectoryGroup]) -> None:
        changed = []
        for group in batch:
            scope = self.rules.scope_of_group(group.object_id, group.properties, deleted=bool(group.deleted))
            if (scope.in_scope, scope.reason) != (group.in_scope, group.scope_reason):
                group.in_scope, group.scope_reason = scope.in_scope, scope.reason
                changed.append(group)
        update_rows(changed, GROUP_FIELDS)
        standings.refresh(self.tenant.pk, "group", [group.object_id for group in changed])

    @transaction.atomic
    def _note(self, batch: Sequence[DirectoryUser], scopes: Sequence[Scope]) -> None:
        arrived, changed, now = [], [], timezone.now()
        for user, scope in zip(batch, scopes, strict=True):
            if (scope.in_scope, scope.reason, scope.through, list(scope.path)) == _known(user):
                continue
            if scope.in_scope and not user.in_scope:
                arrived.append(user.object_id)
            user.in_scope, user.scope_reason = scope.in_scope, scope.reason
            user.scope_through, user.scope_path, user.scope_at = scope.through, list(scope.path), now
            changed.append(user)
        update_rows(changed, FIELDS)
        standings.refresh(self.tenant.pk, "user", [user.object_id for user in changed])
        # Whoever reports to somebody who has just come can be given that manager now.
        waiting = reports(self.tenant.pk, arrived).filter(changed_snapshot__lt=self.snapshot.pk)
        waiting.update(changed_snapshot=self.snapshot.pk)


def person_of(user: DirectoryUser, paths: Mapping[str, Path], rules: Rules) -> Person:
    enabled = user.properties.get("accountEnabled")
    stopped = rules.people_gate.stops(user.properties)
    return Person(user.object_id, enabled is not False, bool(user.deleted), paths, stopped)


def _known(user: DirectoryUser) -> tuple[bool, str, str, list[str]]:
    return user.in_scope, user.scope_reason, user.scope_through, user.scope_path
