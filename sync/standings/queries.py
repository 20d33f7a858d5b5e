"""The one reader of standings: counts, lists, one person, drops on the path of data, problems, what needs somebody.

Every number is the length of the list beside it: both come from one condition.
"""

import datetime
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from django.db.models import Aggregate, Count, Min, Q, QuerySet, Sum

from sync.models import Drift, ObjectType, Run, Standing, Tenant, Word
from sync.models.standing import OF_ENTRA, PROBLEMS
from sync.standings.derivation import (
    DERIVED,
    MIRRORS,
    ONLY_IN_AWS,
    Derivation,
    newest_comparison,
    only_in_aws,
    open_differences,
    table_of,
)

USER, GROUP = ObjectType.USER.value, ObjectType.GROUP.value
# Scope reasons of whom no assignment brings, and of who is deleted in Entra.
DELETED, UNASSIGNED = "deleted", ("not-assigned",)
IN_ENTRA = ~Q(word=Word.ONLY_IN_AWS)
# The way of a person from Entra to AWS: each step is part of the one before it.
STEPS: dict[str, Q] = {
    "directory": IN_ENTRA & ~Q(scope=DELETED),
    "assigned": ~Q(scope__in=UNASSIGNED),
    "in_scope": Q(in_scope=True),
    "ready": ~Q(word=Word.NOT_READY),
    "in_aws": Q(word__in=(Word.IN_AWS, Word.DIFFERS)),
}
# What only a comparison, or reading back, finds.
COMPARED = (Word.GONE, Word.DIFFERS, Word.ONLY_IN_AWS)
# What numbers go by: the columns of an index, in its order.
NUMBERED = ("kind", "in_scope", "scope", "word")
# What a cause is told apart by, and how many it names.
CAUSE = ("kind", "word", "code", "attribute")
NAMES = 3
WAITS_FOR_SOMEBODY = (Word.HELD, Word.GONE, Word.ONLY_IN_AWS, Word.CONFLICT, Word.NOT_READY, Word.FAILED)


@dataclass(frozen=True, slots=True)
class Step:
    """`count` come this far; `dropped` of the step before do not."""

    name: str
    count: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Cause:
    """Everybody of one kind of object at one word with one code and attribute. `names`: the first of them, where they
    were asked for."""

    kind: str
    word: Word
    code: str
    attribute: str
    count: int
    since: datetime.datetime
    next_try: datetime.datetime | None
    names: Sequence[str] = ()
    # Of the same, by Entra id; "" for what AWS alone holds.
    object_ids: Sequence[str] = ()

    @property
    def key(self) -> tuple[str, ...]:
        return self.kind, self.word.value, self.code, self.attribute


@dataclass(frozen=True, slots=True)
class Difference:
    """A standing that is not what the facts say. None: it should not be there, or is not."""

    kind: str
    object_id: str
    scim_id: str
    name: str
    stored: dict[str, Any] | None
    derived: dict[str, Any] | None

    def facts(self) -> dict[str, Any]:
        """For a log or a report. `fields`: what differs, as [stored, derived]; null where there is no such standing."""
        names = [name for name in (self.derived or self.stored or {}) if self._side(0, name) != self._side(1, name)]
        return {
            "object": self.kind,
            "entra_id": self.object_id or None,
            "aws_id": self.scim_id or None,
            "name": self.name,
            "fields": {name: [self._side(0, name), self._side(1, name)] for name in names},
        }

    def _side(self, side: int, name: str) -> Any:
        values = (self.stored, self.derived)[side]
        return None if values is None else str(values[name])


# Counts and lists


def standings(tenant: Tenant, kind: str | None = None, **conditions: Any) -> QuerySet[Standing]:
    """By name. `kind`: of ObjectType, None for both."""
    rows = Standing.objects.filter(tenant=tenant, **conditions).order_by("name", "pk")
    return rows.filter(kind=kind) if kind else rows


def counts(tenant: Tenant, kind: str | None = None) -> dict[Word, int]:
    """Every word, in their order."""
    if kind is None:
        found = counts_by_kind(tenant)
        return {word: sum(found[one][word] for one in found) for word in Word}
    rows = standings(tenant, kind).order_by().values_list("word").annotate(n=Count("pk"))
    return _every_word(dict(rows))


def counts_by_kind(tenant: Tenant) -> dict[str, dict[Word, int]]:
    """As `counts`, of people and of groups."""
    rows = standings(tenant).order_by().values_list("kind", "word").annotate(n=Count("pk"))
    found: dict[str, dict[str, int]] = {kind: {} for kind in ObjectType.values}
    for kind, word, n in rows:
        found[kind][word] = n
    return {kind: _every_word(numbers) for kind, numbers in found.items()}


