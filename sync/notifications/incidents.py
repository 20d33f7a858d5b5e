"""Incidents open and close with the standings of people and groups, and with what stops whole runs.

One message tells what is new, or has doubled; one more that it is over. In between there is none.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sync.models import Incident, Run, Tenant, Word
from sync.notifications import threads
from sync.notifications.kinds import kind_of
from sync.notifications.outbox import Event, Message, News, address_of, tell
from sync.notifications.threads import title_of
from sync.problems.catalogue import NOT_OF_RUNS, OF_COMPARISONS, PROBLEMS, ProblemWords
from sync.standings import queries
from sync.standings.queries import Cause

# Mailed again when so many times as many people and groups have it.
GROWN = 2
# Words that somebody has to do something about.
WORDS = (*queries.WAITS_FOR_SOMEBODY, Word.DIFFERS)
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Matter:
    """One code and attribute, and whom it is about; nobody in particular when it is the run's own."""

    code: str
    attribute: str = ""
    causes: tuple[Cause, ...] = ()

    @property
    def key(self) -> Key:
        return self.code, self.attribute

    @property
    def objects(self) -> int:
        return sum(cause.count for cause in self.causes)

    @property
    def word(self) -> Word | None:
        return self.causes[0].word if self.causes else None

    @property
    def words(self) -> ProblemWords:
        return PROBLEMS[self.code]


@transaction.atomic
def after_run(run: Run) -> None:
    """Opens and closes; to each channel one message for all that is new, one for all that is over."""
    matters = _of_standings(run.tenant)
    own = _of_run(run)
    solved = _solve(run, matters.keys(), own.keys())
    news = [*_open(run, own, of_run=True), *_open(run, matters, of_run=False)]
    tell(news, lambda heard: _message(run, [(own | matters)[_key(one.incident)] for one in heard]), run)
    tell([News(one, Event.SOLVED) for one in solved], lambda heard: _all_clear(run, heard), run)


def _key(incident: Incident) -> Key:
    return incident.code, incident.attribute


def _of_run(run: Run) -> dict[Key, Matter]:
    """Why it stopped, and what it did not believe. What is asked on demand tells whoever asked."""
    if run.kind == Run.Kind.ON_DEMAND:
        return {}
    codes = [run.problem] if run.state in (Run.State.FAILED, Run.State.WAITING) else []
    return {(code, ""): Matter(code) for code in (*codes, run.suspect) if code}


def _of_standings(tenant: Tenant) -> dict[Key, Matter]:
    """What settles by itself is no incident."""
    found: dict[Key, list[Cause]] = {}
    for cause in queries.causes(tenant, WORDS):
        if cause.code in PROBLEMS and not PROBLEMS[cause.code].warning:
            found.setdefault((cause.code, cause.attribute), []).append(cause)
    return {key: Matter(*key, tuple(causes)) for key, causes in found.items()}


def _open(run: Run, matters: Mapping[Key, Matter], *, of_run: bool) -> list[News]:
    """Those that are new, or concern twice as many as when somebody was told last."""
    found = [_news(run, matter, of_run=of_run) for matter in matters.values()]
    return [one for one in found if one]


def _news(run: Run, matter: Matter, *, of_run: bool) -> News | None:
    incident, created = threads.open_incident(
        run.tenant,
        matter.code,
        matter.attribute,
        kind=kind_of(matter.code, matter.word, of_run=of_run),
        opened_by=run,
        last_seen=run,
        of_run=of_run,
    )
    grown = not created and matter.objects >= GROWN * max(1, incident.told) and not of_run
    if created or grown:
        incident.told = matter.objects
    if grown:
        threads.note_growth(incident, matter.objects)
    incident.last_seen = run
    incident.save(update_fields=["last_seen", "told"])
    if not created and not grown:
        return None
    return News(incident, Event.OPENED if created else Event.CHANGED, matter.objects)


def _solve(run: Run, matters: Iterable[Key], own: Iterable[Key]) -> list[Incident]:
    """Over is what nobody stands at any more, and what stopped runs and did not stop this one."""
    here, met = set(matters), set(own)
    solved = []
    for incident in Incident.objects.filter(tenant=run.tenant, solved_at=None).exclude(code__in=NOT_OF_RUNS):
        key = _key(incident)
        over = (key not in met and _can_tell(run, incident.code)) if incident.of_run else key not in here
        if over and threads.solve(incident):
            solved.append(incident)
    return solved


def _can_tell(run: Run, code: str) -> bool:
    """Whether the run would have met it."""
    if not run.carried_through or run.kind == Run.Kind.ON_DEMAND:
        return False
    return run.compared_at is not None if code in OF_COMPARISONS else run.kind != Run.Kind.VERIFY


# Messages


def _message(run: Run, news: list[Matter]) -> Message:
    whole = [matter for matter in news if not matter.causes]
    failed = run.state == Run.State.FAILED
    waits = all(matter.code.startswith("held-") for matter in news if matter.causes)
    state = _("Sync failed") if failed and whole else _("Waiting for you") if waits else _("New problem")
    title = (whole or news)[0].words.title
    paragraphs = [
        *([_("Run %(number)s failed.") % {"number": run.number}] if failed and whole else []),
        *(f"{matter.words.title}. {matter.words.meaning} {matter.words.remedy}" for matter in whole),
        *(_paragraph(run.tenant, matter) for matter in news if matter.causes),
        _address(run),
        _("While this problem lasts, no further message comes about it, unless it concerns twice as many."),
    ]
    return Message(f"[{run.tenant.name}] {state}: {title}", paragraphs)


def _paragraph(tenant: Tenant, matter: Matter) -> str:
    objects = ngettext("%(n)s object", "%(n)s objects", matter.objects) % {"n": matter.objects}
    first = queries.members_of(tenant, matter.causes[0]).first()
    answered = first is not None and first.answered
    quoted = f'\n{matter.words.quote(answered)} "{first.quoted}"' if first is not None and first.quoted else ""
    meaning = matter.words.told(answered=answered)
    return f"{matter.words.title} ({objects}: {_names(matter)}). {meaning} {matter.words.remedy}{quoted}"


def _names(matter: Matter) -> str:
    names = [name for cause in matter.causes for name in cause.names]
    return ", ".join(names) + (" …" if len(names) < matter.objects else "")


def _all_clear(run: Run, solved: Sequence[News]) -> Message:
    titles = [title_of(one.incident) for one in solved]
    lines = [_("This is over, and nobody has it any more:"), *titles, _address(run)]
    return Message(f"[{run.tenant.name}] {_('Solved')}: {titles[0]}", lines)


def _address(run: Run) -> str:
    return f"{_('Run %(number)s:') % {'number': run.number}} {address_of('run', run.tenant.slug, run.number)}"
