"""What the rules make of one person or group: judged here for runs, rehearsals, readiness and on demand alike."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sync.engine.evaluation.batch import want
from sync.engine.evaluation.mapper import Mapper
from sync.engine.evaluation.plan_store import Refusal
from sync.engine.evaluation.taken_values import Values
from sync.models import DirectoryGroup, DirectoryUser, Link
from sync.rules import acceptance, leavers
from sync.rules.acceptance import AcceptanceFinding, NameIdSource
from sync.rules.leavers import Leaving
from sync.rules.mapping import Mapped
from sync.rules.unique_keys import keys_of
from sync.scim.resource import MANAGER

NO_MANAGER = "manager-not-in-aws"
# Characters of `Link.warnings`.
MOST_WARNINGS = 200
Json = dict[str, Any]
# A leaver whom the mapping leaves active, or whom the target actions do.
STAYS = Refusal("stays-active", leavers.TARGET, skipped=True)
DISABLE_OFF = Refusal("disable-off", leavers.TARGET, skipped=True)


@dataclass(frozen=True, slots=True)
class Judgement:
    """`desired`: units to have; {} where the mapping gave none, and `refusal` then says why. Of a leaver: `active`.

    `findings`: what AWS, or signing in to it, takes exception to; the worst first.
    """

    mapped: Mapped
    desired: dict[str, Any]
    findings: Sequence[AcceptanceFinding] = ()
    refusal: Refusal | None = None
    # AWS holds no manager of the person, although there is one.
    no_manager: bool = False

    @property
    def certain(self) -> AcceptanceFinding | None:
        """The rule by which AWS would certainly refuse the object."""
        return next((finding for finding in self.findings if finding.certain), None)

    def note(self, link: Link, now: datetime.datetime) -> None:
        """The unique values that the object wants, and whether AWS would take it, onto its link."""
        want(link, keys_of(link.object_type, self.desired))
        verdict = (self.certain.code, self.certain.attribute) if self.certain else ("", "")
        if verdict != (link.ready_code, link.ready_attribute) or link.ready_at is None:
            link.ready_code, link.ready_attribute, link.ready_at = *verdict, now
        link.warnings = " ".join(self._warnings)[:MOST_WARNINGS]

    @property
    def _warnings(self) -> list[str]:
        """Codes, each once."""
        found = [finding.code for finding in self.findings if not finding.certain]
        return list(dict.fromkeys([*found, *([NO_MANAGER] if self.no_manager else [])]))


def judge(
    row: DirectoryUser | DirectoryGroup,
    link: Link,
    mapper: Mapper,
    taken: Values,
    *,
    manager: str = "",
    name_id: NameIdSource | None = None,
) -> Judgement:
    """`manager`: Entra's id of the person's manager, where AWS holds or is to hold that one. `name_id`: what the
    sign-in message names people by, where that is to be compared too. Scope of the row is decided already."""
    if isinstance(row, DirectoryUser) and not row.in_scope:
        return _judge_leaver(row, link, mapper)
    properties = row.properties | ({"manager": manager} if manager else {})

    def is_own(held: Json) -> bool:
        return held["id"] == link.adopt_scim_id or mapper.would_match(properties, held)

    unique = taken.by_others(row.object_id, is_own)
    mapped = mapper.map(properties, present=True, creating=not link.scim_id, taken=unique)
    if mapped.problems:
        return Judgement(mapped, {}, refusal=unmapped(mapped))
    desired = mapper.desired(mapped, link.written if link.scim_id else {})
    desired |= {unit: {"value": reference} for unit, reference in mapped.references.items()}
    no_manager = isinstance(row, DirectoryUser) and bool(row.manager_id) and not manager and MANAGER in mapper.sources
    return Judgement(mapped, desired, _findings(row, desired, name_id), no_manager=no_manager)


def _judge_leaver(user: DirectoryUser, link: Link, mapper: Mapper) -> Judgement:
    """`active` alone, of the person's own properties; what is wrong with other rows keeps nobody in AWS."""
    trace = mapper.active_of_leaver(user.properties, leaving(user))
    mapped = Mapped({}, {}, (trace,) if trace else ())
    if trace and leavers.disables(trace):
        return Judgement(mapped, {leavers.TARGET: False})
    if not link.scim_id or link.written.get(leavers.TARGET) is False:
        return Judgement(mapped, {})
    return Judgement(mapped, {}, refusal=unmapped(mapped) if mapped.problems and not mapped.ignored else STAYS)


def leaving(user: DirectoryUser) -> Leaving:
    """How somebody out of scope left."""
    if user.deleted:
        return Leaving.DELETED
    return Leaving.BLOCKED if user.properties.get("accountEnabled") is False else Leaving.OUT_OF_SCOPE


def _findings(
    row: DirectoryUser | DirectoryGroup, desired: dict[str, Any], name_id: NameIdSource | None
) -> Sequence[AcceptanceFinding]:
    if isinstance(row, DirectoryGroup):
        return acceptance.check_group(desired)
    found = acceptance.check_user(desired)
    if name_id is None:
        return found
    compared = acceptance.check_name_id(str(desired.get("userName") or ""), row.properties, name_id)
    return acceptance.worst_first([*found, *compared])


def unmapped(mapped: Mapped) -> Refusal:
    problem = mapped.problems[0]
    if mapped.ignored:
        return Refusal("ignored-by-rule", problem.target, skipped=True)
    words = problem.problem.redacted if problem.problem and problem.redacted else problem.problem
    return Refusal("expression-error", problem.target, str(words))


def not_ready(finding: AcceptanceFinding) -> Refusal:
    """AWS would certainly refuse it: its own words are quoted, nothing is sent."""
    return Refusal(finding.code, finding.attribute, acceptance.aws_words(finding), skipped=True)
