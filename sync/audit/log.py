"""The audit log: one entry at every write that a person asks for."""

from collections.abc import Iterable
from typing import Any

from django.db import models

from sync.models import AuditEntry, Tenant


def record(
    actor: str,
    verb: str,
    obj: models.Model,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEntry:
    """Only what changed is kept of before and after. Secrets must come in as "changed", never as their value."""
    found = entry(actor, verb, obj, before, after)
    found.save()
    return found


def record_all(entries: Iterable[AuditEntry]) -> None:
    """Many at once: what `entry` made."""
    AuditEntry.objects.bulk_create(entries, batch_size=500)


def entry(
    actor: str,
    verb: str,
    obj: models.Model,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEntry:
    if before is not None and after is not None:
        changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        before = {key: before[key] for key in before if key in changed}
        after = {key: after[key] for key in after if key in changed}
    return AuditEntry(
        tenant=tenant_of(obj),
        actor=actor,
        verb=verb,
        object_type=obj._meta.model_name or "",
        object_id=str(obj.pk or ""),
        object_name=str(obj)[:256],
        before=before,
        after=after,
    )


def tenant_of(obj: models.Model) -> Tenant | None:
    """The tenant that the object belongs to, directly or through its configuration."""
    if isinstance(obj, Tenant):
        return obj
    found = getattr(getattr(obj, "configuration", obj), "tenant", None)
    return found if isinstance(found, Tenant) else None
