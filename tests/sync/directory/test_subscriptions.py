"""Subscriptions at Graph: made while provisioning is on, renewed by the day, made anew when they are gone, ended when nobody needs them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from sync.connection.clients import graph_client
from sync.directory import live, subscriptions
from sync.graph.errors import Forbidden, NotFound, Rejected
from sync.models import AuditEntry, EntraConnection, GraphSubscription, Run, Tenant
from sync.tenants.services import delete_tenant
from sync.worker import scheduling
from sync.worker.execution import execute_run
from tests.world.company import change_members, group_of, hire
from tests.world.lab import Lab
from tests.world.programs import until
from tests.world.second_person import has_been_on
from tests.world.tenant import ACTOR, assign, sync

END = {"expirationDateTime": (timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")}


class Graph:
    """What was asked, and what it answers or raises by the name of the call."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.answers: dict[str, Any] = {}

    def __call__(self, _tenant: Tenant, **_facts: Any) -> "Graph":
        return self

    def _answer(self, name: str, facts: Any) -> Any:
        self.asked.append((name, facts))
        found = self.answers.get(name, {"id": f"s{len(self.asked)}"})
        found = found.pop(0) if isinstance(found, list) else found
        if isinstance(found, Exception):
            raise found
        return found

    def create_subscription(self, facts: Any) -> Any:
        return self._answer("create", facts)

    def renew_subscription(self, subscription_id: str, end: Any) -> Any:
        return self._answer("renew", subscription_id)

    def delete_subscription(self, subscription_id: str) -> None:
        self._answer("delete", subscription_id)


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Graph:
    settings.PUBLIC_URL = "https://lockstep.example"
    found = Graph()
    monkeypatch.setattr(subscriptions, "graph_client", found)
    monkeypatch.setattr("sync.queue.send", lambda task, key: subscriptions.keep(key))
    return found


@pytest.fixture
def on(ready: Tenant) -> Tenant:
    return has_been_on(ready)


def look(after: timedelta = timedelta()) -> list[str]:
    """What was made of it so much later: ids at Graph, by resource."""
    GraphSubscription.objects.update(next_at=timezone.now())
    if after:
        GraphSubscription.objects.update(renewed_at=timezone.now() - after)
    subscriptions.ask_for_due()
    return list(GraphSubscription.objects.order_by("resource").values_list("subscription_id", flat=True))


@pytest.mark.django_db
def test_both_are_made_with_a_secret_and_looked_at_without_asking_again(on: Tenant, graph: Graph) -> None:
    assert sorted(look()) == sorted(look()) == ["s1", "s2"]
    assert [name for name, _facts in graph.asked] == ["create", "create"]
    facts = graph.asked[0][1]
    assert facts["notificationUrl"] == "https://lockstep.example/api/graph/notifications"
    assert facts["lifecycleNotificationUrl"] == facts["notificationUrl"]
    assert len({one["clientState"] for _name, one in graph.asked}) == 2
    assert facts["clientState"] not in str(list(GraphSubscription.objects.values()))


@pytest.mark.django_db
def test_they_are_renewed_by_the_day_and_made_anew_when_they_are_gone(on: Tenant, graph: Graph) -> None:
    before = look()
    look(timedelta(hours=25))
    assert [name for name, _facts in graph.asked[2:]] == ["renew", "renew"]
    graph.answers["renew"] = NotFound("gone", status=404)
    look(timedelta(hours=25))
    assert set(look()).isdisjoint(before)


@pytest.mark.django_db
def test_another_address_or_app_makes_them_anew(on: Tenant, graph: Graph, settings: Any) -> None:
    before = look()
    settings.PUBLIC_URL = "https://other.example"
    assert set(look()).isdisjoint(before)
    assert {facts for name, facts in graph.asked if name == "delete"} == set(before)


@pytest.mark.django_db
def test_they_end_when_provisioning_is_turned_off(on: Tenant, graph: Graph) -> None:
    before = look()
    Tenant.objects.update(enabled=False)
    assert look() == []
    assert {facts for name, facts in graph.asked if name == "delete"} == set(before)


@pytest.mark.django_db
def test_nothing_is_asked_for_a_tenant_that_is_being_deleted(on: Tenant, graph: Graph) -> None:
    look()
    asked = len(graph.asked)
    EntraConnection.objects.all().delete()
    look(timedelta(hours=25))
    assert len(graph.asked) == asked


@pytest.mark.django_db
def test_a_right_that_lacks_is_said_and_tried_again_with_growing_pauses(on: Tenant, graph: Graph) -> None:
    graph.answers["create"] = Forbidden("Insufficient privileges", status=403)
    pauses = []
    for _ in range(9):
        look()
        row = GraphSubscription.objects.latest("pk")
        pauses.append(round((row.next_at - timezone.now()).total_seconds()))
    assert (row.state, row.error) == ("failing", "Insufficient privileges")
    assert pauses == sorted(pauses)
    assert pauses[0] < 70
    assert pauses[-1] <= 3600


