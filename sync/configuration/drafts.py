"""Drafts and versions: edits gather in one draft per tenant; publishing numbers it and makes it immutable.

Until the first version is published the draft is what runs use: set-up edits it freely.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from django.db import transaction
from django.db.models import F, Model
from django.utils import timezone

from sync import audit
from sync.configuration.items import SETTINGS, Difference, contents, differences, scope_digest
from sync.models import Assignment, AttributeMapping, AuditEntry, Configuration, ScopingFilter, Tenant

Row = TypeVar("Row", AttributeMapping, ScopingFilter, Assignment)


class Configurations(NamedTuple):
    """`current`: what runs use; it is the draft as long as no version is published."""

    draft: Configuration | None
    current: Configuration

    @property
    def shown(self) -> Configuration:
        """What pages show and edit: the draft when there is one."""
        return self.draft or self.current


def configurations_of(tenant: Tenant) -> Configurations:
    rows = list(tenant.configurations.order_by(F("number").desc(nulls_first=True))[:2])
    return Configurations(rows[0], rows[-1]) if rows[0].number is None else Configurations(None, rows[0])


def draft_or_current(tenant: Tenant) -> Configuration:
    return configurations_of(tenant).shown


class Edit:
    """A draft under edit. What is noted leaves its mark on the draft and in the audit log, both at the end."""

    def __init__(self, draft: Configuration, actor: str) -> None:
        self.draft = draft
        self.actor = actor
        self.keys: list[str] = []
        self.entries: list[AuditEntry] = []

    def note(
        self,
        keys: str | Iterable[str],
        verb: str,
        obj: Model,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> None:
        """`keys`: of what is edited (sync/configuration/items.py); `before` and `after`: for the audit log."""
        self.keys += [keys] if isinstance(keys, str) else keys
        self.entries.append(audit.entry(self.actor, verb, obj, before, after))

    def close(self) -> None:
        if self.entries:
            edited(self.draft, self.keys, self.actor)
            audit.record_all(self.entries)


@contextmanager
def editing(tenant: Tenant, actor: str) -> Iterator[Edit]:
    """The draft, locked until the block is through; nothing of the block stays when it raises."""
    with transaction.atomic():
        edit = Edit(locked_draft(tenant, actor), actor)
        yield edit
        edit.close()


def locked_draft(tenant: Tenant, actor: str) -> Configuration:
    """A copy of the current version when there is none yet. Call it inside a transaction."""
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
    copy_assignments(source.assignments.all() if mirrored else source.assignments.filter(mirrored=False), to)


def copy_assignments(rows: Iterable[Assignment], to: Configuration) -> None:
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
    def of(cls, draft: Configuration | None) -> "ShownDraft":
        return cls(list(draft.differs), str(draft.pk)) if draft else cls([], "")


@dataclass(frozen=True, slots=True)
class Gone:
    """The draft that a page showed is no longer one. `version`: what it became; None: it was discarded."""

    version: Configuration | None


def gone_since(tenant: Tenant, seen: int) -> Gone | None:
    """What became of the draft that a page showed, by its primary key; None while it is still the draft."""
    found = tenant.configurations.filter(pk=seen).first()
    if found is None:
        return Gone(None)
    return Gone(found) if found.number is not None else None


def differs(tenant: Tenant) -> list[str]:
    """Keys of what the draft would change, in one look at it."""
    return ShownDraft.of(tenant.configurations.draft()).keys


def changes(tenant: Tenant) -> list[Difference]:
    """What the draft would change; nothing while no version is published."""
    return changes_of(tenant.configurations.draft())


def changes_of(draft: Configuration | None) -> list[Difference]:
    """The same, where the draft is at hand; None: there is none."""
    return differences(contents(draft.based_on), contents(draft)) if draft and draft.based_on else []


def edited(draft: Configuration, keys: Sequence[str], actor: str) -> None:
    """Notes who edited what last; a change of scope or matching moves `scope_changed_at`."""
    now = timezone.now()
    draft.edits = {**draft.edits, **{key: {"by": actor, "at": now.isoformat()} for key in keys}}
    draft.changed_at, draft.changed_by = now, actor
    if draft.scope_digest != (scope := scope_digest(draft)):
        draft.scope_digest, draft.scope_changed_at = scope, now
    draft.differs = [one.key for one in changes_of(draft)]
    draft.save()


def editors_of(configuration: Configuration) -> set[str]:
    """Who changed anything in it, since it began as a draft."""
    return {str(edit["by"]) for edit in configuration.edits.values()}


@transaction.atomic
def set_comment(*, tenant: Tenant, comment: str) -> None:
    """Why the draft is made; it goes into the audit log with the publishing."""
    tenant.configurations.filter(number=None).update(comment=comment)
