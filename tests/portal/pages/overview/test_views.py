"""The overview: its figures are those of the list of people, and nothing is forgotten."""

import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sync.models import Run, Standing, Tenant, Word
from tests.world.runs import new_run

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("kind", ["demand", "verify", "preview"])
def test_the_last_run_is_one_that_writes_what_the_rules_say(ready: Tenant, jo: Client, kind: str) -> None:
    """Neither what was asked on demand, nor a comparison or a preview."""
    Tenant.objects.update(enabled=True, enabled_changed_at=timezone.now())
    whole = new_run(ready, 1, started_at=timezone.now())
    new_run(ready, 2, kind=kind, started_at=timezone.now())
    assert jo.get("/t/acme/provisioning/").context["last_run"] == whole
    assert jo.get("/t/?stay=1").context["rows"][0].last_run == whole
    overview = jo.get("/t/acme/").context
    assert overview["last_run"] == whole
    assert overview["day"].sentence.startswith("1 sync: 1 completed. On since ")


def stand(tenant: Tenant, number: int, word: Word, **facts: Any) -> Standing:
    object_id = f"{number:08}-1111-4111-8111-111111111111"
    known = {"name": f"Person {number}", "scope": "assigned", "in_scope": True, "since": timezone.now()}
    return Standing.objects.create(tenant=tenant, kind="user", object_id=object_id, word=word, **known | facts)


@pytest.fixture
def company(ready: Tenant) -> Tenant:
    """Somebody at every word."""
    Tenant.objects.update(enabled=True, enabled_changed_at=timezone.now())
    outside = {"scope": "not-assigned", "in_scope": False}
    stand(ready, 1, Word.IN_AWS)
    stand(ready, 2, Word.IN_AWS)
    stand(ready, 3, Word.NOT_READY, code="missing-family-name", attribute="name.familyName")
    stand(ready, 4, Word.CONFLICT, code="same-value", attribute="userName")
    stand(ready, 5, Word.FAILED, code="rejected")
    stand(ready, 6, Word.GONE, code="not-found-link")
    stand(ready, 7, Word.DIFFERS, code="differs")
    stand(ready, 8, Word.WAITING, code="create")
    stand(ready, 9, Word.HELD, code="held-people", **outside)
    stand(ready, 10, Word.DISABLED, code="not-assigned", **outside)
    stand(ready, 11, Word.NOT_IN_SCOPE, code="not-assigned", **outside)
    return ready


def count(jo: Client, query: str) -> int:
    return int(jo.get(f"/t/acme/people/{query}").context["count"])


def test_the_figures_are_those_of_the_list(company: Tenant, jo: Client) -> None:
    context = jo.get("/t/acme/").context
    figures = context["figures"]
    assert (figures.reaching, figures.in_scope, figures.problems) == (2, 8, 4)
    assert count(jo, "?word=in_aws") == figures.reaching
    assert sum(count(jo, f"?word={word}") for word in ("gone", "conflict", "not_ready", "failed")) == figures.problems
    assert jo.get("/t/?stay=1").context["rows"][0].summary.reaching == (2, 8)
    assert jo.get("/t/acme/runs/").context["summary"]["people"] == 2


def test_every_drop_on_the_path_of_data_leads_to_exactly_those_people(company: Tenant, jo: Client) -> None:
    path = jo.get("/t/acme/").context["path"]
    assert [one["step"].count for one in path] == [11, 8, 8, 7, 3]
    for one in path[1:]:
        query = one["url"].removeprefix("/t/acme/people/")
        assert count(jo, query) == one["step"].dropped, query


def test_what_needs_somebody_is_named_with_the_people(company: Tenant, jo: Client) -> None:
    answer = jo.get("/t/acme/")
    causes = [need["cause"] for need in answer.context["needs"] if "cause" in need]
    assert [cause.word for cause in causes] == ["gone", "conflict", "not_ready", "failed", "differs"]
    for need in (need for need in answer.context["needs"] if "cause" in need):
        assert count(jo, need["url"].removeprefix("/t/acme/people/")) == need["cause"].count
    page = answer.content.decode()
    assert "Person 3<" in page
    assert "Nothing needs you" not in page


def test_how_old_the_knowledge_of_aws_is_is_said(company: Tenant, jo: Client) -> None:
    assert "Never compared with AWS." in jo.get("/t/acme/").content.decode()
    now = timezone.now()
    new_run(company, 1, kind="verify", state="completed", started_at=now, finished_at=now, compared_at=now)
    assert "Never compared" not in (page := jo.get("/t/acme/").content.decode())
    assert "more than a day ago" not in page
    Run.objects.update(compared_at=now - datetime.timedelta(hours=25))
    assert "Compared with AWS more than a day ago:" in jo.get("/t/acme/").content.decode()
