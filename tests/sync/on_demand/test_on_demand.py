"""On demand: one person, some people or a group, with every step; alone and inside a run in progress."""

import json
import threading
import time
import uuid
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection

from sync.configuration import assignments, versions
from sync.drift.queries import Chosen
from sync.drift.services import leave_differences
from sync.models import (
    Demand,
    DemandObject,
    DirectoryMembership,
    DirectoryUser,
    Drift,
    HeldChange,
    Inclusion,
    LeftDifference,
    Link,
    Operation,
    Result,
    Run,
    Snapshot,
    Standing,
    Tenant,
)
from sync.on_demand import services
from sync.on_demand.serving import MOST_ATTEMPTS, in_flight
from sync.runs.requests import cancel_run, request_run
from sync.worker import execution
from sync.worker.scheduling import abandoned_runs
from tests.world.company import aws_group, aws_user, hire, names
from tests.world.lab import Lab
from tests.world.on_demand import demand, facts, found, steps
from tests.world.programs import until
from tests.world.tenant import ACTOR, assign, publish, sync

pytestmark = pytest.mark.django_db(transaction=True)


def somebody(lab: Lab, name: str = "", **facts: Any) -> dict[str, Any]:
    return hire(lab, name or f"Dee {uuid.uuid4().hex[:6]}", **facts)


def writes(lab: Lab) -> list[str]:
    return [f"{one['method']} {one['path'].rpartition('/v2/')[2]}" for one in lab.requests() if one["method"] != "GET"]


def standings_now() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (Standing, HeldChange, Drift, Inclusion)]


def mirror() -> list[Any]:
    return [
        list(model.objects.order_by("pk").values())
        for model in (DirectoryUser, DirectoryMembership, Snapshot, Link, Operation)
    ]


# One person


def test_a_dry_run_shows_the_plan_and_changes_nothing(wired: Tenant, lab: Lab) -> None:
    person = somebody(lab, jobTitle="Clerk")
    assign(wired, person)
    sync(wired)
    lab.call("PATCH", f"entra/users/{person['id']}", {"jobTitle": "Chief"})
    lab.forget_requests()
    before = mirror()
    row = demand(wired, person, write=False).objects_asked.get()
    assert writes(lab) == []
    assert mirror() == before
    assert row.result == Result.PLANNED
    assert list(steps(row)) == DemandObject.Step.values
    assert steps(row)["write"] == "skipped"
    [planned] = facts(row, "plan")["operations"]
    assert planned["changes"] == {"title": {"before": "Clerk", "after": "Chief", "mapping": "jobTitle"}}


def drafting(tenant: Tenant, *things: dict[str, Any]) -> None:
    """The draft assigns them; nobody has published it."""
    chosen = [found(one) for one in things]
    assignments.assign_objects(actor=ACTOR, tenant=tenant, chosen=chosen)
    assert tenant.configurations.draft() is not None


def test_by_the_draft_somebody_is_shown_whom_the_published_version_leaves_out(wired: Tenant, lab: Lab) -> None:
    known, person = somebody(lab), somebody(lab)
    assign(wired, known)
    sync(wired)
    drafting(wired, person)
    lab.forget_requests()
    before = mirror(), standings_now()
    asked = demand(wired, person, drafted=True)
    row = asked.objects_asked.get()
    assert (writes(lab), (mirror(), standings_now())) == ([], before)
    assert (row.result, steps(row)["write"]) == (Result.PLANNED, "skipped")
    assert [one["action"] for one in facts(row, "plan")["operations"]] == ["create"]
    assert (asked.dry_run, asked.drafted) == (True, True)
    published = demand(wired, person, write=False).objects_asked.get()
    assert facts(published, "scope")["reason"] == "not-assigned"


def test_by_the_draft_nobody_who_leaves_is_touched(wired: Tenant, lab: Lab) -> None:
    stays, person = somebody(lab), somebody(lab)
    assign(wired, stays, person)
    sync(wired)
    assignments.unassign_objects(actor=ACTOR, tenant=wired, keys=[("user", person["id"])])
    lab.forget_requests()
    before = mirror(), standings_now()
    row = demand(wired, person, drafted=True).objects_asked.get()
    assert [one["action"] for one in facts(row, "plan")["operations"]] == ["disable"]
    assert (writes(lab), (mirror(), standings_now())) == ([], before)
    assert aws_user(lab, person["id"])["active"]


