"""Before provisioning is turned on: who will arrive, who will not and why, as the run then has it."""

import pytest
from django.test import Client
from django.utils import timezone

from sync.models import Operation, Run, Tenant
from sync.standings import queries as standings
from sync.worker.execution import execute_run
from tests.world.company import group_of, hire
from tests.world.lab import Lab
from tests.world.runs import new_run
from tests.world.tenant import assign, attempt

TURN_ON = "/t/acme/provisioning/turn-on/"


@pytest.mark.django_db(transaction=True)
@pytest.mark.company(1, groups=1, memberships=0)
def test_as_many_arrive_as_the_page_says(wired: Tenant, lab: Lab, jo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.queue.send", lambda _task, _key: None)
    for half in (wired.entra, wired.aws):
        type(half).objects.update(changed_at=timezone.now(), tested_at=timezone.now(), test_passed=True)
    boss = hire(lab, "Bo Boss", surname=None)
    team = [hire(lab, f"Ann {n} One", manager=boss["id"]) for n in range(3)]
    assign(wired, group_of(lab, "AWS-Team", [boss, *team]))
    preview = attempt(wired, "preview", confirmed=False)
    page = jo.get(TURN_ON)
    arrivals, text = page.context["arrivals"], page.content.decode()
    assert (arrivals.arriving, arrivals.refused) == (3, 1)
    assert text.index("3 people will arrive in AWS.") < text.index("1 will not.") < text.index("Create, people")
    assert [reason.code for reason in arrivals.reasons] == ["missing-family-name"]
    assert ">Bo Boss<" in text
    jo.post(TURN_ON, {"plan": preview.number})
    run = execute_run(Run.objects.get(trigger="turned_on").pk)
    assert run is not None
    assert run.counts["created"] - 1 == arrivals.arriving, "and the group"
    assert standings.ready(wired) == (arrivals.arriving, arrivals.arriving + arrivals.refused)


@pytest.mark.django_db
def test_two_phone_numbers_are_mended_by_one_button_that_leads_back(ready: Tenant, jo: Client) -> None:
    now = timezone.now()
    run = new_run(ready, kind="preview", started_at=now, finished_at=now, planned=1)
    Operation.objects.create(
        tenant=ready, run=run, object_type="user", object_id="a" * 36, display_name="Kavi", action="create",
        result="skipped", problem="too-many-values", attribute="phoneNumbers", finished_at=now,
    )  # fmt: skip
    assert "Use the recommended mappings" in jo.get(TURN_ON).content.decode()
    answer = jo.post("/t/acme/mappings/recommended/", {"back": "turn_on"})
    assert answer["Location"] == TURN_ON
    assert not ready.configurations.current().mappings.filter(target__contains="fax").exists()
