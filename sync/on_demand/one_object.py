"""Provisioning on demand: one person or group through the rooms of a run, with every fact kept on the way.

The rooms are the run's own (scope, match and plan, export, recording), on a look at one object. What is read from Entra
goes into the mirror under the rules of the importing room and says nothing about anybody else. A dry run does the same
inside a transaction that is rolled back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from django.db import transaction
from django.utils import timezone

from sync.configuration.ruleset import Rules, redacted_units
from sync.engine.evaluation.batch import links_of
from sync.engine.evaluation.clashes import Clashes
from sync.engine.evaluation.evaluation import Evaluation
from sync.engine.export.stages import export
from sync.engine.guard import holds
from sync.engine.guard.guard import Guard
from sync.engine.reading import rounds
from sync.engine.reading.pages import apply_groups, apply_users
from sync.engine.scope import nesting
from sync.engine.scope.deciding import ScopePass
from sync.engine.work import watermark
from sync.graph.client import DeltaPage, GraphClient
from sync.graph.errors import NotFound as NotInEntra
from sync.models import (
    Configuration,
    DemandObject,
    DirectoryGroup,
    DirectoryMembership,
    DirectoryUser,
    Link,
    MembershipLink,
    Operation,
    Result,
    Run,
    Snapshot,
)
from sync.on_demand.answers import Answers, NotAsked
from sync.on_demand.steps import STEPS, StepLog, result_of, shown, told
from sync.rules import acceptance, filters
from sync.rules.acceptance import NameIdSource
from sync.rules.changes import MANAGER
from sync.rules.matching import Verdict
from sync.rules.scope import Reason
from sync.runs.lease import Watch
from sync.runs.phases import PhaseLog
from sync.scim import resource
from sync.scim.client import ScimClient
from sync.scim.errors import NotFound as NotInAws

REFUSED = (Result.FAILED, Result.SKIPPED)
# The mapping itself gave no values.
UNMAPPED = ("expression-error", "ignored-by-rule")


@dataclass(slots=True)
class Imported:
    """What Entra holds now. `lists`: the groups that list the person, or the members of the group; None when gone."""

    item: dict[str, Any]
    lists: list[dict[str, Any]] | None = None
    manager: str = ""

    @property
    def gone(self) -> bool:
        return self.lists is None


@dataclass(slots=True)
class Decision:
    """What the rooms decided, read before a dry run is rolled back."""

    in_scope: bool
    scope: dict[str, Any]
    link: Link | None
    findings: Sequence[acceptance.AcceptanceFinding]
    operations: list[Operation] = field(default_factory=list)


class OneObject:
    """One object of a demand. Raises GraphError, ScimError, Cancelled, LeaseLost or TokenRefused."""

    def __init__(
        self,
        run: Run,
        row: DemandObject,
        watch: Watch,
        graph: GraphClient,
        scim: ScimClient,
        *,
        configuration: Configuration,
        clock: Callable[[], float],
        dry_run: bool,
    ) -> None:
        self.run = run
        self.tenant = run.tenant
        self.row = row
        self.is_user = row.object_type == "user"
        self.watch = watch
        self.graph = graph
        self.scim = scim
        self.configuration = configuration
        self.rules = Rules.of(configuration)
        self.dry_run = dry_run
        self.steps = StepLog(row)
        self.phases = PhaseLog(run, clock)
        self.newest = self.tenant.snapshots.order_by("-pk").values_list("pk", flat=True).first() or 0
        self.before = run.operations.order_by("-pk").values_list("pk", flat=True).first() or 0

    def carry_out(self) -> None:
        imported = self._read_person() if self.is_user else self._read_group()
        if imported is None:
            return
        decision = self._decide(imported)
        if self._explain(decision):
            self._write(decision)

    # Read from Entra

    def _read_person(self) -> Imported | None:
        select = [name for name in self.rules.selects("user") if name != "manager"]
        try:
            found = self.graph.user(self.row.object_id, select)
            groups = [one for one in self.graph.member_of(self.row.object_id) if _is(one, "group")]
        except NotInEntra:
            return self._gone(DirectoryUser)
        manager = self.graph.manager(self.row.object_id) or {}
        found = dict.fromkeys(select) | found
        self._name(found)
        shown = {key: value for key, value in found.items() if value is not None and not key.startswith("@")}
        self.steps.done(
            "import",
            properties=shown,
            manager=manager.get("displayName") or manager.get("id", ""),
            groups=[one.get("displayName") or one["id"] for one in groups],
        )
        return Imported(found, groups, str(manager.get("id", "")))

    def _read_group(self) -> Imported | None:
        select = self.rules.selects("group")
        try:
            found = self.graph.group(self.row.object_id, select)
            members = list(self.graph.members(self.row.object_id))
        except NotInEntra:
            return self._gone(DirectoryGroup)
        found = dict.fromkeys(select) | found
        self._name(found)
        shown = {key: value for key, value in found.items() if value is not None and not key.startswith("@")}
        people = sum(_is(member, "user") for member in members)
        self.steps.done("import", properties=shown, members=people)
        return Imported(found, members)

    def _name(self, found: Mapping[str, Any]) -> None:
        self.row.display_name = str(found.get("displayName") or self.row.display_name)[:256]

    def _gone(self, model: type[DirectoryUser] | type[DirectoryGroup]) -> Imported | None:
        """404 is no proof of a purge: it disables, and only a delta round's own word deletes later."""
        known = model.objects.filter(tenant=self.tenant, object_id=self.row.object_id).first()
        if known is None and not self._link():
            self.steps.failed("import", "not-in-entra")
            self.steps.end(Result.FAILED)
            return None
        self._name({"displayName": known.display_name if known else ""})
        self.steps.done("import", deleted=True)
        return Imported({"id": self.row.object_id, "@removed": {"reason": "changed"}})

    # Scope, match and plan

    def _decide(self, imported: Imported) -> Decision:
        answers = Answers(self.scim)
        while True:
            try:
                return self._decide_once(imported, answers)
            except NotAsked as missing:
                answers.ask(missing.question)

    @transaction.atomic
    def _decide_once(self, imported: Imported, answers: Answers) -> Decision:
        # One above the newest: whoever is touched here is looked at by the next run too. It is not stored, since it
        # says nothing about anybody else.
        snapshot = Snapshot(pk=self.newest + 1, tenant=self.tenant, full=False, sealed_at=timezone.now())
        self._apply(snapshot, imported)
        since = watermark(self.run, self.tenant, self.configuration)
        nesting.refresh(self.tenant, snapshot, self.rules, since)
        beside = self._groups_beside()
        self._forget_stale_plans(beside)
        evaluation = Evaluation(
            self.run, snapshot, self.rules, cast(ScimClient, answers), since=snapshot.pk, watch=self.watch
        )
        if self.is_user:
            self._plan_person(evaluation, snapshot, beside)
        else:
            self._plan_group(evaluation)
        self._guard(evaluation)
        decision = self._decision(evaluation)
        if self.dry_run:
            transaction.set_rollback(True)
        return decision

    def _apply(self, snapshot: Snapshot, imported: Imported) -> None:
        page = DeltaPage([imported.item], None, None)
        if self.is_user:
            self._apply_person(snapshot, page, imported)
        elif not self._purged(DirectoryGroup):
            apply_groups(snapshot, page)
            self._apply_members(snapshot, imported)
        for model in (DirectoryUser, DirectoryGroup, DirectoryMembership):
            # Seen by a reading of one object: a full round's set difference goes by its own snapshot.
            model.objects.filter(tenant=self.tenant, seen_snapshot=snapshot.pk).update(seen_snapshot=self.newest)

    def _purged(self, model: type[DirectoryUser] | type[DirectoryGroup]) -> bool:
        return model.objects.filter(tenant=self.tenant, object_id=self.row.object_id, deleted="purged").exists()

    def _apply_person(self, snapshot: Snapshot, page: DeltaPage, imported: Imported) -> None:
        if imported.lists is None:
            if not self._purged(DirectoryUser):
                apply_users(snapshot, page)
            return
        entries = [{"id": imported.manager}] if imported.manager else []
        imported.item["manager@delta"] = entries
        apply_users(snapshot, page)
        user_id = self.row.object_id
        listing = {one["id"] for one in imported.lists}
        rows = DirectoryMembership.objects.filter(tenant=self.tenant, member_id=user_id)
        before = set(rows.values_list("group_id", flat=True))
        known = DirectoryGroup.objects.filter(tenant=self.tenant, object_id__in=listing - before)
        for group_id in known.values_list("object_id", flat=True):
            rounds.apply_members(snapshot, group_id, [{"id": user_id, "@odata.type": "#microsoft.graph.user"}])
        for group_id in before - listing:
            rounds.apply_members(snapshot, group_id, [{"id": user_id, "@removed": {"reason": "deleted"}}])

    def _apply_members(self, snapshot: Snapshot, imported: Imported) -> None:
        if imported.lists is None:
            return
        present = {member["id"] for member in imported.lists}
        rows = DirectoryMembership.objects.filter(tenant=self.tenant, group_id=self.row.object_id)
        gone = set(rows.values_list("member_id", flat=True)) - present
        removed = [{"id": member, "@removed": {"reason": "deleted"}} for member in gone]
        rounds.apply_members(snapshot, self.row.object_id, [*imported.lists, *removed])
        # Members who wait for their own creation come with the next run, which looks at this group again.
        DirectoryGroup.objects.filter(tenant=self.tenant, object_id=self.row.object_id).update(
            changed_snapshot=snapshot.pk
        )

    def _groups_beside(self) -> set[str]:
        """The groups that AWS holds and that list the person, in Entra or in AWS."""
        if not self.is_user:
            return set()
        written = MembershipLink.objects.filter(tenant=self.tenant, user__object_id=self.row.object_id)
        ids = self._listing() | set(written.values_list("group__object_id", flat=True))
        held = Link.objects.filter(tenant=self.tenant, object_type="group", object_id__in=ids).exclude(scim_id="")
        return set(held.values_list("object_id", flat=True))

    def _listing(self) -> set[str]:
        return set(nesting.assigned_groups_listing(self.tenant, [self.row.object_id]))

    def _plan_person(self, evaluation: Evaluation, snapshot: Snapshot, beside: set[str]) -> None:
        people = DirectoryUser.objects.filter(tenant=self.tenant, object_id=self.row.object_id)
        ScopePass(self.tenant, snapshot, self.rules, snapshot.pk, self.watch).decide_for(people)
        evaluation.plan_people(people)
        Clashes(self.run, "user").settle()
        ids = beside & evaluation.groups_in_scope
        evaluation.plan_groups(DirectoryGroup.objects.filter(tenant=self.tenant, deleted="", object_id__in=ids))
        for link in Link.objects.filter(tenant=self.tenant, object_type="group", object_id__in=beside - ids):
            evaluation.plan_group_out_of_scope(link)
        self._keep_own_memberships()

    def _keep_own_memberships(self) -> None:
        """What else is to be done about those groups is left to the run that looks at them."""
        for operation in self.run.operations.filter(pk__gt=self.before).exclude(object_type="user"):
            if operation.object_type == "membership" and self.row.object_id in operation.changes["members"]:
                operation.changes, operation.people = {"members": [self.row.object_id]}, 1
                operation.save(update_fields=["changes", "people"])
            else:
                operation.delete()

    def _plan_group(self, evaluation: Evaluation) -> None:
        inside = DirectoryGroup.objects.filter(tenant=self.tenant, deleted="", object_id=self.row.object_id)
        if self.row.object_id in evaluation.groups_in_scope and inside.exists():
            evaluation.plan_groups(inside)
            Clashes(self.run, "group").settle()
        elif link := self._link():
            evaluation.plan_group_out_of_scope(link)

    def _guard(self, evaluation: Evaluation) -> None:
        """The limits are those of every run; what was removed in the last day and week counts."""
        configuration = self.configuration
        guard = Guard(self.run, configuration.confirmed_run if configuration.confirmed else None)
        guard.check()
        wanted = evaluation.still_wanted | guard.held
        holds.close_unwanted(self.tenant, wanted, [self.row.object_id])

    def _forget_stale_plans(self, beside: set[str]) -> None:
        """What the run in progress has planned for this object and not sent is planned anew here."""
        planned = Operation.objects.filter(tenant=self.tenant, result=Result.PLANNED)
        if not self.is_user:
            planned.filter(object_id=self.row.object_id).exclude(object_type="user").delete()
            return
        planned.filter(object_type="user", object_id=self.row.object_id).delete()
        listing = self._listing()
        for operation in planned.exclude(object_type="user"):
            # A group that AWS does not hold yet is left to the run that creates it.
            if operation.object_id in beside or operation.object_id not in listing:
                self._take_out(operation)

    def _take_out(self, operation: Operation) -> None:
        members = operation.changes.get("members", [])
        if self.row.object_id not in members:
            return
        rest = [member for member in members if member != self.row.object_id]
        if not rest and operation.object_type == "membership":
            operation.delete()
            return
        operation.changes = operation.changes | {"members": rest}
        operation.people = len(rest) if operation.object_type == "membership" else operation.people
        operation.save(update_fields=["changes", "people"])

    def _decision(self, evaluation: Evaluation) -> Decision:
        operations = list(self.run.operations.filter(pk__gt=self.before).order_by("stage", "pk"))
        link = self._link()
        if self.is_user:
            user = DirectoryUser.objects.get(tenant=self.tenant, object_id=self.row.object_id)
            findings = self._findings(evaluation, user, link) if user.in_scope else ()
            return Decision(user.in_scope, self._scope_of(user), link, findings, operations)
        group = DirectoryGroup.objects.filter(tenant=self.tenant, object_id=self.row.object_id).first()
        properties, deleted = (group.properties, bool(group.deleted)) if group else ({}, True)
        scope = self.rules.scope_of_group(self.row.object_id, properties, deleted=deleted)
        findings = self._findings(evaluation, group, link) if scope.in_scope and group else ()
        facts = {"reason": scope.reason} | (self._filtered(scope.reason, group) if group else {})
        return Decision(scope.in_scope, facts, link, findings, operations)

    def _filtered(self, reason: str, row: DirectoryUser | DirectoryGroup) -> dict[str, Any]:
        """What each filter found, for somebody whom none lets pass."""
        if reason != Reason.OUTSIDE_FILTER:
            return {}
        gate = self.rules.people_gate if self.is_user else self.rules.group_gate
        return {
            "filters": [told(verdict, self.row.object_type) for verdict in filters.judge(gate.filters, row.properties)]
        }

    def _link(self) -> Link | None:
        return links_of(self.tenant, self.row.object_type, [self.row.object_id]).get(self.row.object_id)

    def _scope_of(self, user: DirectoryUser) -> dict[str, Any]:
        path = user.scope_path or ([user.scope_through] if user.scope_through else [])
        groups = DirectoryGroup.objects.filter(tenant=self.tenant, object_id__in=path)
        names = {group.object_id: str(group) for group in groups}
        shown = [names.get(object_id, object_id) for object_id in path]
        facts = {"reason": user.scope_reason, "through": shown[0] if shown else "", "path": shown}
        return facts | self._filtered(user.scope_reason, user)

    def _findings(
        self, evaluation: Evaluation, row: DirectoryUser | DirectoryGroup, link: Link | None
    ) -> Sequence[acceptance.AcceptanceFinding]:
        known = link.written if link else {}
        mapper = evaluation.people if self.is_user else evaluation.groups
        mapped = mapper.map(row.properties, present=True, creating=not (link and link.scim_id))
        units = mapper.desired(mapped, known)
        if not self.is_user:
            return acceptance.check_group(units)
        source = cast(NameIdSource, self.tenant.name_id)
        name_id = acceptance.check_name_id(str(units.get("userName") or ""), row.properties, source)
        return acceptance.worst_first([*acceptance.check_user(units), *name_id])

    # The steps in words

    def _explain(self, decision: Decision) -> bool:
        """Tells scope, readiness, match and plan; whether something is to be written."""
        if decision.in_scope:
            self.steps.done("scope", **decision.scope)
        else:
            self.steps.failed("scope", "", **decision.scope)
        refusal = next((row for row in decision.operations if row.result in REFUSED and row.problem), None)
        self._explain_ready(decision, refusal)
        if not self.row.result:
            self._explain_match(decision, refusal)
        if self.row.result:
            return False
        if refusal is not None:
            self.steps.failed("plan", refusal.problem, attribute=refusal.attribute, error=refusal.error)
            self._refused(refusal)
            return False
        todo = [row for row in decision.operations if row.result in (Result.PLANNED, Result.HELD)]
        self.steps.done("plan", operations=[shown(row) for row in todo])
        if not todo:
            self.steps.skipped("write", why="nothing")
            if decision.in_scope and decision.link and decision.link.scim_id:
                self._read_back()
            self.steps.end("no_change" if decision.in_scope else Result.SKIPPED)
            return False
        if self.dry_run:
            self.steps.skipped("write", "read_back", why="dry-run")
            held = all(row.result == Result.HELD for row in todo)
            self.steps.end(Result.HELD if held else Result.PLANNED)
            return False
        return True

    def _explain_ready(self, decision: Decision, refusal: Operation | None) -> None:
        if not decision.in_scope:
            self.steps.skipped("ready")
            return
        findings = [
            {
                "code": one.code,
                "attribute": one.attribute,
                "certain": one.certain,
                "value": acceptance.visible(one.value),
            }
            for one in decision.findings
        ]
        if refusal is not None and (refusal.problem in acceptance.BY_CODE or refusal.problem in UNMAPPED):
            self.steps.failed(
                "ready", refusal.problem, attribute=refusal.attribute, error=refusal.error, findings=findings
            )
            self._refused(refusal, "match", "plan")
        else:
            self.steps.done("ready", findings=findings)

    def _explain_match(self, decision: Decision, refusal: Operation | None) -> None:
        link = decision.link
        linking = next((row for row in decision.operations if row.action == "link"), None)
        if refusal is not None and refusal.problem in set(Verdict):
            self.steps.failed("match", refusal.problem, **_match_of(link))
            self._refused(refusal, "plan")
        elif linking is not None:
            self.steps.done("match", how="matched", **_match_of(link))
        elif link is not None and link.scim_id:
            self.steps.done("match", how="linked", scim_id=link.scim_id, origin=link.origin)
        elif decision.in_scope:
            self.steps.done("match", how="unmatched")
        else:
            self.steps.skipped("match", how="not-in-aws")

    def _refused(self, refusal: Operation, *steps: str) -> None:
        self.steps.skipped(*steps, "write", "read_back", why="refused")
        self.steps.end(refusal.result)

    # Write and read back

    def _write(self, decision: Decision) -> None:
        if any(row.result == Result.PLANNED for row in decision.operations):
            export(self.run, self.watch, self.phases, self.scim, 1)
            holds.close_done(self.run)
        rows = list(self.run.operations.filter(pk__gt=self.before).order_by("stage", "pk"))
        written = [shown(row) for row in rows]
        bad = next((row for row in rows if row.result in (Result.FAILED, Result.WILL_RETRY)), None)
        if bad is not None:
            self.steps.failed("write", bad.problem, operations=written, attribute=bad.attribute, error=bad.error)
        elif all(row.result == Result.HELD for row in rows):
            self.steps.skipped("write", why="held", operations=written)
        else:
            self.steps.done("write", operations=written)
        same = self._read_back()
        self.steps.end(result_of(rows) if same else Result.FAILED)

    def _read_back(self) -> bool:
        """Whether AWS holds what was written last."""
        link = self._link()
        if link is None or not link.scim_id:
            self.steps.skipped("read_back")
            return True
        try:
            answer = self.scim.get_user(link.scim_id) if self.is_user else self.scim.get_group(link.scim_id)
        except NotInAws:
            self.steps.failed("read_back", "not-found-link", scim_id=link.scim_id)
            return False
        differs = self._differences(link, answer.resource or {})
        members = self._memberships_that_differ(link)
        if differs or members:
            self.steps.failed("read_back", "differs", differences=differs, memberships=members, scim_id=link.scim_id)
            return False
        self.steps.done("read_back", scim_id=link.scim_id, fields=len(link.written))
        return True

    def _differences(self, link: Link, held: Mapping[str, Any]) -> dict[str, Any]:
        """Units in AWS that are not what was written; a unit that is unknown (its answer got lost) says nothing."""
        wanted = {unit: value for unit, value in link.written.items() if value is not None}
        if isinstance(wanted.get(MANAGER), dict):
            manager = links_of(self.tenant, "user", [wanted[MANAGER]["value"]]).get(wanted[MANAGER]["value"])
            wanted[MANAGER] = manager.scim_id if manager else ""
        found = resource.units_held(held, wanted)
        if isinstance(found.get(MANAGER), dict):
            found[MANAGER] = found[MANAGER].get("value", "")
        hidden = redacted_units(self.tenant)[link.object_type]
        return {
            unit: dict.fromkeys(("before", "after"), resource.REDACTED)
            if unit in hidden
            else {"before": found.get(unit), "after": value}
            for unit, value in wanted.items()
            if not same_value(found.get(unit), value)
        }

    def _memberships_that_differ(self, link: Link) -> list[str]:
        """Names of those who are not members in AWS although they were written; of a person: the groups."""
        if not self.is_user:
            held = set(self.scim.members_of(link.scim_id))
            rows = link.member_links.filter(certain=True).select_related("user")
            return [row.user.object_id for row in rows if row.user.scim_id not in held]
        missing = []
        for row in link.group_links.filter(certain=True).select_related("group"):
            if link.scim_id not in self._members_like(row.group.scim_id, link.scim_id):
                missing.append(str(row.group.written.get("displayName") or row.group.object_id))
        return missing

    def _members_like(self, group_id: str, user_id: str) -> set[str]:
        if self.scim.endpoint.dialect != "aws":
            return set(self.scim.members_of(group_id))
        # AWS answers whether one group holds one person (Developer Guide, ListGroups: id and members).
        question = f'id eq "{group_id}" and members eq "{user_id}"'
        return {user_id} if any(True for _group in self.scim.list_groups(question)) else set()


def _is(item: Mapping[str, Any], kind: str) -> bool:
    return str(item.get("@odata.type", f"#microsoft.graph.{kind}")).endswith(f".{kind}")


def _match_of(link: Link | None) -> dict[str, str]:
    if link is None:
        return {}
    return {"attribute": link.match_attribute, "name": link.match_name, "scim_id": link.match_scim_id}


def same_value(held: Any, written: Any) -> bool:
    """Equal as far as we wrote it: AWS may add keys of its own to an element of a list."""
    if isinstance(written, dict) and isinstance(held, dict):
        return all(same_value(held.get(key), value) for key, value in written.items())
    if isinstance(written, list) and isinstance(held, list):
        pairs = zip(held, written, strict=False)
        return len(held) == len(written) and all(same_value(one, other) for one, other in pairs)
    return bool(held == written)


__all__ = ["STEPS", "OneObject", "StepLog"]
