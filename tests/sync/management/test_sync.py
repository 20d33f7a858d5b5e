"""`sync` and the other commands that carry a run out: how each way to end looks to a script."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from sync.management.base import EXIT_CODES
from sync.management.runs import EXIT_OF
from sync.models import Run, Tenant
from sync.runs.requests import cancel_run
from sync.worker import execution
from tests.sync.management.test_base import CLASSES, ended
from tests.world.company import group_of, hire
from tests.world.drafted import with_draft, with_versions
from tests.world.lab import Lab
from tests.world.tenant import assign, sync

pytestmark = pytest.mark.django_db(transaction=True)
ENDS = {
    "completed": 0,
    "failed": 1,
    "cancelled": 1,
    "completed_with_errors": 3,
    "waiting_for_approval": 3,
}


def ran(*words: str) -> tuple[int, Any]:
    """Exit code and the object on standard output."""
    out = io.StringIO()
    try:
        call_command(*words, "--json", stdout=out, stderr=io.StringIO())
    except SystemExit as end:
        return int(str(end.code)), json.loads(out.getvalue())
    except CommandError as error:
        return error.returncode, json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


@pytest.fixture
def ends_as(monkeypatch: pytest.MonkeyPatch) -> Any:
    def choose(state: str, **facts: Any) -> None:
        def pretended(run_id: int) -> Run:
            Run.objects.filter(pk=run_id).update(state=state, **facts)
            return Run.objects.get(pk=run_id)

        monkeypatch.setattr(execution, "execute_run", pretended)

    return choose


@pytest.mark.pure
def test_every_state_of_a_run_has_an_exit_code_of_the_table() -> None:
    assert set(EXIT_OF) == set(Run.State)
    assert set(EXIT_OF.values()) <= set(EXIT_CODES)


@pytest.mark.parametrize("state", ENDS)
def test_the_exit_code_says_how_a_sync_ended(tenant: Tenant, ends_as: Any, state: str) -> None:
    ends_as(state)
    code, report = ran("sync", "acme")
    assert (code, report["state"]) == (ENDS[state], state)


@pytest.mark.parametrize("state", ENDS)
def test_a_preview_of_the_draft_ends_by_the_same_table(tenant: Tenant, ends_as: Any, state: str) -> None:
    with_versions(tenant)
    with_draft(tenant)
    ends_as(state)
    assert ran("draft", "acme", "--preview")[0] == ENDS[state]


def test_changes_that_are_held_were_found(tenant: Tenant, ends_as: Any) -> None:
    ends_as("completed", counts={"disabled": 3, "held": 7})
    assert ran("sync", "acme")[0] == 3


def test_a_comparison_that_was_cancelled_does_not_say_that_nothing_differs(
    tenant: Tenant, ends_as: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    ends_as("cancelled")
    assert ran("verify", "acme")[0] == 1
    with pytest.raises(SystemExit):
        call_command("verify", "acme")
    assert "Nothing differs" not in capsys.readouterr().out


def test_a_run_that_a_worker_finished_meanwhile_is_reported(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_late(run_id: int) -> None:
        Run.objects.filter(pk=run_id).update(state="completed")

    monkeypatch.setattr(execution, "execute_run", too_late)
    assert ran("sync", "acme")[0] == 0


def test_a_real_plan_that_waits_and_problems_are_told_apart_from_done(wired: Tenant, lab: Lab) -> None:
    person = hire(lab, "Ann Ready")
    assign(wired, group_of(lab, "Exit", [person, hire(lab, "Nolast", surname="", givenName="")]))
    code, report = ran("sync", "acme")
    assert (code, report["state"]) == (3, "waiting_for_approval")
    code, report = ran("sync", "acme", "--confirm")
    assert (code, report["state"], report["counts"]["created"]) == (3, "completed_with_errors", 2)


def test_a_run_that_somebody_cancels_ends_with_1(wired: Tenant, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    assign(wired, hire(lab, "Ann Cancelled"))
    begin = execution._begin

    def cancelled(run: Run) -> bool:
        began = begin(run)
        cancel_run(run=run, actor="jo")
        return began

    monkeypatch.setattr(execution, "_begin", cancelled)
    monkeypatch.setattr("sync.runs.lease.LOOK_SECONDS", 0.01)
    lab.call("POST", "faults", {"part": "graph", "kind": "delay", "seconds": 1.5, "match": "token", "times": -1})
    code, report = ran("sync", "acme", "--confirm")
    assert (code, report["state"]) == (1, "cancelled")


BUSY = ["sync acme", "sync acme --full --confirm", "verify acme"]


@pytest.mark.parametrize("line", BUSY)
def test_a_script_gets_json_also_when_another_run_is_open(tenant: Tenant, line: str) -> None:
    Run.objects.create(tenant=tenant, number=1, kind="preview", trigger="person")
    assert ended(*line.split()) == 4
    code, report = ran(*line.split())
    assert code == report["exit_code"] == 4
    assert report["error"] == "Run 1 (Preview) is Queued. Nothing was begun. Try again when it is over."


def test_a_script_gets_json_also_while_a_worker_holds_the_lease(tenant: Tenant) -> None:
    lease = execution.claim(tenant.pk)
    assert lease is not None
    code, report = ran("sync", "acme")
    assert code == report["exit_code"] == 4
    assert "A worker is at it" in report["error"]


WITH_JSON = sorted(
    name for name, command in CLASSES.items() if "--json" in command().create_parser("manage.py", name).format_help()
)
MORE = {"on_demand": ["a@b.example"], "approve": ["--all"]}


@pytest.mark.parametrize("name", WITH_JSON)
def test_every_refusal_is_json_when_json_is_asked_for(tenant: Tenant, name: str) -> None:
    code, report = ran(name, "acne", *MORE.get(name, []))
    assert (code, report["exit_code"]) == (2, 2)
    assert report["error"].startswith("There is no tenant 'acne'.")


def test_a_database_that_goes_away_is_json_too(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_run_id: int) -> None:
        raise OperationalError("server closed the connection unexpectedly\n\tThis probably means")

    monkeypatch.setattr(execution, "execute_run", gone)
    code, report = ran("sync", "acme")
    assert code == report["exit_code"] == 1
    assert report["error"].startswith("The database cannot be used: server closed the connection unexpectedly. See")


def test_a_sync_that_ended_well_ends_with_0(wired: Tenant, lab: Lab) -> None:
    assign(wired, hire(lab, "Ann Done"))
    sync(wired)
    code, report = ran("sync", "acme")
    assert (code, report["state"]) == (0, "completed")
