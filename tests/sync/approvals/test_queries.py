"""What waits for a decision, whatever runs come meanwhile."""

import pytest
from django.utils import timezone

from sync.approvals import queries
from sync.models import Run, Tenant
from sync.worker.scheduling import dispatch
from tests.world.runs import new_run

pytestmark = [pytest.mark.django_db, pytest.mark.both]


@pytest.mark.parametrize("kind", ["demand", "verify"])
def test_a_plan_goes_on_waiting_while_other_kinds_of_runs_come(ready: Tenant, kind: str) -> None:
    now = timezone.now()
    waiting = new_run(ready, 1, state="waiting_for_approval", problem="not-confirmed", started_at=now, finished_at=now)
    new_run(ready, 2, kind=kind, started_at=now, finished_at=now)
    assert queries.waiting_plan(ready) == waiting
    Tenant.objects.update(enabled=True, next_run_at=now)
    dispatch()
    assert Run.objects.count() == 2


@pytest.mark.parametrize("kind", ["demand", "verify"])
def test_a_reading_that_shrank_goes_on_waiting_too(ready: Tenant, kind: str) -> None:
    now = timezone.now()
    shrunken = new_run(ready, 1, suspect=queries.SHRUNK[0], started_at=now, finished_at=now)
    new_run(ready, 2, kind=kind, started_at=now, finished_at=now)
    assert queries.shrunken(ready) == shrunken
