"""The audit log: one entry at every write that a person asks for, and at what nobody was allowed to do."""

import json
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.utils import translation

from sync import context
from sync.audit import chain
from sync.models import AuditEntry, Tenant

# Who did what nobody asked for.
ITSELF = "Lockstep"


def record(
    actor: str,
    verb: str,
    obj: models.Model | None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEntry:
    """Only what changed is kept of before and after. Secrets must come in as "changed", never as their value."""
    found = entry(actor, verb, obj, before, after)
    chain.sign(found)
    found.save(force_insert=True)
    transaction.on_commit(chain.extend, robust=True)
    return found


def record_all(entries: Iterable[AuditEntry]) -> None:
    """Many at once: what `entry` made."""
    found = list(entries)
    for one in found:
        chain.sign(one)
    AuditEntry.objects.bulk_create(found, batch_size=500)
    transaction.on_commit(chain.extend, robust=True)


def entry(
    actor: str,
    verb: str,
    obj: models.Model | None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AuditEntry:
    if before is not None and after is not None:
        changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        before = {key: before[key] for key in before if key in changed}
        after = {key: after[key] for key in after if key in changed}
    tenant = tenant_of(obj)
    origin = context.current()
    return AuditEntry(
        tenant=tenant,
        tenant_slug=tenant.slug if tenant else "",
        actor=actor[:254],
        address=origin.get("address", "")[:200],
        request_id=origin.get("request", "")[:64],
        verb=verb,
        object_type=(obj._meta.model_name or "") if obj else "",
        object_id=str(obj.pk or "") if obj else "",
        object_name=_name_of(obj) if obj else "",
        before=_plain(before),
        after=_plain(after),
    )


def _name_of(obj: models.Model) -> str:
    """The same whoever does it: an entry is signed as it stands, and pages show it to everybody."""
    with translation.override(settings.LANGUAGE_CODE):
        return str(obj)[:256]


def _plain(facts: dict[str, Any] | None) -> Any:
    """As the database gives it back: what is signed must not change by being stored."""
    return None if facts is None else json.loads(json.dumps(facts, cls=DjangoJSONEncoder))


def tenant_of(obj: models.Model | None) -> Tenant | None:
    """The tenant that the object belongs to, directly or through its configuration."""
    if isinstance(obj, Tenant):
        return obj
    found = getattr(getattr(obj, "configuration", obj), "tenant", None)
    return found if isinstance(found, Tenant) else None
