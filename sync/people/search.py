"""People and groups of any number of tenants by how a name, an address or an id begins: by indexes alone."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from sync.db.beginnings import begins, lowered
from sync.models import DirectoryUser, Link, ObjectType, Standing, Tenant
from sync.models.standing import OF_ENTRA

# Of an id of either side so many characters tell it from a word.
ID = re.compile("[0-9a-f-]{4,}")
# Comes after every character of an id, in every order of letters that a database may have.
AFTER_ID = "g"
# Shorter texts begin too many names.
SHORTEST = 2
KINDS = (ObjectType.USER.value, ObjectType.GROUP.value)


@dataclass(frozen=True, slots=True)
class Found:
    """The first of each, by name, with their tenants."""

    people: Sequence[Standing]
    groups: Sequence[Standing]


def search(tenants: Collection[Tenant], text: str, most: int) -> Found:
    """`most`: of people and of groups. A text that begins nothing is looked for within names."""
    text = " ".join(text.split())
    if len(text) < SHORTEST:
        return Found([], [])
    by_id = {tenant.pk: tenant for tenant in tenants}
    found = [_first_of(ways(by_id, kind, text), most) for kind in KINDS]
    if not any(found):
        found = [_first_of([within_names(by_id, kind, text)], most) for kind in KINDS]
    for row in (row for rows in found for row in rows):
        row.tenant = by_id[row.tenant_id]
    return Found(*found)


def _first_of(found: Sequence[QuerySet[Standing]], most: int) -> list[Standing]:
    """Those of the first way first; what a later way finds too is not told twice."""
    rows: dict[int, Standing] = {}
    for way in found:
        if len(rows) < most:
            rows |= {row.pk: row for row in way.order_by("search_name", "pk")[:most] if row.pk not in rows}
    return list(rows.values())[:most]


def beginning(tenant: Tenant, kind: str, text: str) -> QuerySet[Any, Any]:
    """Primary keys of everybody whom the text begins."""
    rows = Standing.objects.filter(tenant=tenant, kind=kind).order_by()
    found = [rows.filter(begins("search_name", lowered(text)))]
    # One letter begins the addresses of half a company.
    if len(text) >= SHORTEST:
        found += _by_id(rows, text)
        if keys := [one.order_by().values("object_id") for one in _keys([tenant.pk], kind, text)]:
            # Looked up together: PostgreSQL reads everybody for each of them.
            found.append(rows.filter(OF_ENTRA, object_id__in=keys[0].union(*keys[1:])))
    first, *others = (way.values("pk") for way in found)
    return first.union(*others) if others else first


def ways(tenants: Collection[int], kind: str, text: str) -> list[QuerySet[Standing]]:
    """Each by an index of its own, which one condition with *or* would not use; by name first."""
    rows = Standing.objects.filter(tenant__in=tenants, kind=kind)
    found = [rows.filter(begins("search_name", lowered(text)))]
    found += [rows.filter(OF_ENTRA, object_id__in=one.values("object_id")) for one in _keys(tenants, kind, text)]
    return found + _by_id(rows, text)


def _by_id(rows: QuerySet[Standing], text: str) -> list[QuerySet[Standing]]:
    if not ID.fullmatch(text.lower()):
        return []
    return [rows.filter(OF_ENTRA, _between("object_id", text)), rows.filter(_between("scim_id", text), object_id="")]


def _keys(tenants: Collection[int], kind: str, text: str) -> list[QuerySet[Any]]:
    """Rows whose Entra ids are those of the people or groups."""
    return [*(_addressed(tenants, text) if kind == ObjectType.USER else ()), *_linked(tenants, kind, text)]


def _addressed(tenants: Collection[int], text: str) -> Iterator[QuerySet[Any]]:
    """People whose user name, last name or e-mail address begins so."""
    users = DirectoryUser.objects.filter(tenant__in=tenants)
    for key in ("search_login", "search_surname"):
        yield users.filter(begins(key, lowered(text)))
    links = Link.objects.filter(tenant__in=tenants, object_type=ObjectType.USER)
    yield links.filter(begins("wanted_email", [text.casefold()]))


def _linked(tenants: Collection[int], kind: str, text: str) -> Iterator[QuerySet[Any]]:
    """Those whose id in AWS begins so."""
    if ID.fullmatch(text.lower()):
        held = Link.objects.filter(~Q(scim_id=""), tenant__in=tenants, object_type=kind)
        yield held.filter(_between("scim_id", text))


def _between(field: str, text: str) -> Q:
    return Q(**{f"{field}__gte": text.lower(), f"{field}__lt": text.lower() + AFTER_ID})


def within_names(tenants: Collection[int], kind: str, text: str) -> QuerySet[Standing]:
    """Everybody is looked at, in the index that has the names."""
    rows = Standing.objects.filter(tenant__in=tenants, kind=kind)
    return rows.filter(pk__in=rows.filter(name__icontains=text).order_by().values("pk"))
