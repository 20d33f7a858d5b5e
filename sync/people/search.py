"""People and groups of any number of tenants by how a name, an address or an id begins: by indexes alone."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from sync.db.beginnings import begins, lowered
from sync.models import DirectoryUser, Link, ObjectType, Standing, Tenant

# Of an id of either side so many characters tell it from a word.
ID = re.compile("[0-9a-f-]{4,}")
# Comes after every character of an id, in every order of letters that a database may have.
AFTER_ID = "g"
# Shorter texts begin too many names.
SHORTEST = 2


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
    found = [_of_kind(by_id, kind, text, most) for kind in (ObjectType.USER.value, ObjectType.GROUP.value)]
    if not any(found):
        within = Standing.objects.filter(tenant__in=by_id, name__icontains=text)
        found = [_first(within.filter(kind=kind), most) for kind in (ObjectType.USER.value, ObjectType.GROUP.value)]
    for row in (row for rows in found for row in rows):
        row.tenant = by_id[row.tenant_id]
    return Found(*found)


def _of_kind(tenants: Collection[int], kind: str, text: str, most: int) -> list[Standing]:
    rows = Standing.objects.filter(tenant__in=tenants, kind=kind)
    named = _first(rows.filter(begins("search_name", lowered(text))), most)
    ids = {*_addressed(tenants, text, most)} if kind == ObjectType.USER else set()
    also = Q(object_id__gt="", object_id__in=ids)
    if ID.fullmatch(text.lower()):
        also |= _of_id(tenants, kind, text.lower(), most)
    others = _first(rows.filter(also).exclude(pk__in=[row.pk for row in named]), most)
    return [*named, *others][:most]


def _first(rows: QuerySet[Standing], most: int) -> list[Standing]:
    return list(rows.order_by("search_name", "pk")[:most])


def _addressed(tenants: Collection[int], text: str, most: int) -> Iterable[str]:
    """Entra ids of people whose user name, last name or e-mail address begins so."""
    users, texts = DirectoryUser.objects.filter(tenant__in=tenants), lowered(text)
    for key in ("search_login", "search_surname"):
        yield from users.filter(begins(key, texts)).order_by(key).values_list("object_id", flat=True)[:most]
    links = Link.objects.filter(tenant__in=tenants, object_type=ObjectType.USER)
    held = links.filter(begins("wanted_email", [text.casefold()])).order_by("wanted_email")
    yield from held.values_list("object_id", flat=True)[:most]


def _of_id(tenants: Collection[int], kind: str, text: str, most: int) -> Q:
    between = {"gte": text, "lt": text + AFTER_ID}
    linked = Link.objects.filter(
        ~Q(scim_id=""),
        tenant__in=tenants,
        object_type=kind,
        **{f"scim_id__{key}": value for key, value in between.items()},
    )
    ids = list(linked.values_list("object_id", flat=True)[:most])
    own = Q(object_id__gt="", **{f"object_id__{key}": value for key, value in between.items()})
    only = Q(object_id="", **{f"scim_id__{key}": value for key, value in between.items()})
    return own | only | Q(object_id__gt="", object_id__in=ids)
