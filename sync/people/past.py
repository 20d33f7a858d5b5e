"""One person as of a moment: what the log, the versions and the last change of scope say was true then."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sync.models import Configuration, Operation, Result
from sync.models.run import CHANGED
from sync.people.facts import PersonFacts
from sync.problems.catalogue import PROBLEMS, Words, scope_words

# Where the person was after an operation, by its result.
PLACES: Mapping[str, Words] = {
    Result.CREATED: gettext_lazy("In AWS."),
    Result.UPDATED: gettext_lazy("In AWS."),
    Result.ENABLED: gettext_lazy("In AWS."),
    Result.LINKED: gettext_lazy("In AWS."),
    Result.DISABLED: gettext_lazy("In AWS, disabled."),
    Result.DELETED: gettext_lazy("Not in AWS: deleted there."),
}


@dataclass(frozen=True, slots=True)
class Past:
    """`last`: what was done before the moment, `following`: after it; `trouble`: the newest try before it that did not go
    through, in words; `scope`: "" where it has changed since and is not known; `values`: as written by then, by unit."""

    at: datetime.datetime
    sentence: str
    trouble: str
    last: Operation | None
    following: Operation | None
    version: Configuration | None
    scope: str
    values: Mapping[str, Any]


def as_of(facts: PersonFacts, at: datetime.datetime) -> Past:
    log = Operation.objects.log().filter(tenant=facts.tenant, object_type="user", object_id=facts.standing.object_id)
    rows = list(log.select_related("run").oldest_first())
    before = [row for row in rows if row.moment <= at]
    done = [row for row in before if row.result in CHANGED]
    following = next((row for row in rows if row.moment > at and row.result in CHANGED), None)
    last = done[-1] if done else None
    return Past(
        at,
        _sentence(last, following),
        _trouble(before, last),
        last,
        following,
        facts.tenant.configurations.published().filter(published_at__lte=at).order_by("-number").first(),
        _scope(facts, at),
        _written(done),
    )


def _sentence(last: Operation | None, following: Operation | None) -> str:
    if last is not None:
        return str(PLACES.get(last.result, _("In AWS.")))
    if following is not None and following.result == Result.CREATED:
        return _("Not in AWS yet.")
    return _("Not known: the log says nothing about the time before.")


def _trouble(before: list[Operation], last: Operation | None) -> str:
    """In words; "" when nothing failed, or was held, since the last change."""
    newest = before[-1] if before else None
    if newest is None or newest is last or newest.problem not in PROBLEMS:
        return ""
    return f"{newest.get_result_display()}: {PROBLEMS[newest.problem].title}"


def _scope(facts: PersonFacts, at: datetime.datetime) -> str:
    user = facts.user
    if user is None or user.scope_at is None or at < user.scope_at:
        return ""
    return scope_words(user.scope_reason, [one.filter.title for one in facts.filters])


def _written(done: list[Operation]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for row in done:
        changes = {unit: change for unit, change in row.changes.items() if isinstance(change, dict)}
        values |= {unit: change["after"] for unit, change in changes.items() if "after" in change}
    return values
