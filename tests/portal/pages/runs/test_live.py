"""How a run goes: its pace as a range, what is unusual, one row a person."""

import datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.models import Role
from portal.pages.runs.live import pace_of, person_rows, time_left, unusual_of
from sync.models import AuditEntry, Configuration, HeldChange, Hold, Link, Operation, Run, Tenant
from sync.runs.results import count_results
from tests.world.people import person, sign_in
from tests.world.runs import new_run, operation

pytestmark = pytest.mark.django_db
WRITING = {"people": {"state": "running", "seconds": 0.0, "facts": {}}}


def guid(number: int) -> str:
    return f"{number:08}-1111-4111-8111-111111111111"


def writing(tenant: Tenant, done: int, planned: int, seconds: float) -> Run:
    """A run whose finished operations are spread evenly over the last seconds."""
    began = timezone.now() - datetime.timedelta(seconds=seconds)
    run = new_run(tenant, state="running", phases=WRITING, planned=planned, started_at=began)
    Run.objects.filter(pk=run.pk).update(created_at=began)
    for n in range(planned):
        facts = {"object_id": guid(n), "result": "created" if n < done else "planned"}
        row = operation(tenant, run, **facts)
        at = began + datetime.timedelta(seconds=seconds * (n + 1) / (done + 1))
        Operation.objects.filter(pk=row.pk).update(finished_at=at if n < done else None)
    run.refresh_from_db()
    return run


def test_a_run_that_writes_says_how_fast_and_how_long_as_a_range(tenant: Tenant) -> None:
    pace = pace_of(writing(tenant, done=50, planned=200, seconds=50))
    assert pace is not None
    assert (pace.done, pace.total) == (50, 200)
    assert pace.per_second == pytest.approx(1.0, abs=0.1)
    assert pace.left == "about 1–4 min left"


@pytest.mark.parametrize(("done", "seconds"), [(50, 10), (3, 50)])
def test_before_half_a_minute_or_a_twentieth_nobody_can_tell(tenant: Tenant, done: int, seconds: float) -> None:
    pace = pace_of(writing(tenant, done=done, planned=200, seconds=seconds))
    assert pace is not None
    assert (pace.left, pace.per_second) == ("", 0.0)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(20, "less than a minute left"), (120, "about 1–3 min left"), (450, "about 6–10 min left")],
)
def test_what_is_left_is_never_said_in_seconds(seconds: float, words: str) -> None:
    assert time_left(seconds) == words


def test_a_run_that_does_not_write_yet_has_no_pace(tenant: Tenant) -> None:
    reading = {"read": {"state": "running", "seconds": 0.0, "facts": {}}}
    assert pace_of(new_run(tenant, state="running", phases=reading)) is None
    assert pace_of(new_run(tenant, 2, state="completed", phases=WRITING)) is None


def usual(tenant: Tenant, updates: int, runs: int = 12) -> None:
    for number in range(1, runs + 1):
        new_run(tenant, number, kind="changes", counts={"updated": updates})


def test_three_times_more_than_usual_is_said_with_what_is_usual_and_why(tenant: Tenant, jo: Client) -> None:
    usual(tenant, 8)
    version = Configuration.objects.create(tenant=tenant, number=12, published_at=timezone.now())
    run = new_run(tenant, 13, kind="full", counts={"updated": 30, "added": 11}, configuration=version)
    found = unusual_of(run)
    assert found is not None
    assert (found.kind, found.times, found.usual, found.first) == ("updates", 5, 8, True)
    page = jo.get("/t/acme/runs/13/").content.decode()
    assert "5 times more updates than usual" in page
    assert "Because version 12 went live." in page
    assert "Usual is 8 per run." in page


@pytest.mark.parametrize(
    ("updates", "runs", "facts"),
    [
        (8, 12, {"counts": {"updated": 23}}),
        (0, 12, {"counts": {"updated": 9}}),
        (8, 9, {"counts": {"updated": 300}}),
        (8, 12, {"counts": {"updated": 300}, "kind": "preview"}),
        (8, 12, {"counts": {"updated": 300}, "state": "running"}),
    ],
    ids=["less than three times", "a small number", "too few runs to know", "no sync", "not over"],
)
def test_what_is_not_unusual_is_not_said(tenant: Tenant, updates: int, runs: int, facts: dict[str, Any]) -> None:
    usual(tenant, updates, runs)
    assert unusual_of(new_run(tenant, 20, **{"kind": "changes", **facts})) is None


def test_previews_and_comparisons_are_not_what_is_usual(tenant: Tenant) -> None:
    usual(tenant, 8)
    for number in range(13, 40):
        new_run(tenant, number, kind="preview", counts={})
    found = unusual_of(new_run(tenant, 40, kind="changes", counts={"updated": 40}))
    assert found is not None
    assert found.usual == 8