def test_by_the_draft_nothing_is_ever_written(wired: Tenant, lab: Lab) -> None:
    person = somebody(lab)
    assign(wired, somebody(lab))
    sync(wired)
    drafting(wired, person)
    with pytest.raises(services.CannotDemand) as refused:
        services.request_demand(tenant=wired, actor=ACTOR, objects=[found(person)], dry_run=False, drafted=True)
    assert refused.value.code == "draft-writes"
    with pytest.raises(IntegrityError):
        Demand.objects.create(tenant=wired, dry_run=False, drafted=True)


def test_a_draft_that_was_discarded_meanwhile_shows_nothing_in_its_place(wired: Tenant, lab: Lab) -> None:
    person = somebody(lab)
    assign(wired, person)
    sync(wired)
    drafting(wired, somebody(lab))
    asked = services.request_demand(tenant=wired, actor=ACTOR, objects=[found(person)], drafted=True, enqueue=False)
    versions.discard_draft(tenant=wired, actor=ACTOR)
    assert asked.run is not None
    execution.execute_run(asked.run.pk)
    asked.refresh_from_db()
    assert (asked.state, asked.problem) == (Demand.State.FAILED, "cancelled")
    assert set(steps(asked.objects_asked.get()).values()) == {"skipped"}
    with pytest.raises(services.CannotDemand) as refused:
        services.request_demand(tenant=wired, actor=ACTOR, objects=[found(person)], drafted=True)
    assert refused.value.code == "no-draft"


def test_a_new_person_is_created_and_read_back(wired: Tenant, lab: Lab) -> None:
    group = lab.call("POST", "entra/groups", {"displayName": f"G {uuid.uuid4().hex[:6]}", "members": []})
    assign(wired, group)
    sync(wired)
    person = somebody(lab)
    lab.call("POST", f"entra/groups/{group['id']}/members", {"add": [person["id"]]})
    lab.forget_requests()
    asked = demand(wired, person)
    row = asked.objects_asked.get()
    assert row.result == Result.CREATED, row.steps
    assert set(steps(row).values()) == {"done"}
    assert facts(row, "scope") == {
        "reason": "through-group",
        "through": group["displayName"],
        "path": [group["displayName"]],
    }
    assert facts(row, "match")["how"] == "unmatched"
    assert all(one["request_id"] for one in facts(row, "write")["operations"])
    assert list(aws_group(lab, group["displayName"])["members"]) == [aws_user(lab, person["id"])["id"]]
    assert asked.run is not None
    assert (asked.run.kind, asked.run.state) == (Run.Kind.ON_DEMAND, Run.State.COMPLETED)
    lab.forget_requests()
    assert sync(wired).planned == 0
    assert writes(lab) == []


def test_a_changed_person_is_updated_with_one_request(wired: Tenant, lab: Lab) -> None:
    person = somebody(lab)
    assign(wired, person)
    sync(wired)
    lab.call("PATCH", f"entra/users/{person['id']}", {"jobTitle": "Chief"})
    lab.forget_requests()
    row = demand(wired, person).objects_asked.get()
    assert (row.result, len(writes(lab))) == (Result.UPDATED, 1)
    assert facts(row, "match")["how"] == "linked"
    assert aws_user(lab, person["id"])["title"] == "Chief"


def test_nothing_to_do_is_said_and_compared_with_aws(wired: Tenant, lab: Lab) -> None:
    person = somebody(lab)
    assign(wired, person)
    sync(wired)
    lab.forget_requests()
    row = demand(wired, person).objects_asked.get()
    assert (row.result, writes(lab)) == ("no_change", [])
    assert (steps(row)["write"], steps(row)["read_back"]) == ("skipped", "done")


def test_what_somebody_changed_in_aws_is_found_by_reading_back(wired: Tenant, lab: Lab) -> None:
    person = somebody(lab, jobTitle="Clerk")
    assign(wired, person)
    sync(wired)
    lab.call("PATCH", f"aws/users/{aws_user(lab, person['id'])['id']}", {"title": "Boss"})
    row = demand(wired, person).objects_asked.get()
    assert facts(row, "read_back")["differences"] == {"title": {"before": "Boss", "after": "Clerk"}}
    assert facts(row, "read_back")["problem"] == "differs"


