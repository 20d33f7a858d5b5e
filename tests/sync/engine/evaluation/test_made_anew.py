"""Somebody or some group made anew in Entra under an old name, and values that AWS holds for somebody else: who is in the
way is named, and linking is offered where that is told."""

import json
from contextlib import suppress
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from sync.approvals import services
from sync.models import Link, Operation, Origin, Run, Tenant
from sync.problems.catalogue import PROBLEMS
from tests.world.company import active, aws_group, aws_user, change, group_of, hire, leave, people, writes
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, sync

pytestmark = pytest.mark.django_db(transaction=True)


def command(name: str, *arguments: str) -> Any:
    """What it prints as JSON, whatever its exit code."""
    out = StringIO()
    with suppress(SystemExit):
        call_command(name, "acme", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def said(name: str, *arguments: str) -> str:
    out = StringIO()
    with suppress(SystemExit):
        call_command(name, "acme", *arguments, stdout=out)
    return out.getvalue()


# Groups


@pytest.fixture
def anew(wired: Tenant, lab: Lab) -> dict[str, Any]:
    """A group that Lockstep made, destroyed and made again with its members; a list that names all of AWS-…"""
    some = people(lab, 3)
    group = group_of(lab, "AWS-Devs", some)
    assign(wired, group)
    sync(wired)
    before = aws_group(lab, "AWS-Devs")["id"]
    Tenant.objects.filter(pk=wired.pk).update(never_touch=["AWS*"])
    again = lab.call("POST", f"entra/groups/{group['id']}/remake")
    assign(wired, again)
    lab.forget_requests()
    return {"tenant": wired, "aws": before, "again": again, "people": some}


def test_a_group_made_anew_is_told_by_the_name_and_id_of_the_one_in_aws(anew: dict[str, Any], lab: Lab) -> None:
    run = sync(anew["tenant"])
    refused = run.operations.get(problem="group-made-anew")
    assert (refused.object_id, refused.attribute) == (anew["again"]["id"], "displayName")
    assert refused.error == f"AWS-Devs ({anew['aws']})"
    words = PROBLEMS["group-made-anew"]
    text = f"{words.title} {words.meaning} {words.remedy}"
    assert "Permission sets" in text
    assert "Approvals" in text
    assert "adopt" in text
    assert "person" not in text
    assert "freed" not in text
    assert [group["id"] for group in lab.aws()["groups"]] == [anew["aws"]]


def test_linking_keeps_the_id_whatever_the_list_says(anew: dict[str, Any], lab: Lab) -> None:
    sync(anew["tenant"])
    [proposal] = command("adopt", "--list")["proposals"]
    assert (proposal["aws_id"], proposal["code"]) == (anew["aws"], "group-made-anew")
    report = command("adopt", "AWS-Devs")
    assert report["run"]["problems"] == []
    held = aws_group(lab, "AWS-Devs")
    assert (held["id"], held["externalId"], len(held["members"])) == (anew["aws"], anew["again"]["id"], 3)
    assert Link.objects.get(object_id=anew["again"]["id"]).origin == Origin.CREATED
    assert command("adopt", "--list")["proposals"] == []
    lab.forget_requests()
    sync(anew["tenant"], Run.Kind.FULL)
    assert writes(lab) == []


def test_the_question_stays_until_somebody_answers(anew: dict[str, Any], lab: Lab) -> None:
    tenant = anew["tenant"]
    sync(tenant)
    for kind in (Run.Kind.CHANGES, Run.Kind.FULL):
        sync(tenant, kind)
        assert services.decisions(tenant).count == 1
    [proposal] = services.adoptable(tenant)
    services.adopt_object(link=proposal, actor=ACTOR)
    assert services.decisions(tenant).count == 0


def test_a_group_whose_link_was_lost_is_linked_by_hand_whatever_the_list_says(wired: Tenant, lab: Lab) -> None:
    """Nothing says any more that we made it; a person does."""
    held = lab.call("POST", "aws/groups", {"displayName": "AWS-Ops"})
    Tenant.objects.filter(pk=wired.pk).update(never_touch=["AWS*"])
    assign(wired, group_of(lab, "AWS-Ops", people(lab, 2)))
    assert sync(wired).operations.get(object_type="group").problem == "left-alone"
    report = command("adopt", "AWS-Ops")
    assert report["run"]["problems"] == []
    assert (aws_group(lab, "AWS-Ops")["id"], len(aws_group(lab, "AWS-Ops")["members"])) == (held["id"], 2)


# People


def test_a_person_made_anew_can_go_on_as_the_old_user_in_aws(wired: Tenant, lab: Lab) -> None:
    old, other = people(lab, 2)
    group = group_of(lab, "Anew people", [old, other])
    assign(wired, group)
    sync(wired)
    before = aws_user(lab, old["id"])["id"]
    new = lab.call("POST", f"entra/users/{old['id']}/remake")
    run = sync(wired)
    assert old["id"] not in active(lab)
    refused = run.operations.get(problem="taken-by-leaver")
    assert (refused.object_id, refused.error) == (new["id"], f"{old['userPrincipalName']} ({before})")
    [proposal] = command("adopt", "--list")["proposals"]
    assert (proposal["entra_id"], proposal["aws_id"], proposal["code"]) == (new["id"], before, "taken-by-leaver")
    report = command("adopt", old["userPrincipalName"])
    assert report["run"]["problems"] == []
    held = aws_user(lab, new["id"])
    assert (held["id"], held["active"]) == (before, True)
    assert before in aws_group(lab, "Anew people")["members"]
    lab.forget_requests()
    sync(wired, Run.Kind.FULL)
    assert writes(lab) == []


def test_a_leaver_who_came_back_meanwhile_keeps_the_user_in_aws(wired: Tenant, lab: Lab) -> None:
    old = people(lab, 1)[0]
    assign(wired, old)
    sync(wired)
    before = aws_user(lab, old["id"])["id"]
    leave(lab, old)
    new = hire(lab, "New Comer", userPrincipalName=old["userPrincipalName"])
    assign(wired, new)
    sync(wired)
    [proposal] = services.adoptable(wired)
    lab.call("POST", f"entra/users/{old['id']}/restore")
    change(lab, new, userPrincipalName="other@contoso.example", mail="other@contoso.example")
    services.adopt_object(link=proposal, actor=ACTOR)
    sync(wired)
    sync(wired)
    held = {user["id"]: user["externalId"] for user in lab.aws()["users"]}
    assert held[before] in (old["id"], new["id"])
    assert len(set(held.values())) == len(held)


# Values that AWS holds for somebody else


def robert(lab: Lab, person: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Made by hand in AWS, with the person's address."""
    facts = {
        "userName": "robert",
        "displayName": "Robert",
        "name": {"givenName": "R", "familyName": "R"},
        "emails": [{"value": person["mail"], "type": "work", "primary": True}],
    }
    made: dict[str, Any] = lab.call("POST", "aws/users", facts | more)
    return made


@pytest.mark.parametrize("others", [0, 30])
def test_a_conflict_names_the_field_and_its_holder_and_offers_to_link(wired: Tenant, lab: Lab, others: int) -> None:
    bob = hire(lab, "Bob Ray")
    held = robert(lab, bob)
    assign(wired, bob, *people(lab, others))
    assert f"Held in AWS by: robert ({held['id']})" in said("sync", "--confirm")
    refused = Operation.objects.exclude(problem="").get()
    assert (refused.problem, refused.attribute, refused.error) == ("already-exists", "emails", f"robert ({held['id']})")
    [proposal] = command("adopt", "--list")["proposals"]
    assert (proposal["entra_id"], proposal["aws_id"], proposal["matched_by"]) == (bob["id"], held["id"], "emails")
    [row] = [one for one in command("verify")["differences"] if one["proposed"]]
    assert (row["aws_id"], row["proposed"]) == (
        held["id"],
        {"entra_id": bob["id"], "by": "emails", "adoptable": True},
    )
    report = command("adopt", bob["userPrincipalName"])
    assert report["run"]["problems"] == []
    after = aws_user(lab, bob["id"])
    assert (after["id"], after["userName"]) == (held["id"], bob["userPrincipalName"])


def test_what_only_a_comparison_found_can_be_adopted_too(wired: Tenant, lab: Lab) -> None:
    bob = hire(lab, "Bob Ray", surname=None)
    held = robert(lab, bob)
    assign(wired, bob)
    sync(wired)
    assert command("adopt", "--list")["proposals"] == []
    said("verify")
    assert f"adopt TENANT {held['id']}" in said("verify")
    [proposal] = command("adopt", "--list")["proposals"]
    assert (proposal["entra_id"], proposal["aws_id"], proposal["matched_by"]) == (bob["id"], held["id"], "emails")
    change(lab, bob, surname="Ray")
    command("adopt", held["id"])
    assert aws_user(lab, bob["id"])["id"] == held["id"]


def test_a_changed_address_that_somebody_holds_is_told_the_same_way(wired: Tenant, lab: Lab) -> None:
    bob = hire(lab, "Bob Ray")
    assign(wired, bob)
    sync(wired)
    held = robert(lab, {"mail": "new@contoso.example"})
    change(lab, bob, mail="new@contoso.example")
    run = sync(wired)
    refused = run.operations.get()
    assert (refused.problem, refused.attribute, refused.error) == ("already-exists", "emails", f"robert ({held['id']})")
    # AWS holds her already: there is nothing to link.
    assert services.adoptable(wired) == []


def test_a_holder_with_another_external_id_is_named_and_not_proposed(wired: Tenant, lab: Lab) -> None:
    bob = hire(lab, "Bob Ray")
    held = robert(lab, bob, externalId="somebody-else")
    assign(wired, bob)
    run = sync(wired)
    assert run.operations.get().error == f"robert ({held['id']})"
    assert services.adoptable(wired) == []


def test_a_name_that_the_filter_found_too_late_is_named_as_the_field(wired: Tenant, lab: Lab) -> None:
    """AWS's look-ups lag: the match found nobody, the conflict does."""
    person = hire(lab, "La Te")
    facts = {"userName": person["userPrincipalName"], "displayName": "x", "name": {"givenName": "x", "familyName": "x"}}
    lab.call("POST", "aws/switches", {"stale_requests": "2"})
    held = lab.call("POST", "aws/users", facts)
    assign(wired, person)
    refused = sync(wired).operations.get()
    assert (refused.problem, refused.attribute) == ("already-exists", "userName")
    assert refused.error == f"{person['userPrincipalName']} ({held['id']})"
    [proposal] = services.adoptable(wired)
    assert proposal.match_scim_id == held["id"]


def test_when_nobody_can_be_found_no_field_is_blamed(wired: Tenant, lab: Lab) -> None:
    person = hire(lab, "No Body", mail=None)
    fault = {"part": "aws", "kind": "status", "status": 409, "match": "POST .*/Users", "times": 1}
    lab.call("POST", "faults", fault)
    assign(wired, person)
    refused = Operation.objects.get(run=sync(wired))
    assert (refused.problem, refused.attribute) == ("already-exists", "")


# Names changed by hand


@pytest.mark.parametrize("repair", [(), ("--repair",)])
def test_a_leaver_renamed_by_hand_in_aws_is_in_nobodys_way_after_a_comparison(
    wired: Tenant, lab: Lab, repair: tuple[str, ...]
) -> None:
    old = people(lab, 1)[0]
    assign(wired, old)
    sync(wired)
    held = aws_user(lab, old["id"])["id"]
    leave(lab, old)
    new = hire(lab, "New Comer", userPrincipalName=old["userPrincipalName"])
    assign(wired, new)
    assert sync(wired).operations.get(object_id=new["id"]).problem == "taken-by-leaver"
    address = {"value": "old@contoso.example", "type": "work", "primary": True}
    lab.call("PATCH", f"aws/users/{held}", {"userName": "old", "emails": [address]})
    # No rule names a leaver: that is no difference, and nobody puts it back.
    assert "Nothing differs" in said("verify", *repair)
    sync(wired)
    assert aws_user(lab, new["id"])["userName"] == new["userPrincipalName"]
    assert (aws_user(lab, old["id"])["id"], aws_user(lab, old["id"])["userName"]) == (held, "old")
    assert services.adoptable(wired) == []
    # Somebody who comes back gets a name by the rules again.
    change(lab, new, userPrincipalName="new@contoso.example", mail="new@contoso.example")
    lab.call("POST", f"entra/users/{old['id']}/restore")
    sync(wired)
    sync(wired)
    assert aws_user(lab, old["id"])["userName"] == old["userPrincipalName"]


def test_a_group_renamed_by_hand_in_aws_is_in_nobodys_way_after_a_comparison(anew: dict[str, Any], lab: Lab) -> None:
    sync(anew["tenant"])
    lab.call("PATCH", f"aws/groups/{anew['aws']}", {"displayName": "Devs of old"})
    said("verify")
    sync(anew["tenant"])
    assert aws_group(lab, "AWS-Devs")["externalId"] == anew["again"]["id"]
    assert aws_group(lab, "Devs of old")["id"] == anew["aws"]
