"""What must hold at every moment, checked on what AWS received and on what the product wrote down about it.

A law speaks of requests, of Entra's history and of what people decided: never of the product's own reasons.
"""

import datetime
import functools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sync.models import Drift, Link, Operation, Result, Run, Snapshot, Tenant
from tests.simulation.oracle import Json, Truth, keys_of, keys_of_group
from tests.simulation.rules import Rules

MOST_MEMBERS = 100
DAY, WEEK = 24 * 3600.0, 7 * 24 * 3600.0
# What a refused create waits for at the least before it is sent again unchanged: AWS holds the value of another.
CONFLICT_WAITS = 3600.0
LONGEST_RUN = 12 * 3600.0
WRITES = ("POST", "PATCH", "PUT", "DELETE")
# (action, object id, member id): one thing that a person may be asked about.
Change = tuple[str, str, str]


@dataclass(frozen=True)
class Write:
    """One request that may change AWS, as it arrived there. `answered`: the answer has left."""

    at: float
    method: str
    kind: str
    scim_id: str
    body: Any
    status: int
    applied: bool
    answered: bool

    @classmethod
    def of(cls, row: Json) -> "Write":
        rest = row["path"].split("/scim/v2/")[1].split("/")
        kind, scim_id = rest[0], rest[1] if len(rest) > 1 else ""
        facts = (row["request"], row["status"] or 0, row["applied"], row["answered"])
        return cls(row["at"], row["method"], "user" if kind == "Users" else "group", scim_id, *facts)

    @property
    def operations(self) -> list[Json]:
        return self.body.get("Operations", []) if self.method == "PATCH" else []

    def members(self, op: str) -> list[str]:
        if self.method == "POST":
            return [one["value"] for one in self.body.get("members", [])] if op == "add" else []
        found = [one for one in self.operations if one["path"] == "members" and one["op"] == op]
        return [member["value"] for one in found for member in one["value"]]

    def values(self) -> Json:
        return {one["path"]: one.get("value") for one in self.operations}


class RefusedAt(NamedTuple):
    """`began`: the run that was refused."""

    at: float
    began: float


@dataclass
class Activity:
    """Something that the product did: a run, or part of one. `before`: what AWS held by id; `since`: when what it knew
    of Entra began to be read; `over`: whether the run has ended."""

    run: Run
    before: dict[str, Json]
    began: float
    seconds: float = 0.0
    since: float = 0.0
    writes: list[Write] = field(default_factory=list)

    @property
    def over(self) -> bool:
        return not self.run.open


