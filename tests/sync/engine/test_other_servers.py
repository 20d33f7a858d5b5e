"""The same engine against a SCIM server that nobody here wrote: scim2-server, as a process, over HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from sync.configuration import mappings
from sync.connection import services
from sync.connection.clients import scim_client
from sync.drift import services as verifying
from sync.models import Link, Run, Tenant
from tests.world.company import hire
from tests.world.lab import Lab
from tests.world.scim2 import TOKEN, Scim2Server
from tests.world.tenant import ACTOR, assign, connect, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.process, pytest.mark.company(60)]


@pytest.fixture
def server() -> Iterator[Scim2Server]:
    running = Scim2Server()
    yield running
    running.stop()


@pytest.fixture
def pointed(tenant: Tenant, lab: Lab, server: Scim2Server, settings: Any) -> Tenant:
    return point(tenant, lab, server, settings)


def point(tenant: Tenant, lab: Lab, server: Scim2Server, settings: Any) -> Tenant:
    host = f"127.0.0.1:{server.port}"
    settings.EXTRA_SCIM_HOSTS = lab.scim_hosts | {host: {"dialect": "rfc", "plain_http": True}}
    connect(tenant, lab)
    services.save_aws(
        tenant=tenant, actor=ACTOR, endpoint=f"http://{host}/", token=TOKEN, token_created_on=timezone.localdate()
    )
    mappings.apply_recommended(actor=ACTOR, tenant=tenant)
    return tenant


def test_twenty_people_and_three_groups_live_a_whole_life_there(pointed: Tenant, lab: Lab, server: Scim2Server) -> None:
    people = [hire(lab, f"Guest{n} Server", jobTitle="Clerk") for n in range(20)]
    upns = {person["id"]: person["userPrincipalName"] for person in people}
    ids = list(upns)
    small = lab.call("POST", "entra/groups", {"displayName": "Small", "members": ids[:5]})
    middle = lab.call("POST", "entra/groups", {"displayName": "Middle", "members": ids[5:]})
    large = lab.entra_group("Large-150")
    assign(pointed, small, middle, large)

    first = sync(pointed)
    assert first.state == Run.State.COMPLETED
    expected = server.members()
    assert expected["Small"] == {upns[key] for key in ids[:5]}
    assert expected["Middle"] == {upns[key] for key in ids[5:]}
    enabled = {user["id"] for user in lab.call("GET", "entra/state")["users"] if user["accountEnabled"]}
    assert len(expected["Large-150"]) == len([one for one in large["members"] if one["id"] in enabled])
    assert server.users()[upns[ids[0]]]["title"] == "Clerk"

    assert sync(pointed).planned == 0

    lab.call("PATCH", f"entra/users/{ids[0]}", {"jobTitle": "Chief"})
    lab.call("PATCH", f"entra/users/{ids[1]}", {"userPrincipalName": "renamed@contoso.example"})
    lab.call("POST", f"entra/users/{ids[2]}/leave")
    lab.call("PATCH", f"entra/groups/{small['id']}", {"displayName": "Renamed"})
    lab.call("POST", f"entra/groups/{middle['id']}/members", {"add": [ids[0]], "remove": [ids[19]]})
    before = dict(Link.objects.filter(object_id__in=ids).values_list("object_id", "scim_id"))
    assert sync(pointed).state == Run.State.COMPLETED

    users = server.users()
    assert users[upns[ids[0]]]["title"] == "Chief"
    assert users["renamed@contoso.example"]["id"] == before[ids[1]]
    assert users[upns[ids[2]]]["active"] is False
    upns[ids[1]] = "renamed@contoso.example"
    groups = server.members()
    assert groups["Renamed"] == {upns[key] for key in ids[:5]}
    assert groups["Middle"] == {upns[key] for key in [ids[0], *ids[5:19]]}
    assert users[upns[ids[19]]]["active"] is False


@pytest.mark.nightly
def test_what_somebody_changes_there_by_hand_is_found_and_put_right(
    pointed: Tenant, lab: Lab, server: Scim2Server
) -> None:
    people = [hire(lab, f"Drift{n} Server", jobTitle="Clerk") for n in range(3)]
    ids = [person["id"] for person in people]
    group = lab.call("POST", "entra/groups", {"displayName": "Drifting", "members": ids[:2]})
    assign(pointed, group, people[2])
    sync(pointed)
    in_step = sync(pointed, Run.Kind.VERIFY)
    assert list(in_step.drifts.values_list("kind", "facts")) == []
    scim = scim_client(pointed)
    held = dict(Link.objects.values_list("object_id", "scim_id"))
    scim.patch_user(held[ids[0]], [{"op": "replace", "path": "title", "value": "Emperor"}])
    scim.remove_members(held[group["id"]], [held[ids[1]]])
    scim.add_members(held[group["id"]], [held[ids[2]]])
    run = sync(pointed, Run.Kind.VERIFY)
    assert set(run.drifts.values_list("kind", "scim_id", "member_scim_id")) == {
        ("differs", held[ids[0]], ""),
        ("member_missing", held[group["id"]], held[ids[1]]),
        ("member_extra", held[group["id"]], held[ids[2]]),
    }
    verifying.repair_differences(tenant=pointed, actor=ACTOR)
    sync(pointed)
    names = {people[0]["userPrincipalName"], people[1]["userPrincipalName"]}
    assert server.members()["Drifting"] == names
    assert not sync(pointed, Run.Kind.VERIFY).drifts.exists()


@pytest.mark.nightly
def test_a_server_that_lists_its_first_page_only_is_compared_all_the_same(
    tenant: Tenant, lab: Lab, settings: Any
) -> None:
    server = Scim2Server(first_page_only=True)
    try:
        point(tenant, lab, server, settings)
        people = [hire(lab, f"Page{n} Server", jobTitle="Clerk") for n in range(45)]
        ids = [person["id"] for person in people]
        assign(tenant, lab.call("POST", "entra/groups", {"displayName": "Paged", "members": ids}))
        assert sync(tenant).state == Run.State.COMPLETED
        assert not sync(tenant, Run.Kind.VERIFY).drifts.exists()
        held = dict(Link.objects.values_list("object_id", "scim_id"))
        scim = scim_client(tenant)
        scim.patch_user(held[ids[40]], [{"op": "replace", "path": "title", "value": "Emperor"}])
        scim.delete_user(held[ids[44]])
        scim.close()
        run = sync(tenant, Run.Kind.VERIFY)
        assert set(run.drifts.values_list("kind", "scim_id")) == {
            ("differs", held[ids[40]]),
            ("missing", held[ids[44]]),
        }
    finally:
        server.stop()
