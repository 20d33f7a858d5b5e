"""Previews of the draft: asking for one, the newest one, and a run beside what its preview said."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from sync.configuration import drafts
from sync.configuration.items import digest
from sync.engine.rehearsal import impact
from sync.models import Configuration, Operation, Result, Run, Tenant
from sync.preview.publishing import PREVIEWED, changed_since
from sync.runs.requests import cancel_run, request_run

WRITES = (Run.Kind.FULL, Run.Kind.CHANGES)
NOT_DONE = (Result.PLANNED, Result.SENT, Result.SKIPPED, Result.FAILED, Result.WILL_RETRY)
NAMED = 20


class NothingToPreview(Exception):
    """Everything is published, or nothing was ever."""


def request_preview(*, tenant: Tenant, actor: str, trigger: str = Run.Trigger.PERSON, enqueue: bool = True) -> Run:
    """The draft's preview: the one that is under way, unless the draft changed since it began. Raises NothingToPreview."""
    with transaction.atomic():
        draft = tenant.configurations.draft()
        if draft is None or not drafts.changes(tenant):
            raise NothingToPreview
        newest = newest_preview(tenant, draft)
        if newest is not None and newest.open and changed_since(newest, draft):
            cancel_run(run=newest, actor=actor)
        return request_run(
            tenant=tenant,
            kind=Run.Kind.PREVIEW,
            trigger=trigger,
            actor=actor,
            enqueue=enqueue,
            draft=draft,
            digest=digest(draft),
        )


def newest_preview(tenant: Tenant, draft: Configuration | None) -> Run | None:
    """The draft's last preview, whatever came of it."""
    if draft is None:
        return None
    return tenant.runs.drafted().filter(configuration=draft).order_by("-number").first()


def published_with(version: Configuration) -> Run | None:
    """The preview that a version was published with."""
    previews = Run.objects.drafted().filter(configuration=version, state__in=PREVIEWED)
    return previews.filter(finished_at__lte=version.published_at).order_by("-number").first()


@dataclass(frozen=True, slots=True)
class PreviewComparison:
    """`said` and `did`: people. `missing` was said and not done, each with the problem code of the run ("": Entra wants it
    no longer); `extra` was done and not said; up to NAMED of each."""

    preview: Run
    said: int
    did: int
    missing: list[tuple[Operation, str]]
    extra: list[Operation]
    differ: int


def beside_preview(run: Run) -> PreviewComparison | None:
    """The first run of a version beside the preview that it was published with."""
    if run.kind not in WRITES or run.open or run.configuration is None or run.configuration.number is None:
        return None
    first = run.tenant.runs.filter(kind__in=WRITES, configuration=run.configuration).order_by("number").first()
    preview = published_with(run.configuration)
    if first != run or preview is None:
        return None
    said = preview.operations.filter(result__in=impact.TODO)
    did = run.operations.exclude(result__in=NOT_DONE)
    missing, extra = _without(said, did), _without(did, said)
    return PreviewComparison(
        preview=preview,
        said=_people(said),
        did=_people(did),
        missing=_with_problems(run, list(missing[:NAMED])),
        extra=list(extra[:NAMED]),
        differ=missing.count() + extra.count(),
    )


def _without(rows: QuerySet[Operation], others: QuerySet[Operation]) -> QuerySet[Operation]:
    same = others.filter(
        object_type=OuterRef("object_type"), object_id=OuterRef("object_id"), action=OuterRef("action")
    )
    return rows.filter(~Exists(same)).order_by("display_name", "pk")


def _with_problems(run: Run, missing: list[Operation]) -> list[tuple[Operation, str]]:
    failed = run.operations.exclude(problem="").filter(object_id__in=[one.object_id for one in missing])
    problems = dict(failed.values_list("object_id", "problem"))
    return [(one, problems.get(one.object_id, "")) for one in missing]


def _people(rows: QuerySet[Operation]) -> int:
    return rows.filter(object_type="user").values("object_id").distinct().count()
