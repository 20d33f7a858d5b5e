"""Second act: the stages of a run on this one object, from scope to the guard. A dry run is rolled back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from django.db import transaction
from django.utils import timezone

from sync.engine.evaluation.evaluation import Evaluation
from sync.engine.evaluation.notes import LinkNotes
from sync.engine.guard import holds
from sync.engine.guard.guard import Guard
from sync.engine.scope import nesting
from sync.engine.scope.deciding import ScopePass
from sync.engine.work import watermark
from sync.models import DirectoryGroup, DirectoryUser, Link, MembershipLink, Operation, Result, Snapshot
from sync.on_demand.answers import Answers, NotAsked
from sync.on_demand.asked import Asked
from sync.on_demand.reading import Imported, apply
from sync.on_demand.steps import verdict_facts
from sync.rules import filters
from sync.rules.acceptance import AcceptanceFinding, NameIdSource
from sync.rules.scope import Reason


@dataclass(slots=True)
class Decision:
    """What the stages decided, read before a dry run is rolled back."""

    in_scope: bool
    scope: dict[str, Any]
    link: Link | None
    findings: Sequence[AcceptanceFinding]
    operations: list[Operation] = field(default_factory=list)


def decide(asked: Asked, imported: Imported) -> Decision:
    answers = Answers(asked.scim)
    while True:
        try:
            return _decide_once(asked, imported, answers)
        except NotAsked as missing:
            answers.ask(missing.question)


@transaction.atomic
def _decide_once(asked: Asked, imported: Imported, answers: Answers) -> Decision:
    # One above the newest: whoever is touched here is looked at by the next run too. It is not stored, since it
    # says nothing about anybody else.
    snapshot = Snapshot(pk=asked.newest + 1, tenant=asked.tenant, full=False, sealed_at=timezone.now())
    apply(asked, snapshot, imported)
    since = watermark(asked.run, asked.tenant, asked.configuration)
    nesting.refresh(asked.tenant, snapshot, asked.rules, since)
    beside = _groups_beside(asked)
    _forget_stale_plans(asked, beside)
    notes = LinkNotes(asked.run, snapshot, asked.rules, snapshot.pk, asked.watch)
    notes.taken = asked.taken
    evaluation = Evaluation(asked.run, snapshot, asked.rules, answers, notes, since=snapshot.pk, watch=asked.watch)
    if asked.is_user:
        _plan_person(asked, evaluation, snapshot, beside)
    else:
        _plan_group(asked, evaluation)
    _guard(asked, evaluation)
    decision = _decision(asked, evaluation)
    if asked.dry_run:
        transaction.set_rollback(True)
    return decision


def _groups_beside(asked: Asked) -> set[str]:
    """The groups that AWS holds and that list the person, in Entra or in AWS."""
    if not asked.is_user:
        return set()
    written = MembershipLink.objects.filter(tenant=asked.tenant, user__object_id=asked.row.object_id)
    ids = _listing(asked) | set(written.values_list("group__object_id", flat=True))
    held = Link.objects.filter(tenant=asked.tenant, object_type="group", object_id__in=ids).exclude(scim_id="")
    return set(held.values_list("object_id", flat=True))


def _listing(asked: Asked) -> set[str]:
    return set(nesting.assigned_groups_listing(asked.tenant, [asked.row.object_id]))


def _plan_person(asked: Asked, evaluation: Evaluation, snapshot: Snapshot, beside: set[str]) -> None:
    people = DirectoryUser.objects.filter(tenant=asked.tenant, object_id=asked.row.object_id)
    ScopePass(asked.tenant, snapshot, asked.rules, snapshot.pk, asked.watch).decide_for(people)
    evaluation.plan_people(people)
    evaluation.notes.settle_clashes("user")
    ids = beside & evaluation.groups_in_scope
    evaluation.plan_groups(DirectoryGroup.objects.filter(tenant=asked.tenant, deleted="", object_id__in=ids))
    for link in Link.objects.filter(tenant=asked.tenant, object_type="group", object_id__in=beside - ids):
        evaluation.plan_group_out_of_scope(link)
    _keep_own_memberships(asked)


def _keep_own_memberships(asked: Asked) -> None:
    """What else is to be done about those groups is left to the run that looks at them."""
    for operation in asked.run.operations.filter(pk__gt=asked.before).exclude(object_type="user"):
        if operation.object_type == "membership" and asked.row.object_id in operation.member_ids:
            operation.changes, operation.people = {"members": [asked.row.object_id]}, 1
            operation.save(update_fields=["changes", "people"])
        else:
            operation.delete()


def _plan_group(asked: Asked, evaluation: Evaluation) -> None:
    group = DirectoryGroup.objects.filter(tenant=asked.tenant, object_id=asked.row.object_id)
    ScopePass(asked.tenant, evaluation.snapshot, asked.rules, evaluation.snapshot.pk, asked.watch).decide_groups(group)
    inside = group.filter(deleted="")
    if asked.row.object_id in evaluation.groups_in_scope and inside.exists():
        evaluation.plan_groups(inside)
        evaluation.notes.settle_clashes("group")
    elif link := asked.link:
        evaluation.plan_group_out_of_scope(link)


def _guard(asked: Asked, evaluation: Evaluation) -> None:
    """The limits are those of every run; what was removed in the last day and week counts."""
    configuration = asked.configuration
    guard = Guard(asked.run, configuration.confirmed_run if configuration.confirmed else None, configuration)
    guard.check()
    evaluation.notes.settle_held(asked.row.object_type)
    wanted = evaluation.still_wanted | evaluation.notes.still_wanted | guard.held
    holds.close_unwanted(asked.tenant, wanted, [asked.row.object_id])


def _forget_stale_plans(asked: Asked, beside: set[str]) -> None:
    """What the run in progress has planned for this object and not sent is planned anew here."""
    planned = Operation.objects.filter(tenant=asked.tenant, result=Result.PLANNED)
    if not asked.is_user:
        planned.filter(object_id=asked.row.object_id).exclude(object_type="user").delete()
        return
    planned.filter(object_type="user", object_id=asked.row.object_id).delete()
    listing = _listing(asked)
    for operation in planned.exclude(object_type="user"):
        # A group that AWS does not hold yet is left to the run that creates it.
        if operation.object_id in beside or operation.object_id not in listing:
            _take_out(asked, operation)


def _take_out(asked: Asked, operation: Operation) -> None:
    members = operation.member_ids
    if asked.row.object_id not in members:
        return
    rest = [member for member in members if member != asked.row.object_id]
    if not rest and operation.object_type == "membership":
        operation.delete()
        return
    operation.changes = operation.changes | {"members": rest}
    operation.people = len(rest) if operation.object_type == "membership" else operation.people
    operation.save(update_fields=["changes", "people"])


def _decision(asked: Asked, evaluation: Evaluation) -> Decision:
    operations = list(asked.run.operations.filter(pk__gt=asked.before).order_by("stage", "pk"))
    link = asked.link
    if asked.is_user:
        user = DirectoryUser.objects.get(tenant=asked.tenant, object_id=asked.row.object_id)
        findings = _findings(asked, evaluation, user, link) if user.in_scope else ()
        return Decision(user.in_scope, _scope_of(asked, user), link, findings, operations)
    group = DirectoryGroup.objects.filter(tenant=asked.tenant, object_id=asked.row.object_id).first()
    properties, deleted = (group.properties, bool(group.deleted)) if group else ({}, True)
    scope = asked.rules.scope_of_group(asked.row.object_id, properties, deleted=deleted)
    findings = _findings(asked, evaluation, group, link) if scope.in_scope and group else ()
    facts = {"reason": scope.reason} | (_filtered(asked, scope.reason, group) if group else {})
    return Decision(scope.in_scope, facts, link, findings, operations)


def _filtered(asked: Asked, reason: str, row: DirectoryUser | DirectoryGroup) -> dict[str, Any]:
    """What each filter found, for somebody whom none lets pass."""
    if reason != Reason.OUTSIDE_FILTER:
        return {}
    gate = asked.rules.people_gate if asked.is_user else asked.rules.group_gate
    return {
        "filters": [
            verdict_facts(verdict, asked.row.object_type, asked.hidden)
            for verdict in filters.judge(gate.filters, row.properties)
        ]
    }


def _scope_of(asked: Asked, user: DirectoryUser) -> dict[str, Any]:
    path = user.scope_path or ([user.scope_through] if user.scope_through else [])
    groups = DirectoryGroup.objects.filter(tenant=asked.tenant, object_id__in=path)
    names = {group.object_id: str(group) for group in groups}
    shown = [names.get(object_id, object_id) for object_id in path]
    facts = {"reason": user.scope_reason, "through": shown[0] if shown else "", "path": shown}
    return facts | _filtered(asked, user.scope_reason, user)


def _findings(
    asked: Asked, evaluation: Evaluation, row: DirectoryUser | DirectoryGroup, link: Link | None
) -> Sequence[AcceptanceFinding]:
    """As the pass judged the object, and what signing in to AWS will make of its name."""
    link = link or Link(tenant=asked.tenant, object_type=asked.row.object_type, object_id=row.object_id)
    if isinstance(row, DirectoryGroup):
        return evaluation.judge_group(row, link).findings
    source = cast(NameIdSource, asked.tenant.name_id)
    return evaluation.judge_person(row, link, evaluation.managers([row]), name_id=source).findings