@pytest.mark.django_db
def test_a_shorter_life_is_asked_for_where_the_long_one_is_refused(on: Tenant, graph: Graph) -> None:
    graph.answers["create"] = [Rejected("too long", status=400), {"id": "a"}, {"id": "b"}]
    look()
    ends = [facts["expirationDateTime"] for _name, facts in graph.asked]
    assert len(ends) == 3
    assert ends[1] < ends[0] == ends[2]


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["http://lockstep.example", "http://localhost:8000", "https://localhost:8000"])
def test_nothing_is_asked_for_where_microsoft_cannot_reach_us(
    on: Tenant, graph: Graph, settings: Any, url: str
) -> None:
    settings.PUBLIC_URL = url
    with CaptureQueriesContext(connection) as asked:
        assert look() == []
    assert graph.asked == []
    # The address says it: no tenant is looked at.
    assert [one["sql"] for one in asked if "sync_tenant" in one["sql"]] == []


@pytest.fixture
def subscribed(
    wired: Tenant, lab: Lab, live_server: LiveServer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Tenant:
    """Everything but the clock is real."""
    settings.PUBLIC_URL, settings.LAB_CONSOLE = live_server.url, lab.facts["console"]
    EntraConnection.objects.update(changed_at=timezone.now(), tested_at=timezone.now(), test_passed=True)
    has_been_on(wired)
    told: list[tuple[str, int]] = []
    monkeypatch.setattr("sync.queue.send", lambda task, key: told.append((task, key)))
    monkeypatch.setattr(scheduling, "BREATH", timedelta())
    subscriptions.ask_for_due()
    for _task, key in told:
        subscriptions.keep(key)
    assert [row.state for row in GraphSubscription.objects.all()] == ["active", "active"]
    return wired


@pytest.mark.django_db(transaction=True)
def test_an_activation_is_in_aws_at_once_and_out_again(subscribed: Tenant, lab: Lab) -> None:
    """As PIM for groups does it: somebody becomes a member for a while."""
    ann, team = hire(lab, "Ann Active"), group_of(lab, "Admins now and then")
    assign(subscribed, team)
    sync(subscribed)
    for change, members in (({"add": [ann["id"]]}, 1), ({"remove": [ann["id"]]}, 0)):
        carry_out(lambda change=change: change_members(lab, team, **change))
        assert members_in_aws(lab) == members


@pytest.mark.django_db(transaction=True)
def test_with_a_deleted_tenant_they_end_at_microsoft(subscribed: Tenant) -> None:
    """Right after it was turned off, before any beat has looked."""
    graph = graph_client(subscribed)
    ids = list(GraphSubscription.objects.values_list("subscription_id", flat=True))
    for one in ids:
        graph.renew_subscription(one, END)
    Tenant.objects.update(enabled=False)
    assert delete_tenant(tenant=subscribed, actor=ACTOR) is None
    for one in ids:
        with pytest.raises(NotFound):
            graph.renew_subscription(one, END)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("answer", "left"), [({}, False), (NotFound("gone", status=404), False), (Forbidden("no", status=403), True)]
)
def test_what_could_not_be_ended_with_its_tenant_is_told(
    on: Tenant, graph: Graph, monkeypatch: pytest.MonkeyPatch, answer: Any, left: bool
) -> None:
    monkeypatch.setattr(live, "client_of", graph)
    look()
    ends = GraphSubscription.objects.latest("expires_at").expires_at
    graph.answers["delete"] = answer
    Tenant.objects.update(enabled=False)
    assert delete_tenant(tenant=on, actor=ACTOR) == (ends if left else None)
    before = AuditEntry.objects.get(verb="tenant.delete").before
    assert ("notifications_until" in (before or {})) is left


@pytest.mark.django_db
def test_a_tenant_that_stays_after_all_gets_them_anew(
    on: Tenant, graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody turns it on between the question and the deletion."""
    monkeypatch.setattr(live, "client_of", graph)
    before = look()
    assert subscriptions.end_all(on) is None
    assert set(look()).isdisjoint(before)


def carry_out(change: Callable[[], None]) -> None:
    """What follows from a change, by the notification alone."""
    GraphSubscription.objects.update(hinted_at=None)
    change()
    until(lambda: GraphSubscription.objects.filter(resource="groups").exclude(hinted_at=None).exists())
    scheduling.look(Tenant.objects.get().pk)
    run = Run.objects.latest("pk")
    assert run.trigger == "change"
    execute_run(run.pk)


def members_in_aws(lab: Lab) -> int:
    [group] = [one for one in lab.aws()["groups"] if one["displayName"] == "Admins now and then"]
    return len(group["members"])
