"""Scope and the other settings of a configuration: edits of the draft."""

from collections.abc import Sequence
from typing import Any

from django.db.models import JSONField

from sync.configuration.drafts import editing
from sync.configuration.items import setting_key
from sync.models import Configuration, Tenant


def set_scope(*, actor: str, tenant: Tenant, everybody: bool, mirrored_app: str) -> None:
    """`mirrored_app`: object id of the enterprise application whose assignments are mirrored; empty: none.

    What came from another application goes; the next run brings those of this one.
    """
    set_settings(actor=actor, tenant=tenant, everybody=everybody, mirrored_app=mirrored_app)


def set_settings(*, actor: str, tenant: Tenant, **values: Any) -> None:
    """Any of items.SETTINGS, by name."""
    with editing(tenant, actor) as edit:
        before = {name: getattr(edit.draft, name) for name in values}
        changed = [name for name in values if before[name] != values[name]]
        if not changed:
            return
        if "mirrored_app" in changed:
            edit.draft.assignments.filter(mirrored=True).delete()
        for name in changed:
            setattr(edit.draft, name, values[name])
        edit.draft.clean_fields(exclude=_not_checked(changed))
        edit.note([setting_key(name) for name in changed], "scope.change", tenant, before, values)


def _not_checked(changed: Sequence[str]) -> set[str]:
    """What is set elsewhere, and lists: these may be empty (no action at all)."""
    fields = Configuration._meta.fields
    return {field.name for field in fields if field.name not in changed or isinstance(field, JSONField)}
