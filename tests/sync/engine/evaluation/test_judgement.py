"""One judgement and one equality: what a readiness check, on demand and a run say of somebody is the same."""

from typing import Any

import pytest

from sync.configuration.mappings import replace_mappings
from sync.directory.live import Found
from sync.models import Demand, Link, Result, Run, Tenant
from sync.on_demand.services import request_demand
from sync.readiness.services import check_now
from sync.rules.rows import MappingRow
from sync.worker.execution import execute_run
from tests.world.company import aws_user, names
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, publish, sync

pytestmark = pytest.mark.django_db(transaction=True)
UNIQUE = 'SelectUniqueValue(Join("@", [givenName], "one.example"), Join("@", [givenName], "two.example"))'
ROWS = (
    MappingRow("userName", "expression", UNIQUE, apply="create", matching=1),
    MappingRow("externalId", "direct", "objectId"),
    MappingRow("displayName", "direct", "displayName"),
    MappingRow("name.givenName", "direct", "givenName"),
    MappingRow("name.familyName", "direct", "surname"),
    MappingRow("active", "expression", 'Switch([IsSoftDeleted], , "False", "True", "True", "False")'),
)


def on_demand(tenant: Tenant, person: dict[str, Any], *, dry_run: bool = False) -> Demand:
    found = [Found("user", person["id"], person["displayName"], "", "")]
    demand = request_demand(tenant=tenant, actor=ACTOR, objects=found, dry_run=dry_run, enqueue=False)
    assert demand.run is not None
    execute_run(demand.run.pk)
    demand.refresh_from_db()
    return demand


def test_a_readiness_check_takes_no_unique_value_from_the_run_that_follows(wired: Tenant, lab: Lab) -> None:
    people = [lab.call("POST", "entra/hire", {"displayName": f"Kim Twin{n}"}) for n in range(2)]
    assign(wired, *people)
    replace_mappings(tenant=wired, actor=ACTOR, object_type="user", rules=ROWS)
    publish(wired)
    sync(wired, Run.Kind.PREVIEW)
    check = check_now(wired)
    assert list(check.findings.filter(code="same-value")) == []
    run = sync(wired)
    assert run.counts.get(Result.FAILED, 0) == 0
    assert names(lab) == {"Kim@one.example", "Kim@two.example"}


def test_on_demand_takes_another_letter_case_for_no_difference_as_comparing_does(wired: Tenant, lab: Lab) -> None:
    person = lab.call("POST", "entra/hire", {"displayName": "Upper Case"})
    assign(wired, person)
    sync(wired)
    held = aws_user(lab, person["id"])
    lab.call("PATCH", f"aws/users/{held['id']}", {"userName": held["userName"].upper()})
    assert not sync(wired, Run.Kind.VERIFY).drifts.exists()
    lab.call("PATCH", f"entra/users/{person['id']}", {"displayName": "Upper Case Too"})
    asked = on_demand(wired, person).objects_asked.get()
    assert (asked.result, asked.steps[-1]["step"], asked.steps[-1]["state"]) == ("updated", "read_back", "done")


def test_recovery_takes_another_letter_case_for_written(wired: Tenant, lab: Lab) -> None:
    """A worker died after its request: AWS holds the name, in the case that it keeps names in."""
    person = lab.call("POST", "entra/hire", {"displayName": "Re Covered"})
    assign(wired, person)
    run = sync(wired)
    lab.call("PATCH", f"entra/users/{person['id']}", {"displayName": "Re Covered Now"})
    held = aws_user(lab, person["id"])
    lab.call("PATCH", f"aws/users/{held['id']}", {"userName": held["userName"].upper()})
    link = Link.objects.get(object_id=person["id"])
    operation = run.operations.get(action="create")
    operation.pk, operation.action, operation.result = None, "update", Result.SENT
    operation.desired = {"userName": link.written["userName"]}
    operation.changes = {"userName": {"before": "old", "after": link.written["userName"]}}
    operation.save()
    sync(wired)
    operation.refresh_from_db()
    assert (operation.result, operation.problem) == (Result.UPDATED, "answer-lost")
