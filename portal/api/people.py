"""People and groups with their standing: what the page People shows."""

from typing import Any

from django.http import Http404
from ninja import Field, Query, Router, Schema

from portal.api.auth import READ, ApiRequest, tenant_of
from portal.api.paging import Paging, page_of
from portal.api.schemas import GroupDetailOut, Groups, People, PersonOut
from sync import audit
from sync.configuration.current import configuration_of
from sync.models import DirectoryUser, ObjectType, Standing, Tenant, Word
from sync.people import queries
from sync.preview.queries import assignment_effects
from sync.standings import queries as standings

router = Router(tags=["People and groups"])


class Filters(Schema):
    q: str = Field(
        "",
        max_length=100,
        description="How a name, a user name, an address or an id of either side begins; else a part of a name.",
    )
    standing: Word | None = None
    code: str | None = Field(None, max_length=40)
    attribute: str | None = Field(None, max_length=200)


@router.get("/tenants/{slug}/people", response=People, auth=READ, summary="People")
def people(request: ApiRequest, slug: str, filters: Query[Filters], paging: Query[Paging]) -> dict[str, Any]:
    found = tenant_of(request, slug)
    page, following = standings_page(found, ObjectType.USER, filters, paging)
    logins = logins_of(found, page)
    return {"items": [person_facts(one, logins) for one in page], "next": following}


@router.get("/tenants/{slug}/people/{entra_id}", response=PersonOut, auth=READ, summary="One person")
def person(request: ApiRequest, slug: str, entra_id: str) -> dict[str, Any]:
    """Leaves an entry in the audit log, as the page does."""
    found = standing_or_404(tenant_of(request, slug), ObjectType.USER, entra_id)
    audit.record(request.user.email, "person.look_up", found, None, {"entra_id": found.object_id})
    return person_facts(found, logins_of(found.tenant, [found]))


@router.get("/tenants/{slug}/groups", response=Groups, auth=READ, summary="Groups")
def groups(request: ApiRequest, slug: str, filters: Query[Filters], paging: Query[Paging]) -> dict[str, Any]:
    """`aws_id` is what AWS's own APIs call `GroupId`."""
    page, following = standings_page(tenant_of(request, slug), ObjectType.GROUP, filters, paging)
    return {"items": [standing_facts(one) for one in page], "next": following}


@router.get("/tenants/{slug}/groups/{entra_id}", response=GroupDetailOut, auth=READ, summary="One group")
def group(request: ApiRequest, slug: str, entra_id: str) -> dict[str, Any]:
    """With how many of its members are in AWS."""
    found = standing_or_404(tenant_of(request, slug), ObjectType.GROUP, entra_id)
    members = queries.members_of_group(found.tenant, found.object_id, groups_of(found))
    counted = {name: getattr(members, name) for name in ("wanted", "in_aws", "missing", "extra", "left")}
    return standing_facts(found) | {"members": counted}


def groups_of(standing: Standing) -> set[str]:
    """The group, and those inside whose people count as its own."""
    tenant, object_id = standing.tenant, standing.object_id
    row = configuration_of(tenant).assignments.filter(object_type="group", object_id=object_id).first()
    if row is not None and not row.nested:
        return {object_id}
    inside = assignment_effects.nested_groups(tenant, [object_id])
    return {object_id, *(child for children in inside.values() for child in children)}


def standings_page(tenant: Tenant, kind: str, filters: Filters, paging: Paging) -> tuple[list[Standing], str | None]:
    found = queries.find(
        tenant, filters.q, kind=kind, word=filters.standing, code=filters.code, attribute=filters.attribute
    )
    return page_of(found, paging)


def standing_or_404(tenant: Tenant, kind: str, entra_id: str) -> Standing:
    found = standings.standing_of(tenant, kind, entra_id.lower()) if entra_id else None
    if found is None:
        raise Http404
    return found


def logins_of(tenant: Tenant, rows: list[Standing]) -> dict[str, str]:
    """User principal names by Entra id."""
    ids = [row.object_id for row in rows if row.object_id]
    found = DirectoryUser.objects.filter(tenant=tenant, object_id__in=ids)
    return dict(found.values_list("object_id", "user_principal_name"))


def person_facts(row: Standing, logins: dict[str, str]) -> dict[str, Any]:
    return standing_facts(row) | {"user_principal_name": logins.get(row.object_id) or None}


def standing_facts(row: Standing) -> dict[str, Any]:
    return {
        "entra_id": row.object_id or None,
        "aws_id": row.scim_id or None,
        "name": row.name,
        "standing": row.word,
        "code": row.code or None,
        "attribute": row.attribute or None,
        "quoted": row.quoted or None,
        "since": row.since,
        "next_try": row.next_try,
        "in_scope": row.in_scope,
        "scope": row.scope or None,
        "warnings": row.warning_codes,
    }
