"""Numbered versions: made of a draft, restored, and a draft put back to them."""

from functools import partial
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from sync import audit
from sync.configuration.drafts import changes, copy_assignments, copy_rows, copy_settings, differs, editing
from sync.configuration.items import scope_digest
from sync.models import Configuration, Run, Tenant

log = structlog.get_logger(__name__)


class DraftInTheWay(Exception):
    """A version cannot be restored over changes that somebody has not published yet."""


@transaction.atomic
def discard_draft(*, tenant: Tenant, actor: str) -> None:
    draft = tenant.configurations.select_for_update().draft()
    if draft is None or draft.based_on is None:
        return
    audit.record(actor, "draft.discard", draft, {"changes": draft.differs}, None)
    draft.delete()


def undo_change(*, tenant: Tenant, actor: str, key: str) -> None:
    """Puts one thing back to what the published version says."""
    with editing(tenant, actor) as edit:
        draft = edit.draft
        if draft.based_on is not None and key in draft.differs:
            put_back(draft, draft.based_on, key)
            draft.edits.pop(key, None)
            edit.note([], "draft.undo", draft, {"key": key}, None)


def put_back(draft: Configuration, source: Configuration, key: str) -> None:
    """The row, or the setting, under `key` becomes what it is in `source`."""
    kind, _colon, rest = key.partition(":")
    if kind == "setting":
        setattr(draft, rest, getattr(source, rest))
        if rest == "mirrored_app":
            _put_back_mirrored(draft, source)
        return
    old, new = _rows_under(draft, kind, rest), _rows_under(source, kind, rest)
    old.delete()
    for row in new:
        row.pk, row.configuration = None, draft
        row.save()


def _put_back_mirrored(draft: Configuration, source: Configuration) -> None:
    """What the enterprise application brought goes and comes with it."""
    draft.assignments.filter(mirrored=True).delete()
    copy_assignments(source.assignments.filter(mirrored=True), draft)


def _rows_under(configuration: Configuration, kind: str, rest: str) -> QuerySet[Any]:
    if kind == "filter":
        return configuration.filters.filter(uid=rest)
    object_type, _colon, name = rest.partition(":")
    if kind == "mapping":
        return configuration.mappings.filter(object_type=object_type, target=name)
    return configuration.assignments.filter(object_type=object_type, object_id=name)


def restore_version(*, tenant: Tenant, actor: str, version: Configuration) -> Configuration:
    """A draft that equals `version`, to be previewed like any other. Raises DraftInTheWay."""
    if differs(tenant):
        raise DraftInTheWay
    with editing(tenant, actor) as edit:
        draft = edit.draft
        for rows in (draft.mappings.all(), draft.filters.all(), draft.assignments.filter(mirrored=False)):
            rows.delete()
        copy_settings(version, draft)
        draft.save()
        copy_rows(version, draft, mirrored=False)
        edit.note([one.key for one in changes(tenant)], "version.restore", version, None, {"number": version.number})
        return draft


@transaction.atomic
def make_version(draft: Configuration, *, actor: str, comment: str = "", preview: Run | None = None) -> Configuration:
    """Numbers a draft, without asking for a preview: for `publish`, and for what turns on or confirms a first run."""
    tenant, base = draft.tenant, draft.based_on
    newest = tenant.configurations.aggregate(newest=Max("number"))["newest"] or 0
    now = timezone.now()
    draft.number, draft.published_at, draft.published_by, draft.comment = newest + 1, now, actor, comment
    if base is not None:
        draft.changed_at, draft.changed_by = now, actor
        draft.scope_changed_at = base.scope_changed_at if draft.scope_digest == scope_digest(base) else now
        _settle_confirmation(draft, base, preview)
    draft.save()
    facts = {"number": draft.number, "comment": comment, "changes": draft.differs}
    audit.record(actor, "version.publish", draft, None, facts)
    told = {"tenant": tenant.slug, "version": draft.number, "changes": len(draft.differs)}
    transaction.on_commit(partial(log.info, "version published", by=actor, **told))
    return draft


def _settle_confirmation(draft: Configuration, base: Configuration, preview: Run | None) -> None:
    """The preview is the yes; without one the old yes holds as long as scope and matching are the same."""
    if preview is not None:
        draft.confirmed_run, draft.confirmed_at = preview, draft.published_at
        draft.confirmed_by = draft.published_by
        return
    draft.confirmed_run, draft.confirmed_at = base.confirmed_run, base.confirmed_at
    draft.confirmed_by = base.confirmed_by


def next_number(tenant: Tenant) -> int:
    newest = tenant.configurations.published().order_by("-number").first()
    return (newest.number or 0) + 1 if newest else 1
