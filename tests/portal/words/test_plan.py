"""What a plan is told to do: whoever is created is counted once."""

import pytest

from portal.words.plan import plan_lines
from sync.approvals.queries import planned_rows
from sync.models import Run, Tenant
from tests.world.runs import new_run, operation

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def lines(run: Run) -> dict[tuple[str, str], int]:
    return {(one["action"], one["object_type"]): one["count"] for one in plan_lines(run, planned_rows(run))}


@pytest.mark.parametrize("result", ["planned", "held"])
def test_a_manager_that_follows_a_creation_is_no_update_of_its_own(tenant: Tenant, result: str) -> None:
    run = new_run(tenant, 1, kind="preview")
    for object_id, action, state in [
        ("a1", "create", result),
        ("a1", "update", "planned"),
        ("b2", "update", "planned"),
    ]:
        operation(tenant, run, object_type="user", object_id=object_id, action=action, result=state)
    made = {("create", "user"): 1} if result == "planned" else {}
    assert lines(run) == made | {("update", "user"): 1}


def test_members_are_counted_as_people_and_what_is_held_is_no_plan(tenant: Tenant) -> None:
    run = new_run(tenant, 1, kind="preview")
    operation(tenant, run, object_type="membership", object_id="g1", action="add_member", result="planned", people=7)
    operation(tenant, run, object_type="user", object_id="a1", action="disable", result="held")
    assert lines(run) == {("add_member", "membership"): 7}
