"""What only AWS holds, as a list: with whom each may be, and what was left alone by whom and why."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from sync.db.counting import counted_together
from sync.models import (
    DirectoryGroup,
    DirectoryUser,
    Drift,
    LeftAlone,
    LeftDifference,
    Link,
    ObjectType,
    Run,
    Standing,
    Tenant,
    Word,
)
from sync.models.standing import OF_ENTRA
from sync.standings import queries as standings
from sync.standings.derivation import claimed, known_differences, newest_comparison
from sync.standings.leaving import LEAVABLE, key_of, key_of_left, units_of


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some of what differs: `rows` of Drift by primary key, and all that differs of people or groups, by Entra id."""

    rows: Collection[int] = ()
    objects: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class OnlyInAws:
    """`row`: what the newest comparison read; `proposed`: name of the person or group that it may be; `link`: the one that
    would take it over, None without a proposal, or once AWS holds somebody for it."""

    standing: Standing
    row: Drift
    proposed: str
    link: Link | None

    @property
    def chosen(self) -> bool:
        """Somebody said that it is the one: the next run links it."""
        return self.link is not None and self.link.adopt_scim_id == self.row.scim_id


def unlinked(run: Run) -> QuerySet[Drift]:
    """What a comparison found of what is ours by its id, and that nothing links any more."""
    return run.drifts.filter(claimed(run.tenant), kind=Drift.Kind.ONLY_IN_AWS, repaired=False)


# What is there and not as it should be. Who is gone has a section by standings.
WRITTEN_ANEW = (Drift.Kind.DIFFERS, Drift.Kind.MEMBER_EXTRA, Drift.Kind.MEMBER_MISSING)


def unsettled(run: Run) -> QuerySet[Drift]:
    """What a comparison found of what is ours, and nobody has decided on."""
    return run.drifts.undecided().filter(~Q(kind=Drift.Kind.ONLY_IN_AWS) | claimed(run.tenant))


def counts_of(run: Run, differing: QuerySet[Drift]) -> dict[str, int]:
    """`differing`: what is open (sync/standings/queries.py). By its kinds, of what is ours and unlinked, and of what a page
    says of the whole: one question to the database."""
    parts: dict[str, QuerySet[Any]] = {
        **{kind.value: differing.filter(kind=kind) for kind in WRITTEN_ANEW},
        Drift.Kind.ONLY_IN_AWS.value: unlinked(run),
        "unsettled": unsettled(run),
        "besides": besides(run.tenant, differing),
        "left_alone": left_alone(run.tenant),
        "left_by_rule": left_by_rule(run),
        "left_differences": left_differences(run.tenant),
    }
    found = counted_together({part: (rows, "tenant") for part, rows in parts.items()})
    return {part: counts.get(run.tenant_id, 0) for part, counts in found.items()}


def besides(tenant: Tenant, differing: QuerySet[Drift]) -> QuerySet[Standing]:
    """Who differs too and stands at another word, such as *Held*."""
    elsewhere = differing.values("link__object_id")
    others = standings.standings(tenant, kind__in=ObjectType.values).filter(OF_ENTRA, object_id__in=elsewhere)
    return others.exclude(word__in=(Word.GONE, Word.DIFFERS))


def members_by_id(rows: Iterable[Drift]) -> dict[str, str]:
    """Entra ids of the members that rows are about, by AWS id."""
    found = list(rows)
    ids = [row.member_scim_id for row in found if row.member_scim_id]
    links = Link.objects.filter(tenant=found[0].tenant_id, object_type="user", scim_id__in=ids) if ids else ()
    return {link.scim_id: link.object_id for link in links}


