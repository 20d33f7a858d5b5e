"""status and doctor: how the installation stands, for people and for scripts."""

import datetime
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from sync.health import services
from sync.models import Heartbeat, Tenant

pytestmark = pytest.mark.django_db


def ended(name: str, *words: str) -> tuple[str, int]:
    out, code = io.StringIO(), 0
    try:
        call_command(name, *words, stdout=out)
    except SystemExit as end:
        code = int(str(end.code))
    return out.getvalue(), code


@pytest.fixture
def working(settings: Any, tmp_path: Path) -> None:
    services.report(role=Heartbeat.Role.WORKER, name="runs@a", queues=["quick", "runs"], slots=2)
    services.report(role=Heartbeat.Role.BEAT, name="beat@a")
    settings.STATIC_ROOT = tmp_path
    (tmp_path / "staticfiles.json").write_text("{}")


@pytest.mark.usefixtures("working")
def test_status_has_a_line_for_every_tenant(tenant: Tenant) -> None:
    assert ended("status") == ("acme: off, 0 of 0 people in AWS, 0 problems, no run yet\n", 0)
    text, _code = ended("status", "--json")
    facts = json.loads(text)
    assert facts["missing"] is None
    assert [(one["name"], one["lives"]) for one in facts["processes"]] == [("beat@a", True), ("runs@a", True)]
    assert facts["tenants"][0]["provisioning"] == "off"


@pytest.mark.usefixtures("working")
def test_status_finds_who_is_late_and_who_is_missing(tenant: Tenant) -> None:
    past = timezone.now() - datetime.timedelta(minutes=9)
    Tenant.objects.update(enabled=True, next_run_at=past)
    text, code = ended("status")
    assert (code, f"overdue since {past.isoformat()}" in text) == (3, True)
    services.say_goodbye("runs@a")
    assert ended("status")[0].startswith("No worker is running")


@pytest.mark.usefixtures("working")
def test_doctor_has_nothing_to_say_where_all_is_well(tenant: Tenant) -> None:
    text, code = ended("doctor", "--json")
    report = json.loads(text)
    assert (report["state"], code) == ("passed", 0)
    assert {one["check"] for one in report["checks"]} >= {"settings", "static", "worker", "database", "broker", "keys"}


@pytest.mark.usefixtures("working")
def test_doctor_says_what_to_do(tenant: Tenant, settings: Any) -> None:
    settings.PUBLIC_URL = "http://lockstep.example"
    (settings.STATIC_ROOT / "staticfiles.json").unlink()
    Heartbeat.objects.all().delete()
    text, code = ended("doctor")
    assert code == 3
    for remedy in ("PUBLIC_URL=https://", "collectstatic", "docs/operations.md"):
        assert f"-> {remedy}" in text or remedy in text
    assert text.count("failed") >= 4
