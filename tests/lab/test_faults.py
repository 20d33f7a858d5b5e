"""Faults that any part may show, over real HTTPS."""

import os
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.lab.callers import GraphCaller, person
from tests.world.lab import Lab

pytestmark = pytest.mark.company(30, groups=3, memberships=30, aws_bad_tls=True)


@pytest.fixture
def graph(lab: Lab) -> Iterator[GraphCaller]:
    caller = GraphCaller(lab)
    yield caller
    caller.session.close()
    lab.call("DELETE", "faults")


class Scim:
    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = lab.facts["ca_file"]
        self.session.headers["Authorization"] = f"Bearer {lab.facts['scim_token']}"

    def send(self, method: str, path: str, body: Any = None) -> requests.Response:
        url = self.lab.facts["scim_endpoint"] + path
        return self.session.request(method, url, json=body, timeout=20, allow_redirects=False)

    def find(self, name: str) -> list[Any]:
        found: list[Any] = self.send("GET", f'Users?filter=userName eq "{name}@corp.example"').json()["Resources"]
        return found


@pytest.fixture
def scim(lab: Lab) -> Iterator[Scim]:
    lab.call("DELETE", "aws/users")
    lab.forget_requests()
    caller = Scim(lab)
    yield caller
    caller.session.close()
    lab.call("DELETE", "faults")


