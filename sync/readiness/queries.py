"""What pages and commands read of a readiness check."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from sync.configuration.current import mappings_in_use
from sync.db.batches import batches
from sync.engine.evaluation.judgement import DISABLE_OFF, STAYS
from sync.models import (
    AttributeMapping,
    DirectoryGroup,
    DirectoryUser,
    Finding,
    ObjectType,
    ReadinessCheck,
    Tenant,
    Word,
)
from sync.models.standing import OF_ENTRA
from sync.problems.catalogue import PROBLEMS, ProblemWords, Words
from sync.readiness.check import EXPRESSION, MANAGER_OUTSIDE, SAME_VALUE
from sync.rules import acceptance
from sync.rules.leavers import Leaving
from sync.scim.resource import unit_of
from sync.standings import queries as standings

# Who keeps access that they are to lose.
LEAVERS = (STAYS.problem, DISABLE_OFF.problem)
# Outcomes of what is judged across people, and by the mappings. Whoever conflicts is not counted as not ready: one of
# them would be taken (sync.models.Word).
OTHERS = {SAME_VALUE: "conflicts", EXPRESSION: "refuses", MANAGER_OUTSIDE: "left-out"}
# Worst first: what AWS refuses, who keeps access, what breaks sign-in, what AWS may refuse, what is only left out.
ORDER = (
    *(check.code for check in acceptance.CHECKS if check.certain),
    SAME_VALUE,
    EXPRESSION,
    *LEAVERS,
    *(check.code for check in acceptance.CHECKS if not check.certain),
    MANAGER_OUTSIDE,
)

SHOWN = 100

LEAVING: dict[str, Words] = {
    Leaving.BLOCKED: _("blocked in Entra"),
    Leaving.OUT_OF_SCOPE: _("out of scope"),
    Leaving.DELETED: _("deleted in Entra"),
}


@dataclass(frozen=True, slots=True)
class Affected:
    """Somebody with a finding. `detail`: the user principal name, empty for groups."""

    object_type: str
    object_id: str
    name: str
    detail: str
    attribute: str
    value: str


@dataclass(frozen=True, slots=True)
class MappingCause:
    """A mapping row behind a finding, and an expression that would help, where one is known."""

    row: AttributeMapping
    attribute: str
    proposal: str
    # One press puts it into the draft (sync/configuration/mappings.py): it does not hang on the value.
    by_press: bool


@dataclass(frozen=True, slots=True)
class Failing:
    """One rule that somebody breaks. `alone`: how many would be ready if only this were settled."""

    code: str
    problem: ProblemWords
    outcome: str
    objects: int
    alone: int
    affected: Sequence[Affected]
    causes: Sequence[MappingCause]

    @property
    def certain(self) -> bool:
        return self.outcome == "refuses"


def latest_check(tenant: Tenant) -> ReadinessCheck | None:
    return tenant.readiness_checks.filter(state=ReadinessCheck.State.DONE).first()


def open_findings(check: ReadinessCheck) -> QuerySet[Finding]:
    """Without the refusals of whoever has come to stand otherwise since."""
    mine = {"kind": OuterRef("object_type"), "object_id": OuterRef("object_id"), "since__gt": OuterRef("at")}
    known = standings.standings(check.tenant).filter(OF_ENTRA, **mine)
    passed = known.exclude(word__in=(Word.NOT_READY, Word.CONFLICT))
    return check.findings.exclude(Exists(passed), certain=True)


def found_since(check: ReadinessCheck) -> int:
    """How many in scope stand at *Not ready* without a refusal that the check found."""
    found = open_findings(check).filter(certain=True)
    rows = standings.standings(check.tenant, word=Word.NOT_READY, in_scope=True, kind__in=ObjectType.values)
    return rows.exclude(object_id__in=found.values("object_id")).count()


def failing(check: ReadinessCheck, shown: int = SHOWN) -> list[Failing]:
    """Worst first, each with its first people. As many queries for one code as for all of them."""
    found = open_findings(check).order_by().values("code")
    objects = dict(found.annotate(owners=Count("object_id", distinct=True)).values_list("code", "owners"))
    codes = [code for code in ORDER if code in objects]
    alone, first = _alone(check), _first(check, codes, shown)
    people = list(zip(first, affected(check.tenant, first), strict=True))
    mappings = list(mappings_in_use(check.tenant)) if codes else []
    return [
        Failing(
            code,
            PROBLEMS[code],
            check_outcome(code),
            objects[code],
            alone.get(code, 0),
            [who for one, who in people if one.code == code],
            mapping_causes(mappings, [one for one in first if one.code == code]),
        )
        for code in codes
    ]


def passed(check: ReadinessCheck, found: Iterable[Failing]) -> list[ProblemWords]:
    """What nobody was found by. What could not be looked at is none of it."""
    failed = {one.code for one in found}
    unread = {"sign-in-fails"} if check.unread else set()
    return [PROBLEMS[code] for code in ORDER if code not in failed and check_outcome(code) not in unread]


def _alone(check: ReadinessCheck) -> dict[str, int]:
    """By code, how many have nothing else that AWS certainly refuses."""
    certain = open_findings(check).filter(certain=True)
    others = check.findings.filter(certain=True, object_id=OuterRef("object_id")).exclude(code=OuterRef("code"))
    rows = certain.exclude(Exists(others)).order_by().values("code")
    return dict(rows.annotate(owners=Count("object_id", distinct=True)).values_list("code", "owners"))


def _first(check: ReadinessCheck, codes: Sequence[str], shown: int) -> list[Finding]:
    """So many of each, by the index of codes."""
    asked = Q(pk__in=())
    for code in codes:
        asked |= Q(pk__in=open_findings(check).filter(code=code).values("pk")[:shown])
    # By primary key alone: any other condition would have the database look at all of them.
    return list(Finding.objects.filter(asked))


def check_outcome(code: str) -> str:
    """refuses, conflicts, keeps-access, sign-in-fails, may-refuse, or left-out."""
    if code in acceptance.BY_CODE:
        return acceptance.BY_CODE[code].outcome
    if code in LEAVERS:
        return "keeps-access"
    return OTHERS[code]


def affected(tenant: Tenant, findings: Sequence[Finding]) -> Iterator[Affected]:
    """With their names of today, in the order of the findings."""
    ids = {finding.object_id for finding in findings}
    people = DirectoryUser.objects.filter(tenant=tenant, object_id__in=ids)
    groups = DirectoryGroup.objects.filter(tenant=tenant, object_id__in=ids)
    names = {group.object_id: (str(group), "") for group in groups}
    names |= {user.object_id: (str(user), user.user_principal_name) for user in people}
    for one in findings:
        name, detail = names.get(one.object_id, (one.object_id, ""))
        yield Affected(
            one.object_type,
            one.object_id,
            acceptance.visible(name),
            acceptance.visible(detail),
            one.attribute,
            leaving_words(one.value) if one.code in LEAVERS else one.value,
        )


def leaving_words(ways: str) -> str:
    """How somebody leaves, or could, and stays active."""
    return ", ".join(str(LEAVING[way]) for way in ways.split(", ") if way in LEAVING)


def mapping_causes(mappings: Iterable[AttributeMapping], findings: Sequence[Finding]) -> list[MappingCause]:
    """The mapping rows that write what is wrong."""
    first = {(one.object_type, one.attribute): one for one in reversed(findings)}
    return [
        mapping_cause(one, row)
        for (object_type, attribute), one in first.items()
        for row in mappings
        if row.object_type == object_type and attribute in (row.target, unit_of(row.target))
    ]


def mapping_cause(finding: Finding, row: AttributeMapping) -> MappingCause:
    proposal = acceptance.proposal_for(finding.code, finding.attribute, row.rule(), finding.value)
    always = acceptance.proposal_for(finding.code, finding.attribute, row.rule())
    return MappingCause(row, finding.attribute, proposal, bool(proposal) and always == proposal)


def everybody(check: ReadinessCheck) -> Iterator[tuple[Finding, Affected]]:
    """All findings, worst first, for an export: in batches."""
    for code in ORDER:
        for batch in batches(open_findings(check).filter(code=code)):
            yield from zip(batch, affected(check.tenant, batch), strict=True)
