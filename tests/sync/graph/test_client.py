"""The Graph client against the lab, and against answers that only a fake can give."""

import random
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import responses

from sync.graph.auth import Authenticator, Certificate, ClientSecret
from sync.graph.client import GraphClient
from sync.graph.cloud import CLOUDS, Cloud
from sync.graph.errors import (
    BadAnswer,
    BudgetExceeded,
    Forbidden,
    InvalidId,
    NotFound,
    Rejected,
    ResyncRequired,
    ServerError,
    SignInFailed,
    Unauthorised,
    Unreachable,
)
from tests.world.lab import Lab
from tests.world.raw_server import cuts, drips, raw_server, sends
from tests.world.redirects import STATUSES, leads_elsewhere, somebody_went_there

pytestmark = pytest.mark.company(450)

GRAPH = "https://graph.microsoft.com/v1.0"


class FixedToken(Authenticator):
    def __init__(self) -> None:
        super().__init__(CLOUDS["global"], "d", "c", ClientSecret("s"))
        self.forgotten = 0

    def token(self) -> str:
        return "token"

    def forget(self) -> None:
        self.forgotten += 1


def fake(cloud: Cloud = CLOUDS["global"], **options: Any) -> tuple[GraphClient, FixedToken, list[float]]:
    slept: list[float] = []
    auth = FixedToken()
    made = GraphClient(cloud, auth, sleep=slept.append, clock=lambda: sum(slept), random=lambda: 0.5, **options)
    return made, auth, slept


def authenticator(lab: Lab, credential: Any = None, **other: str) -> Authenticator:
    facts = lab.facts | other
    cloud = Cloud("lab", facts["authority"], facts["graph"], facts["ca_file"])
    return Authenticator(
        cloud, facts["directory_id"], facts["client_id"], credential or ClientSecret(facts["client_secret"])
    )


def real(lab: Lab) -> GraphClient:
    auth = authenticator(lab)
    return GraphClient(auth.cloud, auth, sleep=time.sleep, clock=time.monotonic, random=random.random)


def test_it_signs_in_by_secret_and_by_certificate(lab: Lab) -> None:
    assert authenticator(lab).token()
    assert authenticator(lab, Certificate(Path(lab.facts["certificate_file"]).read_text())).token()


@pytest.mark.parametrize(
    ("credential", "other", "code"),
    [
        (ClientSecret("wrong"), {}, "AADSTS7000215"),
        (None, {"client_id": "11111111-1111-4111-8111-111111111111"}, "AADSTS700016"),
        (None, {"directory_id": "nowhere.example"}, "AADSTS90002"),
    ],
)
def test_a_refused_sign_in_carries_its_code(lab: Lab, credential: Any, other: dict[str, str], code: str) -> None:
    with pytest.raises(SignInFailed) as caught:
        authenticator(lab, credential, **other).token()
    assert caught.value.aadsts == code


def test_an_unreachable_sign_in_is_no_refusal(lab: Lab) -> None:
    with pytest.raises(Unreachable):
        authenticator(lab, authority="https://localhost:1").token()


def test_secrets_show_in_no_representation(lab: Lab) -> None:
    auth = authenticator(lab)
    assert lab.facts["client_secret"] not in repr(auth) + repr(auth._credential) + repr(real(lab))


def test_a_round_ends_with_the_link_of_the_next(lab: Lab) -> None:
    graph = real(lab)
    pages = list(graph.users_delta(["id", "displayName"]))
    assert len(pages) > 1
    assert [page.delta_link is None for page in pages] == [True] * (len(pages) - 1) + [False]
    assert sum(len(page.items) for page in pages) == 450
    [again] = graph.users_delta([], pages[-1].delta_link)
    assert again.items == []


def test_pickers_find_by_name_and_by_id(lab: Lab) -> None:
    graph = real(lab)
    [group] = graph.search_groups("AWS-Dev")
    assert group["displayName"] == "AWS-Developers"
    assert graph.search_groups(group["id"]) == [group]
    assert graph.search_users('no"body\\') == []


