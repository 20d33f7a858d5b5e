"""People and groups as a reading left them, with what was decided and written about them since; no lab is asked."""

import itertools
from typing import Any

from django.utils import timezone

from sync.models import (
    DirectoryGroup,
    DirectoryUser,
    Drift,
    HeldChange,
    Hold,
    Link,
    MembershipLink,
    Run,
    Standing,
    Tenant,
)
from sync.standings import services

numbers = itertools.count(1)


def some_id() -> str:
    return f"00000000-0000-4000-8000-{next(numbers):012}"


def mirrored_person(
    tenant: Tenant, name: str = "", *, in_scope: bool = True, reason: str = "", **facts: Any
) -> DirectoryUser:
    key = some_id()
    scope = {"in_scope": in_scope, "scope_reason": reason or ("assigned" if in_scope else "not-assigned")}
    named = {"display_name": name or f"Person {key[-4:]}", "user_principal_name": f"{key[-4:]}@contoso.example"}
    return DirectoryUser.objects.create(tenant=tenant, object_id=key, **named | scope | facts)


def mirrored_group(tenant: Tenant, name: str = "", *, in_scope: bool = True, **facts: Any) -> DirectoryGroup:
    key = some_id()
    scope = {"in_scope": in_scope, "scope_reason": "assigned" if in_scope else "not-assigned"}
    return DirectoryGroup.objects.create(
        tenant=tenant, object_id=key, display_name=name or f"Group {key[-4:]}", **scope | facts
    )


def linked(row: DirectoryUser | DirectoryGroup, scim_id: str | None = None, **facts: Any) -> Link:
    """`scim_id`: "" for somebody whom AWS does not hold."""
    held = f"aws-{row.object_id[-4:]}" if scim_id is None else scim_id
    kind = "user" if isinstance(row, DirectoryUser) else "group"
    return Link.objects.create(tenant=row.tenant, object_type=kind, object_id=row.object_id, scim_id=held, **facts)


def member_of(group: Link, person: Link) -> MembershipLink:
    return MembershipLink.objects.create(tenant=group.tenant, group=group, user=person)


def held(row: DirectoryUser | DirectoryGroup, action: str = "disable", **facts: Any) -> HeldChange:
    run = Run.objects.filter(tenant=row.tenant).first() or new_comparison(row.tenant)
    hold, _made = Hold.objects.get_or_create(tenant=row.tenant, kind="people", closed_at=None, defaults={"run": run})
    kind = "user" if isinstance(row, DirectoryUser) else "group"
    return HeldChange.objects.create(
        hold=hold, tenant=row.tenant, action=action, **{"object_type": kind, "object_id": row.object_id} | facts
    )


def new_comparison(tenant: Tenant) -> Run:
    """One that was carried through just now."""
    number = tenant.runs.count() + 1
    now = timezone.now()
    facts = {"kind": "verify", "trigger": "person", "state": "completed", "started_at": now, "compared_at": now}
    return Run.objects.create(tenant=tenant, number=number, **facts)


def found(run: Run, kind: str, link: Link | None = None, **facts: Any) -> Drift:
    mine = {"object_type": link.object_type, "object_id": link.object_id, "scim_id": link.scim_id} if link else {}
    return Drift.objects.create(run=run, tenant=run.tenant, kind=kind, link=link, **mine | facts)


def standing(row: DirectoryUser | DirectoryGroup) -> Standing:
    """As it follows from what is stored now."""
    services.refresh_all(row.tenant)
    return Standing.objects.get(tenant=row.tenant, object_id=row.object_id)
