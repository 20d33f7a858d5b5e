"""Readiness of everybody in scope: judged from the mirror under today's rules, without a request and without a run.

The rules for one person stand in sync/rules/acceptance.py. Here are those across people, the rows, and what pages show.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, cast

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils import timezone

from sync.configuration.current import configuration_of
from sync.configuration.ruleset import Rules
from sync.db.batches import batches
from sync.engine.evaluation.batch import VERDICTS
from sync.engine.evaluation.judgement import DISABLE_OFF, STAYS, judge, leaving
from sync.engine.evaluation.mapper import groups_mapper, people_mapper
from sync.engine.evaluation.plan_store import Refusal
from sync.engine.evaluation.taken_values import taken_by_kind
from sync.engine.work import groups_in_scope
from sync.models import DirectoryGroup, DirectoryUser, Finding, Link, ReadinessCheck, Tenant
from sync.rules import acceptance
from sync.rules.acceptance import AcceptanceFinding, NameIdSource
from sync.rules.changes import MANAGER
from sync.runs.lease import Lease, LeaseLost, claim
from sync.scim.resource import unit_of
from sync.standings import queries as standings
from sync.standings.services import refresh_links

SAME_VALUE, MANAGER_OUTSIDE, EXPRESSION = "same-value", "manager-outside-scope", "expression-error"
# Columns of Link with the unique values that the rules want, and the unit behind each.
UNIQUE = {
    "user": (("wanted_name", "userName"), ("wanted_email", "emails"), ("wanted_external", "externalId")),
    "group": (("wanted_name", "displayName"), ("wanted_external", "externalId")),
}
STORED = tuple(name for name in VERDICTS if name.startswith(("wanted", "ready", "warnings")))
LONGEST_VALUE = 1024
Row = DirectoryUser | DirectoryGroup


class Keeper:
    """Stores verdicts and unique values on the links while no run does so. A run in progress brings its own."""

    def __init__(self, tenant_id: int) -> None:
        self.tenant_id = tenant_id
        self.lease: Lease | None = None

    def __enter__(self) -> "Keeper":
        self.lease = claim(self.tenant_id)
        return self

    def __exit__(self, *_: object) -> None:
        if self.lease is not None:
            self.lease.release()

    def store(self, links: Sequence[Link]) -> None:
        try:
            self._store(links)
        except LeaseLost:
            self.lease = None

    @transaction.atomic
    def _store(self, links: Sequence[Link]) -> None:
        if self.lease is None:
            return
        self.lease.renew()
        Link.objects.bulk_create([link for link in links if link.pk is None], batch_size=500)
        Link.objects.bulk_update([link for link in links if link.pk is not None], STORED, batch_size=100)
        refresh_links(links)


class ReadinessPass:
    """Over everybody in scope, with the judgement of a run."""

    def __init__(self, check: ReadinessCheck, keeper: Keeper) -> None:
        self.check = check
        self.tenant = check.tenant
        self.keeper = keeper
        self.now = timezone.now()
        self.rules = Rules.of(configuration_of(self.tenant))
        self.mappers = {"user": people_mapper(self.rules, self.now), "group": groups_mapper(self.rules, self.now)}
        self.taken = taken_by_kind(self.tenant)
        read = self.tenant.tracked_select
        check.unread = [self.tenant.name_id] if read and self.tenant.name_id not in read else []

    def carry_out(self) -> None:
        people, groups = in_scope(self.tenant, "user", self.rules), in_scope(self.tenant, "group", self.rules)
        self._look_at("user", people | leavers_in_aws(self.tenant))
        self._look_at("group", groups)
        self._find_same_values("user", people)
        self._find_same_values("group", groups)
        if any(unit_of(rule.target) == MANAGER for rule in self.rules.users):
            self._find_managers_outside(people)
        ready = standings.ready_by_kind(self.tenant)
        self.check.people_ready, self.check.people = ready["user"]
        self.check.groups_ready, self.check.groups = ready["group"]

    def _look_at(self, object_type: str, rows: QuerySet[Any]) -> None:
        for batch in batches(rows):
            ids = [row.object_id for row in batch]
            known = Link.objects.filter(tenant=self.tenant, object_type=object_type, object_id__in=ids)
            links = {link.object_id: link for link in known}
            before = {key: verdict_of(link) for key, link in links.items()}
            managers = self._managers(batch) if object_type == "user" else set()
            found: list[Finding] = []
            for row in batch:
                link = links.setdefault(
                    row.object_id, Link(tenant=self.tenant, object_type=object_type, object_id=row.object_id)
                )
                found += [self._finding(object_type, row.object_id, one) for one in self._told(row, link, managers)]
            self.keeper.store([link for key, link in links.items() if before.get(key) != verdict_of(link)])
            Finding.objects.bulk_create(found, batch_size=500)

    def _told(self, row: Row, link: Link, managers: Collection[str]) -> Sequence[AcceptanceFinding]:
        if not isinstance(row, DirectoryUser):
            return self._judge(row, link, managers)
        if not row.in_scope:
            return self._of_leaver(row, link)
        return [*self._judge(row, link, managers), *self._if_they_left(row)]

    def _judge(self, row: Row, link: Link, managers: Collection[str]) -> Sequence[AcceptanceFinding]:
        kind = link.object_type
        manager = row.manager_id if isinstance(row, DirectoryUser) and row.manager_id in managers else ""
        judged = judge(row, link, self.mappers[kind], self.taken[kind], manager=manager, name_id=self._name_id)
        if judged.refusal is None:
            judged.note(link, self.now)
            return judged.findings
        if judged.mapped.ignored:
            return ()
        if link.ready_code != EXPRESSION:
            link.ready_code, link.ready_attribute, link.ready_at = EXPRESSION, judged.refusal.attribute, self.now
        return [AcceptanceFinding(EXPRESSION, judged.refusal.attribute, certain=True, value=judged.refusal.error)]

    def _if_they_left(self, user: DirectoryUser) -> Sequence[AcceptanceFinding]:
        """How somebody in scope could leave and stay active in AWS."""
        if "disable" not in self.rules.user_actions:
            return [_keeps_access(DISABLE_OFF)]
        ways = self.mappers["user"].staying(user.properties)
        return [_keeps_access(STAYS, ", ".join(ways))] if ways else ()

    def _of_leaver(self, user: DirectoryUser, link: Link) -> Sequence[AcceptanceFinding]:
        """Whom AWS holds active although they left."""
        refusal = judge(user, link, self.mappers["user"], self.taken["user"]).refusal
        if refusal is None and "disable" not in self.rules.user_actions:
            refusal = DISABLE_OFF
        return [_keeps_access(refusal, refusal.error or leaving(user))] if refusal else ()

    @property
    def _name_id(self) -> NameIdSource | None:
        """What cannot be compared as long as no reading has fetched it."""
        return None if self.check.unread else cast(NameIdSource, self.tenant.name_id)

    def _finding(self, object_type: str, object_id: str, found: AcceptanceFinding) -> Finding:
        return Finding(
            found_by=self.check,
            tenant=self.tenant,
            object_type=object_type,
            object_id=object_id,
            code=found.code,
            attribute=found.attribute[:200],
            value=self._shown(object_type, found)[:LONGEST_VALUE],
            certain=found.certain,
        )

    def _managers(self, users: Sequence[DirectoryUser]) -> set[str]:
        """Those whom AWS holds, or is to hold."""
        ids = [user.manager_id for user in users if user.manager_id]
        linked = Link.objects.filter(tenant=self.tenant, object_type="user", object_id__in=ids).exclude(scim_id="")
        coming = in_scope(self.tenant, "user", self.rules).filter(object_id__in=ids)
        return {*linked.values_list("object_id", flat=True), *coming.values_list("object_id", flat=True)}

    def _shown(self, object_type: str, found: AcceptanceFinding) -> str:
        hidden = () if found.code == EXPRESSION else self.mappers[object_type].redacted
        return acceptance.shown(found, hidden)

    # Across people

    def _find_same_values(self, object_type: str, rows: QuerySet[Any]) -> None:
        links = Link.objects.filter(tenant=self.tenant, object_type=object_type, object_id__in=rows.values("object_id"))
        for column, unit in UNIQUE[object_type]:
            filled = links.exclude(**{column: ""})
            twice = filled.values(column).annotate(owners=Count("pk")).filter(owners__gt=1).order_by()
            shared = filled.filter(**{f"{column}__in": twice.values(column)})
            self._store(
                (object_type, object_id, SAME_VALUE, unit, value, True)
                for object_id, value in shared.values_list("object_id", column).iterator()
            )

    def _find_managers_outside(self, people: QuerySet[Any]) -> None:
        managers = DirectoryUser.objects.filter(tenant=self.tenant, in_scope=True, object_id=OuterRef("manager_id"))
        outside = people.exclude(manager_id="").exclude(Exists(managers))
        names = DirectoryUser.objects.filter(tenant=self.tenant, object_id=OuterRef("manager_id"))
        rows = outside.annotate(manager=names.values("display_name")[:1]).values_list("object_id", "manager")
        self._store(("user", object_id, MANAGER_OUTSIDE, MANAGER, name or "", False) for object_id, name in rows)

    def _store(self, found: Iterable[tuple[str, str, str, str, str, bool]]) -> None:
        rows = [
            self._finding(object_type, object_id, AcceptanceFinding(code, attribute, certain, value))
            for object_type, object_id, code, attribute, value, certain in found
        ]
        Finding.objects.bulk_create(rows, batch_size=500)


def _keeps_access(refusal: Refusal, value: str = "") -> AcceptanceFinding:
    """Not about whom AWS would take: never certain."""
    return AcceptanceFinding(refusal.problem, refusal.attribute, certain=False, value=value)


def leavers_in_aws(tenant: Tenant) -> QuerySet[Any]:
    """Who is out of scope and active in AWS, as far as we know."""
    active = Link.objects.filter(tenant=tenant, object_type="user", active=True).exclude(scim_id="")
    return DirectoryUser.objects.filter(tenant=tenant, in_scope=False, object_id__in=active.values("object_id"))


def verdict_of(link: Link) -> tuple[Any, ...]:
    return tuple(getattr(link, name) for name in STORED)


def in_scope(tenant: Tenant, object_type: str, rules: Rules) -> QuerySet[Any]:
    """As of the last time that scope was decided (by a run or a preview)."""
    if object_type == "user":
        return DirectoryUser.objects.filter(tenant=tenant, in_scope=True)
    return DirectoryGroup.objects.filter(tenant=tenant, deleted="", object_id__in=groups_in_scope(tenant, rules))
