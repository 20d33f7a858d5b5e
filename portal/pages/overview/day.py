"""The last 24 hours: every half hour with its syncs, drawn as a strip and told as a table."""

import datetime
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from django.db.models import IntegerField, JSONField, Q, Subquery, Value
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.words.states import LOOKS, counted
from sync.models import Tenant
from sync.models.run import CHANGED
from sync.problems import languages
from sync.problems.languages import grouped

HOURS = datetime.timedelta(hours=24)
SLOT = datetime.timedelta(minutes=30)
SLOTS = HOURS // SLOT
# Of families of colours, the gravest first: what a half hour with several syncs is drawn as.
GRAVEST = ("bad", "held", "attention", "neutral", "good", "running")
# A label under every so many slots.
LABELLED = 12
# Of the drawing, in its own units.
WIDTH, GAP, BASE, LEAST, MOST = 10, 2, 56, 4, 40
MISSED = "did_not_start"
# When, as what, its counts, and people in AWS after it.
Due = tuple[datetime.datetime, str, Mapping[str, int], int | None]


@dataclass(frozen=True, slots=True)
class HalfHour:
    """`states`: of its syncs, and of starts that were missed; `changes`: to people, groups and members."""

    at: datetime.datetime
    states: Sequence[str]
    changes: int
    failed: int
    x: int
    height: int

    @property
    def family(self) -> str:
        families = {LOOKS["run"][state][0] for state in self.states}
        return next(family for family in GRAVEST if family in families)

    @property
    def y(self) -> int:
        return BASE - self.height

    @property
    def middle(self) -> int:
        return self.x + (WIDTH - GAP) // 2

    @property
    def words(self) -> str:
        return counted("run", Counter(self.states))


@dataclass(frozen=True, slots=True)
class Day:
    """`bars`: half hours in which something was due; `labels`: times under the strip; `before`: people in AWS as the last
    sync left it that ended before these hours."""

    sentence: str
    bars: Sequence[HalfHour]
    labels: Sequence[datetime.datetime]
    before: int | None
    width: int = SLOTS * WIDTH
    bar: int = WIDTH - GAP
    base: int = BASE


def last_day(tenant: Tenant) -> Day:
    begins = timezone.now() - HOURS
    rows = due_since(tenant, begins)
    before = next((in_aws for at, _state, _counts, in_aws in rows if at < begins), None)
    found = [(at, state, counts) for at, state, counts, _in_aws in rows if at >= begins]
    slots: dict[int, list[tuple[str, Mapping[str, int]]]] = {}
    for at, state, counts in found:
        slots.setdefault(min((at - begins) // SLOT, SLOTS - 1), []).append((state, counts))
    most = max((changes_of(rows) for rows in slots.values()), default=0)
    bars = [half_hour(begins, number, rows, most) for number, rows in sorted(slots.items())]
    states = Counter(state for _at, state, _counts in found)
    labels = [begins + number * SLOT for number in range(0, SLOTS + 1, LABELLED)]
    return Day(" ".join([sentence_of(states), *switched(tenant, begins)]), bars, labels, before)


def due_since(tenant: Tenant, begins: datetime.datetime) -> list[Due]:
    """Syncs asked for since, starts that were missed, and the last sync that had ended by then; oldest first."""
    syncs = tenant.runs.syncs()
    ended = syncs.filter(finished_at__lte=begins).exclude(people_in_aws=None).order_by("-pk").values("pk")[:1]
    rows = syncs.filter(Q(created_at__gte=begins) | Q(pk=Subquery(ended)))
    nothing = Value({}, JSONField()), Value(None, IntegerField())
    missed = tenant.missed_starts.filter(expected_at__gte=begins).values_list("expected_at", Value(MISSED), *nothing)
    both = rows.order_by().values_list("created_at", "state", "counts", "people_in_aws").union(missed, all=True)
    return sorted(both.order_by(), key=itemgetter(0))


def half_hour(
    begins: datetime.datetime, number: int, rows: Sequence[tuple[str, Mapping[str, int]]], most: int
) -> HalfHour:
    changes = changes_of(rows)
    failed = sum(counts.get(result, 0) for _state, counts in rows for result in ("failed", "will_retry"))
    # A day with one large sync shows the small ones too.
    height = LEAST + round(MOST * math.sqrt(changes / most)) if most else LEAST
    return HalfHour(begins + number * SLOT, [state for state, _counts in rows], changes, failed, number * WIDTH, height)


def changes_of(rows: Sequence[tuple[str, Mapping[str, int]]]) -> int:
    return sum(counts.get(result, 0) for _state, counts in rows for result in CHANGED)


def switched(tenant: Tenant, begins: datetime.datetime) -> list[str]:
    """Why there may be a gap: it is off now, or was until a moment of these hours."""
    at = tenant.enabled_changed_at
    if at is None or (tenant.enabled and at < begins):
        return []
    words = _("Paused since %(date)s.") if tenant.paused else _("Off since %(date)s.")
    return [(_("On since %(date)s.") if tenant.enabled else words) % {"date": languages.moment(timezone.localtime(at))}]


def sentence_of(states: Counter[str]) -> str:
    """46 syncs: 41 completed, 5 completed with errors. 2 did not start."""
    started = Counter({state: n for state, n in states.items() if state != MISSED})
    total = sum(started.values())
    text = ngettext("%(n)s sync: %(states)s.", "%(n)s syncs: %(states)s.", total)
    parts = (
        [text % {"n": grouped(total), "states": counted("run", started)}]
        if total
        else [_("No sync in the last 24 hours.")]
    )
    if missed := states[MISSED]:
        parts.append(ngettext("%(n)s did not start.", "%(n)s did not start.", missed) % {"n": missed})
    return " ".join(parts)