def test_what_somebody_decided_to_leave_in_aws_is_no_failure(wired: Tenant, lab: Lab) -> None:
    boss = somebody(lab)
    person = somebody(lab, jobTitle="Clerk", manager=boss["id"])
    assign(wired, person, boss)
    sync(wired)
    mine = f"aws/users/{aws_user(lab, person['id'])['id']}"
    lab.call("PATCH", mine, {"title": "Boss"})
    sync(wired, Run.Kind.VERIFY)
    chosen = Chosen(objects=[person["id"]])
    assert leave_differences(tenant=wired, actor=ACTOR, chosen=chosen, reason="As payroll has it") == 1
    row = demand(wired, person).objects_asked.get()
    assert (row.result, steps(row)["read_back"]) == ("no_change", "done")
    lab.call("PATCH", mine, {"title": "Boss", "displayName": "By Hand"})
    row = demand(wired, person).objects_asked.get()
    assert list(facts(row, "read_back")["differences"]) == ["displayName"]
    assert LeftDifference.objects.count() == 1
    assert Standing.objects.get(object_id=person["id"]).word == "differs"
    lab.call("PATCH", mine, {"displayName": person["displayName"]})
    assert steps(demand(wired, person).objects_asked.get())["read_back"] == "done"
    assert Standing.objects.get(object_id=person["id"]).word == "in_aws", "what was mended there counts no more"


@pytest.mark.parametrize("leaving", ["leave", "purge", "block", "unassign"])
def test_a_leaver_is_disabled_and_explained(wired: Tenant, lab: Lab, leaving: str) -> None:
    person = somebody(lab)
    assign(wired, person)
    sync(wired)
    reason = "deleted"
    if leaving == "block":
        lab.call("PATCH", f"entra/users/{person['id']}", {"accountEnabled": False})
        reason = "account-disabled"
    elif leaving == "unassign":
        row = wired.configurations.current().assignments.get()
        assignments.unassign_object(actor=ACTOR, tenant=wired, assignment=row)
        publish(wired)
        reason = "not-assigned"
    else:
        lab.call("POST", f"entra/users/{person['id']}/leave")
        if leaving == "purge":
            lab.call("POST", f"entra/users/{person['id']}/purge")
    row = demand(wired, person).objects_asked.get()
    assert row.result == Result.DISABLED, row.steps
    assert facts(row, "scope")["reason"] == reason
    assert aws_user(lab, person["id"])["active"] is False


def test_somebody_out_of_scope_is_explained_not_provisioned(wired: Tenant, lab: Lab) -> None:
    person = somebody(lab)
    row = demand(wired, person).objects_asked.get()
    assert (row.result, facts(row, "scope")["reason"]) == (Result.SKIPPED, "not-assigned")
    assert lab.aws()["users"] == []


def test_an_id_that_nobody_has_fails_with_its_reason(wired: Tenant, lab: Lab) -> None:
    nobody = {"id": str(uuid.uuid4()), "displayName": "?", "userPrincipalName": "?"}
    row = demand(wired, nobody).objects_asked.get()
    assert (row.result, facts(row, "import")["problem"]) == (Result.FAILED, "unknown-to-entra")


def test_whom_aws_would_refuse_is_not_sent(wired: Tenant, lab: Lab) -> None:
    person = somebody(lab, surname=None)
    assign(wired, person)
    lab.forget_requests()
    row = demand(wired, person).objects_asked.get()
    assert (row.result, steps(row)["ready"], writes(lab)) == (Result.SKIPPED, "failed", [])
    assert facts(row, "ready")["problem"] == "missing-family-name"


def test_two_matches_are_named_and_left_alone(wired: Tenant, lab: Lab) -> None:
    person = somebody(lab)
    assign(wired, person)
    body = {"userName": person["userPrincipalName"], "displayName": "By Hand", "externalId": person["id"]}
    lab.call("POST", "aws/users", body | {"name": {"givenName": "By", "familyName": "Hand"}})
    lab.forget_requests()
    lab.call("POST", "faults", {"part": "aws", "kind": "two_matches", "match": "GET .*/Users", "times": -1})
    row = demand(wired, person).objects_asked.get()
    assert steps(row)["match"] == "failed", row.steps
    assert facts(row, "match")["problem"] == "two-matches"
    assert writes(lab) == []