def only_in_aws(tenant: Tenant, text: str = "", kind: str = "") -> QuerySet[Standing]:
    """By name. `text`: a part of its name or user name, the beginning of its address or AWS id; `kind`: of ObjectType."""
    rows = standings.standings(tenant, kind or None, word=Word.ONLY_IN_AWS)
    text = text.strip()
    if not text:
        return rows
    named = Q(facts__userName__icontains=text) | Q(facts__emails__0__value__istartswith=text)
    found = _rows(tenant).filter(named)
    return rows.filter(Q(name__icontains=text) | Q(scim_id__startswith=text) | Q(scim_id__in=found.values("scim_id")))


def with_proposals(tenant: Tenant, shown: Sequence[Standing]) -> list[OnlyInAws]:
    rows = {(row.object_type, row.scim_id): row for row in _rows(tenant).filter(scim_id__in=[s.scim_id for s in shown])}
    ids = {row.proposed_id for row in rows.values() if row.proposed_id}
    links = {(link.object_type, link.object_id): link for link in tenant.links.filter(object_id__in=ids, scim_id="")}
    names = {
        row.object_id: str(row)
        for model in (DirectoryUser, DirectoryGroup)
        for row in model.objects.filter(tenant=tenant, object_id__in=ids)
    }
    found = [(standing, rows[standing.kind, standing.scim_id]) for standing in shown]
    return [
        OnlyInAws(
            standing, row, names.get(row.proposed_id, row.proposed_id), links.get((row.object_type, row.proposed_id))
        )
        for standing, row in found
    ]


def _rows(tenant: Tenant) -> QuerySet[Drift]:
    """Of the comparison that the standings go by."""
    return Drift.objects.filter(run=standings.compared(tenant), kind=Drift.Kind.ONLY_IN_AWS)


def standing_only_in_aws(tenant: Tenant, object_type: str, scim_id: str) -> Standing | None:
    return standings.standings(tenant, object_type, word=Word.ONLY_IN_AWS, scim_id=scim_id).first()


def left_alone(tenant: Tenant, text: str = "", kind: str = "") -> QuerySet[LeftAlone]:
    """By name. `text`: a part of the name, of the reason or of who decided, or the beginning of the AWS id."""
    rows = LeftAlone.objects.filter(tenant=tenant, **({"object_type": kind} if kind else {}))
    text = text.strip()
    named = Q(name__icontains=text) | Q(reason__icontains=text) | Q(decided_by__icontains=text)
    return rows.filter(named | Q(scim_id__startswith=text)) if text else rows


@dataclass(frozen=True, slots=True)
class Left:
    """`found`: it differs, as far as is known now."""

    decision: LeftDifference
    found: bool


def leavable(row: Drift) -> dict[str, Any]:
    """What of it can be left, with what AWS holds: by unit, a member by "". {} when nothing can."""
    return units_of(row) if row.kind in LEAVABLE else {}


def left_differences(tenant: Tenant) -> QuerySet[LeftDifference]:
    """By name: what AWS holds of ours and somebody decided to leave so."""
    return LeftDifference.objects.filter(tenant=tenant).select_related("link")


def with_found(tenant: Tenant, decisions: Iterable[LeftDifference], newest: Run | None) -> list[Left]:
    """`newest`: comparison."""
    found = list(decisions)
    known = known_differences(tenant.pk, newest).filter(left_alone=True)
    rows = known.filter(link__in=[one.link_id for one in found])
    keys = {key_of(row, unit) for row in rows for unit in units_of(row)}
    return [Left(one, key_of_left(one) in keys) for one in found]


def left_of(tenant: Tenant, link: Link | None) -> list[Left]:
    """Of one person or group."""
    found = list(left_differences(tenant).filter(link=link)) if link else []
    return with_found(tenant, found, newest_comparison(tenant.pk)) if found else []


def left_by_rule(run: Run) -> QuerySet[Drift]:
    """What a comparison found only in AWS and the never-touch list names, by name."""
    decided = LeftAlone.objects.filter(tenant=run.tenant_id).values("scim_id")
    return run.drifts.filter(kind=Drift.Kind.ONLY_IN_AWS, facts__left_alone=True).exclude(scim_id__in=decided)
