"""Previews of the draft: asking for one, the newest one."""

from django.db import transaction

from sync.models import Configuration, Run, Tenant
from sync.services import drafts, runs


class NothingToPreview(Exception):
    """Everything is published, or nothing was ever."""


def request(*, tenant: Tenant, actor: str, trigger: str = Run.Trigger.PERSON, enqueue: bool = True) -> Run:
    """The draft's preview: the one that is under way, unless the draft changed since it began. Raises NothingToPreview."""
    with transaction.atomic():
        draft = tenant.configurations.draft()
        if draft is None or not drafts.changes(tenant):
            raise NothingToPreview
        newest = newest_of(tenant, draft)
        if newest is not None and newest.open and drafts.changed_since(newest, draft):
            runs.cancel_run(run=newest, actor=actor)
        return runs.request_run(
            tenant=tenant, kind=Run.Kind.PREVIEW, trigger=trigger, actor=actor, enqueue=enqueue, draft=draft
        )


def newest_of(tenant: Tenant, draft: Configuration | None) -> Run | None:
    """The draft's last preview, whatever came of it."""
    if draft is None:
        return None
    return tenant.runs.filter(kind=Run.Kind.PREVIEW, configuration=draft).order_by("-number").first()
