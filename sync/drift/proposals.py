"""Which person or group an object that only AWS holds may be."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Lower

from sync.models import DirectoryGroup, DirectoryUser, Drift, Link, Tenant
from sync.rules.drift import normal
from sync.scim import resource


def name_of(held: resource.Units) -> str:
    return str(held.get("displayName") or held.get("userName") or "")


def unlinked(tenant: Tenant, object_type: str) -> QuerySet[Any]:
    """People or groups of the mirror that AWS does not hold as far as we know."""
    model: type[DirectoryUser | DirectoryGroup] = DirectoryUser if object_type == "user" else DirectoryGroup
    linked = Link.objects.filter(tenant=tenant, object_type=object_type).exclude(scim_id="")
    return model.objects.filter(tenant=tenant, deleted="").exclude(object_id__in=linked.values("object_id"))


def propose_ids(tenant: Tenant, object_type: str, rows: Sequence[Drift]) -> None:
    wanted = {row.facts["externalId"] for row in rows if row.facts.get("externalId")}
    if wanted:
        known = unlinked(tenant, object_type).filter(object_id__in=wanted).values_list("object_id", flat=True)
        _assign(rows, "externalId", {object_id: object_id for object_id in known})


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
        exact = attribute == "externalId"
        key = _mail(row) if attribute == "emails" else normal(row.facts.get(attribute), fold=not exact)
        if not row.proposed_id and key in found:
            row.proposed_id, row.proposed_by = found[key], attribute
