"""Standings follow what runs do: nothing is forgotten, and what AWS holds is believed."""

from typing import Any

import pytest

from sync.approvals import services as approvals
from sync.configuration.drafts import draft_or_current
from sync.configuration.mappings import save_mapping
from sync.models import Drift, HeldChange, Link, Run, Standing, Tenant, Word
from sync.rules.rows import MappingRow
from sync.standings import queries
from sync.tenants.services import save_safety
from tests.world.company import aws_user, change, group_of, hire, leave, people, writes
from tests.world.lab import Lab
from tests.world.on_demand import demand
from tests.world.tenant import ACTOR, assign, sync

pytestmark = pytest.mark.django_db(transaction=True)


def standing(one: dict[str, Any]) -> Standing:
    return Standing.objects.get(object_id=one["id"])


def word(one: dict[str, Any]) -> str:
    return standing(one).word


def test_a_full_run_reads_aws_back_and_names_who_is_gone(wired: Tenant, lab: Lab) -> None:
    some = people(lab, 3)
    assign(wired, *some)
    assert sync(wired).state == Run.State.COMPLETED
    lab.call("DELETE", f"aws/users/{aws_user(lab, some[0]['id'])['id']}")
    lab.call("PATCH", f"aws/users/{aws_user(lab, some[1]['id'])['id']}", {"title": "By hand"})
    lab.forget_requests()
    run = sync(wired, Run.Kind.FULL)
    assert (run.state, writes(lab)) == (Run.State.COMPLETED_WITH_DIFFERENCES, [])
    assert [word(one) for one in some] == [Word.GONE, Word.DIFFERS, Word.IN_AWS]
    assert run.phases["compare"]["facts"]["missing"] == 1
    assert queries.compared(wired) == run
    since = standing(some[0]).since
    sync(wired)
    sync(wired, Run.Kind.FULL)
    assert (word(some[0]), standing(some[0]).since) == (Word.GONE, since)


def test_an_empty_aws_is_seen_by_the_next_full_run(wired: Tenant, lab: Lab) -> None:
    some = people(lab, 4)
    assign(wired, group_of(lab, "Few", some))
    sync(wired)
    lab.call("DELETE", "aws/users")
    sync(wired, Run.Kind.FULL)
    assert queries.reaching_aws(wired) == (0, 4)
    assert queries.counts(wired)[Word.GONE] == 5


def test_a_policy_of_repairing_mends_after_a_full_run_too(wired: Tenant, lab: Lab) -> None:
    [person] = people(lab, 1)
    assign(wired, person)
    sync(wired)
    save_safety(tenant=wired, actor=ACTOR, repair=True)
    lab.call("DELETE", f"aws/users/{aws_user(lab, person['id'])['id']}")
    sync(wired, Run.Kind.FULL)
    sync(wired)
    assert word(person) == Word.IN_AWS
    assert aws_user(lab, person["id"])["active"]


def test_what_only_aws_holds_is_named_until_it_is_left_alone(wired: Tenant, lab: Lab) -> None:
    assign(wired, *people(lab, 1))
    sync(wired)
    name = {"givenName": "Ro", "familyName": "Ot"}
    stranger = lab.call("POST", "aws/users", {"userName": "root@acme.example", "displayName": "Ro Ot", "name": name})
    sync(wired, Run.Kind.FULL)
    assert [row.name for row in queries.standings(wired, word=Word.ONLY_IN_AWS)] == ["Ro Ot"]
    lab.forget_requests()
    save_safety(tenant=wired, actor=ACTOR, never_touch=[*wired.never_touch, stranger["id"]])
    assert queries.counts(wired)[Word.ONLY_IN_AWS] == 0
    save_safety(tenant=wired, actor=ACTOR, never_touch=[])
    assert (queries.counts(wired)[Word.ONLY_IN_AWS], lab.requests()) == (1, [])


def test_a_decision_moves_the_standing_at_once(wired: Tenant, lab: Lab) -> None:
    some = people(lab, 8)
    assign(wired, group_of(lab, "Guarded", some))
    sync(wired)
    leave(lab, *some[:6])
    sync(wired)
    assert [word(one) for one in some[:6]] == [Word.HELD] * 6
    first, second = HeldChange.objects.filter(action="disable", object_id__in=[some[0]["id"], some[1]["id"]])
    approvals.decide_hold(hold=first.hold, actor=ACTOR, keep=[first.pk])
    kept = Standing.objects.get(object_id=first.object_id)
    assert (kept.word, kept.warning_codes, queries.differences(wired)) == (Word.IN_AWS, ["kept"], [])
    approvals.decide_hold(hold=second.hold, actor=ACTOR, approve=[second.pk], enqueue=False)
    assert Standing.objects.get(object_id=second.object_id).word == Word.WAITING
    HeldChange.objects.filter(pk=second.pk).update(expires_at="2020-01-01T00:00:00Z")
    approvals.end_approvals()
    assert Standing.objects.get(object_id=second.object_id).word == Word.HELD


