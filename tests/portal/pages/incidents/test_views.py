"""The inbox and the thread of an incident: who looks at it, who will later, and that it rings for those whom it concerns."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.models import Role, User
from sync.models import AuditEntry, Incident, Run, Tenant
from sync.notifications import threads
from sync.notifications.incidents import after_run
from sync.tenants.services import create_tenant
from tests.world.notified import mail_to
from tests.world.people import person
from tests.world.tenant import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(tenant: Tenant) -> Run:
    return Run.objects.create(
        tenant=tenant,
        number=1,
        kind="full",
        trigger="person",
        state="failed",
        problem="token-refused",
        finished_at=timezone.now(),
    )


@pytest.fixture
def incident(run: Run) -> Incident:
    """Of a run that failed, and a mail about it."""
    mail_to(run.tenant)
    after_run(run)
    return Incident.objects.get()


def bell(client: Client, path: str = "/tenants/?stay=1") -> str:
    text: str = client.get(path).content.decode()
    return text.partition('class="ls-bell-count">')[2].partition("<")[0]


def press(client: Client, incident: Incident, act: str, **form: Any) -> Any:
    return client.post(f"/t/{incident.tenant.slug}/incidents/{incident.pk}/{act}/", form)


def test_the_bell_rings_on_every_page_until_somebody_looks_at_it(incident: Incident, jo: Client) -> None:
    assert (bell(jo), bell(jo, "/t/acme/logs/")) == ("1", "1")
    assert press(jo, incident, "acknowledge", back="inbox")["Location"] == "/inbox/"
    assert (bell(jo), bell(jo, "/t/acme/logs/")) == ("", "")
    text = jo.get("/inbox/").content.decode()
    assert "Acknowledged" in text
    assert "jo@acme.example" in text


def test_it_rings_again_when_it_grows(incident: Incident, jo: Client) -> None:
    press(jo, incident, "acknowledge")
    incident.refresh_from_db()
    threads.note_growth(incident, 6)
    assert bell(jo) == "1"
    assert "It concerns 6 people and groups now" in jo.get(f"/t/acme/incidents/{incident.pk}/").content.decode()


def test_a_snoozed_one_rings_after_its_time(incident: Incident, jo: Client) -> None:
    press(jo, incident, "snooze", hours="4")
    incident.refresh_from_db()
    assert incident.snoozed_until is not None
    assert abs(incident.snoozed_until - timezone.now() - datetime.timedelta(hours=4)) < datetime.timedelta(minutes=1)
    assert bell(jo) == ""
    Incident.objects.update(snoozed_until=timezone.now() - datetime.timedelta(seconds=1))
    assert bell(jo) == "1"


@pytest.mark.parametrize("hours", ["", "0", "-1", "9999999", "soon"])
def test_it_is_snoozed_for_what_the_page_offers_only(incident: Incident, jo: Client, hours: str) -> None:
    press(jo, incident, "snooze", hours=hours)
    incident.refresh_from_db()
    assert incident.snoozed_until is None


def test_of_two_the_first_one_looks_at_it(incident: Incident, jo: Client, client_of: Callable[[User], Client]) -> None:
    press(jo, incident, "acknowledge")
    press(client_of(person("ravi@acme.example", Role.OWNER)), incident, "acknowledge")
    incident.refresh_from_db()
    assert incident.acknowledged_by == "jo@acme.example"
    assert incident.events.count() == 1


@pytest.mark.parametrize("act", ["acknowledge", "snooze"])
def test_what_is_over_stays_as_it_is(incident: Incident, jo: Client, act: str) -> None:
    threads.solve(incident)
    press(jo, incident, act, hours="1")
    assert incident.events.count() == 0
    assert bell(jo) == ""


def test_the_thread_tells_all_from_the_beginning_to_the_end(incident: Incident, jo: Client) -> None:
    press(jo, incident, "snooze", hours="1")
    press(jo, incident, "acknowledge")
    again = Run.objects.create(tenant=incident.tenant, number=2, kind="full", trigger="person", state="completed")
    after_run(again)
    text = jo.get(f"/t/acme/incidents/{incident.pk}/").content.decode()
    thread = text.partition('id="thread"')[2].partition("</ol>")[0]
    places = [thread.index(word) for word in ("Opened", "Snoozed until", "Acknowledged by", "Solved")]
    assert places == sorted(places)
    assert "[Acme] Sync failed: AWS refused the access token" in text
    assert "[Acme] Solved: AWS refused the access token" in text
    assert AuditEntry.objects.filter(verb__startswith="incident.").count() == 2


def test_the_bell_counts_more_tenants_than_the_menu_lists(incident: Incident, jo: Client) -> None:
    for number in range(25):
        last = create_tenant(actor=ACTOR, name=f"Tenant {number:02}")
    Incident.objects.create(tenant=last, code="token-refused", opened_at=timezone.now())
    assert (bell(jo), bell(jo, "/t/acme/logs/")) == ("2", "2")


def test_those_of_other_tenants_are_not_mine(incident: Incident, client_of: Callable[[User], Client]) -> None:
    other = create_tenant(actor=ACTOR, name="Other")
    eve = client_of(person("eve@other.example", Role.CONFIGURATOR, other))
    assert bell(eve) == ""
    assert "AWS refused" not in eve.get("/inbox/").content.decode()
    assert press(eve, incident, "acknowledge").status_code == 404
    assert eve.get(f"/t/other/incidents/{incident.pk}/").status_code == 404


def test_a_viewer_reads_without_buttons(incident: Incident, viewer: User, client_of: Callable[[User], Client]) -> None:
    tom = client_of(viewer)
    assert bell(tom) == "1"
    for path in ("/inbox/", "/t/acme/incidents/", f"/t/acme/incidents/{incident.pk}/"):
        text = tom.get(path).content.decode()
        assert "AWS refused the access token" in text
        assert "acknowledge" not in text
    assert press(tom, incident, "acknowledge").status_code == 403


def test_solved_ones_are_listed_among_all(incident: Incident, jo: Client) -> None:
    threads.solve(incident)
    assert "AWS refused" not in jo.get("/t/acme/incidents/").content.decode()
    assert "AWS refused" in jo.get("/t/acme/incidents/?show=all").content.decode()


def test_a_button_leads_back_to_pages_of_ours_only(incident: Incident, jo: Client) -> None:
    answer = press(jo, incident, "acknowledge", back="https://evil.example/")
    assert answer["Location"] == f"/t/acme/incidents/{incident.pk}/"


def test_the_bell_costs_one_query(incident: Incident, jo: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        jo.get("/t/acme/audit/")
    assert len([one for one in queries.captured_queries if "sync_incident" in one["sql"]]) == 1


def test_the_list_costs_no_more_with_more_incidents(incident: Incident, jo: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            jo.get("/inbox/")
        return len(queries.captured_queries)

    before = cost()
    for n in range(5):
        Incident.objects.create(tenant=incident.tenant, code="rejected", attribute=str(n), opened_at=timezone.now())
    assert cost() == before
