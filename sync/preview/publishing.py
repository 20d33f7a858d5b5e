"""Publishing a draft by its preview."""

import datetime
from collections.abc import Collection, Sequence

from django.db import transaction
from django.utils import timezone

from sync.configuration.items import digest
from sync.configuration.versions import make_version
from sync.engine.rehearsal import impact
from sync.models import Configuration, Run, Tenant

# A preview older than this says too little about today's directory.
PREVIEW_HOLDS = datetime.timedelta(minutes=60)

PREVIEWED = (Run.State.COMPLETED, Run.State.COMPLETED_WITH_ERRORS)


class NotPublished(Exception):
    """`reasons`: codes of what stands in the way: nothing-changed, no-preview, stale, blocked, not-seen."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = reasons


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
def publish_draft(
    *, tenant: Tenant, actor: str, preview: Run | None, comment: str = "", seen: Collection[str] = ()
) -> Configuration:
    """The draft becomes the next version; its fresh preview is the yes to what it lists. Raises NotPublished."""
    draft = tenant.configurations.select_for_update().draft()
    if reasons := missing_for_publishing(tenant, preview, seen):
        raise NotPublished(reasons)
    assert draft is not None
    return make_version(draft, actor=actor, comment=comment, preview=preview)
