"""Drafts and versions: edits gather in one draft per tenant; publishing numbers it and makes it immutable.

Until the first version is published the draft is what runs use: set-up edits it freely.
"""

import datetime
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from sync import audit
from sync.configuration.items import SETTINGS, Difference, contents, differences, digest, scope_digest
from sync.engine.rehearsal import impact
from sync.models import Assignment, AttributeMapping, Configuration, Run, ScopingFilter, Tenant

# A preview older than this says too little about today's directory.
PREVIEW_HOLDS = datetime.timedelta(minutes=60)
PREVIEWED = (Run.State.COMPLETED, Run.State.COMPLETED_WITH_ERRORS)
Row = TypeVar("Row", AttributeMapping, ScopingFilter, Assignment)


class NotPublished(Exception):
    """`reasons`: codes of what stands in the way: nothing-changed, no-preview, stale, blocked, not-seen."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = reasons


class DraftInTheWay(Exception):
    """A version cannot be restored over changes that somebody has not published yet."""


def draft_or_current(tenant: Tenant) -> Configuration:
    """What pages show and edit: the draft when there is one."""
    return tenant.configurations.draft() or tenant.configurations.current()


def editing(tenant: Tenant, actor: str) -> Configuration:
    """The draft, locked; a copy of the current version when there is none yet. Call it inside a transaction."""
    current = Configuration.objects.select_for_update().get(pk=tenant.configurations.current().pk)
    draft = tenant.configurations.select_for_update().draft()
    if draft is not None:
        return draft
    draft = Configuration(tenant=tenant, based_on=current, changed_by=actor, scope_changed_at=current.scope_changed_at)
    copy_settings(current, draft)
    draft.save()
    copy_rows(current, draft)
    draft.scope_digest = scope_digest(draft)
    return draft


def copy_settings(source: Configuration, to: Configuration) -> None:
    for name in SETTINGS:
        setattr(to, name, getattr(source, name))


def copy_rows(source: Configuration, to: Configuration, *, mirrored: bool = True) -> None:
    """`mirrored`: with what the enterprise application brought."""
    AttributeMapping.objects.bulk_create(_copies(source.mappings.all(), to), batch_size=500)
    ScopingFilter.objects.bulk_create(_copies(source.filters.all(), to), batch_size=500)
    _copy_assignments(source.assignments.all() if mirrored else source.assignments.filter(mirrored=False), to)


def _copy_assignments(rows: Iterable[Assignment], to: Configuration) -> None:
    """Who is assigned there already stays as it is."""
    have = set(to.assignments.values_list("object_type", "object_id"))
    new = [row for row in rows if (row.object_type, row.object_id) not in have]
    Assignment.objects.bulk_create(_copies(new, to), batch_size=500)


def _copies(rows: Iterable[Row], to: Configuration) -> list[Row]:
    found = list(rows)
    for row in found:
        row.pk, row.configuration = None, to
    return found


@dataclass(frozen=True, slots=True)
class ShownDraft:
    """What a page shows of the draft: keys of its changes, and a token of it ("": there is none)."""

    keys: list[str]
    token: str

    @classmethod
    def of(cls, tenant: Tenant) -> "ShownDraft":
        draft = tenant.configurations.draft()
        return cls(list(draft.differs), str(draft.pk)) if draft else cls([], "")


@dataclass(frozen=True, slots=True)
class Gone:
    """The draft that a page showed is no longer one. `version`: what it became; None: it was discarded."""

    version: Configuration | None


def gone_since(tenant: Tenant, token: str) -> Gone | None:
    """What became of the draft that a page showed; None while it is still the draft."""
    if not token.isdigit():
        return None
    found = tenant.configurations.filter(pk=int(token)).first()
    if found is None:
        return Gone(None)
    return Gone(found) if found.number is not None else None


def differs(tenant: Tenant) -> list[str]:
    """Keys of what the draft would change, in one look at it."""
    return ShownDraft.of(tenant).keys


def changes(tenant: Tenant) -> list[Difference]:
    """What the draft would change; nothing while no version is published."""
    draft = tenant.configurations.draft()
    return _changes_of(draft) if draft else []


def _changes_of(draft: Configuration) -> list[Difference]:
    return differences(contents(draft.based_on), contents(draft)) if draft.based_on else []


def edited(draft: Configuration, keys: Sequence[str], actor: str) -> None:
    """Notes who edited what last; a change of scope or matching moves `scope_changed_at`."""
    now = timezone.now()
    draft.edits = {**draft.edits, **{key: {"by": actor, "at": now.isoformat()} for key in keys}}
    draft.changed_at, draft.changed_by = now, actor
    if draft.scope_digest != (scope := scope_digest(draft)):
        draft.scope_digest, draft.scope_changed_at = scope, now
    draft.differs = [one.key for one in _changes_of(draft)]
    draft.save()


@transaction.atomic
def set_comment(*, tenant: Tenant, comment: str) -> None:
    """Why the draft is made; it goes into the audit log with the publishing."""
    tenant.configurations.filter(number=None).update(comment=comment)


@transaction.atomic
def discard(*, tenant: Tenant, actor: str) -> None:
    draft = tenant.configurations.select_for_update().draft()
    if draft is None or draft.based_on is None:
        return
    audit.record(actor, "draft.discard", draft, {"changes": draft.differs}, None)
    draft.delete()


@transaction.atomic
def undo(*, tenant: Tenant, actor: str, key: str) -> None:
    """Puts one thing back to what the published version says."""
    draft = editing(tenant, actor)
    if draft.based_on is None or key not in draft.differs:
        return
    put_back(draft, draft.based_on, key)
    draft.edits.pop(key, None)
    edited(draft, [], actor)
    audit.record(actor, "draft.undo", draft, {"key": key}, None)


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
    _copy_assignments(source.assignments.filter(mirrored=True), draft)


def _rows_under(configuration: Configuration, kind: str, rest: str) -> QuerySet[Any]:
    if kind == "filter":
        return configuration.filters.filter(uid=rest)
    object_type, _colon, name = rest.partition(":")
    if kind == "mapping":
        return configuration.mappings.filter(object_type=object_type, target=name)
    return configuration.assignments.filter(object_type=object_type, object_id=name)


@transaction.atomic
def restore(*, tenant: Tenant, actor: str, version: Configuration) -> Configuration:
    """A draft that equals `version`, to be previewed like any other. Raises DraftInTheWay."""
    if differs(tenant):
        raise DraftInTheWay
    draft = editing(tenant, actor)
    for rows in (draft.mappings.all(), draft.filters.all(), draft.assignments.filter(mirrored=False)):
        rows.delete()
    copy_settings(version, draft)
    draft.save()
    copy_rows(version, draft, mirrored=False)
    edited(draft, [one.key for one in changes(tenant)], actor)
    audit.record(actor, "version.restore", version, None, {"number": version.number})
    return draft


def missing_for_publishing(tenant: Tenant, preview: Run | None, seen: Collection[str] = ()) -> list[str]:
    """Codes of what stands in the way of publishing the draft with this preview.

    `seen`: codes of the preview's checks that somebody says to have seen.
    """
    draft = tenant.configurations.draft()
    if draft is None or not draft.differs:
        return ["nothing-changed"]
    if preview is None or preview.configuration_id != draft.pk or preview.state not in PREVIEWED:
        return ["no-preview"]
    if stale(preview, draft):
        return ["stale"]
    if impact.blocking(preview):
        return ["blocked"]
    return ["not-seen"] if set(impact.to_be_seen(preview)) - set(seen) else []


def stale(preview: Run, draft: Configuration) -> bool:
    """The draft changed after this preview, or the directory may have."""
    assert preview.finished_at is not None
    return changed_since(preview, draft) or timezone.now() - preview.finished_at > PREVIEW_HOLDS


def changed_since(preview: Run, draft: Configuration) -> bool:
    """Whether the draft is another one than the preview read; a preview that has not begun reads it as it will be."""
    return preview.state != Run.State.QUEUED and preview.configuration_digest != digest(draft)


@transaction.atomic
def publish(
    *, tenant: Tenant, actor: str, preview: Run | None, comment: str = "", seen: Collection[str] = ()
) -> Configuration:
    """The draft becomes the next version; its fresh preview is the yes to what it lists. Raises NotPublished."""
    draft = tenant.configurations.select_for_update().draft()
    if reasons := missing_for_publishing(tenant, preview, seen):
        raise NotPublished(reasons)
    assert draft is not None
    return make_version(draft, actor=actor, comment=comment, preview=preview)


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
    return draft


def _settle_confirmation(draft: Configuration, base: Configuration, preview: Run | None) -> None:
    """The preview is the yes; without one the old yes holds as long as scope and matching are the same."""
    if preview is not None:
        draft.confirmed_run, draft.confirmed_at = preview, draft.published_at
        draft.confirmed_by = draft.published_by
        return
    draft.confirmed_run, draft.confirmed_at = base.confirmed_run, base.confirmed_at
    draft.confirmed_by = base.confirmed_by
