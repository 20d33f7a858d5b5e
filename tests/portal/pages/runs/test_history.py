"""The sync history: what the syncs of a range come to, and what did not start."""

import csv
import datetime
import io
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from portal.models import User
from portal.pages.runs.charts import Chart
from sync.models import AuditEntry, Configuration, MissedStart, Run, Tenant
from tests.world.runs import new_run

pytestmark = [pytest.mark.django_db, pytest.mark.both]
# In the middle of an hour of the middle of a day, so that no bucket ends in between.
NOW = datetime.datetime(2026, 11, 25, 12, 30, tzinfo=datetime.UTC)


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def ran(tenant: Tenant, number: int, ago: datetime.timedelta, seconds: float = 60, **facts: Any) -> Run:
    """A sync of so long ago."""
    at = NOW - ago
    times = {"started_at": at, "finished_at": at + datetime.timedelta(seconds=seconds)}
    run = new_run(tenant, number, **{"kind": "changes", "trigger": "schedule", **times, **facts})
    Run.objects.filter(pk=run.pk).update(created_at=at)
    return run


def hours(number: float) -> datetime.timedelta:
    return datetime.timedelta(hours=number)


def history(jo: Client, query: str = "") -> Any:
    return jo.get(f"/t/acme/runs/{query}").context


def chart(jo: Client, key: str, query: str = "") -> Chart:
    return next(one for one in history(jo, query)["charts"] if one.key == key)


def test_previews_comparisons_and_what_was_asked_on_demand_count_in_no_figure(tenant: Tenant, jo: Client) -> None:
    ran(tenant, 1, hours(5), seconds=10)
    for number, kind in enumerate(("preview", "verify", "demand"), start=2):
        ran(tenant, number, hours(4), seconds=9000, kind=kind, state="failed", problems={"rejected": 5})
    summary = history(jo)["summary"]
    assert (summary["runs"], summary["clean"], summary["median"], summary["failures"]) == (1, 100, 10.0, None)
    assert history(jo)["count"] == 4, "the table shows every kind"
    assert history(jo)["failures"]["total"] == 0
    assert sum(day.letter == "✓" for row in history(jo)["calendar"].rows for day in row) == 1


def test_the_figures_stand_beside_those_of_the_range_before(tenant: Tenant, jo: Client) -> None:
    day = datetime.timedelta(days=1)
    ran(tenant, 1, 9 * day, counts={"updated": 90}, problems={"rejected": 10}, state="completed_with_errors")
    ran(tenant, 2, 8 * day, people_in_aws=10, people_in_scope=12)
    for number, seconds in enumerate((20, 40, 60), start=3):
        ran(tenant, number, 2 * day, seconds, counts={"updated": 10, "no_change": 500}, people_in_aws=15)
    ran(tenant, 6, day, seconds=80, state="failed", problem="aws-down")
    ran(tenant, 7, day, seconds=50, state="cancelled")
    summary = history(jo)["summary"]
    assert (summary["runs"], summary["runs_before"]) == (5, 2)
    assert (summary["clean"], summary["clean_before"]) == (75, 50), "a cancelled one has no errors, and is not without"
    assert (summary["median"], summary["most"]) == (50.0, 80.0)
    assert (summary["failures"], summary["failures_before"]) == (0.0, 111.1)


def test_people_are_those_of_the_standings_and_more_or_fewer_than_before(tenant: Tenant, jo: Client) -> None:
    ran(tenant, 1, hours(200), people_in_aws=10, people_in_scope=12)
    ran(tenant, 2, hours(5), people_in_aws=15, people_in_scope=16)
    assert history(jo)["summary"]["people"] == 0, "nobody is in AWS now"
    past = "?begin=2026-11-25&end=2026-11-25"
    assert history(jo, past)["summary"]["people"] == 15
    found = chart(jo, "people", "?begin=2026-11-17&end=2026-11-25")
    assert [row.values for row in found.rows] == [(10, 12)] * 8 + [(15, 16)]
    assert "5 more people in AWS" in found.title


def test_a_published_version_is_marked_where_it_went_live(tenant: Tenant, jo: Client) -> None:
    ran(tenant, 1, hours(5))
    Configuration.objects.create(tenant=tenant, number=12, published_at=NOW - hours(49))
    marks = {row.label: row.mark for row in chart(jo, "people").rows if row.mark}
    assert marks == {"23 Nov": "version 12"}
    assert 'data-mark="version 12"' in jo.get("/t/acme/runs/").content.decode()


