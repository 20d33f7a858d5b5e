"""An incident lasts as long as anybody stands at it: a mail when it begins, one when it doubles, one when it is over."""

import re
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from sync.drift import services as drift
from sync.models import Delivery, Incident, Run, Standing, Tenant
from sync.runs.requests import request_run
from sync.worker.execution import execute_run
from tests.world.company import aws_user, change, hire, people
from tests.world.lab import Lab
from tests.world.notified import mail_to
from tests.world.on_demand import demand
from tests.world.tenant import ACTOR, assign, sync

# SQLite takes no locks of rows.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both]


@pytest.fixture
def told(wired: Tenant) -> Tenant:
    """By mail."""
    mail_to(wired)
    return wired


def mails() -> list[str]:
    """Subjects since the last look."""
    subjects = [delivery.subject for delivery in Delivery.objects.order_by("pk")]
    Delivery.objects.all().delete()
    return subjects


def open_codes(tenant: Tenant) -> set[str]:
    return set(tenant.incidents.filter(solved_at=None).values_list("code", flat=True))


def nameless(lab: Lab, count: int) -> list[dict[str, Any]]:
    return [hire(lab, f"Name {n} Less", surname=None) for n in range(count)]


def test_one_mail_when_it_begins_and_one_with_the_all_clear(told: Tenant, lab: Lab) -> None:
    [person] = nameless(lab, 1)
    other = hire(lab, "An Other")
    assign(told, person, other)
    sync(told)
    assert mails() == ["[Acme] New problem: Last name is missing"]
    for title in ("Clerk", "Chief"):
        change(lab, other, jobTitle=title)
        sync(told)
        assert (mails(), open_codes(told)) == ([], {"missing-family-name"})
    change(lab, person, surname="Doe")
    sync(told)
    assert (mails(), open_codes(told)) == (["[Acme] Solved: Last name is missing"], set())


def test_a_mail_comes_again_when_twice_as_many_have_it(told: Tenant, lab: Lab) -> None:
    some = nameless(lab, 5)
    assign(told, some[0], some[1])
    sync(told)
    assert len(mails()) == 1
    assign(told, some[2])
    sync(told)
    assert mails() == []
    assign(told, some[3])
    sync(told)
    assert mails() == ["[Acme] New problem: Last name is missing"]
    assign(told, some[4])
    sync(told)
    assert mails() == []


def test_the_mail_names_whom_it_concerns(told: Tenant, lab: Lab) -> None:
    assign(told, *nameless(lab, 5))
    sync(told)
    body = Delivery.objects.get().body
    assert "5 objects: Name 0 Less, Name 1 Less, Name 2 Less …" in body
    assert Standing.objects.filter(code="missing-family-name").count() == 5


def test_the_links_of_a_mail_lead_to_their_pages(told: Tenant, lab: Lab, jo: Client, settings: LazySettings) -> None:
    settings.PUBLIC_URL = "https://lockstep.example"
    assign(told, *nameless(lab, 1))
    run = sync(told)
    paths = re.findall(r"https://lockstep\.example(/\S+)", Delivery.objects.get().body)
    assert f"/t/acme/runs/{run.number}/" in paths
    assert [path for path in paths if jo.get(path).status_code != 200] == []


def test_one_that_is_mended_on_demand_is_over_at_once(told: Tenant, lab: Lab) -> None:
    [person] = nameless(lab, 1)
    assign(told, person)
    sync(told)
    mails()
    change(lab, person, surname="Doe")
    demand(told, person)
    assert (mails(), open_codes(told)) == (["[Acme] Solved: Last name is missing"], set())


def test_whoever_is_gone_from_aws_is_an_incident_from_the_first_on(told: Tenant, lab: Lab) -> None:
    some = people(lab, 3)
    assign(told, *some)
    sync(told)
    mails()
    lab.call("DELETE", f"aws/users/{aws_user(lab, some[0]['id'])['id']}")
    run = sync(told, Run.Kind.VERIFY)
    assert run.state == Run.State.COMPLETED_WITH_DIFFERENCES
    assert mails() == ["[Acme] New problem: Gone from AWS"]
    sync(told)
    assert "not-found-link" in open_codes(told), "a run over changes looks at nobody who is gone"
    drift.repair_differences(tenant=told, actor=ACTOR)
    sync(told)
    assert (mails(), open_codes(told)) == (["[Acme] Solved: Gone from AWS"], set())


def test_what_stops_a_whole_run_is_over_with_the_next_one(told: Tenant, lab: Lab) -> None:
    assign(told, *people(lab, 1))
    lab.call("POST", "faults", {"part": "graph", "kind": "status", "status": 503, "match": "delta", "times": -1})
    run = request_run(tenant=told, kind=Run.Kind.CHANGES, trigger=Run.Trigger.COMMAND, enqueue=False, confirmed=True)
    execute_run(run.pk)
    assert mails() == ["[Acme] Sync failed: Entra did not answer"]
    assert Incident.objects.get().of_run
    lab.call("DELETE", "faults")
    sync(told)
    assert (mails(), open_codes(told)) == (["[Acme] Solved: Entra did not answer"], set())
