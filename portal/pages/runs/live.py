"""How a run goes: its pace, what is unusual about it, and its operations, one row a person."""

import datetime
import math
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from django.db.models import Count, Max, Min
from django.utils import timezone
from django.utils.translation import gettext as _

from sync.models import Operation, Result, Run
from sync.runs import phases

WRITING = ("people", "groups", "memberships", "removals")
# The pace is that of the last minute; before so many seconds and such a share are written, nobody can tell.
WINDOW = datetime.timedelta(seconds=60)
LEAST_SECONDS, LEAST_SHARE = 20, 0.05
# How far the rest may go faster or slower.
FASTER, SLOWER = 0.8, 1.3
# Usual is what the last runs did; unusual is so many times more, and no small number.
EARLIER, TIMES, FEWEST = 20, 3, 10
KINDS = {
    "creations": ("created",),
    "updates": ("updated", "added", "removed"),
    "removals": ("disabled", "deleted"),
}
SHOWN = 50
BAD_FIRST = (Result.FAILED, Result.WILL_RETRY, Result.HELD)


@dataclass(frozen=True, slots=True)
class Pace:
    """`left`: the rest as a range, "" while nobody can tell."""

    done: int
    total: int
    per_second: float = 0.0
    left: str = ""


def pace_of(run: Run) -> Pace | None:
    """Only while it writes: before that the total is unknown."""
    if not run.open or not any(phases.phase_of(run, key)["state"] == "running" for key in WRITING):
        return None
    waiting = run.operations.filter(result__in=(Result.PLANNED, Result.SENT)).count()
    done = max(0, run.planned - waiting)
    recent = Operation.objects.during(run).filter(finished_at__gte=timezone.now() - WINDOW).order_by()
    lately = recent.aggregate(n=Count("pk"), first=Min("finished_at"), last=Max("finished_at"))
    seconds = (lately["last"] - lately["first"]).total_seconds() if lately["n"] else 0
    if seconds < LEAST_SECONDS or done < LEAST_SHARE * run.planned:
        return Pace(done, run.planned)
    per_second = lately["n"] / seconds
    return Pace(done, run.planned, round(per_second, 1), time_left(waiting / per_second))


def time_left(seconds: float) -> str:
    """A range in minutes: `about 6 to 9 min left`."""
    least, most = math.floor(seconds * FASTER / 60), math.ceil(seconds * SLOWER / 60)
    if most <= 1:
        return _("less than a minute left")
    return _("about %(least)s–%(most)s min left") % {"least": max(1, least), "most": most}


@dataclass(frozen=True, slots=True)
class Unusual:
    """`kind`: of KINDS. `first`: the run is the first one of its version."""

    kind: str
    times: int
    usual: int
    first: bool


def unusual_of(run: Run) -> Unusual | None:
    """What there is far more of than in the syncs before."""
    if run.kind not in Run.SYNCS or run.open:
        return None
    earlier = run.tenant.runs.syncs().finished().filter(number__lt=run.number).order_by("-number")
    rows = list(earlier.values_list("counts", "configuration")[:EARLIER])
    if len(rows) < FEWEST:
        return None
    found = [_compared(run, kind, [counts for counts, _version in rows]) for kind in KINDS]
    first = run.configuration_id is not None and run.configuration_id not in {version for _counts, version in rows}
    most = max((one for one in found if one), default=None)
    return Unusual(most[1], most[0], most[2], first) if most else None


def _compared(run: Run, kind: str, earlier: Sequence[dict[str, int]]) -> tuple[int, str, int] | None:
    """How many times more, and what is usual."""
    now = count(run.counts, kind)
    usual = round(statistics.median(count(counts, kind) for counts in earlier))
    times = now // max(1, usual)
    return (times, kind, usual) if now >= FEWEST and times >= TIMES else None


def count(counts: dict[str, int], kind: str) -> int:
    return sum(counts.get(result, 0) for result in KINDS[kind])


@dataclass(frozen=True, slots=True)
class PersonRow:
    """`rest`: what else the run did to the same person, such as the manager of somebody just created."""

    operation: Operation
    rest: Sequence[Operation] = ()

    @property
    def moment(self) -> datetime.datetime:
        """Of the last step: what the rows are in order of."""
        return max(one.moment for one in (self.operation, *self.rest))

    @property
    def result(self) -> str:
        """What went wrong is what the row says."""
        results = [self.operation.result, *(one.result for one in self.rest)]
        return next((bad for bad in BAD_FIRST if bad in results), self.operation.result)


def person_rows(run: Run) -> list[PersonRow]:
    """The newest, one a person; of groups and members every request."""
    found = Operation.objects.during(run)
    last = list(found.last_of_each().newest_first()[:SHOWN])
    people = [row.object_id for row in last if row.object_type == "user"]
    steps: dict[str, list[Operation]] = defaultdict(list)
    theirs = run.operations.filter(object_type="user", object_id__in=people).exclude(result=Result.PLANNED)
    # Put in order here: a database asked for it would go through all of the run.
    for row in sorted(theirs.order_by(), key=attrgetter("pk")):
        steps[row.object_id].append(row)
    return [person_row(steps[row.object_id] if row.object_type == "user" else [row]) for row in last]


def person_row(steps: Sequence[Operation]) -> PersonRow:
    return PersonRow(steps[0], steps[1:])
