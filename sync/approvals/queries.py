"""What waits for a person, put together for pages and commands: names, groups by cause, who is meant by a name."""

import datetime
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from sync.configuration.current import configuration_of
from sync.configuration.ruleset import filters_of
from sync.engine.evaluation.clashes import BY_LEAVER
from sync.engine.guard.guard import Guard, PeopleLimit, people_limit
from sync.engine.guard.plan import Alike, alike
from sync.models import (
    ChangeRequest,
    Configuration,
    DirectoryGroup,
    DirectoryUser,
    HeldChange,
    Hold,
    Link,
    ObjectType,
    Origin,
    Run,
    Tenant,
)
from sync.models.hold import undecided
from sync.models.run import RunQuerySet
from sync.problems.catalogue import PROBLEMS, ProblemWords
from sync.rules.scope import Reason

SHRUNK = ("source-shrunk", "app-assignments-shrunk")
# A preview older than this says too little about today's directory.
FRESH = datetime.timedelta(hours=24)


def people_limit_now(tenant: Tenant) -> PeopleLimit:
    """As the next run counts it."""
    return people_limit(tenant, timezone.now())


class UnknownNames(Exception):
    """`unknown` match nothing that is held, `several` match more than one person or group by name."""

    def __init__(self, unknown: Sequence[str], several: Sequence[str]) -> None:
        super().__init__(", ".join([*unknown, *several]))
        self.unknown, self.several = list(unknown), list(several)


@dataclass(frozen=True, slots=True)
class Held:
    """A held change and whom it is about. `group`: the group of a membership; `state`: a Decision as it stands now."""

    change: HeldChange
    name: str
    login: str
    group: str
    state: str

    @property
    def subject_id(self) -> str:
        return subject_id(self.change)


@dataclass(frozen=True, slots=True)
class HoldCause:
    """What holds a number of changes together: `code` is a scope reason, `group` a group that people would leave.

    `filters`: titles of the filters none of which lets these people pass."""

    kind: str
    action: str
    object_type: str
    code: str
    group: str
    rows: Sequence[Held]
    filters: Sequence[str] = ()


def subject_id(change: HeldChange) -> str:
    """Entra id of the person (or group) whom it is about; of a membership, its member."""
    return change.member_id or change.object_id


def held_of(tenant: Tenant, changes: Iterable[HeldChange]) -> list[Held]:
    rows = list(changes)
    logins = _logins(tenant, [subject_id(row) for row in rows])
    now = timezone.now()
    return [
        Held(
            change=row,
            name=row.display_name or subject_id(row),
            login=logins.get(subject_id(row), "" if row.member_id else row.detail_name),
            group=row.detail_name if row.member_id else "",
            state=row.standing(now),
        )
        for row in rows
    ]


