"""The log has a million rows and more: each of its filters has an index in the order of time."""

import pytest
from django.test import Client

from sync.models import Tenant
from tests.world.plans import on_sqlite, plans_of
from tests.world.runs import new_run, operation

pytestmark = [pytest.mark.django_db, on_sqlite]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "operation_by_moment"),
        ("since=24", "operation_by_moment (tenant_id=? AND <expr>>?"),
        ("result=failed", "operation_result_by_moment"),
        ("result=failed&since=24", "operation_result_by_moment"),
        ("reason=rejected", "operation_problem_by_moment"),
    ],
)
def test_a_filter_is_answered_from_its_index(tenant: Tenant, jo: Client, query: str, index: str) -> None:
    operation(tenant, new_run(tenant, 1), result="failed", problem="rejected")
    plan = plans_of(lambda: jo.get(f"/t/acme/logs/?{query}", headers={"HX-Request": "true"}))
    assert index in plan
    assert "SCAN sync_operation" not in plan
