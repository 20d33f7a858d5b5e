"""The overview: which run it shows."""

import pytest
from django.test import Client
from django.utils import timezone

from sync.models import Tenant
from tests.world.runs import new_run

pytestmark = [pytest.mark.django_db, pytest.mark.both]


@pytest.mark.parametrize("kind", ["demand", "verify"])
def test_the_last_run_is_one_over_the_whole_directory(ready: Tenant, jo: Client, kind: str) -> None:
    """What was asked on demand and comparisons have pages of their own."""
    Tenant.objects.update(enabled=True, enabled_changed_at=timezone.now())
    whole = new_run(ready, 1, started_at=timezone.now())
    new_run(ready, 2, kind=kind, started_at=timezone.now())
    assert jo.get("/t/acme/provisioning/").context["last_run"] == whole
    assert jo.get("/t/?stay=1").context["rows"][0]["last_run"] == whole
    overview = jo.get("/t/acme/").context
    assert overview["last_run"] == whole
    assert overview["strip"] == [whole]