def test_the_times_that_are_shown_are_in_order(tenant: Tenant) -> None:
    run = new_run(tenant, started_at=timezone.now())
    for second, (number, facts) in enumerate(
        [
            (1, {"action": "create", "result": "created"}),
            (2, {}),
            (1, {"stage": 2, "changes": {"manager": {}}}),
            (3, {}),
        ]
    ):
        row = operation(tenant, run, object_id=guid(number), **facts)
        Operation.objects.filter(pk=row.pk).update(finished_at=run.created_at + datetime.timedelta(seconds=second))
    rows = person_rows(run)
    assert [row.operation.object_id for row in rows] == [guid(3), guid(1), guid(2)]
    assert [row.moment for row in rows] == sorted((row.moment for row in rows), reverse=True)


def test_a_person_has_one_row_with_what_followed(tenant: Tenant, jo: Client) -> None:
    run = new_run(tenant, started_at=timezone.now())
    created = operation(tenant, run, object_id=guid(1), display_name="Ada", action="create", result="created")
    manager = operation(tenant, run, object_id=guid(1), display_name="Ada", stage=2, changes={"manager": {}})
    group = guid(2)
    for _ in range(2):
        operation(tenant, run, object_id=group, object_type="membership", action="add_member", result="added")
    rows = person_rows(run)
    assert [(row.operation.object_id, len(row.rest)) for row in rows] == [(group, 0), (group, 0), (guid(1), 1)]
    assert (rows[-1].operation, rows[-1].rest[0]) == (created, manager)
    page = jo.get("/t/acme/runs/1/").content.decode()
    assert page.count(f'id="op-{created.pk}"') == 1
    assert f'id="op-{manager.pk}"' not in page
    assert f'href="/t/acme/logs/{manager.pk}/?run=1"' in page


def test_a_row_says_what_went_wrong_in_any_of_its_steps(tenant: Tenant) -> None:
    run = new_run(tenant, started_at=timezone.now())
    operation(tenant, run, object_id=guid(1), action="create", result="created")
    operation(tenant, run, object_id=guid(1), stage=2, result="failed", problem="rejected")
    operation(tenant, run, object_id=guid(2), action="create", result="created")
    operation(tenant, run, object_id=guid(2), stage=2, result="skipped", problem="manager-not-in-aws")
    assert {row.operation.object_id: row.result for row in person_rows(run)} == {guid(1): "failed", guid(2): "created"}


def test_figures_count_people_and_not_their_operations(tenant: Tenant) -> None:
    run = new_run(tenant)
    for number, second in enumerate(("updated", "skipped", "failed")):
        operation(tenant, run, object_id=guid(number), action="create", result="created")
        operation(tenant, run, object_id=guid(number), stage=2, result=second)
    operation(tenant, run, object_id=guid(9), stage=2, result="updated")
    assert count_results(run) == {"created": 3, "failed": 1, "updated": 1}


def failed(tenant: Tenant, run: Run, number: int, **facts: Any) -> Operation:
    problem = {"problem": "missing-family-name", "attribute": "name.familyName", "result": "failed"}
    return operation(tenant, run, object_id=guid(number), display_name=f"P{number}", **problem | facts)


def test_problems_say_how_many_kinds_and_people_and_warnings_are_not_among_them(tenant: Tenant, jo: Client) -> None:
    run = new_run(tenant, state="completed_with_errors")
    for number in range(3):
        failed(tenant, run, number)
    failed(tenant, run, 3, problem="manager-not-in-aws", result="skipped")
    context = jo.get("/t/acme/runs/1/").context
    assert (len(context["problems"]), context["affected"], len(context["warnings"])) == (1, 3, 1)
    failed(tenant, run, 2, problem="too-long", attribute="title", stage=2)
    context = jo.get("/t/acme/runs/1/").context
    assert (len(context["problems"]), context["affected"]) == (2, 3), "whoever has two is one"
    Operation.objects.filter(problem="too-long").delete()
    page = jo.get("/t/acme/runs/1/").content.decode()
    assert "1 kind, 3 affected" in " ".join(page.split())
    assert "1 kind needs nothing" in page


def test_a_problem_names_its_people_and_leads_to_them_here_and_in_entra(tenant: Tenant, jo: Client) -> None:
    failed(tenant, new_run(tenant, state="completed_with_errors"), 1)
    page = jo.get("/t/acme/runs/1/").content.decode()
    assert f'href="/t/acme/people/{guid(1)}/"' in page
    assert f"overview/userId/{guid(1)}" in page