def test_an_answer_of_aws_that_refuses_is_the_failed_step(wired: Tenant, lab: Lab) -> None:
    person = somebody(lab)
    assign(wired, person)
    lab.call("POST", "faults", {"part": "aws", "kind": "status", "status": 400, "match": "POST .*/Users", "body": "{}"})
    asked = demand(wired, person)
    row = asked.objects_asked.get()
    assert (row.result, steps(row)["write"], steps(row)["read_back"]) == (Result.FAILED, "failed", "skipped")
    assert asked.run is not None
    assert asked.run.state == Run.State.COMPLETED_WITH_ERRORS


# A group, many people


def test_a_group_gains_and_loses_members(wired: Tenant, lab: Lab) -> None:
    people = [somebody(lab) for _ in range(4)]
    ids = [person["id"] for person in people]
    group = lab.call("POST", "entra/groups", {"displayName": f"G {uuid.uuid4().hex[:6]}", "members": ids[:3]})
    assign(wired, group, people[3])
    sync(wired)
    lab.call("POST", f"entra/groups/{group['id']}/members", {"add": [ids[3]], "remove": [ids[0]]})
    row = demand(wired, group).objects_asked.get()
    assert row.result in (Result.ADDED, Result.REMOVED), row.steps
    assert steps(row)["read_back"] == "done"
    by_id = {user["id"]: user["externalId"] for user in lab.aws()["users"]}
    held = {by_id[member] for member in aws_group(lab, group["displayName"])["members"]}
    assert held == set(ids[1:])
    # Who left the group leaves AWS with the next run.
    sync(wired)
    assert aws_user(lab, ids[0])["active"] is False


def test_removals_over_the_limit_are_held(wired: Tenant, lab: Lab) -> None:
    people = [somebody(lab)["id"] for _ in range(14)]
    group = lab.call("POST", "entra/groups", {"displayName": f"G {uuid.uuid4().hex[:6]}", "members": people})
    assign(wired, group)
    sync(wired)
    lab.call("POST", f"entra/groups/{group['id']}/members", {"remove": people})
    lab.forget_requests()
    row = demand(wired, group).objects_asked.get()
    assert (row.result, writes(lab)) == (Result.HELD, [])
    assert HeldChange.objects.open().filter(object_id=group["id"]).count() == 14


def test_fifty_people_are_taken_and_one_more_is_not(wired: Tenant, lab: Lab) -> None:
    people = [somebody(lab) for _ in range(51)]
    assign(wired, *people)
    with pytest.raises(services.CannotDemand, match="too-many"):
        services.request_demand(tenant=wired, actor=ACTOR, objects=[found(one) for one in people])
    asked = services.request_demand(tenant=wired, actor=ACTOR, objects=[found(one) for one in people[:50]])
    assert asked.objects_asked.count() == 50


def test_names_are_resolved_exactly(wired: Tenant, lab: Lab) -> None:
    person = somebody(lab, "Only Once")
    upn, name = person["userPrincipalName"], person["displayName"]
    assert [one.object_id for one in services.resolve_names(wired, [upn, name, person["id"]])] == [person["id"]]
    somebody(lab, "Only Twice")
    somebody(lab, "Only Twice")
    with pytest.raises(services.NotFoundByName) as caught:
        services.resolve_names(wired, ["Only Twice", "nobody@contoso.example"])
    assert (caught.value.unknown, caught.value.ambiguous) == (["nobody@contoso.example"], ["Only Twice"])


def test_somebody_who_left_is_found_by_the_name_in_the_mirror(wired: Tenant, lab: Lab) -> None:
    person = somebody(lab)
    sync(wired)
    lab.call("POST", f"entra/users/{person['id']}/leave")
    [one] = services.resolve_names(wired, [person["userPrincipalName"]])
    assert one.object_id == person["id"]


# Beside a run


class Running:
    """A run in a thread of its own."""

    def __init__(self, tenant: Tenant, kind: str = Run.Kind.CHANGES) -> None:
        self.run = request_run(tenant=tenant, kind=kind, trigger=Run.Trigger.COMMAND, enqueue=False, confirmed=True)
        self.thread = threading.Thread(target=self._go)

    def _go(self) -> None:
        try:
            execution.execute_run(self.run.pk)
        finally:
            connection.close()

    def __enter__(self) -> Run:
        self.thread.start()
        return self.run

    def __exit__(self, *_: object) -> None:
        self.thread.join(60)
        assert not self.thread.is_alive()


def fired(lab: Lab, fault: dict[str, Any]) -> bool:
    return any(one["id"] == fault["id"] and one["fired"] for one in lab.call("GET", "faults"))


