"""The client in its `rfc` dialect against scim2-server, which follows RFC 7643 and 7644 to the letter."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from sync.scim.client import Json, ScimClient
from sync.scim.endpoint import OtherHost, normalise
from sync.scim.errors import Conflict, NotFound, Unauthorised
from sync.scim.pacing import Pacer
from sync.scim.resource import ENTERPRISE, group_body, patch_operations, units, units_held, user_body
from tests.world.scim2 import TOKEN, Scim2Server

pytestmark = [pytest.mark.process, pytest.mark.pure]


@pytest.fixture(scope="module")
def server() -> Iterator[Scim2Server]:
    running = Scim2Server()
    yield running
    running.stop()


def asking(server: Scim2Server, token: str = TOKEN) -> ScimClient:
    host = f"127.0.0.1:{server.port}"
    return ScimClient(
        normalise(f"http://{host}/", allowed={host: OtherHost("rfc", plain_http=True)}),
        token,
        pacer=Pacer(1e9, clock=time.monotonic, sleep=time.sleep),
        sleep=time.sleep,
        clock=time.monotonic,
        random=lambda: 0.5,
        max_attempts=1,
    )


@pytest.fixture
def client(server: Scim2Server) -> Iterator[ScimClient]:
    made = asking(server)
    yield made
    made.close()


def desired(name: str, **other: Any) -> dict[str, Any]:
    return units(
        {
            "userName": f"{name}@x.example",
            "displayName": name,
            "name.givenName": name,
            "name.familyName": "Test",
            "active": True,
            'emails[type eq "work"].value': f"{name}@x.example",
            f"{ENTERPRISE}:department": "Sales",
            **other,
        }
    )


def created(client: ScimClient, name: str) -> str:
    return str((client.create_user(user_body(desired(name))).resource or {})["id"])


def read(client: ScimClient, user_id: str) -> Json:
    return client.get_user(user_id).resource or {}


def test_what_was_created_is_read_back_unit_by_unit(client: ScimClient) -> None:
    user_id = created(client, "ada")
    assert units_held(read(client, user_id), desired("ada")) == desired("ada")
    assert [user["id"] for user in client.find_users("userName", "ada@x.example")] == [user_id]


def test_a_person_is_renamed_disabled_and_loses_an_attribute(client: ScimClient) -> None:
    user_id = created(client, "bea")
    before = desired("bea")
    after = desired("bella", active=False) | {"title": "Chief"}
    del after[f"{ENTERPRISE}:department"]
    client.patch_user(user_id, patch_operations(before, after))
    held = units_held(read(client, user_id), before | after)
    assert held == after


def test_members_come_and_go(client: ScimClient) -> None:
    people = [created(client, f"member{n}") for n in range(3)]
    group = str((client.create_group(group_body({"displayName": "Group"})).resource or {})["id"])
    client.add_members(group, people)
    assert set(client.members_of(group)) == set(people)
    client.remove_members(group, people[:2])
    assert set(client.members_of(group)) == set(people[2:])
    client.remove_members(group, people[2:])
    assert list(client.members_of(group)) == []


def test_lists_are_walked_by_index(client: ScimClient) -> None:
    made = {created(client, f"walked{n}") for n in range(5)}
    ids = [user["id"] for user in client.list_users(count=2)]
    assert made <= set(ids)
    assert len(ids) == len(set(ids))


def test_nobody_found_is_an_empty_list(client: ScimClient) -> None:
    assert client.find_users("userName", 'nobody "here" \\') == []


def test_clashes_gaps_and_a_wrong_token_have_their_errors(client: ScimClient, server: Scim2Server) -> None:
    user_id = created(client, "twice")
    with pytest.raises(Conflict):
        created(client, "twice")
    client.delete_user(user_id)
    with pytest.raises(NotFound):
        client.get_user(user_id)
    stranger = asking(server, "wrong")
    with pytest.raises(Unauthorised):
        stranger.find_users("userName", "twice@x.example")
    stranger.close()