def _logins(tenant: Tenant, ids: Sequence[str]) -> dict[str, str]:
    people = DirectoryUser.objects.filter(tenant=tenant, object_id__in=ids)
    return dict(people.exclude(user_principal_name="").values_list("object_id", "user_principal_name"))


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody in AWS. `since`: when the link was made, None where that is not known; `linked`: AWS held the person before
    that; `groups` whose member AWS holds: Entra id and name, by name."""

    since: datetime.datetime | None
    linked: bool
    groups: list[tuple[str, str]]


def presence_in(hold: Hold, rows: Iterable[Held]) -> dict[str, Presence]:
    """Of people who would lose access, by Entra id; without those whom AWS does not hold."""
    people = [row.subject_id for row in rows if row.change.object_type == ObjectType.USER]
    held = hold.kind == Hold.Kind.PEOPLE and hold.closed_at is None
    return _presence_of(hold.tenant, people) if held and people else {}


def _presence_of(tenant: Tenant, ids: Collection[str]) -> dict[str, Presence]:
    group = "group_links__group__object_id"
    names = DirectoryGroup.objects.filter(tenant=tenant, object_id=OuterRef(group)).values("display_name")
    links = tenant.links.filter(object_type=ObjectType.USER, object_id__in=ids).exclude(scim_id="")
    rows = links.annotate(group_name=Subquery(names[:1])).order_by("group_name", group)
    found: dict[str, Presence] = {}
    for object_id, since, origin, group_id, name in rows.values_list(
        "object_id", "linked_at", "origin", group, "group_name"
    ):
        one = found.setdefault(object_id, Presence(since, origin != Origin.CREATED, []))
        if group_id:
            one.groups.append((group_id, name or group_id))
    return found


@dataclass(frozen=True, slots=True)
class Tally:
    """Changes of a hold by decision; `newest`: primary key, 0 without any."""

    waiting: int
    kept: int
    newest: int


def tally(hold: Hold) -> Tally:
    """Of an open hold what is open; nothing of a closed one waits."""
    still = Q() if hold.closed_at else Q(closed_at=None)
    found = hold.changes.aggregate(
        waiting=Count("pk", filter=Q(closed_at=None) & undecided(timezone.now())),
        kept=Count("pk", filter=still & Q(decision=HeldChange.Decision.KEPT)),
        newest=Max("pk", default=0),
    )
    return Tally(0 if hold.closed_at else found["waiting"], found["kept"], found["newest"])


def by_cause(hold: Hold, rows: Iterable[Held]) -> list[HoldCause]:
    """Most people first."""
    groups: dict[tuple[str, str, str, str], list[Held]] = defaultdict(list)
    for row in rows:
        change = row.change
        groups[(change.action, change.object_type, change.cause if not row.group else "", row.group)].append(row)
    titles = _filter_titles(hold) if any(code == Reason.OUTSIDE_FILTER for _, _, code, _ in groups) else ()
    found = [
        HoldCause(hold.kind, *key, rows=members, filters=titles if key[2] == Reason.OUTSIDE_FILTER else ())
        for key, members in groups.items()
    ]
    return sorted(found, key=lambda cause: (-len(cause.rows), cause.group, cause.code))


def _filter_titles(hold: Hold) -> tuple[str, ...]:
    """Of people, under the rules of the run that held the changes."""
    configuration = hold.run.configuration or configuration_of(hold.tenant)
    return tuple(one.filter.title for one in filters_of(configuration, "user"))


def named(tenant: Tenant, names: Iterable[str], hold: Hold | None = None) -> list[HeldChange]:
    """Open held changes of the people and groups with these names: display name, user principal name or Entra id.

    Raises UnknownNames when one is not held, or stands for several.
    """
    changes = HeldChange.objects.open().filter(tenant=tenant).select_related("hold")
    rows = held_of(tenant, changes.filter(hold=hold) if hold else changes)
    meant: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for word in (row.name, row.login, row.subject_id):
            meant[word.casefold()].add(row.subject_id)
    wanted = [name.strip().casefold() for name in names]
    unknown = [name for name in wanted if not meant.get(name)]
    several = [name for name in wanted if len(meant.get(name, ())) > 1]
    if unknown or several:
        raise UnknownNames(unknown, several)
    ids = {subject for name in wanted for subject in meant[name]}
    return [row.change for row in rows if row.subject_id in ids]


def open_holds(tenant: Tenant) -> QuerySet[Hold]:
    return tenant.holds.filter(closed_at=None).select_related("run").order_by("pk")


@dataclass(frozen=True, slots=True)
class HoldCounts:
    """Changes by decision; `decided_by` and `comment` of the newest one."""

    hold: Hold
    waiting: int
    kept: int
    approved: int
    total: int
    decided_by: str
    comment: str


def counted(holds: QuerySet[Hold]) -> list[HoldCounts]:
    decided = HeldChange.objects.filter(hold=OuterRef("pk")).exclude(decided_at=None).order_by("-decided_at")
    rows = list(
        holds.annotate(
            waiting=Count("changes", filter=Q(changes__in=HeldChange.objects.waiting())),
            kept=Count("changes", filter=Q(changes__decision=HeldChange.Decision.KEPT)),
            approved=Count("changes", filter=Q(changes__decision=HeldChange.Decision.APPROVED)),
            total=Count("changes"),
            decided_by=Subquery(decided.values("decided_by")[:1]),
            comment=Subquery(decided.values("comment")[:1]),
        )
    )
    return [
        HoldCounts(
            hold,
            hold.waiting,
            hold.kept,
            hold.approved,
            hold.total,
            hold.decided_by or "",
            hold.comment or "",
        )
        for hold in rows
    ]


@dataclass(frozen=True, slots=True)
class Proposal:
    """An AWS object that is probably this person or group of Entra. `problem`: what keeps them apart until then."""

    link: Link
    name: str
    login: str

    @property
    def problem(self) -> ProblemWords:
        return PROBLEMS[self.code]

    @property
    def code(self) -> str:
        if self.link.match_code == "successor":
            return BY_LEAVER[self.link.object_type]
        return self.link.match_code if self.link.match_code in Link.PROPOSED else "exists-unlinked"


def proposals(tenant: Tenant, links: Iterable[Link]) -> list[Proposal]:
    rows = list(links)
    ids = [link.object_id for link in rows]
    logins = _logins(tenant, ids)
    names = _names(DirectoryUser.objects.filter(tenant=tenant, object_id__in=ids))
    names |= _names(DirectoryGroup.objects.filter(tenant=tenant, object_id__in=ids))
    return [Proposal(link, names.get(link.object_id, link.object_id), logins.get(link.object_id, "")) for link in rows]


def _names(rows: QuerySet[DirectoryUser] | QuerySet[DirectoryGroup]) -> dict[str, str]:
    return {row.object_id: str(row) for row in rows}


def newest_whole(tenant: Tenant) -> Run | None:
    return tenant.runs.whole().order_by("-number").first()


def shrunken(tenant: Tenant, newest: Run | None = None) -> Run | None:
    """The newest run that is over, when its reading was far smaller than the one before and nobody has accepted that
    since. `newest`: of all, where it is at hand."""
    if newest is None or newest.open or newest.started_at is None:
        newest = tenant.runs.whole().exclude(started_at=None).exclude(state__in=Run.OPEN).order_by("-number").first()
    if newest is None or newest.suspect not in SHRUNK:
        return None
    accepted = tenant.shrink_accepted_at
    return None if accepted and newest.started_at and accepted >= newest.started_at else newest


@dataclass(frozen=True, slots=True)
class DoubtedPart:
    """Of a reading that was not believed: how many groups or memberships (`name`) were known before, and how many it told."""

    name: str
    before: int
    seen: int


def doubted_parts(tenant: Tenant) -> list[DoubtedPart]:
    """Of the newest reading, where it told fewer. People are not among them: a reading without any is never accepted."""
    newest = tenant.snapshots.exclude(sealed_at=None).order_by("-pk").first()
    detail = newest.suspect_detail if newest and newest.suspect == SHRUNK[0] else {}
    before, seen = detail.get("before", {}), detail.get("seen", {})
    parts = [DoubtedPart(name, before[name], seen[name]) for name in ("groups", "memberships") if name in before]
    return [part for part in parts if part.seen < part.before]


def plan_is_fresh(run: Run, configuration: Configuration) -> bool:
    """Whether a yes to this run's plan is a yes to what the next run will do. A draft's preview is its own yes."""
    if run.drafted:
        return False
    shows_a_plan = run.plan_waits or (run.kind == Run.Kind.PREVIEW and run.state in Run.DONE)
    if not shows_a_plan or run.started_at is None or run.finished_at is None:
        return False
    return run.started_at >= configuration.changed_at and timezone.now() - run.finished_at < FRESH


def newest_plan(tenant: Tenant, configuration: Configuration) -> Run | None:
    """The newest fresh preview (or plan that waits) under the rules that runs use; None when there is none."""
    recent = tenant.runs.filter(started_at__gte=configuration.changed_at).order_by("-number")[:20]
    return next((run for run in recent if plan_is_fresh(run, configuration)), None)


def waiting_plan(tenant: Tenant, newest: Run | None = None) -> Run | None:
    """The newest run's plan, when nothing is written until somebody says yes to it."""
    newest = newest or newest_whole(tenant)
    if newest is None or not newest.plan_waits:
        return None
    configuration = configuration_of(tenant)
    return newest if not configuration.confirmed and plan_is_fresh(newest, configuration) else None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a person: how many changes of each hold nobody has decided on, by primary key and without the holds
    that have none; requests for a second person, a plan, a reading that shrank."""

    by_hold: Mapping[int, int]
    requests: int
    plan: Run | None
    shrunken: Run | None

    @property
    def changes(self) -> int:
        return sum(self.by_hold.values())


def waiting_holds(tenant: Tenant, waiting: Waiting) -> list[tuple[Hold, int]]:
    """Each with how many changes nobody has decided on."""
    return [(hold, waiting.by_hold[hold.pk]) for hold in open_holds(tenant).filter(pk__in=waiting.by_hold)]


def waiting_of(tenants: Collection[Tenant]) -> dict[int, Waiting]:
    """By primary key, with as many queries for many as for one."""
    held: dict[int, dict[int, int]] = defaultdict(dict)
    rows = HeldChange.objects.waiting().filter(tenant__in=tenants).order_by().values_list("tenant", "hold")
    for tenant, hold, n in rows.annotate(n=Count("pk")):
        held[tenant][hold] = n
    newest = {run.tenant_id: run for run in newest_of(tenants, Run.objects.whole())}
    asked = Counter(ChangeRequest.objects.waiting().filter(tenant__in=tenants).values_list("tenant", flat=True))
    return {
        tenant.pk: waiting(tenant, held.get(tenant.pk, {}), asked[tenant.pk], newest.get(tenant.pk))
        for tenant in tenants
    }


def newest_of(tenants: Collection[Tenant], runs: RunQuerySet) -> QuerySet[Run]:
    """The newest of these runs of each tenant."""
    first = runs.filter(tenant=OuterRef("pk")).order_by("-number").values("pk")[:1]
    keys = Tenant.objects.filter(pk__in=[tenant.pk for tenant in tenants]).annotate(newest=Subquery(first))
    return Run.objects.filter(pk__in=keys.values("newest")).select_related("tenant")


def waiting(tenant: Tenant, by_hold: Mapping[int, int], requests: int, newest: Run | None) -> Waiting:
    """`newest`: of the runs over the whole directory."""
    if newest is None:
        return Waiting(by_hold, requests, None, None)
    return Waiting(by_hold, requests, waiting_plan(tenant, newest), shrunken(tenant, newest))


# What a run planned, and how its rows are counted (sync/engine/guard/plan.py).
Planned = Alike
planned_rows = alike


def foreseen_holds(run: Run, planned: Sequence[Planned]) -> list[dict[str, object]]:
    """What a run that planned would hold all the same, once its creates and key changes are approved: kind and facts."""
    guard = Guard(run, run, counted=planned)
    guard.foresee()
    return [{"kind": kind, "facts": numbers} for kind, _operations, numbers in guard.over]