def _every_word(found: Mapping[str, int]) -> dict[Word, int]:
    return {word: found.get(word.value, 0) for word in Word}


def page(rows: QuerySet[Standing], size: int, after: tuple[str, int] | None = None) -> list[Standing]:
    """The next rows after one with this name and primary key."""
    if after is not None:
        name, key = after
        rows = rows.filter(Q(name__gt=name) | Q(name=name, pk__gt=key))
    return list(rows[:size])


def of_objects(tenant: Tenant, kind: str, object_ids: Collection[str] | QuerySet[Any, Any]) -> QuerySet[Standing]:
    """By Entra id."""
    return standings(tenant, kind).filter(OF_ENTRA, object_id__in=object_ids)


def standing_of(tenant: Tenant, kind: str, object_id: str) -> Standing | None:
    found = of_objects(tenant, kind, [object_id]).first()
    if found is not None:
        found.tenant = tenant
    return found


def by_object(tenant: Tenant, object_ids: Collection[str]) -> dict[tuple[str, str], Standing]:
    """People and groups, by kind and Entra id."""
    rows = standings(tenant, kind__in=ObjectType.values).filter(OF_ENTRA, object_id__in=object_ids)
    return {(row.kind, row.object_id): row for row in rows.order_by()}


# The path of data


def path_of_data(tenant: Tenant, kind: str = USER) -> list[Step]:
    return _path(_numbers(standings(tenant, kind), _steps()))


def _path(numbers: Mapping[str, int]) -> list[Step]:
    """`numbers`: by step, how many come as far."""
    counts = [numbers[name] for name in STEPS]
    before = [counts[0], *counts[:-1]]
    return [Step(name, count, last - count) for name, count, last in zip(STEPS, counts, before, strict=True)]


def _steps() -> dict[str, Q]:
    found, so_far = {}, Q()
    for name, condition in STEPS.items():
        so_far &= condition
        found[name] = so_far
    return found


def come_to(tenant: Tenant, step: str, kind: str = USER) -> QuerySet[Standing]:
    """Who comes as far as this step (of STEPS)."""
    return standings(tenant, kind).filter(_steps()[step])


def dropped_at(tenant: Tenant, step: str, kind: str = USER) -> QuerySet[Standing]:
    """Who comes as far as the step before, and not to this one."""
    names = list(STEPS)
    before = names[max(0, names.index(step) - 1)]
    return come_to(tenant, before, kind).exclude(STEPS[step])


def reaching_aws(tenant: Tenant, kind: str = USER) -> tuple[int, int]:
    """How many in scope are in AWS and up to date, and how many are in scope."""
    there, inside = _in_scope(tenant, kind, THERE)
    return there, inside


def ready(tenant: Tenant, kind: str = USER) -> tuple[int, int]:
    """How many in scope AWS would take, and how many are in scope."""
    return ready_by_kind(tenant)[kind]


def ready_by_kind(tenant: Tenant) -> dict[str, tuple[int, int]]:
    """As `ready`, of people and of groups."""
    kinds = {kind: Q(kind=kind) for kind in ObjectType.values}
    conditions = {f"ready_{kind}": mine & READY for kind, mine in kinds.items()} | kinds
    found = _numbers(standings(tenant, in_scope=True), conditions)
    return {kind: (found[f"ready_{kind}"], found[kind]) for kind in kinds}


def people_at_the_end(tenant: Tenant) -> tuple[int, int, int]:
    """What a run keeps of `reaching_aws` and `ready`, in one look: there, ready, in scope."""
    there, taken, inside = _in_scope(tenant, USER, THERE, READY)
    return there, taken, inside


def held_by_aws(tenant: Tenant, kind: str = USER) -> int:
    """Those of ours that AWS has, leavers and what differs included."""
    elsewhere = (Word.GONE, Word.ONLY_IN_AWS)
    return standings(tenant, kind).exclude(scim_id="").exclude(word__in=elsewhere).count()


THERE, READY = Q(word=Word.IN_AWS), ~Q(word=Word.NOT_READY)


def _in_scope(tenant: Tenant, kind: str, *conditions: Q) -> list[int]:
    """How many in scope each is true of; at last how many there are."""
    numbered = {str(number): condition for number, condition in enumerate([*conditions, Q()])}
    return list(_numbers(standings(tenant, kind, in_scope=True), numbered).values())


