"""Table C: what AWS, or the way to it, does to a write."""

from typing import Any

import pytest

from sync.models import Link, MembershipLink, Operation, Result, Run, Tenant
from sync.scim import breaker, writing
from tests.world.company import aws_group, aws_user, group_of, hire, names, writes
from tests.world.escrow import time_passes
from tests.world.examples import nightly
from tests.world.lab import Lab
from tests.world.programs import until
from tests.world.tenant import assign, attempt, sync

pytestmark = pytest.mark.django_db(transaction=True)


def fault(lab: Lab, kind: str, match: str = "POST .*/Users", times: int = 1, **facts: Any) -> None:
    lab.call("POST", "faults", {"part": "aws", "kind": kind, "match": match, "times": times, **facts})


def team(lab: Lab, name: str, size: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    people = [hire(lab, f"{name} {n}") for n in range(size)]
    return group_of(lab, name, people), people


def sent(lab: Lab, method: str) -> list[dict[str, Any]]:
    return [request for request in lab.requests() if request["method"] == method]


# Creates whose outcome is not known


def arrived_once(lab: Lab, person: dict[str, Any]) -> None:
    [user] = lab.aws()["users"]
    assert user["externalId"] == person["id"]
    assert Link.objects.get(object_id=person["id"]).scim_id == user["id"]


@pytest.mark.parametrize("kind", ["drop_after", "reset_after"])
@pytest.mark.fault("C1")
def test_a_create_that_was_applied_and_not_answered_is_found(wired: Tenant, lab: Lab, kind: str) -> None:
    person = hire(lab, "Los Tanswer")
    assign(wired, person)
    fault(lab, kind)
    assert sync(wired).counts["created"] == 1
    assert len(sent(lab, "POST")) == 1
    arrived_once(lab, person)


@pytest.mark.fault("C2")
def test_a_create_that_never_arrived_is_sent_once_more(wired: Tenant, lab: Lab) -> None:
    person = hire(lab, "Ne Verarrived")
    assign(wired, person)
    fault(lab, "drop_before")
    assert sync(wired).counts["created"] == 1
    assert len(sent(lab, "POST")) == 2
    arrived_once(lab, person)


@pytest.mark.parametrize(("applied_after", "second_look"), [(0.05, 0.5), (0.6, 0.01)])
@pytest.mark.fault("C3")
def test_a_create_that_is_applied_late_makes_one_person(
    wired: Tenant, lab: Lab, monkeypatch: pytest.MonkeyPatch, applied_after: float, second_look: float
) -> None:
    """Before the second look it is found; after it, whichever comes second meets a conflict."""
    monkeypatch.setattr(writing, "SECOND_LOOK_SECONDS", second_look)
    person = hire(lab, "La Teapplied")
    assign(wired, person)
    fault(lab, "apply_late", seconds=applied_after)
    assert sync(wired).counts["created"] == 1
    until(lambda: all(request["status"] in (201, 409) for request in sent(lab, "POST")))
    arrived_once(lab, person)


@pytest.mark.fault("C4")
def test_a_conflict_with_our_own_object_links_it(wired: Tenant, lab: Lab) -> None:
    """Made between the look for a match and the create, with our external id."""
    person = hire(lab, "Co Nflict")
    assign(wired, person)
    ours = {"userName": person["userPrincipalName"], "externalId": person["id"], "displayName": "Co Nflict"}
    lab.call("POST", "aws/switches", {"stale_requests": "2"})
    lab.call("POST", "aws/users", ours | {"name": {"givenName": "C", "familyName": "N"}})
    assert sync(wired).state == Run.State.COMPLETED
    arrived_once(lab, person)


@pytest.mark.fault("C4")
def test_a_conflict_with_a_foreign_object_is_left_alone(wired: Tenant, lab: Lab) -> None:
    person = hire(lab, "Fo Reign")
    assign(wired, person)
    theirs = {"userName": person["userPrincipalName"], "externalId": "theirs", "displayName": "Theirs"}
    lab.call("POST", "aws/switches", {"stale_requests": "2"})
    made = lab.call("POST", "aws/users", theirs | {"name": {"givenName": "T", "familyName": "T"}})
    run = sync(wired)
    assert run.operations.get().problem == "already-exists"
    assert lab.aws()["users"][0]["displayName"] == "Theirs"
    assert Link.objects.get(object_id=person["id"]).scim_id != made["id"]


@pytest.mark.fault("C5")
def test_a_conflict_with_something_that_no_filter_finds_waits_in_escrow(wired: Tenant, lab: Lab) -> None:
    person = hire(lab, "No Tfound")
    assign(wired, person)
    ours = {"userName": person["userPrincipalName"], "externalId": person["id"], "displayName": "No Tfound"}
    lab.call("POST", "aws/switches", {"stale_requests": "1000"})
    lab.call("POST", "aws/users", ours | {"name": {"givenName": "N", "familyName": "T"}})
    run = sync(wired)
    assert (run.operations.get().result, run.operations.get().problem) == (Result.FAILED, "already-exists")
    assert len(sent(lab, "POST")) == 1
    assert Link.objects.get(object_id=person["id"]).retry_at is not None
    assert sync(wired).planned == 0


@pytest.mark.fault("C6")
def test_two_objects_that_could_be_ours_are_both_left(wired: Tenant, lab: Lab) -> None:
    person = hire(lab, "Tw Omatches")
    assign(wired, person)
    fault(lab, "drop_after")
    fault(lab, "two_matches", "GET .*/Users", times=-1, match_query="filter")
    run = sync(wired)
    assert run.operations.get().problem in ("two-matches", "already-exists")
    assert Link.objects.get(object_id=person["id"]).scim_id == ""
    lab.call("DELETE", "faults")
    time_passes()
    sync(wired)
    arrived_once(lab, person)


# Groups


@pytest.mark.fault("C9")
def test_a_chunk_that_failed_is_sent_again_alone(wired: Tenant, lab: Lab) -> None:
    group, people = team(lab, "Chunks", 230)
    assign(wired, group)
    fault(lab, "status", "PATCH .*/Groups", status=400)
    assert sync(wired).state == Run.State.COMPLETED_WITH_ERRORS
    missing = 230 - len(aws_group(lab, "Chunks")["members"])
    assert missing in (30, 100)
    lab.forget_requests()
    time_passes()
    assert sync(wired).state == Run.State.COMPLETED
    assert [request["operations"] for request in sent(lab, "PATCH")] == [missing]
    assert len(aws_group(lab, "Chunks")["members"]) == len(people)
    assert MembershipLink.objects.filter(certain=True).count() == len(people)


@pytest.mark.fault("C13")
def test_a_member_who_is_gone_already_counts_as_removed(wired: Tenant, lab: Lab) -> None:
    group, people = team(lab, "Gone", 3)
    assign(wired, group, *people)
    sync(wired)
    lab.call("POST", f"entra/groups/{group['id']}/members", {"remove": [people[0]["id"]]})
    fault(lab, "status", "PATCH .*/Groups", status=404, times=-1)
    run = sync(wired)
    assert run.counts["removed"] == 1
    assert not MembershipLink.objects.filter(user__object_id=people[0]["id"]).exists()


@pytest.mark.fault("C12")
def test_a_person_deleted_in_aws_comes_back_and_nobody_else_is_touched(wired: Tenant, lab: Lab) -> None:
    group, people = team(lab, "Cascade", 4)
    assign(wired, group)
    sync(wired)
    gone = people[0]
    lab.call("DELETE", f"aws/users/{aws_user(lab, gone['id'])['id']}")
    lab.call("PATCH", f"entra/users/{gone['id']}", {"jobTitle": "Ghost"})
    lab.forget_requests()
    run = sync(wired)
    assert run.operations.get().problem == "not-found-link"
    # The write, and two reads before she is called gone: by id and by external id.
    assert [request["method"] for request in lab.requests()] == ["PATCH", "GET", "GET"]
    sync(wired)
    assert aws_user(lab, gone["id"])["title"] == "Ghost"
    assert len(aws_group(lab, "Cascade")["members"]) == 4


# Refusals


@pytest.mark.parametrize(("fault_id", "status"), [("C10", 401), ("C11", 403)])
@pytest.mark.fault("C10")
@pytest.mark.fault("C11")
def test_a_refused_token_stops_all_writes_and_blames_nobody(
    wired: Tenant, lab: Lab, fault_id: str, status: int
) -> None:
    group, people = team(lab, f"Token{fault_id}", 60)
    assign(wired, group)
    fault(lab, "status", status=status, skip=5, times=-1)
    run = attempt(wired)
    assert (run.state, run.problem) == (Run.State.FAILED, "token-refused")
    # Those in flight when the first refusal came, not sixty.
    assert len(sent(lab, "POST")) <= 5 + 10 + 10
    assert run.operations.filter(result=Result.FAILED).count() <= 1
    assert not run.operations.filter(result__in=(Result.PLANNED, Result.SENT)).exists()
    assert not Link.objects.filter(failures__gt=0).exists()
    lab.call("DELETE", "faults")
    Tenant.objects.update(quarantined_at=None)
    assert sync(wired).state == Run.State.COMPLETED
    assert len(aws_group(lab, group["displayName"])["members"]) == len(people)


@pytest.mark.fault("C14")
@pytest.mark.parametrize("status", [409, 412])
def test_an_object_that_changed_meanwhile_is_read_and_written_again(wired: Tenant, lab: Lab, status: int) -> None:
    person = hire(lab, "Mean While")
    assign(wired, person)
    sync(wired)
    lab.call("PATCH", f"entra/users/{person['id']}", {"jobTitle": "Chief"})
    fault(lab, "status", "PATCH .*/Users", status=status)
    assert sync(wired).state == Run.State.COMPLETED
    assert aws_user(lab, person["id"])["title"] == "Chief"
    fault(lab, "status", "PATCH .*/Users", status=status, times=-1)
    lab.call("PATCH", f"entra/users/{person['id']}", {"jobTitle": "Boss"})
    lab.forget_requests()
    assert sync(wired).state == Run.State.COMPLETED_WITH_ERRORS
    assert len(lab.requests()) == 3


@pytest.mark.fault("C15")
def test_one_refused_person_waits_alone(wired: Tenant, lab: Lab) -> None:
    group, people = team(lab, "Refused", 12)
    assign(wired, group)
    fault(lab, "status", status=400, times=-1, match_body=people[0]["id"])
    run = sync(wired)
    assert run.state == Run.State.COMPLETED_WITH_ERRORS
    assert run.operations.filter(result=Result.FAILED).count() == 1
    assert len(names(lab)) == len(aws_group(lab, "Refused")["members"]) == 11
    lab.call("DELETE", "faults")
    lab.forget_requests()
    assert sync(wired).planned == 0
    time_passes()
    sync(wired)
    assert len(aws_group(lab, "Refused")["members"]) == 12


@pytest.mark.fault("C30")
def test_with_the_quota_used_up_updates_and_disables_go_on(wired: Tenant, lab: Lab) -> None:
    group, people = team(lab, "Quota", 8)
    assign(wired, group)
    sync(wired)
    lab.call("POST", "aws/switches", {"user_quota": "10"})
    # More than are intended at once: the first refusals keep the rest at home.
    more, newcomers = team(lab, "Newcomers", 120)
    assign(wired, more)
    lab.call("PATCH", f"entra/users/{people[0]['id']}", {"jobTitle": "Chief"})
    lab.call("POST", f"entra/users/{people[1]['id']}/leave")
    lab.forget_requests()
    run = sync(wired)
    assert run.counts["created"] - 1 == 2
    assert (run.counts["updated"], run.counts["disabled"]) == (1, 1)
    assert len(sent(lab, "POST")) < len(newcomers)
    assert aws_user(lab, people[0]["id"])["title"] == "Chief"
    lab.call("DELETE", "aws/switches")
    time_passes()
    assert sync(wired).state == Run.State.COMPLETED
    assert len(aws_group(lab, "Newcomers")["members"]) == len(newcomers)


# An endpoint in trouble


@pytest.mark.fault("C16")
@pytest.mark.parametrize("retry_after", ["0.05", None])
def test_throttling_is_waited_for(wired: Tenant, lab: Lab, retry_after: str | None) -> None:
    group, people = team(lab, f"Slow{retry_after}", 15)
    assign(wired, group)
    fault(lab, "status", "POST", status=429, retry_after=retry_after, times=15 if retry_after else 4)
    run = sync(wired)
    assert run.state == Run.State.COMPLETED
    assert len(names(lab)) == len(people)
    assert max(run.operations.values_list("attempts", flat=True)) <= 6


@pytest.mark.fault("C17")
def test_an_endpoint_that_is_down_stops_the_run_and_everything_arrives_later(
    wired: Tenant, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "GIVES_UP_AFTER", 0.4)
    monkeypatch.setattr(breaker, "LONGEST_PAUSE", 0.1)
    group, people = team(lab, "Down", 30)
    assign(wired, group)
    fault(lab, "status", ".*", status=503, skip=8, times=-1)
    run = attempt(wired)
    assert (run.state, run.problem) == (Run.State.FAILED, "aws-down")
    assert len(lab.requests()) < 2 * len(people)
    lab.call("DELETE", "faults")
    assert attempt(wired).state == Run.State.COMPLETED
    assert len(names(lab)) == len(aws_group(lab, "Down")["members"]) == len(people)


@pytest.mark.fault("C18")
def test_people_whose_requests_fail_wait_and_the_others_arrive(wired: Tenant, lab: Lab) -> None:
    group, people = team(lab, "Share", 25)
    assign(wired, group)
    fault(lab, "fail_share", share=0.4, times=-1)
    run = attempt(wired)
    waiting = run.counts.get("will_retry", 0)
    assert 0 < waiting < len(people)
    assert len(names(lab)) == len(people) - waiting
    lab.call("DELETE", "faults")
    time_passes()
    assert attempt(wired).state == Run.State.COMPLETED
    assert len(aws_group(lab, "Share")["members"]) == len(people)


@pytest.mark.fault("C31")
def test_a_slow_endpoint_outlives_the_lease_many_times(wired: Tenant, lab: Lab, settings: Any) -> None:
    settings.LEASE_SECONDS = 1
    person = hire(lab, "Ve Ryslow")
    assign(wired, person)
    fault(lab, "delay", seconds=3)
    epoch = Tenant.objects.get(pk=wired.pk).lease_epoch
    assert sync(wired).state == Run.State.COMPLETED
    assert Tenant.objects.get(pk=wired.pk).lease_epoch == epoch + 1
    arrived_once(lab, person)


# Answers that cannot be believed


@pytest.mark.parametrize("what", ["user", "externalId"])
@pytest.mark.fault("C19")
def test_an_answer_about_somebody_else_links_nobody_to_it(wired: Tenant, lab: Lab, what: str) -> None:
    person = hire(lab, "Wro Ngbody")
    assign(wired, person)
    fault(lab, "wrong_body", what=what)
    sync(wired)
    arrived_once(lab, person)


@pytest.mark.parametrize("kind", ["truncate_body", *nightly("html_after", "empty_body")])
@pytest.mark.fault("C20")
def test_a_success_that_cannot_be_read_is_looked_up(wired: Tenant, lab: Lab, kind: str) -> None:
    person = hire(lab, "Unread Able")
    assign(wired, person)
    fault(lab, kind)
    assert sync(wired).state == Run.State.COMPLETED
    arrived_once(lab, person)
    lab.call("PATCH", f"entra/users/{person['id']}", {"jobTitle": "Chief"})
    fault(lab, kind, "PATCH .*/Users")
    assert sync(wired).state == Run.State.COMPLETED
    assert aws_user(lab, person["id"])["title"] == "Chief"
    lab.forget_requests()
    assert sync(wired, Run.Kind.FULL).planned == 0


@pytest.mark.fault("C21")
def test_a_redirect_is_not_followed(wired: Tenant, lab: Lab) -> None:
    assign(wired, hire(lab, "Re Direct"))
    fault(lab, "redirect", ".*", status=307, times=-1, location=lab.facts["elsewhere"])
    run = attempt(wired)
    assert run.state in (Run.State.FAILED, Run.State.COMPLETED_WITH_ERRORS)
    assert lab.aws()["users"] == []
    assert lab.call("GET", "elsewhere") == []


# Values that come back changed


@pytest.mark.fault("C26")
def test_a_change_of_letter_case_is_one_patch_and_then_rest(wired: Tenant, lab: Lab) -> None:
    person = hire(lab, "Anna Case")
    assign(wired, person)
    sync(wired)
    name = person["userPrincipalName"]
    lab.forget_requests()
    lab.call("PATCH", f"entra/users/{person['id']}", {"userPrincipalName": name.upper(), "displayName": "ANNA CASE"})
    assert sync(wired).state == Run.State.COMPLETED
    assert len(lab.requests()) == 1
    for kind in (Run.Kind.CHANGES, Run.Kind.FULL):
        assert sync(wired, kind).planned == 0
    assert len(writes(lab)) == 1


@pytest.mark.fault("C27")
def test_a_server_that_normalises_is_not_written_to_forever(wired: Tenant, lab: Lab) -> None:
    lab.call("POST", "aws/switches", {"normalise": "on"})
    person = hire(lab, "Nor Malised")
    upper = person["userPrincipalName"].title()
    lab.call("PATCH", f"entra/users/{person['id']}", {"userPrincipalName": upper, "mail": upper})
    assign(wired, person)
    assert sync(wired).state == Run.State.COMPLETED
    assert aws_user(lab, person["id"])["userName"] == upper.lower()
    lab.forget_requests()
    assert sync(wired, Run.Kind.FULL).planned == 0
    assert writes(lab) == []


@pytest.mark.fault("C28")
def test_a_new_address_is_an_update_of_the_same_user(wired: Tenant, lab: Lab) -> None:
    person = hire(lab, "Mar Ried")
    assign(wired, person)
    sync(wired)
    before = aws_user(lab, person["id"])
    domain = person["userPrincipalName"].partition("@")[2]
    lab.forget_requests()
    changed = {"userPrincipalName": f"mar.new@{domain}", "mail": f"mar.new@{domain}"}
    lab.call("PATCH", f"entra/users/{person['id']}", changed)
    assert sync(wired).state == Run.State.COMPLETED
    assert [request["method"] for request in lab.requests()] == ["PATCH"]
    after = aws_user(lab, person["id"])
    assert (after["id"], after["userName"]) == (before["id"], f"mar.new@{domain}")
    assert Operation.objects.filter(action="create").count() == 1
