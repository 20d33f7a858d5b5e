"""The SCIM client against the lab, and against answers that only a fake can give."""

from collections.abc import Iterator
from typing import Any

import pytest

from sync.scim import writing
from sync.scim.client import ScimClient, retry_after
from sync.scim.endpoint import Endpoint, OtherHost, normalise
from sync.scim.errors import (
    BadAnswer,
    Conflict,
    Forbidden,
    NotFound,
    OutcomeUnknown,
    Rejected,
    ScimError,
    ServerError,
    Stopped,
    Throttled,
    Unauthorised,
)
from sync.scim.pacing import Pacer
from sync.scim.transport import Lost
from tests.world.lab import Lab
from tests.world.web import Web

BASE = "https://scim.eu-central-1.amazonaws.com/11111111-2222-3333-4444-555555555555/scim/v2"
TOKEN = "a-token-that-must-not-show"


def client(endpoint: Endpoint | None = None, token: str = TOKEN, **options: Any) -> ScimClient:
    slept: list[float] = []
    paced: list[float] = []
    made = ScimClient(
        endpoint or normalise(BASE, allowed={}),
        token,
        pacer=Pacer(1e9, clock=lambda: sum(paced), sleep=paced.append),
        sleep=slept.append,
        clock=lambda: sum(slept),
        random=lambda: 0.5,
        **options,
    )
    made.slept = slept  # type: ignore[attr-defined]
    return made


@pytest.fixture
def real(lab: Lab) -> Iterator[ScimClient]:
    allowed = {lab.scim_host: OtherHost("aws", lab.facts["ca_file"])}
    made = client(normalise(lab.facts["scim_endpoint"], allowed=allowed), lab.facts["scim_token"])
    yield made
    made.close()


def body(n: int) -> dict[str, Any]:
    return {
        "userName": f"u{n}@x.y",
        "displayName": "U",
        "name": {"givenName": "a", "familyName": "b"},
        "externalId": f"e{n}",
    }


def test_lists_walk_all_cursors(real: ScimClient) -> None:
    made = {real.create_user(body(n)).resource["id"] for n in range(7)}  # type: ignore[index]
    assert {user["id"] for user in real.list_users(count=3)} == made


def test_members_are_added_read_and_removed(real: ScimClient) -> None:
    users = [real.create_user(body(n)).resource["id"] for n in range(3)]  # type: ignore[index]
    group = real.create_group({"displayName": "G"}).resource["id"]  # type: ignore[index]
    assert real.add_members(group, users).status == 204
    assert set(real.members_of(group)) == set(users)
    real.remove_members(group, users[:1])
    assert set(real.members_of(group)) == set(users[1:])


def test_values_with_quotes_are_found(real: ScimClient) -> None:
    real.create_group({"displayName": 'A "quoted" \\ name'})
    assert len(real.find_groups("displayName", 'A "quoted" \\ name')) == 1


def test_a_lost_answer_to_a_create_is_unknown_and_never_repeated(real: ScimClient, lab: Lab) -> None:
    lab.call("POST", "faults", {"part": "aws", "kind": "drop_after", "match": "POST", "times": 1})
    with pytest.raises(OutcomeUnknown):
        real.create_user(body(1))
    assert real.counts["POST"] == 1
    assert len(real.find_users("userName", "u1@x.y")) == 1


def test_a_lost_answer_to_a_patch_is_repeated(real: ScimClient, lab: Lab) -> None:
    user = real.create_user(body(1)).resource["id"]  # type: ignore[index]
    lab.call("POST", "faults", {"part": "aws", "kind": "drop_after", "match": "PATCH", "times": 2})
    answer = real.patch_user(user, [{"op": "replace", "path": "title", "value": "x"}])
    assert (answer.status, answer.attempts) == (200, 3)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Rejected),
        (401, Unauthorised),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (429, Throttled),
        (500, ServerError),
        (503, ServerError),
        (302, BadAnswer),
    ],
)
def test_every_status_has_its_error(web: Web, status: int, kind: type[ScimError]) -> None:
    web.on("GET", "/Users/1", status=status, said={"detail": "words"}, headers={"x-amzn-RequestId": "r1"})
    with pytest.raises(kind) as caught:
        client(max_attempts=1).get_user("1")
    assert (caught.value.detail, caught.value.request_id, caught.value.status) == ("words", "r1", status)


def test_429_waits_as_long_as_it_says_and_slows_the_pace(web: Web) -> None:
    web.on("GET", "/Users/1", status=429, headers={"Retry-After": "7"})
    web.on("GET", "/Users/1", said={"id": "1"})
    asked = client()
    assert asked.get_user("1").attempts == 2
    assert asked.counts == {"GET": 2, "throttled": 1}
    assert round(asked.pacer.next_at, 6) == 7.0


def test_retries_stay_inside_the_budget(web: Web) -> None:
    web.on("GET", "/Users/1", status=503, headers={"Retry-After": "50"})
    asked = client(budget_seconds=120, max_attempts=99)
    with pytest.raises(ServerError):
        asked.get_user("1")
    assert asked.slept == [50.0, 50.0]  # type: ignore[attr-defined]


