"""The journal of a run: intents and results committed, links moved, counts kept. The only writer while a run exports."""

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from sync.exporting import Outcome, Request, find_created
from sync.leases import Cancelled, Lease
from sync.models import DirectoryUser, Link, MembershipLink, Operation, Result, Run
from sync.phases import PhaseLog
from sync.planning import MANAGER, Change
from sync.scim import diagnosis, resource
from sync.scim.client import Answer, ScimClient
from sync.scim.errors import Forbidden, NotFound, ScimError, Unauthorised

# What each action is called when AWS agreed, and the two ways in which it may not.
DONE = {
    "create": Result.CREATED,
    "update": Result.UPDATED,
    "disable": Result.DISABLED,
    "enable": Result.ENABLED,
    "link": Result.LINKED,
    "add_member": Result.ADDED,
    "remove_member": Result.REMOVED,
}
UNFINISHED = (Result.PLANNED, Result.SENT)
# Escrow: how long an object waits after its first, second … failure, before it is tried again unchanged.
RETRY_MINUTES = (5, 15, 60, 240, 1440)


class TokenRefused(Exception):
    """AWS answered 401 or 403: every further request would fail the same way."""


class Subject:
    """Whom an operation is about, in the log's words."""

    __slots__ = ("detail_name", "display_name", "link", "object_id", "object_type")

    def __init__(self, link: Link, display_name: str, detail_name: str = "") -> None:
        self.link = link
        self.object_type = link.object_type
        self.object_id = link.object_id
        self.display_name = display_name
        self.detail_name = detail_name


def store_plan(run: Run, planned: Iterable[tuple[Subject, Change]], sources: Mapping[str, str]) -> int:
    """Plan rows, as they come. `sources` names the mapping behind each unit."""
    rows = [_row(run, subject, change, sources) for subject, change in planned]
    Operation.objects.bulk_create(rows, batch_size=500)
    return len(rows)


def store_refusal(run: Run, subject: Subject, problem: str, error: str, attribute: str = "") -> None:
    """A decision not to write: it stands in the log like a failed request."""
    Operation.objects.create(
        run=run,
        tenant_id=run.tenant_id,
        object_type=subject.object_type,
        object_id=subject.object_id,
        display_name=subject.display_name,
        detail_name=subject.detail_name,
        action="create",
        result=Result.FAILED,
        problem=problem,
        attribute=attribute,
        error=error,
        finished_at=timezone.now(),
    )


def _row(run: Run, subject: Subject, change: Change, sources: Mapping[str, str]) -> Operation:
    changes = {
        unit: value | {"mapping": sources.get(unit, "")} if isinstance(value, dict) else value
        for unit, value in change.changes.items()
    }
    return Operation(
        run=run,
        tenant_id=run.tenant_id,
        stage=change.stage,
        object_type="membership" if change.action.endswith("_member") else subject.object_type,
        object_id=subject.object_id,
        display_name=subject.display_name[:256],
        detail_name=subject.detail_name[:256],
        scim_id=change.scim_id or subject.link.scim_id,
        action=change.action,
        changes=changes,
        desired=dict(change.desired),
    )


