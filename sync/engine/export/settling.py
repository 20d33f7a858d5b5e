"""What came of operations, moved into links and memberships: gathered first, then written by a few statements."""

import datetime
from collections.abc import Collection, Iterable, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from django.db.models import Q

from sync.db.bulk import put_values, update_rows
from sync.engine.evaluation.judgement import NO_MANAGER
from sync.engine.evaluation.plan_store import NOBODY
from sync.engine.work import note_pending, revisit_reports
from sync.models import DirectoryUser, Link, MembershipLink, Operation, Origin, Result
from sync.rules import escrow
from sync.rules.matching import Verdict, holder_in_words, name_of
from sync.rules.unique_keys import keys_of
from sync.scim import diagnosis, resource
from sync.scim.client import Answer
from sync.scim.errors import BadAnswer, Conflict, Contradiction, NotFound, ScimError, Untouchable
from sync.scim.resource import MANAGER
from sync.scim.writing import MembersConflict, TwoMatches, Written
from sync.standings import services as standings

# What each action is called when AWS agreed.
DONE = {
    "create": Result.CREATED,
    "update": Result.UPDATED,
    "disable": Result.DISABLED,
    "enable": Result.ENABLED,
    "delete": Result.DELETED,
    "link": Result.LINKED,
    "add_member": Result.ADDED,
    "remove_member": Result.REMOVED,
}
QUOTA = "quota-reached"
# AWS said that the linked object is not there.
GONE = "not-found-link"
OPERATION_FIELDS = (
    "result", "epoch", "sent_at", "finished_at", "scim_id", "changes", "people", "link", "problem", "attribute", "error",
    "status", "request_id", "request", "answer", "attempts", "milliseconds",
)  # fmt: skip
LINK_FIELDS = (
    "scim_id", "written", "written_at", "active", "origin", "linked_at", "disabled_at", "held_name", "held_email",
    "held_external", "failures", "failure_code", "failure_attribute", "failure_words", "failure_request_id",
    "holder_name", "holder_id", "retry_at", "warnings",
)  # fmt: skip

# Of those alone whom AWS's answer was about: who is matched is the evaluation's business.
MATCH_FIELDS = ("match_code", "match_attribute", "match_scim_id", "match_name", "match_at")


class Member(NamedTuple):
    link_id: int
    scim_id: str


def members(tenant_id: int, object_ids: Iterable[str]) -> dict[str, Member]:
    """People whom AWS holds, by Entra id."""
    rows = Link.objects.filter(tenant_id=tenant_id, object_type="user", object_id__in=list(object_ids))
    found = rows.exclude(scim_id="").values_list("object_id", "pk", "scim_id")
    return {object_id: Member(pk, scim_id) for object_id, pk, scim_id in found}


def links_of(operations: Iterable[Operation]) -> dict[int, Link]:
    """Fresh, by primary key. An operation that names no link is given the one of its object."""
    rows = list(operations)
    nameless = [operation for operation in rows if operation.link_id is None]
    for operation in nameless:
        object_type = "group" if operation.object_type == "membership" else operation.object_type
        found = Link.objects.filter(tenant_id=operation.tenant_id, object_type=object_type)
        operation.link_id = found.values_list("pk", flat=True).get(object_id=operation.object_id)
    return Link.objects.in_bulk([operation.link_id for operation in rows if operation.link_id])


NOTHING: Mapping[str, Collection[str]] = {}


