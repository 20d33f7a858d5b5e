"""Table B, answers that are wrong: failed, cut, foreign, endless, too big. Nobody loses anything, at any point of the round."""

import threading
import time
from typing import Any

import pytest
from django.db import connection

from sync.connection.clients import graph_client
from sync.graph import client
from sync.models import Run, Tenant
from sync.runs.requests import request_run
from sync.worker import execution
from tests.world.company import Picture, fault, graph_requests, hire, lost, picture, switch, writes
from tests.world.examples import nightly
from tests.world.lab import Lab
from tests.world.programs import until
from tests.world.tenant import attempt, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(36, groups=6, memberships=72)]

# Where a full round of the company can break: four pages of people, five or so of groups with portions of members.
POINTS = [("users/delta", 0), ("users/delta", 2), ("groups/delta", 0), ("groups/delta", 3)]
DELTA = "/v1.0/users/delta?$deltatoken=x"


def failed_and_harmless(tenant: Tenant, lab: Lab, before: Picture, kind: str = Run.Kind.FULL) -> Run:
    run = attempt(tenant, kind)
    assert run.state == Run.State.FAILED
    assert writes(lab) == []
    assert picture(lab) == before
    assert tenant.snapshots.order_by("-pk")[0].sealed_at is None
    return run


def recovers(tenant: Tenant, lab: Lab, before: Picture) -> None:
    lab.call("DELETE", "faults")
    switch(lab, endless="", foreign_link="", lose_delta_link=False, dead_next_links=False)
    assert sync(tenant).state == Run.State.COMPLETED
    assert picture(lab) == before


@pytest.mark.fault("B3")
@pytest.mark.parametrize(("path", "page"), POINTS)
@pytest.mark.parametrize("status", [503, *nightly(500)])
def test_a_page_that_fails_again_and_again_ends_the_run_and_removes_nobody(
    settled: Tenant, lab: Lab, path: str, page: int, status: int
) -> None:
    before = picture(lab)
    fault(lab, "status", path, status=status, skip=page)
    run = failed_and_harmless(settled, lab, before)
    assert run.problem == "graph-down"
    recovers(settled, lab, before)


@pytest.mark.fault("B3")
@pytest.mark.parametrize("path", ["users/delta", "groups/delta"])
def test_an_interrupted_round_goes_on_where_it_stopped(settled: Tenant, lab: Lab, path: str) -> None:
    fault(lab, "status", path, status=503, skip=2)
    attempt(settled, Run.Kind.FULL)
    snapshot = settled.snapshots.order_by("-pk")[0]
    lab.call("DELETE", "faults")
    lab.call("DELETE", "graph/ledger")
    sync(settled, Run.Kind.FULL)
    assert settled.snapshots.order_by("-pk")[0] == snapshot
    first = [request for request in graph_requests(lab, path) if "skiptoken" not in request["query"]]
    assert first == []


@pytest.mark.fault("B6")
@pytest.mark.parametrize(("path", "page"), POINTS)
def test_a_body_that_is_cut_is_asked_for_again_and_never_used_in_part(
    settled: Tenant, lab: Lab, path: str, page: int
) -> None:
    before = picture(lab)
    fault(lab, "truncate_body", path, times=2, skip=page)
    assert sync(settled, Run.Kind.FULL).state == Run.State.COMPLETED
    fault(lab, "truncate_body", path, skip=page)
    failed_and_harmless(settled, lab, before)


@pytest.mark.fault("B7")
@pytest.mark.parametrize(("path", "page"), POINTS)
def test_a_login_page_in_place_of_an_answer_is_an_error(settled: Tenant, lab: Lab, path: str, page: int) -> None:
    before = picture(lab)
    fault(lab, "html", path, skip=page)
    run = failed_and_harmless(settled, lab, before)
    assert "<html" not in run.problem_detail.lower()
    lab.call("DELETE", "faults")
    assert sync(settled).state == Run.State.COMPLETED


