"""The tables of assignments as pages show them: what the draft assigns, and what it no longer does, with its counts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.core.cache import cache
from django.core.paginator import Page, Paginator
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sync.configuration import drafts
from sync.configuration.drafts import Configurations
from sync.configuration.items import Difference, assignment_key, setting_key
from sync.directory import live
from sync.models import (
    Assignment,
    Configuration,
    DirectoryGroup,
    DirectoryUser,
    ObjectType,
    Snapshot,
    Standing,
    Tenant,
    Word,
)
from sync.preview.queries import assignment_effects
from sync.preview.queries.assignment_effects import AssignmentCounts, AssignmentEffects
from sync.problems.catalogue import PROBLEMS, ProblemWords, scope_words
from sync.standings import queries as standings

PAGE = 50
# Above so many memberships in the directory the page comes first and its counts follow.
COUNT_AT_ONCE = 20_000
COUNTS_KEPT_SECONDS = 300
# Words for a changed setting, by its new value.
CHANGED = {
    ("nested", True): gettext_lazy("nested groups included"),
    ("nested", False): gettext_lazy("direct members only"),
    ("send_group", True): gettext_lazy("the group itself is sent"),
    ("send_group", False): gettext_lazy("the group itself is not sent"),
}


@dataclass(slots=True)
class AssignmentLine:
    """One row of a table. `standing`: None while nobody has decided on its scope; `mark`: new, changed or removed in the
    draft."""

    row: Assignment
    name: str
    detail: str
    gone: bool
    mark: str = ""
    changed: Sequence[str] = ()
    standing: Standing | None = None
    direct: int | None = None
    counts: AssignmentCounts | None = None
    through: Sequence[tuple[str, str]] = ()
    # Why an assigned person is not in scope all the same, in words.
    outside: str = ""

    @property
    def reference(self) -> str:
        return f"{self.row.object_type}:{self.row.object_id}"

    @property
    def key(self) -> str:
        """The name of its change in the draft."""
        return assignment_key(self.row.object_type, self.row.object_id)

    @property
    def is_group(self) -> bool:
        return self.row.object_type == ObjectType.GROUP

    @property
    def word(self) -> str:
        return word_of_group(self.row, self.standing) if self.is_group else word_of(self.standing)

    @property
    def problem(self) -> ProblemWords | None:
        waits = self.standing is not None and self.standing.word in standings.WAITS_FOR_SOMEBODY
        return PROBLEMS.get(self.standing.code) if self.standing and waits else None


@dataclass(slots=True)
class Tables:
    """`groups` and `people` were assigned here, `mirrored` by the enterprise application."""

    groups: Page[AssignmentLine]
    people: Page[AssignmentLine]
    mirrored: Page[AssignmentLine]
    # How many are assigned, by table: without the search, and without what the draft removes.
    totals: Mapping[str, int]
    any: bool
    application_changed: bool
    # The last reading of the directory, which the counts are of.
    snapshot: Snapshot | None
    # Counts are left out: the page asks for them by itself.
    counting: bool = False

    @property
    def read_at(self) -> Any:
        return self.snapshot.sealed_at if self.snapshot else None

    @property
    def shown(self) -> list[AssignmentLine]:
        return [*self.groups, *self.people, *self.mirrored]


def tables(configurations: Configurations, text: str, pages: Mapping[str, str], *, wait: bool) -> Tables:
    """`pages`: the number of each table's page; `wait`: count even when it takes a while."""
    configuration = configurations.shown
    tenant = configuration.tenant
    changes = {one.key: one for one in drafts.changes_of(configurations.draft)}
    rules = AssignmentEffects(configuration)
    lines = _lines(tenant, configuration, changes, rules)
    snapshot = last_snapshot(tenant)
    found = Tables(
        groups=_page(lines, "groups", text, pages),
        people=_page(lines, "people", text, pages),
        mirrored=_page(lines, "mirrored", text, pages),
        totals={name: sum(kind(line) and line.mark != "removed" for line in lines) for name, kind in KINDS.items()},
        any=bool(lines),
        application_changed=setting_key("mirrored_app") in changes,
        snapshot=snapshot,
    )
    _add_standings(tenant, found.shown)
    _add_through(rules, [line for line in found.shown if not line.is_group])
    _add_counts(found, configuration, rules, wait=wait)
    return found