def test_members_managers_and_the_application(lab: Lab) -> None:
    graph = real(lab)
    admins = lab.entra_group("AWS-Admins")
    assert {one["id"] for one in graph.members(admins["id"])} == {one["id"] for one in admins["members"]}
    assert len(list(graph.transitive_members(admins["id"]))) > len(admins["members"])
    state = lab.call("GET", "entra/state")["users"]
    assert graph.manager(next(user["id"] for user in state if not user["manager"])) is None
    principal = graph.service_principal(lab.facts["client_id"])
    assert len(list(graph.app_role_assigned_to(principal["id"]))) == 2
    assert graph.organization()["displayName"] == "Contoso"


@responses.activate
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [(403, "Authorization_RequestDenied", Forbidden), (404, "Request_ResourceNotFound", NotFound)],
)
def test_refusals_keep_graphs_code(status: int, code: str, kind: type[Exception]) -> None:
    responses.get(f"{GRAPH}/users", status=status, json={"error": {"code": code, "message": "words"}})
    with pytest.raises(kind, match=f"{code}: words"):
        fake()[0].get("/users")


@responses.activate
def test_a_401_is_tried_once_more_with_a_fresh_token() -> None:
    responses.get(f"{GRAPH}/users", status=401, json={"error": {"code": "InvalidAuthenticationToken"}})
    responses.get(f"{GRAPH}/users", json={"value": []})
    graph, auth, _slept = fake()
    assert graph.get("/users") == {"value": []}
    assert auth.forgotten == 1
    responses.replace(responses.GET, f"{GRAPH}/users", status=401)
    responses.add(responses.GET, f"{GRAPH}/users", status=401)
    with pytest.raises(Unauthorised):
        graph.get("/users")


@responses.activate
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (410, "resyncRequired"),
        (400, "Request_UnsupportedQuery"),
        (404, "syncStateNotFound"),
        (400, "SyncStateNotFound"),
        (400, "Directory_ExpiredPageToken"),
    ],
)
def test_every_flavour_of_a_dead_token_asks_for_a_resync(status: int, code: str) -> None:
    link = f"{GRAPH}/users/delta?$deltatoken=x"
    responses.get(link, status=status, json={"error": {"code": code, "message": "m"}})
    with pytest.raises(ResyncRequired):
        list(fake()[0].users_delta([], link))


@responses.activate
def test_waiting_obeys_retry_after_and_the_budget() -> None:
    responses.get(f"{GRAPH}/users", status=429, headers={"Retry-After": "3.5"})
    responses.get(f"{GRAPH}/users", json={"value": []})
    graph, _auth, slept = fake()
    graph.get("/users")
    assert slept == [3.5]
    responses.get(f"{GRAPH}/groups", status=503, headers={"Retry-After": "400"})
    with pytest.raises(BudgetExceeded):
        graph.get("/groups")


@responses.activate
def test_a_server_that_keeps_failing_is_given_up() -> None:
    responses.get(f"{GRAPH}/users", status=500, body="<html>")
    graph, _auth, slept = fake(max_attempts=4)
    with pytest.raises(ServerError):
        graph.get("/users")
    assert slept == [1.0, 2.0, 4.0]


@responses.activate
@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v1.0/users",
        "http://graph.microsoft.com/v1.0/users",
        "https://graph.microsoft.com.evil.example/",
    ],
)
def test_a_link_to_another_host_is_never_followed(link: str) -> None:
    responses.get(f"{GRAPH}/users/delta", json={"value": [], "@odata.nextLink": link})
    with pytest.raises(BadAnswer, match="another host"):
        list(fake()[0].users_delta(["id"]))
    with pytest.raises(BadAnswer):
        list(fake()[0].users_delta(["id"], link))


@responses.activate
@pytest.mark.parametrize("status", STATUSES)
def test_the_token_follows_no_redirect_of_graph(status: int) -> None:
    graph, _auth, slept = fake()
    leads_elsewhere("GET", f"{GRAPH}/users/delta", status, json={"value": [], "@odata.deltaLink": f"{GRAPH}/x"})
    with pytest.raises(Rejected, match=str(status)):
        list(graph.users_delta(["id"]))
    assert (somebody_went_there(), slept) == (False, [])


