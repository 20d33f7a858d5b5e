"""Redacting people who are purged from Entra and whom AWS does not hold: that they were there stays, who they were goes."""

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from sync.models import DirectoryUser, HeldChange, LeftDifference, Link, LoggedName, Operation, Result, Run, Standing

REDACTED = "[redacted]"
NAMES = {"display_name": REDACTED, "detail_name": REDACTED}
VALUES: dict[str, Any] = {"changes": {}, "error": "", "request": {}, "answer": {}, "desired": {}}
# People of one transaction, with all their rows.
SLICE = 200


def gone(cutoff: Any) -> QuerySet[DirectoryUser]:
    """Nothing was done with them since `cutoff`, and nothing is open."""
    theirs = {"tenant": OuterRef("tenant"), "object_id": OuterRef("object_id")}
    rows = Operation.objects.filter(object_type="user", **theirs)
    unsettled = rows.filter(result__in=(Result.PLANNED, Result.SENT), run__state__in=Run.OPEN)
    held = Link.objects.filter(object_type="user", **theirs).exclude(scim_id="")
    people = DirectoryUser.objects.filter(deleted="purged").exclude(display_name=REDACTED)
    return people.exclude(Exists(held)).exclude(Exists(rows.filter(created_at__gte=cutoff))).exclude(Exists(unsettled))


def redact(cutoff: Any) -> Iterator[int]:
    """How many people each transaction took."""
    while people := list(gone(cutoff).order_by("pk")[:SLICE]):
        with transaction.atomic():
            for tenant in {one.tenant_id for one in people}:
                _redact(tenant, [one for one in people if one.tenant_id == tenant])
        yield len(people)


def _redact(tenant: int, people: list[DirectoryUser]) -> None:
    theirs: dict[str, Any] = {"tenant": tenant, "object_id__in": [one.object_id for one in people]}
    Operation.objects.filter(object_type="user", **theirs).update(**NAMES, **VALUES)
    LoggedName.objects.filter(**theirs).delete()
    LoggedName.objects.bulk_create(LoggedName(tenant_id=tenant, object_id=one.object_id, **NAMES) for one in people)
    HeldChange.objects.filter(object_type="user", **theirs).update(**NAMES)
    # Of a group's member the name stands first, the group's own second.
    HeldChange.objects.filter(tenant=tenant, member_id__in=theirs["object_id__in"]).update(display_name=REDACTED)
    Standing.objects.filter(kind="user", **theirs).update(name=REDACTED, quoted="", holder="")
    forgotten = {"held_name": "", "held_email": "", "held_external": "", "match_name": "", "wanted_name": ""}
    links = Link.objects.filter(object_type="user", **theirs)
    LeftDifference.objects.filter(link__in=links).delete()
    links.update(written={}, **forgotten)
    facts = {"display_name": REDACTED, "user_principal_name": "", "manager_id": "", "properties": {}}
    DirectoryUser.objects.filter(pk__in=[one.pk for one in people]).update(**facts)
