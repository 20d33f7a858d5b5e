"""Holds and confirmations, through the real engine and the lab."""

import pytest
from django.utils import timezone

from sync.approvals import services
from sync.approvals.queries import people_limit_now
from sync.approvals.services import confirm_plan
from sync.engine.guard.guard import PeopleLimit
from sync.models import HeldChange, Hold, Incident, Link, Operation, Result, Run, Tenant
from tests.world.company import active, aws_group, aws_user, change, group_of, hire, leave, names, people
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, sync

pytestmark = pytest.mark.django_db(transaction=True)


def test_more_leavers_than_the_limit_are_held_by_name_and_everything_else_is_written(wired: Tenant, lab: Lab) -> None:
    some = people(lab, 12)
    assign(wired, group_of(lab, "Guarded", some))
    sync(wired)
    leave(lab, *some[:4])
    lab.call("PATCH", f"entra/users/{some[5]['id']}", {"jobTitle": "Chief"})
    run = sync(wired)
    assert run.counts["held"] == 4
    assert len(active(lab)) == 12
    assert aws_user(lab, some[5]["id"])["title"] == "Chief"
    hold = Hold.objects.get()
    assert {change.object_id for change in hold.changes.all()} == {one["id"] for one in some[:4]}
    assert (hold.kind, hold.facts["limit"], hold.facts["planned"]) == ("people", 3, 4)
    assert Incident.objects.get(solved_at=None).code == "held-people"


def test_some_are_approved_some_are_kept_and_the_hold_closes_when_none_waits(wired: Tenant, lab: Lab) -> None:
    some = people(lab, 12)
    assign(wired, group_of(lab, "Guarded", some))
    sync(wired)
    leave(lab, *some[:4])
    sync(wired)
    hold = Hold.objects.get()
    ids = dict(hold.changes.values_list("object_id", "pk"))
    services.decide_hold(
        hold=hold,
        actor=ACTOR,
        approve=[ids[one["id"]] for one in some[:2]],
        keep=[ids[some[2]["id"]]],
        enqueue=False,
    )
    Run.objects.filter(state="queued").delete()
    run = sync(wired)
    gone = {one["id"] for one in some} - active(lab)
    assert gone == {some[0]["id"], some[1]["id"]}
    assert run.counts["disabled"] == 2
    left = HeldChange.objects.open()
    assert {(change.object_id, change.decision) for change in left} == {
        (some[2]["id"], "kept"),
        (some[3]["id"], "waiting"),
    }


def test_a_run_waits_for_approval_until_everything_that_it_held_is_decided(wired: Tenant, lab: Lab) -> None:
    some = people(lab, 12)
    assign(wired, group_of(lab, "Guarded", some))
    assert sync(wired).state == Run.State.COMPLETED
    leave(lab, *some[:4])
    run = sync(wired)
    assert (run.state, run.plan_waits, run.carried_through) == (Run.State.WAITING, False, True)
    hold = Hold.objects.get()
    first, *others = hold.changes.values_list("pk", flat=True)
    services.decide_hold(hold=hold, actor=ACTOR, keep=[first])
    run.refresh_from_db()
    assert run.state == Run.State.WAITING
    sequence = run.sequence
    services.decide_hold(hold=hold, actor=ACTOR, keep=others)
    run.refresh_from_db()
    assert run.state == Run.State.COMPLETED
    assert run.sequence > sequence, "a page that polls learns of it"
    assert sync(wired, Run.Kind.FULL).state == Run.State.COMPLETED, "who is kept waits for nobody"


def test_a_run_that_held_and_failed_says_so_once_nothing_waits(wired: Tenant, lab: Lab) -> None:
    some = people(lab, 12)
    assign(wired, group_of(lab, "Guarded", some))
    sync(wired)
    leave(lab, *some[:4])
    change(lab, some[5], surname="")
    run = sync(wired)
    assert (run.state, run.problems) == (Run.State.WAITING, {"missing-family-name": 1})
    for one in some[:4]:
        lab.call("POST", f"entra/users/{one['id']}/restore")
    sync(wired)
    run.refresh_from_db()
    assert run.state == Run.State.COMPLETED_WITH_ERRORS


def test_what_is_no_longer_wanted_leaves_the_hold_by_itself(wired: Tenant, lab: Lab) -> None:
    some = people(lab, 12)
    assign(wired, group_of(lab, "Guarded", some))
    sync(wired)
    leave(lab, *some[:4])
    sync(wired)
    for one in some[:4]:
        lab.call("POST", f"entra/users/{one['id']}/restore")
    sync(wired)
    assert not HeldChange.objects.open().exists()
    assert Hold.objects.get().closed_at is not None
    assert not Incident.objects.filter(solved_at=None).exists()