def test_changes_are_added_up_by_day_and_those_without_change_left_out(tenant: Tenant, jo: Client) -> None:
    ran(tenant, 1, hours(1), counts={"created": 2, "updated": 3, "added": 4, "no_change": 480})
    ran(tenant, 2, hours(2), counts={"disabled": 1, "deleted": 1}, problems={"rejected": 2, "too-long": 1})
    found = chart(jo, "changes")
    assert found.rows[-1].values == [2, 7, 1, 1, 3]
    assert [sum(values) for values in zip(*(row.values for row in found.rows[:-1]), strict=True)] == [0] * 5
    assert "480 without change left out" in found.sentence
    assert found.title == "Failures on 1 of 8 days"


def test_a_day_is_drawn_by_the_hour(tenant: Tenant, jo: Client) -> None:
    ran(tenant, 1, hours(1), counts={"created": 2})
    rows = chart(jo, "changes", "?days=1").rows
    assert [row.label for row in rows] == [f"{n % 24:02}:00" for n in range(12, 37)]
    assert [row.label for row in rows if any(row.values)] == ["11:00"]


def test_runs_longer_than_the_interval_are_counted_and_the_interval_is_drawn(tenant: Tenant, jo: Client) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(interval=15)
    ran(tenant, 1, hours(1), seconds=60)
    assert chart(jo, "duration").limit is None
    ran(tenant, 2, hours(2), seconds=1000)
    found = chart(jo, "duration")
    assert (found.title, found.limit) == ("1 run over the interval", 900)
    assert found.rows[-1].values == [1000, 530, 2]


def test_failures_are_shown_by_kind_and_lead_to_their_logs(tenant: Tenant, jo: Client) -> None:
    ran(tenant, 1, hours(1), problems={"missing-family-name": 3, "rejected": 1})
    failures = history(jo, "?days=30")["failures"]
    assert [(n, code) for _title, n, code in failures["kinds"]] == [(3, "missing-family-name"), (1, "rejected")]
    assert (failures["total"], failures["share"]) == (4, 75)
    assert "?reason=missing-family-name&amp;since=720" in jo.get("/t/acme/runs/?days=30").content.decode()


def test_the_calendar_has_the_worst_of_each_day(tenant: Tenant, jo: Client) -> None:
    ran(tenant, 1, hours(24))
    ran(tenant, 2, hours(25), state="completed_with_errors")
    ran(tenant, 3, hours(72), state="failed")
    ran(tenant, 4, hours(73), state="completed_with_errors")
    ran(tenant, 5, hours(1))
    MissedStart.objects.create(tenant=tenant, expected_at=NOW - hours(120), until=NOW, reason="nobody")
    calendar = history(jo)["calendar"]
    letters = {day.date.day: day.letter for row in calendar.rows for day in row if day.letter}
    assert letters == {24: "!", 22: "✕", 25: "✓", 20: "✕"}
    assert calendar.title == "3 of 4 days had trouble"
    assert (len(calendar.weeks), len(calendar.rows)) == (13, 7)
    assert [day.future for day in (row[-1] for row in calendar.rows)] == [False, False, False, True, True, True, True]


def switched(tenant: Tenant, verb: str, ago: datetime.timedelta, reason: str = "") -> None:
    """As the audit log has it."""
    facts = {"verb": f"provisioning.{verb}", "actor": "jo@acme.example", "after": {"pause_reason": reason}}
    AuditEntry.objects.create(tenant=tenant, at=NOW - ago, **facts)


def days_of(context: Any) -> dict[int, tuple[str, str]]:
    """By day of the month: letter and words."""
    return {day.date.day: (day.letter, str(day.words)) for row in context["calendar"].rows for day in row if day.letter}


def test_a_day_on_which_provisioning_was_paused_or_off_explains_its_gap(tenant: Tenant, jo: Client) -> None:
    switched(tenant, "turn_on", hours(24 * 10))
    switched(tenant, "pause", hours(24 * 5))
    switched(tenant, "pause_over", hours(24 * 3))
    switched(tenant, "turn_off", hours(1))
    ran(tenant, 1, hours(24 * 3 - 1))
    days = days_of(history(jo))
    assert days == {
        20: ("‖", "Paused or off"),
        21: ("‖", "Paused or off"),
        22: ("✓", "Completed, paused or off for a part of it"),
        25: ("‖", "Paused or off"),
    }


def test_what_was_never_on_was_not_off(tenant: Tenant, jo: Client) -> None:
    switched(tenant, "turn_on", hours(24))
    assert days_of(history(jo)) == {}
    assert history(jo)["lines"] == []


