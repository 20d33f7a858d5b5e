"""The last 24 hours on the overview, and how many more people are in AWS than yesterday."""

import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sync.models import MissedStart, Run, Standing, Tenant
from tests.world.runs import new_run

pytestmark = pytest.mark.django_db
HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def on(ready: Tenant) -> Tenant:
    Tenant.objects.update(enabled=True, enabled_changed_at=timezone.now() - 48 * HOUR)
    return ready


def sync(tenant: Tenant, number: int, hours: float, **facts: Any) -> Run:
    at = timezone.now() - hours * HOUR
    run = new_run(tenant, number, kind="changes", started_at=at, finished_at=at, **facts)
    Run.objects.filter(pk=run.pk).update(created_at=at)
    return run


def test_every_half_hour_shows_its_gravest_sync_and_its_changes(on: Tenant, jo: Client) -> None:
    sync(on, 1, 30, state="failed")
    sync(on, 2, 5.1, state="completed", counts={"created": 9})
    sync(on, 3, 5.15, state="completed_with_errors", counts={"updated": 7, "failed": 2})
    sync(on, 4, 1, state="completed", counts={"created": 1})
    at = timezone.now() - 3 * HOUR
    MissedStart.objects.create(tenant=on, expected_at=at, until=at, reason="nobody")
    page = jo.get("/t/acme/")
    day = page.context["day"]
    assert day.sentence == "3 syncs: 2 completed, 1 completed with errors. 1 did not start."
    drawn = [(bar.family, bar.changes, bar.failed) for bar in day.bars]
    assert drawn == [("attention", 16, 2), ("bad", 0, 0), ("good", 1, 0)]
    heights = [bar.height for bar in day.bars]
    assert heights[0] > heights[2] > heights[1] > 0
    text = page.content.decode()
    assert text.count("<rect") == 4, "bars, and the mark of what did not start"
    assert "1 completed, 1 completed with errors" in text


def test_a_day_without_syncs_says_so(on: Tenant, jo: Client) -> None:
    page = jo.get("/t/acme/")
    assert "No sync in the last 24 hours." in page.content.decode()
    assert page.context["day"].bars == []


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"enabled": True}, "On since"),
        ({"enabled": False}, "Off since"),
        ({"enabled": False, "resume_at": timezone.now() + HOUR}, "Paused since"),
    ],
)
def test_a_gap_that_somebody_wanted_explains_itself(on: Tenant, jo: Client, facts: dict[str, Any], words: str) -> None:
    Tenant.objects.update(enabled_changed_at=timezone.now() - HOUR, **facts)
    assert words in jo.get("/t/acme/").context["day"].sentence


@pytest.mark.parametrize(
    ("before", "words"), [(1, "1 more than yesterday"), (5, "3 fewer than yesterday"), (2, "as many as yesterday")]
)
def test_people_in_aws_are_compared_with_yesterday(on: Tenant, jo: Client, before: int, words: str) -> None:
    for n in range(2):
        object_id = f"{n:08}-1111-4111-8111-111111111111"
        facts = {"name": f"P{n}", "scope": "assigned", "in_scope": True, "since": timezone.now(), "word": "in_aws"}
        Standing.objects.create(tenant=on, kind="user", object_id=object_id, **facts)
    assert "yesterday" not in jo.get("/t/acme/").content.decode(), "nobody knows how it was"
    sync(on, 1, 40, people_in_aws=99)
    sync(on, 2, 25, people_in_aws=before)
    sync(on, 3, 2, people_in_aws=50)
    assert words in jo.get("/t/acme/").content.decode()
