"""Scope and the other settings of a configuration: edits of the draft."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import JSONField

from sync import audit
from sync.configuration.drafts import edited, editing
from sync.configuration.items import (
    setting_key,
)
from sync.models import (
    Configuration,
    Tenant,
)


@transaction.atomic
def set_scope(*, actor: str, tenant: Tenant, everybody: bool, mirrored_app: str) -> None:
    """`mirrored_app`: object id of the enterprise application whose assignments are mirrored; empty: none.

    What came from another application goes; the next run brings those of this one.
    """
    set_settings(actor=actor, tenant=tenant, everybody=everybody, mirrored_app=mirrored_app)


@transaction.atomic
def set_settings(*, actor: str, tenant: Tenant, **values: Any) -> None:
    """Any of differences.SETTINGS, by name."""
    configuration = editing(tenant, actor)
    before = {name: getattr(configuration, name) for name in values}
    changed = [name for name in values if before[name] != values[name]]
    if not changed:
        return
    if "mirrored_app" in changed:
        configuration.assignments.filter(mirrored=True).delete()
    for name in changed:
        setattr(configuration, name, values[name])
    configuration.clean_fields(exclude=_not_checked(changed))
    edited(configuration, [setting_key(name) for name in changed], actor)
    audit.record(actor, "scope.change", tenant, before, values)


def _not_checked(changed: Sequence[str]) -> set[str]:
    """What is set elsewhere, and lists: these may be empty (no action at all)."""
    fields = Configuration._meta.fields
    return {field.name for field in fields if field.name not in changed or isinstance(field, JSONField)}