def _numbers(rows: QuerySet[Standing], conditions: Mapping[str, Q], **others: Aggregate) -> dict[str, Any]:
    """How many rows meet each condition, over columns of NUMBERED alone. Those that stand alike are counted first: they are
    a few rows, however many people there are. `others`: over `oldest`, since when the first of those does."""
    alike = rows.order_by().values(*NUMBERED).annotate(n=Count("pk"), oldest=Min("since"))
    sums = {f"of_{name}": Sum("n", filter=condition or None, default=0) for name, condition in conditions.items()}
    found = alike.aggregate(**sums, **others)
    return {name.removeprefix("of_"): value for name, value in found.items()}


@dataclass(frozen=True, slots=True)
class Figures:
    """People in scope, and those of them who are in AWS and up to date; groups that are; whoever has a problem, of both; the
    path of people."""

    reaching: int
    in_scope: int
    groups: int
    problems: int
    problems_since: datetime.datetime | None
    path: Sequence[Step]


def figures(tenant: Tenant) -> Figures:
    there, problem = Q(in_scope=True) & THERE, Q(word__in=PROBLEMS)
    conditions = {name: condition & Q(kind=USER) for name, condition in _steps().items()}
    conditions |= {"people_there": there & Q(kind=USER), "people": Q(in_scope=True, kind=USER)}
    conditions |= {"groups_there": there & Q(kind=GROUP), "problems": problem}
    found = _numbers(standings(tenant), conditions, since=Min("oldest", filter=problem))
    return Figures(
        reaching=found["people_there"],
        in_scope=found["people"],
        groups=found["groups_there"],
        problems=found["problems"],
        problems_since=found["since"],
        path=_path(found),
    )


# What is the matter


def causes(
    tenant: Tenant, words: Collection[Word] = WAITS_FOR_SOMEBODY, kind: str | None = None, named: int | None = None
) -> list[Cause]:
    """What is the matter with whom: worst word first, then most people. `named`: how many come with names; None: all."""
    # Both kinds by their names: only so does the index lead to the words.
    rows = standings(tenant, word__in=words, kind__in=[kind] if kind else ObjectType.values).order_by()
    found = rows.values(*CAUSE).annotate(n=Count("pk"), since=Min("since"), next_try=Min("next_try"))
    order = list(WAITS_FOR_SOMEBODY)
    listed = sorted(
        (_cause(dict(row)) for row in found),
        key=lambda one: (_place(order, one.word), -one.count, one.code, one.attribute, one.kind),
    )
    first = _first(tenant, listed[:named])
    return [
        replace(one, names=[row.name for row in first[one.key]], object_ids=[row.object_id for row in first[one.key]])
        for one in listed
    ]


def _place(order: Sequence[Word], word: Word) -> int:
    return order.index(word) if word in order else len(order)


def _cause(row: dict[str, Any]) -> Cause:
    return Cause(
        kind=row["kind"],
        word=Word(row["word"]),
        code=row["code"],
        attribute=row["attribute"],
        count=row["n"],
        since=row["since"],
        next_try=row["next_try"],
    )


def _first(tenant: Tenant, found: Sequence[Cause]) -> dict[tuple[str, ...], list[Standing]]:
    """By the key of each cause, in one query by the index of names."""
    asked = Q(pk__in=())
    for cause in found:
        asked |= Q(pk__in=members_of(tenant, cause).values("pk")[:NAMES])
    first: dict[tuple[str, ...], list[Standing]] = defaultdict(list)
    # By primary key alone: any other condition would have the database look at everybody.
    for row in Standing.objects.filter(asked).order_by("name", "pk"):
        first[row.kind, row.word, row.code, row.attribute].append(row)
    return first


def members_of(tenant: Tenant, cause: Cause) -> QuerySet[Standing]:
    return standings(tenant, cause.kind, word=cause.word, code=cause.code, attribute=cause.attribute)


def open_problems(tenant: Tenant) -> tuple[int, datetime.datetime | None]:
    """How many people and groups have one, and since when the oldest does."""
    found = standings(tenant, word__in=PROBLEMS).order_by().aggregate(n=Count("pk"), since=Min("since"))
    return found["n"], found["since"]


def worst(tenant: Tenant) -> tuple[Word, int] | None:
    """The first word, in the order of WAITS_FOR_SOMEBODY, that anybody has."""
    return _worst(counts(tenant))


def _worst(found: Mapping[Word, int]) -> tuple[Word, int] | None:
    return next(((word, found[word]) for word in (*WAITS_FOR_SOMEBODY, Word.DIFFERS) if found.get(word)), None)


@dataclass(frozen=True, slots=True)
class Summary:
    """A tenant in a list of them: see reaching_aws, worst and open_problems."""

    reaching: tuple[int, int]
    worst: tuple[Word, int] | None
    problems: int