def test_an_absurd_retry_after_does_not_stop_the_others_for_years(web: Web) -> None:
    web.on("GET", "/Users/1", status=429, headers={"Retry-After": "1000000000"})
    asked = client(budget_seconds=120)
    with pytest.raises(Throttled) as caught:
        asked.get_user("1")
    assert caught.value.retry_after == 1e9
    assert asked.pacer.next_at == 120.0


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_create_that_ends_in_a_server_error_is_unknown_and_sent_once(web: Web, status: int) -> None:
    web.on("POST", "/Users", status=status, said={"detail": "words"})
    asked = client()
    with pytest.raises(OutcomeUnknown) as caught:
        asked.create_user({"userName": "x"})
    assert (caught.value.status, caught.value.permanent, asked.counts["POST"]) == (status, False, 1)


@pytest.mark.parametrize("said", ["", "<html>proxy</html>", "{}", "[]", '{"userName": "x"}'])
def test_a_create_whose_answer_names_no_object_is_unknown(web: Web, said: str) -> None:
    web.on("POST", "/Users", status=201, body=said)
    with pytest.raises(OutcomeUnknown):
        client().create_user({"userName": "x"})


@pytest.mark.parametrize("said", ["<html>proxy</html>", "[1]", "[" * 100_000, '{"id": NaN}'])
def test_an_answer_that_is_not_scim_is_refused_in_words(web: Web, said: str) -> None:
    web.on("GET", "/Users/1", body=said)
    with pytest.raises(BadAnswer, match="not SCIM"):
        client().get_user("1")


def test_a_patch_may_answer_with_or_without_a_body(web: Web) -> None:
    web.on("PATCH", "/Users/1", status=204)
    web.on("PATCH", "/Groups/1", said={"id": "1"})
    assert client().patch_user("1", []).resource is None
    assert client().patch_group("1", []).resource == {"id": "1"}


def test_a_redirect_is_not_followed(web: Web) -> None:
    web.on("GET", "/Users/1", status=302, headers={"Location": "https://evil.example/"})
    with pytest.raises(BadAnswer):
        client().get_user("1")
    assert len(web.asked) == 1


def test_the_token_shows_in_no_error_and_no_representation(web: Web) -> None:
    web.on("POST", "/Users", status=400, said={"detail": "no"})
    asked = client()
    with pytest.raises(Rejected) as caught:
        asked.create_user({"userName": "x"})
    assert TOKEN not in repr(asked) + repr(caught.value) + str(vars(caught.value))


def test_index_pages_of_rfc_servers_are_walked(web: Web) -> None:
    host = {"127.0.0.1:8831": OtherHost("rfc", plain_http=True)}
    for start, ids in ((1, ["a", "b"]), (3, ["c"])):
        page = {"totalResults": 3, "Resources": [{"id": one} for one in ids]}
        web.on("GET", f"/Users?startIndex={start}&count=2", said=page)
    asked = client(normalise("http://127.0.0.1:8831/", allowed=host))
    assert [user["id"] for user in asked.list_users(count=2)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "page",
    [
        {"message": "hello"},
        {"Resources": None},
        {"Resources": {}},
        {"Resources": ["a"]},
        {"Resources": [{"userName": "without an id"}]},
        {"totalResults": 5},
        {"totalResults": "none"},
    ],
)
def test_an_answer_without_a_list_is_not_an_empty_list(web: Web, page: dict[str, Any]) -> None:
    """ "Nobody of that name" would be created again."""
    web.on("GET", "/Users", said=page)
    with pytest.raises(BadAnswer, match="not a SCIM list"):
        client().find_users("userName", "x")


def test_a_server_may_leave_the_list_out_when_nothing_matched(web: Web) -> None:
    web.on("GET", "/Users", said={"totalResults": 0})
    assert client().find_users("userName", "x") == []


def test_a_cursor_that_comes_twice_ends_the_walk(web: Web) -> None:
    web.on("GET", "/Users", said={"Resources": [{"id": "1"}], "nextCursor": "again"})
    with pytest.raises(BadAnswer, match="same cursor"):
        list(client().list_users())


def test_an_empty_id_is_never_put_into_an_address() -> None:
    with pytest.raises(AssertionError):
        client().get_user("")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3.0),
        ("0.5", 0.5),
        (None, None),
        ("soon", None),
        ("-1", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0.0),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after(value) == seconds


def test_a_stop_before_the_first_request_says_that_nothing_was_sent(web: Web) -> None:
    stopped = client()
    stopped.stop()
    with pytest.raises(Stopped) as caught:
        writing.create(stopped, "user", {"userName": "adele", "externalId": "a1"})
    assert caught.value.nothing_sent
    assert web.asked == []


def test_a_stop_between_a_lost_create_and_its_look_up_does_not(web: Web) -> None:
    stopped = client()

    def answered(*_: Any) -> Any:
        stopped.stop()
        raise Lost("The connection broke.")

    stopped._host.exchange = answered  # type: ignore[method-assign]
    with pytest.raises(Stopped) as caught:
        writing.create(stopped, "user", {"userName": "adele", "externalId": "a1"})
    assert not caught.value.nothing_sent
