"""What the syncs of a range come to: five figures, each beside the range before."""

import datetime
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from portal.pages.runs.forms import Span
from sync.models import Run, Tenant
from sync.standings import queries as standings

# The newest so many runs of a range are looked at.
MOST = 20_000
BAD = (Run.State.FAILED, Run.State.COMPLETED_WITH_ERRORS)
# What changed nothing.
UNCHANGED = "no_change"


class Fact(NamedTuple):
    """A finished sync."""

    state: str
    created_at: datetime.datetime
    started_at: datetime.datetime | None
    finished_at: datetime.datetime | None
    counts: dict[str, int]
    problems: dict[str, int]
    people_in_aws: int | None
    people_in_scope: int | None
    stands_for: int

    @property
    def seconds(self) -> float | None:
        return (self.finished_at - self.started_at).total_seconds() if self.started_at and self.finished_at else None

    def count(self, *results: str) -> int:
        return sum(self.counts.get(result, 0) for result in results)

    @property
    def failures(self) -> int:
        return sum(self.problems.values())

    @property
    def changes(self) -> int:
        return sum(self.counts.values()) - self.count(UNCHANGED)

    @property
    def good(self) -> bool:
        return self.state not in BAD


def facts_of(tenant: Tenant, span: Span) -> tuple[list[Fact], list[Fact]]:
    """Of the range and of the one before it, each oldest first. Previews, comparisons and what was asked on demand are no
    syncs."""
    runs = tenant.runs.syncs().finished().filter(created_at__gte=span.before.begins, created_at__lt=span.ends)
    rows = runs.order_by("-number").values_list(*Fact._fields)[: 2 * MOST]
    facts = [Fact(*row) for row in rows][::-1]
    inside = [one for one in facts if one.created_at >= span.begins]
    return inside[-MOST:], [one for one in facts if one.created_at < span.begins][-MOST:]


def summary(tenant: Tenant, span: Span, facts: Sequence[Fact], before: Sequence[Fact]) -> dict[str, Any]:
    seconds = durations(facts)
    people, in_scope = people_of(tenant, span, facts)
    earlier = last_known([*before, *facts[:1]])
    return {
        "runs": syncs(facts),
        "runs_before": syncs(before),
        "clean": clean_percent(facts),
        "clean_before": clean_percent(before),
        "people": people,
        "in_scope": in_scope,
        "more_people": people - earlier.people_in_aws if earlier and earlier.people_in_aws is not None else None,
        "median": statistics.median(seconds) if seconds else None,
        "most": seconds[round(0.95 * (len(seconds) - 1))] if seconds else None,
        "failures": per_thousand(facts),
        "failures_before": per_thousand(before),
    }


def syncs(facts: Iterable[Fact]) -> int:
    """With those for which another one stands (sync/retention)."""
    return sum(one.stands_for for one in facts)


def people_of(tenant: Tenant, span: Span, facts: Sequence[Fact]) -> tuple[int, int]:
    """In AWS and up to date, and in scope: now, or at the end of two dates."""
    newest = last_known(facts)
    if span.days or newest is None:
        return standings.reaching_aws(tenant)
    return newest.people_in_aws or 0, newest.people_in_scope or 0


def last_known(facts: Iterable[Fact]) -> Fact | None:
    return next((one for one in reversed(list(facts)) if one.people_in_aws is not None), None)


def durations(facts: Iterable[Fact]) -> list[float]:
    return sorted(one.seconds for one in facts if one.seconds is not None)


def clean_percent(facts: Sequence[Fact]) -> int | None:
    """Nobody asked a cancelled run whether it had errors."""
    ended = [one for one in facts if one.state != Run.State.CANCELLED]
    return round(100 * syncs(one for one in ended if one.good) / syncs(ended)) if ended else None


def per_thousand(facts: Sequence[Fact]) -> float | None:
    """People and groups that failed or were refused, of all that a run had something to do with."""
    changes = sum(one.changes for one in facts)
    return round(1000 * sum(one.failures for one in facts) / changes, 1) if changes else None


def failures_by_kind(facts: Iterable[Fact]) -> list[tuple[str, int]]:
    """Codes, most often first."""
    counted: Counter[str] = Counter()
    for one in facts:
        counted.update(one.problems)
    return counted.most_common()