class Settled:
    """Changes of operations and links until `save`, inside the caller's transaction."""

    def __init__(
        self, tenant_id: int, links: dict[int, Link], redacted: Mapping[str, Collection[str]] = NOTHING
    ) -> None:
        """`redacted`: by object type, the units whose values the log must not show."""
        self.tenant_id = tenant_id
        self.links = links
        self.redacted = redacted
        self.operations: list[Operation] = []
        # Those after which nothing more is asked of AWS about the same.
        self.finished: list[Operation] = []
        self.changed: dict[int, Link] = {}
        self.forgotten: list[Link] = []
        # Whose AWS object another one may be, or is no more.
        self.matched: list[Link] = []
        self.added: list[tuple[int, int]] = []
        self.removed: list[tuple[int, list[int]]] = []
        self.doubted: list[tuple[int, list[int]]] = []
        # People or groups with another AWS id now: whether AWS holds their memberships is not certain.
        self.uncertain: list[int] = []
        self.came_back: list[Link] = []

    def link_of(self, operation: Operation) -> Link:
        assert operation.link_id is not None
        return self.links[operation.link_id]

    # Success

    def succeed(
        self,
        operation: Operation,
        written: Written | None,
        named: Mapping[str, Member],
        now: datetime.datetime,
        *,
        keep_escrow: bool = False,
    ) -> None:
        """What AWS took becomes what was last written; the object leaves escrow, unless another request of it failed."""
        operation.result, operation.finished_at = DONE[operation.action], now
        answer = written.answer if written else None
        if answer is not None:
            self._keep_answer(operation, answer)
            operation.scim_id = operation.scim_id or str((answer.resource or {}).get("id", ""))
        self.operations.append(operation)
        self.finished.append(operation)
        link = self.link_of(operation)
        self.changed[link.pk] = link
        if not keep_escrow:
            if link.failures and not link.scim_id:
                self.came_back.append(link)
            _forget_failure(link)
        if operation.action == "delete":
            self.forget(link, now)
            return
        _move(link, operation, now)
        if None in link.written.values():
            # Something of it is unknown still: the next run writes it anew.
            link.retry_at = link.retry_at or now
        self._move_members(operation, link, named, set(written.missing) if written else set(), now)

    def _move_members(
        self,
        operation: Operation,
        group: Link,
        named: Mapping[str, Member],
        missing: set[str],
        now: datetime.datetime,
    ) -> None:
        present = {key: named[key] for key in operation.member_ids if key in named}
        if operation.action == "remove_member":
            self.removed.append((group.pk, [member.link_id for member in present.values()]))
            return
        gone = {key: member for key, member in present.items() if member.scim_id in missing}
        self.added += [(group.pk, member.link_id) for key, member in present.items() if key not in gone]
        if gone:
            self._leave_out(operation, gone, now)

    def _leave_out(self, operation: Operation, gone: Mapping[str, Member], now: datetime.datetime) -> None:
        """People who were deleted in AWS: the next run looks for them, or makes them anew."""
        operation.changes["members"] = [key for key in operation.member_ids if key not in gone]
        operation.problem = "not-found-link"
        if operation.object_type == "membership":
            operation.people = len(operation.member_ids)
        if operation.action == "add_member" and not operation.member_ids:
            operation.result = Result.SKIPPED
        for link in self._known(member.link_id for member in gone.values()):
            self.mark_gone(link, now)
            link.retry_at = now

    def mark_gone(self, link: Link, now: datetime.datetime) -> None:
        """AWS says that the object is not there. Its id is kept: if that was not so, it is known again by it."""
        link.match_code, link.match_scim_id = GONE, link.scim_id
        link.match_name, link.match_attribute, link.match_at = name_of(link.written), "id", now
        self.matched.append(link)
        self.forget(link, now)

    def forget(self, link: Link, now: datetime.datetime) -> None:
        """AWS does not hold the object any more. The manager of whoever reports to it is written anew."""
        link.scim_id, link.written, link.disabled_at = "", {}, None
        link.held_name = link.held_email = link.held_external = ""
        self.changed[link.pk] = link
        self.forgotten.append(link)
        self._rewrite_reports(link, now)

    def relink(self, link: Link, scim_id: str, now: datetime.datetime) -> None:
        """AWS holds the object under another id: everything that was written is written anew."""
        link.scim_id, link.written, link.linked_at = scim_id, dict.fromkeys(link.written), now
        link.retry_at = now
        self.changed[link.pk] = link
        self.uncertain.append(link.pk)
        self._rewrite_reports(link, now)

    def _rewrite_reports(self, link: Link, now: datetime.datetime) -> None:
        """In AWS they report to an id that is no longer this person's."""
        if link.object_type != "user":
            return
        people = DirectoryUser.objects.filter(tenant_id=self.tenant_id, manager_id=link.object_id).values("object_id")
        reports = Link.objects.filter(tenant_id=self.tenant_id, object_type="user", object_id__in=people)
        for report in self._known(reports.values_list("pk", flat=True)):
            if MANAGER in report.written:
                report.written = report.written | {MANAGER: None}
                report.retry_at = now
                self.changed[report.pk] = report

    def _known(self, keys: Iterable[int]) -> list[Link]:
        """The links with these primary keys: those in hand, the others read now."""
        wanted = list(keys)
        known = self.links | self.changed
        new = Link.objects.in_bulk([key for key in wanted if key not in known])
        return [link for key in wanted if (link := known.get(key) or new.get(key))]

    # Everything else

    def skip(self, operation: Operation, problem: str, now: datetime.datetime) -> None:
        operation.result, operation.problem, operation.finished_at = Result.SKIPPED, problem, now
        link = self.link_of(operation)
        due = now + escrow.wait_after("quota", 0) if problem == QUOTA else now
        # A failure of the object itself has a time of its own, which nothing that hangs on it moves nearer.
        link.retry_at = max(due, link.retry_at) if link.failures and link.retry_at else due
        self.changed[link.pk] = link
        if problem == NO_MANAGER:
            # The person is as well off as they can be.
            self.finished.append(operation)
            link.warnings = link.warnings or NO_MANAGER

    def fail(self, operation: Operation, error: ScimError, now: datetime.datetime) -> None:
        """Into the log, and the object into escrow."""
        self.describe_failure(operation, error, now)
        link = self.link_of(operation)
        self.changed[link.pk] = link
        kind = escrow.kind_of(error)
        if isinstance(error, NotFound) and link.scim_id:
            self._gone(link, error, now)
        if isinstance(error, Conflict) and error.holder and not link.scim_id:
            self._propose(link, error, error.holder, now)
        if may_be_applied(error):
            self.unknown(operation, link)
        link.retry_at = now + escrow.wait_after(kind, link.failures)
        link.failures += 1
        link.failure_code, link.failure_attribute = operation.problem, operation.attribute
        link.failure_words, link.failure_request_id = operation.error, operation.request_id
        holder = error.holder if isinstance(error, Conflict) else None
        link.holder_name, link.holder_id = (name_of(holder)[:1024], holder["id"]) if holder else NOBODY

    def _gone(self, link: Link, error: NotFound, now: datetime.datetime) -> None:
        taken = Link.objects.filter(tenant_id=self.tenant_id, object_type=link.object_type, scim_id=error.moved_to)
        if error.moved_to and not taken.exists():
            self.relink(link, error.moved_to, now)
        else:
            self.mark_gone(link, now)

    def _propose(self, link: Link, error: Conflict, holder: Mapping[str, Any], now: datetime.datetime) -> None:
        """Who holds the value may be the same person or group: somebody who is nobody's yet waits for a yes."""
        taken = Link.objects.filter(tenant_id=self.tenant_id, object_type=link.object_type, scim_id=holder["id"])
        if holder.get("externalId") or taken.exists():
            return
        link.match_code, link.match_attribute, link.match_at = Verdict.UNLINKED.value, error.attribute, now
        link.match_scim_id, link.match_name = holder["id"], name_of(holder)
        self.matched.append(link)

    def describe_failure(self, operation: Operation, error: ScimError, now: datetime.datetime) -> None:
        operation.finished_at = now
        operation.result = Result.FAILED if error.permanent else Result.WILL_RETRY
        operation.problem, operation.attribute = _diagnosed(error)
        operation.error, operation.status = self._unquoted(operation, _words(error)), error.status
        operation.request_id, operation.attempts = error.request_id or "", error.attempts
        operation.request = {"method": error.method, "path": error.path, "body": self._shown(operation, error.request)}
        operation.answer = {"status": error.status, "body": self._shown(operation, error.body)}
        self.operations.append(operation)

    def _shown(self, operation: Operation, body: Any) -> Any:
        shown = resource.redacted(body, self.redacted.get(operation.object_type, ()))
        return self._unquoted(operation, shown)

    def _unquoted(self, operation: Operation, told: Any) -> Any:
        """An answer may quote the value that it refuses."""
        hidden = self.redacted.get(operation.object_type, ())
        return resource.without(told, resource.texts_of(operation.desired, hidden)) if hidden else told

    def _keep_answer(self, operation: Operation, answer: Answer) -> None:
        operation.status = answer.status
        operation.request_id = answer.request_id or ""
        operation.attempts = answer.attempts
        operation.milliseconds = answer.milliseconds
        operation.request = {"body": self._shown(operation, answer.request)}
        operation.answer = {"status": answer.status, "body": self._shown(operation, answer.response)}

    def unknown(self, operation: Operation, link: Link) -> None:
        """The request may or may not have been applied: its units are written anew, its members compared anew."""
        if operation.object_type == "membership":
            self.doubt(operation, members(self.tenant_id, operation.member_ids))
        elif operation.action not in ("create", "delete"):
            link.written = link.written | dict.fromkeys(operation.desired)
            self.changed[link.pk] = link

    def doubt(self, operation: Operation, named: Mapping[str, Member]) -> None:
        """Whether AWS holds these memberships is not certain until an answer is seen."""
        users = [named[key].link_id for key in operation.member_ids if key in named]
        self.doubted.append((self.link_of(operation).pk, users))

    # Writing

    def save(self) -> None:
        update_rows(self.operations, OPERATION_FIELDS)
        update_rows(list(self.changed.values()), LINK_FIELDS)
        update_rows(self.matched, MATCH_FIELDS)
        for group, users in self.doubted:
            MembershipLink.objects.filter(group=group, user__in=users).update(certain=False)
        for group, users in self.removed:
            MembershipLink.objects.filter(group=group, user__in=users).delete()
        self._save_added()
        emptied: list[Link] = []
        if self.forgotten:
            keys = [link.pk for link in self.forgotten]
            emptied += Link.objects.filter(member_links__user__in=keys).distinct()
            MembershipLink.objects.filter(Q(group__in=keys) | Q(user__in=keys)).delete()
        if self.uncertain:
            moved = Q(group__in=self.uncertain) | Q(user__in=self.uncertain)
            MembershipLink.objects.filter(moved).update(certain=False)
        for link in self.came_back:
            # People who report to this person, and its groups, were planned without it.
            revisit_reports(link.tenant_id, [link.object_id])
        for run_id, operations in groupby(self.finished, attrgetter("run_id")):
            note_pending(run_id, Link.objects.filter(pk__in=[operation.link_id for operation in operations]))
        standings.refresh_links([*self.changed.values(), *self.matched, *emptied])

    def _save_added(self) -> None:
        rows = [(self.tenant_id, group, user, True) for group, user in self.added]
        put_values(MembershipLink, ("tenant", "group", "user", "certain"), rows, unique=("group", "user"))


