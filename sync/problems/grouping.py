"""How a run's problems are grouped: by code and attribute, with the people and the mapping rows behind each."""

import datetime
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Max, Min, Q, Window
from django.db.models.functions import RowNumber

from sync.models import AttributeMapping, Operation, Result, Run
from sync.models.run import HAS_PROBLEM
from sync.problems.catalogue import PROBLEMS, ProblemWords, Words
from sync.rules.acceptance import proposal_for


@dataclass(frozen=True, slots=True)
class ProblemGroup:
    """All failures of one kind in a run."""

    code: str
    attribute: str
    problem: ProblemWords
    objects: int
    first_seen: datetime.datetime
    last_seen: datetime.datetime
    # Of the newest failure; see ProblemWords.quote.
    error: str
    answered: bool
    sample: Sequence[Operation]
    mappings: Sequence[AttributeMapping]
    # An expression that would settle it, by primary key of its mapping; "" where none is known.
    defaults: Mapping[int, str]
    # Number of a run.
    known_since: int | None

    @property
    def quoted(self) -> Words:
        return self.problem.quote(self.answered)

    @property
    def meaning(self) -> Words:
        return self.problem.told(answered=self.answered)

    @property
    def key(self) -> str:
        return f"{self.code}-{self.attribute}".strip("-").replace(":", "-").replace(".", "-")


def problem_groups(run: Run, sample: int = 5) -> list[ProblemGroup]:
    """Grouped by code and attribute, most people first. As many queries for one group as for many."""
    found = failures(run).order_by().values("problem", "attribute")
    rows = list(
        found.annotate(
            objects=Count("object_id", distinct=True),
            first=Min("finished_at"),
            last=Max("finished_at"),
            answered=Count("status"),
            least_kind=Min("object_type"),
            greatest_kind=Max("object_type"),
        ).order_by("-objects", "problem")
    )
    if not rows:
        return []
    samples, known, mappings = _samples(run, sample), _known_since(run, rows), _mappings(run, rows)
    # While the run goes on, what failed may have been tried again by now.
    left = [row for row in rows if _key(row) in samples]
    return [_group(row, *samples[_key(row)], known.get(_key(row)), mappings) for row in left]


Key = tuple[str, str]


def _key(row: Mapping[str, Any]) -> Key:
    return row["problem"], row["attribute"]


def _samples(run: Run, size: int) -> dict[Key, tuple[list[Operation], Operation]]:
    """The first operations of each group, and its newest."""
    place, last = (
        Window(RowNumber(), partition_by=[F("problem"), F("attribute")], order_by=order) for order in ("pk", "-pk")
    )
    chosen = failures(run).annotate(place=place, last=last).filter(Q(place__lte=size) | Q(last=1))
    found: dict[Key, list[Operation]] = defaultdict(list)
    for row in chosen.order_by("pk"):
        found[row.problem, row.attribute].append(row)
    return {key: (rows[:size], rows[-1]) for key, rows in found.items()}


def _known_since(run: Run, rows: Iterable[Mapping[str, Any]]) -> dict[Key, int]:
    """The number of the first run before this one that met the same."""
    codes = {row["problem"] for row in rows}
    met = Operation.objects.filter(HAS_PROBLEM, tenant_id=run.tenant_id, problem__in=codes)
    same = met.filter(result__in=FAILED, run__lt=run.pk)
    earlier = same.exclude(run__in=Run.objects.drafted()).order_by().values("problem", "attribute")
    return {_key(row): row["first"] for row in earlier.annotate(first=Min("run__number"))}


def _mappings(run: Run, rows: Iterable[Mapping[str, Any]]) -> list[AttributeMapping]:
    """In use, where an attribute is named that they may write."""
    if not any(row["attribute"] for row in rows):
        return []
    return list(AttributeMapping.objects.filter(configuration__in=run.tenant.configurations.in_use()))


def problem_counts(run: Run) -> dict[str, int]:
    """How many people and groups each kind concerns; without what settles by itself."""
    rows = failures(run).order_by().values("problem").annotate(n=Count("object_id", distinct=True))
    counted = {row["problem"]: row["n"] for row in rows}
    return {code: n for code, n in counted.items() if code not in PROBLEMS or not PROBLEMS[code].warning}


def affected(run: Run) -> int:
    """How many people and groups these are; whoever has two problems is one. Memberships go by their group."""
    warnings = [code for code, words in PROBLEMS.items() if words.warning]
    rows = failures(run).exclude(problem__in=warnings).order_by()
    return int(rows.aggregate(n=Count("object_id", distinct=True))["n"])


FAILED = (Result.FAILED, Result.WILL_RETRY, Result.SKIPPED)


def failures(run: Run) -> Any:
    return run.operations.filter(result__in=FAILED).exclude(problem="")


def _group(
    row: Mapping[str, Any],
    sample: Sequence[Operation],
    newest: Operation,
    known_since: int | None,
    mappings: Iterable[AttributeMapping],
) -> ProblemGroup:
    # Least and greatest are both there are: people have mappings, and groups.
    behind = causes(mappings, row["attribute"], {row["least_kind"], row["greatest_kind"]})
    return ProblemGroup(
        code=row["problem"],
        attribute=row["attribute"],
        problem=PROBLEMS.get(row["problem"], PROBLEMS["rejected"]),
        objects=row["objects"],
        first_seen=row["first"],
        last_seen=row["last"],
        error=newest.error,
        answered=row["answered"] > 0,
        sample=sample,
        mappings=behind,
        defaults={one.pk: proposal_for(row["problem"], row["attribute"], one.rule()) for one in behind},
        known_since=known_since,
    )


def causes(mappings: Iterable[AttributeMapping], attribute: str, kinds: Collection[str]) -> list[AttributeMapping]:
    """The mapping rows behind a problem: those that write the attribute that AWS named, of people or groups who have it."""
    # A list (`emails`) is written by the rows of its items (`emails[type eq "work"].value`).
    mine = [row for row in mappings if attribute and row.object_type in kinds]
    return [row for row in mine if row.target == attribute or row.target.startswith(f"{attribute}[")]