def test_times_without_syncs_stand_between_the_runs_with_who_and_why(tenant: Tenant, jo: Client) -> None:
    switched(tenant, "turn_on", hours(50))
    switched(tenant, "pause", hours(8), "Directory moves <b>")
    switched(tenant, "pause", hours(7), "Moved on")
    switched(tenant, "resume", hours(6))
    switched(tenant, "turn_off", hours(2))
    first, last = ran(tenant, 1, hours(9)), ran(tenant, 2, hours(5))
    shown = [line.run.number if line.run else line.off.paused for line in history(jo)["lines"]]
    assert shown == [False, last.number, True, first.number]
    page = " ".join(jo.get("/t/acme/runs/").content.decode().split())
    assert "Directory moves &lt;b&gt;" in page
    assert "Moved on" not in page
    assert page.count("jo@acme.example") >= 2
    assert [line.off for line in history(jo, "?kind=changes")["lines"]] == [None, None]
    text = b"".join(jo.get("/t/acme/runs/export/")).decode()[1:]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["state"] for row in rows] == ["off", "completed", "paused", "completed"]
    paused = rows[2]
    assert (paused["started"], paused["finished"]) == ("2026-11-25T04:30:00Z", "2026-11-25T06:30:00Z")
    assert (paused["requested_by"], paused["reason"]) == ("jo@acme.example", "Directory moves <b>")


def test_a_pause_that_became_off_for_good_is_both_one_after_the_other(tenant: Tenant, jo: Client) -> None:
    switched(tenant, "turn_on", hours(50))
    switched(tenant, "pause", hours(8))
    switched(tenant, "turn_off", hours(4))
    off, paused = (line.off for line in history(jo)["lines"])
    assert (paused.paused, paused.ends, off.paused, off.begins, off.ends) == (
        *(True, NOW - hours(4)),
        *(False, NOW - hours(4), None),
    )


def test_a_restore_turns_off_what_was_on(tenant: Tenant, jo: Client) -> None:
    switched(tenant, "turn_on", hours(50))
    AuditEntry.objects.create(tenant=None, at=NOW - hours(4), verb="installation.restore", actor="jo@acme.example")
    assert [line.off.begins for line in history(jo)["lines"]] == [NOW - hours(4)]


def test_times_off_of_another_tenant_are_not_told_here(tenant: Tenant, jo: Client) -> None:
    other = Tenant.objects.create(slug="other", name="Other")
    switched(other, "turn_on", hours(5))
    switched(other, "turn_off", hours(4))
    assert (history(jo)["lines"], days_of(history(jo))) == ([], {})


def test_times_off_stay_between_their_runs_when_the_list_has_pages(
    tenant: Tenant, jo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.pages.runs.history.PAGE", 2)
    switched(tenant, "turn_on", hours(24 * 9))
    switched(tenant, "turn_off", hours(24 * 8))
    switched(tenant, "turn_on", hours(24 * 6))
    switched(tenant, "turn_off", hours(8.5))
    switched(tenant, "turn_on", hours(8.2))
    for number in range(1, 5):
        ran(tenant, number, hours(10 - number))
    first = history(jo)
    assert [line.run.number if line.run else "-" for line in first["lines"]] == [4, 3]
    [(older, _word)] = first["pager"].links
    assert [line.run.number if line.run else "-" for line in history(jo, older)["lines"]] == [2, "-", 1, "-"]


def test_a_start_that_was_missed_stands_between_the_runs_with_its_reason(tenant: Tenant, jo: Client) -> None:
    first, last = ran(tenant, 1, hours(3)), ran(tenant, 2, hours(1))
    nobody = {"tenant": tenant, "expected_at": NOW - hours(2), "until": NOW - hours(1), "reason": "nobody"}
    MissedStart.objects.create(**nobody)
    MissedStart.objects.create(**nobody | {"expected_at": NOW - hours(0.5), "reason": "busy", "run": last})
    shown = [line.run.number if line.run else line.missed.reason for line in history(jo)["lines"]]
    assert shown == ["busy", last.number, "nobody", first.number]
    page = jo.get("/t/acme/runs/").content.decode()
    assert "Did not start" in page
    assert "nobody was working" in page
    assert "run 2 was still open" in page
    assert [line.missed for line in history(jo, "?kind=changes")["lines"]] == [None, None]


def test_missed_starts_stay_between_their_runs_when_the_list_has_pages(
    tenant: Tenant, jo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.pages.runs.history.PAGE", 2)
    for number in range(1, 5):
        ran(tenant, number, hours(10 - number))
    MissedStart.objects.create(tenant=tenant, expected_at=NOW - hours(8.5), until=NOW, reason="nobody")
    first = history(jo)
    assert [line.run.number if line.run else "-" for line in first["lines"]] == [4, 3]
    [(older, word)] = first["pager"].links
    assert word == "Older"
    second = history(jo, older)
    assert [line.run.number if line.run else "-" for line in second["lines"]] == [2, "-", 1]


def test_a_run_names_its_version_and_its_first_kinds_of_problems(tenant: Tenant, jo: Client) -> None:
    version = Configuration.objects.create(tenant=tenant, number=12)
    problems = {"missing-family-name": 3, "rejected": 2, "too-long": 1}
    ran(tenant, 1, hours(1), configuration=version, problems=problems, counts={"skipped": 6})
    [line] = history(jo)["lines"]
    assert (line.problems, line.more) == (["Last name is missing", "AWS refused the request"], 1)
    page = jo.get("/t/acme/runs/").content.decode()
    assert 'href="/t/acme/versions/12/"' in page
    assert "and 1 more" in page


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("?state=failed", [2]),
        ("?kind=full", [3]),
        ("?trigger=person", [3]),
        ("?version=12", [1]),
        ("?failures=on", [1]),
        ("?begin=2026-11-24&end=2026-11-24", [2]),
        ("?begin=2026-11-25&end=2026-11-24", [3, 2, 1]),
        ("?days=1", [3, 1]),
    ],
)
def test_runs_are_filtered_by_their_address(tenant: Tenant, jo: Client, query: str, numbers: list[int]) -> None:
    version = Configuration.objects.create(tenant=tenant, number=12)
    ran(tenant, 1, hours(2), configuration=version, problems={"rejected": 1})
    ran(tenant, 2, hours(30), state="failed")
    ran(tenant, 3, hours(1), kind="full", trigger="person")
    found = [line.run.number for line in history(jo, query)["lines"]]
    assert sorted(found, reverse=True) == sorted(numbers, reverse=True)