def may_be_applied(error: ScimError) -> bool:
    """Also when a server says 2xx and then something that cannot be read."""
    unreadable = isinstance(error, BadAnswer) and error.status is not None and error.status < 300
    return unreadable or not error.permanent


def _forget_failure(link: Link) -> None:
    link.failures, link.failure_code, link.failure_attribute = 0, "", ""
    link.failure_words, link.failure_request_id, link.retry_at = "", "", None
    link.holder_name, link.holder_id = NOBODY


def _move(link: Link, operation: Operation, now: datetime.datetime) -> None:
    if not link.scim_id:
        link.scim_id, link.linked_at, link.origin = operation.scim_id, now, _origin(link, operation)
    # A null that is not of this request stays: that unit is unknown still.
    sent = operation.desired
    merged = link.written | sent
    link.written = {unit: value for unit, value in merged.items() if value is not None or unit not in sent}
    link.held_name, link.held_email, link.held_external = keys_of(link.object_type, link.written)
    link.active = link.written.get("active") is not False
    link.disabled_at = None if link.active else link.disabled_at or now
    link.written_at = now


def _origin(link: Link, operation: Operation) -> str:
    if operation.action == "create":
        return Origin.CREATED
    return Origin.HAND if link.adopt_scim_id and link.adopt_scim_id == operation.scim_id else Origin.RULE


def _diagnosed(error: ScimError) -> tuple[str, str]:
    """Code and attribute."""
    if escrow.is_quota(error):
        return QUOTA, ""
    if isinstance(error, Untouchable):
        return "never-touch", ""
    if isinstance(error, TwoMatches):
        return "two-matches", ""
    if isinstance(error, MembersConflict):
        return "members-conflict", ""
    if isinstance(error, Contradiction):
        return "aws-contradicts", ""
    found: Any = diagnosis.diagnose(error.method, error.path, error.status, error.detail, error.request)
    known = error.attribute if isinstance(error, Conflict) else ""
    return found.code, known or found.attribute or ""


def _words(error: ScimError) -> str:
    """AWS's own; of a conflict they say nothing, and who is in the way says all."""
    if not isinstance(error, Conflict) or isinstance(error, TwoMatches):
        return error.detail
    return holder_in_words(name_of(error.holder), error.holder["id"]) if error.holder else ""