class Journal:
    """Intents and results of one stage of a run (see sync/exporting.Journal)."""

    def __init__(self, run: Run, lease: Lease, stage: int, phases: PhaseLog) -> None:
        self.run = run
        self.lease = lease
        self.stage = stage
        self.phases = phases

    def begin(self, count: int) -> Sequence[Request]:
        if count <= 0:
            return []
        with transaction.atomic():
            self.lease.renew()
            if Run.objects.filter(pk=self.run.pk, state=Run.State.CANCELLING).exists():
                raise Cancelled
            planned = self.run.operations.filter(result=Result.PLANNED, stage=self.stage).order_by("pk")[:count]
            return [request for operation in planned if (request := self._intend(operation))]

    def _intend(self, operation: Operation) -> Request | None:
        link = Link.objects.get(
            tenant_id=operation.tenant_id,
            object_type="group" if operation.object_type == "membership" else operation.object_type,
            object_id=operation.object_id,
        )
        request = self._request(operation, link)
        if request is None:
            return None
        operation.result = Result.SENT
        operation.epoch = self.lease.epoch
        operation.sent_at = timezone.now()
        operation.save(update_fields=["result", "epoch", "sent_at", "scim_id", "changes"])
        return request

    def _request(self, operation: Operation, link: Link) -> Request | None:
        operation.scim_id = operation.scim_id or link.scim_id
        if operation.action == "create":
            return self._create(operation)
        if not operation.scim_id:
            # The object itself was refused in an earlier stage: its managers and members wait for the next run.
            self._skip(operation, "waits-for-object")
            return None
        if operation.action in ("add_member", "remove_member"):
            return self._members(operation)
        return self._patch(operation, link)

    def _create(self, operation: Operation) -> Request:
        if operation.object_type == "user":
            return Request(operation.pk, "create_user", body=resource.user_body(operation.desired))
        body = resource.group_body(operation.desired)
        if members := self._scim_ids(operation.changes.get("members", [])):
            operation.changes["members"] = list(members)
            body["members"] = [{"value": scim_id, "type": "User"} for scim_id in members.values()]
        return Request(operation.pk, "create_group", body=body)

    def _patch(self, operation: Operation, link: Link) -> Request | None:
        after = dict(operation.desired)
        if after.get(MANAGER):
            manager = self._scim_ids([after[MANAGER]["value"]])
            if not manager:
                self._skip(operation, "manager-not-in-aws")
                return None
            after[MANAGER] = {"value": next(iter(manager.values()))}
        before = {unit: change.get("before") for unit, change in operation.changes.items()}
        operations = resource.patch_operations(
            {unit: value for unit, value in before.items() if value is not None or after.get(unit) is None},
            {unit: value for unit, value in after.items() if value is not None},
        )
        if not operations:
            return Request(operation.pk, "nothing")
        kind = "patch_user" if link.object_type == "user" else "patch_group"
        return Request(operation.pk, kind, operation.scim_id, operations)  # type: ignore[arg-type]

    def _members(self, operation: Operation) -> Request | None:
        members = self._scim_ids(operation.changes["members"])
        if not members:
            self._skip(operation, "waits-for-object")
            return None
        operation.changes["members"] = list(members)
        adding = operation.action == "add_member"
        if not adding:
            self._membership_links(operation).update(certain=False)
        return Request(
            operation.pk, "add_members" if adding else "remove_members", operation.scim_id, list(members.values())
        )

    def _scim_ids(self, object_ids: Sequence[str]) -> dict[str, str]:
        """AWS ids of people by Entra id, for those whom AWS holds."""
        rows = Link.objects.filter(tenant_id=self.run.tenant_id, object_type="user", object_id__in=object_ids)
        return dict(rows.exclude(scim_id="").values_list("object_id", "scim_id"))

    def _skip(self, operation: Operation, problem: str) -> None:
        operation.result = Result.SKIPPED
        operation.problem = problem
        operation.finished_at = timezone.now()
        operation.save(update_fields=["result", "problem", "finished_at"])
        Link.objects.filter(tenant_id=operation.tenant_id, object_id=operation.object_id).update(
            retry_at=timezone.now()
        )

    def finish(self, outcomes: Sequence[Outcome]) -> None:
        with transaction.atomic():
            self.lease.renew()
            operations = Operation.objects.in_bulk([outcome.operation_id for outcome in outcomes])
            for outcome in outcomes:
                self._record(operations[outcome.operation_id], outcome)
        self.phases.save()
        if any(isinstance(outcome.error, Unauthorised | Forbidden) for outcome in outcomes):
            raise TokenRefused

    def _record(self, operation: Operation, outcome: Outcome) -> None:
        operation.finished_at = timezone.now()
        if outcome.error is None:
            self._succeed(operation, outcome.answer)
        else:
            self._fail(operation, outcome.error)
        operation.save()

    def _succeed(self, operation: Operation, answer: Answer | None) -> None:
        operation.result = DONE[operation.action]
        if answer is not None:
            _keep_answer(operation, answer)
            operation.scim_id = operation.scim_id or str((answer.resource or {}).get("id", ""))
        self.run.counts[operation.result] = self.run.counts.get(operation.result, 0) + 1
        move_link(operation)

    def _fail(self, operation: Operation, error: ScimError) -> None:
        found = diagnosis.diagnose(error.method, error.path, error.status, error.detail, error.request)
        operation.result = Result.FAILED if error.permanent else Result.WILL_RETRY
        operation.problem, operation.attribute = found.code, found.attribute or ""
        operation.error, operation.status = error.detail, error.status
        operation.request_id = error.request_id or ""
        operation.request = {"method": error.method, "path": error.path, "body": error.request}
        operation.answer = {"status": error.status, "body": error.body}
        self.run.counts[operation.result] = self.run.counts.get(operation.result, 0) + 1
        self._escrow(operation, error)

    def _escrow(self, operation: Operation, error: ScimError) -> None:
        link = _link_of(operation)
        if isinstance(error, NotFound) and operation.object_type != "membership":
            # Somebody deleted the object in AWS: the link points nowhere, the next run matches or creates anew.
            _forget(link)
        if not error.permanent:
            unknown(operation, link)
        waits = RETRY_MINUTES[min(link.failures, len(RETRY_MINUTES) - 1)]
        link.failures += 1
        link.failure_code = operation.problem
        link.retry_at = operation.finished_at + datetime.timedelta(minutes=waits) if operation.finished_at else None
        link.save()

    def _membership_links(self, operation: Operation) -> Any:
        return MembershipLink.objects.filter(
            tenant_id=operation.tenant_id,
            group__object_id=operation.object_id,
            user__object_id__in=operation.changes["members"],
        )