def test_an_approval_that_has_ended_removes_nobody(wired: Tenant, lab: Lab) -> None:
    some = people(lab, 12)
    assign(wired, group_of(lab, "Guarded", some))
    sync(wired)
    leave(lab, *some[:4])
    sync(wired)
    hold = Hold.objects.get()
    services.decide_hold(hold=hold, actor=ACTOR, approve=list(hold.changes.values_list("pk", flat=True)), enqueue=False)
    Run.objects.filter(state="queued").delete()
    HeldChange.objects.update(expires_at=timezone.now())
    sync(wired)
    assert len(active(lab)) == 12


def test_a_slow_drip_is_held_when_the_week_goes_over_the_limit(wired: Tenant, lab: Lab) -> None:
    some = people(lab, 12)
    assign(wired, group_of(lab, "Guarded", some))
    sync(wired)
    for one in some[:3]:
        leave(lab, one)
        sync(wired)
    assert len(active(lab)) == 9
    leave(lab, some[3])
    run = sync(wired)
    assert run.counts["held"] == 1
    assert len(active(lab)) == 9


def test_who_left_more_than_a_week_ago_no_longer_counts(wired: Tenant, lab: Lab) -> None:
    some = people(lab, 12)
    assign(wired, group_of(lab, "Guarded", some))
    sync(wired)
    leave(lab, *some[:3])
    sync(wired)
    Operation.objects.filter(result=Result.DISABLED).update(finished_at=timezone.now() - timezone.timedelta(days=8))
    leave(lab, *some[3:4])
    sync(wired)
    assert len(active(lab)) == 8


def test_an_emptied_group_is_held_member_by_member(wired: Tenant, lab: Lab) -> None:
    some = people(lab, 24)
    group, other = group_of(lab, "Guarded", some), group_of(lab, "Stays", some)
    assign(wired, group, other)
    sync(wired)
    lab.call("POST", f"entra/groups/{group['id']}/members", {"remove": [one["id"] for one in some]})
    run = sync(wired)
    assert run.counts["held"] == 24
    assert len(aws_group(lab, "Guarded")["members"]) == 24
    hold = Hold.objects.get(kind="members")
    ids = dict(hold.changes.values_list("member_id", "pk"))
    kept = {some[0]["id"], some[1]["id"]}
    services.decide_hold(
        hold=hold,
        actor=ACTOR,
        approve=[pk for member, pk in ids.items() if member not in kept],
        keep=[ids[member] for member in kept],
        enqueue=False,
    )
    Run.objects.filter(state="queued").delete()
    sync(wired)
    scim_ids = set(Link.objects.filter(object_id__in=kept).values_list("scim_id", flat=True))
    assert set(aws_group(lab, "Guarded")["members"]) == scim_ids
    assert {change.decision for change in HeldChange.objects.open()} == {"kept"}


def test_a_scope_that_suddenly_brings_half_a_company_is_held(wired: Tenant, lab: Lab) -> None:
    group = group_of(lab, "Guarded", people(lab, 4))
    assign(wired, group)
    sync(wired)
    new = people(lab, 12, "New")
    lab.call("POST", f"entra/groups/{group['id']}/members", {"add": [one["id"] for one in new]})
    run = sync(wired, confirmed=False)
    assert run.counts["held"] == 12
    assert len(names(lab)) == 4
    hold = Hold.objects.get(kind="creates")
    services.decide_hold(hold=hold, actor=ACTOR, approve=list(hold.changes.values_list("pk", flat=True)), enqueue=False)
    Run.objects.filter(state="queued").delete()
    sync(wired, confirmed=False)
    assert len(names(lab)) == 16
    assert not HeldChange.objects.open().exists()


def test_a_first_run_waits_for_a_yes_to_its_plan(wired: Tenant, lab: Lab) -> None:
    assign(wired, group_of(lab, "Guarded", people(lab, 3)))
    run = sync(wired, confirmed=False)
    assert (run.state, run.planned) == (Run.State.WAITING, 4)
    assert lab.aws()["users"] == []
    services.confirm_plan(run=run, actor=ACTOR)
    assert sync(wired, confirmed=False).counts["created"] == 4


def test_a_yes_covers_what_it_listed_and_no_more(wired: Tenant, lab: Lab) -> None:
    group = group_of(lab, "Guarded", people(lab, 3))
    assign(wired, group)
    sync(wired)
    second = group_of(lab, "Second", people(lab, 11, "Sec"))
    assign(wired, second)
    plan = sync(wired, confirmed=False)
    assert plan.state == Run.State.WAITING
    services.confirm_plan(run=plan, actor=ACTOR)
    late = people(lab, 12, "Late")
    lab.call("POST", f"entra/groups/{second['id']}/members", {"add": [one["id"] for one in late]})
    run = sync(wired, confirmed=False)
    assert run.counts["held"] == 12
    assert len(names(lab)) == 14


