"""Pausing on pages: until when, why and by whom is said wherever the state of provisioning is; resuming asks what turning on asks."""

import datetime
import html
import io
import json
import re
import zoneinfo
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from portal.models import User
from portal.words.blocked import blocked
from portal.words.provisioning import provisioning_of
from sync.approvals.queries import waiting_of
from sync.health.queries.figures import FIGURES
from sync.models import Configuration, Incident, Run, Tenant
from sync.tenants.services import pause_tenant
from tests.world.api import script_of
from tests.world.runs import new_run

pytestmark = pytest.mark.django_db
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
PAUSE, RESUME, PAGE = (f"/t/acme/provisioning/{name}" for name in ("pause/", "resume/", ""))
HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def on(ready: Tenant, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    """With a yes to what it does, in Berlin. Jo reads UTC."""
    monkeypatch.setattr("sync.queue.send", lambda _task, _key: None)
    now = timezone.now()
    Configuration.objects.update(confirmed_at=now, number=1)
    Tenant.objects.update(enabled=True, enabled_changed_at=now, next_run_at=now + HOUR, time_zone="Europe/Berlin")
    ready.refresh_from_db()
    return ready


def until(tenant: Tenant) -> datetime.datetime:
    tenant.refresh_from_db()
    assert tenant.resume_at is not None
    return tenant.resume_at


@pytest.fixture
def paused(on: Tenant) -> Tenant:
    """For the next days, so that its day is said."""
    end = timezone.now() + datetime.timedelta(days=3)
    pause_tenant(tenant=on, actor="ann@acme.example", until=end, reason="AWS moves <b>accounts</b>")
    return on


def text_of(client: Client, address: str) -> str:
    page = client.get(address, follow=True).content.decode()
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page)).split())


def written(moment: datetime.datetime) -> str:
    return f"{moment.day} {moment:%b %Y, %H:%M}"


def test_one_hour_is_an_hour_from_now(on: Tenant, jo: Client) -> None:
    before = timezone.now()
    assert jo.post(PAUSE, {"length": "hour", "reason": " AWS moves "})["Location"] == PAGE
    assert before + HOUR <= until(on) <= timezone.now() + HOUR
    assert (on.enabled, on.pause_reason, on.enabled_changed_by) == (False, "AWS moves", "jo@acme.example")


def test_tomorrow_is_the_tenants_morning(on: Tenant, jo: Client) -> None:
    jo.post(PAUSE, {"length": "tomorrow"})
    local = until(on).astimezone(BERLIN)
    tomorrow = timezone.now().astimezone(BERLIN).date() + datetime.timedelta(days=1)
    assert (local.date(), local.time()) == (tomorrow, datetime.time(7))
    assert "Until tomorrow, 07:00 in Europe/Berlin" in text_of(jo, PAUSE)


def test_a_time_of_ones_own_is_in_the_readers_zone(on: Tenant, jo: Client, owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(time_zone="America/New_York")
    day = timezone.now().date() + datetime.timedelta(days=2)
    jo.post(PAUSE, {"length": "time", "until": f"{day}T09:30"})
    assert until(on).astimezone(zoneinfo.ZoneInfo("America/New_York")).isoformat()[:16] == f"{day}T09:30"
    assert "In America/New_York, at most 30 days from now." in text_of(jo, PAUSE)


def days_ahead(number: int) -> str:
    return (timezone.now() + datetime.timedelta(days=number)).strftime("%Y-%m-%dT%H:%M")


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "This field is required."),
        ({"length": "for ever"}, "Select a valid choice"),
        ({"length": "time"}, "Enter a time."),
        ({"length": "time", "until": "soon"}, "Enter a valid date/time."),
        ({"length": "time", "until": days_ahead(-1)}, "This time is over. Enter a later one."),
        ({"length": "time", "until": days_ahead(31)}, "A pause has 30 days at the most."),
        ({"length": "hour", "until": days_ahead(1)}, "You entered a time: choose “Until the time below”"),
        ({"length": "hour", "reason": "x" * 201}, "at most 200 characters"),
    ],
)
def test_what_is_no_pause_is_said_and_nothing_changes(on: Tenant, jo: Client, form: dict[str, Any], said: str) -> None:
    answer = jo.post(PAUSE, form)
    assert answer.status_code == 422
    assert said in html.unescape(answer.content.decode())
    on.refresh_from_db()
    assert (on.enabled, on.paused) == (True, False)


def test_what_is_off_cannot_be_paused(on: Tenant, jo: Client) -> None:
    Tenant.objects.update(enabled=False)
    assert "there is nothing to pause" in jo.post(PAUSE, {"length": "hour"}, follow=True).content.decode()
    assert jo.get(PAUSE)["Location"] == PAGE
    on.refresh_from_db()
    assert not on.paused