class Laws:
    """`owners`: by AWS id, the Entra id of what the product made or may have taken over. `history`: Entra's, oldest first."""

    def __init__(self, tenant: Tenant, rules: Rules) -> None:
        self.tenant = tenant
        self.rules = rules
        self.owners: dict[str, str] = {}
        self.history: list[Truth] = []
        self.violations: list[str] = []
        # Made by hand while the product was at work; and gone by hand: they may be made again.
        self.foreign: set[str] = set()
        self.lost: set[str] = set()
        self.chosen: dict[str, str] = {}
        # By change, until when; and what is to stay as it is.
        self.approved: dict[Change, float] = {}
        self.kept: set[Change] = set()
        # Unique values that somebody approved, by Entra id.
        self.listed: dict[str, set[tuple[str, str]]] = {}
        # Removals without an approval: when and what.
        self.removed: dict[Change, float] = {}
        # Refused creates by Entra id, until somebody asks for another try; and when what it depends on changed last.
        self.refused: dict[str, RefusedAt] = {}
        self.touched: dict[str, float] = {}

    def broken(self, law: str, text: str) -> None:
        self.violations.append(f"{law}: {text}")

    # Windows

    def window(self, since: float, at: float) -> list[Truth]:
        """What was true at any time between the two moments."""
        first = max((n for n, truth in enumerate(self.history) if truth.at <= since), default=0)
        return [truth for truth in self.history[first:] if truth.at <= at]

    # One activity

    def check(self, activity: Activity, after: Mapping[str, Json], rules: "Settings") -> None:
        self._own(activity, after)
        self._link(activity.before | after)
        for write in activity.writes:
            self._lawful(write)
            if write.applied:
                self._permitted(activity, write, after)
        self._not_in_vain(activity)
        self._limits(activity, rules)
        self._run(activity)
        self._rows(activity)
        self._forget_kept(activity)

    def _forget_kept(self, activity: Activity) -> None:
        """What a finished run no longer wanted is no longer kept: the next time somebody is asked anew."""
        if activity.over and not activity.run.suspect:
            window = self.window(activity.since, activity.began)
            self.kept -= {change for change in self.kept if any(not wanted(change, truth) for truth in window)}

    def _own(self, activity: Activity, after: Mapping[str, Json]) -> None:
        """What is new in AWS after an activity was made by it."""
        for scim_id, found in after.items():
            if scim_id not in activity.before and scim_id not in self.owners and scim_id not in self.foreign:
                owner = found.get("externalId", "")
                if owner in self.owners.values() and owner not in self.lost:
                    self.broken("made twice", f"{owner} is in AWS as {scim_id} too")
                self.owners[scim_id] = owner
                self.lost.discard(owner)

    def _link(self, held: Mapping[str, Json]) -> None:
        """What somebody else made is taken over only by the tenant's rule, or by hand."""
        links = Link.objects.filter(tenant=self.tenant).order_by("pk")
        # A worker that dies after the request has not noted the answer.
        begun = links.filter(scim_id="", operations__in=Operation.objects.filter(action="link", result="sent"))
        claims = [(link, link.scim_id) for link in links.filter(scim_id__in=list(held))]
        claims += [(link, link.match_scim_id) for link in begun.filter(match_scim_id__in=list(held))]
        for link, scim_id in claims:
            if scim_id in self.owners:
                continue
            if self._may_link(link.object_type, link.object_id, held[scim_id]):
                self.owners[scim_id] = link.object_id
            else:
                self.broken("foreign", f"{held[scim_id]} is linked with {link.object_id}")

    def _may_link(self, object_type: str, object_id: str, found: Json) -> bool:
        if self.chosen.get(found["id"]) == object_id:
            return True
        if found.get("externalId"):
            return bool(found["externalId"] == object_id and self.tenant.adoption != "by_hand")
        return bool(self.tenant.adoption == "match")

    # Requests

    def _lawful(self, write: Write) -> None:
        if write.method == "PUT":
            self.broken("lawful", "PUT")
        if write.body and any(value is None or value == "" for value in leaves(write.body)):
            self.broken("lawful", f"null or an empty text in {write.body}")
        if len(write.members("add")) + len(write.members("remove")) > MOST_MEMBERS:
            self.broken("lawful", "more than 100 members")
        for one in write.operations:
            if not one.get("path") or (one["path"] == "members" and one["op"] == "replace"):
                self.broken("lawful", f"{one}")

    def _permitted(self, activity: Activity, write: Write, after: Mapping[str, Json]) -> None:
        owner = write.body.get("externalId", "") if write.method == "POST" else self._owner(activity, write)
        if not owner:
            return
        window = self.window(activity.since, write.at)
        if write.kind == "user":
            self._user(write, owner, window)
        else:
            self._group(write, owner, window)
        self._given(write, owner, window)

    def _owner(self, activity: Activity, write: Write) -> str:
        owner = self.owners.get(write.scim_id, "")
        if not owner:
            found = activity.before.get(write.scim_id, write.scim_id)
            self.broken("foreign", f"{write.method} to {found}, which is not ours")
        return owner

    def _user(self, write: Write, owner: str, window: list[Truth]) -> None:
        active = write.values().get("active")
        always = all(owner in truth.people for truth in window)
        if write.method == "DELETE" and not any(owner in truth.purged for truth in window):
            self.broken("removal", f"{owner} was deleted, and is not purged from Entra")
        if (write.method == "DELETE" or active is False) and always:
            self.broken("removal", f"{owner} was in scope all the time, and is disabled or deleted")
        if (write.method == "DELETE" or active is False) and ("disable", owner, "") in self.kept:
            self.broken("kept", f"{owner} is to stay as it is, and was disabled")

    def _group(self, write: Write, owner: str, window: list[Truth]) -> None:
        if write.method == "DELETE":
            if not any(owner in truth.purged for truth in window) or not self.tenant.delete_groups:
                self.broken("removal", f"group {owner} was deleted")
            return
        for scim_id in write.members("remove"):
            person = self.owners.get(scim_id, "")
            if all(truth.is_member(owner, person) for truth in window):
                self.broken("removal", f"{person} was always to be in group {owner}, and is taken out")
            if not person:
                self.broken("foreign", f"{scim_id}, who is not ours, is taken out of group {owner}")
            if ("remove_member", owner, person) in self.kept:
                self.broken("kept", f"{person} is to stay in group {owner}, and was taken out")

    def _given(self, write: Write, owner: str, window: list[Truth]) -> None:
        """Nobody gets what he was never to have. What the last believed reading held is judged by today's rules."""
        new = write.method == "POST" or write.values().get("active") is True
        if new and not self._ever(window, lambda truth: owner in truth.people | truth.groups):
            self.broken("given", f"{write.kind} {owner} was never in scope, and is made or enabled")
        for scim_id in write.members("add"):
            person = self.owners.get(scim_id, "")
            if not self._ever(window, functools.partial(Truth.is_member, group=owner, person=person)):
                self.broken("given", f"{person or scim_id} was never to be in group {owner}, and is put into it")

    def _ever(self, window: list[Truth], holds: Callable[[Truth], bool]) -> bool:
        return any(map(holds, window)) or any(holds(truth.under(self.rules)) for truth in window)

    def inherit(self, scim_id: str, object_id: str) -> None:
        """A group made anew in Entra goes on with the AWS group of the one before."""
        if scim_id in self.owners:
            self.owners[scim_id] = object_id

    # Escrow

    def _not_in_vain(self, activity: Activity) -> None:
        """A create that AWS refused because of another object is not sent again at once, unchanged."""
        for write in activity.writes:
            if write.method != "POST" or write.status not in (400, 409):
                continue
            owner = write.body.get("externalId", "")
            last = self.refused.get(owner)
            # What changed while that run was at work is seen by a later one alone.
            unchanged = last is not None and self.touched.get(owner, 0.0) < last.began
            if last is not None and unchanged and activity.began > last.at and write.at - last.at < CONFLICT_WAITS:
                self.broken(
                    "escrow", f"the create of {owner} is sent again {write.at - last.at:.0f} s after its refusal"
                )
            # A worker that dies may not have noted the answer.
            if activity.over:
                self.refused[owner] = RefusedAt(write.at, activity.began)

    def try_again(self) -> None:
        """Somebody changed something, or asked for everybody: whatever waits may be tried."""
        self.refused.clear()

    # Limits

    def _limits(self, activity: Activity, rules: "Settings") -> None:
        new = [
            change
            for write in activity.writes
            for change in self._removals(write)
            if not self._is_approved(change, write.at)
        ]
        now = max((write.at for write in activity.writes), default=0.0)
        self.removed = {change: at for change, at in self.removed.items() if at > now - WEEK}
        self.removed |= {change: now for change in new if change not in self.removed}
        ours = [found for scim_id, found in activity.before.items() if scim_id in self.owners]
        people = [found for found in ours if "userName" in found]
        active = sum(found["active"] for found in people)
        self._limit_people(new, active, rules)
        self._limit_members(new, [found for found in ours if "members" in found], rules)
        self._limit_keys(activity, len(people), rules)

    def _removals(self, write: Write) -> Iterator[Change]:
        owner = self.owners.get(write.scim_id, "")
        if not (write.applied and write.answered and owner):
            return
        if write.kind == "user" and (write.method == "DELETE" or write.values().get("active") is False):
            yield "disable", owner, ""
        for member in write.members("remove"):
            yield "remove_member", owner, self.owners.get(member, "")

    def _is_approved(self, change: Change, at: float) -> bool:
        return self.approved.get(change, 0.0) >= at

    def _limit_people(self, new: list[Change], active: int, rules: "Settings") -> None:
        gone = sum(action == "disable" for action, _object, _member in self.removed)
        limit = rules.people(active + gone)
        if any(action == "disable" for action, _object, _member in new) and gone > limit:
            self.broken("limit", f"{gone} people were disabled within a week, {limit} may be")

    def _limit_members(self, new: list[Change], groups: list[Json], rules: "Settings") -> None:
        gone = Counter(group for action, group, _member in self.removed if action == "remove_member")
        size = {self.owners[group["id"]]: len(group["members"]) for group in groups}
        limit = rules.members(sum(size.values()) + gone.total())
        changed = {group for action, group, _member in new if action == "remove_member"}
        if changed and gone.total() > limit:
            self.broken("limit", f"{gone.total()} memberships were removed within a week, {limit} may be")
        for group in changed:
            if gone[group] > (limit := rules.members_of(size.get(group, 0) + gone[group])):
                self.broken("limit", f"{gone[group]} left group {group} within a week, {limit} may")

    def _limit_keys(self, activity: Activity, people: int, rules: "Settings") -> None:
        """Of a plan that nobody approved as a whole."""
        moved = {owner for write in activity.writes if write.applied for owner in self._moves(activity, write)}
        moved -= self._repaired()
        limit = rules.keys(people)
        if len(moved) > limit and not activity.run.confirmed:
            self.broken("limit", f"{len(moved)} names or ids were changed, {limit} may be")

    def _repaired(self) -> set[str]:
        """Whose values were to be written anew, whatever AWS holds: by hand, or by the tenant's setting."""
        rows = Drift.objects.filter(tenant=self.tenant, repaired=True)
        return {key for row in rows for key in (row.object_id, row.proposed_id)}

    def _moves(self, activity: Activity, write: Write) -> Iterator[str]:
        before = activity.before.get(write.scim_id)
        owner = self.owners.get(write.scim_id, "")
        if before is None or not owner or write.method != "PATCH":
            return
        unique = keys_of if write.kind == "user" else keys_of_group
        old, new = unique(before), unique(write.values())
        names = {name for name, _value in old}
        changed = {(name, value) for name, value in new if name in names} - old
        if (
            changed
            and not changed <= self.listed.get(owner, set())
            and not self._is_approved(("update", owner, ""), write.at)
        ):
            yield owner

    # The run, and what it wrote down

    def _run(self, activity: Activity) -> None:
        run = activity.run
        if run.problem == "engine-error":
            self.broken("own error", f"run {run.number} ended on {run.problem_detail}")
        if run.kind == Run.Kind.PREVIEW and activity.writes:
            self.broken("preview", f"run {run.number} is a preview and wrote")
        if run.suspect and any(True for write in activity.writes for _change in self._removals(write)):
            self.broken("doubted", f"run {run.number} doubted its reading ({run.suspect}) and removed somebody")
        if left := run.operations.filter(result__in=self._undecided(run)).count():
            self.broken("undecided", f"run {run.number} is {run.state} and left {left} operations undecided")
        if activity.seconds > LONGEST_RUN:
            self.broken("endless", f"run {run.number} took {activity.seconds:.0f} s")

    def _undecided(self, run: Run) -> tuple[str, ...]:
        """A plan that waits stays as it is. What was sent before AWS went away is read back when it is there again."""
        if run.open or run.kind == Run.Kind.PREVIEW or run.plan_waits:
            return ()
        stopped = run.state in (Run.State.FAILED, Run.State.CANCELLED)
        return (Result.PLANNED,) if stopped else (Result.PLANNED, Result.SENT)

    def _rows(self, activity: Activity) -> None:
        """Every write that AWS took stands in the log, and was intended before it was sent."""
        for write in activity.writes:
            if not write.applied:
                continue
            owner = write.body.get("externalId") if write.method == "POST" else self.owners.get(write.scim_id)
            sent_by = datetime.datetime.fromtimestamp(write.at, datetime.UTC)
            rows = Operation.objects.filter(tenant=self.tenant, object_id=owner, sent_at__lte=sent_by)
            if not rows.exists():
                self.broken("log", f"{write.method} to {owner} at {write.at} stands in no row")
        if not activity.over:
            return
        done = activity.run.operations.filter(result__in=DONE, status__gte=200, status__lt=300)
        sent = {
            self.owners.get(write.scim_id) or write.body.get("externalId") for write in activity.writes if write.body
        }
        sent |= {self.owners.get(write.scim_id) for write in activity.writes}
        for row in done.exclude(sent_at=None).exclude(object_id__in=[one for one in sent if one]):
            if row.sent_at and row.sent_at.timestamp() >= activity.began and row.request.get("body"):
                self.broken("log", f"{row.result} of {row.object_id} in run {activity.run.number} was never sent")


