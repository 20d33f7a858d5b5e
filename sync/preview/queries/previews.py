"""A draft's preview: the newest one, whether it can be published, what it plans; and a run beside what its preview said."""

import datetime
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from sync.configuration.items import digest
from sync.engine.rehearsal import impact
from sync.engine.rehearsal.causes import SCOPE
from sync.models import Configuration, DirectoryUser, Operation, Result, Run, Tenant
from sync.rules.scope import Reason

# What an edit of the draft can change; everything else is decided in Entra, or by a switch for all.
KEEPABLE = (Reason.NOT_ASSIGNED, Reason.OUTSIDE_FILTER)
# A preview older than this says too little about today's directory.
PREVIEW_HOLDS = datetime.timedelta(minutes=60)
# As long as that when the publishing was asked for in time and waited for a second person.
ASKED_HOLDS = datetime.timedelta(hours=24)
PREVIEWED = Run.DONE
WRITES = (Run.Kind.FULL, Run.Kind.CHANGES)
NOT_DONE = (Result.PLANNED, Result.SENT, Result.SKIPPED, Result.FAILED, Result.WILL_RETRY)
NAMED = 20


def missing_for_publishing(
    tenant: Tenant, preview: Run | None, seen: Collection[str] = (), good_for: datetime.timedelta = PREVIEW_HOLDS
) -> list[str]:
    """Codes of what stands in the way of publishing the draft with this preview.

    `seen`: codes of the preview's checks that somebody says to have seen.
    """
    draft = tenant.configurations.draft()
    if draft is None or not draft.differs:
        return ["nothing-changed"]
    if preview is None or preview.configuration_id != draft.pk or preview.state not in PREVIEWED:
        return ["no-preview"]
    if stale(preview, draft, good_for):
        return ["stale"]
    if impact.blocking(preview):
        return ["blocked"]
    return ["not-seen"] if set(to_be_seen(preview)) - set(seen) else []


def stale(preview: Run, draft: Configuration, good_for: datetime.timedelta = PREVIEW_HOLDS) -> bool:
    """The draft changed after this preview, or the directory may have."""
    assert preview.finished_at is not None
    return changed_since(preview, draft) or timezone.now() - preview.finished_at > good_for


def changed_since(preview: Run, draft: Configuration) -> bool:
    """Whether the draft is another one than the preview read; a preview that has not begun reads it as it will be."""
    return preview.state != Run.State.QUEUED and preview.configuration_digest != digest(draft)


def to_be_seen(preview: Run) -> list[str]:
    """Codes of the checks that somebody must say they have seen before they publish."""
    return impact.to_be_seen(preview)


# What a preview plans


def planned(preview: Run) -> QuerySet[Operation]:
    """All that it would do, what would be held for approval included."""
    return preview.operations.filter(result__in=impact.TODO)


def planned_people(preview: Run, group: str) -> QuerySet[Operation]:
    """`group`: created, updated, lose or deleted."""
    return planned(preview).filter(object_type="user", action__in=impact.GROUPS[group])


def staying_people(preview: Run) -> QuerySet[DirectoryUser]:
    """Those who have access, keep it, and are not written."""
    return impact.staying(preview)


def planned_pattern(preview: Run, unit: str, pattern: str) -> QuerySet[Operation]:
    """Updates that change this unit in this way, of people and groups alike."""
    return planned(preview).filter(**{f"changes__{unit}__pattern": pattern}, action__in=impact.GROUPS["updated"])


def people_changed(preview: Run) -> int:
    people = preview.impact["people"]
    return sum(people[group] for group in impact.GROUPS)


def split_causes(causes: Iterable[str]) -> tuple[list[str], list[str]]:
    """Of what causes an operation: the keys of the draft's differences, and why somebody is outside (codes of scope)."""
    keys, reasons = [], []
    for cause in causes:
        if cause.startswith(SCOPE):
            reasons.append(cause.removeprefix(SCOPE))
        else:
            keys.append(cause)
    return keys, reasons


# Previews beside drafts, versions and runs


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
    said = planned(preview)
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
