"""SelectUniqueValue passes over what AWS holds under no link of ours: made by hand, or by another provisioning."""

from typing import Any

import pytest

from sync.configuration.mappings import replace_mappings
from sync.directory.live import Found
from sync.models import Run, Tenant
from sync.on_demand.services import request_demand
from sync.rules.rows import MappingRow
from sync.worker.execution import execute_run
from tests.world.company import aws_user, hire, people
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, sync

pytestmark = pytest.mark.django_db(transaction=True)
UNIQUE = 'SelectUniqueValue(Join("@", [givenName], "one.example"), Join("@", [surname], "two.example"))'
EMAIL = 'emails[type eq "work"].value'
FIRST, SECOND = "Ada@one.example", "Byron@two.example"


def choose(tenant: Tenant, target: str) -> None:
    """People are matched by external id; their other values are as plain as AWS takes them."""
    plain = {"userName": "userPrincipalName", EMAIL: "mail"}
    plain.pop(target)
    rows = [
        MappingRow("externalId", "direct", "objectId", matching=1),
        MappingRow("displayName", "direct", "displayName"),
        MappingRow("name.givenName", "direct", "givenName"),
        MappingRow("name.familyName", "direct", "surname"),
        MappingRow("active", "expression", 'Switch([IsSoftDeleted], , "False", "True", "True", "False")'),
        *(MappingRow(name, "direct", source) for name, source in plain.items()),
        MappingRow(target, "expression", UNIQUE, apply="create"),
    ]
    replace_mappings(tenant=tenant, actor=ACTOR, object_type="user", rules=rows)


def make_by_hand(lab: Lab, **facts: Any) -> dict[str, Any]:
    name = {"givenName": "By", "familyName": "Hand"}
    made: dict[str, Any] = lab.call(
        "POST", "aws/users", {"userName": "by.hand", "displayName": "By Hand", "name": name, **facts}
    )
    return made


def email(value: str) -> list[dict[str, Any]]:
    return [{"value": value, "type": "work", "primary": True}]


def user_name_of(lab: Lab, person: dict[str, Any]) -> str:
    return str(aws_user(lab, person["id"])["userName"])


@pytest.mark.parametrize("others", [0, 25], ids=["asked by filter", "listed"])
def test_a_user_name_that_aws_holds_unlinked_is_passed_over(wired: Tenant, lab: Lab, others: int) -> None:
    choose(wired, "userName")
    make_by_hand(lab, userName=FIRST.upper())
    ada = hire(lab, "Ada Byron")
    assign(wired, ada, *people(lab, others))
    sync(wired)
    assert user_name_of(lab, ada) == SECOND


def test_an_email_address_that_aws_holds_unlinked_is_passed_over(wired: Tenant, lab: Lab) -> None:
    """AWS takes no e-mail address in a filter (Developer Guide, ListUsers)."""
    choose(wired, EMAIL)
    make_by_hand(lab, emails=email(FIRST.upper()))
    ada = hire(lab, "Ada Byron")
    assign(wired, ada)
    sync(wired)
    assert aws_user(lab, ada["id"])["emails"] == email(SECOND)


def test_the_object_that_a_person_is_linked_to_takes_nothing_from_them(wired: Tenant, lab: Lab) -> None:
    choose(wired, "userName")
    ada = hire(lab, "Ada Byron")
    held = make_by_hand(lab, userName=FIRST, externalId=ada["id"])
    assign(wired, ada)
    sync(wired)
    assert aws_user(lab, ada["id"])["id"] == held["id"]
    assert user_name_of(lab, ada) == FIRST


def test_a_value_is_free_again_when_its_holder_is_gone(wired: Tenant, lab: Lab) -> None:
    choose(wired, "userName")
    lab.call("DELETE", f"aws/users/{make_by_hand(lab, userName=FIRST)['id']}")
    ada = hire(lab, "Ada Byron")
    assign(wired, ada)
    sync(wired)
    assert user_name_of(lab, ada) == FIRST


def test_when_aws_holds_every_value_the_person_is_told_and_not_sent(wired: Tenant, lab: Lab) -> None:
    choose(wired, "userName")
    make_by_hand(lab, userName=FIRST)
    make_by_hand(lab, userName=SECOND)
    ada = hire(lab, "Ada Byron")
    assign(wired, ada)
    run = sync(wired)
    row = run.operations.get(object_id=ada["id"])
    assert row.problem == "expression-error"
    assert [one["method"] for one in lab.requests() if one["method"] == "POST"] == []


def test_a_preview_and_provision_on_demand_choose_the_same_value(wired: Tenant, lab: Lab) -> None:
    choose(wired, "userName")
    make_by_hand(lab, userName=FIRST)
    ada = hire(lab, "Ada Byron")
    assign(wired, ada)
    preview = sync(wired, Run.Kind.PREVIEW)
    assert preview.operations.get(object_id=ada["id"]).changes["userName"]["after"] == SECOND
    found = [Found("user", ada["id"], ada["displayName"], "", "")]
    demand = request_demand(tenant=wired, actor=ACTOR, objects=found, dry_run=False, enqueue=False)
    assert demand.run is not None
    execute_run(demand.run.pk)
    assert user_name_of(lab, ada) == SECOND
