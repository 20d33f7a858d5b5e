"""Scoping filters: edits of the draft."""

from collections.abc import Sequence
from typing import Any

from sync.configuration.drafts import editing
from sync.configuration.editing import EditConflict, revision
from sync.configuration.items import FILTER_FIELDS, facts_of, filter_key
from sync.models import ScopingFilter, Tenant
from sync.rules.wanted import WantedFilter


def save_filter(
    *,
    actor: str,
    tenant: Tenant,
    object_type: str,
    title: str,
    clauses: Sequence[dict[str, Any]],
    uid: str = "",
    seen: str | None = None,
) -> ScopingFilter:
    """Adds a filter, or changes the one with `uid`. The caller has checked the clauses. Raises EditConflict."""
    with editing(tenant, actor) as edit:
        row = edit.draft.filters.filter(uid=uid).first() if uid else None
        if uid and (row is None or (seen is not None and seen != revision(row))):
            raise EditConflict(row)
        before = facts_of(row, FILTER_FIELDS) if row else None
        if row is None:
            last = edit.draft.filters.order_by("-position").first()
            position = last.position + 1 if last else 1
            row = ScopingFilter(configuration=edit.draft, object_type=object_type, position=position)
        row.title, row.clauses = title, list(clauses)
        after = facts_of(row, FILTER_FIELDS)
        if before != after:
            row.save()
            edit.note(filter_key(row.uid), "filter.change" if before else "filter.add", row, before, after)
        return row


def remove_filter(*, actor: str, tenant: Tenant, uid: str) -> None:
    with editing(tenant, actor) as edit:
        row = edit.draft.filters.filter(uid=uid).first()
        if row is not None:
            edit.note(filter_key(uid), "filter.remove", row, facts_of(row, FILTER_FIELDS), None)
            row.delete()


def replace_filters(
    *, actor: str, tenant: Tenant, object_type: str, filters: Sequence[tuple[str, WantedFilter]]
) -> None:
    """Makes the filters of one kind of object exactly these, each with its uid, which the caller has checked."""
    with editing(tenant, actor) as edit:
        draft = edit.draft
        rows = {row.uid: row for row in draft.filters.filter(object_type=object_type)}
        before = {uid: facts_of(row, FILTER_FIELDS) for uid, row in rows.items()}
        draft.filters.filter(object_type=object_type).exclude(uid__in=[uid for uid, _wanted in filters]).delete()
        for position, (uid, wanted) in enumerate(filters, start=1):
            row = rows.get(uid) or ScopingFilter(configuration=draft, uid=uid, object_type=object_type)
            row.title, row.clauses, row.position = wanted.title, list(wanted.clauses), position
            row.save()
        after = {row.uid: facts_of(row, FILTER_FIELDS) for row in draft.filters.filter(object_type=object_type)}
        changed = [uid for uid in {**before, **after} if before.get(uid) != after.get(uid)]
        if changed:
            edit.note([filter_key(uid) for uid in changed], "filter.replace", tenant, before, after)
