"""What else one person's page answers: as a text, as JSON, under the draft, and as of a moment."""

import datetime
import itertools
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sync.configuration import mappings
from sync.configuration.filters import save_filter
from sync.models import Operation, Run, Standing, Tenant
from sync.preview.services import request_preview
from sync.rules.rows import MappingRow
from sync.worker.execution import execute_run
from tests.world.company import change, hire, leave
from tests.world.lab import Lab
from tests.world.tenant import ACTOR, assign, sync

NUMBERS = itertools.count(1)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(6, groups=1, memberships=2)]


@pytest.fixture
def kavi(wired: Tenant, lab: Lab) -> dict[str, Any]:
    """Not ready: without a last name."""
    found = hire(lab, f"Kavi Said{next(NUMBERS)}", department="Sales")
    change(lab, found, surname=None)
    assign(wired, found)
    sync(wired)
    return found


def address(person: dict[str, Any], what: str = "") -> str:
    return f"/t/acme/people/{person['id']}/{what}"


def test_the_explanation_is_a_text_without_codes(jo: Client, kavi: dict[str, Any]) -> None:
    text = jo.get(address(kavi)).context["explanation"]
    name, sentence, fix, read = text.split("\n")
    assert (name, sentence) == (
        f"{kavi['displayName']} ({kavi['userPrincipalName']})",
        "Not in AWS. AWS would refuse the person. Last name is empty and AWS requires it.",
    )
    assert fix.startswith("Fill Last name in Entra")
    assert read.startswith("Entra read ")


def test_all_facts_are_there_as_json(jo: Client, kavi: dict[str, Any]) -> None:
    answer = jo.get(address(kavi, "raw/"))
    found = answer.json()
    assert (answer["Content-Type"], found["entra_id"], found["standing"]["word"]) == (
        "application/json",
        kavi["id"],
        "not_ready",
    )
    assert {"target": "name.familyName", "entra": {"surname": None}, "mapped": None, "aws": None} in found["values"]


def test_json_hides_what_a_mapping_hides(wired: Tenant, lab: Lab, jo: Client, kavi: dict[str, Any]) -> None:
    rule = MappingRow("title", "expression", "Redact([jobTitle])")
    row = wired.configurations.current().mappings.get(object_type="user", target="title")
    mappings.save_mapping(actor=ACTOR, tenant=wired, object_type="user", rule=rule, row=row)
    change(lab, kavi, jobTitle="Top secret")
    sync(wired)
    answer = jo.get(address(kavi, "raw/"))
    assert {"target": "title", "hidden": True} in answer.json()["values"]
    assert "Top secret" not in answer.content.decode()


def what_if(jo: Client, person: dict[str, Any]) -> str:
    found = jo.get(address(person, "what-if/")).context["what_if"]
    fields = "".join(f" {label}: {value}" for label, value in found.fields) if found else ""
    return f"{found.sentence}{fields}" if found else ""


def default_last_name(tenant: Tenant) -> None:
    row = tenant.configurations.current().mappings.get(object_type="user", target="name.familyName")
    rule = MappingRow("name.familyName", "direct", "surname", default="-")
    mappings.save_mapping(actor=ACTOR, tenant=tenant, object_type="user", rule=rule, row=row)


def test_without_a_draft_there_is_no_what_if(jo: Client, kavi: dict[str, Any]) -> None:
    assert what_if(jo, kavi) == ""
    assert "what-if" not in jo.get(address(kavi)).content.decode()


def test_the_draft_says_what_it_would_write(wired: Tenant, jo: Client, kavi: dict[str, Any]) -> None:
    default_last_name(wired)
    assert "what-if" in jo.get(address(kavi)).content.decode()
    assert what_if(jo, kavi) == "If the draft were published, these values of the person would change: Last name: -"


def test_a_fresh_preview_of_the_draft_is_believed(wired: Tenant, jo: Client, kavi: dict[str, Any]) -> None:
    default_last_name(wired)
    run = request_preview(tenant=wired, actor=ACTOR, enqueue=False)
    execute_run(run.pk)
    found = jo.get(address(kavi, "what-if/")).context["what_if"]
    assert str(found.sentence) == "If the draft were published, this person would be created in AWS."
    assert ("Last name", "-") in found.fields
    assert found.url == f"/t/acme/draft/impact/{run.number}/"


def test_the_draft_says_who_would_leave_scope(wired: Tenant, jo: Client, kavi: dict[str, Any]) -> None:
    clause = {"attribute": "department", "operator": "EQUALS", "value": "Engineering", "ignore_case": True}
    save_filter(actor=ACTOR, tenant=wired, object_type="user", title="Engineers", clauses=[clause])
    expected = "If the draft were published, this person would leave scope: Outside scope: Engineers."
    assert what_if(jo, kavi) == expected


@pytest.fixture
def history(wired: Tenant, lab: Lab) -> tuple[dict[str, Any], list[datetime.datetime]]:
    """Ada is made, gets another title, and leaves; the moments are those before, between and after."""
    ada, moments = hire(lab, f"Ada Past{next(NUMBERS)}", jobTitle="Clerk"), [timezone.now()]
    assign(wired, ada)
    for happens in (lambda: None, lambda: change(lab, ada, jobTitle="Chief"), lambda: leave(lab, ada)):
        happens()
        sync(wired)
        moments.append(timezone.now())
    return ada, moments


def past(jo: Client, person: dict[str, Any], at: datetime.datetime) -> Any:
    return jo.get(address(person), {"at": at.isoformat()}).context["past"]


def test_a_moment_is_answered_from_the_log(jo: Client, history: tuple[dict[str, Any], list[datetime.datetime]]) -> None:
    ada, moments = history
    said = [past(jo, ada, at)["facts"] for at in moments]
    assert [one.sentence for one in said] == ["Not in AWS yet.", "In AWS.", "In AWS.", "In AWS, disabled."]
    assert [one.values.get("title") for one in said] == [None, "Clerk", "Chief", "Chief"]
    assert said[1].following == said[2].last
    assert (said[3].scope, said[1].scope) == ("Deleted in Entra", "")


def test_a_moment_names_what_was_in_the_way(jo: Client, kavi: dict[str, Any]) -> None:
    found = past(jo, kavi, timezone.now())["facts"]
    assert (found.trouble, found.last) == ("Skipped: Last name is missing", None)
    assert found.version is not None


def test_before_the_log_begins_nothing_is_claimed(
    jo: Client, history: tuple[dict[str, Any], list[datetime.datetime]]
) -> None:
    ada, moments = history
    Operation.objects.filter(object_id=ada["id"], action="create").delete()
    assert past(jo, ada, moments[0])["facts"].sentence.startswith("Not known")


@pytest.mark.parametrize("at", ["yesterday", "2026-99-99T00:00"])
def test_what_is_no_moment_is_said(jo: Client, kavi: dict[str, Any], at: str) -> None:
    answer = jo.get(address(kavi), {"at": at})
    assert answer.context["past"] is None
    assert "Enter a day and a time." in answer.content.decode()


def test_a_leaver_stays_findable(
    wired: Tenant, jo: Client, history: tuple[dict[str, Any], list[datetime.datetime]]
) -> None:
    ada, _moments = history
    sync(wired, Run.Kind.FULL)
    found = jo.get("/t/acme/people/", {"q": ada["userPrincipalName"]}).context["people"]
    assert [one["standing"] for one in found] == [Standing.objects.get(object_id=ada["id"])]
    assert jo.get(address(ada)).status_code == 200