def test_a_run_in_progress_takes_it_up_between_two_requests(wired: Tenant, lab: Lab) -> None:
    known = somebody(lab)
    assign(wired, known)
    sync(wired)
    assign(wired, *[somebody(lab) for _ in range(30)])
    lab.call("PATCH", f"entra/users/{known['id']}", {"jobTitle": "Now"})
    fault = lab.call(
        "POST", "faults", {"part": "aws", "kind": "delay", "match": "POST .*/Users", "seconds": 2, "times": -1}
    )
    with Running(wired) as run:
        until(lambda: fired(lab, fault))
        asked = services.request_demand(tenant=wired, actor=ACTOR, objects=[found(known)], dry_run=False, enqueue=False)
        began = time.monotonic()
        until(lambda: Demand.objects.get(pk=asked.pk).state == Demand.State.DONE)
        assert time.monotonic() - began < 10
        run.refresh_from_db()
        assert run.open
        lab.call("DELETE", "faults")
    assert asked.objects_asked.get().result in (Result.UPDATED, "no_change")
    assert aws_user(lab, known["id"])["title"] == "Now"
    epochs = list(Operation.objects.exclude(epoch=0).order_by("sent_at", "pk").values_list("epoch", flat=True))
    assert epochs == sorted(epochs)
    assert set(Operation.objects.filter(run__in=[run.pk, asked.run_id]).values_list("epoch", flat=True)) - {0} == {
        max(epochs)
    }


def test_a_person_in_flight_is_waited_for_and_never_written_twice(wired: Tenant, lab: Lab) -> None:
    person = somebody(lab)
    assign(wired, person)
    fault = lab.call("POST", "faults", {"part": "aws", "kind": "hold_after", "match": "POST .*/Users"})
    with Running(wired):
        until(lambda: fired(lab, fault))
        asked = services.request_demand(
            tenant=wired, actor=ACTOR, objects=[found(person)], dry_run=False, enqueue=False
        )
        until(lambda: person["id"] in in_flight(wired))
        assert Demand.objects.get(pk=asked.pk).state == Demand.State.WAITING
        lab.call("POST", f"faults/{fault['id']}/release")
        until(lambda: Demand.objects.get(pk=asked.pk).state == Demand.State.DONE)
    assert asked.objects_asked.get().result == "no_change"
    assert len([one for one in writes(lab) if one.startswith("POST")]) == 1


def test_nothing_stale_is_written_after_it(wired: Tenant, lab: Lab) -> None:
    """The run planned one title; by the time it comes to that person Entra says another."""
    others = [somebody(lab) for _ in range(60)]
    known = somebody(lab, jobTitle="Old")
    assign(wired, *others, known)
    sync(wired)
    lab.forget_requests()
    for other in others:
        lab.call("PATCH", f"entra/users/{other['id']}", {"jobTitle": "Same"})
    lab.call("PATCH", f"entra/users/{known['id']}", {"jobTitle": "Stale"})
    fault = lab.call(
        "POST", "faults", {"part": "aws", "kind": "delay", "match": "PATCH .*/Users", "seconds": 1, "times": -1}
    )
    with Running(wired):
        until(lambda: fired(lab, fault))
        lab.call("PATCH", f"entra/users/{known['id']}", {"jobTitle": "Fresh"})
        asked = services.request_demand(tenant=wired, actor=ACTOR, objects=[found(known)], dry_run=False, enqueue=False)
        until(lambda: Demand.objects.get(pk=asked.pk).state == Demand.State.DONE)
        lab.call("DELETE", "faults")
    assert aws_user(lab, known["id"])["title"] == "Fresh"
    sent = [one["request"]["Operations"][0]["value"] for one in lab.requests() if one["method"] == "PATCH"]
    assert (sent.count("Stale"), sent.count("Fresh")) == (0, 1)


def test_several_wait_in_order(wired: Tenant, lab: Lab) -> None:
    people = [somebody(lab) for _ in range(3)]
    assign(wired, *people)
    asked = [
        services.request_demand(tenant=wired, actor=ACTOR, objects=[found(one)], dry_run=False, enqueue=False)
        for one in people
    ]
    assert asked[2].run is not None
    execution.execute_run(asked[2].run.pk)
    assert set(Demand.objects.values_list("state", flat=True)) == {Demand.State.DONE}
    created = Operation.objects.filter(action="create").order_by("sent_at").values_list("object_id", flat=True)
    assert list(created) == [person["id"] for person in people]


class Killed(BaseException):
    """As a process ends: nobody catches it."""