def test_a_plan_made_under_other_rules_cannot_be_confirmed(wired: Tenant, lab: Lab) -> None:
    assign(wired, group_of(lab, "Guarded", people(lab, 2)))
    plan = sync(wired, confirmed=False)
    assign(wired, group_of(lab, "Other", people(lab, 2, "Other")))
    with pytest.raises(services.NotFresh):
        services.confirm_plan(run=plan, actor=ACTOR)


def test_the_same_plan_has_the_same_hash(wired: Tenant, lab: Lab) -> None:
    assign(wired, group_of(lab, "Guarded", people(lab, 3)))
    first, second = sync(wired, Run.Kind.PREVIEW), sync(wired, Run.Kind.PREVIEW)
    assert first.plan_hash == second.plan_hash != ""
    hire(lab, "Not Assigned")
    assert sync(wired, Run.Kind.PREVIEW).plan_hash == first.plan_hash


def test_nobody_goes_after_a_reading_that_is_not_sane(wired: Tenant, lab: Lab) -> None:
    some = people(lab, 3)
    assign(wired, group_of(lab, "Guarded", some))
    sync(wired)
    leave(lab, *some[:1])
    wired.snapshots.update(suspect="")
    run = sync(wired, Run.Kind.PREVIEW)
    assert run.operations.filter(action="disable").count() == 1


@pytest.mark.parametrize("gone", [False, True], ids=["held by AWS", "deleted there by hand"])
def test_the_grace_period_over_a_purged_person_is_deleted(wired: Tenant, lab: Lab, *, gone: bool) -> None:
    """What is gone already is as good as deleted: 404 is the answer that was wanted, once a look bears it out."""
    person = people(lab, 1)[0]
    assign(wired, person)
    sync(wired)
    lab.call("POST", f"entra/users/{person['id']}/leave")
    sync(wired)
    lab.call("POST", f"entra/users/{person['id']}/purge")
    sync(wired)
    assert aws_user(lab, person["id"])["active"] is False
    Link.objects.filter(object_id=person["id"]).update(disabled_at=timezone.now() - timezone.timedelta(days=31))
    Link.objects.filter(object_id=person["id"]).update(retry_at=timezone.now())
    if gone:
        lab.call("DELETE", f"aws/users/{aws_user(lab, person['id'])['id']}")
    lab.forget_requests()
    run = sync(wired)
    assert (run.state, run.counts.get("deleted"), run.counts.get("failed")) == (Run.State.COMPLETED, 1, None)
    asked = [("DELETE", 404), ("GET", 404)] if gone else [("DELETE", 204)]
    assert [(entry["method"], entry["status"]) for entry in lab.requests()] == asked
    assert lab.aws()["users"] == []
    assert Link.objects.get(object_id=person["id"]).scim_id == ""
    lab.forget_requests()
    sync(wired)
    assert lab.requests() == []


def test_a_confirmed_create_is_no_approval_of_a_later_rename(wired: Tenant, lab: Lab) -> None:
    crowd = people(lab, 20)
    assign(wired, *crowd)
    preview = sync(wired, Run.Kind.PREVIEW)
    confirm_plan(run=preview, actor=ACTOR)
    sync(wired, confirmed=False)
    for n, one in enumerate(crowd):
        change(lab, one, userPrincipalName=f"other{n}@contoso.example")
    run = sync(wired, confirmed=False)
    assert run.counts.get(Result.UPDATED, 0) == 0
    assert Hold.objects.get(kind=Hold.Kind.KEYS).changes.count() == 20


def test_what_a_page_says_of_the_limit_is_what_the_next_run_holds_by(wired: Tenant, lab: Lab) -> None:
    some = people(lab, 12)
    assign(wired, group_of(lab, "Guarded", some))
    sync(wired)
    assert people_limit_now(wired) == PeopleLimit(holds=12, limit=3, gone=0)
    leave(lab, *some[:2])
    assert sync(wired).counts["disabled"] == 2
    said = people_limit_now(wired)
    assert said == PeopleLimit(holds=12, limit=3, gone=2)
    leave(lab, *some[2:4])
    assert sync(wired).counts["held"] == 2
    facts = Hold.objects.get().facts
    assert (facts["limit"], facts["week"]) == (said.limit, said.gone + 2)
