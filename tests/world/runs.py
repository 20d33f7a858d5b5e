"""Runs as a page finds them, with what they did."""

from typing import Any

import pytest
from django.utils import timezone

from sync.models import Operation, Run, Tenant
from sync.runs.log_rows import remember_names


@pytest.fixture
def ready(tenant: Tenant) -> Tenant:
    """Both halves passed a test since their last change."""
    for half in (tenant.entra, tenant.aws):
        half.changed_at = half.tested_at = timezone.now()
        half.test_passed = True
        half.save()
    return tenant


def operation(tenant: Tenant, run: Run, **facts: Any) -> Operation:
    defaults = {
        "object_type": "user",
        "object_id": "aaaaaaaa-1111-4111-8111-111111111111",
        "display_name": "Adele",
        "action": "update",
        "result": "updated",
    }
    row = Operation.objects.create(tenant=tenant, run=run, finished_at=timezone.now(), **{**defaults, **facts})
    remember_names([row])
    return row


def new_run(tenant: Tenant, number: int = 1, **facts: Any) -> Run:
    return Run.objects.create(
        tenant=tenant, number=number, **{"kind": "full", "trigger": "person", "state": "completed", **facts}
    )