def test_a_conflict_names_its_holder_and_waits_once_a_person_linked_it(wired: Tenant, lab: Lab) -> None:
    [ann] = [hire(lab, "Ann Console")]
    known = {"userName": ann["userPrincipalName"], "displayName": "Ann", "name": {"givenName": "A", "familyName": "C"}}
    stranger = lab.call("POST", "aws/users", known)
    assign(wired, ann)
    sync(wired)
    found = standing(ann)
    assert (found.word, found.code, found.attribute) == (Word.CONFLICT, "exists-unlinked", "userName")
    assert (found.holder, found.holder_id) == (ann["userPrincipalName"], stranger["id"])
    approvals.adopt_object(link=Link.objects.get(object_id=ann["id"]), actor=ACTOR)
    assert (word(ann), queries.differences(wired)) == (Word.WAITING, [])
    sync(wired)
    assert (word(ann), standing(ann).scim_id) == (Word.IN_AWS, stranger["id"])


def test_a_refusal_of_aws_quotes_it_until_it_is_over(wired: Tenant, lab: Lab) -> None:
    [person] = people(lab, 1)
    fault = {"part": "aws", "kind": "status", "status": 400, "match": "POST", "body": '{"detail": "No."}'}
    lab.call("POST", "faults", fault)
    assign(wired, person)
    sync(wired)
    found = standing(person)
    assert (found.word, found.code, found.quoted, found.answered) == (Word.FAILED, "rejected", "No.", True)
    assert found.next_try is not None
    lab.call("DELETE", "faults")
    demand(wired, person)
    assert (word(person), standing(person).quoted) == (Word.IN_AWS, "")


def test_a_manager_whom_aws_does_not_hold_is_a_note_and_no_more(wired: Tenant, lab: Lab) -> None:
    boss = hire(lab, "Bo Ss")
    person = hire(lab, "Re Port", manager=boss["id"])
    assign(wired, person)
    sync(wired)
    assert (word(person), standing(person).warning_codes) == (Word.IN_AWS, ["manager-not-in-aws"])
    assign(wired, boss)
    sync(wired)
    assert (word(person), standing(person).warning_codes) == (Word.IN_AWS, [])


def test_a_run_that_stops_leaves_what_it_had_decided_waiting(wired: Tenant, lab: Lab) -> None:
    some = people(lab, 2)
    assign(wired, *some)
    sync(wired, Run.Kind.PREVIEW)
    assert [(standing(one).word, standing(one).code) for one in some] == [(Word.WAITING, "create")] * 2
    sync(wired)
    change(lab, some[0], jobTitle="Clerk")
    sync(wired, Run.Kind.PREVIEW)
    assert [(standing(one).word, standing(one).code) for one in some] == [(Word.WAITING, "update"), (Word.IN_AWS, "")]


def test_what_is_read_back_on_demand_counts_like_a_comparison_of_one(wired: Tenant, lab: Lab) -> None:
    some = [hire(lab, f"Per {n} Son", jobTitle="Clerk") for n in range(2)]
    assign(wired, *some)
    sync(wired)
    lab.call("PATCH", f"aws/users/{aws_user(lab, some[0]['id'])['id']}", {"title": "By hand"})
    lab.call("DELETE", f"aws/users/{aws_user(lab, some[1]['id'])['id']}")
    for one in some:
        demand(wired, one)
    assert [word(one) for one in some] == [Word.DIFFERS, Word.GONE]
    lab.call("PATCH", f"aws/users/{aws_user(lab, some[0]['id'])['id']}", {"title": "Clerk"})
    demand(wired, some[0])
    assert (word(some[0]), Drift.objects.count()) == (Word.IN_AWS, 2)


def test_a_run_without_changes_derives_nothing(wired: Tenant, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    some = people(lab, 3)
    assign(wired, group_of(lab, "Still", some))
    sync(wired)
    asked: list[Any] = []
    monkeypatch.setattr("sync.standings.services._upsert", lambda *facts: asked.append(facts))
    sync(wired)
    assert asked == []


def test_since_outlives_runs_of_every_kind_and_a_new_version(wired: Tenant, lab: Lab) -> None:
    nameless = hire(lab, "Bo Nameless", surname=None)
    assign(wired, nameless)
    sync(wired)
    assert word(nameless) == Word.NOT_READY
    since = standing(nameless).since
    row = draft_or_current(wired).mappings.get(object_type="user", target="title")
    save_mapping(
        actor=ACTOR, tenant=wired, object_type="user", rule=MappingRow("title", "direct", "department"), row=row
    )
    for kind in (Run.Kind.CHANGES, Run.Kind.FULL, Run.Kind.PREVIEW, Run.Kind.VERIFY):
        sync(wired, kind)
        assert (word(nameless), standing(nameless).since) == (Word.NOT_READY, since), kind
    change(lab, nameless, surname="Named")
    sync(wired)
    assert (word(nameless), standing(nameless).since > since) == (Word.IN_AWS, True)
