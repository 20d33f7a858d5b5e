"""One group: whether it is in AWS with all its members, who is missing there and why, in a sentence with what mends it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from sync.db.counting import counted_together
from sync.models import DirectoryMembership, Drift, MembershipLink, ObjectType, Standing, Tenant, Word
from sync.people.facts import Blocked
from sync.people.verdict import Verdict, problem_of
from sync.problems.catalogue import PROBLEMS, SCOPE_HELP, Words, scope_words
from sync.problems.languages import grouped
from sync.standings import queries as standings
from sync.standings.derivation import comparisons

# Missing people of whom the cause is looked for, and of whom some are named.
LOOKED_AT, NAMED = 200, 3
# Words of whom nothing is the matter with but the membership.
QUIET = (Word.WAITING, Word.IN_AWS)
# What the next run will do, by Action.
PENDING: Mapping[str, Words] = {
    "create": gettext_lazy("The next run creates the group."),
    "update": gettext_lazy("The next run writes what changed."),
    "delete": gettext_lazy("The next run deletes the group."),
    "link": gettext_lazy("The next run links it with the group that AWS holds."),
    "add_member": gettext_lazy("The next run changes its members."),
    "remove_member": gettext_lazy("The next run changes its members."),
}
# The group is in AWS: its members are the news.
THERE = (Word.IN_AWS, Word.DIFFERS)


@dataclass(frozen=True, slots=True)
class GroupMembers:
    """Counts of people. `wanted`: of the group in Entra and in scope; `in_aws`: members there; `missing`: those wanted whom
    AWS lacks; `extra`: those whom somebody added in AWS; `left`: those whom somebody added, and somebody decided to leave
    there; `worst`: standing of the first who is missing, `names`: of some with the same cause."""

    wanted: int
    in_aws: int
    missing: int
    extra: int
    left: int
    worst: Standing | None
    names: Sequence[str]


def members_of_group(tenant: Tenant, object_id: str, groups: Collection[str]) -> GroupMembers:
    """`groups`: the group itself, and those inside whose people count as its own."""
    # Whose links they are stands in each index: without it one has to be read through.
    mine = {"group__tenant": tenant, "group__object_type": ObjectType.GROUP, "group__object_id": object_id}
    links = MembershipLink.objects.filter(tenant=tenant, certain=True, **mine)
    newest = comparisons(tenant.pk).values("pk")[:1]
    drifts = Drift.objects.filter(run=Subquery(newest), link__object_id=object_id, repaired=False)
    lost = drifts.filter(kind=Drift.Kind.MEMBER_MISSING).values("member_scim_id")
    wanted = wanted_members(tenant, groups)
    missing = wanted.filter(_is_missing(links, lost))
    parts: dict[str, QuerySet[Any]] = {"wanted": wanted, "missing": missing, "linked": links.exclude(user__scim_id="")}
    parts |= {kind.value: drifts.filter(kind=kind) for kind in (Drift.Kind.MEMBER_EXTRA, Drift.Kind.MEMBER_MISSING)}
    parts["left"] = parts[Drift.Kind.MEMBER_EXTRA].filter(left_alone=True)
    found = counted_together({name: (rows, "tenant") for name, rows in parts.items()})
    counted = {name: sum(counts.values()) for name, counts in found.items()}
    first = list(missing[:LOOKED_AT]) if counted["missing"] else []
    worst = next((row for row in first if row.word not in QUIET), next(iter(first), None))
    same = [row for row in first if worst and _cause(row) == _cause(worst)]
    extra, lost_there = counted[Drift.Kind.MEMBER_EXTRA], counted[Drift.Kind.MEMBER_MISSING]
    return GroupMembers(
        wanted=counted["wanted"],
        in_aws=counted["linked"] + extra - lost_there,
        missing=counted["missing"],
        extra=extra - counted["left"],
        left=counted["left"],
        worst=worst,
        names=[str(row) for row in same[:NAMED]],
    )


def wanted_members(tenant: Tenant, groups: Collection[str]) -> QuerySet[Standing]:
    rows = DirectoryMembership.objects.filter(tenant=tenant, member_type=DirectoryMembership.USER)
    inside = rows.filter(group_id__in=list(groups)).values("member_id")
    return standings.of_objects(tenant, ObjectType.USER, inside).filter(in_scope=True)


def _is_missing(links: QuerySet[MembershipLink], lost: QuerySet[Any, Any]) -> Q:
    """Never added, gone from AWS, or not found in the group by a comparison."""
    held = Exists(links.filter(user__object_id=OuterRef("object_id")))
    return ~held | Q(word=Word.GONE) | Q(scim_id__in=lost)


def _cause(row: Standing) -> tuple[str, str, str]:
    return row.word, row.code, row.attribute


def group_verdict(standing: Standing, members: GroupMembers, blocked: Blocked | None) -> Verdict:
    if standing.word in THERE:
        return _there(standing, members, blocked)
    place = _("In AWS.") if standing.scim_id and standing.word != Word.GONE else _("Not in AWS.")
    reason, fix = _reason(standing, blocked)
    return Verdict(f"{place} {reason}".strip(), fix)


def _reason(standing: Standing, blocked: Blocked | None) -> tuple[str, str]:
    if standing.word in (Word.NOT_IN_SCOPE, Word.DISABLED):
        return f"{scope_words(standing.scope, ())}.", _scope_fix(standing.scope)
    if standing.word == Word.WAITING and standing.code in PENDING:
        return _with(PENDING[standing.code], blocked)
    return problem_of(standing, blocked)


def _scope_fix(reason: str) -> str:
    if reason == "not-assigned":
        return _("Assign the group under Assignments, if AWS is to have it.")
    return str(SCOPE_HELP[reason].remedy) if reason in SCOPE_HELP else ""


def _with(words: Words, blocked: Blocked | None) -> tuple[str, str]:
    return (f"{words} {blocked.words}", blocked.fix) if blocked else (str(words), "")


def _there(standing: Standing, members: GroupMembers, blocked: Blocked | None) -> Verdict:
    counted = _counted(members)
    if members.worst is not None:
        reason, fix = _missing(members.worst, members.names, blocked)
        return Verdict(f"{counted} {reason}", fix)
    if standing.word == Word.DIFFERS:
        reason, fix = problem_of(standing, blocked)
        return Verdict(f"{counted} {reason}", fix)
    return Verdict(counted, "")


def _counted(members: GroupMembers) -> str:
    if members.missing:
        text = _("In AWS, without %(n)s of its %(all)s members.")
        return text % {
            "n": grouped(members.missing),
            "all": grouped(members.wanted),
        }
    if not members.wanted:
        return _("In AWS, without members.")
    text = ngettext("In AWS with its %(n)s member.", "In AWS with all %(n)s members.", members.wanted)
    return text % {"n": grouped(members.wanted)}


def _missing(worst: Standing, names: Sequence[str], blocked: Blocked | None) -> tuple[str, str]:
    """Why those who are missing are: the cause of the first, and who shares it."""
    who = ", ".join(names)
    if worst.word == Word.WAITING:
        return _with(_("The next run adds %(who)s.") % {"who": who}, blocked)
    if worst.word == Word.IN_AWS:
        fix = _("Repair it under Compare with AWS, if the next run does not.")
        return _("%(who)s: in AWS, and not in the group.") % {"who": who}, fix
    title = PROBLEMS[worst.code].title if worst.code in PROBLEMS else Word(worst.word).label
    return f"{title}: {who}.", problem_of(worst, blocked)[1]