def _keep_answer(operation: Operation, answer: Answer) -> None:
    operation.status = answer.status
    operation.request_id = answer.request_id or ""
    operation.attempts = answer.attempts
    operation.milliseconds = answer.milliseconds
    operation.request = {"body": answer.request}
    operation.answer = {"status": answer.status, "body": answer.response}


def _link_of(operation: Operation) -> Link:
    object_type = "group" if operation.object_type == "membership" else operation.object_type
    return Link.objects.get(tenant_id=operation.tenant_id, object_type=object_type, object_id=operation.object_id)


def _forget(link: Link) -> None:
    link.scim_id, link.written = "", {}
    link.member_links.all().delete()
    link.group_links.all().delete()


def move_link(operation: Operation) -> None:
    """What AWS took becomes what was last written; the object leaves escrow."""
    link = _link_of(operation)
    came_back_after_failures = bool(link.failures and not link.scim_id)
    link.scim_id = link.scim_id or operation.scim_id
    merged = link.written | operation.desired
    link.written = {unit: value for unit, value in merged.items() if value is not None}
    link.active = link.written.get("active") is not False
    link.written_at = operation.finished_at
    link.failures, link.failure_code, link.retry_at = 0, "", None
    link.save()
    _move_members(operation, link)
    if came_back_after_failures:
        # People who report to this person, and its groups, were planned without it.
        revisit_dependants(link)


def _move_members(operation: Operation, group: Link) -> None:
    members = operation.changes.get("members")
    if not members:
        return
    rows = MembershipLink.objects.filter(group=group, user__object_id__in=members)
    if operation.action == "remove_member":
        rows.delete()
        return
    rows.update(certain=True)
    present = set(rows.values_list("user__object_id", flat=True))
    users = Link.objects.filter(tenant_id=operation.tenant_id, object_type="user", object_id__in=members)
    MembershipLink.objects.bulk_create(
        MembershipLink(tenant_id=operation.tenant_id, group=group, user=user)
        for user in users
        if user.object_id not in present
    )


def revisit_dependants(link: Link) -> None:
    newer = link.tenant.snapshots.order_by("-pk").values_list("pk", flat=True)[:1].get() + 1
    DirectoryUser.objects.filter(tenant_id=link.tenant_id, manager_id=link.object_id).update(changed_snapshot=newer)


def unknown(operation: Operation, link: Link) -> None:
    """The request may or may not have been applied: its units are written anew, its members compared anew."""
    if operation.action == "create":
        return
    if operation.object_type == "membership":
        MembershipLink.objects.filter(group=link, user__object_id__in=operation.changes["members"]).update(
            certain=False
        )
        return
    link.written = link.written | dict.fromkeys(operation.desired)


def resolve_open_intents(run: Run, client: ScimClient) -> None:
    """Requests of a worker that died: what became of each is read from AWS, before anything is planned again."""
    for operation in Operation.objects.filter(tenant_id=run.tenant_id, result=Result.SENT).order_by("pk"):
        found = _read_created(operation, client) if operation.action == "create" else None
        with transaction.atomic():
            _resolve(operation, found)
    run.operations.filter(result=Result.PLANNED).delete()


def _read_created(operation: Operation, client: ScimClient) -> dict[str, Any] | None:
    return find_created(client, operation.object_type, operation.desired)


def _resolve(operation: Operation, found: dict[str, Any] | None) -> None:
    operation.finished_at = timezone.now()
    if found is not None:
        operation.scim_id = found["id"]
        operation.result = Result.CREATED
        operation.problem = "answer-lost"
        move_link(operation)
    else:
        link = _link_of(operation)
        unknown(operation, link)
        link.retry_at = operation.finished_at
        link.save()
        # Nothing is left open: the same run plans it again from what AWS holds.
        operation.result = Result.SKIPPED
        operation.problem = "answer-lost"
    operation.save()


def count_results(run: Run) -> dict[str, int]:
    """Results by name; memberships count people, not requests."""
    rows = run.operations.exclude(result__in=UNFINISHED).values("result").annotate(n=Count("pk"))
    counts = Counter({row["result"]: row["n"] for row in rows})
    for operation in run.operations.filter(result__in=(Result.ADDED, Result.REMOVED)).only("result", "changes"):
        counts[operation.result] += len(operation.changes.get("members", [])) - 1
    return dict(counts)
