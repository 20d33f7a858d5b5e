"""Runs as pages: what happened, why, and what to do about it."""

import pytest
from django.test import Client
from django.utils import timezone

from sync.models import Run, Tenant
from tests.world.runs import new_run, operation

pytestmark = pytest.mark.django_db


def test_an_unchanged_run_answers_its_poll_with_204(tenant: Tenant, jo: Client) -> None:
    run = new_run(tenant, state="running", sequence=7)
    assert jo.get("/t/acme/runs/1/?seen=7", headers={"HX-Request": "true"}).status_code == 204
    newer = jo.get("/t/acme/runs/1/?seen=6", headers={"HX-Request": "true"})
    assert b"<html" not in newer.content
    assert b"every 2s" in newer.content
    Run.objects.filter(pk=run.pk).update(state="completed")
    assert b"every 2s" not in jo.get("/t/acme/runs/1/?seen=7", headers={"HX-Request": "true"}).content


def test_a_poll_brings_what_stands_around_the_polled_part_along(tenant: Tenant, jo: Client) -> None:
    new_run(tenant, state="completed", sequence=8, started_at=timezone.now())
    answer = jo.get("/t/acme/runs/1/?seen=7", headers={"HX-Request": "true"}).content.decode()
    assert '<span id="run-lead" hx-swap-oob="true">' in answer
    assert '<div id="run-pill" hx-swap-oob="true"' in answer
    page = jo.get("/t/acme/runs/1/").content.decode()
    assert "hx-swap-oob" not in page


def test_problems_are_grouped_and_name_the_mapping_rows(tenant: Tenant, jo: Client) -> None:
    run = new_run(tenant, state="completed_with_errors")
    for n in range(3):
        facts = {
            "result": "failed",
            "problem": "too-many-values",
            "attribute": "phoneNumbers",
            "error": "List attribute …",
        }
        operation(tenant, run, object_id=f"{n}aaaaaaa-1111-4111-8111-111111111111", display_name=f"Person {n}", **facts)
    page = jo.get("/t/acme/runs/1/").content.decode()
    assert "More than one value, AWS takes one" in page
    assert "3 affected" in page
    assert page.count("phoneNumbers[type eq &quot;") == 3


@pytest.mark.parametrize(("kinds", "named"), [(["user"], 1), (["group"], 1), (["user", "group"], 2)])
def test_a_problem_names_the_mappings_of_whom_it_concerns(
    tenant: Tenant, jo: Client, kinds: list[str], named: int
) -> None:
    run = new_run(tenant, state="completed_with_errors")
    for n, kind in enumerate(kinds):
        facts = {"result": "skipped", "problem": "bad-characters", "attribute": "displayName", "object_type": kind}
        operation(tenant, run, object_id=f"{n}aaaaaaa-1111-4111-8111-111111111111", display_name=f"Name {n}", **facts)
    page = jo.get("/t/acme/runs/1/").content.decode()
    assert sum(page.count(f"/t/acme/mappings/{part}/displayName/") for part in ("people", "groups")) == named


def test_a_problem_is_told_by_its_first_people_its_newest_error_and_the_run_that_met_it_first(
    tenant: Tenant, jo: Client
) -> None:
    for number in (3, 4, 5):
        run = new_run(tenant, number, state="completed_with_errors")
        for n in range(7):
            facts = {"result": "failed", "problem": "rejected", "error": f"Answer {n} of run {number}"}
            operation(
                tenant, run, object_id=f"{n}aaaaaaa-1111-4111-8111-111111111111", display_name=f"Person {n}", **facts
            )
    (group,) = jo.get("/t/acme/runs/5/").context["problems"]
    assert [one.display_name for one in group.sample] == [f"Person {n}" for n in range(5)]
    assert (group.objects, group.error, group.known_since) == (7, "Answer 6 of run 5", 3)
    assert "since run 3" in jo.get("/t/acme/runs/5/").content.decode()
    (first,) = jo.get("/t/acme/runs/3/").context["problems"]
    assert first.known_since is None


def test_a_failed_run_says_what_happened_why_and_what_to_do(tenant: Tenant, jo: Client) -> None:
    new_run(tenant, state="failed", problem="token-refused")
    page = jo.get("/t/acme/runs/1/").content.decode()
    assert "AWS refused the access token" in page
    assert "Create a new token in AWS" in page


@pytest.mark.parametrize(("state", "problem"), [("failed", "token-refused"), ("cancelled", "")])
def test_a_run_that_ended_before_it_wrote_does_not_say_that_nothing_was_due(
    tenant: Tenant, jo: Client, state: str, problem: str
) -> None:
    new_run(tenant, state=state, problem=problem)
    page = jo.get("/t/acme/runs/1/").content.decode()
    assert "Nothing was written: the run ended before." in page
    assert "Nothing had to be written." not in page
    assert ("<dt>Failed</dt>" in page) == (state == "cancelled")


def test_the_history_names_a_run_by_its_number_in_one_line(tenant: Tenant, jo: Client) -> None:
    new_run(tenant, 17, started_at=timezone.now(), finished_at=timezone.now())
    assert '<span class="visually-hidden">Run </span>17</a>' in jo.get("/t/acme/runs/").content.decode()
