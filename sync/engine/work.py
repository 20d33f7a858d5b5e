"""What a run looks at: the published rules, and the rows of the mirror that may have changed since the last one."""

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from sync.configuration.ruleset import Rules
from sync.db.batches import BATCH
from sync.models import (
    Configuration,
    DirectoryGroup,
    DirectoryUser,
    HeldChange,
    Link,
    Operation,
    Result,
    Run,
    Snapshot,
    Tenant,
)
from sync.standings import services as standings


def groups_in_scope(tenant: Tenant, rules: Rules) -> frozenset[str]:
    """Object ids of the assigned groups that go to AWS themselves."""
    if not rules.group_gate.filters:
        return rules.sent_groups
    rows = DirectoryGroup.objects.filter(tenant=tenant, deleted="", object_id__in=rules.sent_groups)
    found = rows.values_list("object_id", "properties").iterator(chunk_size=BATCH)
    return frozenset(key for key, properties in found if rules.scope_of_group(key, properties, deleted=False).in_scope)


def touch(snapshot: Snapshot, users: Any, groups: Any) -> None:
    """Marks people and groups (object ids, or queries for them) as changed in this snapshot: the run looks at them."""
    for model, ids in ((DirectoryUser, users), (DirectoryGroup, groups)):
        rows = model.objects.filter(tenant=snapshot.tenant, changed_snapshot__lt=snapshot.pk, object_id__in=ids)
        rows.update(changed_snapshot=snapshot.pk)


def revisit_reports(tenant_id: int, managers: Collection[str]) -> None:
    """The next run looks at who reports to these people: they could not be given that manager before, and can be now."""
    newest = Snapshot.objects.filter(tenant=tenant_id).aggregate(newest=Max("pk"))["newest"] or 0
    reports(tenant_id, managers).update(changed_snapshot=newest + 1)


def reports(tenant_id: int, managers: Collection[str]) -> QuerySet[DirectoryUser]:
    """Those whom AWS holds: everybody else gets the manager when they are created, and waits for that as long as they have to."""
    held = Link.objects.filter(tenant=tenant_id, object_type="user").exclude(scim_id="").values("object_id")
    return DirectoryUser.objects.filter(tenant=tenant_id, manager_id__in=managers, object_id__in=held)


def try_now(tenant: Tenant, object_ids: Any) -> None:
    """What failed with these objects (ids, or a query for them) does not wait for its date: the next run tries again."""
    failed = list(tenant.links.filter(object_id__in=object_ids, failures__gt=0))
    with transaction.atomic():
        Link.objects.filter(pk__in=[link.pk for link in failed]).update(retry_at=timezone.now())
        standings.refresh_links(failed)


def due_links(tenant: Tenant, object_type: str) -> QuerySet[Link]:
    return Link.objects.filter(tenant=tenant, object_type=object_type, retry_at__lte=timezone.now())


def held_objects(tenant: Tenant) -> QuerySet[HeldChange]:
    """What waits for a person is looked at in every run: it may no longer be wanted, or be approved by now.

    What was approved and then refused by AWS waits in escrow like everything else.
    """
    waits = Link.objects.filter(tenant=tenant, object_id=OuterRef("object_id"), failures__gt=0)
    approved = Q(decision=HeldChange.Decision.APPROVED) & Exists(waits.filter(retry_at__gt=timezone.now()))
    return HeldChange.objects.open().filter(~approved, tenant=tenant)


def refused_links(tenant: Tenant, object_type: str) -> QuerySet[Link]:
    """Judged again in every run: what was in the way may be gone. Only AWS can say so of what it holds: that is asked
    at its own time."""
    refused = Link.objects.filter(tenant=tenant, object_type=object_type).exclude(refused_code="")
    return refused.filter(retry_at=None)


def users_to_look_at(tenant: Tenant, since: int) -> QuerySet[DirectoryUser]:
    """Changed since the last finished run, due for another try, refused, or held."""
    due, held = due_links(tenant, "user").values("object_id"), held_objects(tenant).values("object_id")
    refused = refused_links(tenant, "user").values("object_id")
    # IN, not EXISTS: an index finds each of them, and nobody else is looked at.
    look = Q(changed_snapshot__gt=since) | Q(object_id__in=due) | Q(object_id__in=held) | Q(object_id__in=refused)
    return DirectoryUser.objects.filter(look, tenant=tenant)


def note_pending(run_id: int, links: QuerySet[Link]) -> None:
    """What the run has still to do about these objects: its plan moved on without being judged anew."""
    todo = Operation.objects.filter(
        run=run_id, object_id=OuterRef("object_id"), link=OuterRef("pk"), result__in=(Result.PLANNED, Result.SENT)
    )
    first = Subquery(todo.order_by("stage", "pk").values("action")[:1])
    links.update(pending=Coalesce(first, Value("")))


def watermark(run: Run, tenant: Tenant, configuration: Configuration) -> int:
    """The snapshot up to which people were evaluated under today's rules; 0 looks at everybody."""
    same_rules = tenant.evaluated_changed_at is not None and tenant.evaluated_changed_at >= configuration.changed_at
    return tenant.evaluated_snapshot if same_rules and run.kind != Run.Kind.FULL else 0
