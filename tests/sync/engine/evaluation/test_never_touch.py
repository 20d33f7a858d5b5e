"""The never-touch list in whole runs: what it keeps out of reach, what it never meant, and how it asks."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from sync.approvals import services
from sync.connection.clients import scim_client
from sync.models import Link, Operation, Origin, Run, Tenant
from sync.models.tenant import CONTROL_TOWER_GROUPS
from sync.problems.catalogue import PROBLEMS
from tests.world.company import aws_group, aws_user, change_members, group_of, people, writes
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, connect, sync

pytestmark = pytest.mark.django_db(transaction=True)


def listed(tenant: Tenant, *patterns: str, **more: Any) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(never_touch=list(patterns), **more)
    tenant.refresh_from_db()


def lose_the_database(tenant: Tenant) -> None:
    """As after a move to another installation: nothing is known of AWS."""
    Link.objects.filter(tenant=tenant).delete()
    Tenant.objects.filter(pk=tenant.pk).update(evaluated_snapshot=0)


def test_control_towers_groups_are_the_default(tenant: Tenant) -> None:
    assert tenant.never_touch == list(CONTROL_TOWER_GROUPS)
    assert len(CONTROL_TOWER_GROUPS) == 8


@pytest.mark.parametrize("patterns", [CONTROL_TOWER_GROUPS, ("AWS*",)])
def test_what_holds_our_external_id_is_ours_whatever_its_name(
    wired: Tenant, lab: Lab, patterns: tuple[str, ...]
) -> None:
    listed(wired, *patterns)
    some = people(lab, 3)
    group = group_of(lab, "AWS-Devs", some[:2])
    assign(wired, group)
    sync(wired)
    before = aws_group(lab, "AWS-Devs")["id"]
    lose_the_database(wired)
    change_members(lab, group, add=[some[2]["id"]])
    run = sync(wired)
    assert not run.operations.exclude(problem="").exists()
    held = aws_group(lab, "AWS-Devs")
    assert (held["id"], len(held["members"])) == (before, 3)
    assert Link.objects.get(object_type="group").origin == Origin.RULE
    change_members(lab, group, remove=[some[0]["id"]])
    sync(wired)
    assert len(aws_group(lab, "AWS-Devs")["members"]) == 2


def test_a_group_of_the_console_that_begins_with_aws_is_asked_about(wired: Tenant, lab: Lab) -> None:
    lab.call("POST", "aws/groups", {"displayName": "AWS-Devs"})
    assign(wired, group_of(lab, "AWS-Devs", people(lab, 1)))
    run = sync(wired)
    assert run.operations.get(object_type="group").problem == "exists-unlinked"
    [proposal] = services.adoptable(wired)
    assert proposal.match_name == "AWS-Devs"


def test_what_the_list_leaves_alone_is_asked_about_until_somebody_answers(wired: Tenant, lab: Lab) -> None:
    lab.call("POST", "aws/control-tower")
    held = aws_group(lab, "AWSLogArchiveAdmins")
    person = people(lab, 1)[0]
    assign(wired, group_of(lab, "AWSLogArchiveAdmins", [person]))
    run = sync(wired)
    assert run.operations.get(object_type="group").problem == "left-alone"
    assert run.state == Run.State.COMPLETED_WITH_ERRORS
    assert not PROBLEMS["left-alone"].warning
    sync(wired)
    [proposal] = services.adoptable(wired)
    assert (proposal.match_code, proposal.match_scim_id) == ("left-alone", held["id"])
    assert services.decisions(wired).count == 1
    services.adopt_object(link=proposal, actor=ACTOR)
    run = sync(wired)
    assert not run.operations.exclude(problem="").exists()
    after = aws_group(lab, "AWSLogArchiveAdmins")
    assert (after["id"], after["members"]) == (held["id"], [aws_user(lab, person["id"])["id"]])
    assert services.decisions(wired).count == 0


def test_nothing_is_sent_to_what_the_list_leaves_alone(wired: Tenant, lab: Lab) -> None:
    lab.call("POST", "aws/control-tower")
    assign(wired, group_of(lab, "AWSSecurityAuditors", people(lab, 1)))
    Tenant.objects.filter(pk=wired.pk).update(adoption="match")
    lab.forget_requests()
    sync(wired)
    assert [request for request in writes(lab) if "/Groups" in request["path"]] == []


def test_an_aws_id_on_the_list_is_kept_off_even_where_we_made_the_object(wired: Tenant, lab: Lab) -> None:
    some = people(lab, 2)
    group = group_of(lab, "Frozen", some[:1])
    assign(wired, group)
    sync(wired)
    listed(wired, aws_group(lab, "Frozen")["id"])
    change_members(lab, group, add=[some[1]["id"]])
    assign(wired, some[1])
    run = sync(wired)
    assert Operation.objects.get(run=run, object_type="membership").problem == "never-touch"
    assert len(aws_group(lab, "Frozen")["members"]) == 1


def test_a_link_that_only_its_name_made_is_kept_off_once_the_list_names_it(wired: Tenant, lab: Lab) -> None:
    """Linked by rule and without our external id: nothing says that it is ours."""
    lab.call("POST", "aws/groups", {"displayName": "Ops"})
    some = people(lab, 2)
    group = group_of(lab, "Ops", some[:1])
    wired.configurations.current().mappings.filter(object_type="group", target="externalId").delete()
    Tenant.objects.filter(pk=wired.pk).update(adoption="match")
    assign(wired, group, *some)
    sync(wired)
    assert len(aws_group(lab, "Ops")["members"]) == 1
    listed(wired, "Ops")
    change_members(lab, group, add=[some[1]["id"]])
    run = sync(wired)
    assert Operation.objects.get(run=run, object_type="membership").problem == "never-touch"
    assert len(aws_group(lab, "Ops")["members"]) == 1


def test_a_client_is_made_without_a_look_at_any_link(
    tenant: Tenant, lab: Lab, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    connect(tenant, lab)
    listed(tenant, "AWS*", "*-break-glass")
    # The connection, and what somebody said to leave alone.
    with django_assert_num_queries(2):
        scim_client(tenant).close()
