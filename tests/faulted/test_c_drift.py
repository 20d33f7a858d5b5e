"""Table C: what AWS lists, and what somebody changed there by hand."""

import json

import pytest

from sync.drift import services
from sync.models import Drift, Link, Run, Tenant
from sync.runs.requests import request_run
from sync.worker import execution
from tests.world.company import aws_group, aws_user, hire
from tests.world.examples import nightly
from tests.world.lab import Lab
from tests.world.tenant import assign, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(60)]


def compare(tenant: Tenant) -> Run:
    tenant.refresh_from_db()
    run = request_run(tenant=tenant, kind=Run.Kind.VERIFY, trigger=Run.Trigger.COMMAND, enqueue=False)
    finished = execution.execute_run(run.pk)
    assert finished is not None
    return finished


@pytest.mark.fault("C23")
def test_hand_edits_are_found_and_put_right_and_what_is_not_ours_is_left(wired: Tenant, lab: Lab) -> None:
    group = lab.entra_group("AWS-Developers")
    leaver = hire(lab, "Lea Ver")
    assign(wired, group, leaver)
    sync(wired)
    lab.call("POST", f"entra/users/{leaver['id']}/leave")
    sync(wired)
    right = lab.aws()
    first, disabled = group["members"][0]["id"], aws_user(lab, leaver["id"])["id"]
    held = aws_group(lab, "AWS-Developers")
    lab.call("POST", "aws/control-tower")
    unmanaged = lab.call("POST", "aws/groups", {"displayName": "Unmanaged", "members": [disabled]})
    lab.call("PATCH", f"aws/users/{aws_user(lab, first)['id']}", {"displayName": "By Hand"})
    lab.call("PATCH", f"aws/users/{disabled}", {"active": True})
    lab.call("POST", f"aws/groups/{held['id']}/members", {"add": [disabled]})

    run = compare(wired)
    ours = run.drifts.exclude(kind=Drift.Kind.ONLY_IN_AWS)
    assert {(row.kind, *row.facts) for row in ours} == {
        ("differs", "displayName"),
        ("differs", "active"),
        ("member_extra",),
    }
    services.repair_differences(tenant=wired, actor="jo@acme.example")
    sync(wired)

    after = lab.aws()
    known = {one["id"] for one in [*right["users"], *right["groups"]]}
    for kind in ("users", "groups"):
        assert [without_meta(one) for one in after[kind] if one["id"] in known] == [
            without_meta(one) for one in right[kind]
        ]
    assert next(one for one in after["groups"] if one["id"] == unmanaged["id"])["members"] == [disabled]
    assert not compare(wired).drifts.exclude(kind=Drift.Kind.ONLY_IN_AWS).exists()


def without_meta(resource: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in resource.items() if name != "meta"}


EMPTY = json.dumps(
    {"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "itemsPerPage": 0, "Resources": []}
)


@pytest.mark.fault("C7")
@pytest.mark.parametrize("kind", ["Users", "Groups"])
def test_a_list_that_comes_back_empty_forgets_nobody(wired: Tenant, lab: Lab, kind: str) -> None:
    assign(wired, lab.entra_group("AWS-Developers"))
    sync(wired)
    Tenant.objects.filter(pk=wired.pk).update(repair=True)
    before = state_of_links()
    fault = {"part": "aws", "kind": "status", "status": 200, "match": f"GET .*/{kind}$", "match_query": "^cursor&count"}
    lab.call("POST", "faults", fault | {"body": EMPTY, "times": -1})
    run = compare(wired)
    assert (run.state, run.problem) == (Run.State.FAILED, "aws-list-incomplete")
    assert state_of_links() == before
    with pytest.raises(services.CannotRepair, match="no-comparison"):
        services.repair_differences(tenant=wired, actor="jo@acme.example")


@pytest.mark.fault("C7")
@pytest.mark.company(500)
def test_a_list_cut_at_fifty_forgets_nobody(wired: Tenant, lab: Lab) -> None:
    """Before August 2025 AWS had no cursor and named fifty at most, with a total that equals what it named."""
    assign(wired, lab.entra_group("Large-150"))
    sync(wired)
    before = state_of_links()
    lab.call("POST", "aws/switches", {"cursor": "off", "page_max": "50"})
    try:
        run = compare(wired)
    finally:
        lab.call("DELETE", "aws/switches")
    assert (run.state, run.problem) == (Run.State.FAILED, "aws-list-incomplete")
    assert state_of_links() == before


@pytest.mark.fault("C7")
@pytest.mark.parametrize("kind", ["html_after", *nightly("truncate_body", "empty_body")])
@pytest.mark.company(500)
def test_a_list_that_fails_on_a_later_page_proves_nothing(wired: Tenant, lab: Lab, kind: str) -> None:
    assign(wired, lab.entra_group("Large-150"))
    sync(wired)
    Tenant.objects.filter(pk=wired.pk).update(repair=True)
    before = state_of_links()
    later = {"part": "aws", "kind": kind, "match": "GET .*/Users$", "match_query": "^cursor=.*count=100$", "times": -1}
    lab.call("POST", "faults", later)
    run = compare(wired)
    assert run.state == Run.State.FAILED
    assert state_of_links() == before
    wired.refresh_from_db()
    assert wired.verified_at is None


@pytest.mark.fault("C8")
def test_members_that_come_back_empty_are_never_taken_for_removed(wired: Tenant, lab: Lab) -> None:
    assign(wired, lab.entra_group("AWS-Developers"))
    sync(wired)
    Tenant.objects.filter(pk=wired.pk).update(repair=True)
    before = state_of_links()
    fault = {"part": "aws", "kind": "status", "status": 200, "match": "GET .*/Users$", "match_query": "groups.value"}
    lab.call("POST", "faults", fault | {"body": EMPTY, "times": -1})
    run = compare(wired)
    assert (run.state, run.suspect) == (Run.State.COMPLETED, "aws-members-unsure")
    assert not run.drifts.exists()
    assert state_of_links() == before
    lab.call("DELETE", "faults")
    lab.forget_requests()
    assert sync(wired).planned == 0
    assert lab.requests() == []


def state_of_links() -> list[object]:
    fields = ("object_id", "scim_id", "written", "retry_at", "member_links__user__scim_id", "member_links__certain")
    return list(Link.objects.order_by("pk", "member_links__pk").values_list(*fields))
