"""The lab's change notifications: the handshake, what is refused, and what is sent, as Graph's documents have it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from lab.http import Request, Response, Server, serve
from tests.lab.callers import GraphCaller
from tests.world.company import group_of, hire
from tests.world.lab import Lab
from tests.world.programs import until

pytestmark = pytest.mark.pure


class Receiver:
    """Answers handshakes, unless it is `deaf`; keeps what comes."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.deaf = False
        self.server: Server = serve(self.answer, "127.0.0.1", 0, None)

    @property
    def address(self) -> str:
        return f"http://localhost:{self.server.port}/hook"

    def answer(self, request: Request) -> Response:
        if request.query:
            token = parse_qs(request.query)["validationToken"][0]
            return Response(200, b"no" if self.deaf else token.encode(), {"Content-Type": "text/plain; charset=utf-8"})
        self.items += json.loads(request.body)["value"]
        return Response(202)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.server.close()


def ask(lab: Lab, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    graph = GraphCaller(lab)
    answer = graph.session.request(method, f"{lab.facts['graph']}/v1.0{path}", json=body, timeout=20)
    return answer.status_code, answer.json() if answer.content else None


def asked(receiver: Receiver, **changes: Any) -> dict[str, Any]:
    end = (datetime.now(UTC) + timedelta(days=20)).isoformat()
    facts = {"changeType": "updated,deleted", "resource": "groups", "clientState": "known to two"}
    return facts | {"notificationUrl": receiver.address, "expirationDateTime": end} | changes


def test_a_change_is_notified_to_whoever_subscribed(lab: Lab, receiver: Receiver) -> None:
    status, made = ask(lab, "POST", "/subscriptions", asked(receiver))
    assert (status, made["clientState"]) == (201, None)
    person = hire(lab, "Ann Notified")
    group = group_of(lab, "Notified", [person])
    [item] = until(lambda: [one for one in receiver.items if one["resourceData"]["id"] == group["id"]])[:1]
    assert item["subscriptionId"] == made["id"]
    assert (item["clientState"], item["changeType"]) == ("known to two", "updated")
    assert person["id"] not in json.dumps(receiver.items)
    assert ask(lab, "DELETE", f"/subscriptions/{made['id']}")[0] == 204
    assert ask(lab, "PATCH", f"/subscriptions/{made['id']}", asked(receiver))[0] == 404


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"resource": "devices"}, 400),
        ({"changeType": "created"}, 400),
        ({"clientState": "x" * 129}, 400),
        ({"expirationDateTime": (datetime.now(UTC) + timedelta(days=30)).isoformat()}, 400),
        ({"expirationDateTime": "soon"}, 400),
        ({"notificationUrl": "https://elsewhere.example/hook"}, 400),
    ],
)
def test_what_graph_would_not_take_is_refused(
    lab: Lab, receiver: Receiver, changes: dict[str, Any], status: int
) -> None:
    assert ask(lab, "POST", "/subscriptions", asked(receiver, **changes))[0] == status


def test_whoever_does_not_send_the_token_back_gets_no_subscription(lab: Lab, receiver: Receiver) -> None:
    receiver.deaf = True
    status, answer = ask(lab, "POST", "/subscriptions", asked(receiver))
    assert status == 400
    assert "must respond with 200 OK" in answer["error"]["message"]


def test_a_company_that_returns_has_the_subscriptions_of_then(lab: Lab, receiver: Receiver) -> None:
    _, before = ask(lab, "POST", "/subscriptions", asked(receiver))
    lab.call("PUT", "kept/subscribed")
    for n in range(3):
        hire(lab, f"Nobody {n}")
    _, after = ask(lab, "POST", "/subscriptions", asked(receiver))
    lab.call("POST", "kept/subscribed")
    there = {one["id"] for one in ask(lab, "GET", "/subscriptions")[1]["value"]}
    assert there & {before["id"], after["id"]} == {before["id"]}
    receiver.items.clear()
    group = group_of(lab, "Noticed", [hire(lab, "Ann Returned")])
    until(lambda: [one for one in receiver.items if one["resourceData"]["id"] == group["id"]])
    assert {one["subscriptionId"] for one in receiver.items} & {before["id"], after["id"]} == {before["id"]}
