"""A problem stays open on every page until the person passes, whatever the runs since looked at, and goes by itself."""

import contextlib
import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from sync.models import Incident, Run, Standing, Tenant, Word
from sync.readiness.services import check_now
from tests.world.company import change, hire
from tests.world.lab import Lab
from tests.world.tenant import assign, sync

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.company(4, groups=1, memberships=1)]
RUNS = 10


def figures(jo: Client, object_id: str) -> dict[str, Any]:
    """How many open problems each place shows, and since when the person has theirs."""
    overview = jo.get("/t/acme/").context
    [tenant] = jo.get("/t/?stay=1").context["rows"]
    person = jo.get(f"/t/acme/people/{object_id}/").context
    readiness = jo.get("/t/acme/readiness/").context
    out = io.StringIO()
    with contextlib.suppress(SystemExit):
        call_command("status", "--json", stdout=out)
    return {
        "overview": overview["figures"].problems,
        "needs": [(need["cause"].code, need["cause"].count) for need in overview["needs"] if "cause" in need],
        "since": overview["figures"].problems_since,
        "people": jo.get("/t/acme/people/?word=not_ready").context["count"],
        "person": (person["person"].word, person["blocker"].key if person["blocker"] else "", person["person"].since),
        "readiness": readiness["people"],
        "readiness list": [one["failing"].code for one in readiness["failing"]],
        "tenants": (tenant.summary.worst, tenant.summary.reaching),
        "history": jo.get("/t/acme/runs/").context["summary"]["people"],
        "status": json.loads(out.getvalue())["tenants"][0]["problems"],
    }


def test_a_refused_person_stays_open_through_runs_that_never_look_and_goes_when_mended(
    wired: Tenant, lab: Lab, jo: Client
) -> None:
    fine, refused = hire(lab, "Ada Fine"), hire(lab, "Bo Nameless", surname=None)
    assign(wired, fine, refused)
    Tenant.objects.update(enabled=True, enabled_changed_at=timezone.now())
    sync(wired)
    check_now(wired)
    since = Standing.objects.get(object_id=refused["id"]).since
    first = figures(jo, refused["id"])
    assert first == {
        "overview": 1,
        "needs": [("missing-family-name", 1)],
        "since": since,
        "people": 1,
        "person": ("not_ready", "ready", since),
        "readiness": (1, 2),
        "readiness list": ["missing-family-name"],
        "tenants": ((Word.NOT_READY, 1), (1, 2)),
        "history": 1,
        "status": 1,
    }
    for _ in range(RUNS):
        assert not sync(wired).operations.exists(), "a run that says nothing about the person"
    assert figures(jo, refused["id"]) == first
    assert Incident.objects.filter(solved_at=None).count() == 1

    change(lab, refused, surname="Named")
    run = sync(wired)
    assert run.state == Run.State.COMPLETED
    mended = figures(jo, refused["id"])
    assert mended.pop("person")[:2] == ("in_aws", "")
    assert mended == {
        "overview": 0,
        "needs": [],
        "since": None,
        "people": 0,
        "readiness": (2, 2),
        "readiness list": [],
        "tenants": (None, (2, 2)),
        "history": 2,
        "status": 0,
    }
    assert not Incident.objects.filter(solved_at=None).exists()
