"""Which person or group an object that only AWS holds may be."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Lower

from sync.engine.export.settling import GONE
from sync.models import DirectoryGroup, DirectoryUser, Drift, Link, Tenant
from sync.rules.drift import normal
from sync.rules.unique_keys import exact_key
from sync.scim import resource


def name_of(held: resource.Units) -> str:
    return str(held.get("displayName") or held.get("userName") or "")


def unlinked(tenant: Tenant, object_type: str) -> QuerySet[Any]:
    """People or groups of the mirror that AWS does not hold as far as we know."""
    model: type[DirectoryUser | DirectoryGroup] = DirectoryUser if object_type == "user" else DirectoryGroup
    rows = model.objects.filter(tenant=tenant, deleted="")
    return rows.exclude(object_id__in=_with_object(tenant, object_type))


def propose_gone(tenant: Tenant, object_type: str, rows: Sequence[Drift]) -> None:
    """Objects that were linked until AWS said that they are not there: their ids are never given out twice."""
    gone = _without_object(tenant, object_type).filter(match_code=GONE)
    found = gone.filter(match_scim_id__in=[row.scim_id for row in rows])
    _assign(rows, "id", dict(found.values_list("match_scim_id", "object_id")))


def propose_ids(tenant: Tenant, object_type: str, rows: Sequence[Drift]) -> None:
    """By our external id: whoever wants it, or whose object id it is; people who left are among them."""
    held = {row.facts["externalId"] for row in rows if row.facts.get("externalId")}
    if not held:
        return
    model: type[DirectoryUser | DirectoryGroup] = DirectoryUser if object_type == "user" else DirectoryGroup
    known = model.objects.filter(tenant=tenant, object_id__in=held).exclude(
        object_id__in=_with_object(tenant, object_type)
    )
    wanted = _without_object(tenant, object_type).filter(wanted_external__in={exact_key(value) for value in held})
    by_key = dict(wanted.values_list("wanted_external", "object_id"))
    found = {object_id: object_id for object_id in known.values_list("object_id", flat=True)}
    found |= {value: by_key[exact_key(value)] for value in held if exact_key(value) in by_key}
    _assign(rows, "externalId", found)


def _without_object(tenant: Tenant, object_type: str) -> QuerySet[Link]:
    return Link.objects.filter(tenant=tenant, object_type=object_type, scim_id="")


def _with_object(tenant: Tenant, object_type: str) -> QuerySet[Link, str]:
    links = Link.objects.filter(tenant=tenant, object_type=object_type).exclude(scim_id="")
    return links.values_list("object_id", flat=True)


def propose_names(tenant: Tenant, object_type: str, rows: Sequence[Drift]) -> None:
    """By the name that the rules want, else by the user principal name or the group's own name."""
    attribute = "userName" if object_type == "user" else "displayName"
    names = {normal(row.facts.get(attribute), fold=True) for row in rows} - {None}
    if not names:
        return
    free = unlinked(tenant, object_type)
    column = "user_principal_name" if object_type == "user" else "display_name"
    own = free.annotate(key=Lower(column)).filter(key__in=names).values_list("key", "object_id")
    links = Link.objects.filter(tenant=tenant, object_type=object_type, scim_id="", wanted_name__in=names)
    wanted = links.filter(object_id__in=free.values("object_id")).values_list("wanted_name", "object_id")
    _assign(rows, attribute, dict(own) | dict(wanted))


def propose_mails(tenant: Tenant, rows: Sequence[Drift]) -> None:
    mails = {_mail(row) for row in rows} - {None}
    if mails:
        free = unlinked(tenant, "user").annotate(key=Lower(KT("properties__mail"))).filter(key__in=mails)
        _assign(rows, "emails", dict(free.values_list("key", "object_id")))


def _mail(row: Drift) -> Any:
    emails = row.facts.get("emails") or [{}]
    return normal(emails[0].get("value"), fold=True)


def _assign(rows: Sequence[Drift], attribute: str, found: dict[str, str]) -> None:
    for row in rows:
        key = _key(row, attribute)
        if not row.proposed_id and key in found:
            row.proposed_id, row.proposed_by = found[key], attribute


def _key(row: Drift, attribute: str) -> Any:
    if attribute == "id":
        return row.scim_id
    if attribute == "emails":
        return _mail(row)
    value = row.facts.get(attribute)
    return value if attribute == "externalId" else normal(value, fold=True)