BROKEN = {
    "an error with status 200": '{"error": {"code": "generalException", "message": "no"}}',
    "no list": '{"@odata.deltaLink": "LINK"}',
    "null for the list": '{"value": null, "@odata.deltaLink": "LINK"}',
    "a list of numbers": '{"value": [1], "@odata.deltaLink": "LINK"}',
    "an object without id": '{"value": [{"displayName": "Who"}], "@odata.deltaLink": "LINK"}',
    "an id that is no text": '{"value": [{"id": 7}], "@odata.deltaLink": "LINK"}',
    "members that are no list": '{"value": [{"id": "a", "members@delta": 3}], "@odata.deltaLink": "LINK"}',
}
ODD = {
    "a name twice": '{"value": [{"id": "a", "id": "b"}], "@odata.deltaLink": "LINK"}',
    "NaN": '{"value": [{"id": "a", "n": NaN}], "@odata.deltaLink": "LINK"}',
    "a number without end": '{"value": [{"id": "a", "n": 1e999}], "@odata.deltaLink": "LINK"}',
    "ten thousand levels": '{"value": [{"id": "a", "n": ' + "[" * 10_000 + "]" * 10_000 + "}]}",
}


@pytest.mark.fault("B8")
@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("kind", [Run.Kind.FULL, Run.Kind.CHANGES])
def test_an_answer_of_another_shape_is_an_error(settled: Tenant, lab: Lab, body: str, kind: str) -> None:
    before = picture(lab)
    body = body.replace("LINK", lab.facts["graph"] + DELTA)
    fault(lab, "status", "/(users|groups)/delta", status=200, body=body)
    failed_and_harmless(settled, lab, before, kind)


@pytest.mark.fault("B28")
@pytest.mark.parametrize("body", ODD.values(), ids=ODD)
def test_json_that_means_nothing_certain_is_refused(settled: Tenant, lab: Lab, body: str) -> None:
    before = picture(lab)
    fault(lab, "status", "users/delta", status=200, body=body.replace("LINK", lab.facts["graph"] + DELTA))
    failed_and_harmless(settled, lab, before)


@pytest.mark.fault("B28")
def test_characters_that_no_database_stores_are_left_out(settled: Tenant, lab: Lab) -> None:
    person = settled.directory_users.order_by("pk")[0]
    item = f'{{"id": "{person.object_id}", "jobTitle": "Cle\\u0000rk\\ud800"}}'
    body = f'{{"value": [{item}], "@odata.deltaLink": "{lab.facts["graph"]}{DELTA}"}}'
    fault(lab, "status", "users/delta", status=200, body=body, times=1)
    assert sync(settled).state == Run.State.COMPLETED
    person.refresh_from_db()
    assert person.properties["jobTitle"] == "Clerk"