KINDS: dict[str, Callable[[AssignmentLine], bool]] = {
    "groups": lambda line: line.is_group and not line.row.mirrored,
    "people": lambda line: not line.is_group and not line.row.mirrored,
    "mirrored": lambda line: line.row.mirrored,
}


def _page(lines: Iterable[AssignmentLine], table: str, text: str, pages: Mapping[str, str]) -> Page[AssignmentLine]:
    kind, text = KINDS[table], text.strip().casefold()
    wanted = [line for line in lines if kind(line) and (not text or text in f"{line.name} {line.detail}".casefold())]
    wanted.sort(key=lambda line: (not line.is_group, line.name.casefold(), line.row.object_id))
    return Paginator(wanted, PAGE).get_page(pages.get(table))


# The rows


def _lines(
    tenant: Tenant, configuration: Configuration, changes: Mapping[str, Difference], rules: AssignmentEffects
) -> list[AssignmentLine]:
    rows = list(rules.assignments)
    removed = {one.key for one in changes.values() if one.item.kind == "assignment" and one.after is None}
    if removed and configuration.based_on is not None:
        base = configuration.based_on.assignments.all()
        rows += [row for row in base if assignment_key(row.object_type, row.object_id) in removed]
    groups = {group.object_id: group for group in DirectoryGroup.objects.filter(_assigned(tenant, "group"))}
    people = {person.object_id: person for person in DirectoryUser.objects.filter(_assigned(tenant, "user"))}
    lines = [
        _group_line(row, groups) if row.object_type == "group" else _person_line(row, people, rules) for row in rows
    ]
    for line in lines:
        if difference := changes.get(line.key):
            _mark(line, difference)
    return lines


def _assigned(tenant: Tenant, object_type: str) -> Q:
    """Of the mirror: what any version assigns."""
    ids = Assignment.objects.filter(configuration__tenant=tenant, object_type=object_type).values("object_id")
    return Q(tenant=tenant, object_id__in=ids)


def _group_line(row: Assignment, groups: Mapping[str, DirectoryGroup]) -> AssignmentLine:
    found = groups.get(row.object_id)
    kind = live.KINDS.get(row.detail) or live.KINDS["group"]
    return AssignmentLine(
        row, (found.display_name if found else "") or str(row), str(kind), bool(found and found.deleted)
    )


def _person_line(row: Assignment, people: Mapping[str, DirectoryUser], rules: AssignmentEffects) -> AssignmentLine:
    found = people.get(row.object_id)
    if found is None:
        return AssignmentLine(row, str(row), row.detail, gone=False)
    line = AssignmentLine(
        row, found.display_name or str(row), found.user_principal_name or row.detail, bool(found.deleted)
    )
    line.outside = outside(found, rules)
    return line


def outside(user: DirectoryUser, rules: AssignmentEffects) -> str:
    """Why somebody is not in scope however they are assigned, in words; "" when nothing keeps them out."""
    reason = None if user.deleted else rules.keeps_out(user.properties)
    return scope_words(reason, [one.filter.title for one in rules.rules.people_gate.filters]) if reason else ""


def _mark(line: AssignmentLine, difference: Difference) -> None:
    if difference.before is None:
        line.mark = "new"
    elif difference.after is None:
        line.mark = "removed"
    else:
        line.mark = "changed"
        line.changed = [str(CHANGED[name, difference.after.facts[name]]) for name in difference.fields]


def _add_standings(tenant: Tenant, lines: Sequence[AssignmentLine]) -> None:
    known = standings.by_object(tenant, [line.row.object_id for line in lines])
    for line in lines:
        line.standing = known.get((line.row.object_type, line.row.object_id))


