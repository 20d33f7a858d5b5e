"""Whoever was refused is judged again in every run, without a request, and the incident stays open while one is."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from sync.configuration.mappings import replace_mappings
from sync.models import Incident, Link, Result, Run, Tenant
from sync.rules.rows import MappingRow
from sync.scim.resource import ENTERPRISE
from sync.tenants.services import save_safety
from tests.world.company import aws_user, change, group_of, hire, leave, names
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, sync

pytestmark = pytest.mark.django_db(transaction=True)


def open_incidents(tenant: Tenant) -> set[str]:
    return set(Incident.objects.filter(tenant=tenant, solved_at=None).values_list("code", flat=True))


def refusal(person: dict[str, Any]) -> tuple[str, str]:
    link = Link.objects.get(object_id=person["id"])
    return link.refused_code, link.refused_attribute


def test_somebody_without_a_last_name_stays_a_problem_until_there_is_one(wired: Tenant, lab: Lab) -> None:
    person = hire(lab, "Cat", surname=None)
    other = hire(lab, "An Other")
    assign(wired, person, other)
    first = sync(wired)
    since = Link.objects.get(object_id=person["id"]).refused_since
    assert refusal(person) == ("missing-family-name", "name.familyName")
    for _ in range(2):
        change(lab, other, jobTitle="Clerk")
        lab.forget_requests()
        run = sync(wired)
        assert "missing-family-name" in open_incidents(wired)
        # Said once: the log of a run that changes nothing about it stays empty.
        assert not run.operations.filter(object_id=person["id"]).exists()
    assert first.operations.filter(object_id=person["id"], problem="missing-family-name").count() == 1
    assert Link.objects.get(object_id=person["id"]).refused_since == since
    change(lab, person, surname="Doe")
    sync(wired)
    assert person["userPrincipalName"] in names(lab)
    assert (refusal(person), open_incidents(wired)) == (("", ""), set())


def test_a_run_that_only_judges_again_asks_aws_nothing(wired: Tenant, lab: Lab) -> None:
    assign(wired, hire(lab, "No Name", surname=None), hire(lab, "Fi Ne"))
    sync(wired)
    lab.forget_requests()
    sync(wired)
    assert lab.requests() == []


def test_a_full_run_names_everybody_again_and_forgets_no_beginning(wired: Tenant, lab: Lab) -> None:
    person = hire(lab, "Cat", surname=None)
    assign(wired, person)
    sync(wired)
    since = Link.objects.get(object_id=person["id"]).refused_since
    run = sync(wired, Run.Kind.FULL)
    assert run.operations.filter(object_id=person["id"], problem="missing-family-name").exists()
    assert Link.objects.get(object_id=person["id"]).refused_since == since


def test_an_address_is_taken_up_once_its_holder_gives_it_up(wired: Tenant, lab: Lab) -> None:
    """The other changes of whoever wants it come with it."""
    ann, cat = hire(lab, "Ann One", mail="shared@contoso.example"), hire(lab, "Cat Two")
    assign(wired, ann, cat)
    sync(wired)
    change(lab, cat, mail="shared@contoso.example", department="Sea")
    sync(wired)
    assert refusal(cat) == ("same-value", "emails")
    sync(wired)
    assert "same-value" in open_incidents(wired)
    change(lab, ann, mail="ann@contoso.example")
    sync(wired)
    sync(wired)
    held = aws_user(lab, cat["id"])
    assert held["emails"][0]["value"] == "shared@contoso.example"
    assert held[ENTERPRISE]["department"] == "Sea"
    assert open_incidents(wired) == set()


def test_a_newcomer_gets_an_address_once_its_holder_gives_it_up(wired: Tenant, lab: Lab) -> None:
    ann = hire(lab, "Ann One", mail="shared@contoso.example")
    assign(wired, ann)
    sync(wired)
    cat = hire(lab, "Cat Two", mail="shared@contoso.example")
    assign(wired, cat)
    sync(wired)
    assert refusal(cat) == ("same-value", "emails")
    change(lab, ann, mail="ann@contoso.example")
    sync(wired)
    sync(wired)
    assert aws_user(lab, cat["id"])["emails"][0]["value"] == "shared@contoso.example"
    assert open_incidents(wired) == set()


def test_the_second_group_of_a_name_is_made_once_the_first_is_renamed(wired: Tenant, lab: Lab) -> None:
    first, second = group_of(lab, "Twins", [hire(lab, "Fir St")]), group_of(lab, "Twins", [hire(lab, "Sec Ond")])
    assign(wired, first)
    sync(wired)
    assign(wired, second)
    sync(wired)
    assert refusal(second) == ("same-value", "displayName")
    lab.call("PATCH", f"entra/groups/{first['id']}", {"displayName": "Twins One"})
    sync(wired)
    sync(wired)
    assert {group["displayName"] for group in lab.aws()["groups"]} >= {"Twins", "Twins One"}


def test_a_leavers_name_is_freed_once_the_setting_says_so(wired: Tenant, lab: Lab) -> None:
    dan = hire(lab, "Dan Old", userPrincipalName="dan@contoso.example")
    assign(wired, dan)
    sync(wired)
    leave(lab, dan)
    lab.call("POST", f"entra/users/{dan['id']}/purge")
    sync(wired)
    new = hire(lab, "Dan New", userPrincipalName="dan@contoso.example")
    assign(wired, new)
    sync(wired)
    assert refusal(new)[0] == "taken-by-leaver"
    save_safety(tenant=wired, actor=ACTOR, free_names=True)
    sync(wired)
    assert aws_user(lab, new["id"])["userName"] == "dan@contoso.example"


def test_whoever_waited_for_an_unlinked_user_is_made_when_that_one_is_gone(wired: Tenant, lab: Lab) -> None:
    ann = hire(lab, "Ann Console")
    known = {
        "userName": ann["userPrincipalName"],
        "displayName": "Ann",
        "name": {"givenName": "Ann", "familyName": "C"},
    }
    stranger = lab.call("POST", "aws/users", known)
    assign(wired, ann)
    sync(wired)
    assert refusal(ann)[0] == "exists-unlinked"
    lab.forget_requests()
    sync(wired)
    # AWS is asked again at its time, not in every run.
    assert lab.requests() == []
    lab.call("DELETE", f"aws/users/{stranger['id']}")
    due = Link.objects.get(object_id=ann["id"]).retry_at
    assert due is not None
    assert datetime.timedelta(0) < due - timezone.now() <= datetime.timedelta(hours=1)
    Link.objects.filter(object_id=ann["id"]).update(retry_at=timezone.now())
    sync(wired)
    assert aws_user(lab, ann["id"])["userName"] == ann["userPrincipalName"]


def test_an_expression_that_fails_for_somebody_is_tried_again_after_nothing_but_a_mapping(
    wired: Tenant, lab: Lab
) -> None:
    person = hire(lab, "Da Te", jobTitle="no date")
    assign(wired, person)
    rows = [row.rule() for row in wired.configurations.current().mappings.filter(object_type="user")]
    wrong = MappingRow("title", "expression", "CDate([jobTitle])")
    replace_mappings(
        tenant=wired, actor=ACTOR, object_type="user", rules=[*(r for r in rows if r.target != "title"), wrong]
    )
    sync(wired)
    assert refusal(person) == ("expression-error", "title")
    sync(wired)
    assert "expression-error" in open_incidents(wired)
    replace_mappings(tenant=wired, actor=ACTOR, object_type="user", rules=rows)
    run = sync(wired)
    assert run.counts[Result.CREATED] == 1
    assert open_incidents(wired) == set()


def test_whoever_leaves_scope_is_no_problem_any_more(wired: Tenant, lab: Lab) -> None:
    person = hire(lab, "Cat", surname=None)
    group = group_of(lab, "Few", [person, hire(lab, "Stay Er")])
    assign(wired, group)
    sync(wired)
    lab.call("POST", f"entra/groups/{group['id']}/members", {"remove": [person["id"]]})
    sync(wired)
    assert (refusal(person), open_incidents(wired)) == (("", ""), set())
