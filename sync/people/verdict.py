"""Why a person is, or is not, in AWS: one sentence, what mends it, and seven questions with their evidence."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sync.models import Standing, Word
from sync.people.facts import Blocked, PersonFacts
from sync.problems import languages
from sync.problems.catalogue import PROBLEMS, SCOPE_HELP, Words, scope_words
from sync.rules.filter_words import phrase
from sync.rules.filters import ClauseFinding, FilterVerdict, text_of
from sync.rules.scope import Reason


@dataclass(frozen=True, slots=True)
class Verdict:
    """`sentence`: where the person is, and why; `fix`: what to do, "" when nothing is."""

    sentence: str
    fix: str


class Answer(StrEnum):
    YES = "yes"
    NO = "no"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Question:
    """`at`: when the evidence was found."""

    key: str
    title: Words
    answer: Answer
    evidence: str
    at: datetime.datetime | None = None


# What the next run will do, by Action.
PENDING: Mapping[str, Words] = {
    "create": gettext_lazy("The next run creates this person."),
    "update": gettext_lazy("The next run writes what changed."),
    "enable": gettext_lazy("The next run enables this person."),
    "disable": gettext_lazy("The next run disables this person."),
    "delete": gettext_lazy("The next run deletes this person."),
    "link": gettext_lazy("The next run links this person with the user that AWS holds."),
}


def verdict_of(facts: PersonFacts) -> Verdict:
    """First where the person is, then the reason of the standing."""
    place = _("In AWS.") if facts.in_aws else _("Not in AWS.")
    reason, fix = _reason(facts)
    return Verdict(f"{place} {reason}".strip(), fix)


def _reason(facts: PersonFacts) -> tuple[str, str]:
    standing = facts.standing
    if standing.word == Word.IN_AWS:
        return _("Everything that the mappings give is written."), ""
    if standing.word in (Word.NOT_IN_SCOPE, Word.DISABLED):
        return _out_of_scope(facts), _scope_fix(standing.scope)
    if standing.word == Word.WAITING and standing.code in PENDING:
        words = facts.blocked.words if facts.blocked else ""
        return f"{PENDING[standing.code]} {words}".strip(), facts.blocked.fix if facts.blocked else ""
    return problem_of(standing, facts.blocked)


def _scope_fix(reason: str) -> str:
    return str(SCOPE_HELP[reason].remedy) if reason in SCOPE_HELP else ""


def _out_of_scope(facts: PersonFacts) -> str:
    words = scope_words(facts.standing.scope, [one.filter.title for one in facts.filters])
    if facts.standing.word == Word.DISABLED:
        return _("Disabled there since %(date)s. %(reason)s.") % {
            "date": _date(facts.standing.since),
            "reason": words,
        }
    return f"{words}."


def problem_of(standing: Standing, blocked: Blocked | None) -> tuple[str, str]:
    """Of a person or group: what is the matter, and what mends it."""
    problem = PROBLEMS.get(standing.code)
    if problem is None:
        return str(Word(standing.word).label), ""
    holder = _(" %(name)s has it.") % {"name": standing.holder} if standing.holder else ""
    return f"{problem.told(answered=standing.answered)}{holder}", _remedy(standing, blocked)


def _remedy(standing: Standing, blocked: Blocked | None) -> str:
    """What a comparison found to be gone waits for somebody; what a write met, for the next run."""
    if standing.word != Word.GONE:
        return str(PROBLEMS[standing.code].remedy)
    if standing.scim_id:
        return _("Repair it under Compare with AWS: what is in scope is made anew, with a new AWS ID.")
    again = _("Nothing to do. The next run looks for a match, and makes it anew if there is none.")
    return f"{blocked.words} {blocked.fix}" if blocked else again


# The question that a word answers, whatever else is in the way.
ASKED: Mapping[Word, str] = {
    Word.HELD: "written",
    Word.GONE: "matched",
    Word.CONFLICT: "matched",
    Word.NOT_READY: "ready",
    Word.FAILED: "written",
    Word.DIFFERS: "written",
}


def blocker_of(facts: PersonFacts, asked: Sequence[Question]) -> Question | None:
    """The question whose answer the verdict is about: the word's own, else the first NO."""
    key = ASKED.get(Word(facts.standing.word))
    refused = [one for one in asked if one.answer == Answer.NO]
    return next((one for one in refused if one.key == key), None) or next(iter(refused), None)


def questions(facts: PersonFacts) -> list[Question]:
    """In the order in which a person comes to AWS."""
    return [one(facts) for one in QUESTIONS]


def _exists(facts: PersonFacts) -> Question:
    deleted = facts.user.deleted if facts.user else "purged"
    answer = Answer.NO if deleted else Answer.YES
    words = {"": "", "soft": _("deleted, can be restored"), "purged": _("deleted for good")}
    return Question("exists", _("Exists in Entra"), answer, words[deleted], facts.read_at)


