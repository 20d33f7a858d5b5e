"""The rows of a tenant that somebody deleted, in slices: what a worker does. AWS is not asked: what is there stays."""

import datetime
from graphlib import TopologicalSorter
from typing import Any

from django.apps import apps
from django.db import models
from django.utils import timezone

from sync import queue
from sync.db.batches import delete_in_slices
from sync.models import Tenant

# Rows of one transaction: SQLite has one writer at a time.
SLICE = 1_000
# A worker that has not finished by then is sent again.
AGAIN = datetime.timedelta(minutes=10)


def send_due() -> None:
    now = timezone.now()
    for tenant in Tenant.deleted_too.filter(deletion_due_at__lte=now):
        Tenant.deleted_too.filter(pk=tenant.pk).update(deletion_due_at=now + AGAIN)
        queue.send(queue.DELETE_TENANT, tenant.pk)


def carry_out(tenant_id: int) -> None:
    """What was done when a worker died stays done; two at once do no harm."""
    tenant = Tenant.deleted_too.filter(pk=tenant_id).exclude(deletion_due_at=None).first()
    if tenant is None:
        return
    for model in owned():
        for _rows in delete_in_slices(model._base_manager.filter(tenant=tenant_id), SLICE):
            pass
    tenant.delete()


def owned() -> list[type[models.Model]]:
    """Whatever belongs to one tenant, children before their parents. The audit log belongs to nobody."""
    above = {model: parents(model) - {model} for model in apps.get_models()}
    return [model for model in reversed([*TopologicalSorter(above).static_order()]) if Tenant in above.get(model, ())]


def parents(model: type[models.Model]) -> set[Any]:
    found = (one for one in model._meta.get_fields() if isinstance(one, models.ForeignKey))
    return {one.remote_field.model for one in found if one.remote_field.on_delete is models.CASCADE}
