"""retention: what would go, and removing it now."""

import datetime
import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from sync.models import Delivery, Tenant

pytestmark = pytest.mark.django_db


def said(*words: str) -> Any:
    out = io.StringIO()
    call_command("retention", *words, stdout=out)
    return json.loads(out.getvalue()) if "--json" in words else out.getvalue()


def test_it_shows_what_would_go_and_removes_it_when_told_to(tenant: Tenant) -> None:
    Delivery.objects.create(tenant=tenant, recipient="jo@acme.example", subject="s", body="b", state="sent")
    Delivery.objects.update(created_at=timezone.now() - datetime.timedelta(days=91))
    assert "Messages that were sent: 90 days (KEEP_DELIVERIES_DAYS); 1 would go now" in said()
    assert Delivery.objects.exists()
    (row,) = (one for one in said("--prune", "--json")["kinds"] if one["kind"] == "deliveries")
    assert (row["days"], row["rows_removed"], row["rows_due"]) == (90, 1, 0)
    assert not Delivery.objects.exists()