def _enabled(facts: PersonFacts) -> Question:
    enabled = facts.user.properties.get("accountEnabled") if facts.user else None
    answer = Answer.OPEN if enabled is None else Answer.YES if enabled else Answer.NO
    words = {Answer.YES: _("the account is on"), Answer.NO: _("the account is off"), Answer.OPEN: _("not known")}
    return Question("enabled", _("Enabled"), answer, words[answer], facts.read_at)


def _assigned(facts: PersonFacts) -> Question:
    reason = facts.user.scope_reason if facts.user else ""
    if reason in ("", Reason.DELETED) and not facts.path:
        return Question("assigned", _("Assigned"), Answer.OPEN, _("not asked"))
    at = facts.user.scope_at if facts.user else None
    if reason == Reason.NOT_ASSIGNED:
        return Question("assigned", _("Assigned"), Answer.NO, _("no assignment brings this person"), at)
    return Question("assigned", _("Assigned"), Answer.YES, _assigned_how(facts), at)


def _assigned_how(facts: PersonFacts) -> str:
    if facts.path:
        return _("through %(path)s") % {"path": " › ".join(facts.path)}
    if facts.everybody:
        return _("all people are in scope")
    return _("directly")


def _in_scope(facts: PersonFacts) -> Question:
    user, title = facts.user, _("Passes scope")
    if user is None or user.scope_reason in ("", Reason.NOT_ASSIGNED, Reason.DELETED, Reason.ACCOUNT_DISABLED):
        return Question("scope", title, Answer.OPEN, _("not asked"))
    if user.in_scope:
        return Question("scope", title, Answer.YES, _passed(facts.filters), user.scope_at)
    words = _stopped(facts.filters) if user.scope_reason == Reason.OUTSIDE_FILTER else ""
    return Question("scope", title, Answer.NO, words or scope_words(user.scope_reason, ()), user.scope_at)


def _passed(filters: Sequence[FilterVerdict]) -> str:
    if not filters:
        return _("no filter is set")
    return ", ".join(_named(one, one.findings) for one in filters if one.passed)


def _stopped(filters: Sequence[FilterVerdict]) -> str:
    """By filter, the clauses that stop the person, each with what Entra holds instead."""
    return "; ".join(_named(one, [found for found in one.findings if not found.passed]) for one in filters)


def _named(verdict: FilterVerdict, findings: Sequence[ClauseFinding]) -> str:
    return f"{verdict.filter.title}: {', '.join(_clause(one) for one in findings)}"


def _clause(finding: ClauseFinding) -> str:
    words = str(phrase(finding.clause, "user", _))
    if finding.passed:
        return words
    return _("%(clause)s, in Entra %(value)s") % {"clause": words, "value": text_of(finding.actual) or _("empty")}


def _ready(facts: PersonFacts) -> Question:
    title, link = _("Ready for AWS"), facts.link
    if facts.standing.word == Word.NOT_READY:
        words = f"{PROBLEMS[facts.standing.code].title} {facts.standing.attribute}".strip()
        return Question("ready", title, Answer.NO, words, facts.standing.since)
    if link is None or link.ready_at is None or not facts.standing.in_scope:
        return Question("ready", title, Answer.OPEN, _("not judged"))
    return Question("ready", title, Answer.YES, _("every value keeps to AWS's rules"), link.ready_at)


def _matched(facts: PersonFacts) -> Question:
    title, link, standing = _("Matched with AWS"), facts.link, facts.standing
    if standing.word in (Word.GONE, Word.CONFLICT):
        parts = (str(PROBLEMS[standing.code].title), standing.attribute, standing.holder)
        return Question("matched", title, Answer.NO, " ".join(part for part in parts if part), standing.since)
    if link and link.scim_id:
        words = f"{link.get_origin_display()}, {link.scim_id}"
        return Question("matched", title, Answer.YES, words, link.linked_at)
    return Question("matched", title, Answer.OPEN, _("nobody there yet"), link.match_at if link else None)


def _written(facts: PersonFacts) -> Question:
    title, standing = _("Last write"), facts.standing
    if standing.word in (Word.HELD, Word.FAILED, Word.DIFFERS):
        return Question("written", title, Answer.NO, _not_written(facts), standing.since)
    if standing.word == Word.WAITING and facts.blocked:
        return Question("written", title, Answer.NO, facts.blocked.words, standing.since)
    if facts.link and facts.link.written_at:
        words = facts.history[0].get_action_display() if facts.history else ""
        return Question("written", title, Answer.YES, words, facts.link.written_at)
    return Question("written", title, Answer.OPEN, _("nothing was written yet"))


def _not_written(facts: PersonFacts) -> str:
    words = str(PROBLEMS[facts.standing.code].title) if facts.standing.code in PROBLEMS else ""
    if facts.standing.next_try:
        return _("%(problem)s, next try %(date)s") % {"problem": words, "date": _date(facts.standing.next_try)}
    return words


QUESTIONS: tuple[Callable[[PersonFacts], Question], ...] = (
    *(_exists, _enabled, _assigned, _in_scope),
    *(_ready, _matched, _written),
)


def _date(moment: datetime.datetime) -> str:
    return languages.moment(localtime(moment))
