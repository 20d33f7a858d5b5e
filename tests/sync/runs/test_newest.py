"""The newest run of each kind that pages speak of."""

import pytest

from sync.models import Tenant
from sync.runs.newest import Newest, newest_runs
from sync.tenants.services import create_tenant
from tests.world.runs import new_run

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def test_a_tenant_without_runs_has_none(tenant: Tenant) -> None:
    assert newest_runs(tenant) == Newest(None, None, None)


def test_each_kind_has_its_own_newest_whatever_came_after_and_elsewhere(tenant: Tenant) -> None:
    new_run(tenant, 1, kind="full")
    sync = new_run(tenant, 2, kind="changes")
    preview = new_run(tenant, 3, kind="preview")
    new_run(tenant, 4, kind="preview", configuration_digest="of a draft")
    comparison = new_run(tenant, 5, kind="verify")
    new_run(tenant, 6, kind="demand")
    new_run(create_tenant(actor="jo@acme.example", name="Another"), 7, kind="full")
    assert newest_runs(tenant) == Newest(comparison, preview, sync)


def test_one_run_may_be_the_newest_of_all_kinds(tenant: Tenant) -> None:
    run = new_run(tenant, 1, kind="changes")
    assert newest_runs(tenant) == Newest(run, run, run)
