"""Incidents open and close with the standings of people and groups, and with what stops whole runs.

One mail tells what is new, or has doubled; one more that it is over. In between there is none.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sync.models import Delivery, Incident, Run, Tenant, Word
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
    def words(self) -> ProblemWords:
        return PROBLEMS[self.code]


@transaction.atomic
def after_run(run: Run) -> None:
    """Opens and closes; one mail for all that is new, one for all that is over."""
    matters = _of_standings(run.tenant)
    own = _of_run(run)
    solved = _solve(run, matters.keys(), own.keys())
    news = [*_open(run, own, of_run=True), *_open(run, matters, of_run=False)]
    if not run.tenant.notify_on_failure or not run.tenant.notification_email:
        return
    if news:
        _write_mail(run, news)
    if solved:
        _write_all_clear(run, solved)


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


def _open(run: Run, matters: Mapping[Key, Matter], *, of_run: bool) -> list[Matter]:
    """Those that are new, or concern twice as many as when somebody was told last."""
    return [matter for matter in matters.values() if _is_news(run, matter, of_run=of_run)]


def _is_news(run: Run, matter: Matter, *, of_run: bool) -> bool:
    incident, created = Incident.objects.get_or_create(
        tenant=run.tenant,
        code=matter.code,
        attribute=matter.attribute,
        solved_at=None,
        defaults={"opened_at": timezone.now(), "opened_by": run, "last_seen": run, "of_run": of_run},
    )
    grown = not created and matter.objects >= GROWN * max(1, incident.told) and not of_run
    if created or grown:
        incident.told = matter.objects
    incident.last_seen = run
    incident.save(update_fields=["last_seen", "told"])
    return created or grown


def _solve(run: Run, matters: Iterable[Key], own: Iterable[Key]) -> list[Incident]:
    """Over is what nobody stands at any more, and what stopped runs and did not stop this one."""
    here, met = set(matters), set(own)
    solved = []
    for incident in Incident.objects.filter(tenant=run.tenant, solved_at=None).exclude(code__in=NOT_OF_RUNS):
        key = (incident.code, incident.attribute)
        if (key not in met and _can_tell(run, incident.code)) if incident.of_run else key not in here:
            incident.solved_at = timezone.now()
            incident.save(update_fields=["solved_at"])
            solved.append(incident)
    return solved


def _can_tell(run: Run, code: str) -> bool:
    """Whether the run would have met it."""
    if not run.carried_through or run.kind == Run.Kind.ON_DEMAND:
        return False
    return run.compared_at is not None if code in OF_COMPARISONS else run.kind != Run.Kind.VERIFY


# Mails


def _write_mail(run: Run, news: list[Matter]) -> None:
    whole = [matter for matter in news if not matter.causes]
    failed = run.state == Run.State.FAILED
    waits = all(matter.code.startswith("held-") for matter in news if matter.causes)
    state = _("Sync failed") if failed else _("Waiting for you") if waits else _("New problem")
    title = (whole or news)[0].words.title
    paragraphs = [
        *([_("Run %(number)s failed.") % {"number": run.number}] if failed else []),
        *(f"{matter.words.title}. {matter.words.meaning} {matter.words.remedy}" for matter in whole),
        *(_paragraph(run.tenant, matter) for matter in news if matter.causes),
        _address(run),
        _("While this problem lasts, no further mail comes about it, unless it concerns twice as many."),
    ]
    _write(run, f"{state}: {title}", paragraphs)


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


def _write_all_clear(run: Run, solved: list[Incident]) -> None:
    titles = [str(PROBLEMS[incident.code].title) for incident in solved if incident.code in PROBLEMS]
    if titles:
        lines = [_("This is over, and nobody has it any more:"), *titles, _address(run)]
        _write(run, f"{_('Solved')}: {titles[0]}", lines)


def _address(run: Run) -> str:
    path = reverse("run", args=[run.tenant.slug, run.number])
    return f"{_('Run %(number)s:') % {'number': run.number}} {settings.PUBLIC_URL}{path}"


def _write(run: Run, subject: str, paragraphs: Iterable[str] | Iterator[str]) -> None:
    Delivery.objects.create(
        tenant=run.tenant,
        run=run,
        recipient=run.tenant.notification_email,
        subject=" ".join(f"[{run.tenant.name}] {subject}".split())[:250],
        body="\n\n".join(paragraphs),
    )