def test_what_is_paused_shows_its_end_to_be_moved(paused: Tenant, jo: Client) -> None:
    page = jo.get(PAUSE).content.decode()
    assert until(paused).strftime('value="%Y-%m-%dT%H:%M"') in page
    assert jo.post(PAUSE, {"length": "hour", "reason": "done soon"})["Location"] == PAGE
    assert until(paused) < timezone.now() + HOUR
    assert paused.pause_reason == "done soon"


def test_provisioning_says_until_when_since_when_by_whom_and_why(paused: Tenant, jo: Client) -> None:
    page = text_of(jo, PAGE)
    end, since = until(paused), paused.enabled_changed_at
    assert since is not None
    assert f"Paused until {written(end)}" in page
    assert f"Paused since {written(since)}, ann@acme.example" in page
    assert "Why it is paused: AWS moves <b>accounts</b>" in page
    assert "Resume now" in page
    assert "Sync now" not in page


def test_a_time_of_today_is_said_without_its_day(on: Tenant, jo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    noon = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
    Tenant.objects.update(enabled=False, resume_at=noon)
    assert "Paused until 12:00 " in text_of(jo, PAGE)


@pytest.mark.parametrize("address", ["/t/acme/", "/t/?stay=1", "/t/acme/provisioning/turn-on/"])
def test_every_page_that_says_the_state_says_until_when(paused: Tenant, jo: Client, address: str) -> None:
    assert f"Paused until {written(until(paused))}" in text_of(jo, address)


@pytest.mark.parametrize("address", ["/t/acme/mappings/people/", "/t/acme/setup/", "/t/acme/drift/repair/"])
def test_pages_that_say_why_nothing_is_written_say_until_when(paused: Tenant, jo: Client, address: str) -> None:
    Configuration.objects.update(number=None)
    assert f"Provisioning is paused until {written(until(paused))}." in text_of(jo, address)


def test_whoever_wants_to_sync_is_told(paused: Tenant, jo: Client) -> None:
    page = jo.post("/t/acme/provisioning/sync-now/", follow=True).content.decode()
    assert f"Provisioning is paused until {written(until(paused))}. Nothing was started: turn it on first." in page
    assert not Run.objects.exists()


def test_the_list_of_tenants_counts_and_filters_it(paused: Tenant, jo: Client) -> None:
    assert "/t/acme/" in jo.get("/t/?stay=1&state=paused").content.decode()
    assert "No tenant matches." in jo.get("/t/?stay=1&state=off").content.decode()


def test_scripts_are_told_the_same(paused: Tenant, owner: User) -> None:
    found = script_of(owner).read("/tenants/acme")
    assert (found["provisioning"], found["pause_reason"]) == ("paused", paused.pause_reason)
    assert datetime.datetime.fromisoformat(found["resume_at"]) == until(paused).replace(
        microsecond=until(paused).microsecond // 1000 * 1000
    )
    out = io.StringIO()
    call_command("status", "--json", stdout=out)
    facts = json.loads(out.getvalue())["tenants"][0]
    assert (facts["provisioning"], facts["resume_at"], facts["overdue_since"]) == (
        "paused",
        until(paused).isoformat(),
        None,
    )
    out = io.StringIO()
    call_command("status", stdout=out)
    assert out.getvalue().startswith(f"acme: paused until {until(paused).isoformat()}, ")


def test_resuming_starts_a_sync_and_shows_it(paused: Tenant, jo: Client) -> None:
    assert jo.post(RESUME)["Location"] == "/t/acme/runs/1/"
    paused.refresh_from_db()
    assert (paused.enabled, paused.paused) == (True, False)
    assert Run.objects.get().kind == "full"


def test_resuming_behind_a_run_that_is_being_cancelled_says_when_the_sync_starts(paused: Tenant, jo: Client) -> None:
    new_run(paused, 1, trigger="turned_on", state="cancelling")
    page = jo.post(RESUME, follow=True).content.decode()
    assert "Provisioning is on again. A sync starts as soon as run 1 is over." in page
    paused.refresh_from_db()
    assert paused.next_run_at is not None
    assert paused.next_run_at <= timezone.now()


def test_a_second_press_of_resume_is_told_that_it_is_over(paused: Tenant, jo: Client) -> None:
    jo.post(RESUME)
    assert "not paused any more" in jo.post(RESUME, follow=True).content.decode()
    assert Run.objects.count() == 1


def test_where_turning_on_would_ask_for_a_preview_resuming_leads_there(paused: Tenant, jo: Client) -> None:
    Configuration.objects.update(scope_changed_at=timezone.now() + HOUR)
    page = text_of(jo, PAGE)
    assert (
        "As it is, it will stay off then: scope or matching changed, and nobody has looked at a preview since." in page
    )
    assert "Resume now" not in page
    answer = jo.post(RESUME, follow=True)
    assert answer.redirect_chain == [("/t/acme/provisioning/turn-on/", 302)]
    assert "It cannot resume as it is." in answer.content.decode()
    paused.refresh_from_db()
    assert paused.paused


def test_what_stayed_off_is_said_on_the_overview_and_on_provisioning(paused: Tenant, jo: Client) -> None:
    Tenant.objects.update(resume_at=None)
    incident = Incident.objects.create(tenant=paused, code="stayed-off", kind="lateness", opened_at=timezone.now())
    assert "Provisioning stayed off after a pause." in text_of(jo, "/t/acme/")
    page = jo.get(PAGE).content.decode()
    assert f"/t/acme/incidents/{incident.pk}/" in page
    Tenant.objects.update(enabled=True)
    assert "stayed off" not in text_of(jo, PAGE)


def test_turning_off_what_is_paused_says_that_it_stays_off(paused: Tenant, jo: Client) -> None:
    assert "It does not resume by itself then." in text_of(jo, "/t/acme/provisioning/turn-off/")
    jo.post("/t/acme/provisioning/turn-off/")
    assert "Off since" in text_of(jo, PAGE)


def test_an_overview_that_stays_open_says_when_it_is_on_again(paused: Tenant, jo: Client) -> None:
    Tenant.objects.update(resume_at=None, enabled=True)
    part = jo.get("/t/acme/", headers={"HX-Request": "true"}).content.decode()
    badge = part.partition('hx-swap-oob="innerHTML:#state-badge">')[2]
    assert re.sub(r"<[^>]+>", "", badge).split() == ["Provisioning", "On"]
    assert "hx-swap-oob" not in jo.get("/t/acme/").content.decode()


def test_the_state_is_polled_until_it_is_on_again(paused: Tenant, jo: Client) -> None:
    state = "/t/acme/provisioning/state/"
    assert b"every 15s" in jo.get(state, headers={"HX-Request": "true"}).content
    Tenant.objects.update(resume_at=None, enabled=True)
    assert b"hx-trigger" not in jo.get(state, headers={"HX-Request": "true"}).content


def test_a_person_who_waits_waits_for_the_end_of_the_pause(paused: Tenant) -> None:
    found = blocked(paused, provisioning_of(paused, waiting_of([paused])[paused.pk]), asked_at=None)
    assert found is not None
    assert found.words == f"Provisioning is paused until {written(until(paused))}."


def paused_by_command(*words: str) -> Any:
    out = io.StringIO()
    call_command("turn_off", "acme", *words, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_a_command_pauses_in_the_tenants_zone(on: Tenant) -> None:
    day = timezone.now().date() + datetime.timedelta(days=2)
    found = paused_by_command("--until", f"{day}T07:00", "--reason", "AWS moves")
    assert until(on) == datetime.datetime.combine(day, datetime.time(7), BERLIN)
    assert datetime.datetime.fromisoformat(found["resume_at"]) == until(on)
    assert (on.pause_reason, on.enabled_changed_by) == ("AWS moves", "command line")
    assert paused_by_command() == {"tenant": "acme", "enabled": False, "changed": True, "resume_at": None}
    with pytest.raises(CommandError, match="it is off already"):
        paused_by_command("--until", f"{day}T07:00")


def test_stopping_all_names_who_was_paused(paused: Tenant) -> None:
    out = io.StringIO()
    call_command("stop_all", stdout=out)
    assert out.getvalue() == "Paused before, and off for good: acme.\n"
    out = io.StringIO()
    call_command("resume_all", stdout=out)
    assert out.getvalue() == "Nothing was turned on.\n"


def test_metrics_tell_a_pause_from_off_and_from_late(paused: Tenant) -> None:
    def figures() -> dict[str, list[Any]]:
        names = ("enabled", "paused", "overdue_seconds")
        return {one.name: list(one.samples()) for one in FIGURES if one.name.endswith(names)}

    found = figures()
    assert found["lockstep_tenant_enabled"] == [(("acme",), 0)]
    assert found["lockstep_tenant_paused"] == [(("acme",), 1)]
    assert found["lockstep_tenant_overdue_seconds"] == [(("acme",), 0)]
    Tenant.objects.update(resume_at=timezone.now() - datetime.timedelta(minutes=9))
    [(_labels, late)] = figures()["lockstep_tenant_overdue_seconds"]
    assert late == pytest.approx(540, abs=30), "nobody was there to end it"


def test_an_open_preview_is_left_alone_when_the_end_is_moved(paused: Tenant, jo: Client) -> None:
    run = new_run(paused, 1, kind="preview", state="queued")
    jo.post(PAUSE, {"length": "hour"})
    run.refresh_from_db()
    assert run.state == "queued"