def word_of_group(row: Assignment, standing: Standing | None) -> str:
    """A group that only brings its people is not in scope itself."""
    return word_of(standing, Word.WAITING if row.send_group else Word.NOT_IN_SCOPE)


def word_of(standing: Standing | None, undecided: Word = Word.WAITING) -> str:
    """`undecided`: where no run or preview has read the object and decided on its scope."""
    return standing.word if standing else undecided.value


# Counts


def _add_through(rules: AssignmentEffects, people: Sequence[AssignmentLine]) -> None:
    if not people:
        return
    found = rules.also_through([line.row.object_id for line in people])
    for line in people:
        line.through = [(root, rules.groups[root]) for root in found.get(line.row.object_id, ())]


def _add_counts(found: Tables, configuration: Configuration, rules: AssignmentEffects, *, wait: bool) -> None:
    groups, snapshot = [line for line in found.shown if line.is_group], found.snapshot
    if not groups:
        return
    if snapshot is None:
        found.counting = not wait
        if wait:
            _count_in_entra(configuration.tenant, groups)
        return
    for line in groups:
        line.direct = 0
    for group_id, n in assignment_effects.direct_counts(
        configuration.tenant, [line.row.object_id for line in groups]
    ).items():
        next(line for line in groups if line.row.object_id == group_id).direct = n
    counts = _counts(configuration, rules, snapshot, compute=wait or snapshot.memberships <= COUNT_AT_ONCE)
    found.counting = counts is None
    for line in groups:
        line.counts = (counts or {}).get(line.row.object_id)


def _counts(
    configuration: Configuration, rules: AssignmentEffects, snapshot: Snapshot, *, compute: bool
) -> dict[str, AssignmentCounts] | None:
    """Kept until the directory is read again or somebody edits the rules."""
    edited = configuration.changed_at.timestamp()
    key = f"assigned:{configuration.pk}:{edited}:{snapshot.pk}:{configuration.assignments.count()}"
    kept: dict[str, dict[str, int]] | None = cache.get(key)
    if kept is not None:
        return {group: AssignmentCounts(**counts) for group, counts in kept.items()}
    if not compute:
        return None
    found = rules.counts()
    cache.set(key, {group: asdict(counts) for group, counts in found.items()}, COUNTS_KEPT_SECONDS)
    return found


def _count_in_entra(tenant: Tenant, groups: Iterable[AssignmentLine]) -> None:
    """Before the first run the mirror is empty; when Graph does not answer the counts stay unknown."""
    try:
        for line in groups:
            line.direct = live.live_member_count(tenant, line.row.object_id)
    except live.UNREADABLE:
        return


def last_snapshot(tenant: Tenant) -> Snapshot | None:
    return Snapshot.objects.filter(tenant=tenant, sealed_at__isnull=False).order_by("-pk").first()


# Who leaves


@dataclass(frozen=True, slots=True)
class UnassignedWords:
    """What follows when assignments go, in words. `people`: one page of those who leave."""

    leave: int
    stay: int
    reasons: Sequence[tuple[int, str, str]]
    people: Page[tuple[str, str, str]]


def leaving(
    rules: AssignmentEffects, going: Sequence[assignment_effects.Key], number: str = "", size: int = PAGE
) -> UnassignedWords:
    found = rules.departure(going)
    rows = rules.people_of(going).order_by("display_name", "pk")
    names = rows.values_list("object_id", "display_name", "user_principal_name")
    people = [row for row in names.iterator(chunk_size=5000) if row[0] in found.leaving] if found.leaving else []
    reasons = [(n, _kept_by(key, rules), key[1]) for key, n in found.staying.most_common()]
    return UnassignedWords(len(found.leaving), found.staying.total(), reasons, Paginator(people, size).get_page(number))


def _kept_by(key: assignment_effects.Key, rules: AssignmentEffects) -> str:
    if key == assignment_effects.EVERYBODY:
        return _("all people are in scope")
    return _("they are assigned themselves") if key == assignment_effects.HIMSELF else rules.groups[key[1]]
