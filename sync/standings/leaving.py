"""Leaving what differs as AWS has it: remembered value by value and member by member, as long as AWS holds just that."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from sync import audit
from sync.db.keys import listed
from sync.models import Drift, LeftDifference, Run, Tenant
from sync.rules.drift import same
from sync.scim.resource import REDACTED
from sync.standings.derivation import known_differences

# Who is gone is made anew or unassigned, and who is missing in a group is in it by Entra.
LEAVABLE = (Drift.Kind.DIFFERS, Drift.Kind.MEMBER_EXTRA)
# Who is enabled in AWS and should not be, or the other way round, is never to be overlooked.
NEVER = ("active",)
KEY = ("link", "kind", "unit", "member_scim_id")
# Of a link, which difference, of which unit or member.
Key = tuple[int, str, str, str]


def leavable(rows: QuerySet[Drift]) -> list[Drift]:
    """What is hidden may be another value the next time: it cannot be known again."""
    return [row for row in rows.filter(kind__in=LEAVABLE) if units_of(row)]


def leave(tenant: Tenant, rows: Sequence[Drift], *, reason: str, actor: str) -> list[LeftDifference]:
    """Of rows that can be left."""
    decided: dict[str, Any] = {"reason": reason, "decided_by": actor, "decided_at": timezone.now()}
    # What two readings found is one difference.
    values = {key_of(row, unit): (row, unit, held) for row in rows for unit, held in units_of(row).items()}
    made = [_decision(tenant, *value, **decided) for value in values.values()]
    fields = ("scim_id", "held", "name", "member_name", *decided)
    found = LeftDifference.objects.bulk_create(
        made, batch_size=200, update_conflicts=True, unique_fields=KEY, update_fields=fields
    )
    _set_apart((row, units_of(row)) for row in rows)
    return found


def _decision(tenant: Tenant, row: Drift, unit: str, held: Any, **decided: Any) -> LeftDifference:
    facts = {"scim_id": row.scim_id, "name": row.name, "member_name": row.member_name, **decided}
    link, kind, _unit, member = key_of(row, unit)
    return LeftDifference(tenant=tenant, link_id=link, kind=kind, unit=unit, held=held, member_scim_id=member, **facts)


def note(rows: QuerySet[Drift], decisions: Iterable[LeftDifference]) -> None:
    """Sets apart what somebody decided to leave, where AWS holds just that."""
    left = {key_of_left(one): one for one in decisions}
    if not left:
        return
    links = listed(sorted({one.link_id for one in left.values()}))
    found = rows.filter(link__in=links, kind__in=LEAVABLE)
    _set_apart((row, list(_left_of(row, left))) for row in found)


def _left_of(row: Drift, left: dict[Key, LeftDifference]) -> Iterator[str]:
    for unit, held in units_of(row).items():
        one = left.get(key_of(row, unit))
        if one is not None and still(one, row.scim_id, held):
            yield unit


def still(left: LeftDifference, scim_id: str, held: Any) -> bool:
    """`held`: of its unit, by that object of AWS. Both ways: neither has anything that the other has not."""
    unit = left.unit
    return left.scim_id == scim_id and same(unit, left.held, held) and same(unit, held, left.held)


def end(over: Iterable[LeftDifference]) -> None:
    """AWS holds something else than was left: next time somebody is asked again."""
    gone = list(over)
    # Without the value: somebody may have hidden it since.
    audit.record_all(audit.entry(audit.ITSELF, "drift.left_is_over", one, known_by(one), None) for one in gone)
    LeftDifference.objects.filter(pk__in=listed([one.pk for one in gone])).delete()


def again(left: LeftDifference, newest: Run | None) -> list[Drift]:
    """Nobody leaves it any more; its rows of what is known now. `newest`: comparison."""
    same_as = {"link_id": left.link_id, "kind": left.kind, "member_scim_id": left.member_scim_id}
    rows = known_differences(left.tenant_id, newest).filter(left_alone=True, **same_as)
    found = [row for row in rows if left.unit in units_of(row)]
    left.delete()
    Drift.objects.filter(pk__in=[row.pk for row in found]).update(left_alone=False)
    return found


def facts_of(left: LeftDifference) -> dict[str, Any]:
    """For the audit log."""
    return known_by(left) | {"held": left.held}


def known_by(left: LeftDifference) -> dict[str, Any]:
    return {"about": str(left), "kind": left.kind, "unit": left.unit, "reason": left.reason}


def key_of(row: Drift, unit: str) -> Key:
    # Of what is ours by its link alone.
    return row.link_id or 0, row.kind, unit, row.member_scim_id


def key_of_left(left: LeftDifference) -> Key:
    return left.link_id, left.kind, left.unit, left.member_scim_id


def units_of(row: Drift) -> dict[str, Any]:
    """What can be left of it, with what AWS holds. A membership is one thing and has no value."""
    if row.kind == Drift.Kind.MEMBER_EXTRA:
        return {"": None}
    held = {unit: fact["held"] for unit, fact in row.facts.items() if unit not in NEVER}
    return {unit: value for unit, value in held.items() if value != REDACTED}


def _set_apart(found: Iterable[tuple[Drift, Iterable[str]]]) -> None:
    """Each unit becomes a row of its own that is left; the rest of its row stays."""
    alone, rest, apart = [], [], []
    for row, units in found:
        left = set(units)
        if not left:
            continue
        if row.facts.keys() <= left and len(left) == 1:
            alone.append(row.pk)
            continue
        apart += [_apart(row, unit) for unit in sorted(left)]
        row.facts = {unit: fact for unit, fact in row.facts.items() if unit not in left}
        rest.append(row)
    Drift.objects.filter(pk__in=listed(alone)).update(left_alone=True)
    Drift.objects.bulk_create(apart, batch_size=200)
    Drift.objects.bulk_update([row for row in rest if row.facts], ["facts"], batch_size=200)
    Drift.objects.filter(pk__in=listed([row.pk for row in rest if not row.facts])).delete()


def _apart(row: Drift, unit: str) -> Drift:
    same_as = ("run_id", "tenant_id", "kind", "object_type", "link_id", "object_id", "scim_id", "name", "found_at")
    return Drift(**{name: getattr(row, name) for name in same_as}, facts={unit: row.facts[unit]}, left_alone=True)