def test_filters_bring_the_table_alone(tenant: Tenant, jo: Client) -> None:
    ran(tenant, 1, hours(1))
    answer = jo.get("/t/acme/runs/?kind=full", headers={"HX-Request": "true"})
    assert b"No runs match these filters" in answer.content
    assert b"ls-chart" not in answer.content


def test_the_history_as_a_file_has_the_runs_and_the_missed_starts(tenant: Tenant, jo: Client) -> None:
    ran(tenant, 1, hours(3), counts={"created": 2}, problems={"rejected": 1})
    ran(tenant, 2, hours(1), requested_by="=cmd()")
    MissedStart.objects.create(tenant=tenant, expected_at=NOW - hours(2), until=NOW - hours(1), reason="nobody")
    text = b"".join(jo.get("/t/acme/runs/export/")).decode()[1:]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["run"], row["state"]) for row in rows] == [
        ("2", "completed"),
        ("", "did_not_start"),
        ("1", "completed"),
    ]
    assert (rows[1]["started"], rows[1]["reason"]) == ("2026-11-25T10:30:00Z", "nobody")
    assert (rows[2]["created"], rows[2]["problems"], rows[0]["requested_by"]) == ("2", "rejected 1", "'=cmd()")
    assert AuditEntry.objects.filter(verb="runs.export").exists()


def test_every_chart_is_a_table_that_needs_no_script(tenant: Tenant, jo: Client) -> None:
    ran(tenant, 1, hours(1), counts={"created": 2}, people_in_aws=3, people_in_scope=4)
    page = jo.get("/t/acme/runs/").content.decode()
    assert page.count("data-chart") == page.count("Show as table") == 3
    assert page.count("<progress") == 0
    assert "<script>" not in page
    assert "style=" not in page


@pytest.mark.parametrize(
    ("day", "hours_long", "first"), [("2026-10-25", 25, "2026-10-24T22:00"), ("2026-03-29", 23, "2026-03-28T23:00")]
)
def test_a_day_in_which_the_clock_is_changed_holds_all_its_syncs_once(
    tenant: Tenant, owner: User, jo: Client, day: str, hours_long: int, first: str
) -> None:
    User.objects.filter(pk=owner.pk).update(time_zone="Europe/Berlin")
    begins = datetime.datetime.fromisoformat(f"{first}+00:00")
    for hour in range(-1, hours_long + 1):
        ran(tenant, hour + 2, NOW - begins - hours(hour), counts={"created": 1})
    query = f"?begin={day}&end={day}"
    assert history(jo, query)["count"] == hours_long
    assert sum(row.values[0] for row in chart(jo, "changes", query).rows) == hours_long
    page = jo.get(f"/t/acme/runs/{query}").content.decode()
    assert "Europe/Berlin (UTC+1)" in page