def summaries(tenants: Collection[Tenant]) -> dict[int, Summary]:
    """By primary key; one query for all of them."""
    rows = Standing.objects.filter(tenant__in=tenants).order_by().values("tenant", *NUMBERED)
    everybody: dict[int, Counter[Word]] = {tenant.pk: Counter() for tenant in tenants}
    inside: dict[int, Counter[Word]] = {tenant.pk: Counter() for tenant in tenants}
    for row in rows.annotate(n=Count("pk")):
        everybody[row["tenant"]][Word(row["word"])] += row["n"]
        if row["in_scope"] and row["kind"] == USER:
            inside[row["tenant"]][Word(row["word"])] += row["n"]
    return {key: _summary(everybody[key], inside[key]) for key in everybody}


def _summary(everybody: Counter[Word], inside: Counter[Word]) -> Summary:
    """`inside`: people in scope."""
    problems = sum(everybody[word] for word in PROBLEMS)
    return Summary((inside[Word.IN_AWS], inside.total()), _worst(everybody), problems)


def compared(tenant: Tenant) -> Run | None:
    """The comparison that the standings go by."""
    found = newest_comparison(tenant.pk)
    if found is not None:
        found.tenant = tenant
    return found


def compared_counts(tenant: Tenant) -> dict[Word, int]:
    """People and groups at each word of COMPARED."""
    found = counts(tenant)
    return {word: found[word] for word in COMPARED}


def differing(tenant: Tenant, newest: Run | None = None) -> QuerySet[Drift]:
    """What the newest comparison, and reading back since, found of people and groups of ours; without what was written or
    read anew since. Whoever is held, or has another problem first, stands at that word."""
    return open_differences(tenant.pk, newest or newest_comparison(tenant.pk))


# The check


def differences(tenant: Tenant) -> list[Difference]:
    """Everything derived anew and compared with what is stored: always empty, or there is a fault of ours."""
    found = [one for kind in ObjectType.values for one in _differences(tenant, kind)]
    return found + _only_in_aws_differences(tenant)


def _differences(tenant: Tenant, kind: str) -> list[Difference]:
    """One statement: both sides as of one moment."""
    derivation = Derivation(tenant.pk, kind, None)
    differs = " OR ".join(f"d.{name} IS DISTINCT FROM s.{name}" for name in DERIVED)
    derived, stored, nothing = (", ".join(f"{side}{name}" for name in DERIVED) for side in ("d.", "s.", "NULL AS "))
    # Joined by the table's own index.
    mine = "s.tenant_id = %(tenant)s AND s.kind = %(kind)s AND NOT s.object_id = ''"
    row = "m.tenant_id = s.tenant_id AND m.object_id = s.object_id AND m.scope_reason <> ''"
    # Names of our own models alone; values are parameters.
    statement = f"""
        {derivation.sql}
        SELECT {derived}, {stored} FROM derived d
        LEFT JOIN {table_of(Standing)} s ON {mine} AND s.object_id = d.object_id WHERE {differs}
        UNION ALL
        SELECT {nothing}, {stored} FROM {table_of(Standing)} s
        WHERE {mine} AND NOT EXISTS (SELECT 1 FROM {table_of(MIRRORS[kind])} m WHERE {row})
    """  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, derivation.parameters)
        return [_difference(kind, row) for row in cursor.fetchall()]


def _difference(kind: str, row: Sequence[Any]) -> Difference:
    width = len(DERIVED)
    derived, stored = (dict(zip(DERIVED, part, strict=True)) for part in (row[:width], row[width:]))
    known = derived if derived["object_id"] is not None else stored
    return Difference(
        kind,
        known["object_id"],
        known["scim_id"],
        known["name"],
        stored if stored["object_id"] is not None else None,
        derived if derived["object_id"] is not None else None,
    )


def _only_in_aws_differences(tenant: Tenant) -> list[Difference]:
    facts = {"word": Word.ONLY_IN_AWS.value, "code": ONLY_IN_AWS}
    derived = {
        (row.object_type, row.scim_id): facts | {"name": row.name}
        for row in only_in_aws(tenant.pk, newest_comparison(tenant.pk))
    }
    rows = standings(tenant, object_id="")
    stored = {(row.kind, row.scim_id): {"word": row.word, "code": row.code, "name": row.name} for row in rows}
    return [
        Difference(*_named(key, derived, stored), stored.get(key), derived.get(key))
        for key in sorted(derived.keys() | stored.keys())
        if derived.get(key) != stored.get(key)
    ]


def _named(
    key: tuple[str, str], derived: dict[Any, dict[str, str]], stored: dict[Any, dict[str, str]]
) -> tuple[str, str, str, str]:
    kind, scim_id = key
    return kind, "", scim_id, (derived.get(key) or stored[key])["name"]