DONE = (
    *(Result.CREATED, Result.UPDATED, Result.DISABLED, Result.ENABLED, Result.DELETED, Result.ADDED, Result.REMOVED),
    Result.LINKED,
)


def wanted(change: Change, truth: Truth) -> bool:
    """Whether a removal is what Entra and the rules want."""
    action, object_id, member = change
    if action == "disable":
        return object_id not in truth.people
    return action != "remove_member" or member not in truth.listed.get(object_id, ())


def leaves(body: Any) -> Iterator[Any]:
    if isinstance(body, dict):
        for value in body.values():
            yield from leaves(value)
    elif isinstance(body, list):
        for value in body:
            yield from leaves(value)
    else:
        yield body


def read_since(tenant: Tenant, began: float) -> float:
    """When the reading began that decides now: the newest one that is whole and believed."""
    whole = Snapshot.objects.filter(tenant=tenant, suspect="").exclude(sealed_at=None)
    snapshot = whole.order_by("-pk").first()
    return min(began, snapshot.started_at.timestamp()) if snapshot else began


@dataclass
class Settings:
    """Limits by the words of the safety page: a share of what AWS holds through us, at least and at most so many."""

    people_at_least: int = 3
    people_at_most: int = 10
    people_percent: int = 5
    members_at_least: int = 10
    members_percent: int = 50
    all_members_percent: int = 10
    keys_percent: int = 10

    def people(self, active: int) -> int:
        return max(self.people_at_least, min(self.people_at_most, active * self.people_percent // 100))

    def members(self, size: int) -> int:
        return max(self.members_at_least, size * self.all_members_percent // 100)

    def members_of(self, size: int) -> int:
        return max(self.members_at_least, size * self.members_percent // 100)

    def keys(self, people: int) -> int:
        return max(self.people_at_least, people * self.keys_percent // 100)
