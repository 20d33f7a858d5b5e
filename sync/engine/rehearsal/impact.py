"""What the plan of a draft's preview means: people by what happens to them, patterns of change, and the checks.

Worked out once at the end of the preview and kept on its run, so that what somebody saw is what they publish.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from sync.engine.evaluation.clashes import SHARED
from sync.engine.guard.guard import Guard
from sync.models import DirectoryUser, Hold, Link, Operation, Result, Run
from sync.models.columns import Example, Fold, Impact, ImpactCheck, Level, MemberCounts, UnitChange
from sync.rules import acceptance
from sync.scim.resource import REDACTED

TODO = (Result.PLANNED, Result.HELD)
# What a person is counted under when several operations concern them: the gravest first.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "deleted": ("delete",),
    "lose": ("disable",),
    "created": ("create", "link"),
    "updated": ("update", "enable"),
}
EXAMPLES = 5
# So many different values of one pattern are told apart.
VALUES = 2


def weigh(run: Run, guard: Guard, *, stay: int, suspect: str, leavers: int = 0) -> Impact:
    """Called after the guard's foresee. `leavers`: people who have left or could leave, and stay active in AWS."""
    todo = run.operations.filter(result__in=TODO)
    return {
        "people": people(todo) | {"stay": stay, "refused": refused(run)},
        "members": members(todo),
        "groups": todo.filter(object_type="group").values("object_id").distinct().count(),
        "folds": folds(todo),
        "checks": checks(run, guard, suspect, leavers),
    }


def people(todo: QuerySet[Operation]) -> dict[str, int]:
    rank = {action: name for name, actions in GROUPS.items() for action in actions}
    order = list(GROUPS)
    found: dict[str, str] = {}
    for object_id, action in todo.filter(object_type="user").values_list("object_id", "action").iterator():
        name = rank[action]
        known = found.get(object_id, name)
        found[object_id] = min(known, name, key=order.index)
    counts = dict.fromkeys(order, 0)
    for name in found.values():
        counts[name] += 1
    return counts


def refused(run: Run) -> int:
    rows = run.operations.filter(object_type="user", result__in=(Result.FAILED, Result.SKIPPED))
    return rows.values("object_id").distinct().count()


def staying(run: Run) -> QuerySet[DirectoryUser]:
    """People who are active in AWS and of whom the plan says nothing."""
    links = Link.objects.filter(tenant=run.tenant, object_type="user", object_id=OuterRef("object_id"), active=True)
    planned = run.operations.filter(object_type="user", object_id=OuterRef("object_id"))
    people = DirectoryUser.objects.filter(Exists(links.exclude(scim_id="")), tenant=run.tenant)
    return people.exclude(Exists(planned))


def members(todo: QuerySet[Operation]) -> MemberCounts:
    """Memberships that come and go; a group that is created brings its first members itself."""
    rows = todo.filter(object_type="membership").values("action").annotate(n=Sum("people"))
    counted = {row["action"]: row["n"] for row in rows}
    created = todo.filter(object_type="group", action="create").only("changes")
    first = sum(len(row.member_ids) for row in created.iterator())
    return {"add": counted.get("add_member", 0) + first, "remove": counted.get("remove_member", 0)}


# Patterns of change


def explained(change: UnitChange, *, from_default: bool = False) -> UnitChange:
    told: UnitChange = {**change, "pattern": pattern_of(change["before"], change["after"])}
    return {**told, "from_default": True} if from_default else told


def pattern_of(before: Any, after: Any) -> str:
    """filled, emptied, trimmed, spaces, case, or other."""
    old, new = plain(before), plain(after)
    if not old or not new:
        return "emptied" if old else "filled"
    if REDACTED in (old, new):
        return "other"
    if old.strip() == new:
        return "trimmed"
    if "".join(old.split()) == "".join(new.split()):
        return "spaces"
    return "case" if old.casefold() == new.casefold() else "other"


