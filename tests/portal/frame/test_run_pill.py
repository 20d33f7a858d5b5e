"""Which run the header of every page speaks of."""

import pytest

from portal.frame.run_pill import RunPill
from sync.models import Tenant
from sync.runs.newest import newest_runs
from tests.world.runs import new_run

pytestmark = pytest.mark.django_db


def test_it_is_the_last_sync_whatever_was_previewed_or_compared_since(tenant: Tenant) -> None:
    assert RunPill.of(newest_runs(tenant)).run is None
    sync = new_run(tenant, 1, kind="changes")
    for number, kind in enumerate(("preview", "verify", "demand"), start=2):
        new_run(tenant, number, kind=kind)
    assert RunPill.of(newest_runs(tenant)).run == sync


@pytest.mark.parametrize("kind", ["preview", "verify", "changes"])
def test_while_one_is_open_it_is_that_one(tenant: Tenant, kind: str) -> None:
    new_run(tenant, 1, kind="changes")
    running = new_run(tenant, 2, kind=kind, state="running", planned=5)
    new_run(tenant, 3, kind="demand", state="running")
    pill = RunPill.of(newest_runs(tenant))
    assert (pill.run, pill.done, pill.open) == (running, 5, True)