@responses.activate
@pytest.mark.parametrize(
    "body",
    [
        "<html>sign in</html>",
        "[1]",
        "[" * 100_000,
        '{"value": [{"id": NaN}]}',
        "{}",
        '{"value": null}',
        '{"value": {"id": "1"}}',
        '{"value": ["1"]}',
        '{"error": {"code": "x", "message": "y"}}',
        '{"value": [], "@odata.nextLink": 5}',
        '{"value": [], "@odata.nextLink": "https://[graph"}',
    ],
)
def test_an_answer_that_says_nothing_is_not_an_empty_directory(body: str) -> None:
    for path in ("users/delta", "organization"):
        responses.get(f"{GRAPH}/{path}", body=body)
    with pytest.raises(BadAnswer):
        list(fake()[0].users_delta(["id"]))
    if "nextLink" not in body:
        with pytest.raises(BadAnswer):
            fake()[0].organization()


@responses.activate
def test_a_round_without_its_delta_link_is_not_whole() -> None:
    """A full round that lost its end would let everybody after it look gone."""
    responses.get(f"{GRAPH}/users/delta", json={"value": [{"id": "1"}]})
    with pytest.raises(BadAnswer, match="not whole"):
        list(fake()[0].users_delta(["id"]))


@responses.activate
def test_pages_that_lead_back_to_themselves_are_given_up() -> None:
    first, second = f"{GRAPH}/users/delta?$skiptoken=1", f"{GRAPH}/users/delta?$skiptoken=2"
    responses.get(f"{GRAPH}/users/delta", json={"value": [], "@odata.nextLink": first}, match=[no_query()])
    responses.get(first, json={"value": [], "@odata.nextLink": second}, match=[token("1")])
    responses.get(second, json={"value": [], "@odata.nextLink": first}, match=[token("2")])
    with pytest.raises(BadAnswer, match="twice"):
        list(fake()[0].pages(f"{GRAPH}/users/delta"))
    assert len(responses.calls) == 3


def no_query() -> Any:
    return responses.matchers.query_param_matcher({})


def token(value: str) -> Any:
    return responses.matchers.query_param_matcher({"$skiptoken": value})


@responses.activate
@pytest.mark.parametrize(("status", "kind", "asked"), [(408, ServerError, 3), (501, Rejected, 1)])
def test_only_what_may_pass_later_is_tried_again(status: int, kind: type[Exception], asked: int) -> None:
    responses.get(f"{GRAPH}/users", status=status)
    with pytest.raises(kind):
        fake(max_attempts=3)[0].get("/users")
    assert len(responses.calls) == asked


@responses.activate
def test_the_servers_clock_has_a_zone_however_it_is_written() -> None:
    responses.get(f"{GRAPH}/users", json={}, headers={"Date": "Wed, 21 Oct 2015 07:28:00 -0000"})
    graph = fake()[0]
    graph.get("/users")
    assert graph.server_date == datetime(2015, 10, 21, 7, 28, tzinfo=UTC)


@pytest.mark.parametrize(("script", "words"), [(drips, "longer than"), (cuts, "cut short")])
def test_a_body_that_never_ends_or_ends_early_counts_as_unreachable(script: Any, words: str) -> None:
    with raw_server(script) as server:
        graph, _auth, _slept = fake(max_attempts=1, cloud=Cloud("raw", "", f"http://{server.host}"))
        graph.clock, graph.answer_seconds = time.monotonic, 0.2
        with pytest.raises(Unreachable, match=words):
            graph.get("/users")


def test_one_connection_serves_request_after_request() -> None:
    with raw_server(*[sends(b'{"value": []}')] * 3) as server:
        graph, _auth, _slept = fake(cloud=Cloud("raw", "", f"http://{server.host}"))
        assert [graph.get("/users") for _ in range(3)] == [{"value": []}] * 3
        assert server.connections == 1
        graph._session.close()