def test_killed_in_the_middle_it_is_taken_up_again(wired: Tenant, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [somebody(lab), somebody(lab)]
    assign(wired, *people)
    asked = services.request_demand(
        tenant=wired, actor=ACTOR, objects=[found(one) for one in people], dry_run=False, enqueue=False
    )
    assert asked.run is not None
    with monkeypatch.context() as patched:
        patched.setattr("sync.on_demand.writing.read_back", _killed)
        with pytest.raises(Killed):
            execution.execute_run(asked.run.pk)
    asked.refresh_from_db()
    assert asked.state == Demand.State.RUNNING
    assert list(abandoned_runs()) == [asked.run]
    execution.execute_run(asked.run.pk)
    asked.refresh_from_db()
    assert asked.state == Demand.State.DONE
    assert list(asked.objects_asked.values_list("result", flat=True)) == ["no_change", Result.CREATED]
    assert len(lab.aws()["users"]) == 2


def test_what_always_stops_its_worker_fails_with_its_reason(
    wired: Tenant, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = somebody(lab)
    asked = services.request_demand(tenant=wired, actor=ACTOR, objects=[found(person)], enqueue=False)
    assert asked.run is not None
    monkeypatch.setattr("sync.on_demand.reading._read_person", _killed)
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(Killed):
            execution.execute_run(asked.run.pk)
    execution.execute_run(asked.run.pk)
    asked.refresh_from_db()
    assert (asked.state, asked.problem) == (Demand.State.FAILED, "interrupted")


def _killed(*_: object) -> None:
    raise Killed


def test_the_next_run_takes_up_what_was_left(wired: Tenant, lab: Lab) -> None:
    person = somebody(lab)
    assign(wired, person)
    asked = services.request_demand(tenant=wired, actor=ACTOR, objects=[found(person)], enqueue=False)
    Demand.objects.update(state=Demand.State.RUNNING)
    Run.objects.filter(pk=asked.run_id).update(state=Run.State.RUNNING)
    sync(wired)
    asked.refresh_from_db()
    assert asked.state == Demand.State.DONE


def test_a_lost_message_is_sent_again(wired: Tenant, lab: Lab) -> None:
    asked = services.request_demand(tenant=wired, actor=ACTOR, objects=[found(somebody(lab))], enqueue=False)
    Run.objects.filter(pk=asked.run_id).update(enqueued_at=None)
    assert list(abandoned_runs()) == [asked.run]


def test_a_demand_stands_in_no_runs_way(wired: Tenant, lab: Lab) -> None:
    asked = services.request_demand(tenant=wired, actor=ACTOR, objects=[found(somebody(lab))], enqueue=False)
    run = request_run(tenant=wired, kind=Run.Kind.CHANGES, trigger=Run.Trigger.SCHEDULE, enqueue=False)
    assert run.pk != asked.run_id


def test_cancelling_its_run_ends_it(wired: Tenant, lab: Lab) -> None:
    asked = services.request_demand(tenant=wired, actor=ACTOR, objects=[found(somebody(lab))], enqueue=False)
    assert asked.run is not None
    cancel_run(run=asked.run, actor=ACTOR)
    asked.refresh_from_db()
    assert (asked.state, asked.problem) == (Demand.State.FAILED, "cancelled")


# The command


def test_the_command_prints_every_step(wired: Tenant, lab: Lab) -> None:
    person = somebody(lab)
    assign(wired, person)
    out = StringIO()
    call_command("on_demand", wired.slug, person["userPrincipalName"], stdout=out)
    assert [line[2] for line in out.getvalue().splitlines()[1:]] == ["✓", "✓", "✓", "✓", "✓", "–", "–"]
    assert lab.aws()["users"] == []
    out = StringIO()
    call_command("on_demand", wired.slug, person["displayName"], write=True, json=True, stdout=out)
    assert json.loads(out.getvalue())["objects"][0]["result"] == "created"
    assert names(lab) == {person["userPrincipalName"]}


def test_the_command_ends_with_1_when_somebody_failed(wired: Tenant, lab: Lab) -> None:
    person = somebody(lab)
    assign(wired, person)
    lab.call("POST", "faults", {"part": "aws", "kind": "status", "status": 400, "match": "POST .*/Users", "body": "{}"})
    with pytest.raises(SystemExit):
        call_command("on_demand", wired.slug, person["id"], write=True, stdout=StringIO())
