"""How a run's problems are grouped: by code and attribute, with the people and the mapping rows behind each."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Min, Q

from sync.models import AttributeMapping, Operation, Result, Run
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
    known_since: Run | None

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
    """Grouped by code and attribute, most people first."""
    rows = (
        failures(run)
        .values("problem", "attribute")
        .annotate(
            objects=Count("object_id", distinct=True),
            first=Min("finished_at"),
            last=Max("finished_at"),
            newest=Max("pk"),
        )
        .order_by("-objects", "problem")
    )
    return [_group(run, row, sample) for row in rows]


def problem_counts(run: Run) -> dict[str, int]:
    """How many people and groups each kind concerns, most first; without what settles by itself."""
    rows = failures(run).order_by().values("problem").annotate(n=Count("object_id", distinct=True))
    counted = {row["problem"]: row["n"] for row in rows.order_by("-n", "problem")}
    return {code: n for code, n in counted.items() if code not in PROBLEMS or not PROBLEMS[code].warning}


def failures(run: Run) -> Any:
    return run.operations.filter(result__in=(Result.FAILED, Result.WILL_RETRY, Result.SKIPPED)).exclude(problem="")


def _group(run: Run, row: dict[str, Any], sample: int) -> ProblemGroup:
    same = failures(run).filter(problem=row["problem"], attribute=row["attribute"])
    earlier = (
        Operation.objects.filter(tenant_id=run.tenant_id, problem=row["problem"], attribute=row["attribute"])
        .filter(run__number__lt=run.number)
        .exclude(run__in=Run.objects.drafted())
        .order_by("run__number")
        .select_related("run")
        .first()
    )
    mappings = list(causes(run, row["attribute"]))
    return ProblemGroup(
        code=row["problem"],
        attribute=row["attribute"],
        problem=PROBLEMS.get(row["problem"], PROBLEMS["rejected"]),
        objects=row["objects"],
        first_seen=row["first"],
        last_seen=row["last"],
        error=same.filter(pk=row["newest"]).values_list("error", flat=True).first() or "",
        answered=same.exclude(status=None).exists(),
        sample=list(same.order_by("pk")[:sample]),
        mappings=mappings,
        defaults={one.pk: proposal_for(row["problem"], row["attribute"], one.rule()) for one in mappings},
        known_since=earlier.run if earlier else None,
    )


def causes(run: Run, attribute: str) -> Iterable[AttributeMapping]:
    """The mapping rows behind a problem: those that write the attribute that AWS named."""
    if not attribute:
        return []
    rows = AttributeMapping.objects.filter(configuration=run.tenant.configurations.current())
    # A list (`emails`) is written by the rows of its items (`emails[type eq "work"].value`).
    return rows.filter(Q(target=attribute) | Q(target__startswith=f"{attribute}["))
