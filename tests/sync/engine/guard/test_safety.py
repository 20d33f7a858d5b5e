"""What a run must never do: lose people over a bad read, take over what is not ours, make anybody twice."""

import pytest

from sync.configuration import assignments
from sync.models import Incident, Link, Operation, Result, Run, Tenant
from sync.notifications.deliveries import deliver
from sync.queue import DELIVER
from sync.runs import lease
from sync.runs.requests import request_run
from sync.worker import execution
from tests.world.company import aws_user, hire, names
from tests.world.examples import nightly
from tests.world.lab import Lab
from tests.world.notified import mail_to
from tests.world.tenant import assign, attempt, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(60)]


@pytest.mark.parametrize("flavour", ["400", *nightly("410", "404")])
def test_a_dead_delta_token_leads_to_a_full_round_and_harms_nobody(wired: Tenant, lab: Lab, flavour: str) -> None:
    assign(wired, lab.entra_group("AWS-Admins"))
    sync(wired)
    before = names(lab)
    lab.call("POST", "entra/delta", {"expire_tokens": flavour})
    lab.forget_requests()
    run = sync(wired)
    assert run.state == Run.State.COMPLETED
    assert wired.snapshots.order_by("-pk")[0].full
    assert names(lab) == before
    assert lab.requests() == []


def test_a_graph_that_fails_changes_nothing(wired: Tenant, lab: Lab) -> None:
    assign(wired, lab.entra_group("AWS-Admins"))
    sync(wired)
    lab.call("POST", "faults", {"part": "graph", "kind": "status", "status": 403, "match": "groups/delta", "times": -1})
    lab.forget_requests()
    run = attempt(wired)
    assert (run.state, run.problem) == (Run.State.FAILED, "graph-denied")
    assert lab.requests() == []


def test_an_ended_token_fails_the_run_with_its_reason_and_stops_writing(wired: Tenant, lab: Lab) -> None:
    assign(wired, lab.entra_group("AWS-Admins"))
    lab.call("POST", "faults", {"part": "aws", "kind": "status", "status": 401, "times": -1})
    run = attempt(wired)
    assert (run.state, run.problem) == (Run.State.FAILED, "token-refused")
    assert len(lab.requests()) <= 2
    assert not run.operations.filter(result=Result.PLANNED).exists()


def test_a_create_whose_answer_got_lost_makes_nobody_twice(wired: Tenant, lab: Lab) -> None:
    person = hire(lab, "Los Tanswer")
    assign(wired, person)
    lab.call("POST", "faults", {"part": "aws", "kind": "drop_after", "match": "POST .*/Users", "times": 1})
    run = sync(wired)
    assert run.counts["created"] == 1
    assert [user["userName"] for user in lab.aws()["users"]] == [person["userPrincipalName"]]
    assert Link.objects.get(object_id=person["id"]).scim_id == lab.aws()["users"][0]["id"]


def test_throttling_is_waited_for_and_everything_arrives(wired: Tenant, lab: Lab) -> None:
    assign(wired, lab.entra_group("AWS-Admins"))
    fault = {"part": "aws", "kind": "status", "status": 429, "retry_after": "0.05", "times": 3}
    lab.call("POST", "faults", fault)
    run = sync(wired)
    assert run.state == Run.State.COMPLETED
    assert run.scim_requests["throttled"] == 3


def test_a_person_who_exists_in_aws_is_linked_not_created(wired: Tenant, lab: Lab) -> None:
    person = hire(lab, "Han Dmade")
    by_hand = {
        "userName": person["userPrincipalName"],
        "displayName": "Old name",
        "name": {"givenName": "H", "familyName": "D"},
    }
    held = lab.call("POST", "aws/users", by_hand)
    assign(wired, person)
    Tenant.objects.filter(pk=wired.pk).update(adoption="match")
    run = sync(wired)
    assert run.counts["linked"] == 1
    assert aws_user(lab, person["id"])["id"] == held["id"]
    assert aws_user(lab, person["id"])["displayName"] == "Han Dmade"


def test_a_user_with_another_external_id_is_left_alone_and_named(wired: Tenant, lab: Lab) -> None:
    person = hire(lab, "For Eign")
    theirs = {"userName": person["userPrincipalName"], "displayName": "Theirs", "externalId": "somebody-else"}
    lab.call("POST", "aws/users", theirs | {"name": {"givenName": "T", "familyName": "T"}})
    assign(wired, person)
    run = sync(wired)
    assert run.state == Run.State.COMPLETED_WITH_ERRORS
    assert Operation.objects.get(run=run).problem == "already-exists"
    assert [user["displayName"] for user in lab.aws()["users"]] == ["Theirs"]