def fault(lab: Lab, part: str, kind: str, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = lab.call("POST", "faults", {"part": part, "kind": kind, **more})
    return made


def test_a_truncated_body_is_shorter_than_announced(lab: Lab, graph: GraphCaller) -> None:
    fault(lab, "graph", "truncate_body", match="users")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        graph.send("/users?$top=5")
    assert graph.get("/users?$top=5")[0] == 200


def test_a_slow_body_drips(lab: Lab, graph: GraphCaller) -> None:
    fault(lab, "graph", "slow_body", match="organization", seconds=0.002)
    began = time.monotonic()
    answer = graph.send("/organization")
    assert answer.json()["value"]
    assert time.monotonic() - began > 0.002 * len(answer.content)


def test_a_big_body_is_small_on_the_wire_and_huge_unpacked(lab: Lab, graph: GraphCaller) -> None:
    fault(lab, "graph", "big_body", match="users")
    url = f"{lab.facts['graph']}/v1.0/users"
    with graph.session.get(url, stream=True, timeout=20) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert int(answer.headers["Content-Length"]) < 1024 * 1024
        assert sum(len(chunk) for chunk in answer.iter_content(1024 * 1024)) > 60 * 1024 * 1024


def test_a_sign_in_page_stands_in_for_json(lab: Lab, graph: GraphCaller) -> None:
    fault(lab, "graph", "html", match="users")
    answer = graph.send("/users")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<h1>Sign in</h1>" in answer.text


def test_a_redirect_names_a_host_that_notes_credentials(lab: Lab, graph: GraphCaller) -> None:
    lab.call("DELETE", "elsewhere")
    fault(lab, "graph", "redirect", match="users", location=lab.facts["elsewhere"] + "trap")
    answer = graph.send("/users")
    assert (answer.status_code, answer.headers["Location"]) == (302, lab.facts["elsewhere"] + "trap")
    assert lab.call("GET", "elsewhere") == []
    graph.send(answer.headers["Location"])
    visit = {"method": "GET", "path": "/trap", "query": "", "authorization": True}
    assert lab.call("GET", "elsewhere") == [visit]


@pytest.mark.parametrize(("kind", "held"), [("reset", 0), ("reset_after", 1)])
def test_a_reset_breaks_the_connection(lab: Lab, scim: Scim, kind: str, held: int) -> None:
    fault(lab, "aws", kind, match="POST")
    with pytest.raises(requests.ConnectionError):
        scim.send("POST", "Users", person("ada"))
    assert len(lab.aws()["users"]) == held
    assert [(row["applied"], row["answered"]) for row in lab.requests()] == [(bool(held), False)]


def test_a_reset_is_one_on_the_wire(lab: Lab, scim: Scim) -> None:
    """Read below TLS: Python's ssl reports some resets as an end."""
    fault(lab, "aws", "reset")
    host, _, port = lab.scim_host.partition(":")
    context = ssl.create_default_context(cafile=lab.facts["ca_file"])
    with (
        socket.create_connection((host, int(port)), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        secure.sendall(b"GET /x HTTP/1.1\r\n\r\n")
        secure.setblocking(True)
        with pytest.raises(ConnectionResetError):
            read_to_the_end(secure.fileno())


def read_to_the_end(descriptor: int) -> None:
    while os.read(descriptor, 10_000):
        pass


def test_a_refusal_carries_headers_and_meets_only_the_body_it_is_for(lab: Lab, scim: Scim) -> None:
    fault(lab, "aws", "status", status=412, headers={"ETag": '"7"'}, match_body="bob@", times=-1)
    assert scim.send("POST", "Users", person("ada")).status_code == 201
    refused = scim.send("POST", "Users", person("bob"))
    assert (refused.status_code, refused.headers["ETag"]) == (412, '"7"')


def test_a_fault_may_be_for_a_query(lab: Lab, graph: GraphCaller) -> None:
    fault(lab, "graph", "status", status=503, match_query="skiptoken", times=-1)
    page = graph.get("/users?$top=5")[1]
    assert graph.send(page["@odata.nextLink"]).status_code == 503


def test_each_third_request_fails(lab: Lab, scim: Scim) -> None:
    fault(lab, "aws", "fail_share", every=3, times=-1)
    answers = [scim.send("GET", "ServiceProviderConfig").status_code for _ in range(6)]
    assert answers == [200, 200, 500, 200, 200, 500]


def test_a_share_of_the_objects_fails_each_time(lab: Lab, scim: Scim) -> None:
    fault(lab, "aws", "fail_share", share=0.4, match="POST", times=-1)
    people = [person(f"p{n}") for n in range(50)]
    failed = [scim.send("POST", "Users", one).status_code == 500 for one in people]
    assert 10 <= sum(failed) <= 30
    assert [scim.send("POST", "Users", one).status_code == 500 for one in people] == failed


def test_a_late_write_is_applied_when_nobody_waits(lab: Lab, scim: Scim) -> None:
    fault(lab, "aws", "apply_late", match="POST", seconds=0.3)
    with pytest.raises(requests.ConnectionError):
        scim.send("POST", "Users", person("ada"))
    assert scim.find("ada") == []
    end = time.monotonic() + 10
    while not lab.aws()["users"] and time.monotonic() < end:
        pass
    assert len(scim.find("ada")) == 1
    assert scim.send("POST", "Users", person("ada")).status_code == 409
    late = lab.requests()[0]
    assert (late["applied"], late["answered"], late["status"]) == (True, False, 201)


@pytest.mark.parametrize(("what", "same"), [("user", False), ("id", True), ("externalId", False)])
def test_an_answer_about_somebody_else(lab: Lab, scim: Scim, what: str, same: bool) -> None:
    fault(lab, "aws", "wrong_body", what=what, match="POST")
    answer = scim.send("POST", "Users", person("ada", externalId="e1"))
    assert answer.status_code == 201
    kept = lab.aws()["users"][0]
    assert kept["externalId"] == "e1"
    assert (answer.json()["externalId"] == "e1") == same
    assert (answer.json()["id"] == kept["id"]) == (what == "externalId")


def test_a_body_of_ones_own_stands_in_after_applying(lab: Lab, scim: Scim) -> None:
    fault(lab, "aws", "wrong_body", body="{}", match="POST")
    assert scim.send("POST", "Users", person("ada")).json() == {}
    assert len(lab.aws()["users"]) == 1


def test_success_without_a_body(lab: Lab, scim: Scim) -> None:
    fault(lab, "aws", "empty_body", match="POST")
    answer = scim.send("POST", "Users", person("ada"))
    assert (answer.status_code, answer.content) == (201, b"")
    assert len(lab.aws()["users"]) == 1


def test_success_with_a_page_for_people(lab: Lab, scim: Scim) -> None:
    fault(lab, "aws", "html_after", match="POST")
    answer = scim.send("POST", "Users", person("ada"))
    assert answer.status_code == 201
    assert "<html>" in answer.text
    assert len(lab.aws()["users"]) == 1
    assert "<html>" in lab.requests()[0]["response"]


def test_a_page_before_applying_applies_nothing(lab: Lab, scim: Scim) -> None:
    fault(lab, "aws", "html", match="POST")
    assert scim.send("POST", "Users", person("ada")).status_code == 200
    assert lab.aws()["users"] == []
    assert [row["applied"] for row in lab.requests()] == [False]


def test_a_filter_finds_two(lab: Lab, scim: Scim) -> None:
    scim.send("POST", "Users", person("ada"))
    fault(lab, "aws", "two_matches", match="GET")
    found = scim.find("ada")
    assert len({user["id"] for user in found}) == 2
    assert len(scim.find("ada")) == 1


@pytest.mark.parametrize(
    ("flaw", "words"),
    [("expired", "expired"), ("wrong_host", "ostname mismatch"), ("self_signed", "self.signed")],
)
def test_certificates_that_nobody_may_trust(lab: Lab, scim: Scim, flaw: str, words: str) -> None:
    with pytest.raises(requests.exceptions.SSLError, match=words):
        scim.session.get(lab.facts["bad_tls"][flaw] + "Users", timeout=10)
    assert lab.requests() == []


def test_the_good_certificate_is_trusted_beside_the_bad_ones(lab: Lab, scim: Scim) -> None:
    assert ssl.create_default_context(cafile=lab.facts["ca_file"]).cert_store_stats()["x509_ca"] == 2
    assert scim.send("GET", "ServiceProviderConfig").status_code == 200


def test_nonsense_makes_no_fault(lab: Lab) -> None:
    for facts in ({"part": "aws", "kind": "x"}, {"part": "aws", "kind": "status", "every": 0}):
        answer = lab.session.post(f"{lab.facts['console']}api/faults", json=facts, timeout=10)
        assert answer.status_code == 400


def test_requests_in_flight_are_counted_anew(lab: Lab, scim: Scim) -> None:
    scim.send("GET", "ServiceProviderConfig")
    lab.call("DELETE", "aws/counts")
    assert lab.call("GET", "aws/counts")["max_in_flight"] == 0
    scim.send("GET", "ServiceProviderConfig")
    counts = lab.call("GET", "aws/counts")
    assert (counts["max_in_flight"], counts["GET"], counts["throttled"]) == (1, 2, 0)
