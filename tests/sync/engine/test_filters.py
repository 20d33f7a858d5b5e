"""Scoping filters and the switch for guests through whole runs, with the lab behind."""

from typing import Any

import pytest

from sync.configuration.filters import remove_filter, save_filter
from sync.configuration.ruleset import selected
from sync.configuration.settings import set_settings
from sync.engine.reading.tracked import parts
from sync.models import DirectoryUser, HeldChange, Hold, Run, Tenant
from sync.runs.requests import request_run
from sync.worker import execution
from tests.world.company import active, aws_group, aws_user, group_of, names, people
from tests.world.lab import Lab
from tests.world.on_demand import demand, facts, steps
from tests.world.tenant import ACTOR, assign, sync

pytestmark = pytest.mark.django_db(transaction=True)


def clause(attribute: str, operator: str, value: str = "") -> dict[str, Any]:
    return {"attribute": attribute, "operator": operator, "value": value, "ignore_case": False}


def filtered(tenant: Tenant, title: str, *clauses: dict[str, Any], object_type: str = "user") -> str:
    row = save_filter(actor=ACTOR, tenant=tenant, object_type=object_type, title=title, clauses=clauses)
    return row.uid


def change(lab: Lab, person: dict[str, Any], **facts: Any) -> None:
    lab.call("PATCH", f"entra/users/{person['id']}", facts)


def reason_of(person: dict[str, Any]) -> str:
    return DirectoryUser.objects.get(object_id=person["id"]).scope_reason


def test_only_who_passes_is_created(wired: Tenant, lab: Lab) -> None:
    engineer, seller, unknown = people(lab, 3)
    change(lab, engineer, department="Engineering")
    change(lab, seller, department="Sales")
    change(lab, unknown, department=None)
    assign(wired, engineer, seller, unknown)
    filtered(wired, "Engineers", clause("department", "EQUALS", "Engineering"))
    run = sync(wired)
    assert names(lab) == {engineer["userPrincipalName"]}
    assert run.phases["scope"]["facts"] == {"in": 1, "out": DirectoryUser.objects.filter(deleted="").count() - 1}
    assert reason_of(seller) == reason_of(unknown) == "outside-filter"


def test_whoever_no_longer_passes_is_disabled_and_enabled_again_when_they_do(wired: Tenant, lab: Lab) -> None:
    person, *_rest = some = people(lab, 6)
    for one in some:
        change(lab, one, department="Engineering")
    assign(wired, group_of(lab, "Guarded", some))
    filtered(wired, "Engineers", clause("department", "EQUALS", "Engineering"))
    sync(wired)
    before = aws_user(lab, person["id"])
    change(lab, person, department="Field Engineering")
    run = sync(wired)
    assert run.counts["disabled"] == 1
    assert not aws_user(lab, person["id"])["active"]
    change(lab, person, department="Engineering")
    run = sync(wired)
    assert run.counts["enabled"] == 1
    assert aws_user(lab, person["id"])["active"]
    assert aws_user(lab, person["id"])["id"] == before["id"]


def test_a_second_filter_lets_others_in(wired: Tenant, lab: Lab) -> None:
    engineer, contractor = people(lab, 2)
    change(lab, engineer, department="Engineering")
    change(lab, contractor, department="Sales", companyName="Contractors Ltd")
    assign(wired, engineer, contractor)
    filtered(wired, "Engineers", clause("department", "EQUALS", "Engineering"))
    sync(wired)
    # companyName was not read before: the next run reads everybody.
    filtered(wired, "Contractors", clause("companyName", "ENDS_WITH", "Ltd"))
    sync(wired)
    assert names(lab) == {engineer["userPrincipalName"], contractor["userPrincipalName"]}


def test_a_filter_that_is_wrong_for_half_the_company_is_held(wired: Tenant, lab: Lab) -> None:
    some = people(lab, 12)
    for number, one in enumerate(some):
        change(lab, one, department="Engineering" if number % 2 else "Sales")
    assign(wired, group_of(lab, "Guarded", some))
    sync(wired)
    filtered(wired, "Typo", clause("department", "EQUALS", "Engineering"))
    run = sync(wired)
    assert run.counts["held"] == 6
    assert len(active(lab)) == 12
    [hold] = Hold.objects.all()
    assert hold.kind == "people"
    assert set(hold.changes.values_list("cause", flat=True)) == {"outside-filter"}


def test_removing_the_filter_lets_the_held_ones_stay(wired: Tenant, lab: Lab) -> None:
    some = people(lab, 12)
    assign(wired, group_of(lab, "Guarded", some))
    sync(wired)
    uid = filtered(wired, "Nobody", clause("department", "EQUALS", "No such department"))
    sync(wired)
    assert HeldChange.objects.open().count() == 12
    remove_filter(actor=ACTOR, tenant=wired, uid=uid)
    sync(wired)
    assert not HeldChange.objects.open().exists()
    assert len(active(lab)) == 12