def test_a_user_wiped_by_hand_comes_back_after_the_next_change(wired: Tenant, lab: Lab) -> None:
    person = hire(lab, "Wi Ped")
    assign(wired, person)
    sync(wired)
    lab.call("DELETE", f"aws/users/{lab.aws()['users'][0]['id']}")
    lab.call("PATCH", f"entra/users/{person['id']}", {"jobTitle": "Ghost"})
    first = sync(wired)
    assert first.operations.get().problem == "not-found-link"
    sync(wired, Run.Kind.FULL)
    assert aws_user(lab, person["id"])["title"] == "Ghost"


def test_an_empty_answer_of_entra_stops_the_run(wired: Tenant, lab: Lab) -> None:
    assign(wired, lab.entra_group("AWS-Admins"))
    sync(wired)
    before = lab.aws()
    empty = '{"value": [], "@odata.deltaLink": "%s/v1.0/users/delta?$deltatoken=x"}' % lab.facts["graph"]
    fault = {"part": "graph", "kind": "status", "status": 200, "match": "users/delta", "body": empty, "times": -1}
    lab.call("POST", "faults", fault)
    run = attempt(wired, Run.Kind.FULL)
    assert (run.state, run.problem) == (Run.State.FAILED, "source-empty")
    assert lab.aws()["users"] == before["users"]


def test_one_mail_per_new_problem_and_none_while_it_repeats(
    wired: Tenant, lab: Lab, mailoutbox: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.queue.send", lambda task, key: deliver(key) if task == DELIVER else None)
    mail_to(wired)
    person = hire(lab, "Nolast", surname=None)
    assign(wired, person)
    for _ in range(2):
        assert sync(wired, Run.Kind.FULL).state == Run.State.COMPLETED_WITH_ERRORS
    assert len(mailoutbox) == 1
    lab.call("PATCH", f"entra/users/{person['id']}", {"surname": "Found"})
    assert sync(wired).state == Run.State.COMPLETED
    assert not Incident.objects.filter(solved_at=None).exists()


def test_a_preview_plans_and_writes_nothing(wired: Tenant, lab: Lab) -> None:
    group = lab.entra_group("AWS-Admins")
    assign(wired, group)
    preview = sync(wired, Run.Kind.PREVIEW)
    assert preview.planned > 0
    assert lab.aws()["users"] == []
    assert {request["method"] for request in lab.requests()} <= {"GET"}
    run = sync(wired)
    assert run.planned == preview.planned
    assert len(names(lab)) == run.counts["created"] - 1
    wired.refresh_from_db()
    assert wired.aws.last_used_at is not None


def test_a_person_unassigned_and_assigned_again_comes_back_to_the_same_user(wired: Tenant, lab: Lab) -> None:
    person = hire(lab, "Back Again")
    assign(wired, person)
    sync(wired)
    before = aws_user(lab, person["id"])["id"]
    configuration = wired.configurations.get()
    assignments.unassign_object(actor="x", tenant=wired, assignment=configuration.assignments.get())
    sync(wired)
    assert aws_user(lab, person["id"])["active"] is False
    assign(wired, person)
    sync(wired)
    assert (aws_user(lab, person["id"])["id"], aws_user(lab, person["id"])["active"]) == (before, True)


def test_a_manager_arrives_with_the_people_and_is_repaired_when_it_comes_later(wired: Tenant, lab: Lab) -> None:
    boss = hire(lab, "Bo Ss")
    report = lab.call("POST", "entra/hire", {"displayName": "Re Port", "manager": boss["id"]})
    assign(wired, report)
    sync(wired)
    extension = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    assert "manager" not in aws_user(lab, report["id"]).get(extension, {})
    assign(wired, boss)
    sync(wired)
    assert aws_user(lab, report["id"])[extension]["manager"]["value"] == aws_user(lab, boss["id"])["id"]
    lab.forget_requests()
    assert sync(wired).planned == 0


def test_a_cancelled_run_keeps_what_is_written_and_the_next_goes_on(
    wired: Tenant, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LOOK_SECONDS", 0.05)
    assign(wired, lab.entra_group("AWS-Developers"))
    hold = lab.call("POST", "faults", {"part": "aws", "kind": "delay", "match": "POST", "seconds": 0.2, "times": -1})
    run = request_run(tenant=wired, kind=Run.Kind.FULL, trigger=Run.Trigger.COMMAND, enqueue=False, confirmed=True)
    Run.objects.filter(pk=run.pk).update(state=Run.State.CANCELLING)
    finished = execution.execute_run(run.pk)
    assert finished is not None
    assert finished.state == Run.State.CANCELLED
    assert hold["id"]
    lab.call("DELETE", "faults")
    assert sync(wired).state == Run.State.COMPLETED
    assert len(names(lab)) == 24
