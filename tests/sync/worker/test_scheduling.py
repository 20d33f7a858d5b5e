"""Which tenants get a run when their time has come."""

import pytest
from django.utils import timezone

from sync.models import Run, Tenant
from sync.worker.scheduling import dispatch

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def test_due_tenants_get_one_run_and_the_next_time(ready: Tenant) -> None:
    Tenant.objects.update(enabled=True, next_run_at=timezone.now())
    dispatch()
    dispatch()
    assert Run.objects.count() == 1
    ready.refresh_from_db()
    assert ready.next_run_at is not None
    assert ready.next_run_at > timezone.now()