@pytest.mark.fault("B9")
@pytest.mark.parametrize("endless", ["same", "empty"])
def test_a_round_without_end_is_given_up(
    settled: Tenant, lab: Lab, endless: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_PAGES", 30)
    before = picture(lab)
    switch(lab, endless=endless)
    failed_and_harmless(settled, lab, before)
    assert len(graph_requests(lab, "delta")) <= 40
    recovers(settled, lab, before)


@pytest.mark.fault("B10")
def test_a_next_link_that_is_gone_begins_the_round_anew_once(settled: Tenant, lab: Lab) -> None:
    before = picture(lab)
    switch(lab, dead_next_links=True)
    failed_and_harmless(settled, lab, before)
    assert len(graph_requests(lab, "users/delta")) == 4
    recovers(settled, lab, before)
    fault(lab, "status", "users/delta", status=404, skip=1, times=1, body='{"error": {"code": "ResourceNotFound"}}')
    assert sync(settled, Run.Kind.FULL).state == Run.State.COMPLETED
    assert picture(lab) == before


@pytest.mark.fault("B11")
@pytest.mark.parametrize("link", ["next", "delta"])
def test_a_link_to_another_host_is_not_followed(settled: Tenant, lab: Lab, link: str) -> None:
    before = picture(lab)
    switch(lab, foreign_link=link)
    failed_and_harmless(settled, lab, before)
    assert lab.call("GET", "elsewhere") == []
    recovers(settled, lab, before)


@pytest.mark.fault("B24")
@pytest.mark.parametrize("wait", ["0.01", "Wed, 21 Oct 2015 07:28:00 GMT", "-5", "soon", None])
def test_throttling_is_waited_for_whatever_it_says(settled: Tenant, lab: Lab, wait: str | None) -> None:
    before = picture(lab)
    fault(lab, "status", "delta", status=429, times=3, **({"retry_after": wait} if wait else {}))
    assert sync(settled, Run.Kind.FULL).state == Run.State.COMPLETED
    assert picture(lab) == before


@pytest.mark.fault("B24")
@pytest.mark.parametrize("wait", ["1000000000", "inf"])
def test_nobody_waits_for_years(settled: Tenant, lab: Lab, wait: str) -> None:
    fault(lab, "status", "users/delta", status=429, retry_after=wait)
    began = time.monotonic()
    failed_and_harmless(settled, lab, picture(lab))
    assert time.monotonic() - began < 10


@pytest.mark.fault("B25")
@pytest.mark.parametrize("path", ["users/delta", "groups/delta"])
def test_a_permission_taken_away_is_no_empty_directory(settled: Tenant, lab: Lab, path: str) -> None:
    before = picture(lab)
    fault(lab, "status", path, status=403, body='{"error": {"code": "Authorization_RequestDenied"}}')
    assert failed_and_harmless(settled, lab, before).problem == "graph-denied"


def patiently(monkeypatch: pytest.MonkeyPatch, **limits: Any) -> None:
    def made(tenant: Tenant, **options: Any) -> client.GraphClient:
        graph = graph_client(tenant, **options)
        for name, value in limits.items():
            setattr(graph, name, value)
        return graph

    monkeypatch.setattr("sync.connection.clients.graph_client", made)


@pytest.mark.fault("B26")
def test_an_answer_that_drips_meets_a_time_limit(settled: Tenant, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    patiently(monkeypatch, answer_seconds=0.3, max_attempts=2)
    before = picture(lab)
    fault(lab, "slow_body", "users/delta", seconds=0.05)
    began = time.monotonic()
    failed_and_harmless(settled, lab, before)
    assert time.monotonic() - began < 10


@pytest.mark.fault("B27")
def test_an_answer_that_unpacks_without_end_is_cut_off(settled: Tenant, lab: Lab) -> None:
    before = picture(lab)
    fault(lab, "big_body", "groups/delta")
    assert "larger than" in failed_and_harmless(settled, lab, before).problem_detail


@pytest.mark.parametrize(("where", "phase"), [("groups/delta", "read"), ("/token", "connect")])
def test_a_run_stops_within_seconds_although_graph_or_the_sign_in_hangs(
    settled: Tenant, lab: Lab, where: str, phase: str
) -> None:
    fault(lab, "hold_before", where, part="graph" if phase == "read" else "entra")
    run = request_run(tenant=settled, kind=Run.Kind.FULL, trigger=Run.Trigger.COMMAND, enqueue=False)
    stop = StopSoon(run, phase)
    finished = execution.execute_run(run.pk)
    stop.thread.join()
    assert finished is not None
    assert finished.state == Run.State.CANCELLED
    assert time.monotonic() - stop.asked < 5


class StopSoon:
    """Asks the run to stop as soon as it is in this phase."""

    def __init__(self, run: Run, phase: str) -> None:
        self.run, self.phase, self.asked = run, phase, 0.0
        self.thread = threading.Thread(target=self._ask)
        self.thread.start()

    def _ask(self) -> None:
        found = Run.objects.filter(pk=self.run.pk, **{f"phases__{self.phase}__state": "running"})
        until(found.exists)
        self.asked = time.monotonic()
        found.update(state=Run.State.CANCELLING)
        connection.close()


def test_a_new_person_arrives_after_all_that(settled: Tenant, lab: Lab) -> None:
    person = hire(lab, "Arri Ving", lab.entra_group("Team 0001"))
    before = picture(lab)
    sync(settled)
    assert picture(lab).active == before.active | {person["id"]}
    assert lost(before, picture(lab)) == []