@responses.activate
def test_provisioning_jobs_and_their_schema_are_read() -> None:
    principal = f"{GRAPH}/servicePrincipals/5f8d1c0a-3c1e-4c55-9d0e-7a5b0c9e1f21/synchronization/jobs"
    responses.get(principal, json={"value": [{"id": "scim.a/b"}]})
    responses.get(f"{principal}/scim.a%2Fb/schema", json={"synchronizationRules": []})
    graph = fake()[0]
    [job] = graph.synchronization_jobs("5f8d1c0a-3c1e-4c55-9d0e-7a5b0c9e1f21")
    found = graph.synchronization_schema("5f8d1c0a-3c1e-4c55-9d0e-7a5b0c9e1f21", job["id"])
    assert found == {"synchronizationRules": []}


@responses.activate
def test_a_missing_right_for_provisioning_jobs_is_forbidden() -> None:
    responses.get(
        f"{GRAPH}/servicePrincipals/x/synchronization/jobs", status=403, json={"error": {"code": "Forbidden"}}
    )
    with pytest.raises(Forbidden):
        fake()[0].synchronization_jobs("x")


# What comes from outside stays inside its segment of the path (RFC 3986 sections 2.2 and 5.2.4)

BY_ID: list[tuple[str, Callable[[GraphClient, str], Any]]] = [
    ("/users/{}", lambda graph, key: graph.user(key, ["id"])),
    ("/users/{}/manager", lambda graph, key: graph.manager(key)),
    ("/users/{}/memberOf", lambda graph, key: list(graph.member_of(key))),
    ("/groups/{}", lambda graph, key: graph.group(key, ["id"])),
    ("/groups/{}/members", lambda graph, key: list(graph.members(key))),
    ("/groups/{}/transitiveMembers", lambda graph, key: list(graph.transitive_members(key))),
    ("/servicePrincipals/{}", lambda graph, key: graph.application(key)),
    ("/servicePrincipals(appId='{}')", lambda graph, key: graph.service_principal(key)),
    ("/servicePrincipals/{}/appRoleAssignedTo", lambda graph, key: list(graph.app_role_assigned_to(key))),
    ("/servicePrincipals/{}/synchronization/jobs", lambda graph, key: graph.synchronization_jobs(key)),
    ("/servicePrincipals/{}/synchronization/jobs/j/schema", lambda graph, key: graph.synchronization_schema(key, "j")),
    ("/servicePrincipals/p/synchronization/jobs/{}/schema", lambda graph, key: graph.synchronization_schema("p", key)),
]
EVERY_CALL = pytest.mark.parametrize(("path", "call"), BY_ID, ids=[path for path, _call in BY_ID])


@responses.activate
@EVERY_CALL
def test_an_id_stays_one_segment_of_the_path(path: str, call: Callable[[GraphClient, str], Any]) -> None:
    responses.get(re.compile(".*"), json={"value": []})
    call(fake()[0], "../../beta/me?$top=1#é@x")
    [sent] = responses.calls
    segment = "..%2F..%2Fbeta%2Fme%3F%24top%3D1%23%C3%A9%40x"
    assert sent.request.path_url.partition("?")[0] == "/v1.0" + path.format(segment)


@responses.activate
@EVERY_CALL
@pytest.mark.parametrize("key", ["", ".", ".."])
def test_an_id_that_would_change_the_path_is_refused_unsent(
    path: str, call: Callable[[GraphClient, str], Any], key: str
) -> None:
    with pytest.raises(InvalidId) as caught:
        call(fake()[0], key)
    assert caught.value.permanent
    assert len(responses.calls) == 0


@responses.activate
def test_an_apostrophe_does_not_end_the_literal() -> None:
    responses.get(re.compile(".*"), json={})
    fake()[0].service_principal("x')/../users('y")
    [sent] = responses.calls
    assert sent.request.path_url == "/v1.0/servicePrincipals(appId='x%27%27%29%2F..%2Fusers%28%27%27y')"