def test_guests_are_left_out_when_the_switch_says_so(wired: Tenant, lab: Lab) -> None:
    member, guest = people(lab, 2)
    change(lab, guest, userType="Guest")
    assign(wired, member, guest)
    set_settings(actor=ACTOR, tenant=wired, leave_out_guests=True)
    sync(wired)
    assert names(lab) == {member["userPrincipalName"]}
    assert reason_of(guest) == "guest-left-out"
    set_settings(actor=ACTOR, tenant=wired, leave_out_guests=False)
    sync(wired)
    assert len(names(lab)) == 2


def test_filters_count_for_all_people_too(wired: Tenant, lab: Lab) -> None:
    one, _other = people(lab, 2, "Ever")
    change(lab, one, department="The Only Department")
    set_settings(actor=ACTOR, tenant=wired, everybody=True)
    filtered(wired, "One", clause("department", "EQUALS", "The Only Department"))
    sync(wired)
    assert names(lab) == {one["userPrincipalName"]}


def test_a_group_outside_scope_is_emptied_and_kept_and_its_people_stay(wired: Tenant, lab: Lab) -> None:
    some = people(lab, 3)
    group = group_of(lab, "Scoped", some)
    lab.call("PATCH", f"entra/groups/{group['id']}", {"description": "aws"})
    assign(wired, group)
    filtered(wired, "For AWS", clause("description", "EQUALS", "aws"), object_type="group")
    sync(wired)
    assert len(aws_group(lab, "Scoped")["members"]) == 3
    lab.call("PATCH", f"entra/groups/{group['id']}", {"description": "other"})
    sync(wired)
    assert aws_group(lab, "Scoped")["members"] == []
    assert len(active(lab)) == 3
    lab.call("PATCH", f"entra/groups/{group['id']}", {"description": "aws"})
    sync(wired)
    assert len(aws_group(lab, "Scoped")["members"]) == 3


def test_a_group_that_never_passed_is_not_made(wired: Tenant, lab: Lab) -> None:
    some = people(lab, 2)
    assign(wired, group_of(lab, "Never", some))
    filtered(wired, "None", clause("displayName", "EQUALS", "Other"), object_type="group")
    sync(wired)
    assert len(active(lab)) == 2
    assert [one["displayName"] for one in lab.aws()["groups"]] == []


def test_on_demand_decides_by_the_same_filters_and_tells_what_each_clause_found(wired: Tenant, lab: Lab) -> None:
    [person] = people(lab, 1)
    change(lab, person, department="Sales")
    assign(wired, person)
    filtered(wired, "Engineers", clause("department", "EQUALS", "Engineering"), clause("accountEnabled", "IS TRUE"))
    row = demand(wired, person).objects_asked.get()
    assert steps(row)["scope"] == "failed"
    assert facts(row, "scope")["reason"] == "outside-filter"
    [found] = facts(row, "scope")["filters"]
    assert found["title"] == "Engineers"
    assert [(one["clause"], one["actual"], one["passed"]) for one in found["clauses"]] == [
        ("department is Engineering", "Sales", False),
        ("account is enabled", "True", True),
    ]
    change(lab, person, department="Engineering")
    row = demand(wired, person).objects_asked.get()
    assert row.result == "created"


def test_what_filters_name_is_read_for_the_draft_too_and_the_link_is_kept(wired: Tenant, lab: Lab) -> None:
    [person] = people(lab, 1)
    change(lab, person, companyName="Acme")
    assign(wired, person)
    sync(wired)
    uid = filtered(wired, "Acme", clause("companyName", "EQUALS", "Acme"))
    users, _groups = selected(wired.configurations.current())
    assert "companyName" in users
    run = run_without_publishing(wired)
    # Read in full once, for the draft; its own rules are not used yet.
    assert newest(wired).full
    assert run.counts.get("disabled", 0) == 0
    assert DirectoryUser.objects.get(object_id=person["id"]).properties["companyName"] == "Acme"
    run_without_publishing(wired)
    assert not newest(wired).full
    remove_filter(actor=ACTOR, tenant=wired, uid=uid)
    run_without_publishing(wired)
    # The link goes on telling more than is wanted now.
    assert not newest(wired).full
    wired.refresh_from_db()
    assert "companyName" in parts(wired.tracked_select)[0]


def newest(tenant: Tenant) -> Any:
    return tenant.snapshots.order_by("-pk")[0]


def run_without_publishing(tenant: Tenant) -> Run:
    run = request_run(tenant=tenant, kind=Run.Kind.CHANGES, trigger=Run.Trigger.COMMAND, enqueue=False, confirmed=True)
    finished = execution.execute_run(run.pk)
    assert finished is not None
    return finished