def test_retry_these_makes_what_failed_due_and_starts_a_sync(
    tenant: Tenant, jo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.queue.send", lambda task, key: None)
    Tenant.objects.filter(pk=tenant.pk).update(enabled=True)
    run = new_run(tenant, state="completed_with_errors")
    tomorrow = timezone.now() + datetime.timedelta(days=1)
    for number, problem in ((1, "rejected"), (2, "rejected"), (3, "too-long")):
        failed(tenant, run, number, problem=problem, attribute="")
        facts = {"failures": 2, "failure_code": problem, "retry_at": tomorrow}
        Link.objects.create(tenant=tenant, object_type="user", object_id=guid(number), **facts)
    Tenant.objects.filter(pk=tenant.pk).update(last_run_number=1)
    answer = jo.post("/t/acme/runs/1/retry/", {"code": "rejected", "attribute": ""})
    assert answer["Location"] == "/t/acme/runs/2/"
    due = Link.objects.filter(retry_at__lte=timezone.now()).values_list("object_id", flat=True)
    assert set(due) == {guid(1), guid(2)}
    assert Run.objects.get(number=2).kind == "changes"
    assert AuditEntry.objects.filter(verb="problem.retry").exists()


def test_nothing_is_retried_while_provisioning_is_off_or_without_the_right(tenant: Tenant, jo: Client) -> None:
    failed(tenant, new_run(tenant, state="completed_with_errors"), 1)
    assert jo.post("/t/acme/runs/1/retry/", {"code": "missing-family-name"})["Location"] == "/t/acme/runs/1/"
    assert "Retry these" not in jo.get("/t/acme/runs/1/").content.decode()
    assert Run.objects.count() == 1
    Tenant.objects.filter(pk=tenant.pk).update(enabled=True)
    assert "Retry these" in jo.get("/t/acme/runs/1/").content.decode()
    helpdesk = Client()
    sign_in(helpdesk, person("he@acme.example", Role.HELPDESK))
    assert "Retry these" not in helpdesk.get("/t/acme/runs/1/").content.decode()
    assert helpdesk.post("/t/acme/runs/1/retry/").status_code == 403


def test_map_a_default_puts_the_remedy_into_the_draft(tenant: Tenant, jo: Client) -> None:
    failed(tenant, new_run(tenant, state="completed_with_errors"), 1)
    page = jo.get("/t/acme/runs/1/").content.decode()
    assert "Map a default" in page
    assert "Coalesce([surname], &quot;-&quot;)" in page
    form = {"target": "name.familyName", "code": "missing-family-name", "attribute": "name.familyName"}
    answer = jo.post("/t/acme/mappings/people/default/", form)
    assert answer["Location"] == "/t/acme/mappings/people/"
    row = tenant.configurations.draft().mappings.get(target="name.familyName")
    assert (row.kind, row.source) == ("expression", 'Coalesce([surname], "-")')
    # What is an expression already is left to somebody who reads it.
    assert jo.post("/t/acme/mappings/people/default/", form).status_code == 302
    row.refresh_from_db()
    assert row.source == 'Coalesce([surname], "-")'


def test_a_run_that_waits_names_what_is_held_and_leads_there(tenant: Tenant, jo: Client) -> None:
    run = new_run(tenant, state="waiting_for_approval", counts={"held": 2, "updated": 5})
    hold = Hold.objects.create(tenant=tenant, kind="people", run=run, facts={"limit": 1, "planned": 2})
    for number in range(2):
        HeldChange.objects.create(
            hold=hold, tenant=tenant, action="disable", object_type="user", object_id=guid(number)
        )
    page = jo.get("/t/acme/runs/1/").content.decode()
    assert "Waiting for approval" in page
    assert "2 removals are held" in page
    assert f'href="/t/acme/approvals/{hold.pk}/"' in page
    assert "What it would do" not in page, "it wrote everything else"


def queries(jo: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert jo.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize("address", ["runs/1/", "runs/", "logs/"])
def test_a_page_asks_no_more_of_many_rows_and_kinds_of_problems(tenant: Tenant, jo: Client, address: str) -> None:
    times = {"started_at": timezone.now(), "finished_at": timezone.now()}
    run = new_run(tenant, state="completed_with_errors", **times)
    failed(tenant, run, 1)
    queries(jo, f"/t/acme/{address}")
    few = queries(jo, f"/t/acme/{address}")
    for number, problem in enumerate(("rejected", "too-long", "missing-given-name", "bad-characters") * 5, start=2):
        failed(tenant, run, number, problem=problem)
        new_run(tenant, number, kind="changes", problems={problem: 1}, **times)
    assert queries(jo, f"/t/acme/{address}") <= few + 2