def plain(value: Any) -> str:
    """A unit's value in one line: of a list its elements, of an address its parts."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(plain(one) for one in value)
    if isinstance(value, dict):
        parts = (plain(one) for key, one in value.items() if key not in ("type", "primary"))
        return ", ".join(part for part in parts if part)
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(slots=True)
class FoldTally:
    """All updates of one unit that follow one pattern. `afters`: up to VALUES different results."""

    n: int = 0
    examples: list[Example] = field(default_factory=list)
    afters: set[str] = field(default_factory=set)
    causes: dict[str, None] = field(default_factory=dict)

    def add(self, name: str, change: UnitChange, causes: Iterable[str]) -> None:
        self.n += 1
        self.causes |= dict.fromkeys(causes)
        before, after = plain(change["before"]), plain(change["after"])
        if len(self.afters) < VALUES:
            self.afters.add(after)
        if len(self.examples) < EXAMPLES:
            self.examples.append({"name": name, "before": before, "after": after})


def folds(todo: QuerySet[Operation]) -> list[Fold]:
    """Updates by unit and pattern, most people first; `after` where all get the same."""
    found: dict[tuple[str, str, str], FoldTally] = {}
    rows = todo.filter(object_type__in=("user", "group"), action__in=GROUPS["updated"])
    for row in rows.order_by("pk").only("object_type", "display_name", "changes", "causes").iterator():
        for unit, change in row.unit_changes.items():
            if "pattern" in change:
                fold = found.setdefault((row.object_type, unit, change["pattern"]), FoldTally())
                fold.add(row.display_name, change, row.causes)
    ordered = sorted(found.items(), key=lambda item: -item[1].n)
    return [
        {
            "object_type": object_type,
            "unit": unit,
            "pattern": pattern,
            "n": fold.n,
            "examples": fold.examples,
            "after": next(iter(fold.afters)) if len(fold.afters) == 1 else None,
            "causes": list(fold.causes),
        }
        for (object_type, unit, pattern), fold in ordered
    ]


# Checks


def check_of(code: str, level: Level, n: int = 0, limit: int = 0) -> ImpactCheck:
    return {"code": code, "level": level, "n": n, "limit": limit}


def checks(run: Run, guard: Guard, suspect: str, leavers: int) -> list[ImpactCheck]:
    over = {kind: numbers for kind, _operations, numbers in guard.over}
    found = [check_of("reading", "bad")] if suspect else []
    found += [_removals(run, guard, over), _leavers(leavers), *_refusals(run), *_limits(over), *_guests(run)]
    found += _defaults(run)
    order: list[Level] = ["bad", "attention", "good"]
    return sorted(found, key=lambda check: order.index(check["level"]))


def _removals(run: Run, guard: Guard, over: Mapping[str, Mapping[str, int]]) -> ImpactCheck:
    """Over the limit they are held for a person when they are published."""
    gone = run.operations.filter(object_type="user", action__in=("disable", "delete"), result__in=TODO).count()
    return check_of("removals", "attention" if Hold.Kind.PEOPLE in over else "good", gone, guard.people_limit())


def _leavers(staying: int) -> ImpactCheck:
    return check_of("leavers", "attention" if staying else "good", staying)


def _refusals(run: Run) -> list[ImpactCheck]:
    """What the draft itself brings about blocks; what only arrives incomplete asks for a tick."""
    failed = run.operations.filter(result__in=(Result.FAILED, Result.SKIPPED)).exclude(causes=[])
    by_value = Q(causes__icontains="mapping:") | Q(causes__icontains="guest_user_name")
    shared = _objects(failed.filter(by_value, problem__in=SHARED))
    emptied = _objects(failed.filter(by_value, problem__in=acceptance.BY_CODE))
    arriving = _objects(failed.exclude(by_value).filter(problem__in=(*SHARED, *acceptance.BY_CODE)))
    broken = _objects(failed.filter(problem="expression-error"))
    found = [check_of("shared", "bad" if shared else "good", shared)]
    found += [check_of("emptied", "bad", emptied)] if emptied else [check_of("emptied", "good")]
    found += [check_of("arriving", "attention", arriving)] if arriving else []
    return found + ([check_of("expressions", "bad", broken)] if broken else [])


def _objects(rows: QuerySet[Operation]) -> int:
    return rows.values("object_type", "object_id").distinct().count()


def _limits(over: Mapping[str, Mapping[str, int]]) -> list[ImpactCheck]:
    """Publishing says yes to creates and key changes; members and groups still wait for a person."""
    kinds = (Hold.Kind.CREATES, Hold.Kind.KEYS, Hold.Kind.MEMBERS, Hold.Kind.GROUPS)
    return [
        check_of(f"over-{kind}", "attention", over[kind]["planned"], over[kind]["limit"])
        for kind in kinds
        if kind in over
    ]


def _guests(run: Run) -> list[ImpactCheck]:
    ids = run.operations.filter(object_type="user", action="create", result__in=TODO).values("object_id")
    guests = DirectoryUser.objects.filter(tenant=run.tenant, object_id__in=ids, properties__userType="Guest").count()
    return [check_of("guests", "attention", guests)] if guests else []


def _defaults(run: Run) -> list[ImpactCheck]:
    """Nothing is wrong with them: a mapping says so."""
    todo = run.operations.filter(
        object_type="user", action__in=(*GROUPS["created"], *GROUPS["updated"]), result__in=TODO
    )
    people = {
        row.object_id
        for row in todo.only("object_id", "changes").iterator()
        if any(change.get("from_default") for change in row.unit_changes.values())
    }
    return [check_of("defaults", "good", len(people))] if people else []


def blocking(run: Run) -> list[str]:
    return [check["code"] for check in run.impact.get("checks", ()) if check["level"] == "bad"]


def to_be_seen(run: Run) -> list[str]:
    """Codes that somebody must say they have seen before they publish."""
    return [check["code"] for check in run.impact.get("checks", ()) if check["level"] == "attention"]
